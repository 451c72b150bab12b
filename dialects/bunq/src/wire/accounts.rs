//! Accounts and statements as the server shows them (sections 14.1 and 14.4).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::objects::{LabelAccount, LabelAvatar, LabelUser, State, Unsaid};
use super::payments::Decision;
use super::{Amount, MonetaryAccount};

/// An account. A third party sees less: members stay, their values are null.
#[derive(Serialize)]
pub(crate) struct Account {
    #[serde(flatten)]
    pub(crate) account: MonetaryAccount,
    pub(crate) created: String,
    pub(crate) updated: String,
    pub(crate) avatar: LabelAvatar,
    pub(crate) country: Option<String>,
    pub(crate) daily_limit: Amount,
    pub(crate) public_uuid: Option<String>,
    pub(crate) sub_status: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) reason_description: Option<String>,
    pub(crate) timezone: Option<&'static str>,
    pub(crate) user_id: Option<i64>,
    pub(crate) setting: Option<Setting>,
    #[serde(flatten)]
    pub(crate) of_type: OfType,
    /// For third parties alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_request_pending: Option<Amount>,
    #[serde(flatten)]
    pub(crate) unsaid: Unsaid,
}

pub(crate) const ACCOUNT: Unsaid =
    Unsaid("monetary_account_profile", "notification_filters all_auto_save_id connected_cards");

/// What accounts of a type have of their own. What is left out is not null.
#[derive(Default, Serialize)]
pub(crate) struct OfType {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overdraft_limit: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) savings_goal: Option<Option<Amount>>,
    /// A decimal with six places, at most 1. Clients take null for a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) savings_goal_progress: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number_of_payment_remaining: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) all_co_owner: Option<Vec<CoOwner>>,
}

/// What a holder chose for the look of an account, or what it begins with.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Setting {
    Chosen(Value),
    Initial {
        color: &'static str,
        icon: (),
        default_avatar_status: &'static str,
        restriction_chat: &'static str,
    },
}

/// Somebody who holds an account with others.
#[derive(Serialize)]
pub(crate) struct CoOwner {
    pub(crate) alias: Option<LabelUser>,
    pub(crate) status: Option<Decision>,
}

#[derive(Serialize)]
pub(crate) struct CustomerStatement {
    pub(crate) date_start: String,
    pub(crate) date_end: String,
    pub(crate) status: State,
    pub(crate) statement_number: i64,
    pub(crate) statement_format: Format,
    pub(crate) regional_format: Option<RegionalFormat>,
    pub(crate) alias_monetary_account: LabelAccount,
}

/// What kind of file a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Format {
    Csv,
    Mt940,
    Pdf,
}

/// How amounts and columns are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum RegionalFormat {
    European,
    UkUs,
}

/// A statement of one payment.
#[derive(Serialize)]
pub(crate) struct PaymentStatement {
    pub(crate) status: State,
}
