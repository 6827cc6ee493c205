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
    let mut out: Vec<String> = parts(text)
        .filter(|w| w.len() > 2 && !EMPTY.contains(&w.to_lowercase().as_str()))
        .map(stem)
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// Runs of letters and digits, taken apart where a capital begins a word.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).flat_map(|run| {
        let starts = run
            .char_indices()
            .zip(run.chars().skip(1))
            .filter(|((_, a), b)| a.is_lowercase() && b.is_uppercase());
        let cuts: Vec<usize> = starts.map(|((at, a), _)| at + a.len_utf8()).collect();
        let ends = cuts.clone().into_iter().chain([run.len()]);
        [0].into_iter().chain(cuts).zip(ends).map(|(from, to)| &run[from..to]).collect::<Vec<_>>()
    })
}
