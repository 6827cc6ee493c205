//! Who may call: host, origin, key; and how often.

use crate::common::{get, post, send, server};
use axum::http::StatusCode;
use gtm_serve::ServerConfig;
use serde_json::json;

/// Every path that is served, from the server's own table by way of its document, and the faces.
fn routes() -> Vec<(String, String)> {
    let document = gtm_serve::openapi();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            routes.push((method.to_uppercase(), path.replace(['{', '}'], "")));
        }
    }
    for path in [
        "/mcp",
        "/s/x/mcp",
        "/t/notes/mcp",
        "/t/notes/s/x/mcp",
        "/rest/pets",
        "/r/x/pets",
        "/t/petstore/rest/pets",
        "/t/petstore/r/x/pets",
        "/r/x",
        "/rest",
        "/ws",
        "/e/notes/ws",
        "/e/notes/mcp",
        "/e/notes/nemo_gym/get",
        "/e/notes/health",
        "/v1/models",
        "/v1/chat/completions",
        "/virtual",
        "/call",
        "/notes/tasks",
        "/list_environments",
        "/nowhere",
        "/",
    ] {
        for method in ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"] {
            routes.push((method.into(), path.into()));
        }
    }
    routes
}

#[tokio::test]
async fn every_route_but_the_public_ones_wants_the_key() {
    let config = ServerConfig { api_key: Some("open sesame".into()), ..crate::common::config() };
    let (_, router) = server(config);
    for (method, path) in routes() {
        let public = ["/health", "/livez", "/readyz", "/version"].contains(&path.as_str());
        for wrong in [
            vec![],
            vec![("authorization", "Bearer open"), ("x-api-key", "")],
            vec![("authorization", "Basic open sesame")],
        ] {
            let answer = send(&router, &method, &path, &wrong, "{}").await;
            match public {
                true => assert_eq!(answer.status, StatusCode::OK, "{method} {path}"),
                false => {
                    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
                    assert_eq!(answer.code(), "GTM0403");
                    assert!(answer.header("www-authenticate").starts_with("Bearer"));
                }
            }
        }
        for right in [
            ("authorization", "Bearer open sesame"),
            ("authorization", "bearer open sesame"),
            ("x-api-key", "open sesame"),
        ] {
            let answer = send(&router, &method, &path, &[right], "{}").await;
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused_on_every_route() {
    let (_, router) = server(crate::common::config());
    for (method, path) in routes() {
        for foreign in [
            ("host", "evil.example"),
            ("host", "127.0.0.1.evil.example:8031"),
            ("host", "169.254.169.254"),
            ("origin", "http://evil.example"),
            ("origin", "https://localhost.evil.example"),
            ("origin", "null"),
            ("origin", "file://"),
            ("origin", "http://evil@127.0.0.1"),
            ("origin", ""),
        ] {
            let answer = send(&router, &method, &path, &[foreign], "{}").await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} {foreign:?}");
            assert_eq!(answer.code(), "GTM0404");
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
    }
}

#[tokio::test]
async fn known_hosts_and_origins_pass() {
    let (_, router) = server(crate::common::config());
    for known in [
        ("host", "localhost:8031"),
        ("host", "LOCALHOST"),
        ("host", "[::1]:8031"),
        ("host", "127.0.0.53"),
        ("origin", "http://127.0.0.1:8031"),
        ("origin", "http://localhost:6274"),
        ("origin", "http://[::1]:3000"),
    ] {
        let answer = send(&router, "GET", "/v1/sessions", &[known], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{known:?}");
        let allowed = if known.0 == "origin" { known.1 } else { "" };
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
    }
    for (headers, status) in [
        (vec![("host", "a b")], StatusCode::BAD_REQUEST),
        (vec![("host", "user@localhost")], StatusCode::BAD_REQUEST),
        (vec![("host", "localhost"), ("host", "evil.example")], StatusCode::BAD_REQUEST),
        (vec![("origin", "http://localhost"), ("origin", "http://evil.example")], StatusCode::FORBIDDEN),
    ] {
        assert_eq!(send(&router, "GET", "/v1/sessions", &headers, "").await.status, status, "{headers:?}");
    }

    let config = ServerConfig {
        addr: ([0, 0, 0, 0], 80).into(),
        allow_remote: true,
        api_key: Some("k".into()),
        allow_hosts: vec!["sim.example".into(), "other.example:81".into()],
        allow_origins: vec!["https://app.example".into()],
        ..crate::common::config()
    };
    let (_, router) = server(config);
    for (header, status) in [
        (("host", "sim.example:1234"), 200),
        (("host", "other.example:81"), 200),
        (("host", "other.example"), 403),
        (("host", "10.1.2.3:80"), 200),
        (("host", "evil.example"), 403),
        (("origin", "https://app.example"), 200),
        (("origin", "http://app.example"), 403),
        (("origin", "http://localhost:3000"), 403),
    ] {
        let answer = send(&router, "GET", "/v1/sessions", &[header, ("x-api-key", "k")], "").await;
        assert_eq!(answer.status.as_u16(), status, "{header:?}");
    }
}

#[tokio::test]
async fn browsers_may_ask_first() {
    let config = ServerConfig {
        api_key: Some("k".into()),
        allow_origins: vec!["https://app.example".into()],
        ..crate::common::config()
    };
    let (_, router) = server(config);
    let ask = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-api-key, content-type"),
    ];
    let answer = send(&router, "OPTIONS", "/v1/sessions/x/call", &ask, "").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(answer.header("access-control-allow-headers"), "x-api-key, content-type");
    let foreign = [("origin", "https://evil.example"), ask[1], ask[2]];
    assert_eq!(
        send(&router, "OPTIONS", "/v1/sessions/x/call", &foreign, "").await.status,
        StatusCode::FORBIDDEN
    );
    // Without the preflight's own header it is a request like any other, and wants the key.
    assert_eq!(
        send(&router, "OPTIONS", "/v1/sessions/x/call", &ask[..1], "").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn too_many_a_second_are_told_to_wait() {
    let (_, router) = server(ServerConfig { requests_per_second: Some(3), ..crate::common::config() });
    let mut refused = 0;
    for _ in 0..6 {
        let answer = get(&router, "/v1/sessions").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!((answer.code().as_str(), answer.header("retry-after")), ("GTM0405", "1"));
            refused += 1;
        }
        assert_eq!(get(&router, "/health").await.status, StatusCode::OK);
        assert_eq!(get(&router, "/metrics").await.status, StatusCode::OK);
    }
    assert!((2..=3).contains(&refused), "{refused}");
}

#[tokio::test]
async fn too_many_in_flight_are_refused_at_once() {
    let (_, router) = server(ServerConfig { max_in_flight: 4, ..crate::common::config() });
    post(&router, "/v1/sessions", json!({"id": "s"})).await;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let router = router.clone();
            tokio::spawn(async move {
                let start = std::time::Instant::now();
                (post(&router, "/v1/sessions/s/call", json!({"tool": "slow"})).await, start.elapsed())
            })
        })
        .collect();
    let (mut fine, mut refused) = (0, 0);
    for call in calls {
        let (answer, took) = call.await.expect("no panic");
        match answer.status {
            StatusCode::OK => fine += 1,
            StatusCode::TOO_MANY_REQUESTS => {
                refused += 1;
                assert_eq!((answer.code().as_str(), answer.header("retry-after")), ("GTM0405", "1"));
                assert!(took < std::time::Duration::from_millis(100), "{took:?}");
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!((fine, refused), (4, 16));
    assert_eq!(post(&router, "/v1/sessions/s/call", json!({"tool": "slow"})).await.status, StatusCode::OK);
}
