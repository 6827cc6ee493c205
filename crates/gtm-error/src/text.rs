//! Making untrusted text safe to print.

use std::borrow::Cow;
use std::fmt::Write;

/// Longest untrusted text shown in a message, in characters. A spec can hold megabytes in one name.
const MAX_SHOWN: usize = 2_000;

/// The text with every control, zero-width and bidirectional character escaped and its length
/// capped, so that a name taken from a spec or an argument can neither drive a terminal, forge a
/// log line nor hide words from the reader.
pub fn printable(text: &str) -> Cow<'_, str> {
    let long = text.len() > MAX_SHOWN && text.chars().nth(MAX_SHOWN).is_some();
    if !long && !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(4 * MAX_SHOWN));
    for c in text.chars().take(MAX_SHOWN) {
        if is_hidden(c) {
            write!(out, "{}", c.escape_default()).expect("writing to a string cannot fail");
        } else {
            out.push(c);
        }
    }
    if long {
        out.push('…');
    }
    Cow::Owned(out)
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn escapes_what_drives_terminals_and_hides_text() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\u{202e}d"), "a\\u{1b}[2Jb\\r\\nc\\u{202e}d");
        assert!(matches!(printable("plain ünïcode"), std::borrow::Cow::Borrowed(_)));
    }

    #[test]
    fn caps_length() {
        assert!(printable(&"x".repeat(1_000_000)).chars().count() <= super::MAX_SHOWN + 1);
    }
}
