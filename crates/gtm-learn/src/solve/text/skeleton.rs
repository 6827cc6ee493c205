//! What several texts share: their longest common run of words, with gaps where they differ.

use super::super::Target;
use crate::case::Probe;
use crate::facts::{Facts, Way};
use std::ops::Range;

/// Most words of a text that is compared with others.
const MAX_WORDS: usize = 900;
/// Most texts that are compared.
const MAX_TEXTS: usize = 20;
/// Most words in a text that is recognised as something known.
const MAX_SPAN: usize = 16;

/// A part of a text.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// The same in all.
    Text(String),
    /// Something known: an argument, or a member of a record that was found.
    Slot(Vec<Way>),
    /// Whatever differs.
    Gap,
}

pub(super) struct Skeleton {
    pub(super) pieces: Vec<Piece>,
}

/// A word, or something known that is one or more words long.
#[derive(Clone, Debug)]
struct Word {
    text: String,
    ways: Vec<Way>,
    /// Whether the texts compared so far have the same words here.
    fixed: bool,
    /// Whether something that differs stands before it.
    gap: bool,
}

impl Skeleton {
    /// What the texts of the targets share. `None` for texts that are too long to be compared.
    pub(super) fn of(probe: &Probe, targets: &[Target]) -> Option<Skeleton> {
        let mut distinct: Vec<&Target> = Vec::new();
        for target in targets {
            if distinct.len() < MAX_TEXTS && distinct.iter().all(|d| d.value != target.value) {
                distinct.push(target);
            }
        }
        let words = |t: &Target| words(t.value.as_str()?, probe.cases[t.case].facts());
        let (mut shared, mut tail) = words(distinct.first()?)?;
        for target in &distinct[1..] {
            let (other, end) = words(target)?;
            (shared, tail) = merge(&shared, &other, tail || end);
        }
        let several = distinct.len() > 1;
        Some(Skeleton { pieces: pieces(&shared, tail, several) })
    }

    /// What stands in the gaps of a text; `None` if it does not fit.
    pub(super) fn parts(&self, probe: &Probe, case: usize, text: &str) -> Option<Vec<String>> {
        // Neighbouring pieces without a gap between them are looked for together.
        let mut runs: Vec<String> = vec![String::new()];
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => runs.last_mut()?.push_str(text),
                Piece::Slot(ways) => {
                    let known =
                        ways.first().and_then(|way| probe.render(&format!("{{{}}}", way.text), case))?;
                    runs.last_mut()?.push_str(&known);
                }
                Piece::Gap => runs.push(String::new()),
            }
        }
        let (first, rest) = runs.split_first()?;
        let mut left = text.strip_prefix(first.as_str())?;
        let mut parts = Vec::new();
        for (i, run) in rest.iter().enumerate() {
            let last = i + 1 == rest.len();
            let at = match (last, run.is_empty()) {
                (true, true) => left.len(),
                (true, false) => left.ends_with(run.as_str()).then(|| left.len() - run.len())?,
                (false, _) => left.find(run.as_str())?,
            };
            parts.push(left[..at].to_owned());
            left = &left[at + run.len()..];
        }
        left.is_empty().then_some(parts)
    }
}

/// The text as words; what is known of longer parts goes first. Also whether something made up ends it.
fn words(text: &str, facts: &Facts) -> Option<(Vec<Word>, bool)> {
    let spans = spans(text);
    if spans.len() > MAX_WORDS {
        return None;
    }
    let mut out = Vec::new();
    let (mut at, mut made_up) = (0, false);
    while at < spans.len() {
        let known = (1..=MAX_SPAN.min(spans.len() - at)).rev().find_map(|count| {
            let part = &text[spans[at].start..spans[at + count - 1].end];
            let worth = part.len() > 1 || part.chars().all(|c| c.is_ascii_digit());
            let ways = if worth { facts.refs(part) } else { &[] };
            (!ways.is_empty()).then(|| (count, part, ways.to_vec()))
        });
        let (count, part, ways) = known.unwrap_or((1, &text[spans[at].clone()], Vec::new()));
        // A token that nothing known holds was made up for this call.
        let fresh = ways.is_empty() && crate::form::is_token(part) && !facts.holds(part);
        if !fresh {
            out.push(Word { text: part.to_owned(), ways, fixed: true, gap: made_up });
        }
        made_up = fresh;
        at += count;
    }
    Some((out, made_up))
}

