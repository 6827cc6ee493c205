//! MCP over HTTP and stdio, in each protocol revision.

use crate::common::{Answer, config, get, notes, plain, post, send, server};
use crate::socket::Server;
use axum::Router;
use axum::http::StatusCode;
use gtm_serve::ServerConfig;
use gtm_sim::SessionOptions;
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::{RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientLifecycleMode, ClientServiceExt, RoleClient};
use serde_json::{Value, json};

const LEGACY: &str = "2025-11-25";
const CURRENT: &str = "2026-07-28";

/// One request in the way of a revision.
async fn ask(
    router: &Router,
    path: &str,
    revision: &str,
    method: &str,
    mut params: Value,
    more: &[(&str, &str)],
) -> Answer {
    let name = params["name"].as_str().unwrap_or("").to_string();
    let mut headers = vec![
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", revision),
    ];
    if revision == CURRENT {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": revision,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {}});
        headers.push(("mcp-method", method));
        if !name.is_empty() {
            headers.push(("mcp-name", &name));
        }
    }
    headers.extend_from_slice(more);
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    send(router, "POST", path, &headers, body.to_string()).await
}

async fn call(router: &Router, path: &str, revision: &str, name: &str, arguments: Value) -> Value {
    ask(router, path, revision, "tools/call", json!({"name": name, "arguments": arguments}), &[]).await.json()
}

#[tokio::test]
async fn every_revision_calls_tools_and_shares_the_session_in_the_url() {
    let router = plain();
    for (revision, key) in [(CURRENT, "a"), (LEGACY, "b"), ("2025-06-18", "c")] {
        let listed = ask(&router, "/s/one/mcp", revision, "tools/list", json!({}), &[]).await;
        assert_eq!(listed.status, StatusCode::OK, "{revision}: {}", listed.text());
        let listed = listed.json();
        let names: Vec<&str> = listed["result"]["tools"]
            .as_array()
            .expect("tools")
            .iter()
            .filter_map(|t| t["name"].as_str())
            .collect();
        assert_eq!(names, ["put", "get", "text_of", "slow", "broken", "busy"], "{revision}");
        if revision == CURRENT {
            assert_eq!(listed["result"]["resultType"], "complete");
            assert!(listed["result"]["ttlMs"].is_u64() && listed["result"]["cacheScope"].is_string());
        }
        let put = call(&router, "/s/one/mcp", revision, "put", json!({"key": key, "text": "x"})).await;
        assert_eq!(put["result"]["isError"], false, "{revision}: {put}");
        assert_eq!(put["result"]["structuredContent"], json!({"key": key, "text": "x"}));
        let text = put["result"]["content"][0]["text"].as_str().expect("text");
        assert_eq!(serde_json::from_str::<Value>(text).expect("JSON"), json!({"key": key, "text": "x"}));
        assert_eq!(put["result"]["_meta"]["gtm/provenance"]["rung"], "user");
    }
    // What one revision wrote is there for the session API and for the others.
    let state = get(&router, "/v1/sessions/one/state?path=/notes").await.json();
    assert_eq!(state["state"].as_object().expect("notes").len(), 4);
    let other = call(&router, "/s/two/mcp", CURRENT, "get", json!({"key": "a"})).await;
    assert_eq!(other["result"]["isError"], true, "another session sees it: {other}");
}

#[tokio::test]
async fn handshakes_of_old_and_new() {
    let router = plain();
    for revision in ["2025-06-18", LEGACY] {
        let params = json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let hello = ask(&router, "/s/x/mcp", revision, "initialize", params, &[]).await;
        let result = &hello.json()["result"];
        assert_eq!(result["protocolVersion"], revision);
        assert_eq!(result["serverInfo"]["name"], "gtm");
        assert_eq!(result["instructions"], "Notes by key");
        assert!(result["capabilities"]["tools"].is_object());
        // The session is in the URL, so there is no other to hand out.
        assert_eq!(hello.header("mcp-session-id"), "");
        let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let headers =
            [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
        assert_eq!(
            send(&router, "POST", "/s/x/mcp", &headers, note.to_string()).await.status,
            StatusCode::ACCEPTED
        );
    }
    let discovered = ask(&router, "/s/x/mcp", CURRENT, "server/discover", json!({}), &[]).await.json();
    let versions = discovered["result"]["supportedVersions"].as_array().expect("versions");
    for revision in [CURRENT, LEGACY, "2025-06-18"] {
        assert!(versions.contains(&json!(revision)), "{versions:?}");
    }
    let unknown = ask(&router, "/s/x/mcp", "2099-01-01", "tools/list", json!({}), &[]).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST, "{}", unknown.text());
    for (path, allow) in [("/s/probed/mcp", "POST"), ("/mcp", "POST, DELETE")] {
        let stream = get(&router, path).await;
        assert_eq!((stream.status, stream.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, allow));
    }
    assert_eq!(get(&router, "/v1/sessions/probed").await.code(), "GTM0301", "a probe made a session");
}

