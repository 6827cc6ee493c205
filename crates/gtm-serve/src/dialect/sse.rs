//! Server-sent events, with signs of life while an answer is awaited.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::Frame;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Interval, interval};

/// How often a waiting client hears something. Clients give up after 30 s of silence.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The text of one event.
pub(super) fn event(name: &str, data: &str) -> String {
    let lines: String = data.split('\n').map(|line| format!("data: {line}\n")).collect();
    match name {
        "" => format!("{lines}\n"),
        name => format!("event: {name}\n{lines}\n"),
    }
}

/// An answer that begins with `first` at once, says that it is alive while `work` goes on, and ends with
/// what it gives.
pub(super) fn answer(first: String, work: impl Future<Output = String> + Send + 'static) -> Response {
    beating(HEARTBEAT, first, work)
}

fn beating(every: Duration, first: String, work: impl Future<Output = String> + Send + 'static) -> Response {
    let events = Events { first: Some(first), work: Some(Box::pin(work)), beat: interval(every) };
    let mut response = Response::new(Body::new(events));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

struct Events {
    first: Option<String>,
    work: Option<Pin<Box<dyn Future<Output = String> + Send>>>,
    beat: Interval,
}

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = |text: String| Poll::Ready(Some(Ok(Frame::data(Bytes::from(text)))));
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            // The interval's first tick is now; it is spent on what is sent now.
            let _ = self.beat.poll_tick(cx);
            return frame(first);
        }
        let Some(work) = &mut self.work else { return Poll::Ready(None) };
        if let Poll::Ready(last) = work.as_mut().poll(cx) {
            self.work = None;
            return frame(last);
        }
        match self.beat.poll_tick(cx) {
            Poll::Ready(_) => frame(": still working\n\n".into()),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[test]
    fn data_of_several_lines_stays_one_event() {
        assert_eq!(event("end", "a\nb"), "event: end\ndata: a\ndata: b\n\n");
    }

    #[tokio::test]
    async fn a_waiting_client_hears_something() {
        let slow = async {
            tokio::time::sleep(Duration::from_millis(250)).await;
            event("end", "done")
        };
        let mut body = beating(Duration::from_millis(100), event("task_id", "1"), slow).into_body();
        let mut heard = Vec::new();
        while let Some(frame) = body.frame().await {
            let data = frame.expect("no failure").into_data().expect("data");
            heard.push(String::from_utf8_lossy(&data).into_owned());
        }
        assert!(heard.len() >= 3, "{heard:?}");
        assert_eq!(heard[0], event("task_id", "1"));
        assert!(heard[1].starts_with(": "), "{heard:?}");
        assert_eq!(heard.last(), Some(&event("end", "done")));
    }
}
