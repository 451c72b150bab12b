//! What the database does, and how much it has to do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gateway::Store;
use gateway::store_watch::{Load, Outcome, Watch, Work};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::tell;

/// Upper bounds of what is counted, in seconds: from a row that is at hand to a database that is stuck.
const BOUNDS: [f64; 13] =
    [0.000_01, 0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Done {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

/// What one kind of work is counted with. The rows are looked up once, since each call does several reads.
#[derive(Debug)]
struct Counted {
    outcomes: [Counter; Outcome::ALL.len()],
    durations: Histogram,
}

#[derive(Debug)]
struct Counts {
    reads: Counted,
    batches: Counted,
}

impl Watch for Counts {
    fn did(&self, work: Work, outcome: Outcome, took: Duration) {
        let counted = match work {
            Work::Read => &self.reads,
            Work::Batch => &self.batches,
        };
        let known = Outcome::ALL.iter().zip(&counted.outcomes).find(|(one, _)| **one == outcome);
        if let Some((_, counter)) = known {
            counter.inc();
        }
        counted.durations.observe(took.as_secs_f64());
    }
}

/// How much there is to do at the moment of the question.
#[derive(Debug)]
struct Now(Store);

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let numbers = match self.0.load() {
            Load::Queue { waiting, most } => vec![
                ("database_writer_queue", "Batches that wait for the writer of the file", waiting),
                ("database_writer_queue_max", "Batches that may wait for the writer of the file", most),
            ],
            Load::Connections { busy, idle, most } => vec![
                ("database_connections_busy", "Connections to the database that do something", busy),
                (
                    "database_connections_idle",
                    "Connections to the database that wait for something to do",
                    idle,
                ),
                ("database_connections_max", "Connections to the database that there may be", most),
            ],
        };
        numbers.into_iter().try_for_each(|(name, help, number)| {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            tell(&mut encoder, (name, help, None), &ConstGauge::new(number))
        })
    }
}

/// Counts what a store does from now on.
pub(super) fn watch(registry: &mut Registry, store: Store) -> Store {
    let done = Family::<Done, Counter>::default();
    let help =
        "Reads (statements) and batches (transactions that write) of the database, and what came of them";
    registry.register("database_operations", help, done.clone());
    let make: fn() -> Histogram = || Histogram::new(BOUNDS);
    let durations = Family::<Operation, Histogram, fn() -> Histogram>::new_with_constructor(make);
    let help = "Time that reads and batches of the database took, the wait for their turn included";
    registry.register_with_unit("database_operation_duration", help, Unit::Seconds, durations.clone());
    let counted = |operation| Counted {
        outcomes: Outcome::ALL
            .map(|outcome| done.get_or_create(&Done { operation, outcome: outcome.name() }).clone()),
        durations: durations.get_or_create(&Operation { operation }).clone(),
    };
    let work = Counts { reads: counted("read"), batches: counted("batch") };
    registry.register_collector(Box::new(Now(store.clone())));
    store.watched_by(Arc::new(work))
}
