//! GTM's own errors as HTTP answers (RFC 9457).

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gtm_error::{Code, Error};

/// An error on its way out: every handler fails with this and nothing else.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Error,
    status: u16,
    retry_after: Option<u32>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = error.code();
        let retry_after = match code {
            Code::RateLimited | Code::ShuttingDown => Some(1),
            // Room comes when a session expires or is deleted, which takes longer.
            Code::SessionLimit => Some(5),
            _ => None,
        };
        Failure { status: code.http_status(), retry_after, error }
    }
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Error::new(code, message).into()
    }

    /// Answers with another status than the code's own.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status.as_u16();
        self
    }

    /// The error that it tells of.
    pub(crate) fn into_error(self) -> Error {
        self.error
    }

    /// Tells the client how long to wait.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// What a bug looks like from outside: to this caller an error, to others nothing.
    pub(crate) fn panicked() -> Self {
        Failure::new(Code::Internal, "the request ran into a bug")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut problem = self.error.problem();
        problem["status"] = self.status.into();
        let mut response = Response::new(Body::from(problem.to_string()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"gtm\""));
        }
        response
    }
}
