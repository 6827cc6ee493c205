//! MCP over streamable HTTP.

use super::handler::{Backend, Handler, error_data};
use crate::app::{App, Create};
use crate::config::ServerConfig;
use crate::dialect::{self, openenv};
use crate::face::Face;
use crate::payload;
use crate::problem::Failure;
use axum::body::{Body, Bytes};
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header, request};
use axum::response::{IntoResponse, Response};
use gtm_env::Dialect;
use gtm_error::{Code, Error};
use gtm_sim::{Call, CreateSession, Reply, Session};
use rmcp::RoleServer;
use rmcp::model::ErrorData;
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The header in which the revisions before 2026-07-28 carry a session.
const LEGACY_SESSION: &str = "mcp-session-id";

/// `rmcp`'s service over the store.
pub(crate) type McpService = StreamableHttpService<Handler<Http>, NeverSessionManager>;

/// The service, shared by all requests. Host, origin, key and limits have been checked by the
/// guard before a request gets here.
pub(crate) fn service(config: &ServerConfig) -> McpService {
    let mut settings = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .disable_allowed_hosts();
    settings.max_request_body_bytes = config.max_body;
    StreamableHttpService::new(|| Ok(Handler(Http)), Arc::new(NeverSessionManager::default()), settings)
}

/// Whom a request is for. Travels in the request's extensions, since one service serves all.
#[derive(Clone)]
struct Target {
    app: App,
    session: String,
    /// The session is nobody's in particular.
    shared: bool,
    face: Arc<Face>,
    idempotency_key: Option<String>,
    /// Set when the request turns out to open a connection in the old way.
    initialized: Arc<AtomicBool>,
}

/// The backend of HTTP requests: all it needs comes with the request.
#[derive(Clone)]
pub(crate) struct Http;

impl Http {
    fn target(context: &RequestContext<RoleServer>) -> Result<&Target, ErrorData> {
        let parts = context.extensions.get::<request::Parts>();
        parts
            .and_then(|parts| parts.extensions.get::<Target>())
            .ok_or_else(|| ErrorData::internal_error("the request lost its session", None))
    }
}

impl Backend for Http {
    fn face(&self, context: &RequestContext<RoleServer>) -> Result<Arc<Face>, ErrorData> {
        Ok(Self::target(context)?.face.clone())
    }

    async fn call(&self, context: &RequestContext<RoleServer>, mut call: Call) -> gtm_error::Result<Reply> {
        let target = Self::target(context).map_err(|e| Error::new(Code::Internal, e.message))?;
        call.idempotency_key = target.idempotency_key.clone();
        let create = match (target.app.config().auto_create, target.shared) {
            (false, _) => Create::Never,
            (true, false) => Create::With(&target.face.name),
            (true, true) => Create::Renew(&target.face.name),
        };
        let reply = target.app.call(&target.session, create, call).await?;
        target.app.delay(&reply).await;
        Ok(reply)
    }

    fn session(&self, context: &RequestContext<RoleServer>) -> Option<Session> {
        let target = Self::target(context).ok()?;
        target.app.store().session(&target.session).ok()
    }

    fn initialized(&self, context: &RequestContext<RoleServer>) {
        if let Ok(target) = Self::target(context) {
            target.initialized.store(true, Relaxed);
        }
    }
}

/// `/s/{session}/mcp` and `/t/{toolset}/s/{session}/mcp`: the session is in the URL.
pub(crate) async fn serve(State(app): State<App>, params: RawPathParams, request: Request) -> Response {
    let param =
        |name: &str| params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
    let toolset = param("toolset").or_else(|| query(&request, "toolset"));
    let session = param("session").unwrap_or_default();
    if request.method() != Method::POST {
        return only_post("POST");
    }
    let request = match taken(&app, request).await {
        Ok(request) => request,
        Err(failure) => return failure.into_response(),
    };
    match app.ensure(&session, toolset.as_deref()) {
        Ok(face) => answer(&app, request, session, false, face).await.0,
        Err(error) => Failure::from(error).into_response(),
    }
}

/// A request whose body has been read, so that the time limit holds for MCP as for everything else.
async fn taken(app: &App, request: Request) -> Result<(request::Parts, Bytes), Failure> {
    let (head, body) = request.into_parts();
    let body = payload::read(body, &head.headers, app).await?;
    Ok((head, body))
}

