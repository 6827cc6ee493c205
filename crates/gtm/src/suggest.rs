//! Near misses: what the user may have meant.

/// Longest name that is compared, in characters; the cost grows with its square.
const MAX: usize = 100;

/// Up to three of `names` that look like `wrong`, nearest first.
pub(crate) fn near<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let key = |name: &str| -> Vec<char> {
        let plain = name.chars().filter(|c| c.is_alphanumeric());
        plain.flat_map(char::to_lowercase).take(MAX).collect()
    };
    let wrong = key(wrong);
    if wrong.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(usize, &str)> = Vec::new();
    for name in names {
        let right = key(name);
        let allowed = wrong.len().max(right.len()).div_ceil(3);
        let inside =
            wrong.len() >= 3 && right.len() >= 3 && (contains(&right, &wrong) || contains(&wrong, &right));
        match distance(&wrong, &right) {
            d if d <= allowed => found.push((d, name)),
            d if inside => found.push((d, name)),
            _ => {}
        }
    }
    found.sort();
    found.into_iter().take(3).map(|(_, name)| name).collect()
}

fn contains(long: &[char], short: &[char]) -> bool {
    long.windows(short.len()).any(|part| part == short)
}

/// Levenshtein's distance, with a swap of neighbours counted as two.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn finds_what_was_meant() {
        let names = ["createPet", "getPet", "listPets", "deletePet", "placeOrder"];
        assert_eq!(near("getpet", names).first(), Some(&"getPet"));
        assert_eq!(near("get_pet", names).first(), Some(&"getPet"));
        assert_eq!(near("placeOrdr", names), ["placeOrder"]);
        assert_eq!(near("Order", names), ["placeOrder"]);
        assert!(near("weather", names).is_empty());
        assert!(near("", names).is_empty());
        assert!(near(&"x".repeat(1_000_000), names).is_empty());
    }
}
