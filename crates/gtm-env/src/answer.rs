//! Checking the agent's answer.

use crate::goal::Answer;
use gtm_error::{Code, Error, Result, printable};

/// Longest answer looked at, in bytes; the rest does not count.
const MAX_ANSWER: usize = 64 << 10;
/// Longest answer shown in a score, in characters.
const SHOWN: usize = 200;

/// What an answer is compared with.
#[derive(Clone, Debug)]
pub(crate) enum AnswerCheck {
    OneOf(Vec<String>),
    Contains(Vec<String>),
    Set(Vec<String>),
    Number { value: f64, tolerance: f64 },
}

impl AnswerCheck {
    /// # Errors
    /// [`Code::EnvironmentInvalid`] unless exactly one comparison is given.
    pub(crate) fn new(answer: &Answer) -> Result<AnswerCheck> {
        let Answer { equals, one_of, contains, set, number, tolerance } = answer.clone();
        let given =
            [equals.is_some(), !one_of.is_empty(), !contains.is_empty(), !set.is_empty(), number.is_some()];
        if given.iter().filter(|given| **given).count() != 1 {
            return Err(Error::new(
                Code::EnvironmentInvalid,
                "the answer is compared with nothing, or with several",
            )
            .at("/answer")
            .expected("one of `equals`, `one_of`, `contains`, `set`, `number`"));
        }
        if tolerance.is_some() && number.is_none() {
            return Err(Error::new(Code::EnvironmentInvalid, "`tolerance` is for numbers")
                .at("/answer/tolerance")
                .expected("`number` beside it"));
        }
        Ok(match (equals, number) {
            (Some(text), _) => AnswerCheck::OneOf(vec![text]),
            (_, Some(value)) => {
                // What cannot be told apart in writing is the same number.
                let rounding = value.abs().max(1.0) * 1e-9;
                AnswerCheck::Number { value, tolerance: tolerance.unwrap_or(0.0).max(0.0) + rounding }
            }
            _ if !one_of.is_empty() => AnswerCheck::OneOf(one_of),
            _ if !contains.is_empty() => AnswerCheck::Contains(contains),
            _ => AnswerCheck::Set(set),
        })
    }

    /// What it is about, for its name.
    pub(crate) fn about(&self) -> String {
        match self {
            AnswerCheck::OneOf(texts) => format!("answer is {}", texts.join(" or ")),
            AnswerCheck::Contains(texts) => format!("answer tells {}", texts.join(", ")),
            AnswerCheck::Set(items) => format!("answer lists {}", items.join(", ")),
            AnswerCheck::Number { value, .. } => format!("answer is {value}"),
        }
    }

    /// An answer that is right.
    pub(crate) fn right(&self) -> String {
        match self {
            AnswerCheck::OneOf(texts) => texts.first().cloned().unwrap_or_default(),
            AnswerCheck::Contains(items) | AnswerCheck::Set(items) => items.join("; "),
            AnswerCheck::Number { value, .. } => value.to_string(),
        }
    }

    /// Whether the answer is right, and what was found.
    pub(crate) fn check(&self, answer: Option<&str>) -> (bool, String) {
        let Some(answer) = answer else { return (false, "no answer was given".into()) };
        let answer = head(answer);
        let shown = shown(answer);
        match self {
            AnswerCheck::OneOf(texts) => {
                let plain = plain(answer);
                (texts.iter().any(|text| self::plain(text) == plain), format!("the answer is {shown}"))
            }
            AnswerCheck::Contains(texts) => {
                let within = grouped(&plain(answer));
                let missing: Vec<&str> = texts
                    .iter()
                    .map(String::as_str)
                    .filter(|text| !tells(&within, &grouped(&plain(text))))
                    .collect();
                match missing.is_empty() {
                    true => (true, "the answer tells all".into()),
                    false => (false, format!("the answer does not tell {}: {shown}", missing.join(", "))),
                }
            }
            AnswerCheck::Set(items) => {
                let given = sorted(listed(answer));
                let wanted = sorted(items.clone());
                let lacks: Vec<&str> =
                    wanted.iter().filter(|i| !given.contains(i)).map(String::as_str).collect();
                let odd: Vec<&str> =
                    given.iter().filter(|i| !wanted.contains(i)).map(String::as_str).collect();
                (given == wanted, format!("missing: [{}], too much: [{}]", lacks.join(", "), odd.join(", ")))
            }
            AnswerCheck::Number { value, tolerance } => match last_number(answer) {
                Some(found) => {
                    ((found - value).abs() <= *tolerance, format!("the answer's number is {found}"))
                }
                None => (false, format!("the answer has no number: {shown}")),
            },
        }
    }
}

fn head(text: &str) -> &str {
    let mut end = text.len().min(MAX_ANSWER);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN).collect();
    format!("\"{}\"{}", printable(&short), if short.len() < text.len() { "…" } else { "" })
}

/// Without case and with single spaces.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Without commas between digits, as in `1,234`.
fn grouped(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let digit = |at: Option<&char>| at.is_some_and(char::is_ascii_digit);
    let kept = chars
        .iter()
        .enumerate()
        .filter(|(at, c)| !(**c == ',' && *at > 0 && digit(chars.get(at - 1)) && digit(chars.get(at + 1))));
    kept.map(|(_, c)| *c).collect()
}

