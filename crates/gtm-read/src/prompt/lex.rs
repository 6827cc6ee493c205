//! Words of expressions and of completions: one scanner reads both, for they share their literals.

/// One word of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lexeme<'t> {
    /// A run of letters, digits and `_` that starts with no digit.
    Word(&'t str),
    /// A name in backticks.
    Ticked(&'t str),
    /// A number as written.
    Number(&'t str),
    /// A quoted text, its escapes resolved.
    Text(String),
    /// An operator or a bracket.
    Mark(&'static str),
}

const MARKS: [&str; 26] = [
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":", ";", "+", "-", "*",
    "/", "%", "!", "<", ">", "=",
];

/// The lexemes of a text up to its end, or with `hole` up to the `}` that closes what was opened before it, and the
/// byte where reading ended. `None` where something is no lexeme, or is one that completions do not spell.
pub(super) fn lex(text: &str, hole: bool) -> Option<(Vec<Lexeme<'_>>, usize)> {
    let bytes = text.as_bytes();
    let (mut out, mut at, mut open) = (Vec::new(), 0, 0usize);
    while let Some(&byte) = bytes.get(at) {
        let length = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'\'' | b'"' => {
                let (content, length) = quoted(&text[at..])?;
                out.push(Lexeme::Text(content));
                length
            }
            b'`' => {
                let length = text[at + 1..].find('`')? + 2;
                out.push(Lexeme::Ticked(&text[at + 1..at + length - 1]));
                length
            }
            b'0'..=b'9' => {
                let length = number(&bytes[at..]);
                out.push(Lexeme::Number(&text[at..at + length]));
                length
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let run = |b: &u8| !b.is_ascii_alphanumeric() && *b != b'_';
                let length = bytes[at..].iter().position(run).unwrap_or(bytes.len() - at);
                if matches!(bytes.get(at + length), Some(b'\'' | b'"')) {
                    return None; // A raw literal.
                }
                out.push(Lexeme::Word(&text[at..at + length]));
                length
            }
            _ => {
                let mark = MARKS.iter().find(|mark| text[at..].starts_with(**mark))?;
                match *mark {
                    "{" => open += 1,
                    "}" if open == 0 && hole => return Some((out, at + 1)),
                    "}" => open = open.saturating_sub(1),
                    _ => {}
                }
                out.push(Lexeme::Mark(mark));
                mark.len()
            }
        };
        at += length;
    }
    (!hole).then_some((out, at))
}

fn number(bytes: &[u8]) -> usize {
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') && bytes.get(length + 1).is_some_and(u8::is_ascii_digit) {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits((length + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

fn quoted(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next()?;
    if text[1..].starts_with(quote) && text[2..].starts_with(quote) {
        return None; // Three quotes.
    }
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((out, at + 1)),
            '\\' => out.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                c @ ('\\' | '\'' | '"' | '`' | '?' | '/') => c,
                'u' => {
                    let mut code = 0;
                    for _ in 0..4 {
                        code = code * 16 + chars.next()?.1.to_digit(16)?;
                    }
                    char::from_u32(code)?
                }
                _ => return None,
            }),
            _ => out.push(c),
        }
    }
    None
}

/// A text as a literal that [`lex`] and CEL read back.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
