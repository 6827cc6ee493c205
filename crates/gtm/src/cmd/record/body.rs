//! An answer's body on its way to the client, read along.

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Longest answer that is read along; longer ones pass, and are not recorded.
pub(super) const MAX_ANSWER: usize = 64 << 20;

/// What reads along.
pub(super) trait Tap: Send + 'static {
    /// A part of the body, before the client has it.
    fn part(&mut self, part: &[u8]);
    /// The body has ended; the client does not know yet.
    fn end(&mut self);
}

/// A body that shows each part to a [`Tap`] before it hands it on.
///
/// The client takes an answer of known length for whole when it has its last byte, so the end is
/// told before that byte leaves. A body that stalls for too long is cut off.
pub(super) struct Tapped {
    inner: Body,
    /// Taken away at the end.
    tap: Option<Box<dyn Tap>>,
    /// Bytes still to come, where the length is known.
    left: Option<u64>,
    stall: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Tapped {
    /// `length` is that of the body, where it is known; `stall` how long it may be silent.
    pub(super) fn new(
        inner: Body,
        tap: Option<Box<dyn Tap>>,
        length: Option<u64>,
        stall: Option<Duration>,
    ) -> Tapped {
        let stall = stall.map(|time| (time, Box::pin(tokio::time::sleep(time))));
        let mut body = Tapped { inner, tap, left: length, stall };
        if length == Some(0) {
            body.end();
        }
        body
    }

    fn end(&mut self) {
        if let Some(mut tap) = self.tap.take() {
            tap.end();
        }
    }
}

impl HttpBody for Tapped {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        let Poll::Ready(frame) = polled else {
            if let Some((time, sleep)) = &mut this.stall {
                ready!(sleep.as_mut().poll(cx));
                let what = format!("no part of the answer came for {} s", time.as_secs());
                return Poll::Ready(Some(Err(axum::Error::new(std::io::Error::other(what)))));
            }
            return Poll::Pending;
        };
        if let Some((time, sleep)) = &mut this.stall {
            sleep.as_mut().reset(Instant::now() + *time);
        }
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(data), Some(tap)) = (frame.data_ref(), &mut this.tap) {
                    tap.part(data);
                    this.left = this.left.map(|left| left.saturating_sub(data.len() as u64));
                    if this.left == Some(0) {
                        this.end();
                    }
                }
            }
            // An answer that broke off is none.
            Some(Err(_)) => this.tap = None,
            None => this.end(),
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Reads a request's body; `None` if it is longer than `max`.
///
/// # Errors
/// If the client breaks off.
pub(super) async fn read(mut body: Body, max: usize) -> Result<Option<Bytes>, axum::Error> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > max {
            return Ok(None);
        }
    }
    Ok(Some(bytes.into()))
}

/// The length that headers tell.
pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get("content-length")?.to_str().ok()?.trim().parse().ok()
}

/// A copy of a body, up to [`MAX_ANSWER`], and what is done with it.
pub(super) struct Copy<F> {
    bytes: Vec<u8>,
    over: bool,
    done: Option<F>,
}

impl<F: FnOnce(Option<Vec<u8>>)> Copy<F> {
    /// `done` gets the body, or nothing if it was too long.
    pub(super) fn new(done: F) -> Copy<F> {
        Copy { bytes: Vec::new(), over: false, done: Some(done) }
    }
}

impl<F: FnOnce(Option<Vec<u8>>) + Send + 'static> Tap for Copy<F> {
    fn part(&mut self, part: &[u8]) {
        match self.bytes.len() + part.len() <= MAX_ANSWER {
            true if !self.over => self.bytes.extend_from_slice(part),
            _ => {
                self.over = true;
                self.bytes = Vec::new();
            }
        }
    }

    fn end(&mut self) {
        if let Some(done) = self.done.take() {
            done((!self.over).then(|| std::mem::take(&mut self.bytes)));
        }
    }
}
