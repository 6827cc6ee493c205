//! Expressions as text, safely quoted.

/// A text literal.
pub(super) fn text(value: &str) -> String {
    // JSON's escapes are a subset of CEL's.
    serde_json::Value::from(value).to_string()
}

/// Whether a name may follow a dot.
fn is_identifier(name: &str) -> bool {
    const RESERVED: &[&str] = &[
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    !RESERVED.contains(&name)
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `base.name`, or `base["name"]`.
pub(super) fn select(base: &str, name: &str) -> String {
    if is_identifier(name) { format!("{base}.{name}") } else { format!("{base}[{}]", text(name)) }
}

/// `base` and all of `path` below it.
pub(super) fn below(base: &str, path: &[String]) -> String {
    path.iter().fold(base.to_owned(), |base, name| select(&base, name))
}

/// A path from the top of the state.
pub(super) fn state(path: &[String]) -> String {
    // Members of the state are names themselves; only odd ones need the long form.
    if let Some((first, rest)) = path.split_first()
        && is_identifier(first)
    {
        return below(first, rest);
    }
    below("state", path)
}

/// A record of a collection that is not inside another one.
pub(super) fn below_state(ctx: &super::context::Context<'_>, index: usize, id: &str) -> String {
    let c = ctx.collection(index);
    let rows = ctx.expr(index);
    match (c.kind, &c.id) {
        (super::state_shape::Kind::List, Some(member)) => {
            format!("{rows}.filter(r, string({}) == string({id}))[0]", select("r", member))
        }
        _ => format!("{rows}[{id}]"),
    }
}

/// Text for a message: braces are doubled.
pub(super) fn message(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// A list of text literals.
pub(super) fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let values: Vec<String> = values.into_iter().map(text).collect();
    format!("[{}]", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_quoted() {
        assert_eq!(select("args", "to"), "args.to");
        assert_eq!(select("args", "in"), "args[\"in\"]");
        assert_eq!(state(&["a b".into(), "c".into()]), "state[\"a b\"].c");
        assert_eq!(state(&["shop".into(), "x-y".into()]), "shop[\"x-y\"]");
        assert_eq!(text("it's \"x\""), r#""it's \"x\"""#);
    }
}
