//! Words in names: splitting, singulars, participles, overlap.

/// The words of a name, lower case: `getUserIDs`, `get-user-ids` and `get_user_ids` are the same.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            flush(&mut word, &mut out);
            continue;
        }
        let after_lower = i > 0 && (chars[i - 1].is_lowercase() || chars[i - 1].is_ascii_digit());
        // The last capital of a run starts the next word: `HTTPServer` is http, server. But `IDs` is one word.
        let ends_run = i > 0
            && chars[i - 1].is_uppercase()
            && chars.get(i + 1).is_some_and(|next| next.is_lowercase())
            && !(chars.get(i + 1) == Some(&'s') && chars.get(i + 2).is_none_or(|next| !next.is_lowercase()));
        if c.is_uppercase() && (after_lower || ends_run) {
            flush(&mut word, &mut out);
        }
        word.extend(c.to_lowercase());
    }
    flush(&mut word, &mut out);
    out
}

fn flush(word: &mut String, out: &mut Vec<String>) {
    /// Compounds that names write both ways.
    const COMPOUNDS: &[(&str, &str, &str)] = &[
        ("username", "user", "name"),
        ("filename", "file", "name"),
        ("userid", "user", "id"),
        ("orderid", "order", "id"),
        ("productid", "product", "id"),
        ("wishlist", "wish", "list"),
        ("watchlist", "watch", "list"),
        ("playlist", "play", "list"),
        ("timestamp", "time", "stamp"),
        ("zipcode", "zip", "code"),
        ("lifecycle", "life", "cycle"),
    ];
    match COMPOUNDS.iter().find(|(whole, _, _)| *whole == word.as_str()) {
        Some((_, a, b)) => {
            out.extend([(*a).to_owned(), (*b).to_owned()]);
            word.clear();
        }
        None if !word.is_empty() => out.push(std::mem::take(word)),
        None => {}
    }
}

/// The words of a name in the singular.
pub(super) fn stems(name: &str) -> Vec<String> {
    words(name).iter().map(|word| singular(word)).collect()
}

/// The singular of a noun. Only has to be right often, and the same for the same word.
pub(super) fn singular(word: &str) -> String {
    const ODD: &[(&str, &str)] = &[
        ("people", "person"),
        ("children", "child"),
        ("men", "man"),
        ("women", "woman"),
        ("mice", "mouse"),
        ("indices", "index"),
        ("vertices", "vertex"),
        ("matrices", "matrix"),
        ("media", "media"),
        ("movies", "movie"),
        ("cookies", "cookie"),
        ("calories", "calorie"),
        ("buses", "bus"),
        ("statuses", "status"),
        ("lens", "lens"),
        ("gas", "gas"),
        ("series", "series"),
        ("species", "species"),
        ("always", "always"),
        ("has", "has"),
        ("wifi", "wifi"),
    ];
    if let Some((_, odd)) = ODD.iter().find(|(plural, _)| *plural == word) {
        return (*odd).to_owned();
    }
    let cut = |n: usize| word[..word.len() - n].to_owned();
    if !word.is_ascii() || word.len() < 4 || !word.ends_with('s') {
        return if word == "ids" { "id".into() } else { word.to_owned() };
    }
    if word.ends_with("ies") && word.len() > 4 {
        return cut(3) + "y";
    }
    if ["sses", "shes", "ches", "xes", "zes"].iter().any(|end| word.ends_with(end)) {
        return cut(2);
    }
    if ["ss", "us", "is", "ous"].iter().any(|end| word.ends_with(end)) {
        return word.to_owned();
    }
    cut(1)
}

