//! Hostile specs, given to the whole program: it neither dies of them nor reaches out for them.

use crate::common::{Ran, file, folder, run};
use serde_json::{Map, Value, json};
use std::net::TcpListener;
use std::process::{Command, Stdio};

/// A list of one MCP tool that takes this schema.
fn tool(schema: &Value) -> String {
    json!({"tools": [{"name": "t", "description": "d", "inputSchema": schema}]}).to_string()
}

/// `levels` definitions, each applying the next by `shape`, under an argument.
fn chain(levels: usize, shape: impl Fn(Value) -> Value) -> Value {
    let reference = |level: usize| json!({"$ref": format!("#/$defs/n{level}")});
    let mut defs: Map<String, Value> =
        (0..levels).map(|level| (format!("n{level}"), shape(reference(level + 1)))).collect();
    defs.insert(format!("n{levels}"), json!({"type": "string"}));
    json!({"type": "object", "properties": {"a": reference(0)}, "$defs": defs})
}

/// Runs `gtm tools FILE --json` with a gibibyte of address space.
fn confined(path: &str) -> Ran {
    let script = format!("ulimit -v 1048576; exec {} tools '{path}' --json", env!("CARGO_BIN_EXE_gtm"));
    Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).output().expect("a shell").into()
}

#[test]
fn schemas_that_blow_up_are_refused_or_taken_in_little_memory() {
    let deep = format!(
        "{{\"tools\": [{{\"name\": \"t\", \"inputSchema\": {}{{}}{}}}]}}",
        r#"{"type": "object", "properties": {"a": "#.repeat(5_000),
        "}}".repeat(5_000)
    );
    let wide: Map<String, Value> = (0..50_000).map(|at| (format!("p{at}"), json!({}))).collect();
    let huge = json!({"type": "object", "properties": {"a": {
        "type": "array", "minItems": 1_000_000_000, "maxItems": 1_000_000_000, "items": {"minLength": 1_000_000_000}}}});
    // The code of the refusal; none where the tool is taken.
    let cases = [
        ("allOf", tool(&chain(40, |next| json!({"allOf": [next, next]}))), Some("GTM0104")),
        ("oneOf", tool(&chain(24, |next| json!({"oneOf": [next, next]}))), Some("GTM0104")),
        ("chain", tool(&chain(20_000, |next| next)), Some("GTM0104")),
        ("deep", deep, Some("GTM0104")),
        (
            "enum",
            tool(&json!({"properties": {"a": {"enum": (0..100_000).collect::<Vec<_>>()}}})),
            Some("GTM0104"),
        ),
        ("wide", tool(&json!({"properties": wide})), Some("GTM0104")),
        ("parens", tool(&json!({"properties": {"a": {"pattern": "(".repeat(20_000)}}})), Some("GTM0104")),
        ("circle", tool(&json!({"$ref": "#"})), Some("GTM0107")),
        ("pattern", tool(&json!({"properties": {"a": {"pattern": "(a{1,1000}){1,1000}"}}})), None),
        ("huge", tool(&huge), None),
    ];
    let folder = folder();
    for (name, text, refusal) in cases {
        let path = file(&folder, &format!("{name}.json"), &text);
        let ran = confined(&path);
        // Killed by a signal there is no code; a panic is 101, an abort in a shell 134.
        assert!(matches!(ran.code, Some(0 | 1)), "{name}: {:?} {}", ran.code, ran.err);
        let report = &ran.lines()[0];
        let said = [&report["error"]["code"], &report["skipped"][0]["reason"]];
        match refusal {
            Some(code) => {
                assert!(said.iter().any(|text| text.to_string().contains(code)), "{name}: {report}")
            }
            None => assert_eq!(
                (&report["tools"], report["skipped"].as_array().map(Vec::len)),
                (&json!(1), Some(0)),
                "{name}"
            ),
        }
    }
}

/// References to the network and to files: none is followed, each is named.
#[test]
fn references_out_of_a_document_are_not_followed() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it can be asked");
    let here = format!("http://{}/schema.json", listener.local_addr().expect("an address"));
    let folder = folder();
    file(&folder, "secret.json", r#"{"type": "string", "description": "never read"}"#);
    let outside = [
        here.as_str(),
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/hostname",
        "../secret.json",
        "secret.json",
    ];
    for reference in outside {
        let schema = json!({"type": "object", "properties": {"a": {"$ref": reference}}});
        let path = file(&folder, "spec.json", tool(&schema));
        let traced = folder.path().join("trace");
        let binary = env!("CARGO_BIN_EXE_gtm");
        let arguments = [
            "-f",
            "-qq",
            "-e",
            "trace=connect,open,openat",
            "-o",
            traced.to_str().expect("UTF-8"),
            binary,
            "tools",
            &path,
            "--json",
        ];
        let ran: Ran = match Command::new("strace").args(arguments).stdin(Stdio::null()).output() {
            Ok(output) => output.into(),
            Err(_) => {
                println!("no strace: only the port is watched");
                run(&["tools", &path, "--json"])
            }
        };
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let report = ran.json();
        let reason = report["skipped"][0]["reason"].as_str().expect("a reason");
        assert!(
            reason.contains("GTM0106") && reason.contains(reference.trim_start_matches("../")),
            "{reason}"
        );
        let trace = std::fs::read_to_string(&traced).unwrap_or_default();
        for call in trace.lines() {
            assert!(!call.contains("connect("), "{call}");
            assert!(!call.contains("secret") && !call.contains("hostname"), "{call}");
        }
        assert!(listener.accept().is_err(), "{reference} was asked for");
    }
}
