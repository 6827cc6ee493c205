//! What the members of one record must agree on: one person, one place, one company.

use super::kind::Kind;
use super::name::Name;
use super::noise::Noise;
use super::words::{COMPANY_HEAD, COMPANY_TAIL, FIRST, LAST, PLACES, Place};
use gtm_world::Map;

/// One object that is being made.
#[derive(Clone, Copy)]
pub(super) struct Record<'r> {
    /// The object's own seed, from which whatever its members share is drawn.
    pub noise: Noise,
    /// Members that are given.
    pub known: Option<&'r Map>,
    /// Singular noun for what the object is, such as `order item`; lower case.
    pub noun: &'r str,
    /// All members that the object's schema has.
    pub members: &'r [&'r serde_json::Map<String, serde_json::Value>],
}

impl Record<'_> {
    /// Whether the object has a member of one of these kinds.
    pub(super) fn has(&self, kinds: &[Kind]) -> bool {
        self.members.iter().any(|m| m.keys().any(|k| kinds.contains(&Name::new(k).kind())))
    }

    /// The text of a given member of this kind.
    fn given(&self, kind: Kind) -> Option<&str> {
        self.known?.iter().find_map(|(name, value)| {
            let text = value.as_str()?;
            (Name::new(name).kind() == kind).then_some(text)
        })
    }

    /// First and last name of the record's person.
    pub(super) fn person(&self) -> (String, String) {
        let mut noise = self.noise.child("person");
        let (first, last) = (noise.word(FIRST), noise.word(LAST));
        if self.known.is_some() {
            let full = self
                .given(Kind::FullName)
                .or_else(|| self.given(Kind::Name).filter(|_| is_person(self.noun)));
            if let Some((a, b)) = full.and_then(|f| f.split_once(' ')) {
                return (a.to_owned(), b.to_owned());
            }
            if let Some((first, last)) =
                self.given(Kind::Email).and_then(|e| e.split('@').next()?.split_once('.'))
            {
                return (capital(first), capital(last));
            }
            return (
                self.given(Kind::FirstName).unwrap_or(first).to_owned(),
                self.given(Kind::LastName).unwrap_or(last).to_owned(),
            );
        }
        (first.to_owned(), last.to_owned())
    }

    /// The record's place.
    pub(super) fn place(&self) -> &'static Place {
        let mut noise = self.noise.child("place");
        let drawn = &PLACES[noise.below(PLACES.len())];
        if self.known.is_none() {
            return drawn;
        }
        let named = |kind, of: fn(&Place) -> &'static str| {
            self.given(kind).and_then(|text| PLACES.iter().find(|p| of(p).eq_ignore_ascii_case(text)))
        };
        named(Kind::City, |p| p.city)
            .or_else(|| named(Kind::CountryCode, |p| p.code))
            .or_else(|| named(Kind::Country, |p| p.country))
            .or_else(|| named(Kind::Currency, |p| p.currency))
            .unwrap_or(drawn)
    }

    /// The record's company.
    pub(super) fn company(&self) -> String {
        if let Some(name) = self.given(Kind::Company) {
            return name.to_owned();
        }
        let mut noise = self.noise.child("company");
        format!("{} {}", noise.word(COMPANY_HEAD), noise.word(COMPANY_TAIL))
    }
}

/// Text with a capital first letter.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Text as part of an address or handle: lower-case ASCII letters and digits, others as hyphens.
pub(super) fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            'ã' | 'á' | 'à' | 'â' => out.push('a'),
            'é' | 'è' | 'ê' => out.push('e'),
            'Î' | 'î' | 'í' => out.push('i'),
            'ö' | 'ó' | 'ô' => out.push('o'),
            'ü' | 'ú' => out.push('u'),
            '\'' => {}
            _ if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

fn noun_has(noun: &str, words: &[&str]) -> bool {
    noun.split(' ').any(|w| words.contains(&w))
}

/// Whether the noun names people.
pub(super) fn is_person(noun: &str) -> bool {
    noun_has(
        noun,
        &[
            "user",
            "customer",
            "contact",
            "employee",
            "person",
            "author",
            "owner",
            "member",
            "patient",
            "candidate",
            "lead",
            "student",
            "teacher",
            "doctor",
            "guest",
            "passenger",
            "driver",
            "player",
            "actor",
            "artist",
            "assignee",
            "creator",
            "recipient",
            "sender",
            "attendee",
            "client",
            "worker",
            "buyer",
            "subscriber",
            "applicant",
            "people",
            "athlete",
            "participant",
            "friend",
            "requester",
            "reviewer",
            "profile",
            "agent",
            "speaker",
        ],
    )
}

/// Whether the noun names companies.
pub(super) fn is_company(noun: &str) -> bool {
    noun_has(
        noun,
        &[
            "company",
            "organization",
            "organisation",
            "vendor",
            "supplier",
            "brand",
            "merchant",
            "manufacturer",
            "employer",
            "publisher",
            "agency",
            "bank",
            "airline",
            "business",
            "enterprise",
            "partner",
            "carrier",
            "institution",
            "store",
            "shop",
            "retailer",
            "seller",
            "firm",
        ],
    )
}

/// Whether the noun names places.
pub(super) fn is_place(noun: &str) -> bool {
    noun_has(
        noun,
        &[
            "city",
            "town",
            "place",
            "location",
            "destination",
            "station",
            "airport",
            "municipality",
            "locality",
        ],
    )
}

/// Whether the noun names a country.
pub(super) fn is_country(noun: &str) -> bool {
    noun_has(noun, &["country", "nation"])
}

/// Whether the noun names things for sale.
pub(super) fn is_product(noun: &str) -> bool {
    noun_has(
        noun,
        &[
            "product",
            "item",
            "article",
            "sku",
            "variant",
            "merchandise",
            "listing",
            "good",
            "goods",
            "catalog",
        ],
    )
}

/// Whether the noun names animals.
pub(super) fn is_pet(noun: &str) -> bool {
    noun_has(noun, &["pet", "animal", "dog", "cat"])
}

/// Whether the noun names food.
pub(super) fn is_dish(noun: &str) -> bool {
    noun_has(noun, &["dish", "recipe", "meal", "food", "menu"])
}

/// Whether the noun names works.
pub(super) fn is_work(noun: &str) -> bool {
    noun_has(
        noun,
        &[
            "book", "movie", "film", "song", "album", "track", "show", "episode", "series", "game",
            "podcast", "playlist", "video",
        ],
    )
}

/// Whether the noun names files.
pub(super) fn is_file(noun: &str) -> bool {
    noun_has(noun, &["file", "attachment", "document", "upload", "image", "photo", "asset", "media"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use gtm_world::Value;
    use serde_json::json;

    #[test]
    fn a_record_follows_what_is_given() {
        let known = Value::from(json!({"first_name": "Ada", "last_name": "Lovelace", "city": "tokyo"}));
        let record = Record { noise: Noise::new(1), known: known.as_map(), noun: "user", members: &[] };
        assert_eq!(record.person(), ("Ada".to_owned(), "Lovelace".to_owned()));
        assert_eq!(record.place().code, "JP");
    }

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug("São Paulo's Best!"), "sao-paulos-best");
        assert_eq!(slug("   "), "");
    }
}
