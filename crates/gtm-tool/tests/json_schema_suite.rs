//! The official JSON Schema test suite (draft 2020-12, required part) through [`Checker`].

mod common;

use gtm_tool::{Checker, Limits};
use serde_json::Value;
use std::collections::BTreeSet;

/// Groups that come out otherwise because they need another document. Both a new failure and a
/// stale entry fail the test.
const NEED_ANOTHER_DOCUMENT: &[&str] = &[
    "defs: validate definition against metaschema",
    "dynamicRef: $ref and $dynamicAnchor are independent of order - $defs first",
    "dynamicRef: $ref and $dynamicAnchor are independent of order - $ref first",
    "dynamicRef: $ref to $dynamicRef finds detached $dynamicAnchor",
    "dynamicRef: strict-tree schema, guards against misspelled properties",
    "dynamicRef: tests for implementation dynamic anchor and reference link",
    "ref: remote ref, containing refs itself",
    "refRemote: $ref to $ref finds detached $anchor",
    "refRemote: Location-independent identifier in remote ref",
    "refRemote: anchor within remote ref",
    "refRemote: base URI change",
    "refRemote: base URI change - change folder",
    "refRemote: base URI change - change folder in subschema",
    "refRemote: fragment within remote ref",
    "refRemote: ref within remote ref",
    "refRemote: remote HTTP ref with different $id",
    "refRemote: remote HTTP ref with different URN $id",
    "refRemote: remote HTTP ref with nested absolute ref",
    "refRemote: remote ref",
    "refRemote: remote ref with ref to defs",
    "refRemote: retrieved nested refs resolve relative to their URI not $id",
    "refRemote: root ref in remote ref",
    "vocabulary: schema that uses custom metaschema with with no validation vocabulary",
];

/// The same because parts of the schema have identifiers of their own (`$id`) and are referred to
/// by them. The gate allows only `#` references: an address in a spec is refused, not interpreted.
const REFER_BY_IDENTIFIER: &[&str] = &[
    "anchor: Location-independent identifier with absolute URI",
    "anchor: Location-independent identifier with base URI change in subschema",
    "anchor: same $anchor with different base uri",
    "dynamicRef: $dynamicRef avoids the root of each schema, but scopes are still registered",
    "dynamicRef: $dynamicRef skips over intermediate resources - direct reference",
    "dynamicRef: A $dynamicRef resolves to the first $dynamicAnchor still in scope that is encountered when the schema is evaluated",
    "dynamicRef: A $dynamicRef that initially resolves to a schema with a matching $dynamicAnchor resolves to the first $dynamicAnchor in the dynamic scope",
    "dynamicRef: A $dynamicRef that initially resolves to a schema without a matching $dynamicAnchor behaves like a normal $ref to $anchor",
    "dynamicRef: A $dynamicRef with a non-matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
    "dynamicRef: A $dynamicRef with intermediate scopes that don't include a matching $dynamicAnchor does not affect dynamic scope resolution",
    "dynamicRef: A $dynamicRef without a matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
    "dynamicRef: A $dynamicRef without anchor in fragment behaves identical to $ref",
    "dynamicRef: An $anchor with the same name as a $dynamicAnchor is not used for dynamic scope resolution",
    "dynamicRef: after leaving a dynamic scope, it is not used by a $dynamicRef",
    "dynamicRef: multiple dynamic paths to the $dynamicRef keyword",
    "ref: $id must be resolved against nearest parent, not just immediate parent",
    "ref: Recursive references between schemas",
    "ref: URN base URI with URN and JSON pointer ref",
    "ref: URN base URI with URN and anchor ref",
    "ref: URN ref with nested pointer ref",
    "ref: order of evaluation: $id and $anchor and $ref",
    "ref: order of evaluation: $id and $ref",
    "ref: order of evaluation: $id and $ref on nested schema",
    "ref: ref to else",
    "ref: ref to if",
    "ref: ref to then",
    "ref: ref with absolute-path-reference",
    "ref: refs with relative uris and defs",
    "ref: relative refs with absolute uris and defs",
    "ref: simple URN base URI with $ref via the URN",
    "unevaluatedItems: unevaluatedItems with $dynamicRef",
    "unevaluatedProperties: unevaluatedProperties with $dynamicRef",
];

