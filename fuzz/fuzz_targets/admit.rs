//! Any JSON as a schema, checked against any JSON (the two are split by a zero byte): a schema is
//! refused with a reason or compiles, and checking ends.
#![no_main]

use gtm_tool::{Checker, Limits};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.split(|byte| *byte == 0);
    let (schema, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Ok(schema) = serde_json::from_slice::<Value>(schema) else { return };
    let limits = Limits::default();
    if let Err(error) = gtm_tool::admit(&schema, &limits) {
        assert!(!error.message().is_empty());
    }
    match Checker::new(&schema, &limits) {
        Ok(checker) => {
            let value = serde_json::from_slice::<Value>(value).unwrap_or_default();
            let first = checker.check(&value);
            assert_eq!(first.is_ok(), checker.check(&value).is_ok());
            if let Err(violation) = first {
                assert!(!violation.message.is_empty());
            }
        }
        Err(error) => assert!(!error.message().is_empty()),
    }
});
