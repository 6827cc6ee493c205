//! A server of the Petstore without a socket, one request at a time.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use gtm_serve::{App, ServerConfig};
use gtm_sim::{Simulator, Store, StoreConfig, Toolset};
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

struct Server {
    app: axum::Router,
    runtime: Runtime,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let spec = include_bytes!("../../../examples/petstore.yaml");
        let tools = gtm_tool::import(spec, &gtm_tool::Limits::default()).expect("the example imports").tools;
        let simulator = Simulator::new(Toolset::from_tools("petstore", tools)).expect("the example compiles");
        let store = Store::new(StoreConfig::default()).expect("a store opens");
        store.add_toolset("petstore", Arc::new(simulator));
        let app = App::new(ServerConfig::default(), Arc::new(store)).router();
        Server { app, runtime: Builder::new_current_thread().enable_all().build().expect("a runtime starts") }
    })
}

/// Sends a request and reads the whole answer, which must be no internal error.
pub fn send(method: &str, path: &str, body: &[u8]) {
    let Server { app, runtime } = server();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(Body::from(body.to_vec()));
    let Ok(request) = request else { return };
    runtime.block_on(async {
        let answer = app.clone().oneshot(request).await.expect("a service without errors");
        assert!(answer.status() != 500, "internal error");
        let _ = to_bytes(answer.into_body(), 64 << 20).await;
    });
}
