//! Why calls fail, compared across calls: two failures are of one cause if what the simulator says of
//! them differs only in names and values.

use super::memory::Foreseen;
use crate::history::Done;
use gtm_world::{ErrorKind, Str, ToolError, Value};

/// Values of arguments that are looked for in a message.
const MAX_VALUES: usize = 64;

/// Whether two real failures are of one cause, as far as the simulator can tell.
pub(crate) fn same(a: &Done, b: &Done) -> bool {
    match (a.foreseen.as_deref(), b.foreseen.as_deref()) {
        (Some(Foreseen { error: Some(x), .. }), Some(Foreseen { error: Some(y), .. })) => {
            alike((x, &a.args), (y, &b.args))
        }
        // The simulator saw nothing wrong: the texts must tell.
        (Some(Foreseen { error: None, .. }), Some(Foreseen { error: None, .. })) => a.content == b.content,
        _ => false,
    }
}

/// Whether two errors of the simulator, about calls with these arguments, are of one cause.
pub(crate) fn alike(a: (&ToolError, &Value), b: (&ToolError, &Value)) -> bool {
    a.0.kind == b.0.kind && split(a.0, a.1).0 == split(b.0, b.1).0
}

/// Whether the call itself is wrong, rather than the state it meets.
pub(crate) fn of_call(error: &ToolError) -> bool {
    matches!(error.kind, ErrorKind::InvalidArgument | ErrorKind::UnknownTool)
}

/// A message without what it says in quotes, in digits and of the arguments, and those.
pub(crate) fn split(error: &ToolError, args: &Value) -> (String, Vec<String>) {
    let mut values = Vec::new();
    scalars(args, &mut values, 0);
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let (mut frame, mut holes) = (String::new(), Vec::new());
    let mut rest = error.message.as_str();
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        let quoted = matches!(c, '"' | '`' | '\'').then(|| rest[1..].find(c)).flatten();
        let whole = |value: &&Str| {
            rest.starts_with(&***value) && !rest[value.len()..].starts_with(char::is_alphanumeric)
        };
        let given = values.iter().find(whole).filter(|_| !inside).map(|value| value.len());
        let (hole, length) = match (quoted, given) {
            (Some(end), _) if !inside => (&rest[1..=end], end + 2),
            (_, Some(length)) => (&rest[..length], length),
            _ if c.is_ascii_digit() => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '.').unwrap_or(rest.len());
                (&rest[..end], end)
            }
            _ => {
                frame.push(c);
                inside = c.is_alphanumeric();
                rest = &rest[c.len_utf8()..];
                continue;
            }
        };
        holes.push(hole.to_owned());
        frame.push('\u{0}');
        inside = true;
        rest = &rest[length..];
    }
    (frame, holes)
}

/// The arguments that a message may speak of.
fn scalars(args: &Value, out: &mut Vec<Str>, depth: usize) {
    match args {
        Value::Map(map) if depth < 3 => map.values().for_each(|value| scalars(value, out, depth + 1)),
        Value::List(items) if depth < 3 => items.iter().for_each(|value| scalars(value, out, depth + 1)),
        _ if out.len() < MAX_VALUES => out.extend(args.as_key().filter(|key| !key.is_empty())),
        _ => {}
    }
}

/// The one word in which the messages of two errors of a kind differ, names and values aside, in small letters.
pub(crate) fn one_word_apart(a: (&ToolError, &Value), b: (&ToolError, &Value)) -> Option<(String, String)> {
    let words = |error: &ToolError, args: &Value| -> Vec<String> {
        split(error, args).0.split(' ').map(str::to_lowercase).collect()
    };
    let (x, y) = (words(a.0, a.1), words(b.0, b.1));
    if a.0.kind != b.0.kind || x.len() != y.len() || x.len() < 3 {
        return None;
    }
    let mut apart = x.into_iter().zip(y).filter(|(x, y)| x != y);
    let first = apart.next()?;
    let plain = |word: &str| word.chars().all(char::is_alphabetic);
    (plain(&first.0) && plain(&first.1) && apart.all(|other| other == first)).then_some(first)
}
