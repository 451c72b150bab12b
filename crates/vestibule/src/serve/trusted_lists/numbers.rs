//! The numbers about trusted lists.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::kept::{Kept, OF_LISTS, holds};

/// Tells of the lists.
#[derive(Debug)]
pub(in crate::serve) struct ListNumbers(pub(super) Arc<Kept>);

impl Collector for ListNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let now = self.0.clock.now(None);
        let lists = self.0.lists();
        let all = lists.of_lists.iter().map(|list| (OF_LISTS, list));
        let all: Vec<_> =
            all.chain(lists.national.iter().map(|(name, list)| (name.as_str(), &**list))).collect();
        let gauge = ConstGauge::new(0_i64);
        let help = "Until when the next list should be there, in seconds since 1970";
        let name = "trusted_list_next_update_timestamp";
        let mut next = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), gauge.metric_type())?;
        for (name, list) in &all {
            let moment = list.next_update().map_or(0, |moment| moment.as_second());
            ConstGauge::new(moment).encode(next.encode_family(&[("list", *name)])?)?;
        }
        let help = "Whether a list is taken";
        let mut taken = encoder.encode_descriptor("trusted_list_holds", help, None, gauge.metric_type())?;
        for (name, list) in &all {
            ConstGauge::new(i64::from(holds(list, now))).encode(taken.encode_family(&[("list", *name)])?)?;
        }
        let refused = ConstCounter::new(lists.refused);
        let help = "Lists that could not be fetched or taken";
        let metric = encoder.encode_descriptor("trusted_lists_refused", help, None, refused.metric_type())?;
        refused.encode(metric)
    }
}
