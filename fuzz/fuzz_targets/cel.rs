//! Any text as an expression and as a template: an error with a place, or a value within budget.
#![no_main]

use gtm_world::cel::{Expr, Scope, Template};
use gtm_world::{Budget, Limits, Value};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    let limits = Limits { fuel: 50_000, call_bytes: 1 << 20, ..Limits::default() };
    let mut scope = Scope::new(Value::from(json!({"a": 1, "b": "text", "c": [1, 2.5, "x"], "d": {"e": {"f": null}}})), 1_700_000_000);
    if let Ok(expr) = Expr::parse(text) {
        let first = expr.eval(&mut scope, &mut Budget::new(&limits));
        let second = expr.eval(&mut scope, &mut Budget::new(&limits));
        match (first, second) {
            (Ok(first), Ok(second)) => assert_eq!(first.to_json().to_string(), second.to_json().to_string()),
            (first, second) => assert!(first.is_err() && second.is_err()),
        }
    }
    if let Ok(template) = Template::parse(text) {
        let _ = template.render(&mut scope, &mut Budget::new(&limits));
    }
});
