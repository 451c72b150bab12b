//! Writing for people and for programs. A reader that goes away early, as `head` does, is no error; output that is not written for another
//! reason is: a file that was cut by a full disk would be taken for the whole.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// How it went so far.
static STATE: AtomicU8 = AtomicU8::new(WRITTEN);

/// All was written.
const WRITTEN: u8 = 0;
/// Nobody reads on.
const UNREAD: u8 = 1;
/// Something could not be written.
const FAILED: u8 = 2;

/// Longer waits say what they wait for.
const SILENCE: Duration = Duration::from_secs(1);

/// A line for standard output.
pub(crate) fn line(text: &str) {
    write(|out| writeln!(out, "{text}"));
}

/// Lines for standard output, as they are.
pub(crate) fn text(text: &str) {
    write(|out| out.write_all(text.as_bytes()));
}

/// Something that another library writes to standard output.
pub(crate) fn written(result: io::Result<()>) {
    note(result.and_then(|()| io::stdout().flush()));
}

/// Whether all that was to be on standard output is there, or nobody wants it.
pub(crate) fn is_whole() -> bool {
    STATE.load(Ordering::Relaxed) != FAILED
}

/// Writes, unless something before it is missing: output with a hole in it would look whole.
fn write(what: impl FnOnce(&mut io::StdoutLock<'static>) -> io::Result<()>) {
    if STATE.load(Ordering::Relaxed) == WRITTEN {
        let mut out = io::stdout().lock();
        note(what(&mut out).and_then(|()| out.flush()));
    }
}

fn note(result: io::Result<()>) {
    match result {
        Ok(()) => {}
        Err(failure) if failure.kind() == ErrorKind::BrokenPipe => STATE.store(UNREAD, Ordering::Relaxed),
        Err(failure) => {
            if STATE.swap(FAILED, Ordering::Relaxed) != FAILED {
                error(&format!(
                    "error: standard output cannot be written, and what it has is not all: {failure}"
                ));
            }
        }
    }
}

/// A line for standard error.
pub(crate) fn error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
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
