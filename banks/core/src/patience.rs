//! Payments that the bank neither takes nor declines: it is asked again, each time after a longer pause, and the log is told once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gateway::domain::PaymentId;
use tokio::time::Instant;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(2);
/// The longest: so long may a payment wait after the bank was mended. A start anew asks at once.
const LONGEST: Duration = Duration::from_secs(300);

/// By the first payment of what was ordered together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patience(Arc<Mutex<HashMap<PaymentId, Pause>>>);

#[derive(Debug)]
struct Pause {
    until: Instant,
    length: Duration,
}

impl Patience {
    /// Whether the bank may be asked about a payment now.
    pub(crate) fn allows(&self, payment: &PaymentId) -> bool {
        let pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.get(payment).is_none_or(|pause| pause.until <= Instant::now())
    }

    /// The bank is left in peace about a payment. True if it was not before.
    pub(crate) fn begin(&self, payment: &PaymentId) -> bool {
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = pauses.get(payment).map(|pause| pause.length);
        let length = before.map_or(FIRST, |length| length.saturating_mul(2).min(LONGEST));
        pauses.insert(payment.clone(), Pause { until: Instant::now() + length, length });
        before.is_none()
    }

    /// It is decided.
    pub(crate) fn end(&self, payment: &PaymentId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(payment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_up_to_the_longest_and_end() {
        let (patience, payment) = (Patience::default(), PaymentId::new("p"));
        assert!(patience.allows(&payment) && patience.begin(&payment));
        for seconds in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            tokio::time::advance(Duration::from_millis(seconds * 1000 - 1)).await;
            assert!(!patience.allows(&payment), "{seconds}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(patience.allows(&payment), "{seconds}");
            assert!(!patience.begin(&payment), "it is told once");
        }
        patience.end(&payment);
        assert!(patience.allows(&payment) && patience.begin(&payment));
    }
}
