//! Attributes: what a member of a record, an argument or an input may be.
//!
//! Authors mostly write one line, `price: money 1..900 EUR log = 20; list price`; see [`super::short`] for
//! its grammar. The long form says the same in parts and adds records within records.

use super::short;
use gtm_world::behavior::ExprText;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use std::borrow::Cow;

/// An attribute, argument or input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attribute {
    /// What kind of value.
    pub kind: Kind,
    /// Unit of a number, currency of money.
    pub unit: Option<String>,
    /// A list of such values, with so many of them, least and most.
    pub list: Option<[u32; 2]>,
    /// How values are distributed.
    pub spread: Spread,
    /// No two records have the same.
    pub unique: bool,
    /// Set by the system, never by the caller.
    pub readonly: bool,
    /// May be given when the record is made, and not changed later.
    pub fixed: bool,
    /// Never shown in replies.
    pub secret: bool,
    /// The value if none is given, an expression.
    pub default: Option<ExprText>,
    /// The value is not stored but computed from the record `it` whenever it is read.
    pub calc: Option<ExprText>,
    /// What it means.
    pub doc: String,
    /// The text it was written as, if it was one line.
    pub(crate) short: Option<String>,
}

/// Kinds of values.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Kind {
    /// Whole number.
    Int(Range),
    /// Number.
    Number(Range),
    /// Amount of money, two decimals unless the range has none.
    Money(Range),
    /// True with this probability.
    Bool(f64),
    /// One of some words, with weights.
    Enum(Vec<(String, f64)>),
    /// A word of a lexicon of the pack.
    Word(String),
    /// Free text of a grammar of the pack.
    Text(String),
    /// The id of a record of this entity.
    Ref(String),
    /// Text of a pattern: `#` digit, `?` hexadecimal digit, `@` capital letter.
    Code(String),
    /// Day, as an offset from today in days, or as days since 1970 where `absolute`.
    Date(Range),
    /// Point of time, as an offset from now in seconds, or as seconds since 1970 where `absolute`.
    Time(Range),
    /// Something everyone knows the look of.
    Common(Semantic),
    /// A record within the record.
    Fields(IndexMap<String, Attribute>),
    /// Computed; see [`Attribute::calc`].
    #[default]
    Computed,
}

/// A closed range.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
    /// Decimals that the bounds are written with; `None` for bounds in scientific notation.
    pub decimals: Option<u8>,
    /// For dates and times: counted from 1970 rather than from the session's clock.
    pub absolute: bool,
}

impl Range {
    /// Whether `x` lies inside.
    pub fn contains(&self, x: f64) -> bool {
        (self.low..=self.high).contains(&x)
    }
}

/// How numbers are distributed over their range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// Evenly.
    #[default]
    Even,
    /// Evenly in the logarithm: prices, sizes, concentrations.
    Log,
    /// Around the middle.
    Normal,
}

macro_rules! semantics {
    ($($variant:ident = $word:literal, $does:literal;)*) => {
        /// Kinds of text that need no lexicon.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Semantic { $(#[doc = $does] $variant,)* }

        impl Semantic {
            /// All of them with the word that packs use and what it stands for.
            pub const ALL: &[(Semantic, &str, &str)] = &[$((Semantic::$variant, $word, $does)),*];
        }
    };
}

semantics! {
    Person = "person", "Full name of a person.";
    FirstName = "first_name", "Given name.";
    LastName = "last_name", "Family name.";
    Username = "username", "Account name.";
    Email = "email", "E-mail address.";
    Phone = "phone", "Telephone number.";
    Company = "company", "Name of a company.";
    Street = "street", "Street and number.";
    City = "city", "City.";
    Country = "country", "Country by name.";
    CountryCode = "country_code", "Country by ISO 3166 code.";
    Postcode = "postcode", "Postal code.";
    Latitude = "latitude", "Degrees north, a number.";
    Longitude = "longitude", "Degrees east, a number.";
    Timezone = "timezone", "IANA time zone.";
    Language = "language", "Language by ISO 639 code.";
    Currency = "currency", "Currency by ISO 4217 code.";
    Url = "url", "Web address.";
    Domain = "domain", "Domain name.";
    Ip = "ip", "IPv4 address.";
    Mac = "mac", "MAC address.";
    Uuid = "uuid", "UUID.";
    Hash = "hash", "SHA-256 in hexadecimal.";
    Color = "color", "Colour by name.";
    Password = "password", "Password.";
    Sentence = "sentence", "Any text that the caller makes up; for titles and notes prefer a grammar.";
}

