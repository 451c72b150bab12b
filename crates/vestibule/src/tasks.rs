//! What runs beside the calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use edge::Due;
use gateway::{Gateway, Lease};
use oauth::SigningKeys;
use sandbox::Sandbox;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::forgetting;

/// How late something may be that is due at a moment.
const KEEP_UP_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Begins what runs beside the calls until the bank stops. Of those who share a database, each takes up the news, and one
/// forgets and does what is due.
pub(crate) fn beside(
    gateway: &Gateway,
    due: Vec<Due>,
    news: Option<Due>,
    stopped: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(keep_up(gateway.clone(), due, news, stopped.clone()));
    tasks.spawn(forgetting::run(gateway.clone(), stopped.clone()));
    tasks
}

/// Takes up what others who share the database did: clocks that they moved, and signing keys that they changed.
pub(crate) fn news_of_others(sandbox: &Sandbox, keys: SigningKeys) -> Due {
    let clock = Arc::clone(&sandbox.clock);
    let is_away = Arc::new(AtomicBool::new(false));
    Arc::new(move || {
        let (clock, keys, is_away) = (Arc::clone(&clock), keys.clone(), Arc::clone(&is_away));
        Box::pin(async move {
            let taken_up = match clock.reload().await {
                Ok(()) => keys.reload().await.map_err(|error| edge::with_causes(&error)),
                Err(error) => Err(edge::with_causes(&error)),
            };
            // Each change is told once, not each second.
            match taken_up {
                Err(error) if !is_away.swap(true, Ordering::Relaxed) => {
                    tracing::warn!(error, "what other processes changed cannot be read");
                }
                Ok(()) if is_away.swap(false, Ordering::Relaxed) => {
                    tracing::warn!("what other processes changed can be read again");
                }
                _ => {}
            }
        })
    })
}

/// Does what is due as time goes by, until the bank stops.
async fn keep_up(gateway: Gateway, due: Vec<Due>, news: Option<Due>, mut stopped: watch::Receiver<bool>) {
    let mut lease = Lease::new("due");
    let mut tick = tokio::time::interval(KEEP_UP_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = tick.tick() => {}
        }
        if let Some(take_up) = &news {
            take_up().await;
        }
        if lease.is_held(&gateway).await {
            for work in &due {
                work().await;
            }
        }
    }
}
