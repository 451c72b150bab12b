//! Writing for people and for programs. A reader that goes away early, as `head` does, is no error.

use std::io::Write;
use std::time::Duration;

/// Longer waits say what they wait for.
const SILENCE: Duration = Duration::from_secs(1);

/// A line for standard output.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Lines for standard output, as they are.
pub(crate) fn text(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// A line for standard error.
pub(crate) fn error(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// JSON on one line.
pub(crate) fn json(value: &impl serde::Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => line(&text),
        Err(failure) => error(&failure.to_string()),
    }
}

/// Waits for something; if that takes more than a second, standard error says what.
pub(crate) async fn patiently<T>(waiting_for: &str, something: impl Future<Output = T>) -> T {
    tokio::pin!(something);
    tokio::select! {
        done = &mut something => return done,
        () = tokio::time::sleep(SILENCE) => {}
    }
    error(&format!("Waiting for {waiting_for} …"));
    something.await
}