#[tokio::test]
async fn failures_are_told_apart() {
    let router = plain();
    for revision in [CURRENT, LEGACY] {
        for arguments in [json!({"key": "nothing"}), json!({}), json!({"key": 7.5})] {
            let failed = call(&router, "/s/x/mcp", revision, "get", arguments.clone()).await;
            assert_eq!(failed["result"]["isError"], true, "{revision} {arguments}: {failed}");
            assert!(
                failed["result"]["content"][0]["text"].as_str().is_some_and(|text| text.len() > 5),
                "{failed}"
            );
            assert_eq!(failed["result"].get("structuredContent"), None);
        }
        let unknown = call(&router, "/s/x/mcp", revision, "no_such_tool", json!({})).await;
        assert_eq!(unknown["error"]["code"], -32602, "{revision}: {unknown}");
        let method = ask(&router, "/s/x/mcp", revision, "tools/unheard", json!({}), &[]).await.json();
        assert_eq!(method["error"]["code"], -32601, "{revision}: {method}");
        let cursor =
            ask(&router, "/s/x/mcp", revision, "tools/list", json!({"cursor": "x"}), &[]).await.json();
        assert_eq!(cursor["error"]["code"], -32602, "{revision}: {cursor}");
    }
    let headers = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
    for body in ["nonsense", "", "\u{0}", &"[".repeat(100_000)] {
        let answer = send(&router, "POST", "/s/x/mcp", &headers, body.to_string()).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!(-32700)),
            "{body:.20}"
        );
    }
    for body in
        ["{}", "[]", "7", r#"{"jsonrpc":"1.0","id":1,"method":"tools/list"}"#, r#"{"jsonrpc":"2.0","id":1}"#]
    {
        let answer = send(&router, "POST", "/s/x/mcp", &headers, body.to_string()).await;
        assert!(answer.status.is_client_error(), "{body}: {} {}", answer.status, answer.text());
    }
}

#[tokio::test]
async fn replies_that_break_their_schema_are_not_sent_as_success() {
    let router = plain();
    let broken = call(&router, "/s/x/mcp", CURRENT, "broken", json!({})).await;
    assert_eq!(broken["result"]["isError"], true, "{broken}");
    assert!(broken["result"]["content"][0]["text"].as_str().is_some_and(|t| t.contains("output schema")));
    // The pattern is not declared to clients, but it counts.
    let put = call(&router, "/s/x/mcp", CURRENT, "put", json!({"key": "k", "text": "no!"})).await;
    assert_eq!(put["result"]["isError"], true, "{put}");
}

#[tokio::test]
async fn tools_are_listed_clean() {
    let listed = ask(&plain(), "/s/x/mcp", CURRENT, "tools/list", json!({}), &[]).await.json();
    let tools = listed["result"]["tools"].as_array().expect("tools");
    assert_eq!(tools[2]["description"], "Only the text[31m of a note");
    assert_eq!(tools[0]["outputSchema"]["properties"]["text"], json!({"type": "string"}));
    assert_eq!(tools[0]["inputSchema"]["required"], json!(["key", "text"]));
    assert_eq!(tools[1]["annotations"]["readOnlyHint"], true);
    assert!(tools[2].get("outputSchema").is_none());
    // The mended name leads to the tool, and text is sent as text.
    let router = plain();
    let text = call(&router, "/s/x/mcp", CURRENT, "text_of", json!({"key": "first"})).await;
    assert_eq!(text["result"]["content"][0]["text"], "hello");
    assert_eq!(text["result"].get("structuredContent"), None);
}

