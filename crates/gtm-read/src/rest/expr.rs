//! Writing CEL.

/// A text literal.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// Whether the text may stand as a name in an expression.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !matches!(text, "true" | "false" | "null" | "in")
}

/// A member of an object.
pub(crate) fn member(object: &str, name: &str) -> String {
    if is_name(name) { format!("{object}.{name}") } else { format!("{object}[{}]", quoted(name)) }
}

/// An argument of the call.
pub(crate) fn arg(name: &str) -> String {
    member("args", name)
}

/// A list of text literals.
pub(crate) fn list(names: &[&str]) -> String {
    let items: Vec<String> = names.iter().map(|n| quoted(n)).collect();
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_quoted() {
        assert_eq!(arg("user_id"), "args.user_id");
        assert_eq!(arg("account-id"), "args['account-id']");
        assert_eq!(arg("$top"), "args['$top']");
        assert_eq!(arg("in"), "args['in']");
        assert_eq!(quoted("it's \\ \u{7}"), "'it\\'s \\\\ '");
        assert_eq!(list(&["a", "b"]), "['a', 'b']");
    }
}
