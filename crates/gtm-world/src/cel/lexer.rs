//! Text into tokens, one at a time: the parser never looks further than the token it stands on, so
//! that an expression inside a message ends exactly at its brace.

use super::MAX_TEXT;
use gtm_error::{Code, Error, Result};

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'t> {
    /// A name or keyword.
    Word(&'t str),
    /// A name in backticks, for members such as `` a.`x-y` ``.
    Quoted(&'t str),
    /// A whole number without sign; `-9223372036854775808` needs one more than `i64` holds.
    Int(u64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
    /// An operator or a bracket.
    Mark(&'static str),
    /// The end.
    End,
}

impl Token<'_> {
    /// The token in words, for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Token::Word(word) | Token::Quoted(word) => format!("`{word}`"),
            Token::Int(_) | Token::Float(_) => "a number".into(),
            Token::Text(_) => "text".into(),
            Token::Mark(mark) => format!("`{mark}`"),
            Token::End => "the end".into(),
        }
    }
}

/// Operators and brackets, longer ones first.
const MARKS: [&str; 26] = [
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":", "+", "-", "*", "/",
    "%", "!", "<", ">", "=", "&",
];

/// Reads tokens from a text.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, at: usize) -> Self {
        Self { text, at }
    }

    /// The next token and the byte where it starts.
    pub(super) fn next(&mut self) -> Result<(Token<'t>, usize)> {
        self.skip_blank();
        let start = self.at;
        let bytes = self.text.as_bytes();
        let Some(&first) = bytes.get(start) else { return Ok((Token::End, start)) };
        let token = match first {
            b'0'..=b'9' => self.number()?,
            b'.' if bytes.get(start + 1).is_some_and(u8::is_ascii_digit) => self.number()?,
            b'\'' | b'"' => self.string(false)?,
            b'`' => self.backticks()?,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word()?,
            _ => self.mark()?,
        };
        Ok((token, start))
    }

    /// White space and `//` comments.
    fn skip_blank(&mut self) {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0c) => self.at += 1,
                Some(b'/') if bytes.get(self.at + 1) == Some(&b'/') => {
                    while bytes.get(self.at).is_some_and(|b| *b != b'\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn mark(&mut self) -> Result<Token<'t>> {
        let rest = &self.text[self.at..];
        match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            Some(&"=") => Err(self.fail(self.at, "`=` does not compare").expected("`==`")),
            Some(&"&") => Err(self.fail(self.at, "`&` is no operator").expected("`&&`")),
            Some(mark) => {
                self.at += mark.len();
                Ok(Token::Mark(mark))
            }
            None => {
                let c = rest.chars().next().unwrap_or(' ');
                Err(self.fail(self.at, format!("unexpected character {c:?}")))
            }
        }
    }

    fn word(&mut self) -> Result<Token<'t>> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let length = rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(rest.len());
        let word = &self.text[start..start + length];
        self.at = start + length;
        if matches!(rest.get(length), Some(b'\'' | b'"')) {
            return match word {
                "r" | "R" => self.string(true),
                "b" | "B" | "br" | "bR" | "Br" | "BR" | "rb" | "rB" | "Rb" | "RB" => {
                    Err(self.fail(start, "bytes are not supported").expected("text, without the `b`"))
                }
                _ => {
                    Err(self.fail(self.at, format!("text follows `{word}` directly")).expected("an operator"))
                }
            };
        }
        Ok(Token::Word(word))
    }

    fn backticks(&mut self) -> Result<Token<'t>> {
        let start = self.at + 1;
        let length = self.text[start..]
            .find('`')
            .ok_or_else(|| self.fail(self.at, "unterminated name").expected("a closing backtick"))?;
        self.at = start + length + 1;
        Ok(Token::Quoted(&self.text[start..start + length]))
    }

    fn number(&mut self) -> Result<Token<'t>> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let token = if bytes[start] == b'0' && matches!(bytes.get(start + 1), Some(b'x' | b'X')) {
            let digits = start + 2;
            self.at = digits;
            while bytes.get(self.at).is_some_and(u8::is_ascii_hexdigit) {
                self.at += 1;
            }
            u64::from_str_radix(&self.text[digits..self.at], 16).ok().map(Token::Int)
        } else {
            let mut whole = true;
            while digit(self.at) {
                self.at += 1;
            }
            if bytes.get(self.at) == Some(&b'.') && digit(self.at + 1) {
                whole = false;
                self.at += 1;
                while digit(self.at) {
                    self.at += 1;
                }
            }
            if matches!(bytes.get(self.at), Some(b'e' | b'E')) {
                let sign = usize::from(matches!(bytes.get(self.at + 1), Some(b'+' | b'-')));
                if digit(self.at + 1 + sign) {
                    whole = false;
                    self.at += 1 + sign;
                    while digit(self.at) {
                        self.at += 1;
                    }
                }
            }
            let literal = &self.text[start..self.at];
            if whole {
                literal.parse().ok().map(Token::Int)
            } else {
                literal.parse::<f64>().ok().filter(|x| x.is_finite()).map(Token::Float)
            }
        };
        // `u` marks CEL's unsigned integers; here every integer is an `i64`.
        if matches!(token, Some(Token::Int(_))) && matches!(bytes.get(self.at), Some(b'u' | b'U')) {
            self.at += 1;
        }
        if bytes.get(self.at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            return Err(self.fail(self.at, "a number runs into a name").expected("an operator"));
        }
        token.ok_or_else(|| {
            self.fail(start, "number out of range").expected("an integer of 64 bits or a finite number")
        })
    }

    /// A string literal whose quote stands at `self.at`.
    fn string(&mut self, raw: bool) -> Result<Token<'t>> {
        let start = self.at;
        let quote = &self.text[start..start + 1];
        let triple = self.text[start..].starts_with(&quote.repeat(3));
        let close = if triple { quote.repeat(3) } else { quote.to_owned() };
        self.at += close.len();
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            if rest.starts_with(&close) {
                self.at += close.len();
                return Ok(Token::Text(out));
            }
            match rest.chars().next() {
                None => {
                    return Err(self.fail(start, "unterminated text").expected(format!("a closing {close}")));
                }
                Some('\n') if !triple => {
                    return Err(self.fail(start, "text ends at the line").expected(format!(
                        "a closing {close}, or three quotes around text of several lines"
                    )));
                }
                Some('\\') if !raw => out.push(self.escape()?),
                Some(c) => {
                    out.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    /// An escape sequence whose backslash stands at `self.at`.
    fn escape(&mut self) -> Result<char> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let (code, length) = match rest.chars().next() {
            Some('a') => (Some('\u{7}'), 1),
            Some('b') => (Some('\u{8}'), 1),
            Some('f') => (Some('\u{c}'), 1),
            Some('n') => (Some('\n'), 1),
            Some('r') => (Some('\r'), 1),
            Some('t') => (Some('\t'), 1),
            Some('v') => (Some('\u{b}'), 1),
            Some(c @ ('\\' | '?' | '"' | '\'' | '`')) => (Some(c), 1),
            Some('x' | 'X') => (coded(rest, 1, 2, 16), 3),
            Some('u') => (coded(rest, 1, 4, 16), 5),
            Some('U') => (coded(rest, 1, 8, 16), 9),
            Some('0'..='3') => (coded(rest, 0, 3, 8), 3),
            _ => (None, 0),
        };
        let c = code.ok_or_else(|| {
            self.fail(start, "unknown escape in text")
                .expected("such as \\n, \\t, \\\\, \\', \\u00e9, or an r before the quote")
        })?;
        self.at = start + 1 + length;
        Ok(c)
    }

    /// An error at a byte of the text.
    pub(super) fn fail(&self, at: usize, message: impl Into<String>) -> Error {
        failure(self.text, at, message)
    }
}

/// The character whose code is written with `digits` digits at `from`.
fn coded(text: &str, from: usize, digits: usize, radix: u32) -> Option<char> {
    let code = text.get(from..from + digits).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()))?;
    char::from_u32(u32::from_str_radix(code, radix).ok()?)
}

/// An error at a byte of `text`, with line and column as a reader counts them.
pub(super) fn failure(text: &str, at: usize, message: impl Into<String>) -> Error {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let error = Error::new(Code::ExpressionInvalid, message);
    let many = text.len() <= MAX_TEXT && text.trim_end().contains('\n');
    error.at(if many { format!("line {line}, column {column}") } else { format!("column {column}") })
}