/// The long form of an attribute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "AttributeParts")]
pub struct AttributeParts {
    /// The short form, to which the rest is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// For `is: enum`: the words, where they do not fit into one line (blanks, bars).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// A record within the record: its members.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, Attribute>,
    /// A list of so many, least and most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<[u32; 2]>,
    /// The value if none is given, an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<ExprText>,
    /// Computed from the record `it` whenever it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calc: Option<ExprText>,
    /// Unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

impl Attribute {
    /// Reads the one-line form.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub fn parse(text: &str) -> Result<Attribute, String> {
        let attribute = short::parse(text)?;
        Ok(Attribute { short: Some(text.to_owned()), ..attribute })
    }

    fn from_parts(parts: AttributeParts) -> Result<Attribute, String> {
        let mut attribute = match (&parts.is, parts.values.is_empty(), parts.fields.is_empty(), &parts.calc) {
            (Some(is), true, true, _) => Attribute { short: None, ..Attribute::parse(is)? },
            (Some(is), false, true, None) => {
                let mut attribute = short::parse(&is.replacen("enum", "enum _", 1))?;
                attribute.kind = Kind::Enum(parts.values.iter().map(|word| (word.clone(), 1.0)).collect());
                attribute
            }
            (None, true, false, None) => {
                Attribute { kind: Kind::Fields(parts.fields.clone()), ..Attribute::default() }
            }
            (None, true, true, Some(_)) => Attribute::default(),
            _ => {
                return Err(
                    "an attribute has `is`, `fields` or `calc`, and `values` only with `is: enum`".into()
                );
            }
        };
        attribute.list = parts.list.or(attribute.list);
        attribute.default = parts.default.or(attribute.default);
        attribute.calc = parts.calc;
        attribute.unit = parts.unit.or(attribute.unit);
        attribute.doc = parts.doc.unwrap_or(attribute.doc);
        Ok(attribute)
    }

    fn to_parts(&self) -> AttributeParts {
        let fields = match &self.kind {
            Kind::Fields(fields) => fields.clone(),
            _ => IndexMap::new(),
        };
        let values = match &self.kind {
            Kind::Enum(words) => words.iter().map(|(word, _)| word.clone()).collect(),
            _ => Vec::new(),
        };
        AttributeParts {
            is: match &self.kind {
                Kind::Computed | Kind::Fields(_) => None,
                Kind::Enum(_) => Some("enum".into()),
                _ => Some(short::write(self)),
            },
            values,
            fields,
            list: self.list,
            default: self.default.clone(),
            calc: self.calc.clone(),
            unit: self.unit.clone(),
            doc: Some(self.doc.clone()).filter(|doc| !doc.is_empty()),
        }
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let attribute = match json {
            Json::String(text) => Attribute::parse(&text),
            Json::Object(_) => serde_json::from_value::<AttributeParts>(json)
                .map_err(|e| e.to_string())
                .and_then(Attribute::from_parts),
            other => Err(format!("{other} is no attribute: write a line such as `money 1..900 EUR`")),
        };
        attribute.map_err(serde::de::Error::custom)
    }
}

impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.short {
            Some(text) => text.serialize(serializer),
            None => self.to_parts().serialize(serializer),
        }
    }
}

impl JsonSchema for Attribute {
    fn schema_name() -> Cow<'static, str> {
        "Attribute".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = generator.subschema_for::<AttributeParts>();
        json_schema!({
            "description": "One line, `KIND [RANGE] [UNIT] [FLAGS] [= DEFAULT] [; MEANING]`, or the same in parts.",
            "anyOf": [
                {"type": "string", "examples": ["money 1..900 EUR log; list price", "ref customer", "enum open*3|closed = open"]},
                parts,
            ],
        })
    }
}
