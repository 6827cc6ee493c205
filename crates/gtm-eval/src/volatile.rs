//! Values that a real tool makes up afresh: ids, tokens, times.
//!
//! Nobody can foretell them, so they are masked on both sides before replies are compared. A piece
//! of a text, or a number, is *fresh* if nothing that the session has shown holds it and it has one
//! of these shapes:
//!
//! | class | shape |
//! |---|---|
//! | uuid | 8-4-4-4-12 hexadecimal digits |
//! | time | ISO date or date-time, `M/D/YYYY`, `HH:MM:SS`, mail and HTTP dates; numbers that are seconds or milliseconds of 2000 to 2100 |
//! | token | letters and digits mixed: 8 characters with 3 digits, or 12 without separators, or a word and 4 digits as in `BK-4821` |
//! | digits | 6 digits and more that are a whole text, or follow a word such as `id` or a `#`; whole numbers from 1,000 in a member named so |

use crate::known::Known;
use regex::Regex;
use serde_json::{Number, Value as Json};
use std::sync::LazyLock;

/// What a fresh value looks like. Two fresh values match if they are of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Uuid,
    /// With its digits as zeros: a date does not stand for a date-time.
    Time(String),
    Token,
    Digits,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Plain(&'a str),
    Fresh(Class, &'a str),
}

static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    let month = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*";
    let zone = r"(?: ?(?:Z|[A-Z]{2,4}|[+-]\d{2}:?\d{2}))?";
    let pattern = format!(
        r"(?-u)(?<uuid>\b[0-9A-Fa-f]{{8}}-(?:[0-9A-Fa-f]{{4}}-){{3}}[0-9A-Fa-f]{{12}}\b)|(?<time>\b\d{{4}}-\d{{2}}-\d{{2}}(?:[T ]\d{{2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?{zone}\b)?|\b\d{{1,2}}/\d{{1,2}}/\d{{4}}(?:,? \d{{1,2}}:\d{{2}}(?::\d{{2}})?{zone}\b)?|\b\d{{1,2}} {month} \d{{4}} \d{{2}}:\d{{2}}:\d{{2}}{zone}|\b\d{{1,2}}:\d{{2}}:\d{{2}}(?:\.\d+)?\b)|(?<word>[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*)"
    );
    Regex::new(&pattern).expect("the pattern is well-formed")
});

/// Pieces of a text that have one of the shapes, whether fresh or not.
pub(crate) fn candidates(text: &str) -> impl Iterator<Item = (&str, Class)> {
    // Every shape has a digit in it.
    let text = if text.bytes().any(|b| b.is_ascii_digit()) { text } else { "" };
    SHAPES.captures_iter(text).filter_map(|found| {
        if let Some(uuid) = found.name("uuid") {
            return Some((uuid.as_str(), Class::Uuid));
        }
        if let Some(time) = found.name("time") {
            return Some((time.as_str(), Class::Time(time_shape(time.as_str()))));
        }
        let word = found.name("word")?.as_str();
        Some((word, word_class(word)?))
    })
}

fn word_class(word: &str) -> Option<Class> {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    if digits == 0 {
        return None;
    }
    let separated = digits + letters < word.len();
    if letters == 0 {
        return (!separated && digits >= 6).then_some(Class::Digits);
    }
    let last = word.rsplit(['-', '_']).next().unwrap_or_default();
    let numbered = separated && last.len() >= 4 && last.bytes().all(|b| b.is_ascii_digit());
    let token = (word.len() >= 8 && digits >= 3) || (word.len() >= 12 && !separated) || numbered;
    token.then_some(Class::Token)
}

/// The time's form: digits as zeros, without fractions of a second.
fn time_shape(time: &str) -> String {
    let whole = match time.split_once('.') {
        Some((whole, rest)) => format!("{whole}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => time.to_owned(),
    };
    whole.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

/// The text in parts: what is fresh in it, and the plain text between.
pub(crate) fn pieces<'a>(text: &'a str, name: &str, known: &Known) -> Vec<Piece<'a>> {
    let mut parts = Vec::new();
    let mut plain = 0;
    for (piece, class) in candidates(text) {
        // The piece lies within the text; its place follows from where it is in memory.
        let start = piece.as_ptr() as usize - text.as_ptr() as usize;
        if class == Class::Digits && !named_as_id(text, start, piece, name) || is_known(piece, known) {
            continue;
        }
        if start > plain {
            parts.push(Piece::Plain(&text[plain..start]));
        }
        parts.push(Piece::Fresh(class, piece));
        plain = start + piece.len();
    }
    if plain < text.len() {
        parts.push(Piece::Plain(&text[plain..]));
    }
    parts
}

fn is_known(piece: &str, known: &Known) -> bool {
    known.has_piece(piece) || piece.parse::<i64>().is_ok_and(|number| known.has(&Json::from(number)))
}

