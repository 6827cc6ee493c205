//! `gtm read`: what is printed is a toolset that does the same, until it is edited.

use crate::common::{file, folder, petstore, run};
use serde_json::{Value, json};

/// The replies of some calls in one session, without what they say of where they come from.
fn replies(folder: &tempfile::TempDir, toolset: &str, calls: &[(&str, Value)]) -> Vec<Value> {
    let session = folder.path().join(format!("{}.json", toolset.replace(['/', '.'], "_")));
    let session = session.to_string_lossy().into_owned();
    let one = |(tool, arguments): &(&str, Value)| {
        let mut reply = run(&[
            "call",
            toolset,
            tool,
            &arguments.to_string(),
            "--session",
            &session,
            "--seed",
            "3",
            "--json",
        ])
        .json();
        reply["provenance"]["rung"].take();
        reply
    };
    calls.iter().map(one).collect()
}

fn calls() -> Vec<(&'static str, Value)> {
    vec![
        ("listPets", json!({"limit": 3})),
        ("listPets", json!({"status": "sold"})),
        ("createPet", json!({"name": "Rex", "category": "dog"})),
        ("getPet", json!({"petId": 999_999})),
        ("updatePet", json!({"petId": 999_999, "status": "sold"})),
        ("deletePet", json!({"petId": 999_999})),
        ("getPet", json!({"petId": 999_999})),
        ("createUser", json!({"username": "ada", "email": "ada@example.com"})),
        ("createUser", json!({"username": "ada", "email": "eve@example.com"})),
        ("getUser", json!({"username": "ada"})),
        ("placeOrder", json!({"pet_id": 1, "quantity": 2})),
        ("listOrders", json!({})),
        ("getInventory", json!({})),
        ("getPet", json!({"petId": "x"})),
    ]
}

#[test]
fn what_is_printed_does_the_same() {
    let folder = folder();
    let printed = run(&["read", &petstore()]);
    assert_eq!(printed.code, Some(0), "{}", printed.err);
    assert!(printed.out.starts_with("# What GTM understands of "));
    let toolset = file(&folder, "printed.yaml", &printed.out);
    assert_eq!(replies(&folder, &toolset, &calls()), replies(&folder, &petstore(), &calls()));
    let rung = run(&["call", &toolset, "listPets", "{}", "--json"]).json()["provenance"]["rung"].take();
    assert_eq!(rung, "user");
}

#[test]
fn what_is_printed_inline_stands_alone() {
    let folder = folder();
    let printed = run(&["read", &petstore(), "--inline"]).out;
    assert!(!printed.contains("petstore.yaml\""));
    let toolset = file(&folder, "inline.yaml", printed);
    assert_eq!(replies(&folder, &toolset, &calls()), replies(&folder, &petstore(), &calls()));
}

#[test]
fn one_tool_can_be_edited_and_the_rest_is_read_as_before() {
    let folder = folder();
    let printed = run(&["read", &petstore(), "--tool", "getPet"]).out;
    assert!(printed.contains("getPet:") && !printed.contains("createPet:"), "{printed}");
    let mut toolset = gtm_tool::parse_document(&printed, &gtm_tool::Limits::default()).expect("YAML");
    toolset["behaviors"]["getPet"] = json!({"steps": [{"reply": {"id": "args.petId", "name": "'edited'"}}]});
    let toolset = file(&folder, "edited.json", toolset.to_string());
    let get = run(&["call", &toolset, "getPet", r#"{"petId": 5}"#, "--json"]).json();
    assert_eq!(get["content"], json!({"id": 5, "name": "edited"}));
    assert_eq!(get["provenance"]["rung"], "user");
    let list = run(&["call", &toolset, "listPets", "{}", "--json"]).json();
    assert_eq!(list["provenance"]["rung"], "rules");
}

#[test]
fn a_toolset_file_gets_the_parts_to_put_into_it() {
    let folder = folder();
    let toolset = file(&folder, "t.yaml", format!("specs: [{}]\nstate: {{pets: {{}}}}\n", petstore()));
    let printed = run(&["read", &toolset]).out;
    let parts = gtm_tool::parse_document(&printed, &gtm_tool::Limits::default()).expect("YAML");
    let keys: Vec<&str> = parts.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["collections", "behaviors"]);
    let both = format!("{}{printed}", std::fs::read_to_string(&toolset).expect("written"));
    let both = file(&folder, "both.yaml", both);
    assert_eq!(run(&["tools", &both, "--json"]).json()["tools"], 16);
}

#[test]
fn directly_answered_tools_are_named_and_not_passed_off_as_behaviors() {
    let folder = folder();
    let spec = file(
        &folder,
        "s.json",
        r#"{"tools": [{"name": "zzz_frobnicate", "inputSchema": {"type": "object"}}]}"#,
    );
    let rung = run(&["call", &spec, "zzz_frobnicate", "{}", "--json"]).json()["provenance"]["rung"].take();
    assert_eq!(rung, "direct");
    let printed = run(&["read", &spec]).out;
    assert!(printed.contains("#   zzz_frobnicate"), "{printed}");
    let toolset = file(&folder, "t.yaml", printed);
    assert_eq!(
        run(&["call", &toolset, "zzz_frobnicate", "{}", "--json"]).json()["provenance"]["rung"],
        "direct"
    );
}

#[test]
fn a_tool_that_is_not_there_has_near_names() {
    let ran = run(&["read", &petstore(), "--tool", "getpets"]);
    ran.refused(2, "GTM0601");
    assert!(ran.err.contains("getPet"), "{}", ran.err);
}