#[tokio::test]
async fn a_toolset_by_path_or_query() {
    let router = plain();
    for (path, first) in [
        ("/t/petstore/s/p1/mcp", "listPets"),
        ("/s/p2/mcp?toolset=petstore", "listPets"),
        ("/s/p1/mcp", "listPets"),
        ("/t/notes/s/n1/mcp", "put"),
        ("/t/petstore/mcp", "listPets"),
        ("/mcp", "put"),
    ] {
        let listed = ask(&router, path, CURRENT, "tools/list", json!({}), &[]).await;
        assert_eq!(listed.json()["result"]["tools"][0]["name"], first, "{path}: {}", listed.text());
    }
    assert_eq!(
        ask(&router, "/t/notes/s/p1/mcp", CURRENT, "tools/list", json!({}), &[]).await.code(),
        "GTM0303"
    );
    assert_eq!(
        ask(&router, "/t/none/s/x/mcp", CURRENT, "tools/list", json!({}), &[]).await.code(),
        "GTM0309"
    );

    let (_, strict) = server(ServerConfig { auto_create: false, ..config() });
    assert_eq!(ask(&strict, "/s/x/mcp", CURRENT, "tools/list", json!({}), &[]).await.code(), "GTM0301");
    post(&strict, "/v1/sessions", json!({"id": "x"})).await;
    assert_eq!(ask(&strict, "/s/x/mcp", CURRENT, "tools/list", json!({}), &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn old_clients_at_the_plain_address_get_sessions_of_their_own() {
    let router = plain();
    let mut sessions = Vec::new();
    for key in ["a", "b"] {
        let params = json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let hello = ask(&router, "/mcp", LEGACY, "initialize", params, &[]).await;
        let id = hello.header("mcp-session-id").to_string();
        assert!(id.len() == 32, "{hello:?}");
        let with = [("mcp-session-id", id.as_str())];
        let put = json!({"name": "put", "arguments": {"key": key, "text": "x"}});
        assert_eq!(
            ask(&router, "/mcp", LEGACY, "tools/call", put, &with).await.json()["result"]["isError"],
            false
        );
        sessions.push(id);
    }
    for (id, own, other) in [(&sessions[0], "a", "b"), (&sessions[1], "b", "a")] {
        assert_eq!(
            get(&router, &format!("/v1/sessions/{id}/state?path=/notes/{own}")).await.status,
            StatusCode::OK
        );
        assert_eq!(
            get(&router, &format!("/v1/sessions/{id}/state?path=/notes/{other}")).await.status,
            StatusCode::NOT_FOUND
        );
    }
    let gone = [("mcp-session-id", sessions[0].as_str())];
    assert_eq!(send(&router, "DELETE", "/mcp", &gone, "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        ask(&router, "/mcp", LEGACY, "tools/list", json!({}), &gone).await.status,
        StatusCode::NOT_FOUND
    );
    // New clients have no sessions of the protocol; they name one, or share.
    let put = |key: &str| json!({"name": "put", "arguments": {"key": key, "text": "x"}});
    ask(&router, "/mcp", CURRENT, "tools/call", put("shared"), &[]).await;
    ask(&router, "/mcp", CURRENT, "tools/call", put("named"), &[("x-session-id", "mine")]).await;
    assert_eq!(get(&router, "/v1/sessions/default/state?path=/notes/shared").await.status, StatusCode::OK);
    assert_eq!(get(&router, "/v1/sessions/mine/state?path=/notes/named").await.status, StatusCode::OK);
}

#[tokio::test]
async fn retries_have_no_second_effect() {
    let router = plain();
    let put = json!({"name": "put", "arguments": {"key": "k", "text": "x"}});
    for _ in 0..3 {
        ask(&router, "/s/x/mcp", CURRENT, "tools/call", put.clone(), &[("idempotency-key", "one")]).await;
    }
    assert_eq!(get(&router, "/v1/sessions/x").await.json()["turns"], 1);
}

/// Lists and calls as any program with rmcp's client would.
async fn use_client(client: RunningService<RoleClient, ()>, what: &str) {
    let tools = client.list_all_tools().await.unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(tools.len(), 6, "{what}");
    let arguments = |value: Value| value.as_object().cloned().expect("an object");
    let put = CallToolRequestParams::new("put").with_arguments(arguments(json!({"key": what, "text": "hi"})));
    let put = client.call_tool(put).await.unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(put.structured_content, Some(json!({"key": what, "text": "hi"})), "{what}");
    let got = CallToolRequestParams::new("get").with_arguments(arguments(json!({"key": what})));
    let got = client.call_tool(got).await.unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(got.is_error, Some(false), "{what}: {got:?}");
    let missing = CallToolRequestParams::new("get").with_arguments(arguments(json!({"key": "none"})));
    assert_eq!(client.call_tool(missing).await.expect("a result").is_error, Some(true), "{what}");
    match client.call_tool(CallToolRequestParams::new("nothing")).await {
        Err(ServiceError::McpError(error)) => assert_eq!(error.code.0, -32602, "{what}"),
        other => panic!("{what}: {other:?}"),
    }
    client.cancel().await.expect("a clean end");
}

fn lifecycles() -> Vec<(&'static str, ClientLifecycleMode)> {
    vec![
        ("initialize", ClientLifecycleMode::Initialize),
        (
            "discover",
            ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        ),
        (
            "auto",
            ClientLifecycleMode::Auto {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
                legacy_version: Some(ProtocolVersion::V_2025_11_25),
            },
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_over_http() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::start(config()).await;
    for path in ["s/client/mcp", "mcp"] {
        for (name, lifecycle) in lifecycles() {
            let transport = StreamableHttpClientTransport::from_uri(format!("http://{}/{path}", server.addr));
            let client =
                ().serve_with_lifecycle(transport, lifecycle)
                    .await
                    .unwrap_or_else(|e| panic!("{path} {name}: {e}"));
            use_client(client, name).await;
        }
    }
}

#[tokio::test]
async fn a_client_over_stdio() {
    for (name, lifecycle) in lifecycles() {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        let (input, output) = tokio::io::split(ours);
        let served = tokio::spawn(gtm_serve::mcp_stream(notes(), SessionOptions::default(), input, output));
        let client =
            ().serve_with_lifecycle(theirs, lifecycle).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        use_client(client, name).await;
        served.await.expect("no panic").expect("a clean end when the client leaves");
    }
}
