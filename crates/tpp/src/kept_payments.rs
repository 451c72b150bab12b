//! Payments and consents for confirmation of funds as the third party keeps them.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::kept_approvals::KeptApproval;
use crate::{Error, Hint};

/// How long a bank knows the id of a request, at least.
const REQUEST_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Days that may begin at the bank while it lasts: more of them, and somebody moved the clock of a sandbox.
const REQUEST_DAYS: i32 = 1;

/// A payment as the third party keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptPayment {
    /// Its id.
    pub id: String,
    /// What was asked for, for people.
    pub asked: String,
    /// The account that pays, if it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor: Option<String>,
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
    /// SHA-256 of the request that asked for it, until a command came to its end that told what became of it: the same
    /// request goes on with it until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl KeptPayment {
    /// The payment of a request, if nobody was told of it and it has not come to nothing.
    pub(crate) fn untold<'p>(all: &'p [Self], request: &str) -> Option<&'p Self> {
        let is_over = |status: &str| matches!(status, "RJCT" | "CANC" | "REJECTED" | "CANCELLED" | "EXPIRED");
        all.iter().find(|kept| kept.request.as_deref() == Some(request) && !is_over(&kept.status))
    }

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

/// A request to make something that no answer came to, so that the same one again makes one thing of both: where the bank
/// knows the ids of requests, it has the same id, and where it knows none, this side looks for what was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptRequest {
    /// Its id; its `X-Request-ID` where the interface has that.
    pub id: String,
    /// SHA-256 of what was asked for.
    pub digest: String,
    /// SHA-256 of what the bank shows of what was made, where that may be less than what was asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub likeness: String,
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// The day at the bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// What the bank had made last before, where this side looks for what was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<KeptNewest>,
}

/// What a bank had made last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptNewest {
    /// Its number.
    pub id: i64,
    /// When, as the bank writes it.
    pub created: String,
}

impl KeptRequest {
    /// Whether the bank still knows its id on a day there.
    pub(crate) fn is_known_at(&self, now: Timestamp, today: Option<Date>) -> bool {
        let days = self.day.zip(today).and_then(|(day, today)| today.since(day).ok());
        let is_moved = days.is_some_and(|days| days.get_days() > REQUEST_DAYS);
        !is_moved && now.duration_since(self.at) < REQUEST_LIFE
    }
}

/// The name of the lock of a request, which those that ask for the same wait for.
pub(crate) fn turn_of(digest: &str) -> String {
    format!("request-{}", &digest[..2])
}

/// SHA-256 of what is asked for, in hexadecimal.
pub(crate) fn digest_of(parts: &[&[u8]]) -> String {
    let whole = parts.join(&b'\n');
    HEXLOWER.encode(digest(&SHA256, &whole).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_for_a_day() {
        let at: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        let day: Date = "2026-11-26".parse().unwrap();
        let kept = KeptRequest { at, day: Some(day), ..KeptRequest::default() };
        let later = |hours| at + SignedDuration::from_hours(hours);
        assert!(kept.is_known_at(later(23), None) && !kept.is_known_at(later(24), None));
        // Midnight may lie in between; more than that is a clock that was moved.
        let then = |days: i64| Some(day.saturating_add(SignedDuration::from_hours(24 * days)));
        assert!(kept.is_known_at(later(1), then(1)) && !kept.is_known_at(later(1), then(200)));
    }
}
