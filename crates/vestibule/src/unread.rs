//! Bodies that no handler read: they are taken from the connection before the answer ends, and kept nowhere.
//!
//! Over HTTP/2 an answer that ends before its request resets the stream, and some clients then lose the answer; over
//! HTTP/1.1 the connection is closed under the caller's hands.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http::{Request, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// Most that is taken, in bytes: as much as any handler would read.
const MOST: u64 = edge::MAX_BODY as u64;

/// Time for it.
const TIME: Duration = Duration::from_secs(5);

/// What a handler may leave of a body.
#[derive(Debug)]
pub(crate) struct Unread(Arc<Mutex<Incoming>>);

/// The body as the handler gets it.
struct Shared(Arc<Mutex<Incoming>>);

/// Prepares a request for its handler. There is nothing to take of a body that is empty, or that the caller sends only
/// when it is asked to.
pub(crate) fn keep(request: Request<Incoming>) -> (Request<Body>, Option<Unread>) {
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return (request.map(Body::new), None);
    }
    let (parts, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body));
    let unread = Unread(Arc::clone(&body));
    (Request::from_parts(parts, Body::new(Shared(body))), Some(unread))
}

impl Unread {
    /// Takes the rest of the body, unless it is too large or does not come in time.
    pub(crate) async fn drain(self) {
        let Self(body) = self;
        let mut rest = Shared(body);
        if rest.is_end_stream() || rest.size_hint().lower() > MOST {
            return;
        }
        let mut left = MOST;
        let taken = tokio::time::timeout(TIME, async {
            while let Some(Ok(frame)) = rest.frame().await {
                let length = frame.data_ref().map_or(0, Bytes::len);
                left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
                if left == 0 {
                    break;
                }
            }
        });
        if taken.await.is_err() {
            tracing::debug!("the rest of a body that nobody reads did not come in time");
        }
    }
}

impl Shared {
    fn body(&self) -> MutexGuard<'_, Incoming> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
