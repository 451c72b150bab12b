//! Confirmation of funds, and consents to it.

use serde::{Deserialize, Serialize};

use super::{AccountReference, Amount, AuthorisationLinks};

/// A request for a consent to confirmation of funds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FundsConsentRequest {
    /// About which account.
    pub account: AccountReference,
    /// Number of the card that the third party issued, up to 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_number: Option<String>,
    /// Until when the card is good, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_expiry_date: Option<String>,
    /// What kind of card it is, up to 140 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_information: Option<String>,
    /// How the customer came to it, up to 140 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_information: Option<String>,
}

/// A consent to confirmation of funds. It has no last day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FundsConsent {
    /// What was asked for.
    #[serde(flatten)]
    pub request: FundsConsentRequest,
    /// Its status.
    pub consent_status: String,
    /// Its id.
    pub consent_id: String,
    /// Its newest authorisation.
    pub authorisation_id: String,
    /// Where to go next.
    #[serde(rename = "_links")]
    pub links: AuthorisationLinks,
}

/// The question whether an account holds an amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FundsConfirmationRequest {
    /// Which account.
    pub account: AccountReference,
    /// How much.
    pub instructed_amount: Amount,
    /// Where the customer is about to pay, up to 70 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<String>,
    /// With which card, up to 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_number: Option<String>,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FundsConfirmation {
    /// Whether the account holds the amount now. Nothing is reserved.
    pub funds_available: bool,
}
