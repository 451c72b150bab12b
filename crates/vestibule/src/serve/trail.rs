//! Calls for the audit trail: noted when they are answered, written beside them.

use std::sync::Arc;
use std::time::Duration;

use edge::{Observer, Seen};
use gateway::audit::{AuditedCall, Trail};
use gateway::domain::{Timestamp, TppId};
use gateway::{Clock, Gateway};
use http::Method;
use jiff::{TimestampRound, Unit};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// How often what waits is written.
const EVERY: Duration = Duration::from_secs(1);

/// Methods that are told by name; a caller may send any word.
const METHODS: [Method; 7] =
    [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH];

/// Longest request id that is written.
const LONGEST_ID: usize = 128;

/// Notes each call for the trail, and tells another observer of it.
#[derive(Debug)]
struct Trailing {
    observer: Arc<dyn Observer>,
    trail: Arc<Trail>,
    clock: Arc<dyn Clock>,
}

impl Observer for Trailing {
    fn seen(&self, call: &Seen<'_>) {
        self.observer.seen(call);
        let audited = AuditedCall {
            at: milliseconds(self.clock.now(None)),
            interface: call.interface,
            method: method(call.method).to_owned(),
            route: call.route.map(str::to_owned),
            status: call.status.as_u16(),
            code: call.code.map(str::to_owned),
            request: call.request.map(|id| id.chars().take(LONGEST_ID).collect()),
            microseconds: microseconds(call.took),
            third_party: call.third_party.map(|tpp: &TppId| tpp.as_str().to_owned()),
            ..AuditedCall::default()
        };
        self.trail.note(audited.about(call.subject));
    }
}

/// The name of a method that is one.
pub(super) fn method(method: &Method) -> &'static str {
    METHODS.iter().find(|known| *known == method).map_or("other", Method::as_str)
}

pub(super) fn microseconds(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// A moment as the trail has it.
pub(super) fn milliseconds(moment: Timestamp) -> Timestamp {
    let round = TimestampRound::new().smallest(Unit::Millisecond).mode(jiff::RoundMode::Trunc);
    moment.round(round).unwrap_or(moment)
}

/// What writes the trail of this process, until it is stopped.
#[derive(Debug)]
pub(super) struct Notes {
    trail: Arc<Trail>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Notes {
    pub(super) fn begin(gateway: &Gateway) -> Self {
        // By which the trail tells processes apart.
        let node = gateway.new_secret().chars().take(8).collect();
        let trail = Arc::new(Trail::new(node));
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(write(gateway.clone(), Arc::clone(&trail), stopped));
        Self { trail, stop, tasks }
    }

    /// Where calls are noted.
    pub(super) fn trail(&self) -> Arc<Trail> {
        Arc::clone(&self.trail)
    }

    /// Notes calls, and tells another observer of them.
    pub(super) fn observer(&self, observer: Arc<dyn Observer>, clock: Arc<dyn Clock>) -> Arc<dyn Observer> {
        Arc::new(Trailing { observer, trail: self.trail(), clock })
    }

    /// Writes what still waits.
    pub(super) async fn stop(&mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Writes what waits each second, and the rest when the gateway stops.
async fn write(gateway: Gateway, trail: Arc<Trail>, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut fails = false;
    loop {
        let is_over = tokio::select! {
            _ = stopped.changed() => true,
            _ = tick.tick() => false,
        };
        let written = gateway.write_trail(&trail).await;
        match &written {
            Err(error) if !fails => {
                tracing::error!(error = edge::with_causes(error), "the audit trail cannot be written");
            }
            Ok(()) if fails => tracing::warn!("the audit trail can be written again"),
            _ => {}
        }
        fails = written.is_err();
        if is_over {
            return;
        }
    }
}
