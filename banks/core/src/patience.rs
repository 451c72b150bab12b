//! Payments of which the bank does not say what becomes of them: it is asked again, each time after a longer pause, so that one of
//! them is in nobody's way. That it neither takes nor declines one, the log is told once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gateway::domain::PaymentId;
use tokio::time::Instant;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(2);
/// The longest after a "no": so long may a payment wait after the bank was mended. A start anew asks at once.
const LONGEST: Duration = Duration::from_secs(300);
/// The longest after no answer, or one that means nothing: that is over as soon as the bank is there again.
const LONGEST_UNANSWERED: Duration = Duration::from_secs(16);

/// By the first payment of what was ordered together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patience(Arc<Mutex<HashMap<PaymentId, Pause>>>);

#[derive(Debug)]
struct Pause {
    until: Instant,
    length: Duration,
    /// Whether the log was told that the bank says no.
    is_told: bool,
}

impl Patience {
    /// Whether the bank may be asked about a payment now.
    pub(crate) fn allows(&self, payment: &PaymentId) -> bool {
        let pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.get(payment).is_none_or(|pause| pause.until <= Instant::now())
    }

    /// The bank is left in peace about a payment, to which it said no, or nothing. True if it says no for the first time.
    pub(crate) fn begin(&self, payment: &PaymentId, is_no: bool) -> bool {
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = if is_no { LONGEST } else { LONGEST_UNANSWERED };
        let before = pauses.get(payment).map(|pause| (pause.length, pause.is_told));
        let (length, was_told) =
            before.map_or((FIRST, false), |(length, told)| (length.saturating_mul(2).min(longest), told));
        let is_told = was_told || is_no;
        pauses.insert(payment.clone(), Pause { until: Instant::now() + length, length, is_told });
        is_no && !was_told
    }

    /// Forgets payments that are not open any more, since somebody else found out about them.
    pub(crate) fn keep(&self, open: &HashSet<PaymentId>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|payment, _| open.contains(payment));
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
        assert!(patience.allows(&payment) && patience.begin(&payment, true));
        for seconds in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            tokio::time::advance(Duration::from_millis(seconds * 1000 - 1)).await;
            assert!(!patience.allows(&payment), "{seconds}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(patience.allows(&payment), "{seconds}");
            assert!(!patience.begin(&payment, true), "it is told once");
        }
        patience.end(&payment);
        assert!(patience.allows(&payment) && patience.begin(&payment, true));
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_answer_pauses_are_shorter_and_a_no_is_told_after_them() {
        let (patience, payment) = (Patience::default(), PaymentId::new("p"));
        assert!(!patience.begin(&payment, false));
        for seconds in [2, 4, 8, 16, 16] {
            tokio::time::advance(Duration::from_millis(seconds * 1000 - 1)).await;
            assert!(!patience.allows(&payment), "{seconds}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(patience.allows(&payment), "{seconds}");
            assert!(!patience.begin(&payment, false), "nothing was said");
        }
        assert!(patience.begin(&payment, true) && !patience.begin(&payment, true));
        patience.keep(&HashSet::from([payment.clone()]));
        assert!(!patience.allows(&payment), "it is open");
        patience.keep(&HashSet::new());
        assert!(patience.allows(&payment));
    }
}
