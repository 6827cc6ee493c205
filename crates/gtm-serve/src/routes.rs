//! The table of routes: the router, the OpenAPI document and the metrics' labels are all made
//! from it, so that they cannot disagree.

use crate::app::App;
use crate::guard::{Guard, PUBLIC};
use crate::problem::Failure;
use crate::{api, mcp, rest};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, any, delete, get, post};
use gtm_error::Code;

/// Makes a route's handler; a constant cannot hold the handler itself.
type Handler = fn() -> MethodRouter<App>;

/// One operation of the session API.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// `operationId` in the OpenAPI document.
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    /// Query and header parameters: place, name, type, what for.
    pub(crate) params: &'static [(&'static str, &'static str, &'static str, &'static str)],
    /// Name of the request body's schema in the OpenAPI document.
    pub(crate) body: Option<&'static str>,
    /// Status and schema (or media type, if it has a slash) of success.
    pub(crate) reply: (u16, &'static str),
    handler: Handler,
}

impl Route {
    /// Whether it needs no key.
    pub(crate) fn public(&self) -> bool {
        PUBLIC.contains(&self.path)
    }
}

const KEY: (&str, &str, &str, &str) =
    ("header", "Idempotency-Key", "string", "A call repeated under the same key has no second effect.");
const LIMIT: (&str, &str, &str, &str) = ("query", "limit", "integer", "Most entries to return.");

/// The routes of the session API and for operators.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/v1/toolsets",
        id: "listToolsets",
        summary: "The toolsets that sessions can use",
        params: &[],
        body: None,
        reply: (200, "Toolsets"),
        handler: || get(api::toolsets::list),
    },
    Route {
        method: "GET",
        path: "/v1/toolsets/{toolset}/tools",
        id: "listTools",
        summary: "The tools of a toolset",
        params: &[("query", "from", "integer", "Number of the first tool."), LIMIT],
        body: None,
        reply: (200, "Tools"),
        handler: || get(api::toolsets::tools),
    },
    Route {
        method: "POST",
        path: "/v1/sessions",
        id: "createSession",
        summary: "Create a session",
        params: &[],
        body: Some("NewSession"),
        reply: (201, "Session"),
        handler: || post(api::sessions::create),
    },
    Route {
        method: "GET",
        path: "/v1/sessions",
        id: "listSessions",
        summary: "Live sessions, by id",
        params: &[
            ("query", "after", "string", "Only sessions with a later id (`next` of the page before)."),
            LIMIT,
        ],
        body: None,
        reply: (200, "Sessions"),
        handler: || get(api::sessions::list),
    },
    Route {
        method: "GET",
        path: "/v1/sessions/{id}",
        id: "getSession",
        summary: "One session",
        params: &[],
        body: None,
        reply: (200, "Session"),
        handler: || get(api::sessions::info),
    },
    Route {
        method: "DELETE",
        path: "/v1/sessions/{id}",
        id: "deleteSession",
        summary: "Delete a session",
        params: &[],
        body: None,
        reply: (204, ""),
        handler: || delete(api::sessions::delete),
    },
    Route {
        method: "POST",
        path: "/v1/sessions/{id}/call",
        id: "call",
        summary: "Call a tool",
        params: &[
            KEY,
            ("query", "create", "string", "Create the session with this toolset if there is none."),
        ],
        body: Some("Call"),
        reply: (200, "Reply"),
        handler: || post(api::calls::call),
    },
    Route {
        method: "POST",
        path: "/v1/sessions/{id}/call_batch",
        id: "callBatch",
        summary: "Call tools in order, with nothing in between",
        params: &[],
        body: Some("Batch"),
        reply: (200, "Replies"),
        handler: || post(api::calls::batch),
    },
    Route {
        method: "POST",
        path: "/v1/sessions/{id}/observe",
        id: "observe",
        summary: "Tell the session what the real tool answered",
        params: &[KEY],
        body: Some("Observation"),
        reply: (200, "Reply"),
        handler: || post(api::calls::observe),
    },
    Route {
        method: "POST",
        path: "/v1/sessions/{id}/snapshots",
        id: "takeSnapshot",
        summary: "Name this point, to come back to it",
        params: &[],
        body: Some("SnapshotName"),
        reply: (201, "Snapshot"),
        handler: || post(api::history::snapshot),
    },
    Route {
        method: "GET",
        path: "/v1/sessions/{id}/snapshots",
        id: "listSnapshots",
        summary: "The session's snapshots",
        params: &[],
        body: None,
        reply: (200, "Snapshots"),
        handler: || get(api::history::snapshots),
    },
    Route {
        method: "POST",
        path: "/v1/sessions/{id}/fork",
        id: "fork",
        summary: "Make independent copies",
        params: &[],
        body: Some("Fork"),
        reply: (201, "Forks"),
        handler: || post(api::history::fork),
    },
    Route {
        method: "POST",
        path: "/v1/sessions/{id}/rollback",
        id: "rollback",
        summary: "Go back to a snapshot or a turn",
        params: &[],
        body: Some("Rollback"),
        reply: (200, "Session"),
        handler: || post(api::history::rollback),
    },
    Route {
        method: "POST",
        path: "/v1/sessions/{id}/reset",
        id: "reset",
        summary: "Go back to the start and forget everything",
        params: &[],
        body: None,
        reply: (200, "Session"),
        handler: || post(api::history::reset),
    },
    Route {
        method: "GET",
        path: "/v1/sessions/{id}/state",
        id: "getState",
        summary: "The session's state, or a part of it",
        params: &[("query", "path", "string", "JSON pointer of the part (RFC 6901).")],
        body: None,
        reply: (200, "State"),
        handler: || get(api::history::state),
    },
    Route {
        method: "GET",
        path: "/v1/sessions/{id}/transcript",
        id: "getTranscript",
        summary: "Calls and replies so far",
        params: &[("query", "from", "integer", "Number of the first turn."), LIMIT],
        body: None,
        reply: (200, "Transcript"),
        handler: || get(api::history::transcript),
    },
    Route {
        method: "GET",
        path: "/openapi.json",
        id: "getOpenApi",
        summary: "This document",
        params: &[],
        body: None,
        reply: (200, "Document"),
        handler: || get(api::ops::openapi),
    },
    Route {
        method: "GET",
        path: "/metrics",
        id: "getMetrics",
        summary: "Counters, as Prometheus text",
        params: &[],
        body: None,
        reply: (200, "text/plain"),
        handler: || get(api::ops::metrics),
    },
    Route {
        method: "GET",
        path: "/health",
        id: "getHealth",
        summary: "Whether the server is well",
        params: &[],
        body: None,
        reply: (200, "Health"),
        handler: || get(api::ops::health),
    },
    Route {
        method: "GET",
        path: "/livez",
        id: "getLive",
        summary: "Whether the process should be kept",
        params: &[],
        body: None,
        reply: (200, "Health"),
        handler: || get(api::ops::live),
    },
    Route {
        method: "GET",
        path: "/readyz",
        id: "getReady",
        summary: "Whether work should be sent here; 503 while stopping",
        params: &[],
        body: None,
        reply: (200, "Health"),
        handler: || get(api::ops::ready),
    },
    Route {
        method: "GET",
        path: "/version",
        id: "getVersion",
        summary: "Name and version of the server",
        params: &[],
        body: None,
        reply: (200, "Version"),
        handler: || get(api::ops::version),
    },
];

