//! Toolset files: what is read, what is refused and with which words, and the published schema.

use gtm_error::Code;
use gtm_sim::{Rung, SessionOptions, Simulator, Toolset, WorldKind};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn parse(text: &str) -> gtm_error::Result<Toolset> {
    Toolset::parse(text, Path::new("nowhere"))
}

/// The published JSON Schema is the one the types make. `GTM_BLESS=1` writes it anew.
#[test]
fn the_published_schema_is_fresh() {
    let path = repository().join("docs/toolset.schema.json");
    let schema = format!("{}\n", serde_json::to_string_pretty(&Toolset::json_schema()).unwrap());
    if std::env::var_os("GTM_BLESS").is_some() {
        fs::write(&path, &schema).unwrap();
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(published == schema, "docs/toolset.schema.json is stale; run the tests with GTM_BLESS=1");
}

/// Every key of the format is explained on the reference page.
#[test]
fn the_reference_page_names_every_key() {
    let page = fs::read_to_string(repository().join("docs/toolset.md")).unwrap();
    let schema = Toolset::json_schema();
    let keys =
        |at: &str| schema.pointer(at).and_then(Json::as_object).into_iter().flatten().map(|(k, _)| k.clone());
    let mut all: Vec<String> = keys("/properties").collect();
    for part in ["Fault", "When", "Latency", "FaultError", "RateLimit", "Stale", "Truncate", "Clock"] {
        all.extend(keys(&format!("/$defs/{part}/properties")));
    }
    assert!(all.len() > 35, "{all:?}");
    for key in all {
        assert!(page.contains(&format!("`{key}`")), "docs/toolset.md does not explain `{key}`");
    }
}

/// The toolsets on the reference page work.
#[test]
fn the_examples_on_the_reference_page_load() {
    let page = fs::read_to_string(repository().join("docs/toolset.md")).unwrap();
    let mut count = 0;
    for block in page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        let toolset =
            Toolset::parse(block, &repository().join("examples")).unwrap_or_else(|e| panic!("{e}\n{block}"));
        Simulator::new(toolset).unwrap_or_else(|e| panic!("{e}\n{block}"));
        count += 1;
    }
    assert!(count >= 3, "{count}");
}

