//! Bodies that somebody looks at while they pass by.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// What came when more of a body was asked for.
pub type Polled = Poll<Option<Result<Frame<Bytes>, axum::Error>>>;

/// The same body, whose watcher is shown whatever comes, with the body as it is then, and is dropped with it: when all of
/// it was sent, or when nobody takes it any more.
pub fn watched<W: FnMut(&Polled, &Body) + Unpin>(body: Body, watcher: W) -> Watched<W> {
    Watched { body, watcher }
}

/// What [`watched`] makes of a body.
pub struct Watched<W> {
    body: Body,
    watcher: W,
}

impl<W: FnMut(&Polled, &Body) + Unpin> HttpBody for Watched<W> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        (this.watcher)(&polled, &this.body);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
