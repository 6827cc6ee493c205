//! Calls written as Python: `book(flight='F1', seats=[1, 2], vip=True)`. Literals only; nothing is evaluated.

use super::invalid;
use gtm_error::{Error, Result, printable};
use serde_json::{Map as JsonMap, Number, Value as Json};

/// Deepest nesting of lists and dictionaries.
const MAX_DEPTH: usize = 32;

/// Name, arguments without a name, arguments with one.
pub(super) fn call(text: &str) -> Result<(String, Vec<Json>, JsonMap<String, Json>)> {
    let mut reader = Reader { text, at: 0 };
    let wrong = |at: usize| {
        invalid(format!("`{}` is not a call with literal arguments (character {at})", printable(text)))
    };
    let parsed = (|| {
        let name = reader.name()?;
        reader.expect('(')?;
        let (mut positional, mut named) = (Vec::new(), JsonMap::new());
        while !reader.take(')') {
            let start = reader.at;
            match reader.name().filter(|_| reader.take('=')) {
                Some(key) => drop(named.insert(key, reader.value(0)?)),
                None => {
                    reader.at = start;
                    positional.push(reader.value(0)?);
                }
            }
            if !reader.take(',') {
                reader.expect(')')?;
                break;
            }
        }
        reader.space();
        (reader.at == text.len()).then_some((name, positional, named))
    })();
    parsed.ok_or_else(|| -> Error { wrong(reader.at) })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, c: char) -> bool {
        self.space();
        let found = self.rest().starts_with(c);
        self.at += if found { c.len_utf8() } else { 0 };
        found
    }

    fn expect(&mut self, c: char) -> Option<()> {
        self.take(c).then_some(())
    }

    /// A name, which may have dots.
    fn name(&mut self) -> Option<String> {
        self.space();
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        starts.then(|| {
            self.at += end;
            name
        })
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.space();
        let first = self.rest().chars().next()?;
        match first {
            '\'' | '"' => self.string(first).map(Json::String),
            '[' => self.items('[', ']', depth).map(Json::Array),
            '(' => self.items('(', ')', depth).map(Json::Array),
            '{' => self.members(depth).map(Json::Object),
            c if c.is_ascii_digit() || "+-.".contains(c) => self.number(),
            _ => match self.name()?.as_str() {
                "True" | "true" => Some(Json::Bool(true)),
                "False" | "false" => Some(Json::Bool(false)),
                "None" | "null" => Some(Json::Null),
                _ => None,
            },
        }
    }

    fn items(&mut self, open: char, close: char, depth: usize) -> Option<Vec<Json>> {
        self.expect(open)?;
        let mut items = Vec::new();
        while !self.take(close) {
            items.push(self.value(depth + 1)?);
            if !self.take(',') {
                self.expect(close)?;
                break;
            }
        }
        Some(items)
    }

    fn members(&mut self, depth: usize) -> Option<JsonMap<String, Json>> {
        self.expect('{')?;
        let mut members = JsonMap::new();
        while !self.take('}') {
            let key = match self.value(depth + 1)? {
                Json::String(key) => key,
                other => other.to_string(),
            };
            self.expect(':')?;
            members.insert(key, self.value(depth + 1)?);
            if !self.take(',') {
                self.expect('}')?;
                break;
            }
        }
        Some(members)
    }

    fn number(&mut self) -> Option<Json> {
        let rest = self.rest();
        let end = rest
            .char_indices()
            .find(|(at, c)| {
                let sign = "+-".contains(*c) && (*at == 0 || rest[..*at].ends_with(['e', 'E']));
                !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '_') || sign)
            })
            .map_or(rest.len(), |(at, _)| at);
        let digits: String = rest[..end].chars().filter(|c| *c != '_').collect();
        let number = match digits.parse::<i64>() {
            Ok(whole) => Number::from(whole),
            Err(_) => Number::from_f64(digits.parse::<f64>().ok()?)?,
        };
        self.at += end;
        Some(Json::Number(number))
    }

    /// A string; adjacent ones are not joined.
    fn string(&mut self, quote: char) -> Option<String> {
        let start = self.at;
        let mut out = String::new();
        let mut chars = self.text[start..].char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => {
                    let (_, escaped) = chars.next()?;
                    match escaped {
                        'n' => out.push('\n'),
                        't' => out.push('\t'),
                        'r' => out.push('\r'),
                        '\\' | '\'' | '"' => out.push(escaped),
                        'u' => {
                            let hex: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                            out.push(char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?);
                        }
                        // As Python does: an unknown escape is what it looks like.
                        other => out.extend(['\\', other]),
                    }
                }
                c if c == quote => {
                    self.at = start + at + quote.len_utf8();
                    return Some(out);
                }
                c => out.push(c),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn literals_of_all_kinds() {
        let text = r#" a.b(x='it\'s', y=[1, -2.5, (True, None)], z={'k': "v", 1: 1e3}, w='ä,)', )"#;
        let (name, positional, named) = call(text).expect("a call");
        assert_eq!((name.as_str(), positional.len()), ("a.b", 0));
        let wanted =
            json!({"x": "it's", "y": [1, -2.5, [true, null]], "z": {"k": "v", "1": 1000.0}, "w": "ä,)"});
        assert_eq!(Json::Object(named), wanted);
        assert_eq!(call("f('a', 2)").expect("a call").1, [json!("a"), json!(2)]);
        assert_eq!(call("f()").expect("a call").0, "f");
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = format!("f(x={})", "[".repeat(1_000));
        for text in
            ["", "f", "f(", "f(x=)", "f(x=g())", "f(x=1) + 1", "f(x='a)", "f(x=1 2)", "f(x=a)", "1()", &deep]
        {
            assert!(call(text).is_err(), "{text}");
        }
    }
}
