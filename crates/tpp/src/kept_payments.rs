//! Payments and consents for confirmation of funds as the third party keeps them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::kept_approvals::KeptApproval;
use crate::{Error, Hint};

/// How long a bank knows the id of a request, at least.
const REQUEST_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// A payment as the third party keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptPayment {
    /// Its id.
    pub id: String,
    /// What was asked for, for people.
    pub asked: String,
    /// Service and product as they are in paths, where the interface has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Whether it is for a later day.
    #[serde(default)]
    pub is_dated: bool,
    /// The status that was heard last.
    pub status: String,
    /// Its way through the customer's approval, or of its cancellation; none where customers approve what waits at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<KeptApproval>,
    /// Whether what the customer is asked to approve is to take it back.
    #[serde(default)]
    pub is_cancelling: bool,
}

impl KeptPayment {
    /// The payment with this id, or the newest one.
    pub(crate) fn choose<'p>(all: &'p [Self], id: Option<&str>) -> Result<&'p Self, Error> {
        match id {
            Some(id) => all.iter().find(|kept| kept.id == id).ok_or_else(|| {
                let text = format!("payment {id} is not kept here; those that are, are listed");
                Error::missing(text, Hint::Show)
            }),
            None => {
                all.last().ok_or_else(|| Error::missing("no payment is kept yet; ask for one", Hint::Pay))
            }
        }
    }
}

/// A consent for confirmation of funds as the third party keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptFundsConsent {
    /// Its id, and its way through the customer's approval.
    #[serde(flatten)]
    pub approval: KeptApproval,
    /// The account that it is about.
    pub account: String,
}

/// A request to make something that no answer came to: the same one again has the same id, so that the bank makes one
/// thing of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptRequest {
    /// Its `X-Request-ID`.
    pub id: String,
    /// SHA-256 of what was asked for.
    pub digest: String,
    /// When.
    pub at: Timestamp,
}

impl KeptRequest {
    /// Whether the bank still knows it.
    pub(crate) fn is_known_at(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < REQUEST_LIFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_for_a_day() {
        let at: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        let kept = KeptRequest { id: "r".to_owned(), digest: "d".to_owned(), at };
        let later = |hours| at + SignedDuration::from_hours(hours);
        assert!(kept.is_known_at(later(23)) && !kept.is_known_at(later(24)));
    }
}
