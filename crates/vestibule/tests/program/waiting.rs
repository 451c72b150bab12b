//! Waiting for what a bank does beside the calls.

use std::time::{Duration, Instant};

use testkit::Answer;

/// Calls until the answer is the one that is waited for.
pub(crate) async fn until(status: u16, call: impl AsyncFn() -> Answer) -> Answer {
    let began = Instant::now();
    loop {
        let answer = call().await;
        if answer.status == status {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{} {}", answer.status, answer.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
