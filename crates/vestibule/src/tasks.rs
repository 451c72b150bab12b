//! What runs beside the calls.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use edge::Agenda;
use gateway::bank::Answer;
use gateway::{Gateway, Lease};
use oauth::SigningKeys;
use sandbox::Sandbox;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::forgetting;

/// How late something may be that is due at a moment.
const KEEP_UP_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// After how many of those what was last used is written down.
const WRITE_USES_EVERY: u32 = 10;

/// Does what there is to do for a bank, such as [`core_bank::CoreBank::find_out`].
pub type Upkeep = Arc<dyn Fn() -> Answer<'static, ()> + Send + Sync>;

/// Takes up what others did.
pub(crate) type News = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What a bank does beside its calls. Of those who share a database, each takes up the news, and one forgets and does what is
/// due.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) gateway: Gateway,
    /// What has to be done as time goes by.
    pub(crate) due: Agenda,
    /// Takes up what others did, if there are others.
    pub(crate) news: Option<News>,
    /// What there is to do for a bank that is reached over a network.
    pub(crate) upkeep: Option<Upkeep>,
}

/// A bank's work beside its calls, until it is stopped.
pub(crate) struct Beside {
    work: Work,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Beside(…)")
    }
}

impl Beside {
    pub(crate) fn begin(work: Work) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let Work { gateway, due, news, upkeep } = work.clone();
        tasks.spawn(keep_up(gateway.clone(), due, news, stopped.clone()));
        upkeep.into_iter().for_each(|upkeep| drop(tasks.spawn(keep_bank_up(upkeep, stopped.clone()))));
        tasks.spawn(follow_bank(gateway.clone(), stopped.clone()));
        tasks.spawn(keep_ending(gateway.clone(), stopped.clone()));
        tasks.spawn(forgetting::run(gateway, stopped));
        Self { work, stop, tasks }
    }

    /// Stops it; what was begun is done to its end.
    pub(crate) async fn stop(&mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }

    /// Begins again after a stop.
    pub(crate) fn again(&mut self) {
        *self = Self::begin(self.work.clone());
    }
}

/// Takes up what others who share the database did: clocks that they moved, names that they gave, and signing keys that they changed.
pub(crate) fn news_of_others(sandbox: &Sandbox, keys: SigningKeys) -> News {
    let (clock, names) = (Arc::clone(&sandbox.clock), Arc::clone(&sandbox.names));
    taken_up(move || {
        let (clock, names, keys) = (Arc::clone(&clock), Arc::clone(&names), keys.clone());
        async move {
            clock.reload().await.map_err(|error| edge::with_causes(&error))?;
            names.reload().await.map_err(|error| edge::with_causes(&error))?;
            keys.reload().await.map_err(|error| edge::with_causes(&error))
        }
    })
}

/// Takes up signing keys that others who share the database changed.
pub(crate) fn news_of_keys(keys: SigningKeys) -> News {
    taken_up(move || {
        let keys = keys.clone();
        async move { keys.reload().await.map_err(|error| edge::with_causes(&error)) }
    })
}

fn taken_up<F>(take_up: impl Fn() -> F + Send + Sync + 'static) -> News
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let telling = Arc::new(Telling::of([
        "what other processes changed cannot be read",
        "what other processes changed can be read again",
    ]));
    Arc::new(move || {
        let (taken_up, telling) = (take_up(), Arc::clone(&telling));
        Box::pin(async move { telling.tell(taken_up.await) })
    })
}

/// Tells that something fails, and that it does no more: once each, not each second.
#[derive(Debug)]
pub(crate) struct Telling {
    texts: [&'static str; 2],
    fails: AtomicBool,
}

impl Telling {
    pub(crate) fn of(texts: [&'static str; 2]) -> Self {
        Self { texts, fails: AtomicBool::new(false) }
    }

    pub(crate) fn tell(&self, done: Result<(), String>) {
        let [fails, works_again] = self.texts;
        match done {
            Err(error) if !self.fails.swap(true, Ordering::Relaxed) => tracing::warn!(error, "{fails}"),
            Ok(()) if self.fails.swap(false, Ordering::Relaxed) => tracing::warn!("{works_again}"),
            _ => {}
        }
    }
}

/// Does what came due while the bank was not there, before anybody can look: for a second at most, since what is left is
/// done beside the calls.
pub(crate) async fn catch_up(gateway: &Gateway, due: &Agenda) {
    let _ = tokio::time::timeout(KEEP_UP_EVERY, due.do_due(gateway)).await;
}

/// Does what there is to do for a bank that is reached over a network, on each node. Such a bank may answer slowly or not at all,
/// so nothing else waits for it, and a stop does not either: what was begun is taken up by whoever comes next.
async fn keep_bank_up(upkeep: Upkeep, mut stopped: watch::Receiver<bool>) {
    let telling = Telling::of([
        "what became of what the bank was asked for cannot be found out",
        "what became of what the bank was asked for can be found out again",
    ]);
    let mut tick = tokio::time::interval(KEEP_UP_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = tick.tick() => {}
        }
        tokio::select! {
            _ = stopped.changed() => return,
            done = upkeep() => telling.tell(done.map_err(|error| edge::with_causes(&error))),
        }
    }
}

/// Takes what the bank tells, if it tells anything. A stop cuts it off: what an event means is written with it, or neither is.
async fn follow_bank(gateway: Gateway, mut stopped: watch::Receiver<bool>) {
    tokio::select! {
        _ = stopped.changed() => {}
        () = gateway.follow_bank() => {}
    }
}

/// Ends what blocks end of what customers approved. On one of the nodes that share a store; a stop cuts it off, and whoever comes next
/// goes on.
async fn keep_ending(gateway: Gateway, mut stopped: watch::Receiver<bool>) {
    let telling = Telling::of([
        "what customers approved for a third party that is blocked, or that cancelled its client, cannot be ended; what is left is ended later",
        "what customers approved for third parties that are blocked, or cancelled their clients, can be ended again",
    ]);
    let mut lease = Lease::new("endings");
    let mut tick = tokio::time::interval(KEEP_UP_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let keep = async {
        loop {
            tick.tick().await;
            if lease.is_held(&gateway).await {
                let ended = gateway.go_on_ending(&mut lease).await;
                telling.tell(ended.map_err(|error| edge::with_causes(&error)));
            }
        }
    };
    tokio::select! {
        _ = stopped.changed() => {}
        () = keep => {}
    }
}

/// Does what is due as time goes by, until the bank stops.
async fn keep_up(gateway: Gateway, due: Agenda, news: Option<News>, mut stopped: watch::Receiver<bool>) {
    let mut lease = Lease::new("due");
    let mut tick = tokio::time::interval(KEEP_UP_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ticks = 0_u32;
    loop {
        tokio::select! {
            _ = stopped.changed() => return write_last_uses(&gateway).await,
            _ = tick.tick() => ticks = ticks.wrapping_add(1),
        }
        if ticks.is_multiple_of(WRITE_USES_EVERY) {
            write_last_uses(&gateway).await;
        }
        if let Some(take_up) = &news {
            take_up().await;
        }
        if lease.is_held(&gateway).await {
            due.do_due(&gateway).await;
        }
    }
}

/// Each process writes down what was used through it. What cannot be written is tried again, and calls tell what is wrong.
async fn write_last_uses(gateway: &Gateway) {
    if let Err(error) = gateway.write_last_uses().await {
        tracing::debug!(
            error = edge::with_causes(&error),
            "when consents were last used could not be written down"
        );
    }
}
