//! What whoever watches the way to a bank is told: each call when it is over, and how the way is now.

use std::fmt::Debug;
use std::time::Duration;

use http::HeaderMap;
use tracing::Span;
use tracing::field::Empty;

use crate::failure::Failure;

/// What came of a call to a bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The bank answered.
    Answered,
    /// The bank said no.
    Refused,
    /// The bank answered that it failed, or what is none of the interface.
    Failed,
    /// No answer, or none that means anything.
    Unanswered,
    /// The bank was not asked, because it did not answer the calls before.
    Spared,
}

impl Outcome {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Answered, Self::Refused, Self::Failed, Self::Unanswered, Self::Spared];

    /// Its name in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unanswered => "unanswered",
            Self::Spared => "spared",
        }
    }

    pub(crate) fn of<T>(answer: &Result<T, Failure>) -> Self {
        match answer {
            Ok(_) => Self::Answered,
            Err(Failure::Refused(..)) => Self::Refused,
            Err(Failure::Status(_) | Failure::Odd(_)) => Self::Failed,
            Err(Failure::Away { .. }) => Self::Unanswered,
        }
    }
}

/// A call that is over.
#[derive(Debug, Clone, Copy)]
pub struct Called {
    /// What the bank was asked for: an `operationId` of the interface's description.
    pub operation: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took, all attempts and the wait for a place together.
    pub took: Duration,
}

/// Is told of each call to a bank once, when it is over. The caller waits meanwhile.
pub trait Watch: Debug + Send + Sync {
    /// A call is over.
    fn called(&self, call: &Called);

    /// Adds what a call carries beside what the interface says, such as the trace that it belongs to (W3C Trace Context).
    fn carry(&self, _headers: &mut HeaderMap) {}
}

/// How the way to a bank is at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Calls that have a place now.
    pub in_flight: usize,
    /// How many there may be at once.
    pub at_once: usize,
    /// Whether the bank did not answer the last calls and is left in peace, but for one that looks.
    pub rests: bool,
}

/// Target of the spans that are for traces, and not for the log.
const TRACES: &str = "vestibule::traces";

/// What is asked for, by names that are no secret.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) method: &'static str,
    /// An `operationId` of the description.
    pub(crate) operation: &'static str,
}

impl Asked {
    /// The span of a call: names and attributes are those of OpenTelemetry's semantic conventions for HTTP clients. The path is left out,
    /// since it holds ids of customers and accounts.
    pub(crate) fn span(self, base: &url::Url) -> Span {
        let Self { method, operation } = self;
        let port = base.port_or_known_default().map(i64::from);
        tracing::trace_span!(
            target: TRACES,
            "core bank",
            otel.name = format!("{method} {operation}").as_str(),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = method,
            http.response.status_code = Empty,
            server.address = base.host_str(),
            server.port = port,
            "error.type" = Empty,
            vestibule.operation = operation,
        )
    }
}

/// Says what came of a call.
pub(crate) fn end<T>(span: &Span, outcome: Outcome, answer: &Result<T, Failure>) {
    let status = match answer {
        Ok(_) => Some(200),
        Err(Failure::Refused(status, _) | Failure::Status(status)) => Some(status.as_u16()),
        Err(Failure::Odd(_) | Failure::Away { .. }) => None,
    };
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    if outcome != Outcome::Answered {
        let kind = status.map_or_else(|| outcome.name().to_owned(), |status| status.to_string());
        span.record("error.type", kind.as_str());
        span.record("otel.status_code", "ERROR");
    }
}

/// Which operation of the description a call is; parts of a path that are ids may be anything.
pub(crate) fn operation(path: &[&str]) -> &'static str {
    match path {
        ["accounts", "find"] => "findAccounts",
        ["accounts", _] => "account",
        ["accounts", _, "balances"] => "balances",
        ["accounts", _, "transactions", "booked"] => "booked",
        ["accounts", _, "transactions", "pending"] => "pending",
        ["accounts", _, "funds"] => "funds",
        ["accounts", _, "holders"] => "holders",
        ["accounts", _, "approvals-needed"] => "approvalsNeeded",
        ["funds-checks"] => "checkFunds",
        ["customers", "find"] => "findCustomers",
        ["log-ins"] => "logIn",
        ["customers", _] => "customer",
        ["customers", _, "accounts"] => "accountsOf",
        ["customers", _, "approvals"] => "approve",
        ["payment-checks"] => "checkPayments",
        ["payments"] => "submitPayments",
        ["payments", _] => "progress",
        ["payments", _, "stop"] => "stop",
        ["events"] => "events",
        ["parts"] => "parts",
        ["accounts", _, "entries"] => "entries",
        ["accounts", _, "entry-number"] => "entryNumber",
        ["accounts", _, "close"] => "closeAccount",
        ["customers", _, "accounts", "open"] => "openAccount",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::operation;

    #[test]
    fn every_operation_of_the_description_is_known_by_its_path() {
        let description: serde_json::Value = serde_json::from_str(crate::DESCRIPTION).unwrap();
        let mut known = 0;
        for (path, methods) in description["paths"].as_object().unwrap() {
            let parts: Vec<_> =
                path.trim_start_matches("/core/v1").split('/').filter(|part| !part.is_empty()).collect();
            for method in
                methods.as_object().unwrap().values().filter(|method| method["operationId"].is_string())
            {
                // The description itself is for people.
                if method["operationId"] != "description" {
                    known += 1;
                    assert_eq!(operation(&parts), method["operationId"].as_str().unwrap(), "{path}");
                }
            }
        }
        assert_eq!(known, 24);
    }
}
