//! The JSON and XML of the dialect, for both sides.

mod accounts;
mod consents;
mod funds;
mod lenient;
pub mod pain001;
mod payment_requests;
mod payments;
mod xml;

use serde::{Deserialize, Serialize};

pub use accounts::{
    Account, AccountDetails, AccountLinks, AccountList, Amount, Balance, Balances, Transaction,
    TransactionLinks, TransactionList, Transactions,
};
pub use consents::{
    Access, AccountReference, Authorisation, AuthorisationIds, AuthorisationLinks, Consent, ConsentRequest,
    ConsentStatus, ScaStatus,
};
pub use funds::{FundsConfirmation, FundsConfirmationRequest, FundsConsent, FundsConsentRequest};
pub use payment_requests::{Address, BulkPaymentRequest, PaymentRequest};
pub use payments::{Payment, PaymentStatus};

/// Answer to the onboarding call: an initial access token and where to register with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialAccessToken {
    /// Always `client-reg`.
    pub scope: String,
    /// The token.
    pub access_token: String,
    /// Seconds until it expires.
    pub expires_in: i64,
    /// Always `Bearer`.
    pub token_type: String,
    /// Where to go next.
    #[serde(rename = "_links")]
    pub links: OnboardingLinks,
}

/// Links of [`InitialAccessToken`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnboardingLinks {
    /// Absolute URL of the registration endpoint; clients post to exactly this value.
    pub registration: String,
}

/// The body of every error (NextGenPSD2 1.3, section 4.13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// One entry for each error; this side always sends exactly one.
    #[serde(rename = "tppMessages")]
    pub tpp_messages: Vec<TppMessage>,
}

/// One message to the third party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TppMessage {
    /// What is wrong and what would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The standard's message code; absent for an unknown path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `ERROR` or `WARNING`.
    pub category: String,
}
