//! Styles: how an API looks, apart from what it does. Real APIs differ in style more than in substance.

mod docs;
mod dress;
mod names;
mod schema;
mod vocabulary;

pub use dress::{Dressed, DressedParam, dress};
pub use names::{Names, api_words};
pub use vocabulary::Vocabulary;

use crate::rng::Rng;
use serde_json::{Value as Json, json};

/// How an API looks. Drawn once per API, so that its tools agree with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Style {
    /// Names of tools.
    pub tool_case: Case,
    /// Order and joints of the parts of tool names.
    pub pattern: Pattern,
    /// What tool names start with, if anything.
    pub prefix: Option<String>,
    /// Names of members and arguments.
    pub field_case: Case,
    /// How arguments that are ids are called.
    pub id_argument: IdArgument,
    /// What attributes that refer to other records end with.
    pub reference_suffix: &'static str,
    /// The last word of the member that holds a record's id.
    pub id_member: &'static str,
    /// How often a member gets a name other than the pack's.
    pub variety: f64,
    /// Object around the members in writes, and around filters in lists.
    pub nesting: Nesting,
    /// Object around replies.
    pub envelope: Envelope,
    /// What lists answer.
    pub rows: Rows,
    /// What records are answered as.
    pub record: RecordShape,
    /// What writes answer.
    pub done: Done,
    /// What failures look like.
    pub error: ErrorStyle,
    /// How much documentation says.
    pub docs: Docs,
    /// Whether `returns` is declared.
    pub returns: bool,
    /// Whether ranges are part of the schema.
    pub ranges: bool,
    /// Pages are counted instead of rows skipped.
    pub pages: bool,
    /// Callers log in, and roles are checked.
    pub auth: bool,
    /// Which words stand for common verbs; an index into the lists of synonyms.
    pub words: u64,
    /// Words of the API's own, for names that every API has.
    pub own: Vec<String>,
}

/// How words are joined into a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The names say it.
pub enum Case {
    Snake,
    Camel,
    Pascal,
    Kebab,
    Flat,
}

/// Order and joints of the parts of a tool's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// `get_order`
    VerbObject,
    /// `order_get`
    ObjectVerb,
    /// `orders.get`
    Dotted,
    /// `orders/get`
    Slashed,
}

/// How an argument that is the id of an order is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdArgument {
    /// `order_id`
    EntityId,
    /// `id`, where the tool takes only one
    PlainId,
    /// `order`
    Entity,
}

/// Object around arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Nesting {
    Flat,
    Body(&'static str),
    Entity,
    Filter(&'static str),
}

/// Object around replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Envelope {
    /// The reply as it is.
    Bare,
    /// `{data: …}` or another member.
    Member(&'static str),
    /// `{success: true, data: …}`
    Success,
    /// `{status: "ok", result: …}`
    Status,
    /// `{output: …, error: null}`
    Output,
}

/// What lists answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rows {
    /// The array alone.
    Bare,
    /// `{items: […], total: n}`, with these names.
    Counted(&'static str, &'static str),
    /// `{orders: […], count: n}`
    Named,
    /// `{orders: […]}`
    NamedOnly,
}

/// What a record is answered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordShape {
    /// The record.
    Bare,
    /// `{order: {…}}`
    Named,
    /// Lines of text.
    Text,
}

/// What a write answers that does not answer the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Done {
    Record,
    IdOnly,
    Message,
    Text,
    Flag,
    Null,
}

/// What failures look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ErrorStyle {
    Member,
    Coded,
    Detail,
    Problem,
    Success,
    Status,
    List,
    Text,
    Output,
}

/// How much documentation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Docs {
    None,
    Terse,
    Plain,
    Chatty,
}

