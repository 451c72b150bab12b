//! Consents as the third party keeps them, and what it asks for.

use berlin_group::wire;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::authorization::PendingAuthorization;

/// A consent as the third party keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptConsent {
    /// Its id.
    pub id: String,
    /// Its authorisation.
    pub authorisation: String,
    /// Where it was asked for.
    pub tenant: String,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// The bank's link for the browser.
    pub sca_redirect: String,
    /// The bank's link to confirm.
    pub confirmation: Option<String>,
    /// Last day.
    pub valid_until: String,
    /// Unattended reads a day.
    pub frequency_per_day: i64,
    /// What is kept while the browser is away.
    pub pending: Option<PendingAuthorization>,
    /// Tokens, once there are some.
    pub tokens: Option<KeptTokens>,
    /// Unattended reads of today.
    #[serde(default)]
    pub reads: Vec<KeptRead>,
    /// Whether it is for more than one time; one that is not has no daily limit.
    #[serde(default = "recurring")]
    pub recurring: bool,
    /// Whether the customer was ever sent to the bank with it.
    #[serde(default)]
    pub begun: bool,
    /// Whether it was made valid, which happens once.
    #[serde(default)]
    pub confirmed: bool,
    /// Its status, once it can be used no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// What was kept before one-off consents were told apart.
fn recurring() -> bool {
    true
}

impl KeptConsent {
    /// The status that it ended with, as far as that is known here on a day at the bank.
    pub fn end(&self, today: &str) -> Option<&str> {
        let expired = || (self.valid_until.as_str() < today).then_some("expired");
        self.ended.as_deref().or_else(expired)
    }
}

/// Whether a consent of this status can be used no more.
pub(crate) fn is_end(status: &str) -> bool {
    matches!(status, "rejected" | "expired" | "terminatedByTpp" | "revokedByPsu")
}

/// Tokens of a consent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptTokens {
    /// Reads data.
    pub access_token: String,
    /// Until when, by this machine's clock.
    pub expires_at: Timestamp,
    /// Gets new tokens, once.
    pub refresh_token: Option<String>,
}

impl std::fmt::Debug for KeptTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptTokens").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
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