/// Whether bare digits stand for an id: they are the whole text, follow `#`, or the word before
/// them says so.
fn named_as_id(text: &str, start: usize, piece: &str, name: &str) -> bool {
    let before = &text[..start];
    if before.trim_end_matches(['#', ' ']).is_empty() && text[start + piece.len()..].trim().is_empty() {
        return true;
    }
    let near = before.trim_end_matches([' ', ':', '=', '"', '\'', '`', '(', '*', '\t']);
    if near.ends_with('#') {
        return true;
    }
    let word = near.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
    if word.is_empty() { near.is_empty() && is_id_name(name) } else { is_id_name(word) }
}

/// Last words of names whose values are identities rather than amounts.
const ID_WORDS: [&str; 16] = [
    "id",
    "ids",
    "uuid",
    "guid",
    "token",
    "key",
    "code",
    "number",
    "numbers",
    "no",
    "reference",
    "ref",
    "hash",
    "sha",
    "pin",
    "otp",
];

pub(crate) fn is_id_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let last = lower.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    // `orderId`: the last hump.
    let hump = name.rfind(|c: char| c.is_ascii_uppercase()).map_or("", |at| &name[at..]).to_ascii_lowercase();
    let camel =
        !hump.is_empty() && name.chars().any(|c| c.is_ascii_lowercase()) && ID_WORDS.contains(&hump.as_str());
    camel || ID_WORDS.contains(&last) || name.ends_with("ID")
}

/// What a number looks like, if it is fresh.
pub(crate) fn number_class(number: &Number, name: &str, known: &Known) -> Option<Class> {
    if known.has_number(number) {
        return None;
    }
    let value = number.as_f64()?;
    let year_2000_to_2100 = 946_684_800.0..4_102_444_800.0;
    if number.as_i64().is_some_and(|n| n.unsigned_abs() >= 1_000) && is_id_name(name) {
        return Some(Class::Digits);
    }
    if year_2000_to_2100.contains(&value) {
        return Some(Class::Time("seconds".into()));
    }
    year_2000_to_2100.contains(&(value / 1_000.0)).then(|| Class::Time("milliseconds".into()))
}

/// Whether a scalar as a whole is one fresh value.
pub(crate) fn is_fresh(scalar: &Json, name: &str, known: &Known) -> bool {
    match scalar {
        Json::String(text) => matches!(*pieces(text, name, known), [Piece::Fresh(..)]),
        Json::Number(number) => number_class(number, name, known).is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fresh(text: &str, name: &str, known: &Known) -> Vec<String> {
        let parts = pieces(text, name, known);
        let joined: String = parts
            .iter()
            .map(|p| match p {
                Piece::Plain(t) | Piece::Fresh(_, t) => *t,
            })
            .collect();
        assert_eq!(joined, text, "the parts are the whole");
        let fresh = parts.into_iter().filter_map(|p| match p {
            Piece::Fresh(class, text) => Some(format!("{class:?} {text}")),
            Piece::Plain(_) => None,
        });
        fresh.collect()
    }

    #[test]
    fn ids_tokens_and_times_are_told_by_shape() {
        let none = Known::default();
        let id = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
        assert_eq!(fresh(id, "", &none), [format!("Uuid {id}")]);
        assert_eq!(
            fresh("at 2024-05-01T10:00:00.25Z.", "", &none),
            ["Time(\"0000-00-00T00:00:00Z\") 2024-05-01T10:00:00.25Z"]
        );
        assert_eq!(fresh("11/14/2025", "", &none), ["Time(\"00/00/0000\") 11/14/2025"]);
        assert_eq!(fresh("Case dsp_6ed1a491c036 is open", "", &none), ["Token dsp_6ed1a491c036"]);
        assert_eq!(fresh("BK-4821", "", &none), ["Token BK-4821"]);
        assert_eq!(fresh("66887985", "output", &none), ["Digits 66887985"]);
        assert_eq!(fresh("Booking ID: 3426812.", "", &none), ["Digits 3426812"]);
        assert_eq!(fresh("order #3426812", "", &none), ["Digits 3426812"]);
    }

    #[test]
    fn facts_and_amounts_are_not_taken_for_ids() {
        let none = Known::default();
        for text in [
            "Total: 1234567 yuan",
            "94016",
            "version 2",
            "v1.2.3",
            "room 12",
            "get_card_last_4_digits",
            "12 items",
        ] {
            assert_eq!(fresh(text, "", &none), [""; 0], "{text}");
        }
        let number = |n: Json, name: &str| match &n {
            Json::Number(n) => number_class(n, name, &none),
            _ => None,
        };
        assert_eq!(number(json!(45451592), "transaction_id"), Some(Class::Digits));
        assert_eq!(number(json!(45451592), "orderId"), Some(Class::Digits));
        assert_eq!(number(json!(45451592), "population"), None);
        assert_eq!(number(json!(7), "id"), None);
        assert_eq!(number(json!(1_714_557_600), "created"), Some(Class::Time("seconds".into())));
    }

    #[test]
    fn what_was_shown_is_not_fresh() {
        let mut known = Known::default();
        known.add(&json!({"orders": {"BK-4821": {"at": "2024-05-01", "note": "see dsp_6ed1a491c036"}}, "n": 3426812}));
        for text in ["BK-4821", "2024-05-01", "Case dsp_6ed1a491c036", "3426812"] {
            assert_eq!(fresh(text, "id", &known), [""; 0], "{text}");
        }
    }
}
