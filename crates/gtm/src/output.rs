//! What reaches the user: standard output, errors, colours, exit codes.
//!
//! Rules: standard output holds only what can be piped on; everything else goes to standard error.
//! Colours only on a terminal, and never with `NO_COLOR`. Untrusted text never drives a terminal:
//! JSON leaves with hidden characters escaped, other text through [`gtm_error::printable`].

use gtm_error::{Code, Error};
use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter};
use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::process::ExitCode;

/// How a command ended that did what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// All well.
    Done,
    /// Done, with findings: some input could not be read.
    Findings,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        match status {
            Status::Done => ExitCode::SUCCESS,
            Status::Findings => ExitCode::from(1),
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
pub(crate) fn report(failure: &Failure, json: bool) -> ExitCode {
    let Failure::Error(error) = failure else { return ExitCode::SUCCESS };
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
    ExitCode::from(exit_code(error.code()))
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
pub(crate) fn safe_json(value: &impl Serialize) -> String {
    to_text(value, Safe(CompactFormatter))
}

/// The value over several lines, with hidden characters escaped.
pub(crate) fn pretty_json(value: &impl Serialize, paint: Paint) -> String {
    let text = to_text(value, Safe(PrettyFormatter::new()));
    if paint.on { colour(&text, paint) } else { text }
}

fn to_text(value: &impl Serialize, formatter: impl Formatter) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    // JSON values, and the structs given here, have text keys only, so this does not fail.
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("\"cannot be shown as JSON: {error}\""),
    }
}

/// Colours the lines of pretty-printed JSON: members' names, and the scalar at the line's end.
fn colour(text: &str, paint: Paint) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for line in text.lines() {
        let start = line.len() - line.trim_start().len();
        let (indent, rest) = line.split_at(start);
        let (name, value) = match rest.starts_with('"').then(|| end_of_text(rest)).flatten() {
            Some(end) if rest[end..].starts_with(": ") => rest.split_at(end),
            _ => ("", rest),
        };
        out.push_str(indent);
        if !name.is_empty() {
            out.push_str(&paint.name(name));
        }
        let (sign, value) = value.strip_prefix(": ").map_or(("", value), |v| (": ", v));
        let (scalar, comma) = value.strip_suffix(',').map_or((value, ""), |v| (v, ","));
        out.push_str(sign);
        match scalar.chars().next() {
            Some('"') => out.push_str(&paint.text(scalar)),
            Some(c) if c.is_alphanumeric() || c == '-' => out.push_str(&paint.number(scalar)),
            _ => out.push_str(scalar),
        }
        out.push_str(comma);
        out.push('\n');
    }
    out.pop();
    out
}

/// Where the JSON text literal at the start ends.
fn end_of_text(line: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in line.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A JSON formatter that escapes whatever [`gtm_error::printable`] would.
struct Safe<F>(F);

impl<F: Formatter> Formatter for Safe<F> {
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

    fn write_char_escape<W: ?Sized + Write>(&mut self, w: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(w, escape)
    }
    fn begin_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_array(w)
    }
    fn end_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_array(w)
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(w, first)
    }
    fn end_array_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_array_value(w)
    }
    fn begin_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_object(w)
    }
    fn end_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_object(w)
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(w, first)
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_object_value(w)
    }
    fn end_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_object_value(w)
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

    fn text(self, text: &str) -> String {
        self.with("32", text)
    }

    fn number(self, text: &str) -> String {
        self.with("33", text)
    }
}

/// <https://no-color.org>, and terminals that cannot.
fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::env::var_os("TERM").is_none_or(|v| v != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

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
    fn exit_codes_tell_the_users_mistakes_from_the_worlds() {
        assert_eq!(exit_code(Code::Usage), 2);
        assert_eq!(exit_code(Code::ToolsetInvalid), 2);
        assert_eq!(exit_code(Code::SpecSyntax), 2);
        assert_eq!(exit_code(Code::FileUnreadable), 3);
        assert_eq!(exit_code(Code::BindRefused), 3);
    }
}
