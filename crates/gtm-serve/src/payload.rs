//! A request taken in: path parameters, query, headers and body, within the limits.

use crate::app::App;
use crate::problem::Failure;
use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::{HeaderMap, header, request};
use gtm_error::{Code, Error};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

/// Everything a handler needs of its request.
pub(crate) struct Payload {
    pub(crate) head: request::Parts,
    params: RawPathParams,
    pub(crate) body: Bytes,
}

impl FromRequest<App> for Payload {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let (mut head, body) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut head, app)
            .await
            .map_err(|e| Failure::new(Code::RequestMalformed, e.body_text()))?;
        let body = read(body, &head.headers, app).await?;
        Ok(Payload { head, params, body })
    }
}

impl Payload {
    /// A parameter of the route's path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The last value of a query parameter, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let pairs = crate::rest::decode::pairs(self.head.uri.query()?);
        pairs.into_iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// A query parameter that is a whole number.
    pub(crate) fn query_number(&self, name: &str) -> Result<Option<u64>, Failure> {
        let Some(text) = self.query(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            Error::new(Code::RequestMalformed, format!("`{name}` is {text:?}"))
                .at(format!("query/{name}"))
                .expected("a whole number, zero or more")
                .into()
        })
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON of a known shape; an empty body stands for `{}`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|e| syntax(&e))
    }
}

/// What is wrong with a JSON body, and where.
pub(crate) fn syntax(error: &serde_json::Error) -> Failure {
    let message = error.to_string();
    // The place is given by itself, so the sentence need not repeat it.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(sentence, _)| sentence);
    Error::new(Code::RequestMalformed, format!("the body cannot be read: {message}"))
        .at(format!("body, line {}, column {}", error.line(), error.column()))
        .into()
}

/// The whole body, if it is small enough and comes in time.
pub(crate) async fn read(body: axum::body::Body, headers: &HeaderMap, app: &App) -> Result<Bytes, Failure> {
    let limit = app.config().max_body;
    let declared =
        headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > limit as u64) {
        return Err(too_large(limit));
    }
    if declared == Some(0)
        || (declared.is_none() && !headers.contains_key(header::TRANSFER_ENCODING) && body.is_end_stream())
    {
        return Ok(Bytes::new());
    }
    match tokio::time::timeout(app.config().body_timeout, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(_)) => Err(Failure::new(Code::RequestMalformed, "the body broke off")),
        Err(_) => Err(Failure::new(Code::RequestTimeout, "the body did not arrive in time")),
    }
}

fn too_large(limit: usize) -> Failure {
    Error::new(Code::RequestTooLarge, "the body is larger than this server takes")
        .expected(format!("at most {limit} bytes"))
        .into()
}
