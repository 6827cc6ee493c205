//! Serving requests at an imported API's own paths.

use super::{Found, Sent, arguments, decode};
use crate::app::{App, Create};
use crate::face::Face;
use crate::payload;
use crate::problem::Failure;
use axum::body::Body;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gtm_error::{Code, Error};
use gtm_sim::{Call, Reply};
use gtm_tool::HttpBinding;
use serde_json::Value;
use std::sync::Arc;

/// `/r/{session}/...` and `/t/{toolset}/r/{session}/...`: the session is in the base URL.
pub(crate) async fn serve(State(app): State<App>, params: RawPathParams, request: Request) -> Response {
    let param =
        |name: &str| params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
    let toolset = param("toolset");
    let session = param("session").unwrap_or_default();
    // `/r/{session}` is two segments, `/t/{toolset}/r/{session}` is four.
    let skip = if toolset.is_some() { 4 } else { 2 };
    match app.ensure(&session, toolset.as_deref()) {
        Ok(face) => {
            answer(&app, request, &session, false, &face, skip).await.unwrap_or_else(Failure::into_response)
        }
        Err(error) => Failure::from(error).into_response(),
    }
}

/// `/rest/...` and `/t/{toolset}/rest/...`: the session is named by `X-Session-Id`, or it is the
/// toolset's default session, which all clients share that name none.
pub(crate) async fn serve_default(
    State(app): State<App>,
    params: RawPathParams,
    request: Request,
) -> Response {
    let toolset = params.iter().find(|(known, _)| *known == "toolset").map(|(_, value)| value.to_string());
    let named = request.headers().get("x-session-id").and_then(|v| v.to_str().ok()).map(str::to_string);
    let shared = named.is_none();
    let known = match named {
        Some(session) => app.ensure(&session, toolset.as_deref()).map(|face| (session, face)),
        None => app.default_session(toolset.as_deref()),
    };
    let skip = if toolset.is_some() { 3 } else { 1 };
    match known {
        Ok((session, face)) => {
            answer(&app, request, &session, shared, &face, skip).await.unwrap_or_else(Failure::into_response)
        }
        Err(error) => Failure::from(error).into_response(),
    }
}

async fn answer(
    app: &App,
    request: Request,
    session: &str,
    shared: bool,
    face: &Arc<Face>,
    skip: usize,
) -> Result<Response, Failure> {
    if face.paths().is_empty() {
        return Err(Error::new(Code::NotFound, format!("toolset {} has no HTTP operations", face.name))
            .hint("call its tools by `POST /v1/sessions/{id}/call` or over MCP")
            .into());
    }
    let (head, body) = request.into_parts();
    let path = below(head.uri.path(), skip);
    let query = decode::pairs(head.uri.query().unwrap_or(""));
    let (index, values) = match find(face, &head.method, path, &query) {
        Found::Tool(index, values) => (index, values),
        Found::OtherMethods(methods) => return other_methods(&head.method, path, &methods),
        Found::Nothing => {
            let path = gtm_error::printable(path).into_owned();
            return Err(Failure::new(Code::NotFound, format!("the API has no path {path}")));
        }
    };
    let Some((tool, http)) =
        face.simulator.tools().get(index).and_then(|tool| Some((tool, tool.http.as_ref()?)))
    else {
        return Err(Failure::new(Code::Internal, "the path leads to no tool"));
    };
    let body = payload::read(body, &head.headers, app).await?;
    let sent = Sent { path: &values, query: &query, headers: &head.headers, body: &body };
    let mut call = Call::new(tool.name.clone(), arguments(tool, http, &sent)?);
    call.idempotency_key =
        head.headers.get("idempotency-key").and_then(|v| v.to_str().ok()).map(str::to_string);
    let create = match (app.config().auto_create, shared) {
        (false, _) => Create::Never,
        (true, false) => Create::With(&face.name),
        (true, true) => Create::Renew(&face.name),
    };
    let reply = app.call(session, create, call).await?;
    app.delay(&reply).await;
    Ok(response(session, http, reply))
}