impl Style {
    /// Draws a style. `api` are words that tool names may start with.
    pub fn draw(rng: &mut Rng, api: &[String]) -> Style {
        let weigh = |rng: &mut Rng, weights: &[f64]| rng.weighted(weights.iter().copied());
        let tool_case = [Case::Snake, Case::Camel, Case::Kebab, Case::Pascal, Case::Flat]
            [weigh(rng, &[55.0, 22.0, 12.0, 8.0, 3.0])];
        let pattern = [Pattern::VerbObject, Pattern::ObjectVerb, Pattern::Dotted, Pattern::Slashed]
            [weigh(rng, &[70.0, 12.0, 14.0, 4.0])];
        let field_case = match tool_case {
            Case::Camel | Case::Pascal => {
                [Case::Camel, Case::Snake, Case::Pascal][weigh(rng, &[80.0, 15.0, 5.0])]
            }
            _ => [Case::Snake, Case::Camel, Case::Flat][weigh(rng, &[80.0, 17.0, 3.0])],
        };
        let prefix = match api.is_empty() || !rng.chance(0.35) {
            true => None,
            false => Some(rng.pick(api).clone()),
        };
        let text = rng.chance(0.1);
        let envelope = match weigh(rng, &[62.0, 14.0, 10.0, 7.0, 7.0]) {
            _ if text => Envelope::Bare,
            0 => Envelope::Bare,
            1 => Envelope::Member(*rng.pick(&["data", "result", "response", "payload", "body"])),
            2 => Envelope::Success,
            3 => Envelope::Status,
            _ => Envelope::Output,
        };
        Style {
            tool_case,
            pattern,
            prefix,
            field_case,
            id_argument: [IdArgument::EntityId, IdArgument::PlainId, IdArgument::Entity]
                [weigh(rng, &[62.0, 28.0, 10.0])],
            reference_suffix: ["_id", "", "_ref", "_key", "_no", "_uid"]
                [weigh(rng, &[70.0, 14.0, 5.0, 4.0, 4.0, 3.0])],
            id_member: ["id", "uid", "key", "ref", "guid", "code", "identifier", "no", "number"]
                [weigh(rng, &[62.0, 6.0, 8.0, 6.0, 4.0, 5.0, 3.0, 3.0, 3.0])],
            variety: [0.0, 0.25, 0.6][weigh(rng, &[30.0, 45.0, 25.0])],
            nesting: match weigh(rng, &[74.0, 10.0, 8.0, 8.0]) {
                0 => Nesting::Flat,
                1 => Nesting::Body(*rng.pick(&[
                    "body",
                    "data",
                    "input",
                    "fields",
                    "attributes",
                    "payload",
                    "values",
                ])),
                2 => Nesting::Entity,
                _ => Nesting::Filter(*rng.pick(&["filter", "where", "criteria", "filters", "match"])),
            },
            rows: match weigh(rng, &[36.0, 30.0, 22.0, 12.0]) {
                0 => Rows::Bare,
                1 => {
                    let (items, total) = *rng.pick(&[
                        ("items", "total"),
                        ("results", "total_count"),
                        ("data", "total"),
                        ("records", "count"),
                        ("rows", "row_count"),
                        ("entries", "size"),
                        ("values", "total"),
                    ]);
                    Rows::Counted(items, total)
                }
                2 => Rows::Named,
                _ => Rows::NamedOnly,
            },
            record: match text {
                true => RecordShape::Text,
                false => [RecordShape::Bare, RecordShape::Named][weigh(rng, &[80.0, 20.0])],
            },
            done: match text {
                true => Done::Text,
                false => [Done::Record, Done::IdOnly, Done::Message, Done::Text, Done::Flag, Done::Null]
                    [weigh(rng, &[50.0, 12.0, 14.0, 8.0, 11.0, 5.0])],
            },
            error: match envelope {
                _ if text => ErrorStyle::Text,
                Envelope::Output => ErrorStyle::Output,
                Envelope::Success => ErrorStyle::Success,
                _ => [
                    ErrorStyle::Member,
                    ErrorStyle::Coded,
                    ErrorStyle::Detail,
                    ErrorStyle::Problem,
                    ErrorStyle::Status,
                    ErrorStyle::List,
                    ErrorStyle::Text,
                ][weigh(rng, &[30.0, 26.0, 14.0, 2.0, 14.0, 6.0, 8.0])],
            },
            docs: [Docs::None, Docs::Terse, Docs::Plain, Docs::Chatty][weigh(rng, &[4.0, 26.0, 52.0, 18.0])],
            returns: rng.chance(0.6),
            ranges: rng.chance(0.8),
            pages: rng.chance(0.4),
            auth: rng.chance(0.15),
            envelope,
            words: rng.bits(),
            own: api
                .iter()
                .take(2)
                .flat_map(|name| name.split('_'))
                .filter(|w| w.len() > 2)
                .map(str::to_owned)
                .collect(),
        }
    }

