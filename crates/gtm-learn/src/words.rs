//! Words of texts and names, to tell what speaks of the same.

/// A word without its ending.
pub(crate) fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    let short = word.strip_suffix("ies").map(|w| format!("{w}y"));
    let short = short.or_else(|| word.strip_suffix("ed").filter(|w| w.len() > 3).map(str::to_owned));
    short.or_else(|| word.strip_suffix('s').filter(|w| w.len() > 2).map(str::to_owned)).unwrap_or(word)
}

/// The stems of a text's words that carry meaning.
pub(crate) fn stems(text: &str) -> Vec<String> {
    const EMPTY: &[&str] = &[
        "the", "and", "not", "for", "with", "that", "this", "error", "has", "are", "was", "been", "please",
        "already", "does", "exist", "found", "invalid", "unable", "cannot",
    ];
    let mut out: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| w.len() > 2 && !EMPTY.contains(&w.to_lowercase().as_str()))
        .map(stem)
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}
