//! Payments that a third party asks for and a customer decides about, and the transfers they are made of
//! (PSD2, Article 66).
//!
//! Stored is what was decided; status is computed from that and the clock.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Account, AccountId, Counterparty, CustomerId, Iban, Interface, Money, PaymentId, PaymentRefusal,
    PaymentTerms, RejectReason, Tenant, TppId,
};

/// Most transfers in one payment.
pub const MAX_TRANSFERS: usize = 100;

/// Longest text for the payee, in characters.
pub const MAX_REMITTANCE: usize = 9000;

/// Longest text for a payee at another bank, in characters (SEPA credit transfer).
pub const MAX_REMITTANCE_ELSEWHERE: usize = 140;

/// Largest amount of a transfer, in minor units: what a SEPA credit transfer can carry.
const MAX_AMOUNT: i64 = 99_999_999_999;

/// Money that goes from the payer to one payee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The payee; without a number it is one that only the bank itself knows.
    pub creditor: Counterparty,
    /// How much; positive.
    pub amount: Money,
    /// What it is for.
    pub remittance: Option<String>,
    /// The payer's own reference.
    pub end_to_end_id: Option<String>,
    /// Where the money goes, if an IBAN alone does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Box<Routing>>,
}

impl Transfer {
    /// Whether the payee's account is the one of this number, by its IBAN or by the sort code and account number in it.
    pub(crate) fn is_to(&self, number: &Iban) -> bool {
        let british = self.routing.as_ref().and_then(|routing| match &routing.account {
            Some(PayeeAccount::British { sort_code, account_number }) => {
                Some((sort_code.as_str(), account_number.as_str()))
            }
            _ => None,
        });
        self.creditor.iban.as_ref() == Some(number)
            || (british.is_some() && british == number.sort_code_and_account_number())
    }
}

/// Where a payee's money goes, in place of an IBAN or beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// The payee's account, if it has no IBAN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<PayeeAccount>,
    /// The payee's bank (BIC, ISO 9362).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Where the payee lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Who bears the charges (ISO 20022, ChargeBearerType1Code).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge_bearer: Option<String>,
}

/// An account without an IBAN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PayeeAccount {
    /// A British one.
    British {
        /// 6 digits.
        sort_code: String,
        /// 8 digits.
        account_number: String,
    },
    /// One in a country without IBANs, as that country writes it.
    Foreign(String),
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street.
    pub street: Option<String>,
    /// Number in the street.
    pub building: Option<String>,
    /// Town.
    pub town: Option<String>,
    /// Postal code.
    pub post_code: Option<String>,
    /// Country (ISO 3166-1).
    pub country: String,
}

/// A payment that waits for a customer, or waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The third party that asks; none if the customer does so in person.
    pub tpp: Option<TppId>,
    /// Where.
    pub tenant: Tenant,
    /// The interface at which it was asked for.
    pub interface: Interface,
    /// Kind, product and time.
    pub terms: PaymentTerms,
    /// The account that pays; none if the payer chooses it.
    pub debtor: Option<Iban>,
    /// What is paid, all of it or nothing.
    pub transfers: Vec<Transfer>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Until when it can be decided.
    pub expires_at: Timestamp,
    /// What was decided.
    pub decision: PaymentDecision,
    /// When something was last done to it.
    pub last_action_at: Timestamp,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

/// What was decided about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentDecision {
    /// Nothing yet.
    Pending,
    /// A customer approved at the bank's page; the third party has yet to confirm that, or more customers have to
    /// approve.
    Approved {
        /// Those whose approval the third party confirmed.
        by: Vec<CustomerId>,
        /// The account that pays.
        account: AccountId,
    },
    /// The bank has it. One that is made at once has moved the money; of any other, the bank says what became of it.
    Submitted {
        /// Who approved.
        by: Vec<CustomerId>,
        /// The account that pays.
        account: AccountId,
    },
    /// The bank refused to take it.
    Refused(RejectReason),
    /// The customer refused.
    Rejected,
    /// Whoever asked for it took it back.
    Cancelled,
}

impl PaymentDecision {
    /// The stable name that is stored.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved { .. } => "approved",
            Self::Submitted { .. } => "submitted",
            Self::Refused(_) => "refused",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }

    /// Who approved, and the account that pays.
    pub fn payer(&self) -> Option<(&[CustomerId], &AccountId)> {
        match self {
            Self::Approved { by, account } | Self::Submitted { by, account } => Some((by, account)),
            Self::Pending | Self::Refused(_) | Self::Rejected | Self::Cancelled => None,
        }
    }

    /// Why the bank refused.
    pub fn reason(&self) -> Option<RejectReason> {
        match self {
            Self::Refused(reason) => Some(*reason),
            _ => None,
        }
    }

    /// The decision with this name, payer and reason; none if there is no such decision, or it lacks what it needs.
    pub fn from_stored(
        name: &str,
        payer: Option<(Vec<CustomerId>, AccountId)>,
        reason: Option<RejectReason>,
    ) -> Option<Self> {
        match (name, payer, reason) {
            ("pending", ..) => Some(Self::Pending),
            ("approved", Some((by, account)), _) => Some(Self::Approved { by, account }),
            ("submitted", Some((by, account)), _) if !by.is_empty() => Some(Self::Submitted { by, account }),
            ("refused", _, Some(reason)) => Some(Self::Refused(reason)),
            ("rejected", ..) => Some(Self::Rejected),
            ("cancelled", ..) => Some(Self::Cancelled),
            _ => None,
        }
    }
}