/// The participle that names the state after an action: `close` → `closed`, `send` → `sent`.
pub(super) fn participle(verb: &str) -> String {
    const ODD: &[(&str, &str)] = &[
        ("send", "sent"),
        ("pay", "paid"),
        ("buy", "bought"),
        ("sell", "sold"),
        ("make", "made"),
        ("set", "set"),
        ("put", "put"),
        ("cut", "cut"),
        ("freeze", "frozen"),
        ("unfreeze", "unfrozen"),
        ("hide", "hidden"),
        ("write", "written"),
        ("cancel", "cancelled"),
        ("submit", "submitted"),
        ("stop", "stopped"),
        ("drop", "dropped"),
        ("begin", "begun"),
        ("run", "running"),
        ("start", "started"),
        ("get", "got"),
        ("find", "found"),
        ("hold", "held"),
        ("ship", "shipped"),
        ("flag", "flagged"),
        ("pin", "pinned"),
        ("unpin", "unpinned"),
        ("ban", "banned"),
        ("transfer", "transferred"),
        ("refer", "referred"),
        ("plan", "planned"),
    ];
    if let Some((_, odd)) = ODD.iter().find(|(base, _)| *base == verb) {
        return (*odd).to_owned();
    }
    if verb.ends_with('e') {
        return format!("{verb}d");
    }
    match verb.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ied"),
        _ => format!("{verb}ed"),
    }
}

/// The base of a verb form as descriptions use them: `registers`, `registering` → `register`.
pub(super) fn base_forms(word: &str) -> Vec<String> {
    let mut out = vec![word.to_owned()];
    if let Some(stem) = word.strip_suffix("ies") {
        out.push(format!("{stem}y"));
    }
    for end in ["es", "s"] {
        if let Some(stem) = word.strip_suffix(end) {
            out.push(stem.to_owned());
        }
    }
    for end in ["ing", "ed"] {
        if let Some(stem) = word.strip_suffix(end) {
            out.push(stem.to_owned());
            out.push(format!("{stem}e"));
            let mut chars = stem.chars().rev();
            if let (Some(a), Some(b)) = (chars.next(), chars.next())
                && a == b
            {
                out.push(stem[..stem.len() - a.len_utf8()].to_owned());
            }
        }
    }
    out
}

/// How alike two words are in their beginning, so that `cancel`, `canceled` and `cancellation`
/// count as one action.
pub(super) fn same_root(a: &str, b: &str) -> bool {
    let a = a.to_lowercase();
    let b = b.to_lowercase();
    if a == b {
        return true;
    }
    let common = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let shorter = a.len().min(b.len());
    common >= 4 && common + 3 >= shorter && common * 2 > a.len().max(b.len())
}

/// Whether every one of `part` is in `whole`.
pub(super) fn within(part: &[String], whole: &[String]) -> bool {
    part.iter().all(|word| whole.contains(word))
}

/// How many of `a` are in `b`.
pub(super) fn common(a: &[String], b: &[String]) -> usize {
    a.iter().filter(|word| b.contains(word)).count()
}

/// Words as a phrase: `created_by` → `created by`.
pub(super) fn phrase(words: &[String]) -> String {
    words.join(" ")
}

/// A phrase with a capital at the start.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_alike_in_every_style() {
        for name in ["get_user_ids", "getUserIds", "GetUserIDs", "get-user-ids", "get.userIds"] {
            assert_eq!(words(name), ["get", "user", "ids"], "{name}");
        }
        assert_eq!(words("parseHTTPResponse2"), ["parse", "http", "response2"]);
        assert_eq!(stems("listAllCategories"), ["list", "all", "category"]);
    }

    #[test]
    fn singulars_and_participles() {
        for (plural, one) in [
            ("boxes", "box"),
            ("addresses", "address"),
            ("status", "status"),
            ("houses", "house"),
            ("notes", "note"),
            ("people", "person"),
            ("analysis", "analysis"),
        ] {
            assert_eq!(singular(plural), one);
        }
        for (verb, done) in
            [("close", "closed"), ("archive", "archived"), ("deny", "denied"), ("enable", "enabled")]
        {
            assert_eq!(participle(verb), done);
        }
        assert!(same_root("cancelled", "canceled"));
        assert!(same_root("active", "activated"));
        assert!(!same_root("open", "opera"));
    }
}
