//! Texts that are codes rather than words, and values that a description spells out.

use super::noise::Noise;

pub(super) const HEX: &[u8] = b"0123456789abcdef";
pub(super) const DIGIT: &[u8] = b"0123456789";
pub(super) const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";

/// A value that the description names: one of a quoted list, or an example.
pub(super) fn hinted(description: &str, mut noise: Noise) -> Option<String> {
    let lower = description.to_ascii_lowercase();
    let mark = [
        "one of",
        "possible values",
        "allowed values",
        "valid values",
        "e.g.",
        "for example",
        "such as",
        "can be",
        "either",
        "example:",
        "i.e.",
    ]
    .iter()
    .filter_map(|m| lower.find(m).map(|at| at + m.len()))
    .min()?;
    let tail = description.get(mark..)?;
    let tail: String = tail.chars().take(200).collect();
    let quoted: Vec<&str> = ['`', '"', '\'']
        .iter()
        .map(|q| tail.split(*q).skip(1).step_by(2).filter(|v| is_value(v)).collect::<Vec<_>>())
        .find(|found| !found.is_empty())
        .unwrap_or_default();
    if !quoted.is_empty() {
        return noise.pick(&quoted).map(|v| (*v).to_owned());
    }
    let clause =
        tail.trim_start_matches([':', ' ', '(', '[', '{']).split(['.', ')', ';', '\n', ']', '}']).next()?;
    let listed: Vec<&str> = clause
        .split([',', '|'])
        .flat_map(|part| part.split(" or "))
        .map(|v| v.trim().trim_start_matches("or ").trim_start_matches("and ").trim_matches(['"', '\'', '`']))
        .filter(|v| is_value(v) && v.split(' ').count() <= 3)
        .collect();
    noise.pick(&listed).map(|v| (*v).to_owned())
}

fn is_value(text: &str) -> bool {
    (1..=40).contains(&text.len()) && !text.contains(['<', '>', '\n', '{', '}', '='])
}

/// Whether the description mentions one of the words, ignoring case.
pub(super) fn mentions(description: &str, words: &[&str]) -> bool {
    let bytes = description.as_bytes();
    words.iter().any(|word| bytes.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word.as_bytes())))
}

/// A version 4 UUID.
pub(super) fn uuid(mut noise: Noise) -> String {
    let (a, b) = (noise.next(), noise.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        8 + (b >> 62),
        (b >> 48) & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

/// An address from the ranges kept for documentation.
pub(super) fn ipv4(mut noise: Noise) -> String {
    format!("{}.{}", noise.word(&["192.0.2", "198.51.100", "203.0.113"]), noise.between(1, 254))
}

/// Bytes in base 64.
pub(super) fn base64(bytes: &[u8]) -> String {
    const TABLE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = (word >> (18 - 6 * i)) & 63;
            out.push(if i > chunk.len() { '=' } else { char::from(TABLE[digit as usize]) });
        }
    }
    out
}

/// `#` becomes a digit, `?` an upper-case letter.
pub(super) fn template(template: &str, mut noise: Noise) -> String {
    template
        .chars()
        .map(|c| match c {
            '#' => char::from(DIGIT[noise.below(10)]),
            '?' => char::from(UPPER[noise.below(UPPER.len())]),
            c => c,
        })
        .collect()
}

/// Text in the style of an example: parts that hold a digit get other digits and letters of the
/// same sort, plain words stay.
pub(super) fn in_style_of(example: &str, mut noise: Noise) -> String {
    let hexadecimal = example.len() >= 8
        && example
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    let mut out = String::with_capacity(example.len());
    let mut rest = example;
    while !rest.is_empty() {
        let cut = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (part, tail) = rest.split_at(cut);
        let vary = part.contains(|c: char| c.is_ascii_digit());
        let hex = hexadecimal
            || part.len() >= 4 && part.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        for (i, c) in part.chars().enumerate() {
            out.push(match c {
                '1'..='9' if vary && i == 0 => char::from(DIGIT[1 + noise.below(9)]),
                '0'..='9' if vary => char::from(DIGIT[noise.below(10)]),
                'a'..='f' if vary && hex => char::from(HEX[10 + noise.below(6)]),
                'a'..='z' if vary => char::from(b'a' + noise.below(26) as u8),
                'A'..='Z' if vary => char::from(b'A' + noise.below(26) as u8),
                c => c,
            });
        }
        let mut chars = tail.chars();
        out.extend(chars.next());
        rest = chars.as_str();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_base64() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn uuids_are_version_4() {
        for seed in 0..100 {
            let id = uuid(Noise::new(seed));
            assert_eq!(id.len(), 36);
            assert_eq!(id.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
        }
    }

    #[test]
    fn hints_are_taken_from_descriptions() {
        let noise = Noise::new(3);
        for (description, allowed) in [
            ("Status. One of `open`, `closed`", &["open", "closed"][..]),
            ("Sort order, e.g. \"asc\"", &["asc"]),
            ("Unit (such as metric, imperial)", &["metric", "imperial"]),
        ] {
            let value = hinted(description, noise).unwrap_or_default();
            assert!(allowed.contains(&value.as_str()), "{description}: {value:?}");
        }
        assert_eq!(hinted("The thing.", noise), None);
    }

    #[test]
    fn examples_give_their_style() {
        let varied = in_style_of("cus_9s6XKzkNRiz8i3", Noise::new(5));
        assert!(varied.starts_with("cus_") && varied.len() == 18 && varied != "cus_9s6XKzkNRiz8i3");
        assert_eq!(in_style_of("plain words", Noise::new(5)), "plain words");
    }
}