/// What a payment is at a given time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentStatus {
    /// It waits for the customer.
    Pending,
    /// The bank has it.
    Submitted,
    /// Refused by the bank.
    Refused,
    /// Refused by the customer.
    Rejected,
    /// Taken back.
    Cancelled,
    /// Nobody decided in time.
    Expired,
}

impl PaymentStatus {
    /// The word for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Submitted => "executed",
            Self::Refused => "refused by the bank",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

impl Payment {
    /// What it is at `now`.
    pub fn status_at(&self, now: Timestamp) -> PaymentStatus {
        match self.decision {
            PaymentDecision::Pending | PaymentDecision::Approved { .. } if now >= self.expires_at => {
                PaymentStatus::Expired
            }
            PaymentDecision::Pending | PaymentDecision::Approved { .. } => PaymentStatus::Pending,
            PaymentDecision::Submitted { .. } => PaymentStatus::Submitted,
            PaymentDecision::Refused(_) => PaymentStatus::Refused,
            PaymentDecision::Rejected => PaymentStatus::Rejected,
            PaymentDecision::Cancelled => PaymentStatus::Cancelled,
        }
    }

    /// The customer approves, with the account that pays: what the payment is once the bank has it. Until that is
    /// stored, together with what the bank makes of it, it stays pending.
    ///
    /// # Errors
    /// [`PaymentRefusal::Final`], [`PaymentRefusal::OtherDebtor`], [`PaymentRefusal::DebtorCurrency`]
    pub fn approve(
        self,
        customer: CustomerId,
        account: &Account,
        now: Timestamp,
    ) -> Result<Self, PaymentRefusal> {
        self.check_payer(account, now)?;
        let decision = PaymentDecision::Submitted { by: vec![customer], account: account.id.clone() };
        Ok(self.decided(decision, now))
    }

    /// The customer refuses.
    ///
    /// # Errors
    /// [`PaymentRefusal::Final`]
    pub fn reject(self, now: Timestamp) -> Result<Self, PaymentRefusal> {
        self.check_pending(now)?;
        Ok(self.decided(PaymentDecision::Rejected, now))
    }

    /// Whoever asked for it takes it back.
    ///
    /// # Errors
    /// [`PaymentRefusal::Final`]
    pub fn cancel(self, now: Timestamp) -> Result<Self, PaymentRefusal> {
        self.check_pending(now)?;
        Ok(self.decided(PaymentDecision::Cancelled, now))
    }

    /// When the payment may be forgotten; never if money moved.
    pub fn forget_at(&self) -> Option<Timestamp> {
        let is_submitted = matches!(self.decision, PaymentDecision::Submitted { .. });
        let ended_at = self.expires_at.max(self.last_action_at);
        (!is_submitted).then(|| ended_at.saturating_add(crate::DISPUTABLE).unwrap_or(Timestamp::MAX))
    }

    /// All that is paid. Transfers of one payment are in one currency; none without transfers.
    pub fn total(&self) -> Option<Money> {
        let currency = self.transfers.first()?.amount.currency;
        let minor = self.transfers.iter().fold(0_i64, |sum, one| sum.saturating_add(one.amount.minor));
        Some(Money { minor, currency })
    }

    /// Whether it can be made from an account, as far as the payment knows.
    fn check_payer(&self, account: &Account, now: Timestamp) -> Result<(), PaymentRefusal> {
        self.check_pending(now)?;
        self.check_account(account)
    }

    fn check_pending(&self, now: Timestamp) -> Result<(), PaymentRefusal> {
        match self.status_at(now) {
            PaymentStatus::Pending => Ok(()),
            status => Err(PaymentRefusal::Final { status }),
        }
    }

