//! Labels: what completions say in place of names and values that only the prompt spells.

use std::collections::{BTreeSet, HashMap};

/// Most names, and most values, that get labels: two letters suffice for them.
pub(super) const MOST: usize = 700;

/// The names and values of one prompt, in the order in which it mentions them. A name has one label, whatever it
/// names: that a parameter and a member are called alike is seen, not learned.
#[derive(Clone, Debug, Default)]
pub(super) struct Symbols {
    names: Table,
    values: Table,
    facts: Table,
    /// Labels of names that are arguments, and of those that the state has at its root.
    arguments: BTreeSet<usize>,
    roots: BTreeSet<usize>,
}

#[derive(Clone, Debug, Default)]
struct Table {
    texts: Vec<String>,
    index: HashMap<String, usize>,
}

impl Table {
    fn add(&mut self, text: &str) -> Option<usize> {
        if let Some(at) = self.index.get(text) {
            return Some(*at);
        }
        if self.texts.len() >= MOST {
            return None;
        }
        self.texts.push(text.to_owned());
        self.index.insert(text.to_owned(), self.texts.len() - 1);
        Some(self.texts.len() - 1)
    }
}

impl Symbols {
    /// The label of a name that a pointer of this kind is for; empty if there is no room for more.
    pub(super) fn name(&mut self, sigil: char, name: &str) -> String {
        let Some(at) = self.names.add(name) else { return String::new() };
        match sigil {
            'P' => _ = self.arguments.insert(at),
            'C' => _ = self.roots.insert(at),
            _ => {}
        }
        label(at)
    }

    /// The labels that pointers of a kind may have.
    pub(super) fn labels(&self, sigil: char) -> Vec<String> {
        match sigil {
            'P' => self.arguments.iter().copied().map(label).collect(),
            'C' => self.roots.iter().copied().map(label).collect(),
            'V' => (0..self.values.texts.len()).map(label).collect(),
            _ => (0..self.names.texts.len()).map(label).collect(),
        }
    }

    /// The label of a value, which gets one if there is room; empty if there is none.
    pub(super) fn value(&mut self, value: &str) -> String {
        self.values.add(value).map(label).unwrap_or_default()
    }

    /// The label of a known plain value, as JSON; empty if there is no room for more.
    pub(super) fn fact(&mut self, json: &str) -> String {
        self.facts.add(json).map(label).unwrap_or_default()
    }

    /// The label of a plain value that is known.
    pub(super) fn label_of_fact(&self, json: &str) -> Option<String> {
        self.facts.index.get(json).map(|at| label(*at))
    }

    /// The plain value, as JSON, that has a label.
    pub(super) fn fact_at(&self, label: &str) -> Option<&str> {
        self.facts.texts.get(number(label)?).map(String::as_str)
    }

    /// The label of a name that has one.
    pub(super) fn label_of_name(&self, name: &str) -> Option<String> {
        self.names.index.get(name).map(|at| label(*at))
    }

    /// The label of a value that has one.
    pub(super) fn label_of_value(&self, value: &str) -> Option<String> {
        self.values.index.get(value).map(|at| label(*at))
    }

    /// The name that has a label.
    pub(super) fn name_at(&self, label: &str) -> Option<&str> {
        self.names.texts.get(number(label)?).map(String::as_str)
    }

    /// The value that has a label.
    pub(super) fn value_at(&self, label: &str) -> Option<&str> {
        self.values.texts.get(number(label)?).map(String::as_str)
    }
}

/// `a` … `z`, `aa` … `zz`.
pub(super) fn label(at: usize) -> String {
    let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
    match at {
        0..26 => letter(at).to_string(),
        _ => [letter(at / 26 - 1), letter(at)].iter().collect(),
    }
}

/// The number of a label.
pub(super) fn number(label: &str) -> Option<usize> {
    let digit = |b: u8| b.is_ascii_lowercase().then(|| usize::from(b - b'a'));
    match label.as_bytes() {
        [a] => digit(*a),
        [a, b] => Some((digit(*a)? + 1) * 26 + digit(*b)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_back() {
        for at in 0..MOST {
            assert_eq!(number(&label(at)), Some(at));
        }
        assert_eq!(
            (label(0), label(25), label(26), label(701)),
            ("a".into(), "z".into(), "aa".into(), "zz".into())
        );
        for wrong in ["", "A", "aaa", "a1"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}
