//! Expressions as text: finding the names in them, so that they can be checked and renamed without
//! changing anything else.

/// One name in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'t> {
    /// The name.
    pub text: &'t str,
    /// Byte offset in the expression.
    pub start: usize,
    /// What it is.
    pub role: Role<'t>,
}

/// What a name in an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role<'t> {
    /// A variable: stands alone.
    Variable,
    /// A member; the name directly before the dot, if there is one (`args` in `args.id`).
    Member(Option<&'t str>),
    /// A quoted word that names a member: `{'id': 1}`, `rows.pluck('id')`.
    Key,
    /// A function or macro.
    Function,
}

/// Functions that take names of members as quoted words.
const BY_MEMBER: [&str; 12] = [
    "withMember",
    "set",
    "pluck",
    "groupBy",
    "countBy",
    "sortBy",
    "indexBy",
    "where",
    "find",
    "pick",
    "omit",
    "getPath",
];

/// The names in a CEL expression, from left to right. Words inside quotes are names only where they
/// name members; `true`, `false`, `null` and `in` are none.
pub fn names(expression: &str) -> Vec<Name<'_>> {
    let bytes = expression.as_bytes();
    let mut names: Vec<Name<'_>> = Vec::new();
    let mut open: Vec<Bracket> = Vec::new();
    let mut at = 0;
    // The name that ended where a dot or bracket may follow.
    let mut before: Option<&str> = None;
    let mut dotted = false;
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b'\'' | b'"' => {
                let end = quoted_end(bytes, at);
                let word = expression.get(at + 1..end - 1).unwrap_or("");
                if is_word(word) && names_member(&open, &bytes[end..]) {
                    names.push(Name { text: word, start: at + 1, role: Role::Key });
                }
                at = end;
                (before, dotted) = (None, false);
            }
            b'0'..=b'9' => {
                // A number, its exponent and suffix included; `1.round()` has a dot that is no decimal point.
                while at < bytes.len()
                    && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_' || decimal_point(bytes, at))
                {
                    let sign = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
                    at += 1 + usize::from(matches!(bytes[at], b'e' | b'E') && sign);
                }
                (before, dotted) = (None, false);
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let start = at;
                while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
                    at += 1;
                }
                let text = &expression[start..at];
                let next = bytes[at..].iter().find(|b| !b.is_ascii_whitespace());
                let role = match (dotted, next) {
                    (_, Some(b'(')) => Role::Function,
                    (true, _) => Role::Member(before),
                    (false, _) => Role::Variable,
                };
                if dotted || !matches!(text, "true" | "false" | "null" | "in") {
                    names.push(Name { text, start, role });
                }
                // `a.b.c`: `c` follows `b`, which is itself a member, so no variable stands before it.
                before = (role == Role::Variable).then_some(text);
                dotted = false;
                if role == Role::Function {
                    before = Some(text);
                }
            }
            b'.' => {
                dotted = true;
                at += 1;
            }
            b'(' => {
                open.push(Bracket::Round { by_member: before.is_some_and(|name| BY_MEMBER.contains(&name)) });
                (before, dotted) = (None, false);
                at += 1;
            }
            b'[' | b'{' => {
                open.push(if byte == b'{' { Bracket::Curly } else { Bracket::Square });
                (before, dotted) = (None, false);
                at += 1;
            }
            b')' | b']' | b'}' => {
                open.pop();
                (before, dotted) = (None, false);
                at += 1;
            }
            _ if byte.is_ascii_whitespace() => at += 1,
            _ => {
                (before, dotted) = (None, false);
                at += 1;
            }
        }
    }
    names
}

/// An open bracket around the place that is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Round { by_member: bool },
    Square,
    Curly,
}

