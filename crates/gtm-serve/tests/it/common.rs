//! What the tests share: a toolset of known behavior, and requests without a socket.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use gtm_env::{Environment, EnvironmentFile};
use gtm_serve::{App, ServerConfig};
use gtm_sim::{Simulator, Store, StoreConfig, Toolset};
use http_body_util::BodyExt;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tower::ServiceExt;

/// Notes by key, whose behavior is written out, so that these tests are about the faces alone.
pub(crate) const NOTES: &str = r#"
name: notes
description: Notes by key
world: closed
state: {notes: {first: {key: first, text: hello}}, count: 7}
tools:
  - name: put
    description: Write a note
    parameters:
      type: object
      required: [key, text]
      properties: {key: {type: string}, text: {type: string}, size: {type: integer, minimum: 0, maximum: 100}}
      additionalProperties: false
    returns:
      type: object
      required: [key, text]
      properties: {key: {type: string}, text: {type: string, pattern: "^[^!]*$"}}
  - name: get
    description: Read a note
    parameters: {type: object, required: [key], properties: {key: {type: string}}}
    returns: {type: object, properties: {key: {type: string}, text: {type: string}}}
    annotations: {read_only: true}
  - name: text of
    description: "Only the text\e[31m of a note\u202E"
    parameters: {type: object, required: [key], properties: {key: {type: string}}}
  - name: slow
    description: Takes its time
    parameters: {type: object}
  - name: broken
    description: Breaks its own schema
    parameters: {type: object}
    returns: {type: object, required: [n], properties: {n: {type: integer}}}
  - name: busy
    description: Always asks to come back later
    parameters: {type: object}
collections:
  notes: {id: key}
behaviors:
  put:
    steps:
      - create: {in: notes, id: args.key, as: it, set: {key: args.key, text: args.text}, replace: true}
      - reply: {key: it.key, text: it.text}
  get:
    steps:
      - get: {in: notes, id: args.key, as: it}
      - reply: it
  text of:
    steps:
      - get: {in: notes, id: args.key, as: it}
      - reply: it.text
  slow:
    steps:
      - reply: {done: true}
  broken:
    steps:
      - reply: {n: "'not a number'"}
  busy:
    steps:
      - require: {that: "false", error: rate_limited, message: "come back later"}
faults:
  - name: slowness
    tool: slow
    latency: {ms: 150}
"#;

/// The toolset of [`NOTES`].
pub(crate) fn notes() -> Arc<Simulator> {
    let toolset = Toolset::parse(NOTES, Path::new(".")).expect("the toolset is valid");
    Arc::new(Simulator::new(toolset).expect("the toolset compiles"))
}

/// The pet shop of the examples, read by rules alone.
pub(crate) fn petstore() -> Arc<Simulator> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/petstore.yaml");
    let toolset = Toolset::load(&path).expect("the example is valid");
    Arc::new(Simulator::new(toolset).expect("the example compiles"))
}

/// A store with the notes as default toolset and the pet shop as `petstore`.
pub(crate) fn store(config: StoreConfig) -> Arc<Store> {
    let store = Store::new(config).expect("a store in memory");
    store.add_toolset("notes", notes());
    store.add_toolset("petstore", petstore());
    Arc::new(store)
}

/// Default settings, with the notes as default toolset.
pub(crate) fn config() -> ServerConfig {
    ServerConfig { default_toolset: Some("notes".into()), ..ServerConfig::default() }
}

/// A server without a socket.
pub(crate) fn server(config: ServerConfig) -> (App, Router) {
    let app = App::new(config, store(StoreConfig::default()));
    let router = gtm_serve::app(&app);
    (app, router)
}

/// A server with default settings.
pub(crate) fn plain() -> Router {
    server(config()).1
}

/// Tasks over the notes: to find a number, and to write a note.
pub(crate) const COUNTING: &str = r#"
name: counting
tasks:
  - id: seven
    instruction: What is the text of the note `first`?
    goal: {checks: [{answer: {equals: hello}}]}
  - id: write
    split: test
    instruction: Write a note `b` that says `there`.
    limits: {calls: 3}
    tools: [put, get]
    goal: {checks: [{at: /notes/b/text, is: there}, {not_called: {tool: get, arguments: {key: first}}}]}
"#;

/// The example environment.
pub(crate) fn travel() -> Arc<Environment> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/travel.yaml");
    Arc::new(gtm_env::load(&path, &Simulator::new).expect("the example is valid"))
}

/// An environment over the notes.
pub(crate) fn environment() -> Arc<Environment> {
    let document = gtm_tool::parse_document(COUNTING, &gtm_tool::Limits::default()).expect("YAML");
    let file: EnvironmentFile = serde_json::from_value(document).expect("an environment");
    let tasks = file.tasks.iter().map(|task| (task.clone(), 0)).collect();
    let made = Environment::new(&file, "counting", vec![("notes".into(), notes())], tasks);
    Arc::new(made.expect("the tasks are valid"))
}

/// A server with that environment.
pub(crate) fn counting() -> Router {
    server(ServerConfig { environments: vec![environment()], ..ServerConfig::default() }).1
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("the answer is text")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
    }

    /// The code of a problem document, whose other members are checked on the way.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        for member in ["type", "title", "detail", "hint"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {problem}");
        }
        problem["code"].as_str().expect("a code").to_string()
    }
}

/// Sends a request; `headers` may override the host, which is loopback.
pub(crate) async fn send(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request = request.header("host", "127.0.0.1:8031");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.into()).expect("a request");
    let response = router.clone().oneshot(request).await.expect("the router does not fail");
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("the body does not fail").to_bytes().to_vec();
    Answer { status: head.status, headers: head.headers, body }
}

/// Sends JSON.
pub(crate) async fn post(router: &Router, path: &str, body: Value) -> Answer {
    send(router, "POST", path, &[("content-type", "application/json")], body.to_string()).await
}

/// Gets.
pub(crate) async fn get(router: &Router, path: &str) -> Answer {
    send(router, "GET", path, &[], "").await
}
