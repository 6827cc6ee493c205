//! The session API: every route, and every error it can answer with.

use crate::common::{get, plain, post, send, server};
use axum::http::StatusCode;
use gtm_serve::ServerConfig;
use serde_json::{Value, json};

async fn session(router: &axum::Router, body: Value) -> String {
    let answer = post(router, "/v1/sessions", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()["id"].as_str().expect("an id").to_string()
}

#[tokio::test]
async fn a_session_from_start_to_end() {
    let router = plain();
    let id = session(&router, json!({"id": "s1", "seed": 5})).await;
    assert_eq!(id, "s1");

    let call = post(
        &router,
        "/v1/sessions/s1/call",
        json!({"tool": "put", "arguments": {"key": "a", "text": "x\"y"}}),
    )
    .await;
    assert_eq!(call.status, StatusCode::OK);
    assert_eq!(call.header("content-type"), "application/json");
    let reply = call.json();
    assert_eq!(reply["content"], json!({"key": "a", "text": "x\"y"}));
    assert_eq!(reply["text"], r#"{"key":"a","text":"x\"y"}"#);
    assert_eq!(
        (&reply["is_error"], &reply["error"], &reply["status"]),
        (&json!(false), &Value::Null, &json!(200))
    );
    assert_eq!(reply["state_version"], 1);
    assert_eq!(reply["provenance"]["seed"], 5);
    assert_eq!(reply["provenance"]["rung"], "user");

    let text = post(&router, "/v1/sessions/s1/call", json!({"name": "text of", "arguments": {"key": "a"}}))
        .await
        .json();
    assert_eq!((&text["content"], &text["text"]), (&json!("x\"y"), &json!("x\"y")));

    let state = get(&router, "/v1/sessions/s1/state").await.json();
    assert_eq!(state["state"]["notes"]["a"]["text"], "x\"y");
    assert_eq!(state["state_version"], 1);
    assert_eq!(get(&router, "/v1/sessions/s1/state?path=/count").await.json()["state"], 7);
    assert_eq!(get(&router, "/v1/sessions/s1/state?path=/notes/first/text").await.json()["state"], "hello");

    let transcript = get(&router, "/v1/sessions/s1/transcript").await.json();
    assert_eq!(transcript["total"], 2);
    assert_eq!(
        transcript["turns"][0]["call"],
        json!({"tool": "put", "arguments": {"key": "a", "text": "x\"y"}})
    );
    assert_eq!(transcript["turns"][0]["reply"], reply);
    let page = get(&router, "/v1/sessions/s1/transcript?from=0&limit=1").await.json();
    assert_eq!((&page["turns"].as_array().expect("turns").len(), &page["next"]), (&1, &json!(1)));
    assert_eq!(get(&router, "/v1/sessions/s1/transcript?from=1").await.json()["next"], Value::Null);

    let info = get(&router, "/v1/sessions/s1").await.json();
    assert_eq!((&info["toolset"], &info["turns"], &info["seed"]), (&json!("notes"), &json!(2), &json!(5)));

    assert_eq!(send(&router, "DELETE", "/v1/sessions/s1", &[], "").await.status, StatusCode::NO_CONTENT);
    let gone = get(&router, "/v1/sessions/s1").await;
    assert!(matches!(gone.code().as_str(), "GTM0301" | "GTM0302"), "{gone:?}");
}

#[tokio::test]
async fn snapshots_rollback_fork_and_reset() {
    let router = plain();
    let put = |id: String, text: &'static str| {
        let router = router.clone();
        async move {
            let body = json!({"tool": "put", "arguments": {"key": "k", "text": text}});
            post(&router, &format!("/v1/sessions/{id}/call"), body).await.json()
        }
    };
    let read = |id: String| {
        let router = router.clone();
        async move { get(&router, &format!("/v1/sessions/{id}/state?path=/notes/k/text")).await }
    };
    session(&router, json!({"id": "s"})).await;
    put("s".into(), "one").await;
    let snapshot = post(&router, "/v1/sessions/s/snapshots", json!({"name": "after one"})).await;
    assert_eq!(
        (snapshot.status, snapshot.json()),
        (StatusCode::CREATED, json!({"name": "after one", "turn": 1}))
    );
    put("s".into(), "two").await;
    assert_eq!(
        get(&router, "/v1/sessions/s/snapshots").await.json(),
        json!({"snapshots": [{"name": "after one", "turn": 1}]})
    );

    let forks = post(&router, "/v1/sessions/s/fork", json!({"n": 2})).await;
    assert_eq!(forks.status, StatusCode::CREATED);
    let forks = forks.json();
    let ids: Vec<String> = forks["sessions"]
        .as_array()
        .expect("sessions")
        .iter()
        .map(|s| s["id"].as_str().expect("an id").to_string())
        .collect();
    assert_eq!(ids.len(), 2);
    put(ids[0].clone(), "forked").await;
    assert_eq!(read("s".into()).await.json()["state"], "two");
    assert_eq!(read(ids[0].clone()).await.json()["state"], "forked");
    assert_eq!(read(ids[1].clone()).await.json()["state"], "two");

    let back = post(&router, "/v1/sessions/s/rollback", json!({"to": "after one"})).await;
    assert_eq!((back.status, &back.json()["turns"]), (StatusCode::OK, &json!(1)));
    assert_eq!(read("s".into()).await.json()["state"], "one");
    assert_eq!(post(&router, "/v1/sessions/s/rollback", json!({"to": 0})).await.json()["turns"], 0);
    assert_eq!(read("s".into()).await.status, StatusCode::NOT_FOUND);
    assert_eq!(post(&router, "/v1/sessions/s/rollback", json!({"to": "nowhere"})).await.code(), "GTM0305");

    put("s".into(), "three").await;
    let reset = send(&router, "POST", "/v1/sessions/s/reset", &[], "").await;
    assert_eq!((reset.status, &reset.json()["turns"]), (StatusCode::OK, &json!(0)));
    assert_eq!(get(&router, "/v1/sessions/s/snapshots").await.json(), json!({"snapshots": []}));
}

#[tokio::test]
async fn batches_and_observations() {
    let router = plain();
    session(&router, json!({"id": "s"})).await;
    let calls = json!({"calls": [
        {"tool": "put", "arguments": {"key": "a", "text": "1"}},
        {"tool": "get", "arguments": {"key": "nothing"}},
        {"name": "get", "arguments": {"key": "a"}}]});
    let replies = post(&router, "/v1/sessions/s/call_batch", calls).await.json();
    let errors: Vec<bool> =
        replies["replies"].as_array().expect("replies").iter().map(|r| r["is_error"] == true).collect();
    assert_eq!(errors, [false, true, false]);
    assert_eq!(replies["replies"][2]["content"]["text"], "1");

    let observed = post(
        &router,
        "/v1/sessions/s/observe",
        json!({"tool": "get", "arguments": {"key": "real"}, "content": {"key": "real", "text": "from outside"}}),
    )
    .await;
    assert_eq!(observed.status, StatusCode::OK, "{}", observed.text());
    assert_eq!(observed.json()["provenance"]["rung"], "observed");
    assert_eq!(observed.json()["content"]["text"], "from outside");
}

#[tokio::test]
async fn idempotency_by_header_and_by_member() {
    let router = plain();
    session(&router, json!({"id": "s"})).await;
    let body = json!({"tool": "put", "arguments": {"key": "a", "text": "1"}});
    let headers = [("idempotency-key", "k1")];
    let first = send(&router, "POST", "/v1/sessions/s/call", &headers, body.to_string()).await.json();
    let again = send(&router, "POST", "/v1/sessions/s/call", &headers, body.to_string()).await.json();
    assert_eq!(first["content"], again["content"]);
    assert_eq!((&first["state_version"], &again["state_version"]), (&json!(1), &json!(1)));
    assert_eq!(again["provenance"]["retried"], true);
    let member = json!({"tool": "put", "arguments": {"key": "b", "text": "2"}, "idempotency_key": "k1"});
    assert_eq!(post(&router, "/v1/sessions/s/call", member).await.code(), "GTM0306");
}

#[tokio::test]
async fn sessions_are_created_on_first_use_when_asked() {
    let router = plain();
    let call = json!({"tool": "get", "arguments": {"key": "first"}});
    assert_eq!(post(&router, "/v1/sessions/new/call", call.clone()).await.code(), "GTM0301");
    let made = post(&router, "/v1/sessions/new/call?create=notes", call.clone()).await;
    assert_eq!(made.json()["content"]["text"], "hello");
    let mut with = call.clone();
    with["toolset"] = json!("");
    assert_eq!(post(&router, "/v1/sessions/other/call", with).await.json()["content"]["text"], "hello");
    assert_eq!(post(&router, "/v1/sessions/third/call?create=nothing", call).await.code(), "GTM0309");
}

#[tokio::test]
async fn listings_come_in_pages() {
    let router = plain();
    for i in 0..5 {
        session(&router, json!({"id": format!("s{i}")})).await;
    }
    let mut seen = Vec::new();
    let mut path = "/v1/sessions?limit=2".to_string();
    loop {
        let page = get(&router, &path).await.json();
        let sessions = page["sessions"].as_array().expect("sessions");
        assert!(sessions.len() <= 2);
        seen.extend(sessions.iter().map(|s| s["id"].as_str().expect("an id").to_string()));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/sessions?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["s0", "s1", "s2", "s3", "s4"]);

    let toolsets = get(&router, "/v1/toolsets").await.json();
    assert_eq!(toolsets["toolsets"].as_array().expect("toolsets").len(), 2);
    let default: Vec<&Value> =
        toolsets["toolsets"].as_array().expect("toolsets").iter().filter(|t| t["default"] == true).collect();
    assert_eq!(default.len(), 1);
    let tools = get(&router, "/v1/toolsets/notes/tools?from=1&limit=2").await.json();
    assert_eq!((&tools["total"], &tools["next"]), (&json!(6), &json!(3)));
    assert_eq!(tools["tools"][0]["name"], "get");
    assert_eq!(get(&router, "/v1/toolsets/none/tools").await.code(), "GTM0309");
}

#[tokio::test]
async fn operators_routes() {
    let router = plain();
    assert_eq!(get(&router, "/health").await.json(), json!({"status": "healthy"}));
    assert_eq!(get(&router, "/livez").await.status, StatusCode::OK);
    assert_eq!(get(&router, "/readyz").await.json(), json!({"status": "ready"}));
    assert_eq!(get(&router, "/version").await.json()["name"], "gtm");
    session(&router, json!({"id": "s"})).await;
    for (tool, key) in [("get", "first"), ("get", "none"), ("no such tool", "x"), ("put", "x")] {
        post(&router, "/v1/sessions/s/call", json!({"tool": tool, "arguments": {"key": key}})).await;
    }
    post(&router, "/v1/sessions/s/call", json!({"tool": "broken"})).await;
    let metrics = get(&router, "/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain"));
    let metrics = metrics.text();
    for line in [
        r#"gtm_tool_calls_total{tool="get",outcome="ok"} 1"#,
        r#"gtm_tool_calls_total{tool="get",outcome="not_found"} 1"#,
        r#"gtm_tool_calls_total{tool="_unknown",outcome="unknown_tool"} 1"#,
        r#"gtm_tool_calls_total{tool="put",outcome="invalid_argument"} 1"#,
        r#"gtm_http_requests_total{route="/v1/sessions/{id}/call",status="200"} 5"#,
        r#"gtm_schema_violations_total{stage="arguments"} 1"#,
        r#"gtm_schema_violations_total{stage="reply"} 1"#,
        "gtm_sessions_active 1",
        "gtm_tool_call_duration_seconds_count 5",
        "gtm_panics_total 0",
    ] {
        assert!(metrics.lines().any(|l| l == line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn a_fault_delays_the_answer_within_the_limit() {
    let (_, router) = server(crate::common::config());
    session(&router, json!({"id": "s"})).await;
    let start = std::time::Instant::now();
    let reply = post(&router, "/v1/sessions/s/call", json!({"tool": "slow"})).await.json();
    assert_eq!(reply["content"], json!({"done": true}));
    assert!(start.elapsed() >= std::time::Duration::from_millis(150));

    let short = ServerConfig { max_delay: std::time::Duration::from_millis(5), ..crate::common::config() };
    let (_, router) = server(short);
    session(&router, json!({"id": "s"})).await;
    let start = std::time::Instant::now();
    post(&router, "/v1/sessions/s/call", json!({"tool": "slow"})).await;
    assert!(start.elapsed() < std::time::Duration::from_millis(140));
}

#[tokio::test]
async fn every_mistake_has_its_code() {
    let config = ServerConfig { max_body: 10_000, max_batch: 2, max_fork: 3, ..crate::common::config() };
    let (_, router) = server(config);
    session(&router, json!({"id": "s"})).await;
    let cases: Vec<(&str, &str, Value, u16, &str)> = vec![
        ("GET", "/nowhere", json!(null), 404, "GTM0406"),
        ("PUT", "/v1/sessions", json!(null), 405, "GTM0406"),
        ("POST", "/health", json!(null), 405, "GTM0406"),
        ("GET", "/v1/sessions/none", json!(null), 404, "GTM0301"),
        ("DELETE", "/v1/sessions/none", json!(null), 404, "GTM0301"),
        ("GET", "/v1/sessions/none/state", json!(null), 404, "GTM0301"),
        ("GET", "/v1/sessions/none/transcript", json!(null), 404, "GTM0301"),
        ("GET", "/v1/sessions/none/snapshots", json!(null), 404, "GTM0301"),
        ("POST", "/v1/sessions/none/reset", json!({}), 404, "GTM0301"),
        ("POST", "/v1/sessions/none/fork", json!({}), 404, "GTM0301"),
        ("POST", "/v1/sessions/none/rollback", json!({"to": 0}), 404, "GTM0301"),
        ("POST", "/v1/sessions/none/snapshots", json!({"name": "x"}), 404, "GTM0301"),
        ("POST", "/v1/sessions/none/call", json!({"tool": "get"}), 404, "GTM0301"),
        ("POST", "/v1/sessions/none/call_batch", json!({"calls": []}), 404, "GTM0301"),
        ("POST", "/v1/sessions/none/observe", json!({"tool": "get", "content": 1}), 404, "GTM0301"),
        ("POST", "/v1/sessions", json!({"id": "s", "seed": 9}), 409, "GTM0303"),
        ("POST", "/v1/sessions", json!({"toolset": "none"}), 404, "GTM0309"),
        ("POST", "/v1/sessions", json!({"state": [1]}), 400, "GTM0308"),
        ("POST", "/v1/sessions", json!({"sede": 1}), 400, "GTM0401"),
        ("POST", "/v1/sessions", json!({"seed": -1}), 400, "GTM0401"),
        ("POST", "/v1/sessions", json!({"world": "flat"}), 400, "GTM0401"),
        ("POST", "/v1/sessions/s/call", json!({}), 400, "GTM0401"),
        ("POST", "/v1/sessions/s/call", json!([1]), 400, "GTM0401"),
        ("POST", "/v1/sessions/s/call", json!({"tool": 1}), 400, "GTM0401"),
        ("POST", "/v1/sessions/s/call", json!({"tool": "get", "args": {}}), 400, "GTM0401"),
        (
            "POST",
            "/v1/sessions/s/call_batch",
            json!({"calls": [{"tool": "get"}, {"tool": "get"}, {"tool": "get"}]}),
            413,
            "GTM0402",
        ),
        ("POST", "/v1/sessions/s/call_batch", json!({"calls": "x"}), 400, "GTM0401"),
        ("POST", "/v1/sessions/s/observe", json!({"tool": "get"}), 400, "GTM0401"),
        ("POST", "/v1/sessions/s/fork", json!({"n": 4}), 413, "GTM0402"),
        ("POST", "/v1/sessions/s/fork", json!({"n": 0}), 400, "GTM0401"),
        ("POST", "/v1/sessions/s/rollback", json!({}), 400, "GTM0401"),
        ("POST", "/v1/sessions/s/rollback", json!({"to": 99}), 404, "GTM0305"),
        ("POST", "/v1/sessions/s/snapshots", json!({"name": ""}), 400, "GTM0401"),
        ("GET", "/v1/sessions/s/state?path=/no/such", json!(null), 404, "GTM0406"),
        ("GET", "/v1/sessions/s/state?path=nonsense", json!(null), 400, "GTM0401"),
        ("GET", "/v1/sessions/s/transcript?from=x", json!(null), 400, "GTM0401"),
        ("GET", "/v1/sessions?limit=-1", json!(null), 400, "GTM0401"),
        (
            "POST",
            "/v1/sessions/s/call",
            json!({"tool": "put", "arguments": {"key": "x".repeat(20_000)}}),
            413,
            "GTM0402",
        ),
    ];
    for (method, path, body, status, code) in cases {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = send(&router, method, path, &[], body.clone()).await;
        let what = format!("{method} {path} {}", &body[..body.len().min(100)]);
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code),
            "{what}: {}",
            answer.text()
        );
    }
    let wrong_method = send(&router, "PUT", "/v1/sessions", &[], "").await;
    let mut allowed: Vec<&str> = wrong_method.header("allow").split(',').map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
}

/// With a store that waits for a disk, calls are made elsewhere, with the same results.
#[tokio::test]
async fn calls_to_a_store_that_waits() {
    let (_, router) = server(ServerConfig { blocking_store: true, ..crate::common::config() });
    let call = json!({"tool": "get", "arguments": {"key": "first"}});
    assert_eq!(post(&router, "/v1/sessions/s/call", call.clone()).await.code(), "GTM0301");
    let reply = post(&router, "/v1/sessions/s/call?create=notes", call.clone()).await.json();
    assert_eq!(reply["content"]["text"], "hello");
    assert_eq!(post(&router, "/v1/sessions/s/call", call).await.json()["content"]["text"], "hello");
    assert!(
        get(&router, "/metrics").await.text().contains("gtm_tool_calls_total{tool=\"get\",outcome=\"ok\"} 2")
    );
}

/// A bug in the simulated tool's world costs the one call: the session goes on, and so do others.
#[tokio::test]
async fn a_bug_in_filling_costs_one_call() {
    struct Buggy;
    impl gtm_world::Filler for Buggy {
        fn fill(&self, slot: &gtm_world::Slot<'_>) -> gtm_world::Value {
            match slot.args.get("safe") {
                Some(_) => gtm_world::Value::Int(1),
                None => panic!("a bug, on purpose"),
            }
        }
    }
    let tool = gtm_tool::ToolSpec {
        name: "guess".into(),
        parameters: json!({"type": "object", "properties": {"safe": {"type": "boolean"}}}),
        returns: Some(json!({"type": "integer"})),
        ..gtm_tool::ToolSpec::default()
    };
    let mut toolset = gtm_sim::Toolset::from_tools("guessing", vec![tool]);
    let direct = gtm_world::Behavior { direct: true, ..gtm_world::Behavior::default() };
    toolset.behaviors.behaviors.insert("guess".into(), direct);
    let simulator = gtm_sim::Simulator::with(toolset, &gtm_read::RuleReader, std::sync::Arc::new(Buggy));
    let store = gtm_sim::Store::new(gtm_sim::StoreConfig::default()).expect("a store in memory");
    store.add_toolset("guessing", std::sync::Arc::new(simulator.expect("it compiles")));
    let router = gtm_serve::app(&gtm_serve::App::new(ServerConfig::default(), std::sync::Arc::new(store)));
    session(&router, json!({"id": "s"})).await;
    for _ in 0..3 {
        let failed = post(&router, "/v1/sessions/s/call", json!({"tool": "guess"})).await.json();
        assert_eq!(
            (&failed["is_error"], &failed["error"]["kind"]),
            (&json!(true), &json!("internal")),
            "{failed}"
        );
        let fine =
            post(&router, "/v1/sessions/s/call", json!({"tool": "guess", "arguments": {"safe": true}})).await;
        assert_eq!(fine.json()["content"], 1);
    }
    assert!(get(&router, "/metrics").await.text().contains("gtm_panics_total 3\n"));
}
