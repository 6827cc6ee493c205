//! Any bytes as JSON or YAML: an error with a place, or a document within the limits.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match gtm_tool::parse_document(bytes, &gtm_tool::Limits::default()) {
        Ok(document) => assert!(serde_json::to_string(&document).is_ok()),
        Err(error) => assert!(!error.message().is_empty()),
    }
});
