//! Reading along at an HTTP API: each request that is an operation of the spec is a call.

use super::body::{Copy, Tap};
use super::proxy::{Asked, Head, Recording};
use super::recorder::Recorder;
use gtm_serve::{Operations, reply_content};
use gtm_sim::recording::{RecordedCall, RecordedTurn};
use std::sync::Arc;

/// Names the session that a request belongs to, as GTM's own REST face has it.
const SESSION: &str = "x-session-id";

/// The operations of an API, and where their calls are recorded.
pub(super) struct Rest {
    pub(super) operations: Operations,
    pub(super) recorder: Arc<Recorder>,
}

impl Recording for Rest {
    fn answered(&self, asked: Asked, head: &Head) -> Option<Box<dyn Tap>> {
        let Asked { method, uri, headers, body } = asked;
        let call = match self.operations.call(&method, &uri, &headers, &body) {
            Ok(Some(call)) => call,
            Ok(None) => {
                self.recorder.passed(&format!("{method} {}, which is no operation of the spec", uri.path()));
                return None;
            }
            Err(error) => {
                self.recorder.passed(&format!("{method} {}: {}", uri.path(), error.message()));
                return None;
            }
        };
        if head.headers.get("content-encoding").is_some_and(|coding| coding != "identity") {
            self.recorder.passed(&format!("{method} {}, whose answer is packed", uri.path()));
            return None;
        }
        let session = headers.get(SESSION).and_then(|value| value.to_str().ok()).unwrap_or("http").to_owned();
        let (recorder, status, kind) = (self.recorder.clone(), head.status, head.media_type().to_owned());
        Some(Box::new(Copy::new(move |answer: Option<Vec<u8>>| {
            let turn = RecordedTurn {
                call: RecordedCall { name: call.tool, arguments: call.arguments },
                response: reply_content(&kind, answer.as_deref().unwrap_or_default()),
                is_error: status.as_u16() >= 400,
                status: Some(status.as_u16()),
                response_truncated: answer.is_none(),
            };
            recorder.record(&session, turn);
        })))
    }
}
