//! Payments as the bank tells them.

use serde::{Deserialize, Serialize};

use super::{AccountReference, AuthorisationLinks};

/// A payment that was asked for, read, or cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// What it is (ISO 20022, ExternalPaymentTransactionStatus1Code).
    pub transaction_status: String,
    /// Its id.
    pub payment_id: String,
    /// The authorisation that was begun for it; absent if the third party begins that itself, and where it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorisation_id: Option<String>,
    /// The account that pays, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_account: Option<AccountReference>,
    /// Who pays, once a customer approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_name: Option<String>,
    /// Where to go next.
    #[serde(default, rename = "_links")]
    pub links: AuthorisationLinks,
}

/// The status of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentStatus {
    /// What it is (ISO 20022, ExternalPaymentTransactionStatus1Code).
    pub transaction_status: String,
    /// Whether there was enough money, if the bank looked at that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funds_available: Option<bool>,
    /// Why it was rejected, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psu_message: Option<String>,
}
