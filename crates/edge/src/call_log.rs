//! The log of calls, and of failures in what the bank does by itself.

use gateway::domain::{RequestId, TppId};
use tracing::Level;

use crate::observer::{Observer, Seen};

/// Writes one line for each call: at level `error`, with everything that is behind it, for a failure of the bank itself,
/// at level `info` for everything else. Values are quoted and escaped, so that none looks like another field or another
/// line.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallLog;

/// What a call without a route, a code, a third party or an id has in their place.
const NONE: &str = "-";

macro_rules! line {
    ($level:ident, $call:expr $(, $name:ident = $value:expr)?) => {
        tracing::event!(
            Level::$level,
            method = $call.method.as_str(),
            route = $call.route.unwrap_or(NONE),
            status = $call.status.as_u16(),
            code = $call.code.unwrap_or(NONE),
            milliseconds = $call.took.as_millis(),
            third_party = $call.third_party.map_or(NONE, TppId::as_str),
            request = $call.request.unwrap_or(NONE),
            $($name = $value,)?
            "call"
        )
    };
}

impl Observer for CallLog {
    fn seen(&self, call: &Seen<'_>) {
        match call.fault {
            None => line!(INFO, call),
            Some(fault) => line!(ERROR, call, error = with_causes(fault)),
        }
    }
}

/// Logs a failure in what the bank does of its own accord, with everything that is behind it.
pub fn log_failure(request: &RequestId, failure: &dyn std::error::Error) {
    tracing::error!(
        request = request.as_str(),
        error = with_causes(failure),
        "work of the bank itself failed"
    );
}

/// A failure with everything that is behind it, for the log.
pub fn with_causes(failure: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(failure), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
