//! Calls as they come, for whoever listens: server-sent events (HTML, 9.2).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use super::{Call, Filter, News, Recorder};

/// Time that one stream lasts. Listeners come again with the last number that they saw, sooner than a listener of the
/// bank ends what takes too long.
const LASTS: Duration = Duration::from_secs(90);

/// How often a silent stream shows that it is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Others listen already, as many as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("16 others listen to calls already; end one of them, or read the list")]
pub struct TooManyListeners;

/// Somebody who listens.
struct Listener {
    recorder: Arc<Recorder>,
    filter: Filter,
    news: watch::Receiver<News>,
    /// The number of the last call that was told, or left out.
    last: u64,
    waiting: std::vec::IntoIter<Arc<Call>>,
    until: Instant,
    _place: OwnedSemaphorePermit,
}

/// Tells the calls that a filter lets through: those after the number that was seen last, or after which the filter begins,
/// or those that come from now on.
///
/// # Errors
/// [`TooManyListeners`]
pub fn stream(
    recorder: &Arc<Recorder>,
    filter: Filter,
    seen: Option<u64>,
) -> Result<Response, TooManyListeners> {
    let place = Arc::clone(&recorder.places).try_acquire_owned().map_err(|_| TooManyListeners)?;
    let news = recorder.news.subscribe();
    let newest = recorder.last();
    let seen = seen.or(filter.after);
    let listener = Listener {
        recorder: Arc::clone(recorder),
        filter,
        news,
        // A number that was never given is of a bank that ran before this one.
        last: seen.filter(|seen| *seen <= newest).unwrap_or(newest),
        waiting: Vec::new().into_iter(),
        until: Instant::now() + LASTS,
        _place: place,
    };
    let events = unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response())
}

impl Listener {
    /// The next call, or none when the stream is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(call) = self.waiting.next() {
                let event = Event::default().event("call").id(call.number.to_string());
                return event.json_data(call.summary()).ok();
            }
            let news = *self.news.borrow_and_update();
            if news.is_over || self.until <= Instant::now() {
                return None;
            }
            if news.last > self.last {
                self.waiting = self.recorder.after(self.last, &self.filter).into_iter();
                self.last =
                    self.waiting.as_slice().last().map_or(news.last, |call| call.number.max(news.last));
                continue;
            }
            tokio::select! {
                changed = self.news.changed() => changed.ok()?,
                () = tokio::time::sleep_until(self.until) => {}
            }
        }
    }
}
