//! Clients that nobody here wrote, against the running binary. `tests/clients/setup.sh` installs
//! them; what is not installed is skipped, with the reason printed.

use crate::common::{Server, file, folder, petstore, root, run};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// A program installed by `tests/clients/setup.sh`, or `None` with a printed reason.
pub(crate) fn client(path: &str) -> Option<PathBuf> {
    let path = root().join("target/clients").join(path);
    if !path.exists() {
        println!("skipped: {} is not installed; run tests/clients/setup.sh", path.display());
        return None;
    }
    Some(path)
}

/// Runs a script to its end, which must be a good one; gives its output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the client runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

pub(crate) fn script(name: &str) -> PathBuf {
    root().join("tests/clients").join(name)
}

#[test]
fn the_python_mcp_sdk_of_the_previous_revision() {
    let Some(python) = client("mcp1/bin/python") else { return };
    let server = Server::start(&[&petstore()]);
    succeed(Command::new(python).arg(script("mcp_v1.py")).arg(server.url("")));
}

#[test]
fn the_python_mcp_sdk_of_the_current_revision() {
    let Some(python) = client("mcp2/bin/python") else { return };
    let server = Server::start(&[&petstore()]);
    succeed(Command::new(python).arg(script("mcp_v2.py")).arg(server.url("")));
}

#[test]
fn an_http_client_generated_from_the_spec() {
    let Some(python) = client("rest/bin/python") else { return };
    let server = Server::start(&[&petstore()]);
    let work = folder();
    succeed(
        Command::new(python)
            .arg(script("rest_client.py"))
            .arg(petstore())
            .arg(server.url(""))
            .arg(work.path().join("client")),
    );
}

#[test]
fn tools_as_the_openai_sdk_writes_them() {
    let Some(python) = client("openai/bin/python") else { return };
    let tools = succeed(Command::new(python).arg(script("openai_tools.py")));
    let folder = folder();
    let (spec, session) = (file(&folder, "tools.json", tools), folder.path().join("session.json"));
    let session = session.to_string_lossy().into_owned();
    let call = |tool: &str, arguments: serde_json::Value| {
        run(&["call", &spec, tool, &arguments.to_string(), "--session", &session, "--json"]).json()
    };
    let made = call("create_task", json!({"title": "Water the plants", "priority": "high"}));
    assert_eq!(made["is_error"], false, "{made}");
    let listed = call("list_tasks", json!({}));
    assert!(listed["content"].to_string().contains("Water the plants"), "{listed}");
    let wrong = call("create_task", json!({"title": "x", "priority": "urgent"}));
    assert_eq!((&wrong["is_error"], &wrong["error"]["path"]), (&json!(true), &json!("/priority")), "{wrong}");
}

/// Checks of the suite that need a fixture tool which uses what a simulated tool never uses: a
/// capability of the client, requests of its own on the stream, log messages.
const NOT_APPLICABLE: [&str; 4] = [
    "sep-2575-server-rejects-undeclared-capability",
    "sep-2575-missing-capability-http-400",
    "sep-2575-http-server-no-independent-requests-on-stream",
    "sep-2575-server-no-log-without-loglevel",
];

/// The suite's scenarios about tools and transport, in the current and the previous revision. The
/// other scenarios are about resources, prompts and the like, which a simulator of tools lacks.
#[test]
fn the_mcp_conformance_suite() {
    let (Some(node), Some(suite)) = (
        client("node/node_modules/.bin/node"),
        client("node/node_modules/@modelcontextprotocol/conformance/dist/index.js"),
    ) else {
        return;
    };
    let server = Server::start(&[&script("conformance.yaml").to_string_lossy()]);
    let failures = |scenario: &str, revision: &str| -> BTreeSet<String> {
        let output = Command::new(&node)
            .arg(&suite)
            .args(["server", "--url", &server.url("/s/conformance/mcp")])
            .args(["--scenario", scenario, "--spec-version", revision])
            .output()
            .expect("the suite runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let passed = text.lines().find(|line| line.starts_with("Passed: ")).expect("a result");
        println!("{scenario} {revision}: {passed}");
        // `TIME [CHECK   ] FAILURE description`
        let failed = text.lines().filter(|line| line.contains("FAILURE"));
        failed
            .filter_map(|line| Some(line.split(" [").nth(1)?.split([' ', ']']).next()?.to_owned()))
            .collect()
    };
    let previous = ["server-initialize", "ping", "server-session-lifecycle"];
    let current = ["http-header-validation"];
    let both = [
        "tools-list",
        "tools-call-simple-text",
        "tools-call-error",
        "json-schema-2020-12",
        "dns-rebinding-protection",
    ];
    for (scenarios, revision) in [(previous.as_slice(), "2025-11-25"), (&current, "2026-07-28")] {
        for scenario in scenarios.iter().chain(&both) {
            assert_eq!(failures(scenario, revision), BTreeSet::new(), "{scenario} {revision}");
        }
    }
    let stateless = failures("server-stateless", "2026-07-28");
    assert_eq!(stateless, NOT_APPLICABLE.map(String::from).into());
}
