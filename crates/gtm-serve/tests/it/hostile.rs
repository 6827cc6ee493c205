//! Requests made to hurt: absurd numbers, endless nesting, bytes that are no text, text that is
//! meant for a terminal.

use crate::common::{get, plain, post, send};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const FAST: Duration = Duration::from_millis(250);

/// Every route that takes a body.
const BODIES: &[&str] = &[
    "/v1/sessions",
    "/v1/sessions/s/call",
    "/v1/sessions/s/call_batch",
    "/v1/sessions/s/observe",
    "/v1/sessions/s/fork",
    "/v1/sessions/s/rollback",
    "/v1/sessions/s/snapshots",
];

#[tokio::test]
async fn bodies_that_are_no_json_are_refused_fast() {
    let router = plain();
    post(&router, "/v1/sessions", json!({"id": "s"})).await;
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let bodies: Vec<Vec<u8>> = vec![
        deep("[", "]").into_bytes(),
        deep("{\"a\":", "}").into_bytes(),
        "[".repeat(1_000_000).into_bytes(),
        b"\xff\xfe\x00".to_vec(),
        b"{\"tool\": \"\xc3\x28\"}".to_vec(),
        b"{\"tool\": \"get\", \"arguments\": {\"key\": \"\\ud800\"}}".to_vec(),
        b"{\"tool\": 1e99999}".to_vec(),
        b"nonsense".to_vec(),
        b"{\"tool\": \"get\"} trailing".to_vec(),
        b"{\"calls\": 1, \"n\": {}, \"to\": [], \"name\": {}}".to_vec(),
    ];
    for path in BODIES {
        for body in &bodies {
            let start = Instant::now();
            let answer = send(&router, "POST", path, &[], body.clone()).await;
            let what = format!("{path} {}", String::from_utf8_lossy(&body[..body.len().min(40)]));
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (StatusCode::BAD_REQUEST, "GTM0401"),
                "{what}"
            );
            assert!(start.elapsed() < FAST, "{what}: {:?}", start.elapsed());
        }
    }
}

#[tokio::test]
async fn absurd_numbers_are_refused_fast() {
    let router = plain();
    post(&router, "/v1/sessions", json!({"id": "s"})).await;
    for number in ["1000000", "-1", "1e308", "1e6", "0.5", "99999999999999999999", "null", "\"7\"", "true"] {
        for (path, body) in [
            ("/v1/sessions/s/fork", format!("{{\"n\": {number}}}")),
            ("/v1/sessions/s/rollback", format!("{{\"to\": {number}}}")),
            ("/v1/sessions", format!("{{\"seed\": {number}, \"ttl_s\": {number}, \"id\": 7}}")),
        ] {
            // A null number of forks is no number: one fork, as by default.
            if number == "null" && path.ends_with("fork") {
                continue;
            }
            let start = Instant::now();
            let answer = send(&router, "POST", path, &[], body.clone()).await;
            assert!(answer.status.is_client_error(), "{path} {body}: {}", answer.text());
            assert!(answer.code().starts_with("GTM0"));
            assert!(start.elapsed() < FAST, "{path} {body}: {:?}", start.elapsed());
        }
        let number = number.trim_matches('"');
        for path in [
            "/v1/sessions?limit=",
            "/v1/sessions/s/transcript?from=",
            "/v1/toolsets/notes/tools?from=1&limit=",
        ] {
            let answer = get(&router, &format!("{path}{number}")).await;
            let fine = number.parse::<u64>().is_ok();
            assert_eq!(answer.status.is_success(), fine, "{path}{number}: {}", answer.text());
        }
    }
    // A batch of many small calls is refused for its length, not worked through.
    let calls: Vec<Value> = (0..100_000).map(|_| json!({"tool": "get"})).collect();
    let start = Instant::now();
    let answer = post(&router, "/v1/sessions/s/call_batch", json!({"calls": calls})).await;
    assert_eq!(answer.code(), "GTM0402");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test]
async fn hostile_paths_and_ids() {
    let router = plain();
    let long = "x".repeat(10_000);
    for id in ["%00", "%ff", "..%2f..%2fetc", "a%20b", "%1b%5b31m", "%22", long.as_str(), "%e2%80%ae"] {
        for path in [
            format!("/v1/sessions/{id}"),
            format!("/s/{id}/mcp"),
            format!("/r/{id}/pets"),
            format!("/t/{id}/mcp"),
        ] {
            let answer = get(&router, &path).await;
            assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
            assert_eq!(clean(&answer.body), Ok(()), "{path}");
        }
        let answer =
            send(&router, "POST", &format!("/v1/sessions/{id}/call?create=notes"), &[], r#"{"tool":"get"}"#)
                .await;
        assert!(answer.status.is_client_error(), "{id}: {}", answer.status);
    }
    assert_eq!(get(&router, "/v1/sessions/../sessions").await.status, StatusCode::NOT_FOUND);
}

/// Text that drives a terminal, forges a line or hides words must not come back raw from the server
/// itself: not in errors, not in metrics. (In a tool's own reply it is data and stays, as JSON.)
#[tokio::test]
async fn names_cannot_drive_a_terminal() {
    const EVIL: &str = "x\u{1b}[2J\u{1b}]0;owned\u{7}\r\nGTM0000 forged line\u{202e}gnp\u{200b}\u{0}";
    let router = plain();
    post(&router, "/v1/sessions", json!({"id": "s"})).await;
    for (path, body) in [
        ("/v1/sessions", json!({"id": EVIL})),
        ("/v1/sessions", json!({"toolset": EVIL})),
        ("/v1/sessions", json!({EVIL: 1})),
        ("/v1/sessions", json!({"world": EVIL})),
        ("/v1/sessions/s/call", json!({"tool": EVIL})),
        ("/v1/sessions/s/call", json!({"tool": "put", "arguments": {EVIL: EVIL, "key": EVIL}})),
        ("/v1/sessions/s/rollback", json!({"to": EVIL})),
        ("/v1/sessions/s/snapshots", json!({"name": ""})),
    ] {
        let answer = post(&router, path, body.clone()).await;
        assert_eq!(clean(&answer.body), Ok(()), "{path} {body}: {}", answer.text());
        for value in answer.headers.values() {
            assert_eq!(clean(value.as_bytes()), Ok(()));
        }
    }
    let metrics = get(&router, "/metrics").await;
    assert_eq!(metrics.text().lines().filter(|line| line.contains("forged")).count(), 0);
    let path = format!("/v1/sessions/s/state?path=/{}", "%1b%5b31m%0d%0aforged");
    assert_eq!(clean(&get(&router, &path).await.body), Ok(()));
    assert_eq!(clean(&get(&router, "/r/s/%1b%5b31m%0d%0aforged").await.body), Ok(()));
}

/// Fails on bytes that a terminal would act on. Line feeds end the lines of metrics.
fn clean(body: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(body);
    match text.chars().find(|c| {
        (c.is_control() && *c != '\n') || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
    }) {
        Some(found) => Err(format!("{found:?} in {text:?}")),
        None => Ok(()),
    }
}
