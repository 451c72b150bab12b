//! Calls for the audit trail and for statistics: noted before their answer is sent, written beside them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use edge::{CALLER_GONE, Observer, Seen, ShownCertificate};
use gateway::audit::{AuditedCall, TlsVerifiedBy};
use gateway::domain::statistics::{Outcome, Request, UNANSWERED};
use gateway::domain::{Tenant, Timestamp, TppId};
use gateway::statistics::Statistics;
use gateway::{Clock, Gateway};
use http::{Method, StatusCode};
use jiff::{SignedDuration, TimestampRound, Unit};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::spool::{Spool, SpoolError};

/// How often what waits is written.
const EVERY: Duration = Duration::from_secs(1);

/// After how many of those statistics are.
const STATISTICS_EVERY: u32 = 10;

/// After how many of those it is looked for calls that other processes left behind.
const LOOK_EVERY: u32 = 5;

/// How often it is noted that this process is there, whatever the database does.
const SIGN_EVERY: Duration = Duration::from_secs(5);

/// Methods that are told by name; a caller may send any word.
const METHODS: [Method; 7] =
    [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH];

/// Longest id that a caller sent of which all is written.
const LONGEST_ID: usize = 128;

/// Notes each call for the trail, and tells another observer of it.
#[derive(Debug)]
struct Trailing {
    observer: Arc<dyn Observer>,
    spool: Arc<Spool>,
    statistics: Arc<Statistics>,
    clock: Arc<dyn Clock>,
}

impl Observer for Trailing {
    fn seen(&self, call: &Seen<'_>) {
        self.observer.seen(call);
        let at = milliseconds(self.clock.now(None));
        let took = SignedDuration::try_from(call.took).unwrap_or(SignedDuration::MAX);
        let service = |route| berlin_group::service_of(route).or_else(|| bunq::service_of(route));
        let outcome = outcome(call.status, took, call.proof.is_authenticated);
        if let Some((service, outcome)) = call.route.and_then(service).zip(outcome) {
            self.statistics.note(&Request { service, at, took, outcome });
        }
        let verified_by =
            if call.proof.is_told_by_proxy { TlsVerifiedBy::Proxy } else { TlsVerifiedBy::Gateway };
        let audited = AuditedCall {
            at,
            interface: call.interface,
            method: method(call.method).to_owned(),
            route: call.route.map(str::to_owned),
            status: call.status.as_u16(),
            code: call.code.map(str::to_owned),
            request: call.request.map(|id| id.chars().take(LONGEST_ID).collect()),
            microseconds: microseconds(call.took),
            third_party: call.third_party.map(|tpp: &TppId| tpp.as_str().chars().take(LONGEST_ID).collect()),
            authenticated: call.proof.is_authenticated,
            has_session: call.proof.has_session,
            signed: call.proof.is_signed,
            signing_certificate: fingerprint(call.proof.signing_certificate.as_ref()),
            tls_certificate: fingerprint(call.proof.tls_certificate.as_ref()),
            tls_verified_by: call.proof.tls_certificate.is_some().then_some(verified_by),
            ..AuditedCall::default()
        };
        self.spool.note(&audited.about(call.subject));
    }
}

fn fingerprint(certificate: Option<&ShownCertificate>) -> Option<String> {
    certificate.map(|certificate| certificate.fingerprint().to_owned())
}