#[test]
fn mistakes_are_told_with_place_and_remedy() {
    for (text, place, words) in [
        ("specs: []\nfalts: []", "/falts", "perhaps `faults`"),
        ("specs: []\nfaults: [{error: {}, on: {nht: 3}}]", "/faults/0/on/nht", "perhaps `nth`"),
        ("specs: []\nlimits: {world: {feul: 3}}", "/limits/world/feul", "perhaps `fuel`"),
        ("specs: []\nlimits: {tool: {dept: 3}}", "/limits/tool/dept", "perhaps `depth`"),
        ("specs: []\nbehaviors: {x: {stps: []}}", "/behaviors/x/stps", "perhaps `steps`"),
        ("specs: []\nworld: shut", "/world", "one of `open`, `closed`"),
        ("specs: []\nworld: clsed", "/world", "perhaps `closed`"),
        ("specs: []\nfaults: [{error: {kind: timout}}]", "/faults/0/error/kind", "perhaps `timeout`"),
        ("specs: []\nseed: seven", "/seed", "integer"),
        ("specs: []\nfaults: [{error: {}, on: {probability: 2}}]", "/faults/0/on/probability", "at most 1"),
        ("specs: []\nstate: [1]", "/state", "object"),
        ("[1]", "/", "object"),
        ("state: {}\nstate_file: x.json", "/state_file", "one of them"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.code(), Code::ToolsetInvalid, "{text}: {error}");
        assert_eq!(error.place(), Some(place), "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    let missing = parse("specs: [no-such-file.yaml]").unwrap_err();
    assert_eq!((missing.code(), missing.place()), (Code::FileUnreadable, Some("nowhere/no-such-file.yaml")));
}

#[test]
fn behaviors_of_the_user_are_compiled_at_once_and_must_name_a_tool() {
    let tools = "tools: [{name: get_user, parameters: {type: object, properties: {}}}]\n";
    let simulator = |behaviors: &str| Simulator::new(parse(&format!("{tools}{behaviors}")).unwrap());
    let stray = simulator("behaviors: {getUsers: {steps: []}}").map(drop).unwrap_err();
    assert_eq!((stray.code(), stray.place()), (Code::ToolsetInvalid, Some("/behaviors/getUsers")));
    assert!(stray.to_string().contains("perhaps `get_user`"), "{stray}");
    let broken = simulator("behaviors: {get_user: {steps: [{reply: 'a +'}]}}").map(drop).unwrap_err();
    assert_eq!(broken.code(), Code::ExpressionInvalid);
    assert!(broken.place().is_some_and(|p| p.starts_with("/behaviors/get_user")), "{broken}");
    let own = simulator("behaviors: {get_user: {steps: [{reply: \"'mine'\"}]}}").unwrap();
    assert_eq!(own.rung("get_user"), Some(Rung::User));
}

#[test]
fn specs_and_state_are_found_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let tool = |name: &str, description: &str| json!({"tools": [{"name": name, "description": description, "inputSchema": {"type": "object", "properties": {}}}]});
    fs::create_dir(folder.path().join("more")).unwrap();
    write("a.json", &tool("ping", "one").to_string());
    write("more/b.json", &tool("pong", "two").to_string());
    write("more/c.json", &tool("ping", "one").to_string());
    write("more/notes.txt", "not a spec");
    write("state.yaml", "users: {u1: {name: Ada}}");
    write("all.yaml", "specs: [a.json, more]\nstate_file: state.yaml\nseed: 5");
    let toolset = Toolset::load(&folder.path().join("all.yaml")).unwrap();
    assert_eq!(toolset.name, "all");
    assert_eq!(toolset.tools.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["ping", "pong"]);
    assert_eq!(
        (toolset.world, toolset.state["users"]["u1"]["name"].as_str()),
        (WorldKind::Closed, Some("Ada"))
    );
    let session = Simulator::new(toolset).unwrap().open(SessionOptions::default()).unwrap();
    assert_eq!((session.seed(), session.world().is_open()), (5, false));

    let plain = Toolset::load(&folder.path().join("a.json")).unwrap();
    assert_eq!((plain.name.as_str(), plain.tools.len(), plain.world), ("a", 1, WorldKind::Open));
    let whole = Toolset::load(&folder.path().join("more")).unwrap();
    assert_eq!(whole.tools.len(), 2);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(Toolset::load(empty.path()).unwrap_err().code(), Code::FileUnreadable);
}

#[test]
fn a_session_may_bring_its_own_state_seed_world_and_faults() {
    let text = "tools: [{name: a, parameters: {type: object, properties: {}}}]";
    let simulator = Simulator::new(parse(text).unwrap()).unwrap();
    let open = |options: Json| simulator.open(serde_json::from_value(options).unwrap());
    assert!(open(json!({})).unwrap().world().is_open());
    let own = open(json!({"state": {"x": 1}, "seed": 3})).unwrap();
    assert_eq!((own.world().is_open(), own.seed(), own.state().to_json()), (false, 3, json!({"x": 1})));
    assert!(open(json!({"state": {"x": 1}, "world": "open"})).unwrap().world().is_open());
    assert_eq!(open(json!({"state": [1]})).unwrap_err().code(), Code::StateInvalid);
    assert_eq!(open(json!({"faults": [{"tool": "a"}]})).unwrap_err().code(), Code::ToolsetInvalid);
    let mut faulty = open(json!({"faults": [{"tool": "a", "error": {"kind": "timeout"}}]})).unwrap();
    let reply = simulator.call(&mut faulty, &gtm_sim::Call::new("a", json!({})));
    assert_eq!((reply.status, reply.provenance.rung), (504, Rung::Fault));
}
