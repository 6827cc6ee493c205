//! The commands about GTM itself, and manners: pipes, help, completions.

use crate::common::{file, folder, gtm, petstore, run};
use serde_json::{Value, json};
use std::io::Read;
use std::process::Stdio;

#[test]
fn codes_are_explained() {
    let ran = run(&["explain", "gtm0106"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.starts_with("GTM0106: ") && ran.out.contains("What to do: "), "{}", ran.out);
    assert_eq!(run(&["explain", "106"]).out, ran.out);
    let row = run(&["explain", "GTM0106", "--json"]).json();
    for key in ["code", "title", "explain", "advice", "http_status"] {
        assert!(row.get(key).is_some(), "{key}");
    }
    let list = run(&["explain", "--list"]);
    assert_eq!(list.out.lines().count(), gtm_error::Code::ALL.len());
    run(&["explain", "GTM0199"]).refused(2, "GTM0601");
    assert_eq!(run(&["explain"]).code, Some(2));
}

#[test]
fn completions_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = run(&["completions", shell]);
        assert_eq!(ran.code, Some(0));
        assert!(ran.out.contains("serve") && ran.out.contains("max-sessions"), "{shell}");
    }
}

#[test]
fn schemas_are_valid_and_fit_what_is_printed() {
    let schema = |of: &str| serde_json::from_str::<Value>(&run(&["schema", of]).out).expect("JSON");
    let limits = gtm_tool::Limits::default();
    let toolset = gtm_tool::Checker::new(&schema("toolset"), &limits).expect("a schema");
    let behavior = gtm_tool::Checker::new(&schema("behavior"), &limits).expect("a schema");
    let yaml = run(&["read", &petstore()]).out;
    let printed = gtm_tool::parse_document(yaml, &limits).expect("YAML");
    assert!(toolset.check(&printed).is_ok());
    assert!(behavior.check(&run(&["read", &petstore(), "--json"]).json()).is_ok());
    assert!(toolset.check(&json!({"specs": 1})).is_err());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut child =
        gtm(&["read", &petstore()]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    // Closed before anything is read.
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(err, "");
}

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let ran = run(&["--help"]);
    assert_eq!(ran.code, Some(0));
    for word in
        ["tools", "try", "call", "read", "serve", "mcp", "explain", "schema", "completions", "Exit codes"]
    {
        assert!(ran.out.contains(word), "{word}");
    }
    assert!(run(&["--version"]).out.starts_with("gtm "));
    let wrong = run(&["serv"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("serve"), "{}", wrong.err);
}

#[test]
fn try_shows_the_life_of_a_record() {
    let ran = run(&["try", &petstore(), "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let steps = ran.lines();
    let tools: Vec<&str> = steps.iter().filter_map(|s| s["call"]["tool"].as_str()).collect();
    assert_eq!(tools, ["createPet", "getPet", "listPets", "updatePet", "createPet", "deletePet", "getPet"]);
    let failed: Vec<bool> = steps.iter().filter_map(|s| s["reply"]["is_error"].as_bool()).collect();
    assert_eq!(failed, [false, false, false, false, true, false, true]);
    let created = &steps[0]["reply"]["content"];
    assert_eq!(&steps[1]["reply"]["content"], created);
    let rows = steps[2]["reply"]["content"]["items"].as_array().expect("rows");
    assert!(rows.contains(created));
    assert_eq!(steps[6]["reply"]["error"]["kind"], "not_found");
    assert_eq!(run(&["try", &petstore(), "--json"]).out, ran.out);
    let shown = run(&["try", &petstore()]);
    assert!(shown.out.contains("1. createPet ") && shown.out.contains("next: gtm call "), "{}", shown.out);
}

#[test]
fn try_finds_something_to_call_in_any_spec() {
    let folder = folder();
    let spec = file(
        &folder,
        "f.json",
        r#"[{"type": "function", "function": {"name": "get_weather", "description": "Weather of a city",
            "parameters": {"type": "object", "required": ["days"], "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}}}]"#,
    );
    let steps = run(&["try", &spec, "--json"]).lines();
    let failed: Vec<bool> = steps.iter().filter_map(|s| s["reply"]["is_error"].as_bool()).collect();
    assert_eq!(failed, [false, true]);
    let empty = file(&folder, "e.json", r#"{"tools": []}"#);
    let ran = run(&["try", &empty]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.contains("There is no tool to call."), "{}", ran.out);
}
