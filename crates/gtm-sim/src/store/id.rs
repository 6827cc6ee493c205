//! Session ids.

use gtm_error::{Code, Error, Result, printable};
use std::fmt::Write;

/// Longest id that a client may choose, in bytes.
const MAX: usize = 80;

/// 128 random bits in hexadecimal: an id is all that a client needs to use a session, so it must
/// not be guessable.
///
/// # Errors
/// [`Code::Internal`] if the system gives no random numbers.
pub fn random() -> Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(Code::Internal, format!("the system gives no random numbers: {e}")))?;
    Ok(bytes.iter().fold(String::with_capacity(32), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    }))
}

/// Whether a client may choose this id: visible ASCII without what has a meaning in addresses.
pub(super) fn check(id: &str) -> Result<()> {
    let fine =
        |b: u8| b.is_ascii_graphic() && !matches!(b, b'/' | b'\\' | b'?' | b'#' | b'%' | b'"' | b'<' | b'>');
    if id.is_empty() || id.len() > MAX || !id.bytes().all(fine) || id.bytes().all(|b| b == b'.') {
        return Err(Error::new(
            Code::RequestMalformed,
            format!("`{}` cannot be a session id", printable(id)),
        )
        .expected(format!("1 to {MAX} visible ASCII characters other than / \\ ? # % \" < >")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_long_and_differ() {
        let (a, b) = (random().unwrap(), random().unwrap());
        assert_eq!(a.len(), 32);
        assert_ne!(a, b);
        assert!(check(&a).is_ok());
    }

    #[test]
    fn chosen_ids_are_safe_in_addresses_and_file_names() {
        for id in ["a", "det-7", "chatcmpl:9_x@Y~z.1", &"x".repeat(80)] {
            assert!(check(id).is_ok(), "{id}");
        }
        for id in ["", "..", "a/b", "a b", "ü", "a%2f", "a\n", &"x".repeat(81)] {
            assert_eq!(check(id).unwrap_err().code(), Code::RequestMalformed, "{id}");
        }
    }
}
