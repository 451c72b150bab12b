//! Payments on the wire.

use gateway::domain::{
    self, Address, Date, Execution, ExecutionRule, Frequency, Interface, PayeeAccount, RejectReason,
    Repetition, Timestamp, TransactionStatus,
};
#[cfg(feature = "server")]
use gateway::domain::{PaymentProduct, PaymentService, PaymentTerms, Routing};
use gateway::{ApprovedPayment, PaymentProgress, Submitted};
use serde::{Deserialize, Serialize};

use super::{Counterparty, Money, Unreadable, unreadable};

/// Payments that are taken together or not at all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The moment of the call by the gateway's clock.
    pub(crate) at: Timestamp,
    pub(crate) payments: Vec<Payment>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payment {
    /// The payment's id, which is its idempotency key.
    pub(crate) id: String,
    pub(crate) branch: String,
    pub(crate) account: String,
    pub(crate) settlement: Settlement,
    service: String,
    product: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested_day: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repetition: Option<RepetitionOnWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch_booking: Option<bool>,
    transfers: Vec<Transfer>,
}

/// When the money has to have moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Settlement {
    /// When the payment is answered.
    Immediate,
    /// By the rules of the product.
    Scheme,
}

impl From<Interface> for Settlement {
    fn from(interface: Interface) -> Self {
        match interface {
            Interface::Bunq => Self::Immediate,
            Interface::BerlinGroup => Self::Scheme,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct RepetitionOnWire {
    start: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<Date>,
    frequency: Frequency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<ExecutionRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<i8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    months: Vec<i8>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transfer {
    creditor: Counterparty,
    amount: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remittance: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_to_end_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    creditor_account: Option<CreditorAccount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    creditor_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    creditor_address: Option<AddressOnWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    charge_bearer: Option<String>,
}

/// A payee's account without an IBAN: sort code and number, or a number alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreditorAccount {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sort_code: Option<String>,
    number: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddressOnWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    street: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    building: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    town: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    post_code: Option<String>,
    country: String,
}

impl From<&ApprovedPayment> for Payment {
    fn from(payment: &ApprovedPayment) -> Self {
        let terms = payment.terms();
        let (requested_day, repetition) = match &terms.execution {
            Execution::AtOnce => (None, None),
            Execution::On(day) => (Some(*day), None),
            Execution::Repeated(repetition) => (None, Some(repetition.clone().into())),
        };
        Self {
            id: payment.id().to_string(),
            branch: payment.tenant().to_string(),
            account: payment.account().to_string(),
            settlement: payment.interface().into(),
            service: terms.service.name().to_owned(),
            product: terms.product.name().to_owned(),
            requested_day,
            repetition,
            batch_booking: terms.batch_booking,
            transfers: payment.transfers().iter().map(Transfer::from).collect(),
        }
    }
}

impl From<Repetition> for RepetitionOnWire {
    fn from(repetition: Repetition) -> Self {
        let Repetition { start, end, frequency, rule, day, months } = repetition;
        Self { start, end, frequency, rule, day, months }
    }
}

impl From<&domain::Transfer> for Transfer {
    fn from(transfer: &domain::Transfer) -> Self {
        let routing = transfer.routing.as_deref().cloned().unwrap_or_default();
        Self {
            creditor: (&transfer.creditor).into(),
            amount: transfer.amount.into(),
            remittance: transfer.remittance.clone(),
            end_to_end_id: transfer.end_to_end_id.clone(),
            creditor_account: routing.account.map(|account| match account {
                PayeeAccount::British { sort_code, account_number } => {
                    CreditorAccount { sort_code: Some(sort_code), number: account_number }
                }
                PayeeAccount::Foreign(number) => CreditorAccount { sort_code: None, number },
            }),
            creditor_agent: routing.agent,
            creditor_address: routing.address.map(|address| {
                let Address { street, building, town, post_code, country } = address;
                AddressOnWire { street, building, town, post_code, country }
            }),
            charge_bearer: routing.charge_bearer,
        }
    }
}

#[cfg(feature = "server")]
impl Payment {
    pub(crate) fn interface(&self) -> Interface {
        match self.settlement {
            Settlement::Immediate => Interface::Bunq,
            Settlement::Scheme => Interface::BerlinGroup,
        }
    }

    pub(crate) fn terms(&self) -> Result<PaymentTerms, Unreadable> {
        let execution = match (self.requested_day, self.repetition.clone()) {
            (None, None) => Execution::AtOnce,
            (Some(day), None) => Execution::On(day),
            (None, Some(RepetitionOnWire { start, end, frequency, rule, day, months })) => {
                Execution::Repeated(Repetition { start, end, frequency, rule, day, months })
            }
            (Some(_), Some(_)) => return Err(unreadable("requestedDay", "absent where there is repetition")),
        };
        Ok(PaymentTerms {
            service: PaymentService::from_name(&self.service)
                .ok_or_else(|| unreadable("service", "payments, periodic-payments or bulk-payments"))?,
            product: PaymentProduct::from_name(&self.product)
                .ok_or_else(|| unreadable("product", "one of the products of the description"))?,
            execution,
            batch_booking: self.batch_booking,
        })
    }

    pub(crate) fn transfers(&self) -> Result<Vec<domain::Transfer>, Unreadable> {
        self.transfers.iter().cloned().map(Transfer::read).collect()
    }
}

#[cfg(feature = "server")]
impl Transfer {
    fn read(self) -> Result<domain::Transfer, Unreadable> {
        let routing = Routing {
            account: self.creditor_account.map(|account| match account.sort_code {
                Some(sort_code) => PayeeAccount::British { sort_code, account_number: account.number },
                None => PayeeAccount::Foreign(account.number),
            }),
            agent: self.creditor_agent,
            address: self.creditor_address.map(|address| {
                let AddressOnWire { street, building, town, post_code, country } = address;
                Address { street, building, town, post_code, country }
            }),
            charge_bearer: self.charge_bearer,
        };
        Ok(domain::Transfer {
            creditor: self.creditor.read()?,
            amount: self.amount.read()?,
            remittance: self.remittance,
            end_to_end_id: self.end_to_end_id,
            routing: (routing != Routing::default()).then(|| Box::new(routing)),
        })
    }
}

/// What the bank did with payments that it took, in their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TakenPayments {
    pub(crate) payments: Vec<Taken>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub(crate) enum Taken {
    /// The money has moved.
    Executed,
    /// It is made later.
    Accepted {
        /// When it is tried, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
}

impl From<Submitted> for Taken {
    fn from(submitted: Submitted) -> Self {
        match submitted {
            Submitted::Executed => Self::Executed,
            Submitted::Accepted { until } => Self::Accepted { until },
        }
    }
}

impl From<Taken> for Submitted {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Executed => Self::Executed,
            Taken::Accepted { until } => Self::Accepted { until },
        }
    }
}

/// What became of a payment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    funds_available: Option<bool>,
    since: Timestamp,
    can_be_stopped: bool,
}

impl From<PaymentProgress> for Progress {
    fn from(progress: PaymentProgress) -> Self {
        Self {
            status: progress.status.name().to_owned(),
            reason: progress.reason.map(|reason| reason.name().to_owned()),
            funds_available: progress.funds_available,
            since: progress.since,
            can_be_stopped: progress.can_be_stopped,
        }
    }
}

pub(crate) fn progress_of(progress: Progress) -> Result<PaymentProgress, Unreadable> {
    Ok(PaymentProgress {
        status: TransactionStatus::from_name(&progress.status)
            .ok_or_else(|| unreadable("status", "a status of ISO 20022"))?,
        reason: progress.reason.as_deref().map(reason_of),
        funds_available: progress.funds_available,
        since: progress.since,
        can_be_stopped: progress.can_be_stopped,
    })
}

/// The reason under its name. Banks have more of them than third parties are told.
pub(crate) fn reason_of(name: &str) -> RejectReason {
    RejectReason::from_stored(name).unwrap_or(RejectReason::Ms03)
}

/// The moment of a call about a payment, by the gateway's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stop {
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApprovalsNeeded {
    pub(crate) approvals_needed: usize,
}
