//! What reaches the user: standard output, errors, colours, exit codes.
//!
//! Rules: standard output holds only what can be piped on; everything else goes to standard error.
//! Colours only on a terminal, and never with `NO_COLOR`. Untrusted text never drives a terminal:
//! JSON leaves with hidden characters escaped, other text through [`gtm_error::printable`].

use gtm_error::{Code, Error};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;
use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

/// How a command ended that did what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// All well.
    Done,
    /// Done, with findings: some input could not be read.
    Findings,
}

impl Status {
    /// What the process ends with.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Status::Done => 0,
            Status::Findings => 1,
        }
    }
}

/// Why a command could not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error to be shown.
    Error(Error),
    /// Whoever read standard output has seen enough; nothing is wrong.
    PipeClosed,
}

/// Result of a command.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

impl From<io::Error> for Failure {
    /// Only writing to standard output gives a bare I/O error here; whatever reads a file names it.
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::PipeClosed,
            _ => Failure::Error(Error::new(Code::StorageFailed, format!("cannot write the output: {error}"))),
        }
    }
}

/// Shows what went wrong, as text or (for programs) as one line of JSON, and gives the exit code.
pub(crate) fn report(failure: &Failure, json: bool) -> u8 {
    let Failure::Error(error) = failure else { return 0 };
    let text = match json {
        true => safe_json(&error.problem()),
        false => {
            let paint = Paint::stderr();
            let shown = error.to_string();
            let (head, rest) = shown.split_once('\n').unwrap_or((&shown, ""));
            let (code, message) = head.split_once("] ").unwrap_or((head, ""));
            let mut text = format!("{}: {message}", paint.error(&format!("error{code}]")));
            for line in rest.lines() {
                let (label, value) = line.split_once(": ").unwrap_or((line, ""));
                text.push_str(&format!("\n{}: {value}", paint.strong(label)));
            }
            text
        }
    };
    // Nothing can be done if standard error is closed, too.
    let _ = writeln!(io::stderr(), "{text}");
    exit_code(error.code())
}

/// 2 for what the user can mend in the command or its input, 3 for the world around.
fn exit_code(code: Code) -> u8 {
    match code {
        Code::FileUnreadable
        | Code::SourceUnreachable
        | Code::BindRefused
        | Code::StorageFailed
        | Code::StorageCorrupt
        | Code::Internal
        | Code::ShuttingDown => 3,
        _ => 2,
    }
}

/// A note on standard error, for people.
pub(crate) fn note(text: &str) {
    let paint = Paint::stderr();
    let _ = writeln!(io::stderr(), "{}", paint.dim(text));
}

/// A mistake in the command line.
pub(crate) fn usage(message: impl Into<String>) -> Error {
    Error::new(Code::Usage, message)
}

/// Buffered standard output.
pub(crate) struct Out {
    stream: BufWriter<Stdout>,
    /// Colours for this stream.
    pub(crate) paint: Paint,
}

impl Out {
    pub(crate) fn new() -> Out {
        Out { stream: BufWriter::with_capacity(1 << 16, io::stdout()), paint: Paint::stdout() }
    }

    /// A line that is our own, or was made [`gtm_error::printable`].
    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> Result<()> {
        self.stream.write_all(text.as_ref().as_bytes())?;
        Ok(self.stream.write_all(b"\n")?)
    }

    /// A value on one line.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let line = safe_json(value);
        self.line(line)
    }

    /// A value over several lines, coloured on a terminal.
    pub(crate) fn pretty(&mut self, value: &impl Serialize) -> Result<()> {
        let text = pretty_json(value, self.paint);
        self.line(text)
    }

    /// Writes through what is buffered.
    pub(crate) fn flush(&mut self) -> Result<()> {
        Ok(self.stream.flush()?)
    }
}

/// The value on one line, with hidden characters escaped as JSON allows: nothing is lost.
pub(crate) fn safe_json(value: &(impl Serialize + ?Sized)) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Safe);
    // JSON values, and the structs given here, have text keys only, so this does not fail.
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("\"cannot be shown as JSON: {error}\""),
    }
}

/// The value over several lines, with hidden characters escaped. What fits on a line stays on it.
pub(crate) fn pretty_json(value: &impl Serialize, paint: Paint) -> String {
    let mut out = String::new();
    let value = serde_json::to_value(value).unwrap_or_default();
    lines(&value, 0, 0, paint, &mut out);
    out
}

/// Longest line that a list or object is put on, in characters.
const WIDTH: usize = 96;

