//! The table of routes: the router, the OpenAPI document and the metrics' labels are all made
//! from it, so that they cannot disagree.

use crate::app::App;
use crate::dialect::{nemo_gym, openai, openenv, ors, virtual_api};
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
        method: "POST",
        path: "/v1/sessions/{id}/reward",
        id: "reward",
        summary: "What an attempt at a task is worth now, and why",
        params: &[],
        body: Some("Answer"),
        reply: (200, "Score"),
        handler: || post(api::environments::reward),
    },
    Route {
        method: "GET",
        path: "/v1/environments",
        id: "listEnvironments",
        summary: "The environments, whose tasks sessions can attempt",
        params: &[],
        body: None,
        reply: (200, "Environments"),
        handler: || get(api::environments::list),
    },
    Route {
        method: "GET",
        path: "/v1/environments/{environment}/tasks",
        id: "listTasks",
        summary: "The tasks of an environment: what is asked, not what counts as done",
        params: &[
            ("query", "split", "string", "Only tasks of this split."),
            ("query", "from", "integer", "Number of the first task."),
            LIMIT,
        ],
        body: None,
        reply: (200, "Tasks"),
        handler: || get(api::environments::tasks),
    },
    Route {
        method: "POST",
        path: "/v1/groups",
        id: "createGroup",
        summary: "Make calls once, and several attempts that go on from there",
        params: &[],
        body: Some("NewGroup"),
        reply: (201, "Group"),
        handler: || post(api::environments::group),
    },
    Route {
        method: "POST",
        path: "/v1/call_batch",
        id: "callMany",
        summary: "Call tools in several sessions",
        params: &[],
        body: Some("Calls"),
        reply: (200, "RepliesOrProblems"),
        handler: || post(api::environments::call_batch),
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

/// The protocols of trainers and agents' stacks. Those without an environment in their path are about the
/// default one.
pub(crate) const DIALECTS: &[(&str, Handler)] = &[
    ("/v1/models", || get(openai::models)),
    ("/v1/models/{model}", || get(openai::one)),
    ("/v1/chat/completions", || post(openai::complete)),
    ("/virtual", || post(virtual_api::serve)),
    ("/e/{environment}/virtual", || post(virtual_api::serve)),
    ("/ws", || get(openenv::connect)),
    ("/metadata", || get(openenv::metadata)),
    ("/schema", || get(openenv::schema)),
    ("/reset", || post(openenv::reset)),
    ("/step", || post(openenv::step)),
    ("/state", || get(openenv::state)),
    ("/e/{environment}/ws", || get(openenv::connect)),
    ("/e/{environment}/mcp", || any(mcp::serve_default)),
    ("/e/{environment}/metadata", || get(openenv::metadata)),
    ("/e/{environment}/schema", || get(openenv::schema)),
    ("/e/{environment}/reset", || post(openenv::reset)),
    ("/e/{environment}/step", || post(openenv::step)),
    ("/e/{environment}/state", || get(openenv::state)),
    ("/e/{environment}/health", || get(api::ops::health)),
    ("/e/{environment}/openapi.json", || get(openenv::document)),
    ("/e/{environment}/nemo_gym/seed_session", || post(nemo_gym::seed_session)),
    ("/e/{environment}/nemo_gym/verify", || post(nemo_gym::verify)),
    ("/e/{environment}/nemo_gym/aggregate_metrics", || post(nemo_gym::aggregate_metrics)),
    ("/e/{environment}/nemo_gym/dataset.jsonl", || get(nemo_gym::dataset)),
    ("/e/{environment}/nemo_gym/{tool}", || post(nemo_gym::call)),
    ("/list_environments", || get(ors::list)),
    ("/create_session", || post(ors::create_session)),
    ("/create", || post(ors::create)),
    ("/tools", || get(ors::all_tools)),
    ("/task_tools", || get(ors::all_tools)),
    ("/splits", || get(ors::splits)),
    ("/tasks", || post(ors::all_tasks)),
    ("/num_tasks", || post(ors::num_tasks)),
    ("/task", || post(ors::task)),
    ("/task_range", || post(ors::task_range)),
    ("/prompt", || get(ors::prompt)),
    ("/call", || post(ors::call)),
    ("/ping", || post(ors::ping)),
    ("/delete", || post(ors::delete)),
    ("/delete_session", || post(ors::delete)),
    ("/{environment}/tools", || get(ors::all_tools)),
    ("/{environment}/task_tools", || get(ors::all_tools)),
    ("/{environment}/splits", || get(ors::splits)),
    ("/{environment}/tasks", || post(ors::all_tasks)),
    ("/{environment}/num_tasks", || post(ors::num_tasks)),
    ("/{environment}/task", || post(ors::task)),
    ("/{environment}/task_range", || post(ors::task_range)),
    ("/{environment}/create_session", || post(ors::create_session)),
    ("/{environment}/create", || post(ors::create)),
    ("/{environment}/prompt", || get(ors::prompt)),
    ("/{environment}/call", || post(ors::call)),
    ("/{environment}/ping", || post(ors::ping)),
    ("/{environment}/delete", || post(ors::delete)),
    ("/{environment}/delete_session", || post(ors::delete)),
];

/// Labels under which requests are counted; the first is for paths that are no route.
pub(crate) fn labels() -> Vec<&'static str> {
    let mut labels = vec!["unmatched"];
    let others = FACES.iter().chain(DIALECTS).map(|(path, _)| *path);
    let paths = ROUTES.iter().map(|route| route.path).chain(others);
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
    for (path, handler) in FACES.iter().chain(DIALECTS) {
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
