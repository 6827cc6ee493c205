//! What a member is, judged by its name.

use super::kind::{Kind, kind_of};

/// Longest part of a name that is looked at.
const MAX_BYTES: usize = 64;
const MAX_WORDS: usize = 10;

/// A name split into lower-case words: `createdAt`, `created_at` and `Created-At` are the same.
/// Lives on the stack, since a reply has many names and each is looked at once.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    buffer: [u8; MAX_BYTES],
    ends: [u8; MAX_WORDS],
    words: usize,
}

impl Name {
    /// Splits a name. What is not an ASCII letter or digit separates.
    pub(crate) fn new(name: &str) -> Self {
        let mut out = Name { buffer: [0; MAX_BYTES], ends: [0; MAX_WORDS], words: 0 };
        let bytes = name.as_bytes();
        let mut at = 0;
        let mut start = 0;
        for (i, &byte) in bytes.iter().enumerate() {
            if !byte.is_ascii_alphanumeric() || out.words == MAX_WORDS || at == MAX_BYTES {
                out.close(&mut start, at);
                continue;
            }
            let before = i.checked_sub(1).and_then(|j| bytes.get(j)).copied().unwrap_or(b' ');
            let after = bytes.get(i + 1).copied().unwrap_or(b' ');
            // `orderId` → order id, `HTTPServer` → http server; but `IDs` stays one word.
            let hump = byte.is_ascii_uppercase()
                && (before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && after.is_ascii_lowercase() && after != b's'));
            if hump {
                out.close(&mut start, at);
                if out.words == MAX_WORDS {
                    continue;
                }
            }
            out.buffer[at] = byte.to_ascii_lowercase();
            at += 1;
        }
        out.close(&mut start, at);
        out
    }

    fn close(&mut self, start: &mut usize, at: usize) {
        if at > *start && self.words < MAX_WORDS {
            self.ends[self.words] = at as u8;
            self.words += 1;
            *start = at;
        }
    }

    fn slice(&self, from: usize, to: usize) -> &str {
        let start = if from == 0 { 0 } else { usize::from(self.ends[from - 1]) };
        let end = if to == 0 { 0 } else { usize::from(self.ends[to - 1]) };
        self.buffer.get(start..end).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
    }

    /// Number of words.
    pub(crate) fn len(&self) -> usize {
        self.words
    }

    /// The words.
    pub(crate) fn words(&self) -> impl DoubleEndedIterator<Item = &str> {
        (0..self.words).map(|i| self.slice(i, i + 1))
    }

    /// The first word; empty if there is none.
    pub(crate) fn first(&self) -> &str {
        self.slice(0, self.words.min(1))
    }

    /// The last word; empty if there is none.
    pub(crate) fn last(&self) -> &str {
        self.slice(self.words.saturating_sub(1), self.words)
    }

    /// The last `n` words, joined.
    pub(crate) fn tail(&self, n: usize) -> &str {
        self.slice(self.words.saturating_sub(n), self.words)
    }

    /// All words but the last `n`, joined.
    pub(crate) fn head(&self, n: usize) -> &str {
        self.slice(0, self.words.saturating_sub(n))
    }

    /// All words, joined: names that differ only in style are equal here.
    pub(crate) fn joined(&self) -> &str {
        self.slice(0, self.words)
    }

    /// Whether one of the words is one of these.
    pub(crate) fn has(&self, any: &[&str]) -> bool {
        self.words().any(|w| any.contains(&w))
    }

    /// What a member of this name most likely is.
    pub(super) fn kind(&self) -> Kind {
        for n in (1..=self.words.min(3)).rev() {
            if let Some(kind) = kind_of(self.tail(n)) {
                return kind;
            }
        }
        let last = self.last();
        // Plurals name what their items are.
        if let Some(kind) = last.strip_suffix('s').and_then(kind_of) {
            return kind;
        }
        // Styles without separators: `userid`, `createdat`, `phonenumber`.
        if self.words == 1 {
            for (ending, kind) in
                [("uuid", Kind::Uuid), ("url", Kind::Url), ("email", Kind::Email), ("name", Kind::Name)]
            {
                if last.len() > ending.len() && last.ends_with(ending) {
                    return kind;
                }
            }
            if last.len() > 4 && last.ends_with("id") && !ENGLISH_IN_ID.contains(&last) {
                return Kind::Id;
            }
            if last.len() > 6 && (last.ends_with("date") || last.ends_with("time")) {
                return Kind::Time;
            }
        }
        if matches!(last, "number" | "no" | "num") && self.words > 1 {
            let line = ["home", "work", "cell", "mobile", "contact", "fax", "telephone", "office"];
            return if self.has(&line) { Kind::Phone } else { Kind::Serial };
        }
        match self.first() {
            "is" | "has" | "can" | "should" | "allow" | "allows" | "enable" | "use" | "show" => Kind::Flag,
            "num" | "number" | "total" | "n" | "nb" | "count" if self.words > 1 => Kind::Count,
            "percent" | "pct" => Kind::Percent,
            "date" | "time" if self.words > 1 => Kind::Time,
            _ => Kind::Plain,
        }
    }
}

/// Words that end in `id` without being ids.
const ENGLISH_IN_ID: &[&str] =
    &["paid", "valid", "invalid", "void", "grid", "solid", "liquid", "android", "covid", "hybrid", "rapid"];

#[cfg(test)]
mod tests {
    use super::*;

    fn split(name: &str) -> Vec<String> {
        Name::new(name).words().map(str::to_owned).collect()
    }

    #[test]
    fn splits_every_style() {
        for name in ["created_at", "createdAt", "Created-At", "CREATED_AT", "created at", "__created..at__"] {
            assert_eq!(split(name), ["created", "at"], "{name}");
        }
        assert_eq!(split("HTTPServerURL"), ["http", "server", "url"]);
        assert_eq!(split("userIDs"), ["user", "ids"]);
        assert_eq!(split("address2"), ["address2"]);
        assert_eq!(split(""), Vec::<String>::new());
        assert_eq!(split("ünï"), ["n"]);
    }

    #[test]
    fn long_names_are_cut_not_refused() {
        let name = Name::new(&"wordy_".repeat(100));
        assert!(name.len() <= MAX_WORDS);
        assert!(name.joined().len() <= MAX_BYTES);
        assert_eq!(Name::new(&"x".repeat(10_000)).joined().len(), MAX_BYTES);
    }

    #[test]
    fn kinds_by_name() {
        for (name, kind) in [
            ("first_name", Kind::FirstName),
            ("emailAddress", Kind::Email),
            ("customer_email", Kind::Email),
            ("orderId", Kind::Id),
            ("userid", Kind::Id),
            ("paid", Kind::Flag),
            ("createdAt", Kind::Time),
            ("avatar_url", Kind::ImageUrl),
            ("html_url", Kind::Url),
            ("is_private", Kind::Flag),
            ("country_code", Kind::CountryCode),
            ("total_count", Kind::Count),
            ("frobnicator", Kind::Plain),
        ] {
            assert_eq!(Name::new(name).kind(), kind, "{name}");
        }
    }
}