fn lines(value: &Value, indent: usize, column: usize, paint: Paint, out: &mut String) {
    let short = size(value, WIDTH) + column <= WIDTH;
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    let nested: Vec<(Option<&String>, &Value)> = match value {
        Value::Array(items) if !items.is_empty() => items.iter().map(|item| (None, item)).collect(),
        Value::Object(map) if !map.is_empty() => {
            map.iter().map(|(name, value)| (Some(name), value)).collect()
        }
        scalar => return out.push_str(&paint.scalar(scalar)),
    };
    let (inner, last) = (" ".repeat(indent + 2), nested.len() - 1);
    out.push(open);
    for (at, (name, value)) in nested.into_iter().enumerate() {
        match short {
            true if at > 0 => out.push(' '),
            true => {}
            false => {
                out.push('\n');
                out.push_str(&inner);
            }
        }
        let name = name.map(safe_json);
        if let Some(name) = &name {
            out.push_str(&paint.name(name));
            out.push_str(": ");
        }
        let start = indent + 2 + name.map_or(0, |name| name.chars().count() + 2);
        // On one line it was measured already: nothing in it may break.
        lines(value, indent + 2, if short { 0 } else { start }, paint, out);
        if at < last {
            out.push(',');
        }
    }
    if !short {
        out.push('\n');
        out.push_str(&" ".repeat(indent));
    }
    out.push(close);
}

/// Characters of the value on one line, or more than `max`.
fn size(value: &Value, max: usize) -> usize {
    let mut total = 0;
    let mut add = |n: usize| {
        total += n;
        total <= max
    };
    match value {
        Value::Array(items) => {
            items.iter().all(|item| add(2 + size(item, max)));
        }
        Value::Object(map) => {
            map.iter().all(|(name, value)| add(6 + name.chars().count() + size(value, max)));
        }
        Value::String(text) if text.len() > 4 * max => total = max + 1,
        scalar => total = safe_json(scalar).chars().count(),
    }
    total
}

/// A JSON formatter that escapes whatever [`gtm_error::printable`] would.
struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, w: &mut W, fragment: &str) -> io::Result<()> {
        if let Cow::Borrowed(_) = gtm_error::printable(fragment) {
            return w.write_all(fragment.as_bytes());
        }
        let mut buffer = [0; 4];
        for c in fragment.chars() {
            let one: &str = c.encode_utf8(&mut buffer);
            match gtm_error::printable(one) {
                Cow::Borrowed(_) => w.write_all(one.as_bytes())?,
                // Every hidden character lies in the Basic Multilingual Plane: one escape is enough.
                Cow::Owned(_) => write!(w, "\\u{:04x}", u32::from(c))?,
            }
        }
        Ok(())
    }
}

/// Colours for one stream, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    pub(crate) fn stdout() -> Paint {
        Paint { on: io::stdout().is_terminal() && wanted() }
    }

    pub(crate) fn stderr() -> Paint {
        Paint { on: io::stderr().is_terminal() && wanted() }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn error(self, text: &str) -> String {
        self.with("1;31", text)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    pub(crate) fn name(self, text: &str) -> String {
        self.with("36", text)
    }

    /// A JSON scalar, or an empty list or object.
    fn scalar(self, value: &Value) -> String {
        let text = safe_json(value);
        match value {
            Value::String(_) => self.with("32", &text),
            Value::Null | Value::Bool(_) | Value::Number(_) => self.with("33", &text),
            Value::Array(_) | Value::Object(_) => text,
        }
    }
}

/// <https://no-color.org>, and terminals that cannot.
fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
        && std::env::var_os("TERM").is_none_or(|v| v != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_for_the_terminal_hides_nothing_and_loses_nothing() {
        let value = json!({"a\u{1b}[2J": "x\u{202e}y\r\n\u{9b}z", "long": "ü\u{200b}".repeat(3_000)});
        for text in [safe_json(&value), pretty_json(&value, Paint { on: false })] {
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\r', '\u{9b}', '\u{200b}']));
            assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(value.clone()));
        }
    }

    #[test]
    fn colours_change_nothing_but_colour() {
        let value = json!({"a \"b\": c": [1, -2.5, "x: \"y\"", null, true, {}], "d": {"e": []}});
        let plain = pretty_json(&value, Paint { on: false });
        let coloured = pretty_json(&value, Paint { on: true });
        let mut stripped = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            stripped.push_str(before);
            rest = after.split_once('m').map_or("", |(_, after)| after);
        }
        stripped.push_str(rest);
        assert_eq!(stripped, plain);
        assert_ne!(coloured, plain);
    }

    #[test]
    fn what_fits_on_a_line_stays_on_it() {
        let long = "x".repeat(90);
        let value = json!({"a": 1, "b": [1, 2, {"c": []}], "d": {"e": long}});
        let text = pretty_json(&value, Paint { on: false });
        assert_eq!(
            text,
            format!(
                "{{\n  \"a\": 1,\n  \"b\": [1, 2, {{\"c\": []}}],\n  \"d\": {{\n    \"e\": \"{long}\"\n  }}\n}}"
            )
        );
        assert!(text.lines().all(|line| line.chars().count() < 110));
        assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(value));
        assert_eq!(pretty_json(&json!({"a": [1, "b"]}), Paint { on: false }), "{\"a\": [1, \"b\"]}");
    }

    #[test]
    fn exit_codes_tell_the_users_mistakes_from_the_worlds() {
        assert_eq!(exit_code(Code::Usage), 2);
        assert_eq!(exit_code(Code::ToolsetInvalid), 2);
        assert_eq!(exit_code(Code::SpecSyntax), 2);
        assert_eq!(exit_code(Code::FileUnreadable), 3);
        assert_eq!(exit_code(Code::BindRefused), 3);
    }
}