/// What became of a request, for statistics. Nothing is known of one that its caller did not wait for. A refusal counts of callers who
/// proved who they are: anybody at all is refused, and could make the interface look better than it is, or up while it is down.
fn outcome(status: StatusCode, took: SignedDuration, is_authenticated: bool) -> Option<Outcome> {
    match status {
        status if status.is_server_error() || status.as_u16() == bunq::UNAVAILABLE => Some(Outcome::Failed),
        status if status.is_success() => Some(Outcome::Answered),
        status if status.as_u16() == CALLER_GONE => (took > UNANSWERED).then_some(Outcome::Failed),
        _ => is_authenticated.then_some(Outcome::Refused),
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
    spool: Arc<Spool>,
    statistics: Arc<Statistics>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Notes {
    /// `branch` is the one by whose midnight days are told apart, `folder` where calls stand until they are written.
    ///
    /// # Errors
    /// [`SpoolError`]
    pub(super) fn begin(gateway: &Gateway, branch: &Tenant, folder: &Path) -> Result<Self, SpoolError> {
        // By which trail and statistics tell processes apart.
        let node: String = gateway.new_secret().chars().take(8).collect();
        let spool = Arc::new(Spool::begin(folder, node.clone(), gateway)?);
        let statistics = Arc::new(Statistics::new(node, branch.clone(), gateway.system_time()));
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(be_there(gateway.clone(), Arc::clone(&statistics), stopped.clone()));
        tasks.spawn(write(gateway.clone(), (Arc::clone(&spool), Arc::clone(&statistics)), stopped));
        Ok(Self { spool, statistics, stop, tasks })
    }

    /// Where calls are noted.
    pub(super) fn spool(&self) -> Arc<Spool> {
        Arc::clone(&self.spool)
    }

    /// Where requests are counted.
    pub(super) fn statistics(&self) -> Arc<Statistics> {
        Arc::clone(&self.statistics)
    }

    /// Notes calls, and tells another observer of them.
    pub(super) fn observer(&self, observer: Arc<dyn Observer>, clock: Arc<dyn Clock>) -> Arc<dyn Observer> {
        Arc::new(Trailing { observer, spool: self.spool(), statistics: self.statistics(), clock })
    }

    /// Writes what still waits.
    pub(super) async fn stop(&mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Notes that this process is there. A machine that sleeps notes nothing.
async fn be_there(gateway: Gateway, statistics: Arc<Statistics>, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(SIGN_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = tick.tick() => statistics.is_there(gateway.system_time()),
        }
    }
}

/// Writes what waits each second, statistics each ten, and all of it when the gateway stops.
async fn write(
    gateway: Gateway,
    (spool, statistics): (Arc<Spool>, Arc<Statistics>),
    mut stopped: watch::Receiver<bool>,
) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut trouble, mut ticks) = (Trouble::default(), 0_u32);
    loop {
        let is_over = tokio::select! {
            _ = stopped.changed() => true,
            _ = tick.tick() => false,
        };
        let stands = spool.stand(&gateway).await;
        let looks = ticks.is_multiple_of(LOOK_EVERY) && !is_over;
        let looked = if looks { Some(spool.look(&gateway).await) } else { None };
        let mut written = if is_over { spool.end(&gateway).await } else { spool.take(&gateway).await };
        if is_over || ticks.is_multiple_of(STATISTICS_EVERY) {
            let counted = gateway.write_statistics(&statistics, is_over).await;
            written = written.and(counted.map_err(SpoolError::from));
        }
        ticks = ticks.wrapping_add(1);
        trouble.tell(looked, stands.and(written));
        if is_over {
            return;
        }
    }
}

/// What is in the way of the trail: it is said once, and once when it is gone.
#[derive(Debug, Default)]
struct Trouble {
    /// Whether the last look at the folder failed; it is looked at less often than is written.
    look_fails: bool,
    is_told: bool,
}

/// What the log is told.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Begins,
    IsOver,
}

impl Trouble {
    /// Tells the log what became of a turn.
    fn tell(&mut self, looked: Option<Result<(), SpoolError>>, written: Result<(), SpoolError>) {
        let news = self.news(looked.as_ref().map(Result::is_err), written.is_err());
        match (news, looked.unwrap_or(Ok(())).and(written)) {
            (Some(News::Begins), Err(error)) => tracing::error!(
                error = edge::with_causes(&error),
                "the audit trail or statistics cannot be written"
            ),
            (Some(News::IsOver), _) => {
                tracing::warn!("the audit trail and statistics can be written again");
            }
            _ => {}
        }
    }

    fn news(&mut self, look_fails: Option<bool>, writing_fails: bool) -> Option<News> {
        self.look_fails = look_fails.unwrap_or(self.look_fails);
        let fails = self.look_fails || writing_fails;
        let was_told = std::mem::replace(&mut self.is_told, fails);
        (fails != was_told).then_some(if fails { News::Begins } else { News::IsOver })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_said_once_and_once_that_it_is_over() {
        let mut trouble = Trouble::default();
        let turns = [
            (Some(true), false, Some(News::Begins)),
            // Nobody looked since.
            (None, false, None),
            (None, true, None),
            (Some(true), false, None),
            (None, false, None),
            (Some(false), false, Some(News::IsOver)),
            (None, true, Some(News::Begins)),
            (Some(false), true, None),
            (None, false, Some(News::IsOver)),
        ];
        for (turn, (looked, written, expected)) in turns.into_iter().enumerate() {
            assert_eq!(trouble.news(looked, written), expected, "{turn}");
        }
    }
}