/// Whether a quoted word inside these brackets, followed by `rest`, names a member.
fn names_member(open: &[Bracket], rest: &[u8]) -> bool {
    let by_member = |bracket: Option<&Bracket>| matches!(bracket, Some(Bracket::Round { by_member: true }));
    match open.last() {
        Some(Bracket::Curly) => rest.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':'),
        Some(Bracket::Square) => by_member(open.iter().rev().nth(1)),
        round => by_member(round),
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether the byte is a dot inside a number.
fn decimal_point(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
}

/// Where the quoted text that starts at `at` ends.
fn quoted_end(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != quote {
        end += 1 + usize::from(bytes[end] == b'\\');
    }
    (end + 1).min(bytes.len())
}

/// The expression with names replaced where `rename` gives another.
pub fn rename(expression: &str, mut rename: impl FnMut(Name<'_>) -> Option<String>) -> String {
    let mut out = String::with_capacity(expression.len() + 16);
    let mut done = 0;
    for name in names(expression) {
        if let Some(new) = rename(name) {
            out.push_str(&expression[done..name.start]);
            out.push_str(&new);
            done = name.start + name.text.len();
        }
    }
    out.push_str(&expression[done..]);
    out
}

/// The expression with each argument `args.NAME` replaced, as a whole, by what `argument` gives for it.
pub fn replace_arguments(expression: &str, argument: impl FnMut(&str) -> Option<String>) -> String {
    rewrite(expression, argument, |_| None)
}

/// The expression with arguments (`args.NAME`) replaced as a whole and all other names renamed.
pub fn rewrite(
    expression: &str,
    mut argument: impl FnMut(&str) -> Option<String>,
    mut rename: impl FnMut(Name<'_>) -> Option<String>,
) -> String {
    let mut out = String::with_capacity(expression.len() + 16);
    let mut done = 0;
    let mut args_at = 0;
    for name in names(expression) {
        let (start, new) = match name.role {
            Role::Variable if name.text == "args" => {
                args_at = name.start;
                continue;
            }
            Role::Member(Some("args")) => (args_at, argument(name.text)),
            _ => (name.start, rename(name)),
        };
        if let Some(new) = new {
            out.push_str(&expression[done..start]);
            out.push_str(&new);
            done = name.start + name.text.len();
        }
    }
    out.push_str(&expression[done..]);
    out
}

/// A message with its holes (`{expression}`) replaced by what `hole` makes of them.
pub fn rewrite_holes(message: &str, mut hole: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(message.len() + 16);
    let mut rest = message;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        if rest[at + 1..].starts_with(brace) {
            out.push_str(&rest[at..at + 2]);
            rest = &rest[at + 2..];
            continue;
        }
        let end = if brace == "{" { hole_end(&rest[at..]) } else { 1 };
        if brace == "{" && rest[at..].len() > end {
            out.push('{');
            out.push_str(&hole(&rest[at + 1..at + end]));
            out.push('}');
            rest = &rest[at + end + 1..];
        } else {
            out.push_str(&rest[at..]);
            return out;
        }
    }
    out.push_str(rest);
    out
}

/// The expressions in the holes of a message.
pub fn holes(message: &str) -> Vec<String> {
    let mut found = Vec::new();
    rewrite_holes(message, |hole| {
        found.push(hole.to_owned());
        String::new()
    });
    found
}

/// Offset of the brace that closes the hole at the start of `text`; its length if there is none.
fn hole_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while at < bytes.len() {
        match bytes[at] {
            b'\'' | b'"' => {
                at = quoted_end(bytes, at);
                continue;
            }
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Days from 1970-01-01 to a civil date (H. Hinnant, "chrono-compatible low-level date algorithms").
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The choice among `known` that is nearest to `word`, if one is near enough to be meant.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance in characters; texts over 64 characters count as far apart.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_and_their_roles() {
        let found: Vec<(&str, Role<'_>)> =
            names("args.qty * it.unit.price + 1.5e-3 + size(rows.map(r, r.x)) > 'a.b' && x in y[k].z")
                .into_iter()
                .map(|name| (name.text, name.role))
                .collect();
        use Role::*;
        assert_eq!(
            found,
            [
                ("args", Variable),
                ("qty", Member(Some("args"))),
                ("it", Variable),
                ("unit", Member(Some("it"))),
                ("price", Member(None)),
                ("size", Function),
                ("rows", Variable),
                ("map", Function),
                ("r", Variable),
                ("r", Variable),
                ("x", Member(Some("r"))),
                ("x", Variable),
                ("y", Variable),
                ("k", Variable),
                ("z", Member(None)),
            ]
        );
    }

    #[test]
    fn renames_only_names() {
        let renamed = rename("a + a.a + 'a' + f(a)", |name| {
            (name.text == "a" && name.role == Role::Variable).then(|| "args.b".into())
        });
        assert_eq!(renamed, "args.b + args.b.a + 'a' + f(args.b)");
    }

    #[test]
    fn quoted_words_are_names_where_they_name_members() {
        let keys: Vec<&str> =
            names("rows.pluck('a') + {'b': 'c', 'd': x ? 'e' : 'f'} + pick(o, ['g', 'h']) + f('i')")
                .into_iter()
                .filter(|name| name.role == Role::Key)
                .map(|name| name.text)
                .collect();
        // `'e' :` inside an object cannot be told from a key by looking at what follows alone.
        assert_eq!(keys, ["a", "b", "d", "e", "g", "h"]);
    }

    #[test]
    fn replaces_arguments_as_a_whole() {
        let replaced =
            replace_arguments("args.a + it.a + args . b.c", |name| Some(format!("(args.x.{name})")));
        assert_eq!(replaced, "(args.x.a) + it.a + (args.x.b).c");
    }

    #[test]
    fn rewrites_holes() {
        let text = "Only {it.n} of {{x}} and {f('}', {'a': 1})} left";
        assert_eq!(holes(text), ["it.n", "f('}', {'a': 1})"]);
        assert_eq!(rewrite_holes("{a} {b", |hole| hole.to_uppercase()), "{A} {b");
    }

    #[test]
    fn days() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2024, 3, 5), 19_787);
    }
}
