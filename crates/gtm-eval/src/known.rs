//! What a session has shown before a turn: the values that a perfect simulator could know.

use crate::volatile;
use serde_json::Value as Json;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Values of the initial state, of arguments, and of earlier real replies.
///
/// Values are kept as 64-bit hashes: two different values being taken for one is less likely than
/// a fault of the machine, and a session's state may be large.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    values: HashSet<u64>,
    /// Pieces of texts that look like ids, tokens or times.
    pieces: HashSet<u64>,
}

impl Known {
    /// Adds every scalar of a value, and every member name: records are often keyed by their ids.
    pub(crate) fn add(&mut self, value: &Json) {
        match value {
            Json::Object(members) => {
                for (name, member) in members {
                    self.add_text(name);
                    self.add(member);
                }
            }
            Json::Array(items) => items.iter().for_each(|item| self.add(item)),
            Json::String(text) => self.add_text(text),
            scalar => {
                self.values.insert(hash(scalar));
            }
        }
    }

    fn add_text(&mut self, text: &str) {
        self.values.insert(hash_text(text));
        for (piece, _) in volatile::candidates(text) {
            self.pieces.insert(hash_text(piece));
        }
    }

    /// Whether the scalar was seen. Numbers are one whether written `1` or `1.0`; a number and the
    /// text that spells it are two.
    pub(crate) fn has(&self, scalar: &Json) -> bool {
        self.values.contains(&hash(scalar))
    }

    /// Whether the text, or a piece of a text, was seen.
    pub(crate) fn has_piece(&self, piece: &str) -> bool {
        let hash = hash_text(piece);
        self.pieces.contains(&hash) || self.values.contains(&hash)
    }

    /// Whether the number was seen, as a number or spelt.
    pub(crate) fn has_number(&self, number: &serde_json::Number) -> bool {
        self.values.contains(&hash_number(number)) || self.has_piece(&number.to_string())
    }
}

fn hash(scalar: &Json) -> u64 {
    match scalar {
        Json::String(text) => hash_text(text),
        Json::Number(number) => hash_number(number),
        Json::Bool(truth) => hashed(&(1u8, *truth)),
        Json::Null => hashed(&2u8),
        // Containers are no values of their own.
        Json::Array(_) | Json::Object(_) => hashed(&3u8),
    }
}

fn hash_text(text: &str) -> u64 {
    hashed(&(4u8, text))
}

fn hash_number(number: &serde_json::Number) -> u64 {
    // Every way to write one number hashes alike; `0.0` folds `-0.0` in.
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => hashed(&(5u8, whole)),
        (None, Some(real)) if real.fract() == 0.0 && real.abs() < 9.0e15 => hashed(&(5u8, real as i64)),
        (None, real) => hashed(&(6u8, real.unwrap_or_default().to_bits())),
    }
}

/// Keys are fixed, so that hashes are the same in every run.
fn hashed(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
