//! The function table is documentation, so its examples must be true and its page current.

use gtm_world::cel::{Expr, Function, Scope, reference};
use gtm_world::{Budget, Limits, Value};
use std::collections::HashSet;

/// 2024-03-05T10:20:30Z
const NOW: i64 = 1_709_634_030;

#[test]
fn examples_are_true() {
    let scope = Scope::new(Value::map(), NOW);
    let mut wrong = Vec::new();
    for function in Function::all() {
        let (example, expected) = function.example();
        let outcome = Expr::parse(example).map_err(|error| error.to_string()).and_then(|expr| {
            let value = expr.eval(&scope, &mut Budget::new(&Limits::default()));
            value.map(|value| value.to_json().to_string()).map_err(|error| error.to_string())
        });
        if outcome.as_deref() != Ok(expected) {
            wrong.push(format!("{example}: expected {expected}, got {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_unique_and_examples_use_them() {
    let mut seen = HashSet::new();
    for function in Function::all() {
        let (example, _) = function.example();
        assert!(example.contains(function.name()), "{} is not in its example", function.name());
        assert!(function.signature().contains(" -> "), "{}", function.signature());
        for alias in function.aliases() {
            assert!(seen.insert(*alias), "{alias} is declared twice");
        }
        // A name may have several arities, but no alias may hide a function.
        assert!(function.aliases().iter().all(|alias| *alias != function.name()));
    }
    assert!(Function::all().all(|function| !seen.contains(function.name())));
}

#[test]
fn page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/functions.md");
    let page = reference();
    if std::env::var_os("GTM_BLESS").is_some() {
        std::fs::write(path, &page).expect("docs/ can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/functions.md is stale: GTM_BLESS=1 cargo test -p gtm-world --test cel_reference"
    );
}