/// Runs of letters and digits; every other character by itself.
fn spans(text: &str) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut inside = false;
    for (at, c) in text.char_indices() {
        let word = c.is_alphanumeric() || c == '_';
        match out.last_mut() {
            Some(last) if word && inside => last.end = at + c.len_utf8(),
            _ => out.push(at..at + c.len_utf8()),
        }
        inside = word;
    }
    out
}

fn meets(a: &Word, b: &Word) -> bool {
    (a.fixed && a.text == b.text) || a.ways.iter().any(|w| b.ways.iter().any(|o| o.text == w.text))
}

/// The longest common subsequence of what was shared so far and another text.
fn merge(shared: &[Word], other: &[Word], tail: bool) -> (Vec<Word>, bool) {
    let (n, m) = (shared.len(), other.len());
    let mut best = vec![vec![0u32; m + 1]; n + 1];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            // Blanks and marks are everywhere; words are worth more.
            let worth = if shared[i].text.chars().all(char::is_alphanumeric) { 4 } else { 1 };
            let both = if meets(&shared[i], &other[j]) { best[i + 1][j + 1] + worth } else { 0 };
            best[i][j] = both.max(best[i + 1][j]).max(best[i][j + 1]);
        }
    }
    let (mut i, mut j, mut gap, mut out) = (0, 0, false, Vec::new());
    while i < n && j < m {
        let worth = if shared[i].text.chars().all(char::is_alphanumeric) { 4 } else { 1 };
        if meets(&shared[i], &other[j]) && best[i][j] == best[i + 1][j + 1] + worth {
            let (a, b) = (&shared[i], &other[j]);
            let ways = a.ways.iter().filter(|w| b.ways.iter().any(|o| o.text == w.text)).cloned().collect();
            let fixed = a.fixed && a.text == b.text;
            out.push(Word { text: a.text.clone(), ways, fixed, gap: a.gap || b.gap || gap });
            (i, j, gap) = (i + 1, j + 1, false);
        } else if best[i + 1][j] >= best[i][j + 1] {
            (i, gap) = (i + 1, true);
        } else {
            (j, gap) = (j + 1, true);
        }
    }
    (out, tail || gap || i < n || j < m)
}

/// Words as pieces. A blank or mark alone between two gaps is chance and joins them.
fn pieces(words: &[Word], tail: bool, several: bool) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let gap_after = words.get(i + 1).map_or(tail, |next| next.gap);
        let chance = word.gap && gap_after && word.fixed && word.text.trim().is_empty();
        if (word.gap || chance) && !matches!(out.last(), Some(Piece::Gap)) {
            out.push(Piece::Gap);
        }
        if chance {
            continue;
        }
        // A text that was the same in all is what it is, unless it says more than a word does.
        let telling = word.text.len() > 3 || word.text.chars().any(|c| c.is_ascii_digit());
        let slot = !word.ways.is_empty() && (!word.fixed || !several || telling);
        match out.last_mut() {
            _ if slot => {
                let mut ways = word.ways.clone();
                ways.sort_by(|a, b| a.cost.cmp(&b.cost).then_with(|| a.text.cmp(&b.text)));
                out.push(Piece::Slot(ways));
            }
            Some(Piece::Text(text)) => text.push_str(&word.text),
            _ => out.push(Piece::Text(word.text.clone())),
        }
    }
    if tail && !matches!(out.last(), Some(Piece::Gap)) {
        out.push(Piece::Gap);
    }
    out
}
