//! Places of a state with wildcards: `/orders/*/updated_at`.

use gtm_error::{Code, Error, Result, printable};

/// A JSON pointer in which `*` stands for any one step. It covers a place and all that is below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Option<String>>);

impl Pattern {
    /// # Errors
    /// [`Code::EnvironmentInvalid`] for what is no pointer.
    pub(crate) fn parse(text: &str) -> Result<Pattern> {
        let steps = steps(text)?;
        Ok(Pattern(
            steps.into_iter().filter(|step| step != "**").map(|step| (step != "*").then_some(step)).collect(),
        ))
    }

    /// Whether this place, or one above it, fits.
    pub(crate) fn covers(&self, place: &[&str]) -> bool {
        self.0.len() <= place.len()
            && self.0.iter().zip(place).all(|(step, at)| step.as_deref().is_none_or(|step| step == *at))
    }
}

/// The steps of a JSON pointer.
pub(crate) fn steps(pointer: &str) -> Result<Vec<String>> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        let what = format!("`{}` is not a JSON pointer", printable(pointer));
        return Err(Error::new(Code::EnvironmentInvalid, what).expected("a path such as /orders/1/status"));
    }
    Ok(pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

/// The JSON pointer of these steps.
pub(crate) fn pointer(steps: &[&str]) -> String {
    steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_cover_what_is_below() {
        let covers =
            |pattern: &str, place: &[&str]| Pattern::parse(pattern).expect("a pointer").covers(place);
        assert!(covers("/orders/*/at", &["orders", "1", "at"]));
        assert!(covers("/orders/*/at", &["orders", "1", "at", "x"]));
        assert!(covers("/orders/**", &["orders", "1"]));
        assert!(!covers("/orders/*/at", &["orders", "1"]));
        assert!(!covers("/orders/*/at", &["orders", "1", "by"]));
        assert!(covers("/a~1b", &["a/b"]));
        assert!(Pattern::parse("orders").is_err());
    }

    #[test]
    fn pointers_are_read_as_they_are_written() {
        let steps = ["a/b", "", "c~d"];
        assert_eq!(super::steps(&pointer(&steps)).expect("a pointer"), steps);
    }
}
