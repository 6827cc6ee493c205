//! Any JSON as a schema, checked against any JSON: what is admitted compiles or is refused with a
//! reason, and checking ends.
#![no_main]

use gtm_tool::{Checker, Limits};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|texts: (&str, &str)| {
    let Ok(schema) = serde_json::from_str::<Value>(texts.0) else { return };
    let limits = Limits::default();
    let admitted = gtm_tool::admit(&schema, &limits);
    if let Ok(checker) = Checker::new(&schema, &limits) {
        assert!(admitted.is_ok() || gtm_tool::admit(&gtm_tool::normalise(schema, gtm_tool::Dialect::JsonSchema), &limits).is_ok());
        let value = serde_json::from_str::<Value>(texts.1).unwrap_or(Value::Null);
        if let Err(violation) = checker.check(&value) {
            assert!(!violation.message.is_empty());
        }
    }
});