/// `/mcp` and `/t/{toolset}/mcp`: for clients that cannot be given a URL per session.
///
/// A client of the older revisions gets a session of its own when it initialises, named in
/// `Mcp-Session-Id` as its revision says. Otherwise `X-Session-Id` names the session, or it is the
/// toolset's default session, which all such clients share.
pub(crate) async fn serve_default(
    State(app): State<App>,
    params: RawPathParams,
    request: Request,
) -> Response {
    let param =
        |name: &str| params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned());
    let environment = param("environment");
    let toolset = match &environment {
        Some(name) => match dialect::environment(&app, name, Dialect::Mcp) {
            Ok(environment) => environment.toolsets().next().map(|(name, _)| name.to_owned()),
            // It may speak OpenEnv all the same; MCP proper finds no such toolset below.
            Err(_) => Some(name.clone()),
        },
        None => param("toolset").or_else(|| query(&request, "toolset")),
    };
    let legacy = text(request.headers(), LEGACY_SESSION);
    let named = text(request.headers(), "x-session-id");
    if request.method() == Method::DELETE {
        return match legacy.map(|session| app.store().delete(&session)) {
            Some(Ok(_)) => StatusCode::NO_CONTENT.into_response(),
            Some(Err(error)) => Failure::from(error).into_response(),
            None => {
                Failure::new(Code::RequestMalformed, "the request names no `Mcp-Session-Id`").into_response()
            }
        };
    }
    if request.method() != Method::POST {
        return only_post("POST, DELETE");
    }
    let request = match taken(&app, request).await {
        Ok(request) => request,
        Err(failure) => return failure.into_response(),
    };
    if (environment.is_some() || toolset.is_none()) && legacy.is_none() && openenv::is_request(&request.1) {
        let environment = dialect::environment(&app, environment.as_deref().unwrap_or(""), Dialect::Openenv);
        return match environment {
            Ok(environment) => openenv::rpc(&app, &environment, &request.1).await,
            Err(error) => Failure::from(error).into_response(),
        };
    }
    let known = match (&legacy, &named) {
        // 404 tells the client to initialise anew, as its revision says.
        (Some(session), _) => app.existing(session, toolset.as_deref()).map(|face| (session.clone(), face)),
        (None, Some(session)) => app.ensure(session, toolset.as_deref()).map(|face| (session.clone(), face)),
        (None, None) => app.default_session(toolset.as_deref()),
    };
    let (session, face) = match known {
        Ok(known) => known,
        Err(error) => return Failure::from(error).into_response(),
    };
    let toolset = face.name.clone();
    let shared = legacy.is_none() && named.is_none();
    let (mut response, initialized) = answer(&app, request, session, shared, face).await;
    if initialized && shared {
        match app.store().create(CreateSession { toolset: Some(toolset), ..CreateSession::default() }) {
            Ok(info) => {
                if let Ok(id) = HeaderValue::from_str(&info.id) {
                    response.headers_mut().insert(LEGACY_SESSION, id);
                }
            }
            Err(error) => return Failure::from(error).into_response(),
        }
    }
    response
}

/// There is no stream to listen to: the server never speaks first.
fn only_post(allowed: &'static str) -> Response {
    let failure =
        Failure::new(Code::NotFound, "MCP requests are posted").status(StatusCode::METHOD_NOT_ALLOWED);
    let mut response = failure.into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Hands the request to `rmcp`. Also says whether it opened a connection in the old way.
async fn answer(
    app: &App,
    (mut head, body): (request::Parts, Bytes),
    session: String,
    shared: bool,
    face: Arc<Face>,
) -> (Response, bool) {
    if let Some(refused) = unreadable(&body) {
        return (refused, false);
    }
    let initialized = Arc::new(AtomicBool::new(false));
    let target = Target {
        app: app.clone(),
        session,
        shared,
        face,
        idempotency_key: text(&head.headers, "idempotency-key"),
        initialized: initialized.clone(),
    };
    head.extensions.insert(target);
    let request = Request::from_parts(head, http_body_util::Full::new(body));
    let response = app.mcp().handle(request).await;
    (response.map(Body::new), initialized.load(Relaxed))
}

/// A body that is not JSON at all is a parse error in JSON-RPC's own form.
fn unreadable(body: &[u8]) -> Option<Response> {
    if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() {
        return None;
    }
    let error = error_data(&Error::new(Code::RequestMalformed, "the body is not JSON"));
    let message = serde_json::json!({"jsonrpc": "2.0", "id": null,
        "error": {"code": -32700, "message": "Parse error", "data": error.data}});
    let mut response = Response::new(Body::from(message.to_string()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(response)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().filter(|text| !text.is_empty()).map(str::to_string)
}

fn query(request: &Request, name: &str) -> Option<String> {
    let pairs = crate::rest::decode::pairs(request.uri().query()?);
    pairs.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}
