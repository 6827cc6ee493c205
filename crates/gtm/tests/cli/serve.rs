//! `gtm serve` and `gtm mcp`, and taking tools from live servers: ours are at hand.

use crate::common::{Server, file, folder, gtm, petstore, run, run_with};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn a_server_says_where_it_is_and_what_it_takes() {
    let mut server = Server::start(&[&petstore(), "--ttl", "60", "--max-sessions", "5"]);
    while !server.banner.contains("curl") {
        let mut line = String::new();
        assert_ne!(server.stdout.read_line(&mut line).expect("it prints"), 0, "{}", server.banner);
        server.banner.push_str(&line);
    }
    let base = server.url("");
    for part in [
        "petstore (16 tools)".to_owned(),
        format!("{base}/mcp"),
        format!("{base}/rest/"),
        format!("{base}/openapi.json"),
        "5 sessions, idle for at most 60 s".into(),
        "gone after a restart".into(),
        format!("\"url\": \"{base}/s/demo/mcp\""),
    ] {
        assert!(server.banner.contains(&part), "{part} in {}", server.banner);
    }
}

#[test]
fn sessions_answer_over_http_and_rest_alike() {
    let server = Server::start(&[&petstore()]);
    let (status, created) = server.json("POST", "/v1/sessions", r#"{"id": "one", "seed": 7}"#);
    assert_eq!((status, &created["id"]), (201, &json!("one")));
    let call = json!({"tool": "createPet", "arguments": {"name": "Rex", "category": "dog"}}).to_string();
    let (status, reply) = server.json("POST", "/v1/sessions/one/call", &call);
    assert_eq!((status, &reply["content"]["name"]), (200, &json!("Rex")));
    let path = format!("/r/one/api/v1/pets/{}", reply["content"]["id"]);
    let (status, pet) = server.json("GET", &path, "");
    assert_eq!((status, &pet), (200, &reply["content"]));
    assert_eq!(server.request("DELETE", &path, &[], "").0, 204);
    assert_eq!(server.json("GET", &path, "").0, 404);
}

#[test]
fn a_key_is_asked_for() {
    let server = Server::start(&[&petstore(), "--api-key", "secret"]);
    assert_eq!(server.json("POST", "/v1/sessions", "{}").0, 401);
    let headers = [("Authorization", "Bearer secret"), ("Content-Type", "application/json")];
    assert_eq!(server.request("POST", "/v1/sessions", &headers, "{}").0, 201);
    assert_eq!(server.json("GET", "/health", "").0, 200);
    assert!(!server.banner.contains("secret"));
}

#[test]
fn with_a_data_folder_sessions_outlive_the_process() {
    let folder = folder();
    let data = folder.path().join("data").to_string_lossy().into_owned();
    let call = json!({"tool": "createUser", "arguments": {"username": "ada", "email": "ada@example.com"}})
        .to_string();
    {
        let server = Server::start(&[&petstore(), "--data", &data, "--fsync"]);
        assert_eq!(server.json("POST", "/v1/sessions", r#"{"id": "kept"}"#).0, 201);
        assert_eq!(server.json("POST", "/v1/sessions/kept/call", &call).0, 200);
        // Killed, not asked to stop.
    }
    let server = Server::start(&[&petstore(), "--data", &data]);
    let get = json!({"tool": "getUser", "arguments": {"username": "ada"}}).to_string();
    let (status, reply) = server.json("POST", "/v1/sessions/kept/call", &get);
    assert_eq!((status, &reply["content"]["email"]), (200, &json!("ada@example.com")));
}

#[cfg(unix)]
#[test]
fn told_to_stop_it_finishes_and_ends_well() {
    let mut server = Server::start(&[&petstore()]);
    let mut idle = TcpStream::connect(&server.host).expect("it listens");
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n").expect("half a request");
    let pid = server.child.id().to_string();
    let start = Instant::now();
    let kill = std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill is here");
    assert!(kill.success());
    let status = loop {
        if let Some(status) = server.child.try_wait().expect("a child") {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(15), "it does not stop");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
    assert!(TcpStream::connect(&server.host).is_err());
}

#[test]
fn what_cannot_be_served_is_refused_before_anything_listens() {
    run(&["serve"]).refused(2, "GTM0601");
    run(&["serve", &petstore(), "--addr", "0.0.0.0:0"]).refused(3, "GTM0409");
    run(&["serve", &petstore(), "--addr", "0.0.0.0:0", "--allow-remote"]).refused(3, "GTM0409");
    run(&["serve", &petstore(), "--addr", "nonsense"]).refused(2, "GTM0601");
    run(&["serve", &petstore(), &petstore()]).refused(2, "GTM0206");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = taken.local_addr().expect("an address").to_string();
    run(&["serve", &petstore(), "--addr", &addr]).refused(3, "GTM0409");
    assert_eq!(run(&["serve", &petstore(), "--fsync"]).code, Some(2));
    assert_eq!(run(&["serve", &petstore(), "--api-key", ""]).code, Some(2));
}

const HELLO: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","#,
    r#""capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#,
    "\n",
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    "\n"
);

#[test]
fn mcp_over_standard_input_and_output() {
    let mut child = gtm(&["mcp", &petstore()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut input = child.stdin.take().expect("piped");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut answer = || {
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        serde_json::from_str::<Value>(&line).expect("nothing but JSON on standard output")
    };
    input.write_all(HELLO.as_bytes()).expect("sent");
    let hello = answer();
    assert_eq!(hello["id"], 1);
    assert!(hello["result"]["capabilities"]["tools"].is_object(), "{hello}");
    writeln!(input, r#"{{"jsonrpc":"2.0","id":2,"method":"tools/list"}}"#).expect("sent");
    let tools = answer();
    assert_eq!(tools["result"]["tools"].as_array().map(Vec::len), Some(16));
    let mut call = |id: u32, tool: &str, arguments: Value| {
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
        writeln!(input, "{call}").expect("sent");
        let reply = answer();
        assert_eq!(reply["id"], id);
        reply["result"].clone()
    };
    let created = call(3, "createPet", json!({"name": "Rex", "category": "dog"}));
    assert_ne!(created["isError"], true, "{created}");
    let text = created["content"][0]["text"].as_str().expect("text");
    let pet: Value = serde_json::from_str(text).expect("the reply as JSON");
    let got = call(4, "getPet", json!({"petId": pet["id"]}));
    assert_eq!(got["content"], created["content"]);
    assert_eq!(call(5, "getPet", json!({"petId": "nonsense"}))["isError"], true);
    drop(input);
    let output = child.wait_with_output().expect("it ends with its input");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn mcp_goes_on_with_a_session_file() {
    let folder = folder();
    let session = folder.path().join("s.json").to_string_lossy().into_owned();
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": {"name": "createUser", "arguments": {"username": "ada", "email": "ada@example.com"}}});
    let answer =
        |ran: &crate::common::Ran| ran.lines().into_iter().find(|line| line["id"] == 2).unwrap_or_default();
    let args = ["mcp", &petstore(), "--session", &session];
    let first = run_with(&args, &format!("{HELLO}{call}\n"));
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert_ne!(answer(&first)["result"]["isError"], true, "{}", first.out);
    let again = run_with(&args, &format!("{HELLO}{call}\n"));
    assert_eq!(answer(&again)["result"]["isError"], true, "{}", again.out);
    let get =
        run(&["call", &petstore(), "getUser", r#"{"username": "ada"}"#, "--session", &session, "--json"])
            .json();
    assert_eq!(get["content"]["email"], "ada@example.com");
}

#[test]
fn mcp_with_nothing_to_say_ends_well() {
    let ran = run_with(&["mcp", &petstore()], "");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
}

#[test]
fn tools_of_a_live_mcp_server_over_standard_input_and_output() {
    let command = format!("'{}' mcp '{}'", env!("CARGO_BIN_EXE_gtm"), petstore());
    let report = run(&["tools", "--mcp-command", &command, "--json"]).json();
    assert_eq!((&report["format"], &report["tools"]), (&json!("mcp"), &json!(16)));
    let report = run(&["tools", "--json", "--", env!("CARGO_BIN_EXE_gtm"), "mcp", &petstore()]).json();
    assert_eq!(report["tools"], 16);
    let reply = run(&["call", "--mcp-command", &command, "listPets", "{}", "--json"]).json();
    assert_eq!(reply["is_error"], false);
    let reply = run(&["call", &format!("mcp+cmd:{command}"), "listPets", "{}", "--json"]).json();
    assert_eq!(reply["is_error"], false);
}

#[test]
fn tools_of_a_live_mcp_server_over_http() {
    let server = Server::start(&[&petstore(), "--api-key", "secret"]);
    let address = server.url("/mcp");
    let report = run(&["tools", "--mcp", &address, "--mcp-token", "secret", "--json"]).json();
    assert_eq!((&report["format"], &report["tools"]), (&json!("mcp"), &json!(16)));
    let ran = run(&["tools", "--mcp", &address, "--json"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.lines()[0]["error"]["code"], "GTM0108");
}

#[test]
fn live_servers_that_are_none_are_reported() {
    run(&["call", "--mcp-command", "/no/such/program", "x"]).refused(3, "GTM0108");
    run(&["call", "--mcp-command", "true", "x"]).refused(3, "GTM0108");
    run(&["call", "--mcp", "http://127.0.0.1:1/mcp", "x"]).refused(3, "GTM0108");
    run(&["call", "--mcp", "not an address", "x"]).refused(2, "GTM0601");
}

#[test]
fn a_spec_by_its_address() {
    let server = Server::start(&[&petstore()]);
    let report = run(&["tools", &server.url("/openapi.json"), "--json"]).json();
    assert!(report["format"].as_str().is_some_and(|f| f.starts_with("openapi-3")), "{report}");
    assert!(report["tools"].as_u64().is_some_and(|n| n > 10), "{report}");
    let ran = run(&["tools", &server.url("/no/such/thing"), "--json"]);
    assert_eq!((ran.code, &ran.lines()[0]["error"]["code"]), (Some(1), &json!("GTM0108")));
}

/// A web server that answers each request by its path, and counts.
fn web(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let host = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                head.push(byte[0]);
            }
            let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
            answer(&path, &mut stream);
        }
    });
    host
}

#[test]
fn an_address_is_bounded_in_size_and_redirects() {
    let host = web(|path, stream| {
        let _ = match path {
            "/endless" => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                while stream.write_all(&[b' '; 1 << 16]).is_ok() {}
                Ok(())
            }
            "/once" => stream.write_all(
                b"HTTP/1.1 302 Found\r\nLocation: /good\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ),
            "/good" => stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"tools\": []}"),
            _ => stream.write_all(
                b"HTTP/1.1 302 Found\r\nLocation: /round\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ),
        };
    });
    let code = |path: &str| {
        let ran = run(&["tools", &format!("http://{host}{path}"), "--json"]);
        ran.lines()[0]["error"]["code"].as_str().map(str::to_owned)
    };
    assert_eq!(code("/once"), None);
    assert_eq!(code("/endless").as_deref(), Some("GTM0104"));
    assert_eq!(code("/round").as_deref(), Some("GTM0108"));
}

#[test]
fn nothing_that_a_spec_points_to_is_fetched() {
    let (sender, asked) = std::sync::mpsc::channel();
    let host = web(move |path, _| {
        let _ = sender.send(path.to_owned());
    });
    let folder = folder();
    let spec = format!(
        r##"{{"openapi": "3.0.0", "info": {{"title": "t", "version": "1"}}, "servers": [{{"url": "http://{host}/v1"}}],
        "externalDocs": {{"url": "http://{host}/docs"}},
        "paths": {{"/a": {{"$ref": "http://{host}/path.json"}},
        "/b": {{"post": {{"operationId": "b", "requestBody": {{"content": {{"application/json": {{"schema": {{"$ref": "http://{host}/s.json#/x"}}}}}}}},
        "responses": {{"200": {{"description": "ok", "content": {{"application/json": {{"schema": {{"$ref": "file:///etc/hostname"}}}}}}}}}}}}}}}}}}"##
    );
    let spec = file(&folder, "refs.json", spec);
    for args in [
        vec!["tools", &spec, "--json"],
        vec!["read", &spec],
        vec!["try", &spec],
        vec!["call", &spec, "b", "{}"],
    ] {
        let _ = run(&args);
    }
    assert!(asked.try_recv().is_err());
}
