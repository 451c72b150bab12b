//! Consents as the third party keeps them, and what it asks for.

use berlin_group::wire;
use serde::{Deserialize, Serialize};

use crate::kept_approvals::KeptApproval;

/// A consent as the third party keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptConsent {
    /// Its id, and its way through the customer's approval.
    #[serde(flatten)]
    pub approval: KeptApproval,
    /// The accounts that it was asked for; none where the customer chooses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// Last day.
    pub valid_until: String,
    /// Unattended reads a day.
    pub frequency_per_day: i64,
    /// Unattended reads of today.
    #[serde(default)]
    pub reads: Vec<KeptRead>,
    /// Whether it is for more than one time; one that is not has no daily limit.
    #[serde(default = "recurring")]
    pub recurring: bool,
}

/// What was kept before one-off consents were told apart.
fn recurring() -> bool {
    true
}

impl KeptConsent {
    /// The status that it ended with, as far as that is known here on a day at the bank.
    pub fn end(&self, today: &str) -> Option<&str> {
        let expired = || (self.valid_until.as_str() < today).then_some("expired");
        self.approval.ended.as_deref().or_else(expired)
    }
}

/// Whether a consent of this status can be used no more.
pub(crate) fn is_end(status: &str) -> bool {
    matches!(status, "rejected" | "expired" | "terminatedByTpp" | "revokedByPsu")
}

/// How often something was read without the customer on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptRead {
    /// The account.
    pub account: String,
    /// `balances` or `transactions`.
    pub kind: String,
    /// The day, by the bank's calendar.
    pub day: String,
    /// How often.
    pub count: i64,
}

/// What a consent is to be asked for.
#[derive(Debug, Clone, Default)]
pub struct ConsentWish {
    /// Accounts; none to let the customer choose.
    pub ibans: Vec<String>,
    /// Whether it is for more than one time.
    pub recurring: bool,
    /// Last day, `YYYY-MM-DD`; as late as the bank allows if absent.
    pub valid_until: Option<String>,
    /// Unattended reads a day.
    pub frequency_per_day: i64,
    /// Let the customer choose among savings accounts.
    pub savings: bool,
}

impl ConsentWish {
    /// As the interface wants it.
    pub(crate) fn request(&self) -> wire::ConsentRequest {
        let references: Vec<wire::AccountReference> = self
            .ibans
            .iter()
            .map(|iban| wire::AccountReference { iban: Some(iban.clone()), ..Default::default() })
            .collect();
        wire::ConsentRequest {
            access: wire::Access {
                accounts: Some(references.clone()),
                balances: Some(references.clone()),
                transactions: Some(references),
                restricted_to: self.savings.then(|| vec!["SVGS".to_owned()]),
                ..wire::Access::default()
            },
            recurring_indicator: self.recurring,
            valid_until: self.valid_until.clone().unwrap_or_else(|| "9999-12-31".to_owned()),
            frequency_per_day: if self.recurring { self.frequency_per_day } else { 1 },
            combined_service_indicator: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_version_kept_is_read() {
        let old = r#"{"id": "c", "authorisation": "a", "tenant": "nl", "redirectUri": "https://tpp.example/cb",
            "scaRedirect": "https://bank.example", "confirmation": null, "validUntil": "2026-06-30",
            "frequencyPerDay": 4, "pending": null, "tokens": {"accessToken": "t", "expiresAt":
            "2026-01-01T00:00:00Z", "refreshToken": null}, "reads": [], "begun": true}"#;
        let kept: KeptConsent = serde_json::from_str(old).unwrap();
        assert!(kept.recurring && kept.approval.begun && !kept.approval.confirmed);
        assert_eq!((kept.end("2026-06-30"), kept.end("2026-07-01")), (None, Some("expired")));
        let again = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<KeptConsent>(&again).unwrap(), kept);
    }
}