/// The paths of the other dialects. They speak MCP, or whatever API was imported, and are not part
/// of the session API's document.
pub(crate) const FACES: &[(&str, Handler)] = &[
    ("/mcp", || any(mcp::serve_default)),
    ("/s/{session}/mcp", || any(mcp::serve)),
    ("/t/{toolset}/mcp", || any(mcp::serve_default)),
    ("/t/{toolset}/s/{session}/mcp", || any(mcp::serve)),
    ("/rest", || any(rest::serve_default)),
    ("/rest/{*path}", || any(rest::serve_default)),
    ("/r/{session}", || any(rest::serve)),
    ("/r/{session}/{*path}", || any(rest::serve)),
    ("/t/{toolset}/rest", || any(rest::serve_default)),
    ("/t/{toolset}/rest/{*path}", || any(rest::serve_default)),
    ("/t/{toolset}/r/{session}", || any(rest::serve)),
    ("/t/{toolset}/r/{session}/{*path}", || any(rest::serve)),
];

/// Labels under which requests are counted; the first is for paths that are no route.
pub(crate) fn labels() -> Vec<&'static str> {
    let mut labels = vec!["unmatched"];
    let paths = ROUTES.iter().map(|route| route.path).chain(FACES.iter().map(|(path, _)| *path));
    for path in paths {
        if !labels.contains(&path) {
            labels.push(path);
        }
    }
    labels
}

/// Finds the label of a path, for counting.
pub(crate) struct Labels(matchit::Router<usize>);

impl Labels {
    pub(crate) fn new() -> Labels {
        let mut table = matchit::Router::new();
        for (number, label) in labels().into_iter().enumerate().skip(1) {
            // The router proper has the same paths, and is built first: none of them conflicts.
            let _ = table.insert(label, number);
        }
        Labels(table)
    }

    /// The number of the path's label among [`labels`]; 0 if it has none.
    pub(crate) fn number(&self, path: &str) -> usize {
        self.0.at(path).map_or(0, |found| *found.value)
    }
}

/// The guard around the router with every route.
pub(crate) fn guard(app: &App) -> Guard {
    let mut router = Router::new();
    for route in ROUTES {
        router = router.route(route.path, (route.handler)());
    }
    for (path, handler) in FACES {
        router = router.route(path, handler());
    }
    guarded(router, app)
}

/// A router inside the guard.
pub(crate) fn guarded(router: Router<App>, app: &App) -> Guard {
    let router = router
        .method_not_allowed_fallback(async || {
            Failure::new(Code::NotFound, "the path does not take this method")
                .status(StatusCode::METHOD_NOT_ALLOWED)
        })
        .fallback(async || Failure::new(Code::NotFound, "nothing is served at this path"))
        .with_state(app.clone());
    Guard::new(app.clone(), router)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_its_label() {
        let finder = Labels::new();
        for (number, label) in labels().into_iter().enumerate().skip(1) {
            let path = label.replace("{*path}", "a/b").replace(['{', '}'], "");
            assert_eq!(finder.number(&path), number, "{path}");
        }
        for (path, number) in
            [("/", 0), ("", 0), ("/v1", 0), ("/v1/sessions/", 0), ("/v1/sessions/x/nothing", 0), ("/s/x", 0)]
        {
            assert_eq!(finder.number(path), number, "{path}");
        }
    }
}
