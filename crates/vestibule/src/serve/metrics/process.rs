//! What the process takes from its machine, by the names that Prometheus gives to that.

use std::fmt;
use std::fs;

use gateway::domain::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::tell;

/// This process.
#[derive(Debug)]
pub(super) struct Process {
    /// When it began.
    pub(super) began: Timestamp,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let began = ConstGauge::new(self.began.as_second());
        let help = "When the process began, in seconds since 1970";
        tell(&mut encoder, ("process_start_time", help, Some(&Unit::Seconds)), &began)?;
        let spent = clock_gettime(ClockId::ProcessCPUTime);
        let spent = std::time::Duration::try_from(spent).unwrap_or_default().as_secs_f64();
        let help = "Processor time that the process took";
        tell(&mut encoder, ("process_cpu", help, Some(&Unit::Seconds)), &ConstCounter::new(spent))?;
        // Where a system does not tell, there is no row.
        if let Some(octets) = resident() {
            let help = "Memory that the process has";
            let memory = ConstGauge::new(octets);
            tell(&mut encoder, ("process_resident_memory", help, Some(&Unit::Bytes)), &memory)?;
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            let open = i64::try_from(open.count()).unwrap_or(i64::MAX);
            let help = "Files and connections that are open";
            tell(&mut encoder, ("process_open_fds", help, None), &ConstGauge::new(open))?;
        }
        if let Some(most) = getrlimit(Resource::Nofile).current {
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let help = "Files and connections that may be open";
            tell(&mut encoder, ("process_max_fds", help, None), &ConstGauge::new(most))?;
        }
        Ok(())
    }
}

/// Octets of memory, as Linux tells them.
fn resident() -> Option<i64> {
    let told = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = told.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(i64::try_from(rustix::param::page_size()).ok()?)
}
