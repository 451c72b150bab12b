//! Trusted lists: fetched by a task, verified, kept in a folder for a start without a network, and asked what certificates are
//! qualified for.

mod kept;
mod numbers;
mod pivots;
mod set;

use std::sync::Arc;
use std::time::Duration;

use gateway::{Clock, Gateway};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::kept::Kept;
pub(super) use self::numbers::ListNumbers;
use crate::configuration::{Configuration, Trust};
use crate::start_error::StartError;

/// How long a start waits for lists when none is kept.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long until the next attempt while there is no list of any country.
const WITHOUT_ANY: Duration = Duration::from_secs(10);

/// How often the gateway is told of the lists while they stay the same: services gain and lose their status, and lists end, at
/// moments that the lists say beforehand, and what was traced is remembered till then.
const TELL_EVERY: Duration = Duration::from_secs(600);

/// The lists, which are fetched as long as this is there.
#[derive(Debug)]
pub(super) struct TrustedLists {
    kept: Arc<Kept>,
    look: Arc<Notify>,
    _fetching: JoinSet<()>,
}

impl TrustedLists {
    /// Reads what is kept, and begins to fetch; if nothing is kept, waits a while for what is fetched.
    ///
    /// # Errors
    /// [`StartError::TrustedLists`]
    pub(super) async fn begin(
        configuration: &Configuration,
        (gateway, clock): (&Gateway, &Arc<dyn Clock>),
    ) -> Result<Option<Self>, StartError> {
        let Some(section) = &configuration.trusted_lists else { return Ok(None) };
        let kept = Arc::new(Kept::new(section, Arc::clone(clock)).map_err(StartError::TrustedLists)?);
        kept.read_folder().await;
        kept.trust(&configuration.trust);
        kept.tell(gateway);
        let is_new = kept.has_nothing();
        let (mut fetching, look) = (JoinSet::new(), Arc::new(Notify::new()));
        let (fetched, first) = oneshot::channel();
        let keeping = (Arc::clone(&kept), gateway.clone());
        fetching.spawn(keep_up(keeping, section.refresh_every.0, Arc::clone(&look), fetched));
        if is_new {
            // Whatever comes later is taken too, when it comes.
            let _ = tokio::time::timeout(PATIENCE, first).await;
        }
        Ok(Some(Self { kept, look, _fetching: fetching }))
    }

    /// Takes up another configuration of trust, and looks for new lists at once.
    pub(super) fn reload(&self, trust: &Trust, gateway: &Gateway) {
        self.kept.trust(trust);
        self.kept.tell(gateway);
        self.look.notify_one();
    }

    /// Tells of them with the other numbers.
    pub(super) fn numbers(&self) -> ListNumbers {
        ListNumbers(Arc::clone(&self.kept))
    }
}

/// Fetches at once, and then now and then; says when it did so first.
async fn keep_up(
    (kept, gateway): (Arc<Kept>, Gateway),
    every: Duration,
    look: Arc<Notify>,
    fetched: oneshot::Sender<()>,
) {
    let tell = |kept: &Kept| kept.tell(&gateway);
    kept.refresh(&tell).await;
    // Nobody waits for it where lists were kept.
    let _ = fetched.send(());
    loop {
        rest(pause(&kept, every), &look, || tell(&kept)).await;
        kept.refresh(&tell).await;
    }
}

/// Waits until lists are fetched again, and tells of those that are there now and then.
async fn rest(pause: Duration, look: &Notify, tell: impl Fn()) {
    let end = Instant::now() + pause;
    loop {
        let next = end.min(Instant::now() + TELL_EVERY);
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = look.notified() => return,
        }
        if next == end {
            return;
        }
        tell();
    }
}

/// How long until lists are fetched again: not long at a cold start without a network, at which nobody is known.
fn pause(kept: &Kept, every: Duration) -> Duration {
    if kept.has_nothing() { every.min(WITHOUT_ANY) } else { every }
}

#[cfg(test)]
mod tests;
