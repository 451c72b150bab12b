//! What is asked of the core bank, what comes of it, and how the way to it is.

use std::fmt;
use std::sync::Arc;

use core_bank::{Called, CoreBank, Watch};
use http::HeaderMap;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{BOUNDS, tell};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

#[derive(Debug)]
struct Calls {
    calls: Family<Call, Counter>,
    durations: Family<Operation, Histogram, fn() -> Histogram>,
}

impl Watch for Calls {
    fn called(&self, call: &Called) {
        let Called { operation, outcome, took } = *call;
        self.calls.get_or_create(&Call { operation, outcome: outcome.name() }).inc();
        self.durations.get_or_create(&Operation { operation }).observe(took.as_secs_f64());
    }

    fn carry(&self, headers: &mut HeaderMap) {
        crate::traces::carry(headers);
    }
}

/// How the way is at the moment of the question.
#[derive(Debug)]
struct Now(CoreBank);

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let way = self.0.way();
        for (name, help, number) in [
            ("core_bank_calls_in_flight", "Calls to the core bank that have a place now", way.in_flight),
            (
                "core_bank_calls_in_flight_max",
                "Calls to the core bank that there may be at once",
                way.at_once,
            ),
            (
                "core_bank_circuit_open",
                "Whether the core bank did not answer the last calls and is left in peace for a moment",
                way.rests.into(),
            ),
        ] {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            tell(&mut encoder, (name, help, None), &ConstGauge::new(number))?;
        }
        Ok(())
    }
}

/// Counts the calls from now on.
pub(super) fn watch(registry: &mut Registry, bank: &CoreBank) {
    let calls = Family::default();
    registry.register("core_bank_calls", "Calls to the core bank, and what came of them", calls.clone());
    let make: fn() -> Histogram = || Histogram::new(BOUNDS);
    let durations = Family::new_with_constructor(make);
    let help = "Time that calls to the core bank took, all attempts together";
    registry.register_with_unit("core_bank_call_duration", help, Unit::Seconds, durations.clone());
    registry.register_collector(Box::new(Now(bank.clone())));
    bank.watched_by(Arc::new(Calls { calls, durations }));
}
