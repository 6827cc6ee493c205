//! `docs/environment.schema.json` is made from the types. `GTM_BLESS=1` writes it anew.

mod support;

use gtm_env::EnvironmentFile;

#[test]
fn the_published_schema_is_current() {
    let path = support::file("docs/environment.schema.json");
    let schema = serde_json::to_string_pretty(&EnvironmentFile::json_schema()).expect("JSON") + "\n";
    if std::env::var_os("GTM_BLESS").is_some() {
        std::fs::write(&path, &schema).expect("the schema is written");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == schema, "docs/environment.schema.json is stale; run the tests with GTM_BLESS=1");
}

/// The schema admits what the format's own types write.
#[test]
fn files_and_types_agree() {
    let limits = gtm_tool::Limits::default();
    let text = std::fs::read(support::file("examples/travel.yaml")).expect("the example");
    let document = gtm_tool::parse_document(text, &limits).expect("YAML");
    let file: EnvironmentFile = serde_json::from_value(document).expect("an environment");
    let written = serde_json::to_value(&file).expect("JSON");
    let checker = gtm_tool::Checker::new(&EnvironmentFile::json_schema(), &limits).expect("a schema");
    assert_eq!(checker.check(&written).map_err(|v| v.message), Ok(()));
}
