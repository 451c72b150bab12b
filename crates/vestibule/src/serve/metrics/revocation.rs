//! What authorities were asked about certificates.

use std::fmt;

use gateway::Revocation;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::tell;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    outcome: &'static str,
}

#[derive(Debug)]
struct Now(Revocation);

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if !self.0.is_on() {
            return Ok(());
        }
        let counts = self.0.counts();
        let good = counts.asked.saturating_sub(counts.unanswered).saturating_sub(counts.bad);
        let rows = [("good", good), ("revoked", counts.bad), ("unanswered", counts.unanswered)]
            .map(|(outcome, count)| (Answered { outcome }, ConstCounter::new(count)));
        let help = "Times that an authority was asked about a certificate, and what it answered (revoked: or unknown to it)";
        let kind = rows[0].1.metric_type();
        let mut family = encoder.encode_descriptor("revocation_questions", help, None, kind)?;
        for (labels, count) in &rows {
            count.encode(family.encode_family(labels)?)?;
        }
        for (name, help, count) in [
            (
                "revocation_cache_hits",
                "Certificates of calls of which it was known what their authority says",
                counts.remembered,
            ),
            (
                "revocation_let_through",
                "Calls that were let through without an answer of an authority, because they only read",
                counts.let_through,
            ),
        ] {
            tell(&mut encoder, (name, help, None), &ConstCounter::new(count))?;
        }
        let help = "When an authority last answered, in seconds since 1970; 0 if none did since the start";
        let last = ConstGauge::new(counts.last_answer.map_or(0, |at| at.as_second()));
        tell(&mut encoder, ("revocation_last_answer_timestamp", help, Some(&Unit::Seconds)), &last)
    }
}

/// Tells what is asked from now on.
pub(super) fn watch(registry: &mut Registry, revocation: &Revocation) {
    registry.register_collector(Box::new(Now(revocation.clone())));
}