/// `HEAD` is answered by what `GET` would answer, unless the API has it.
fn find(face: &Face, method: &Method, path: &str, query: &[(String, String)]) -> Found {
    match face.paths().find(method.as_str(), path, query) {
        Found::OtherMethods(methods) if *method == Method::HEAD && methods.iter().any(|m| m == "GET") => {
            face.paths().find("GET", path, query)
        }
        found => found,
    }
}

/// The path below the face's own segments, still encoded.
fn below(path: &str, segments: usize) -> &str {
    let mut rest = path;
    for _ in 0..segments {
        rest = rest.trim_start_matches('/').split_once('/').map_or("", |(_, rest)| rest);
    }
    rest
}

fn other_methods(method: &Method, path: &str, methods: &[String]) -> Result<Response, Failure> {
    let allow = HeaderValue::from_str(&methods.join(", ")).unwrap_or(HeaderValue::from_static("GET"));
    let mut response = match *method == Method::OPTIONS {
        true => StatusCode::NO_CONTENT.into_response(),
        false => {
            let path = gtm_error::printable(path).into_owned();
            Failure::new(Code::NotFound, format!("{path} does not take {method}"))
                .status(StatusCode::METHOD_NOT_ALLOWED)
                .into_response()
        }
    };
    response.headers_mut().insert(header::ALLOW, allow);
    Ok(response)
}

/// The reply as the API itself would send it.
fn response(session: &str, http: &HttpBinding, reply: Reply) -> Response {
    let status =
        StatusCode::from_u16(reply.status).ok().filter(|s| !s.is_informational()).unwrap_or(StatusCode::OK);
    let empty =
        matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
            || (reply.content.is_null() && (http.success_type.is_empty() || reply.is_error));
    let mut response = match empty {
        true => Response::new(Body::empty()),
        false => {
            let (media_type, body) = body(http, &reply);
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(header::CONTENT_TYPE, media_type);
            response
        }
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let wait = reply.retry_after_s.or(matches!(status.as_u16(), 429 | 503).then_some(1));
    if let Some(seconds) = wait {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    provenance(headers, session, &reply);
    response
}

/// Where the reply came from, for those who look.
fn provenance(headers: &mut HeaderMap, session: &str, reply: &Reply) {
    headers.insert(
        HeaderName::from_static("x-gtm-rung"),
        HeaderValue::from_static(reply.provenance.rung.name()),
    );
    headers.insert(HeaderName::from_static("x-gtm-state-version"), HeaderValue::from(reply.state_version));
    if let Ok(session) = HeaderValue::from_str(session) {
        headers.insert(HeaderName::from_static("x-gtm-session"), session);
    }
}

/// Media type and bytes. Text of a text type is sent as it is; everything else as JSON, under the
/// declared media type if that is a JSON one.
fn body(http: &HttpBinding, reply: &Reply) -> (HeaderValue, String) {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let declared = if reply.is_error { "" } else { http.success_type.as_str() };
    if let Value::String(text) = &reply.content {
        let plain = match declared {
            "" | "*/*" => reply.is_error.then_some("text/plain; charset=utf-8"),
            json if super::body::is_json(json) => None,
            other => Some(other),
        };
        if let Some(media_type) = plain {
            let media_type =
                HeaderValue::from_str(media_type).unwrap_or(HeaderValue::from_static("text/plain"));
            return (media_type, text.clone());
        }
    }
    let media_type = match reply.is_error && is_problem(&reply.content) {
        true => HeaderValue::from_static("application/problem+json"),
        false if super::body::is_json(declared) => HeaderValue::from_str(declared).unwrap_or(JSON),
        false => JSON,
    };
    (media_type, reply.content.to_string())
}

/// Whether an error body has the shape of a problem document (RFC 9457), which has its own media type.
fn is_problem(content: &Value) -> bool {
    ["type", "title", "status"].iter().all(|member| content.get(member).is_some())
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn the_path_below_keeps_its_escapes() {
        assert_eq!(below("/r/s1/pets/a%2Fb", 2), "pets/a%2Fb");
        assert_eq!(below("/r/s1", 2), "");
        assert_eq!(below("/t/x/r/s1/v2/pets/", 4), "v2/pets/");
    }
}