/// Whether a text occurs in another with no letter or digit right before and after.
fn tells(text: &str, part: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(part).any(|(at, found)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + found.len()..].chars().next());
        // `12` is not told by `12.5`, but is by `12.`
        let mut rest = text[at + found.len()..].chars();
        let decimals = rest.next() == Some('.') && rest.next().is_some_and(|c| c.is_ascii_digit());
        let number = found.ends_with(|c: char| c.is_ascii_digit());
        !(word(before) && found.starts_with(char::is_alphanumeric))
            && !(word(after) && found.ends_with(char::is_alphanumeric))
            && !(number && decimals)
    })
}

/// The items of a list, written as JSON or set apart by commas, semicolons or lines.
fn listed(text: &str) -> Vec<String> {
    if let Ok(items) = serde_json::from_str::<Vec<serde_json::Value>>(text.trim()) {
        return items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect();
    }
    let bullets = |item: &str| item.trim().trim_start_matches(['-', '*', '•']).trim().to_owned();
    text.split([',', ';', '\n']).map(bullets).filter(|item| !item.is_empty()).collect()
}

fn sorted(items: Vec<String>) -> Vec<String> {
    let mut items: Vec<String> = items.iter().map(|item| plain(item)).collect();
    items.sort();
    items.dedup();
    items
}

/// The last number written in a text: `It costs $1,299.50.` gives 1299.5.
fn last_number(text: &str) -> Option<f64> {
    let text = grouped(text);
    let chars: Vec<char> = text.chars().collect();
    let mut found = None;
    let mut at = 0;
    while at < chars.len() {
        if !chars[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        let digits = |mut at: usize| {
            while chars.get(at).is_some_and(char::is_ascii_digit) {
                at += 1;
            }
            at
        };
        at = digits(at);
        if chars.get(at) == Some(&'.') && chars.get(at + 1).is_some_and(char::is_ascii_digit) {
            at = digits(at + 1);
        }
        if matches!(chars.get(at), Some('e' | 'E')) {
            let sign = usize::from(matches!(chars.get(at + 1), Some('+' | '-')));
            if chars.get(at + 1 + sign).is_some_and(char::is_ascii_digit) {
                at = digits(at + 1 + sign);
            }
        }
        let number: String = chars[start..at].iter().collect();
        // A minus belongs to the number unless it joins it to something before, as in `A-1`.
        let minus = start > 0
            && matches!(chars[start - 1], '-' | '\u{2212}')
            && (start < 2 || !chars[start - 2].is_alphanumeric());
        found = number.parse::<f64>().ok().map(|n| if minus { -n } else { n });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(answer: Answer, given: &str) -> bool {
        AnswerCheck::new(&answer).expect("a comparison").check(Some(given)).0
    }

    #[test]
    fn texts() {
        let yes = || Answer { equals: Some("Paris ".into()), ..Answer::default() };
        assert!(holds(yes(), "  paris"));
        assert!(!holds(yes(), "in Paris"));
        let either = Answer { one_of: vec!["yes".into(), "Yes, sir".into()], ..Answer::default() };
        assert!(holds(either.clone(), "YES") && !holds(either, "no"));
    }

    #[test]
    fn parts_are_words_of_their_own() {
        let tells = |parts: &[&str], given: &str| {
            let contains = parts.iter().map(|part| part.to_string()).collect();
            holds(Answer { contains, ..Answer::default() }, given)
        };
        assert!(tells(&["1000", "blue"], "The Blue one costs $1,000."));
        assert!(!tells(&["10"], "It costs 100"));
        assert!(!tells(&["54"], "It costs 54.04"));
        assert!(tells(&["54"], "It costs 54."));
        assert!(tells(&["54.04"], "It costs $54.04 in all"));
    }

    #[test]
    fn sets_have_no_order() {
        let set = || Answer { set: vec!["a b".into(), "c".into()], ..Answer::default() };
        assert!(holds(set(), "C, a  b"));
        assert!(holds(set(), "[\"c\", \"a b\"]"));
        assert!(holds(set(), "- a b\n- c\n"));
        assert!(!holds(set(), "a b") && !holds(set(), "a b, c, d"));
    }

    #[test]
    fn numbers_are_found_in_text() {
        let number = |value, tolerance, given: &str| {
            holds(Answer { number: Some(value), tolerance, ..Answer::default() }, given)
        };
        assert!(number(1299.5, None, "With 2 of them it costs $1,299.50."));
        assert!(number(-3.0, None, "-3"));
        assert!(number(1.0, None, "see item A-1"));
        assert!(number(3.1, Some(0.05), "about 3.14"));
        assert!(!number(3.1, Some(0.01), "about 3.14"));
        assert!(number(0.1 + 0.2, None, "0.3"));
        assert!(!number(3.0, None, "three"));
        assert!(number(1.5e10, None, "1.5e10"));
    }

    #[test]
    fn one_comparison_exactly() {
        assert!(AnswerCheck::new(&Answer::default()).is_err());
        let two = Answer { equals: Some("a".into()), number: Some(1.0), ..Answer::default() };
        assert!(AnswerCheck::new(&two).is_err());
        let one = Answer { equals: Some("a".into()), ..Answer::default() };
        assert!(!AnswerCheck::new(&one).expect("one").check(None).0);
    }
}
