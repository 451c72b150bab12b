//! Payments, and what becomes payments, as the server shows them (sections 14.2, 14.5 and 16).

use gateway::domain::PaymentStatus;
use serde::{Deserialize, Serialize};

use super::objects::{LabelAccount, LabelUser, Object, State, Unsaid};
use super::{Amount, ErrorText, Payment};

/// What became of a payment that somebody decides about. Money has moved once it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Decision {
    Pending,
    Accepted,
    Rejected,
    Cancelled,
    /// Taken back by whoever asked for money.
    Revoked,
    Expired,
}

impl From<PaymentStatus> for Decision {
    fn from(status: PaymentStatus) -> Self {
        match status {
            PaymentStatus::Pending => Self::Pending,
            PaymentStatus::Submitted => Self::Accepted,
            PaymentStatus::Rejected | PaymentStatus::Refused => Self::Rejected,
            PaymentStatus::Cancelled => Self::Cancelled,
            PaymentStatus::Expired => Self::Expired,
        }
    }
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

/// A transaction.
#[derive(Serialize)]
pub(crate) struct BookedPayment {
    #[serde(flatten)]
    pub(crate) payment: Payment<LabelAccount>,
    pub(crate) updated: String,
    pub(crate) monetary_account_id: i64,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) sub_type: &'static str,
    pub(crate) merchant_reference: Option<String>,
    pub(crate) alias: LabelAccount,
    pub(crate) batch_id: Option<i64>,
    pub(crate) scheduled_id: Option<i64>,
    pub(crate) balance_after_mutation: Amount,
    #[serde(flatten)]
    pub(crate) unsaid: Unsaid,
}

pub(crate) const PAYMENT: Unsaid = Unsaid(
    "geolocation address_billing address_shipping payment_auto_allocate_instance",
    "attachment request_reference_split_the_bill",
);

#[derive(Serialize)]
pub(crate) struct PaymentBatch {
    pub(crate) payments: Vec<BookedPayment>,
}

/// A payment that is still to be made.
#[derive(Serialize)]
pub(crate) struct PlannedPayment {
    pub(crate) amount: Amount,
    pub(crate) alias: LabelAccount,
    pub(crate) counterparty_alias: LabelAccount,
    pub(crate) description: String,
    pub(crate) merchant_reference: Option<String>,
    pub(crate) attachment: [(); 0],
}

/// A payment that the user decides about.
#[derive(Serialize)]
pub(crate) struct DraftPayment {
    pub(crate) monetary_account_id: i64,
    pub(crate) user_alias_created: LabelUser,
    pub(crate) responses: Vec<DraftResponse>,
    pub(crate) status: Decision,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) entries: Vec<DraftEntry>,
    /// What it became.
    pub(crate) object: Option<Object>,
    #[serde(flatten)]
    pub(crate) unsaid: Unsaid,
}

pub(crate) const DRAFT: Unsaid = Unsaid("schedule", "request_reference_split_the_bill");

#[derive(Serialize)]
pub(crate) struct DraftResponse {
    pub(crate) status: Decision,
    pub(crate) user_alias_created: LabelUser,
}

#[derive(Serialize)]
pub(crate) struct DraftEntry {
    pub(crate) id: i64,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(flatten)]
    pub(crate) payment: PlannedPayment,
}

#[derive(Serialize)]
pub(crate) struct ScheduledPayment {
    pub(crate) payment: PlannedPayment,
    pub(crate) schedule: Times,
    pub(crate) status: State,
    pub(crate) purpose: &'static str,
}

/// When a schedule pays.
#[derive(Serialize)]
pub(crate) struct Times {
    pub(crate) time_start: String,
    pub(crate) time_end: Option<String>,
    pub(crate) recurrence_unit: Unit,
    pub(crate) recurrence_size: i64,
    pub(crate) status: State,
}

/// How often a schedule pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Unit {
    Once,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

#[derive(Serialize)]
pub(crate) struct Schedule {
    pub(crate) id: i64,
    #[serde(flatten)]
    pub(crate) times: Times,
    pub(crate) object: Planned,
}

/// A payment that is still to be made, under its wrapper.
#[derive(Serialize)]
pub(crate) enum Planned {
    Payment(PlannedPayment),
}

/// One time of a schedule.
#[derive(Serialize)]
pub(crate) struct ScheduleInstance {
    pub(crate) id: i64,
    pub(crate) state: State,
    pub(crate) time_start: String,
    pub(crate) time_end: String,
    pub(crate) error_message: Vec<ErrorText>,
    pub(crate) scheduled_object: Planned,
    pub(crate) result_object: Option<Object>,
}

/// What both sides of a request for money see.
#[derive(Serialize)]
pub(crate) struct Request {
    pub(crate) time_responded: Option<String>,
    pub(crate) time_expiry: Option<String>,
    pub(crate) monetary_account_id: i64,
    pub(crate) amount_inquired: Amount,
    pub(crate) amount_responded: Option<Amount>,
    pub(crate) status: Decision,
    pub(crate) description: String,
    pub(crate) counterparty_alias: LabelAccount,
    #[serde(flatten)]
    pub(crate) unsaid: Unsaid,
}

/// A request for money on the side of whoever asks.
#[derive(Serialize)]
pub(crate) struct RequestInquiry {
    #[serde(flatten)]
    pub(crate) request: Request,
    pub(crate) user_alias_created: LabelUser,
    pub(crate) merchant_reference: Option<String>,
}

pub(crate) const INQUIRY: Unsaid = Unsaid(
    "user_alias_revoked batch_id scheduled_id minimum_age require_address bunqme_share_url redirect_url \
     address_shipping address_billing geolocation",
    "attachment",
);

/// The same on the side of whoever is asked.
#[derive(Serialize)]
pub(crate) struct RequestResponse {
    #[serde(flatten)]
    pub(crate) request: Request,
    pub(crate) alias: LabelAccount,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) sub_type: &'static str,
}

pub(crate) const RESPONSE: Unsaid = Unsaid(
    "time_refund_requested time_refunded minimum_age require_address geolocation redirect_url address_billing \
     address_shipping",
    "attachment",
);

/// A draft of a service provider that knows the payer's account number alone.
#[derive(Serialize)]
pub(crate) struct ProviderDraft {
    pub(crate) sender_iban: Option<String>,
    pub(crate) receiver_iban: Option<String>,
    pub(crate) amount: Amount,
    pub(crate) status: Decision,
}

/// A payment whose payer is unknown.
#[derive(Serialize)]
pub(crate) struct IssuerTransaction {
    pub(crate) public_uuid: String,
    /// The payer, left out while unknown: clients do not take null for a label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alias: Option<LabelAccount>,
    pub(crate) counterparty_alias: LabelAccount,
    pub(crate) amount: Amount,
    pub(crate) description: String,
    pub(crate) url_redirect: String,
    pub(crate) time_expiry: String,
    pub(crate) status: Decision,
}

#[derive(Serialize)]
pub(crate) struct Event {
    pub(crate) action: &'static str,
    pub(crate) user_id: String,
    pub(crate) monetary_account_id: String,
    pub(crate) object: Object,
    pub(crate) status: State,
}
