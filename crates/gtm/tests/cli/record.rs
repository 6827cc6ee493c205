//! `gtm record` in front of tools that nobody here wrote, and what is made of its recordings.

use crate::clients::{client, script, succeed};
use crate::common::{file, folder, gtm, petstore, root, run};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program that runs as long as the test does.
struct Running(Child);

impl Running {
    /// Tells it to stop, and waits; gives what it printed after that.
    fn stop(mut self) -> String {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        let mut rest = String::new();
        self.0.stdout.take().expect("piped").read_to_string(&mut rest).expect("text");
        assert!(self.0.wait().expect("it ends").success());
        rest
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts something that prints a line once it listens, and gives that line.
fn start(command: &mut Command) -> (Running, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
    let mut line = String::new();
    // Byte by byte, so that what comes later is left to others.
    let stdout = child.stdout.as_mut().expect("piped");
    let mut byte = [0];
    while stdout.read(&mut byte).expect("it prints") == 1 && byte[0] != b'\n' {
        line.push(char::from(byte[0]));
    }
    (Running(child), line)
}

/// The API of pets, by a server that is none of ours. `None` without Python.
fn pets() -> Option<(Running, String)> {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: python3 is not installed");
        return None;
    }
    let (server, port) = start(Command::new("python3").arg(script("pets_server.py")).arg("0"));
    Some((server, format!("127.0.0.1:{}", port.trim())))
}

/// A recorder over HTTP, and the host it listens on.
fn recorder(args: &[&str]) -> (Running, String) {
    let mut all = vec!["record", "--addr", "127.0.0.1:0", "--json"];
    all.extend(args);
    let (recorder, line) = start(&mut gtm(&all));
    let banner: Value = serde_json::from_str(&line).expect("a line of JSON");
    let address = banner["listening"].as_str().expect("an address").to_owned();
    (recorder, address.strip_prefix("http://").expect("http").to_owned())
}

/// One request over a connection of its own; the head of the answer and its body.
fn http(host: &str, method: &str, path: &str, headers: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(host.split('/').next().expect("a host")).expect("it listens");
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {host}\r\n") };
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let text = format!("{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n{length}{headers}\r\n{body}");
    stream.write_all(text.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

fn recording(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("readable");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// A recorded call: tool, arguments, response, and whether it failed.
type Recorded<'a> = (&'a str, &'a Value, &'a Value, bool);

fn calls(session: &Value) -> Vec<Recorded<'_>> {
    fn call(turn: &Value) -> Recorded<'_> {
        let name = turn["call"]["name"].as_str().expect("a name");
        (name, &turn["call"]["arguments"], &turn["response"], turn["is_error"] == true)
    }
    session["turns"].as_array().expect("turns").iter().map(call).collect()
}

/// What the notes server was asked by `notes_client.py`, and what it answered.
fn check_notes(session: &Value, key: &str) {
    assert!(session["tools"].as_array().expect("tools").iter().any(|tool| tool["name"] == "get_note"));
    let note = json!({"id": "note-1", "text": "water the plants"});
    let calls = calls(session);
    assert_eq!(calls.len(), 6);
    assert_eq!(calls[0], ("add_note", &json!({"text": "water the plants", "api_key": key}), &note, false));
    assert_eq!(calls[1], ("get_note", &json!({"id": "note-1"}), &note, false));
    assert!(calls[2].3 && calls[2].2.to_string().contains("there is no note note-9"), "{:?}", calls[2]);
    assert_eq!(calls[3], ("say", &json!({"text": "hello"}), &json!("you said hello"), false));
    let texts = json!({"content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]});
    assert_eq!((calls[4].0, calls[4].2), ("pieces", &texts));
    assert_eq!((calls[5].0, calls[5].2), ("count", &json!({"result": 3})));
}

#[test]
fn an_mcp_server_over_standard_input_and_output() {
    let Some(python) = client("mcp1/bin/python") else { return };
    let folder = folder();
    let out = folder.path().join("r.jsonl");
    let (server, user) = (script("notes_server.py"), script("notes_client.py"));
    let direct = succeed(Command::new(&python).arg(&user).arg("--").arg(&python).arg(&server));
    let through = |flags: &[&str]| {
        let mut command = Command::new(&python);
        command.arg(&user).arg("--").arg(env!("CARGO_BIN_EXE_gtm")).args(["record", "-o"]).arg(&out);
        succeed(command.args(flags).arg("--").arg(&python).arg(&server))
    };
    assert_eq!(through(&[]), direct, "the client sees the same");
    assert_eq!(through(&["--no-redact"]), direct);
    let sessions = recording(&out);
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["suite"], "notes_server");
    check_notes(&sessions[0], "[redacted]");
    check_notes(&sessions[1], "sk-very-secret");
    // A recording alone makes a toolset, which answers as the real server did.
    let toolset = file(&folder, "replay.yaml", "recordings: [r.jsonl]\n");
    let mut command = Command::new(&python);
    command.arg(&user).arg("--").arg(env!("CARGO_BIN_EXE_gtm")).args(["mcp", &toolset]);
    let replayed: Vec<Value> = serde_json::from_str(&succeed(&mut command)).expect("JSON");
    let real: Vec<Value> = serde_json::from_str(&direct).expect("JSON");
    for (at, (replayed, real)) in replayed.iter().zip(&real).enumerate().take(6) {
        let texts = if at == 0 { "" } else { "/2" };
        assert_eq!(replayed.pointer(texts), real.pointer(texts), "{at}");
    }
    assert_eq!(replayed[5], real[5], "blocks of text");
}

#[test]
fn an_mcp_server_over_http() {
    let Some(python) = client("mcp1/bin/python") else { return };
    let folder = folder();
    let out = folder.path().join("r.jsonl");
    let free =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let server = Command::new(&python)
        .arg(script("notes_server.py"))
        .arg(free.to_string())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let _server = Running(server);
    let up = (0..1_200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        TcpStream::connect(("127.0.0.1", free)).is_ok()
    });
    assert!(up, "the server listens");
    let (recorder, address) =
        recorder(&["--mcp", &format!("http://127.0.0.1:{free}/mcp"), "--out", &out.to_string_lossy()]);
    assert!(address.ends_with("/mcp"), "{address}");
    let user = |address: &str| succeed(Command::new(&python).arg(script("notes_client.py")).arg(address));
    let through: Vec<Value> = serde_json::from_str(&user(&format!("http://{address}"))).expect("JSON");
    assert_eq!(through.last(), Some(&json!(["progress", [1.0, 2.0, 3.0]])));
    let sessions = recording(&out);
    assert_eq!(sessions.len(), 1);
    check_notes(&sessions[0], "[redacted]");
    assert!(!std::fs::read_to_string(&out).expect("text").contains("secret"));
    let summary: Value = serde_json::from_str(recorder.stop().trim()).expect("JSON");
    assert_eq!(
        (&summary["calls"], &summary["sessions"], &summary["passed"]),
        (&json!(6), &json!(1), &json!(0))
    );
}

#[test]
fn an_http_api_passes_as_it_is_and_is_replayed() {
    let Some((_pets, real)) = pets() else { return };
    let folder = folder();
    let out = folder.path().join("r.jsonl");
    let spec = petstore();
    let upstream = format!("http://{real}");
    let (recorder, host) = recorder(&["--http", &upstream, "--spec", &spec, "-o", &out.to_string_lossy()]);
    let ask = |method: &str, path: &str, headers: &str, body: &str| http(&host, method, path, headers, body);

    let secret = "Authorization: Bearer sk-0123456789\r\nContent-Type: application/json\r\n";
    let (head, body) = ask("POST", "/pets", secret, r#"{"name":"Rex","category":"dog","price":2.5}"#);
    assert!(head.starts_with("HTTP/1.1 201") && head.to_lowercase().contains("x-real: yes"), "{head}");
    let pet: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(pet["seen_key"], "Bearer sk-0123456789", "traffic is as it was");
    let (head, body) = ask("GET", "/pets/100", "", "");
    assert!(head.starts_with("HTTP/1.1 200") && serde_json::from_str::<Value>(&body).expect("JSON") == pet);
    let (head, body) = ask("GET", "/pets/7", "", "");
    assert!(head.starts_with("HTTP/1.1 404") && body.contains("no pet 7"), "{head}");
    assert!(ask("DELETE", "/pets/100", "", "").0.starts_with("HTTP/1.1 204"));
    // Not in the spec: passed, not recorded.
    let (_, body) = ask("GET", "/whoami", secret, "");
    assert_eq!(serde_json::from_str::<Value>(&body).expect("JSON")["host"], real);
    assert!(ask("GET", "/stream", "", "").1.contains("line 2"));
    let (head, _) = ask("GET", "/moved", "", "");
    assert!(head.contains(&format!("http://{host}/pets")), "{head}");
    assert!(ask("HEAD", "/pets", "", "").0.starts_with("HTTP/1.1 200"));
    // Another session, and a page of another origin.
    assert!(ask("GET", "/pets", "X-Session-Id: two\r\n", "").0.starts_with("HTTP/1.1 200"));
    assert!(ask("GET", "/pets", "Host: evil.example\r\n", "").0.starts_with("HTTP/1.1 403"));
    assert!(ask("GET", "/pets", "Origin: https://evil.example\r\n", "").0.starts_with("HTTP/1.1 403"));

    let summary: Value = serde_json::from_str(recorder.stop().trim()).expect("JSON");
    assert_eq!((&summary["calls"], &summary["sessions"]), (&json!(5), &json!(2)));
    assert!(!std::fs::read_to_string(&out).expect("text").contains("sk-0123456789"));
    let sessions = recording(&out);
    let turns = sessions[0]["turns"].as_array().expect("turns");
    assert_eq!(turns.iter().map(|turn| &turn["status"]).collect::<Vec<_>>(), [201, 200, 404, 204]);
    assert_eq!(calls(&sessions[0])[1].1, &json!({"petId": 100}));

    let toolset = file(&folder, "replay.yaml", format!("specs: ['{spec}']\nrecordings: [r.jsonl]\n"));
    let session = folder.path().join("s.json").to_string_lossy().into_owned();
    let call = |tool: &str, arguments: &Value| {
        run(&["call", &toolset, tool, &arguments.to_string(), "--session", &session, "--json"]).json()
    };
    for (name, arguments, response, is_error) in calls(&sessions[0]) {
        let reply = call(name, arguments);
        assert_eq!((&reply["content"], &reply["is_error"]), (response, &json!(is_error)), "{name}");
        assert_eq!(reply["provenance"]["rung"], "replay");
    }
    let simulated = call("createPet", &json!({"name": "Ada", "category": "cat", "price": 1}));
    assert_eq!(simulated["provenance"]["rung"], "rules");
}

#[test]
fn a_real_server_that_is_slow_or_gone_does_not_hang_the_recorder() {
    let Some((pets, real)) = pets() else { return };
    let folder = folder();
    let out = folder.path().join("r.jsonl").to_string_lossy().into_owned();
    let upstream = format!("http://{real}");
    let (_recorder, host) =
        recorder(&["--http", &upstream, "--spec", &petstore(), "-o", &out, "--timeout", "1"]);
    let start = std::time::Instant::now();
    let (head, body) = http(&host, "GET", "/slow", "", "");
    assert!(head.starts_with("HTTP/1.1 502") && body.contains("GTM0108"), "{head}{body}");
    assert!(start.elapsed().as_secs() < 10);
    assert!(http(&host, "GET", "/pets", "", "").0.starts_with("HTTP/1.1 200"));
    drop(pets);
    let (head, body) = http(&host, "GET", "/pets", "", "");
    assert!(head.starts_with("HTTP/1.1 502") && body.contains("GTM0108"), "{head}{body}");
}

/// A client that speaks MCP by hand.
struct Mcp {
    child: Running,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Mcp {
    fn start(args: &[&str]) -> Mcp {
        let mut child = gtm(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let mut mcp = Mcp { child: Running(child), input, output: BufReader::new(output) };
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        mcp.ask(0, "initialize", hello);
        mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        mcp
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input, "{message}").expect("sent");
    }

    fn ask(&mut self, id: u32, method: &str, params: Value) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let mut line = String::new();
        self.output.read_line(&mut line).expect("answered");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }
}

#[test]
fn a_recorder_that_is_killed_has_every_call_that_was_answered() {
    let folder = folder();
    let out = folder.path().join("r.jsonl");
    let (server, path) = (env!("CARGO_BIN_EXE_gtm"), out.to_string_lossy().into_owned());
    let spec = petstore();
    for round in 1..=3 {
        // The tools are never asked for: the recorder does that.
        let mut client = Mcp::start(&["record", "-o", &path, "--", server, "mcp", &spec]);
        for n in 1..=20 {
            let pet = json!({"name": format!("p{n}"), "category": "dog", "price": n});
            let answer = client.ask(n, "tools/call", json!({"name": "createPet", "arguments": pet}));
            assert_eq!(answer["result"]["structuredContent"]["id"], n);
        }
        // Killed with a call under way.
        client.send(&json!({"jsonrpc": "2.0", "id": 99, "method": "tools/call", "params": {"name": "listPets", "arguments": {}}}));
        client.child.0.kill().expect("killed");
        client.child.0.wait().expect("gone");
        let sessions = gtm_sim::recording::read_recordings(&out).expect("readable");
        assert_eq!(sessions.len(), round);
        for session in &sessions {
            assert!((20..=21).contains(&session.turns.len()), "{}", session.turns.len());
            assert_eq!(session.tools.len(), 16);
        }
    }
}

#[test]
fn chosen_tools_are_asked_for_real() {
    let Some((_pets, real)) = pets() else { return };
    let folder = folder();
    let text = format!(
        "specs: ['{}']\nlive:\n  - {{tools: [createPet, getPet], http: 'http://{real}', headers: {{Authorization: 'Bearer ${{PET_KEY}}'}}}}\n",
        petstore()
    );
    let toolset = file(&folder, "live.yaml", text);
    let session = folder.path().join("s.json").to_string_lossy().into_owned();
    let call = |flags: &[&str], tool: &str, arguments: Value| {
        let arguments = arguments.to_string();
        let mut all = vec!["call", &toolset, tool, &arguments, "--session", &session, "--json"];
        all.extend(flags);
        let output = gtm(&all).env("PET_KEY", "sk-live").output().expect("it runs");
        serde_json::from_slice::<Value>(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    };
    let made = call(&["--live"], "createPet", json!({"name": "Rex", "category": "dog", "price": 3}));
    assert_eq!(
        (&made["provenance"]["rung"], &made["content"]["seen_key"]),
        (&json!("live"), &json!("Bearer sk-live"))
    );
    let missing = call(&["--live"], "getPet", json!({"petId": 7}));
    assert_eq!((&missing["is_error"], &missing["content"]["message"]), (&json!(true), &json!("no pet 7")));
    // The rest is simulated, and knows the real pet.
    let listed = call(&["--live"], "listPets", json!({}));
    assert_eq!(listed["provenance"]["rung"], "rules");
    assert!(listed["content"].to_string().contains("\"id\":100"), "{listed}");
    // Without the flag nothing is asked.
    let simulated = call(&[], "createPet", json!({"name": "Ada", "category": "cat", "price": 3}));
    assert_eq!(simulated["provenance"]["rung"], "rules");
}

#[test]
fn chosen_tools_are_asked_for_real_by_a_server() {
    let Some((pets, real)) = pets() else { return };
    let folder = folder();
    let text = format!(
        "specs: ['{}']\nlive:\n  - {{tools: [createPet, getPet], http: 'http://{real}'}}\n",
        petstore()
    );
    let server = crate::common::Server::start(&[&file(&folder, "shop.yaml", text), "--live"]);
    assert_eq!(server.json("POST", "/v1/sessions", r#"{"id":"a"}"#).0, 201);
    let call = |tool: &str, arguments: Value| {
        let body = json!({"tool": tool, "arguments": arguments}).to_string();
        server.json("POST", "/v1/sessions/a/call", &body)
    };
    let (status, made) = call("createPet", json!({"name": "Rex", "category": "dog", "price": 3}));
    assert_eq!(
        (status, &made["provenance"]["rung"], &made["content"]["id"]),
        (200, &json!("live"), &json!(100))
    );
    // At the API's own path, a real pet and a simulated list that knows it.
    let (status, pet) = server.json("GET", "/r/a/pets/100", "");
    assert_eq!((status, &pet["name"]), (200, &json!("Rex")));
    assert!(server.json("GET", "/r/a/pets", "").1.to_string().contains("\"id\":100"));
    let batch =
        json!({"calls": [{"tool": "getPet", "arguments": {"petId": 7}}, {"tool": "listPets"}]}).to_string();
    let (_, replies) = server.json("POST", "/v1/sessions/a/call_batch", &batch);
    let rungs = [&replies["replies"][0]["provenance"]["rung"], &replies["replies"][1]["provenance"]["rung"]];
    assert_eq!(rungs, [&json!("live"), &json!("rules")], "{replies}");
    // Nothing has happened where the real tool does not answer.
    let turns = |server: &crate::common::Server| server.json("GET", "/v1/sessions/a", "").1["turns"].clone();
    let before = turns(&server);
    drop(pets);
    let (status, problem) = call("getPet", json!({"petId": 100}));
    assert_eq!((status, &problem["code"]), (502, &json!("GTM0108")), "{problem}");
    assert_eq!(turns(&server), before);
}

#[test]
fn what_cannot_be_recorded_is_refused_before_anything_happens() {
    let folder = folder();
    let out = folder.path().join("r.jsonl").to_string_lossy().into_owned();
    let notes = file(&folder, "notes.txt", "my notes");
    let spec = petstore();
    let tools = root().join("tests/clients/conformance.yaml").to_string_lossy().into_owned();
    for (args, code, error) in [
        (vec!["record"], 2, "GTM0601"),
        (vec!["record", "-o", &out, "--mcp", "nonsense"], 2, "GTM0601"),
        (vec!["record", "-o", &out, "--http", "ftp://x", "--spec", &spec], 2, "GTM0601"),
        (vec!["record", "-o", &out, "--http", "http://x", "--spec", &tools], 2, "GTM0601"),
        (vec!["record", "-o", &notes, "--", "true"], 2, "GTM0601"),
        (vec!["record", "-o", "/nowhere/r.jsonl", "--", "true"], 3, "GTM0501"),
        (vec!["record", "-o", &out, "--", "/no/such/program"], 3, "GTM0108"),
        (vec!["record", "-o", &out, "--", "false"], 3, "GTM0108"),
        (vec!["record", "-o", &out, "--addr", "0.0.0.0:0", "--mcp", "http://127.0.0.1:1/mcp"], 3, "GTM0409"),
    ] {
        // Standard input stays open, as a client's would.
        let child = gtm(&args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("it runs");
        let input = child.stdin.take();
        let ran = crate::common::Ran::from(child.wait_with_output().expect("it ends"));
        drop(input);
        ran.refused(code, error);
    }
    assert_eq!(std::fs::read_to_string(notes).expect("text"), "my notes");
}
