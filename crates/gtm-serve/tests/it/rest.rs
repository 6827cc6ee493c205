//! The REST face, used as a client of the imported API would use it.

use crate::common::{config, get, petstore, plain, post, send, server};
use axum::http::StatusCode;
use serde_json::{Value, json};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[tokio::test]
async fn a_resource_from_creation_to_deletion() {
    let router = plain();
    let base = "/t/petstore/r/shop";
    let made = send(
        &router,
        "POST",
        &format!("{base}/pets"),
        JSON,
        json!({"name": "Rex", "category": "dog"}).to_string(),
    )
    .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!(made.header("content-type"), "application/json");
    assert_eq!(
        (made.header("x-gtm-session"), made.header("x-gtm-rung"), made.header("x-gtm-state-version")),
        ("shop", "rules", "1")
    );
    let pet = made.json();
    assert_eq!(pet["name"], "Rex");
    let id = match &pet["id"] {
        Value::String(id) => id.clone(),
        other => other.to_string(),
    };
    // With and without the API's own base path, with and without a slash at the end.
    for path in [format!("pets/{id}"), format!("api/v1/pets/{id}"), format!("pets/{id}/")] {
        let got = get(&router, &format!("{base}/{path}")).await;
        assert_eq!((got.status, got.json()), (StatusCode::OK, pet.clone()), "{path}");
    }
    let head = send(&router, "HEAD", &format!("{base}/pets/{id}"), &[], "").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    let gone = send(&router, "DELETE", &format!("{base}/pets/{id}"), &[], "").await;
    assert_eq!((gone.status, gone.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(gone.header("content-type"), "");
    assert_eq!(get(&router, &format!("{base}/pets/{id}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn sessions_by_url_header_or_default() {
    let router = plain();
    let body = json!({"name": "Rex", "category": "dog"}).to_string();
    for (path, headers, session) in [
        ("/t/petstore/r/a/pets", vec![], "a"),
        ("/t/petstore/rest/pets", vec![("x-session-id", "b")], "b"),
        ("/t/petstore/rest/pets", vec![], "default.petstore"),
    ] {
        let mut all = JSON.to_vec();
        all.extend(headers);
        let made = send(&router, "POST", path, &all, body.clone()).await;
        assert_eq!(
            (made.status, made.header("x-gtm-session")),
            (StatusCode::CREATED, session),
            "{}",
            made.text()
        );
        assert_eq!(get(&router, &format!("/v1/sessions/{session}")).await.json()["turns"], 1);
    }
    // A session keeps its toolset, so its URL needs none.
    assert_eq!(get(&router, "/r/a/pets").await.status, StatusCode::OK);
    // The notes have no paths.
    let none = get(&router, "/r/new/pets").await;
    assert_eq!((none.status, none.code().as_str()), (StatusCode::NOT_FOUND, "GTM0406"));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_in_the_right_way() {
    let router = plain();
    let base = "/t/petstore/r/s";
    assert_eq!(get(&router, &format!("{base}/nowhere")).await.code(), "GTM0406");
    assert_eq!(get(&router, base).await.status, StatusCode::NOT_FOUND);
    let wrong = send(&router, "PUT", &format!("{base}/pets"), JSON, "{}").await;
    assert_eq!((wrong.status, wrong.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, POST"));
    let options = send(&router, "OPTIONS", &format!("{base}/pets"), &[], "").await;
    assert_eq!((options.status, options.header("allow")), (StatusCode::NO_CONTENT, "GET, POST"));
    for (body, kind, status) in [
        ("{", "application/json", 400),
        ("[1]", "application/json", 400),
        ("<a/>", "application/xml", 415),
        ("{}", "application/json", 400),
        (r#"{"name": 7}"#, "application/json", 400),
    ] {
        let answer = send(&router, "POST", &format!("{base}/pets"), &[("content-type", kind)], body).await;
        assert_eq!(answer.status.as_u16(), status, "{kind} {body}: {}", answer.text());
    }
    // Nothing of that took effect.
    assert_eq!(get(&router, "/v1/sessions/s").await.json()["state_version"], 0);
}

#[tokio::test]
async fn parameters_are_read_by_their_schemas() {
    let router = plain();
    let base = "/t/petstore/r/s";
    for (name, tags) in [("a", "x"), ("b", "y"), ("c", "x")] {
        let body = json!({"name": name, "category": "dog", "tags": [tags], "status": "available"});
        let made = send(&router, "POST", &format!("{base}/pets"), JSON, body.to_string()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    }
    assert_eq!(
        get(&router, &format!("{base}/pets?limit=2&tags=x&tags=y&unknown=1")).await.status,
        StatusCode::OK
    );
    let turns = get(&router, "/v1/sessions/s/transcript?from=3").await.json();
    assert_eq!(
        turns["turns"][0]["call"],
        json!({"tool": "listPets", "arguments": {"limit": 2, "tags": ["x", "y"]}})
    );
    let bad = get(&router, &format!("{base}/pets?limit=many")).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST, "{}", bad.text());
    let form = send(
        &router,
        "POST",
        &format!("{base}/pets"),
        &[("content-type", "application/x-www-form-urlencoded")],
        "name=Fo+rm&category=cat&tags[]=x&tags[]=z",
    )
    .await;
    assert_eq!(
        (form.status, &form.json()["name"]),
        (StatusCode::CREATED, &json!("Fo rm")),
        "{}",
        form.text()
    );
    assert_eq!(form.json()["tags"], json!(["x", "z"]));
}

#[tokio::test]
async fn retries_and_waiting() {
    let store = gtm_sim::Store::new(gtm_sim::StoreConfig::default()).expect("a store");
    let mut toolset = petstore().toolset().clone();
    toolset.faults = vec![gtm_sim::Fault {
        tool: Some("getInventory".into()),
        rate_limit: None,
        error: Some(
            serde_json::from_value(json!({"kind": "rate_limited", "retry_after_s": 7})).expect("a fault"),
        ),
        ..gtm_sim::Fault::default()
    }];
    let simulator = gtm_sim::Simulator::new(toolset).expect("it compiles");
    store.add_toolset("petstore", std::sync::Arc::new(simulator));
    let app = gtm_serve::App::new(gtm_serve::ServerConfig::default(), std::sync::Arc::new(store));
    let router = gtm_serve::app(&app);
    let limited = get(&router, "/r/s/store/inventory").await;
    assert_eq!(
        (limited.status, limited.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "7"),
        "{}",
        limited.text()
    );

    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    let first =
        send(&router, "POST", "/rest/pets", &headers, r#"{"name":"Rex","category":"dog"}"#).await.json();
    let again =
        send(&router, "POST", "/rest/pets", &headers, r#"{"name":"Rex","category":"dog"}"#).await.json();
    assert_eq!(first, again);
    assert_eq!(get(&router, "/v1/sessions/default").await.json()["turns"], 1);
    drop(app);
}

#[tokio::test]
async fn errors_speak_the_apis_own_language() {
    let (_, router) = server(config());
    post(&router, "/v1/sessions", json!({"id": "closed", "toolset": "petstore", "world": "closed"})).await;
    let missing = get(&router, "/r/closed/pets/123456").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    // Not GTM's problem document, but what the shop's document says its errors look like.
    assert_eq!(missing.header("content-type"), "application/json");
    let document = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/petstore.yaml"))
        .expect("the example");
    let document = gtm_tool::parse_document(&document, &gtm_tool::Limits::default()).expect("YAML");
    let schema = json!({"$ref": "#/$defs/Error", "$defs": document["components"]["schemas"]});
    let schema: Value =
        serde_json::from_str(&schema.to_string().replace("#/components/schemas/", "#/$defs/"))
            .expect("still JSON");
    let checker = gtm_tool::Checker::new(&schema, &gtm_tool::Limits::default()).expect("a schema");
    assert!(checker.check(&missing.json()).is_ok(), "{}", missing.text());
}