#[test]
fn required_tests_of_draft_2020_12() {
    let Some(files) = common::unpack("json-schema-test-suite.tar.zst") else { return };
    let limits = Limits::default();
    let (mut passed, mut total) = (0, 0);
    let mut failed = BTreeSet::new();
    for (path, bytes) in files {
        let Some((_, name)) = path.split_once("tests/draft2020-12/") else { continue };
        if name.contains('/') || !name.ends_with(".json") {
            continue;
        }
        let groups: Vec<Value> = serde_json::from_slice(&bytes).expect("the suite is JSON");
        for group in groups {
            let id = format!(
                "{}: {}",
                name.trim_end_matches(".json"),
                group["description"].as_str().unwrap_or_default()
            );
            let checker = Checker::new(&group["schema"], &limits);
            for test in group["tests"].as_array().into_iter().flatten() {
                total += 1;
                let valid = checker.as_ref().map(|c| c.check(&test["data"]).is_ok()).ok();
                if valid == test["valid"].as_bool() {
                    passed += 1;
                } else {
                    let why = checker.as_ref().err().map(|e| format!("{}: {}", e.code().id(), e.message()));
                    println!("{id} / {}: {}", test["description"], why.as_deref().unwrap_or("wrong answer"));
                    failed.insert(id.clone());
                }
            }
        }
    }
    println!("{passed} of {total} tests pass; {} groups are known exceptions", failed.len());
    assert!(total > 1_000, "the suite was not found in the archive");
    let known: BTreeSet<String> =
        NEED_ANOTHER_DOCUMENT.iter().chain(REFER_BY_IDENTIFIER).map(|&id| id.to_owned()).collect();
    let new: Vec<_> = failed.difference(&known).collect();
    let stale: Vec<_> = known.difference(&failed).collect();
    assert!(new.is_empty(), "new failures: {new:#?}");
    assert!(stale.is_empty(), "no longer failing: {stale:#?}");
}

/// The validator behind the gate, with the settings of [`Checker`] but for the other documents
/// that the suite lays out: nothing fails.
#[test]
fn the_validator_itself_passes_every_required_test() {
    let Some(files) = common::unpack("json-schema-test-suite.tar.zst") else { return };
    let mut registry = jsonschema::Registry::new();
    for (path, bytes) in &files {
        let Some((_, name)) = path.split_once("remotes/") else { continue };
        let old = ["draft3", "draft4", "draft6", "draft7", "draft2019-09", "v1"];
        if !name.ends_with(".json") || old.iter().any(|draft| name.starts_with(draft)) {
            continue;
        }
        let document: Value = serde_json::from_slice(bytes).expect("the suite is JSON");
        let resource = jsonschema::Draft::Draft202012.create_resource(document);
        registry = registry.add(format!("http://localhost:1234/{name}"), resource).expect("a valid address");
    }
    let registry = registry.prepare().expect("the suite's documents");
    let (mut total, mut failed) = (0, Vec::new());
    for (path, bytes) in &files {
        let Some((_, name)) = path.split_once("tests/draft2020-12/") else { continue };
        if name.contains('/') || !name.ends_with(".json") {
            continue;
        }
        let groups: Vec<Value> = serde_json::from_slice(bytes).expect("the suite is JSON");
        for group in groups {
            // The draft is the one thing not set: a group may name a metaschema of its own.
            let validator = jsonschema::options()
                .with_registry(&registry)
                .should_validate_formats(false)
                .build(&group["schema"]);
            for test in group["tests"].as_array().into_iter().flatten() {
                total += 1;
                let valid = validator.as_ref().map(|v| v.is_valid(&test["data"])).ok();
                if valid != test["valid"].as_bool() {
                    failed.push(format!("{name}: {} / {}", group["description"], test["description"]));
                }
            }
        }
    }
    println!("{} of {total} tests pass", total - failed.len());
    assert!(total > 1_000 && failed.is_empty(), "{failed:#?}");
}
