//! Rules about payments that a request breaks.

use crate::payments::MAX_TRANSFERS;
use crate::{AccountStatus, Money, PaymentProduct, PaymentService, PaymentStatus, RejectReason, Tenant};

/// A rule about payments that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentRefusal {
    /// No transfers, or too many.
    #[error("a payment has 1 to {MAX_TRANSFERS} transfers")]
    Count,
    /// Nothing, or less.
    #[error("the amount must be greater than 0")]
    NotPositive,
    /// More than a payment can carry.
    #[error("the amount must be at most {} {}", .0.to_decimal(), .0.currency.code())]
    TooMuch(Money),
    /// Too long a text.
    #[error("the description has more than {max} characters")]
    Remittance {
        /// How many there may be.
        max: usize,
    },
    /// Transfers in several currencies.
    #[error("all transfers of one payment must be in one currency")]
    Currencies,
    /// The account that is to pay is none of this bank.
    #[error("the account that is to pay is not an account of this bank")]
    DebtorUnknown,
    /// The account that is to pay is closed or blocked.
    #[error("the account that is to pay is {status}")]
    DebtorUnavailable {
        /// What it is.
        status: &'static str,
    },
    /// Another account than the one that is to pay.
    #[error("the payment is to be made from another account")]
    OtherDebtor,
    /// The account that is to be paid is closed or blocked.
    #[error("the account that is to be paid is {status}")]
    CreditorUnavailable {
        /// What it is.
        status: &'static str,
    },
    /// Number of this bank that nobody has.
    #[error("the account that is to be paid is not an account of this bank")]
    CreditorUnknown,
    /// Payer and payee are one account.
    #[error("the account that pays and the account that is paid are the same")]
    SameAccount,
    /// The account that is to pay is in another currency.
    #[error("the account that is to pay is in {account}; pay in {account}, not in {amount}")]
    DebtorCurrency {
        /// Of the account.
        account: &'static str,
        /// Of the payment.
        amount: &'static str,
    },
    /// The account that is to pay is in another currency than the one it was named with.
    #[error(
        "the account that is to pay is in {account}, and was named as one in {named}; name it without, or rightly"
    )]
    DebtorNamed {
        /// Of the account.
        account: &'static str,
        /// What was said.
        named: String,
    },
    /// The account that is to be paid is in another currency.
    #[error("the account that is to be paid is in {account}; pay in {account}, not in {amount}")]
    CreditorCurrency {
        /// Of the account.
        account: &'static str,
        /// Of the payment.
        amount: &'static str,
    },
    /// An account with money, or with movements to come, cannot be closed.
    #[error("the account is not empty; pay out what it holds before you close it")]
    NotEmpty,
    /// There is not enough.
    #[error("the account has insufficient funds for this payment")]
    InsufficientFunds,
    /// Not an account that makes payments.
    #[error("savings accounts make no payments at this interface; pay from a current account")]
    DebtorProduct,
    /// The customer who approved does not hold the account that pays.
    #[error("the customer does not hold the account that pays")]
    NoAccess,
    /// The same customer again, where another one is needed.
    #[error("this customer approved the payment before; another holder of the account has to approve it")]
    ApprovedBefore,
    /// Nothing to stop: the bank does not have it.
    #[error(
        "no authorisation is needed to cancel this payment: the bank does not have it yet, and it can be taken back"
    )]
    NotSubmitted,
    /// Too late for taking it back.
    #[error(
        "the payment is {status} and cannot be cancelled; payments can be cancelled until they are made: those for a \
         later day and periodic ones"
    )]
    NotCancellable {
        /// What it is.
        status: String,
    },
    /// Too late for a periodic one.
    #[error(
        "the payment is {status} and cannot be cancelled: its last execution was made, or one is being made at this \
         moment"
    )]
    LastExecutionMade {
        /// What it is.
        status: String,
    },
    /// A product that the bank does not offer here.
    #[error("{} are not available at {tenant}", product.name())]
    ProductUnavailable {
        /// Which.
        product: PaymentProduct,
        /// Where.
        tenant: Tenant,
    },
    /// Asked for under the path of another product.
    #[error("the payment is one of {}/{}; ask for it there", service.name(), product.name())]
    OtherProduct {
        /// Its service.
        service: PaymentService,
        /// Its product.
        product: PaymentProduct,
    },
    /// The bank's own reasons.
    #[error("the bank does not make this payment: {} ({})", .0.text(), .0.code())]
    Bank(RejectReason),
    /// It was decided before, or too late.
    #[error("the payment is {} and cannot be changed any more", status.name())]
    Final {
        /// What it is.
        status: PaymentStatus,
    },
}

impl PaymentRefusal {
    /// Why a bank does not make a payment, in the words of ISO 20022.
    pub fn reason(&self) -> RejectReason {
        match self {
            Self::Bank(reason) => *reason,
            Self::DebtorUnknown | Self::CreditorUnknown => RejectReason::Ac01,
            Self::DebtorUnavailable { status } if is_closed(status) => RejectReason::DebtorClosed,
            Self::DebtorUnavailable { .. } => RejectReason::DebtorBlocked,
            Self::CreditorUnavailable { status } if is_closed(status) => RejectReason::CreditorClosed,
            Self::CreditorUnavailable { .. } => RejectReason::CreditorBlocked,
            Self::InsufficientFunds => RejectReason::Am04,
            Self::SameAccount => RejectReason::SameAccount,
            Self::Currencies => RejectReason::Ag01,
            Self::OtherDebtor
            | Self::DebtorProduct
            | Self::DebtorCurrency { .. }
            | Self::DebtorNamed { .. } => RejectReason::DebtorUnfit,
            Self::CreditorCurrency { .. } => RejectReason::CreditorUnfit,
            Self::Count
            | Self::NotPositive
            | Self::TooMuch(_)
            | Self::Remittance { .. }
            | Self::NotEmpty
            | Self::NoAccess
            | Self::ApprovedBefore
            | Self::NotSubmitted
            | Self::NotCancellable { .. }
            | Self::LastExecutionMade { .. }
            | Self::ProductUnavailable { .. }
            | Self::OtherProduct { .. }
            | Self::Final { .. } => RejectReason::Ms03,
        }
    }
}

fn is_closed(status: &str) -> bool {
    status == AccountStatus::Deleted.name()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_reasons() {
        let (deleted, blocked) = (AccountStatus::Deleted.name(), AccountStatus::Blocked.name());
        for (refusal, reason) in [
            (PaymentRefusal::InsufficientFunds, RejectReason::Am04),
            (PaymentRefusal::CreditorUnknown, RejectReason::Ac01),
            (PaymentRefusal::CreditorUnavailable { status: deleted }, RejectReason::CreditorClosed),
            (PaymentRefusal::CreditorUnavailable { status: blocked }, RejectReason::CreditorBlocked),
            (PaymentRefusal::DebtorUnavailable { status: deleted }, RejectReason::DebtorClosed),
            (PaymentRefusal::DebtorUnavailable { status: blocked }, RejectReason::DebtorBlocked),
            (PaymentRefusal::SameAccount, RejectReason::SameAccount),
            (PaymentRefusal::Bank(RejectReason::Rr04), RejectReason::Rr04),
        ] {
            assert_eq!(refusal.reason(), reason);
        }
    }
}
