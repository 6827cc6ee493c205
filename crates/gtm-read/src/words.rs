//! English number: `pets` and `pet`.

/// The singular of a lower-case plural noun; other words as they are.
pub(crate) fn singular(word: &str) -> String {
    const IRREGULAR: &[(&str, &str)] = &[
        ("people", "person"),
        ("children", "child"),
        ("men", "man"),
        ("women", "woman"),
        ("indices", "index"),
        ("criteria", "criterion"),
        ("media", "media"),
        ("series", "series"),
        ("news", "news"),
        ("status", "status"),
        ("address", "address"),
        ("movies", "movie"),
        ("cookies", "cookie"),
        ("aliases", "alias"),
        ("buses", "bus"),
        ("statuses", "status"),
        ("analyses", "analysis"),
        ("analysis", "analysis"),
        ("caches", "cache"),
        ("databases", "database"),
        ("cases", "case"),
        ("releases", "release"),
        ("courses", "course"),
        ("licenses", "license"),
        ("purchases", "purchase"),
        ("warehouses", "warehouse"),
        ("expenses", "expense"),
        ("responses", "response"),
        ("houses", "house"),
        ("phases", "phase"),
        ("bases", "base"),
        ("leases", "lease"),
        ("archives", "archive"),
        ("quizzes", "quiz"),
        ("matrices", "matrix"),
        ("vertices", "vertex"),
        ("bonus", "bonus"),
        ("campus", "campus"),
        ("virus", "virus"),
        ("gas", "gas"),
        ("canvas", "canvas"),
        ("https", "https"),
        ("dns", "dns"),
        ("sms", "sms"),
        ("gps", "gps"),
        ("aws", "aws"),
        ("os", "os"),
        ("basis", "basis"),
        ("lens", "lens"),
        ("chassis", "chassis"),
        ("gas", "gas"),
    ];
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == word) {
        return (*one).to_owned();
    }
    let cut = |ending: &str, with: &str| {
        word.strip_suffix(ending).filter(|stem| stem.len() > 1).map(|stem| format!("{stem}{with}"))
    };
    if word.ends_with("ss") || word.ends_with("us") || word.ends_with("sis") {
        return word.to_owned();
    }
    cut("ies", "y")
        .filter(|_| word.len() > 4)
        .or_else(|| cut("sses", "ss"))
        .or_else(|| cut("shes", "sh"))
        .or_else(|| cut("ches", "ch"))
        .or_else(|| cut("xes", "x"))
        .or_else(|| cut("s", ""))
        .unwrap_or_else(|| word.to_owned())
}

/// The plural of a lower-case singular noun; plurals as they are.
pub(crate) fn plural(word: &str) -> String {
    if word.is_empty() || singular(word) != word {
        return word.to_owned();
    }
    if matches!(word, "person") {
        return "people".to_owned();
    }
    if matches!(word, "child") {
        return "children".to_owned();
    }
    if matches!(word, "media" | "series" | "news" | "data" | "info" | "metadata" | "settings") {
        return word.to_owned();
    }
    let stem = |n: usize| word.get(..word.len().saturating_sub(n)).unwrap_or(word);
    let before_last = word.chars().rev().nth(1).unwrap_or('a');
    if word.ends_with('y') && !"aeiou".contains(before_last) {
        return format!("{}ies", stem(1));
    }
    if word.ends_with(['s', 'x', 'z']) || word.ends_with("ch") || word.ends_with("sh") {
        return format!("{word}es");
    }
    format!("{word}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_round_trips() {
        for (one, many) in [
            ("pet", "pets"),
            ("category", "categories"),
            ("box", "boxes"),
            ("address", "addresses"),
            ("person", "people"),
            ("branch", "branches"),
            ("key", "keys"),
            ("status", "statuses"),
            ("class", "classes"),
            ("release", "releases"),
        ] {
            assert_eq!(singular(many), one);
            assert_eq!(plural(one), many);
            assert_eq!(plural(many), many);
        }
        for word in ["news", "series", "dns", "status", "", "s"] {
            assert_eq!(singular(word), word);
        }
    }
}
