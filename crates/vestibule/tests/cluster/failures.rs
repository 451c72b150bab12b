//! What is done to the cluster, and how long nobody was served then.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::CLUSTER;
use crate::callers::Callers;

/// How long is waited for the cluster to be whole again.
const LONGEST: Duration = Duration::from_secs(240);

/// How long what comes of mending belongs to a failure.
const MENDED: Duration = Duration::from_secs(60);

/// So many writes are acknowledged before the next failure.
const SERVED: usize = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The primary's PostgreSQL is killed; Patroni beside it sees that.
    Postgres,
    /// Everything on the primary's machine is killed, etcd too: nobody says anything.
    Machine,
    /// A node of the gateway is killed.
    Node,
    /// The primary's machine is cut off and lives on.
    Network,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Postgres, Self::Machine, Self::Node, Self::Network];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Machine => "machine",
            Self::Node => "node",
            Self::Network => "network",
        }
    }

    fn says(self) -> &'static str {
        match self {
            Self::Postgres => "kill -9 of the primary's PostgreSQL",
            Self::Machine => "kill -9 of all on the primary's machine",
            Self::Node => "kill -9 of a node",
            Self::Network => "the primary's network is cut",
        }
    }
}

/// From a failure until everything is whole again.
pub(crate) struct Window {
    kind: Kind,
    begun: Instant,
    ended: Instant,
}

impl Window {
    /// The longest time in which no write was acknowledged, in seconds.
    pub(crate) fn pause(&self, callers: &Callers) -> f64 {
        let acknowledged = callers.acknowledged();
        let pairs = acknowledged.windows(2).filter(|pair| pair[1] > self.begun && pair[0] < self.ended);
        let longest = pairs.map(|pair| pair[1].duration_since(pair[0])).max();
        longest.unwrap_or_else(|| self.ended.duration_since(self.begun)).as_secs_f64()
    }

    /// Writes acknowledged each second.
    pub(crate) fn rate(&self, callers: &Callers) -> f64 {
        let acknowledged = callers.acknowledged();
        let count = acknowledged.iter().filter(|at| **at >= self.begun && **at < self.ended).count();
        count as f64 / self.ended.duration_since(self.begun).as_secs_f64()
    }

    /// A row of the table.
    pub(crate) fn line(&self, callers: &Callers, number: usize) -> String {
        let (longest, refused, unanswered) = callers.calls_within(self.begun, self.ended);
        format!(
            "| {} | {number} | {:.1} s | {:.1} s | {refused} | {unanswered} |",
            self.kind.says(),
            self.pause(callers),
            longest.as_secs_f64()
        )
    }
}

/// The shortest, the middle and the longest time without service.
pub(crate) fn summary(callers: &Callers, kind: Kind, windows: &[Window]) -> String {
    let mut pauses: Vec<f64> =
        windows.iter().filter(|window| window.kind == kind).map(|window| window.pause(callers)).collect();
    pauses.sort_by(f64::total_cmp);
    let last = pauses.len() - 1;
    format!(
        "{}: {} times, {:.1} s to {:.1} s without service, {:.1} s in the middle",
        kind.says(),
        pauses.len(),
        pauses[0],
        pauses[last],
        pauses[last / 2]
    )
}

/// A time in which nothing fails.
pub(crate) async fn rest(long: Duration) -> Window {
    let begun = Instant::now();
    tokio::time::sleep(long).await;
    Window { kind: Kind::Node, begun, ended: Instant::now() }
}

/// Asks the script; nothing if it says no.
async fn ask(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(CLUSTER);
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

async fn tell(arguments: &[&str]) {
    assert!(ask(arguments).await.is_some(), "cluster {arguments:?}");
}

/// Waits until something is so.
async fn until(what: &str, is_so: impl AsyncFnMut() -> bool) {
    assert!(is_so_within(LONGEST, is_so).await, "{what} did not come true in {LONGEST:?}");
}

/// Waits until something is so, for no longer than this; false if it is not.
async fn is_so_within(longest: Duration, mut is_so: impl AsyncFnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !is_so().await {
        if begun.elapsed() >= longest {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    true
}

async fn is_whole() -> bool {
    ask(&["whole"]).await.is_some()
}

/// Lets something fail while all is whole, mends it once others serve in its place, and looks at what comes of that until all is whole again,
/// or for a while: a standby may take longer to catch up, and serves nobody.
pub(crate) async fn happen(callers: &Callers, kind: Kind, number: usize) -> Window {
    until("a whole cluster", is_whole).await;
    // On a slow machine one may be taken for dead that is not, so that there is none for a while.
    let mut primary = None;
    until("a primary", async || {
        primary = ask(&["primary"]).await;
        primary.is_some()
    })
    .await;
    let primary = primary.unwrap();
    let node = ["node1", "node2"][number % 2];
    let begun = Instant::now();
    match kind {
        Kind::Postgres => tell(&["kill-postgres"]).await,
        Kind::Machine => tell(&["kill", &primary]).await,
        Kind::Node => tell(&["kill", node]).await,
        Kind::Network => tell(&["cut", &primary]).await,
    }
    if kind == Kind::Node {
        tokio::time::sleep(Duration::from_secs(3)).await;
        tell(&["start", node]).await;
    } else {
        until("another primary", async || ask(&["primary"]).await.is_some_and(|now| now != primary)).await;
        let before = callers.acknowledged().len();
        until("service", async || callers.acknowledged().len() > before + SERVED).await;
        match kind {
            Kind::Machine => tell(&["start", &primary]).await,
            Kind::Network => tell(&["mend", &primary]).await,
            Kind::Postgres | Kind::Node => {}
        }
    }
    is_so_within(MENDED, is_whole).await;
    let ended = Instant::now();
    let before = callers.acknowledged().len();
    until("service", async || callers.acknowledged().len() > before + SERVED).await;
    Window { kind, begun, ended }
}
