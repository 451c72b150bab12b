//! What customers approve at the bank, as the third party keeps it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::authorization::PendingAuthorization;
use crate::{Error, Hint};

/// What a customer approves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matter {
    /// The consent with this id.
    Consent(String),
    /// The payment with this id.
    Payment(String),
    /// The consent for confirmation of funds with this id.
    Funds(String),
    /// Whatever they choose at the bank.
    Connection,
}

impl Matter {
    /// Its id, where the third party asked for it before.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Consent(id) | Self::Payment(id) | Self::Funds(id) => Some(id),
            Self::Connection => None,
        }
    }

    /// What asks for another one of its kind.
    pub(crate) fn ask(&self) -> Hint {
        match self {
            Self::Consent(_) | Self::Connection => Hint::Consent,
            Self::Payment(_) => Hint::Pay,
            Self::Funds(_) => Hint::FundsConsent(None),
        }
    }

    /// Another command forgot it while this one was at work.
    pub(crate) fn forgotten(&self) -> Error {
        Error::Setup(format!("{self} is not kept here any more: another command forgot it meanwhile"))
    }

    /// What sends the customer to the bank with it.
    pub(crate) fn authorise(&self) -> Hint {
        match self {
            Self::Consent(_) | Self::Connection => Hint::Authorise,
            Self::Payment(id) => Hint::AuthorisePayment(id.clone()),
            Self::Funds(id) => Hint::AuthoriseFunds(id.clone()),
        }
    }
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consent(id) => write!(f, "consent {id}"),
            Self::Payment(id) => write!(f, "payment {id}"),
            Self::Funds(id) => write!(f, "consent for funds {id}"),
            Self::Connection => f.write_str("connection"),
        }
    }
}

/// What a customer is to approve, as it is named: by its id, or none for the newest of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A consent, or whatever customers choose where there are none.
    Consent(Option<String>),
    /// A payment.
    Payment(Option<String>),
    /// A consent for confirmation of funds.
    Funds(Option<String>),
}

/// What was asked for, on its way through the customer's approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptApproval {
    /// Id of what was asked for.
    pub id: String,
    /// Its newest authorisation.
    pub authorisation: String,
    /// Where it was asked for.
    pub tenant: String,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// The bank's link for the browser.
    pub sca_redirect: String,
    /// The bank's link to confirm.
    pub confirmation: Option<String>,
    /// What is kept while the browser is away.
    pub pending: Option<PendingAuthorization>,
    /// Tokens, once there are some.
    pub tokens: Option<KeptTokens>,
    /// Whether the customer was ever sent to the bank with it.
    #[serde(default)]
    pub begun: bool,
    /// Whether the authorisation was confirmed, which happens once.
    #[serde(default)]
    pub confirmed: bool,
    /// Its status, once it can be used no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// Tokens that an approval gave.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptTokens {
    /// Opens what was approved.
    pub access_token: String,
    /// Until when, by this machine's clock.
    pub expires_at: Timestamp,
    /// Gets new tokens, once.
    pub refresh_token: Option<String>,
}

impl fmt::Debug for KeptTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptTokens").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
