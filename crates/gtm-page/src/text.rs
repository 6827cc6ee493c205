//! Text for a page: escaped, and figures as people read them.

use gtm_error::printable;

/// Untrusted text as HTML. Characters that could hide or turn text around are shown as escapes;
/// line breaks stay.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        for c in printable(line).chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                c => out.push(c),
            }
        }
    }
    out
}

/// A share with three places, or a dash.
pub fn figure(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.3}"))
}

/// A whole number with thousands apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_numbers_are_grouped() {
        assert_eq!(escaped("<a b=\"c\">&\n\u{202e}x"), "&lt;a b=&quot;c&quot;&gt;&amp;\n\\u{202e}x");
        assert_eq!(count(24_623), "24,623");
        assert_eq!(count(123), "123");
        assert_eq!(figure(None), "–");
    }
}