    /// A name that every API has, such as that of the object around replies, made this API's own: else all would share it.
    pub fn word(&self, name: &str) -> String {
        let mut rng = Rng::new(self.words, &["word", name]);
        let plain = rng.chance(0.01);
        let own = rng.try_pick(&self.own).filter(|_| !plain).map(String::as_str);
        let parts: Vec<&str> = own.into_iter().chain(name.split('_')).collect();
        self.field_case.join(&parts)
    }

    /// The envelope of the whole toolset, in the language of behaviors.
    pub fn envelope_templates(&self) -> gtm_world::behavior::Envelope {
        let w = |name: &str| self.word(name);
        let reply = match self.envelope {
            Envelope::Bare => None,
            Envelope::Member(name) => Some(json!({w(name): "reply"})),
            Envelope::Success => Some(json!({w("success"): true, w("data"): "reply"})),
            Envelope::Status => Some(json!({w("status"): "'ok'", w("result"): "reply"})),
            Envelope::Output => Some(json!({w("output"): "reply", w("error"): null})),
        };
        let error: Json = match self.error {
            ErrorStyle::Member => json!({w("error"): "error.message"}),
            ErrorStyle::Coded => {
                json!({w("error"): {w("code"): "error.kind", w("message"): "error.message"}})
            }
            ErrorStyle::Detail => json!({w("detail"): "error.message"}),
            ErrorStyle::Problem => {
                json!({"type": "'about:blank'", "title": "error.kind.replace('_', ' ').capitalize()", "status": "error.status", "detail": "error.message"})
            }
            ErrorStyle::Success => json!({w("success"): false, w("error"): "error.message"}),
            ErrorStyle::Status => {
                json!({w("status"): "'error'", w("code"): "error.status", w("message"): "error.message"})
            }
            ErrorStyle::List => {
                json!({w("errors"): [{w("code"): "error.kind.upper()", w("message"): "error.message"}]})
            }
            ErrorStyle::Text => json!({"$text": "Error: {error.message}"}),
            ErrorStyle::Output => json!({w("output"): null, w("error"): "error.message"}),
        };
        gtm_world::behavior::Envelope { reply, error: Some(error) }
    }
}

impl Case {
    /// Words as one name.
    pub fn join<S: AsRef<str>>(self, words: &[S]) -> String {
        let capital = |word: &str| {
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_uppercase().chain(chars).collect::<String>())
                .unwrap_or_default()
        };
        let words = words.iter().map(AsRef::as_ref).filter(|word| !word.is_empty());
        match self {
            Case::Snake => words.map(str::to_lowercase).collect::<Vec<_>>().join("_"),
            Case::Kebab => words.map(str::to_lowercase).collect::<Vec<_>>().join("-"),
            Case::Flat => words.map(str::to_lowercase).collect(),
            Case::Pascal => words.map(|word| capital(&word.to_lowercase())).collect(),
            Case::Camel => words
                .enumerate()
                .map(|(at, word)| if at == 0 { word.to_lowercase() } else { capital(&word.to_lowercase()) })
                .collect(),
        }
    }
}
