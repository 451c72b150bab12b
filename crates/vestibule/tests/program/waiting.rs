//! Waiting for what a bank does beside the calls.

use std::time::{Duration, Instant};

use testkit::Answer;
use tokio::net::TcpListener;

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

/// Listens where somebody listened who was told to stop: what is left of it may end a moment later.
pub(crate) async fn listen_instead(address: &str) -> TcpListener {
    let began = Instant::now();
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => assert!(began.elapsed() < Duration::from_secs(60), "{address}: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
