//! What whoever watches the way to a bank is told: each call when it is over, and how the way is now.

use std::fmt::Debug;
use std::time::Duration;

use crate::client::Failure;

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
            Err(Failure::Status(_)) => Self::Failed,
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
        assert_eq!(known, 19);
    }
}