    pub(crate) fn decided(self, decision: PaymentDecision, now: Timestamp) -> Self {
        Self { decision, last_action_at: now, ..self }
    }
}

/// Checks transfers, whoever asks for them.
///
/// # Errors
/// [`PaymentRefusal`]
pub fn check_transfers(transfers: &[Transfer]) -> Result<(), PaymentRefusal> {
    if transfers.is_empty() || transfers.len() > MAX_TRANSFERS {
        return Err(PaymentRefusal::Count);
    }
    for transfer in transfers {
        if transfer.amount.minor <= 0 {
            return Err(PaymentRefusal::NotPositive);
        }
        if transfer.amount.minor > MAX_AMOUNT {
            let most = Money { minor: MAX_AMOUNT, currency: transfer.amount.currency };
            return Err(PaymentRefusal::TooMuch(most));
        }
        let length = transfer.remittance.as_deref().map_or(0, |text| text.chars().count());
        if length > MAX_REMITTANCE {
            return Err(PaymentRefusal::Remittance { max: MAX_REMITTANCE });
        }
        if transfer.amount.currency != transfers[0].amount.currency {
            return Err(PaymentRefusal::Currencies);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountStatus, Currency};

    fn transfer(minor: i64) -> Transfer {
        Transfer {
            creditor: Counterparty::default(),
            amount: Money { minor, currency: Currency::EUR },
            remittance: None,
            end_to_end_id: None,
            routing: None,
        }
    }

    fn account(iban: &str) -> Account {
        Account {
            id: AccountId::new("a"),
            iban: Iban::parse(iban).unwrap(),
            currency: Currency::EUR,
            product: crate::Product::Current,
            name: "A. Holder".to_owned(),
            status: AccountStatus::Enabled,
        }
    }

    fn payment() -> Payment {
        let now = Timestamp::UNIX_EPOCH;
        Payment {
            id: PaymentId::new("1"),
            tpp: None,
            tenant: Tenant::parse("nl").unwrap(),
            interface: Interface::Bunq,
            terms: PaymentTerms::AT_ONCE,
            debtor: None,
            transfers: vec![transfer(1)],
            created_at: now,
            expires_at: now + jiff::SignedDuration::from_mins(10),
            decision: PaymentDecision::Pending,
            last_action_at: now,
            version: 0,
        }
    }

    #[test]
    fn a_payment_is_decided_once_and_in_time() {
        let now = Timestamp::UNIX_EPOCH;
        let later = now + jiff::SignedDuration::from_mins(10);
        let customer = || CustomerId::new("c");
        let approved = payment().approve(customer(), &account("NL21VSTB2878231391"), now).unwrap();
        assert_eq!(approved.status_at(later), PaymentStatus::Submitted);
        assert!(approved.clone().cancel(now).is_err() && approved.clone().reject(now).is_err());
        let again = approved.approve(customer(), &account("NL21VSTB2878231391"), now).unwrap_err();
        assert_eq!(again, PaymentRefusal::Final { status: PaymentStatus::Submitted });
        assert_eq!(payment().status_at(later), PaymentStatus::Expired);
        let refused = payment().approve(customer(), &account("NL21VSTB2878231391"), later).unwrap_err();
        assert_eq!(refused, PaymentRefusal::Final { status: PaymentStatus::Expired });
        let other = Payment { debtor: Some(account("DE89370400440532013000").iban), ..payment() };
        let refused = other.approve(customer(), &account("NL21VSTB2878231391"), now).unwrap_err();
        assert_eq!(refused, PaymentRefusal::OtherDebtor);
    }

    #[test]
    fn transfers_have_limits() {
        for (transfers, refusal) in [
            (vec![], PaymentRefusal::Count),
            (vec![transfer(1); 101], PaymentRefusal::Count),
            (vec![transfer(0)], PaymentRefusal::NotPositive),
            (vec![transfer(-1)], PaymentRefusal::NotPositive),
            (vec![transfer(100_000_000_000)], PaymentRefusal::TooMuch(transfer(99_999_999_999).amount)),
            (
                vec![
                    transfer(1),
                    Transfer { amount: Money { minor: 1, currency: Currency::USD }, ..transfer(1) },
                ],
                PaymentRefusal::Currencies,
            ),
            (
                vec![Transfer { remittance: Some("x".repeat(9001)), ..transfer(1) }],
                PaymentRefusal::Remittance { max: 9000 },
            ),
        ] {
            assert_eq!(check_transfers(&transfers), Err(refusal));
        }
        assert_eq!(check_transfers(&[transfer(1)]), Ok(()));
    }

    #[test]
    fn decisions_have_stable_names_and_transfers_come_back() {
        use PaymentDecision as D;
        let (by, account) = (vec![CustomerId::new("c")], AccountId::new("a"));
        let (payer, reason) = (Some((by.clone(), account.clone())), Some(RejectReason::Am04));
        for (decision, name) in [
            (D::Pending, "pending"),
            (D::Approved { by: by.clone(), account: account.clone() }, "approved"),
            (D::Submitted { by, account: account.clone() }, "submitted"),
            (D::Refused(RejectReason::Am04), "refused"),
            (D::Rejected, "rejected"),
            (D::Cancelled, "cancelled"),
        ] {
            assert_eq!(decision.name(), name);
            assert_eq!(D::from_stored(name, payer.clone(), reason), Some(decision.clone()));
            let lacks_nothing = decision.payer().is_none() && decision.reason().is_none();
            assert_eq!(D::from_stored(name, None, None), Some(decision).filter(|_| lacks_nothing));
        }
        assert_eq!(D::from_stored("submitted", Some((Vec::new(), account)), None), None, "by nobody");
        let json = serde_json::to_string(&transfer(1250)).unwrap();
        assert_eq!(serde_json::from_str::<Transfer>(&json).unwrap(), transfer(1250));
    }
}
