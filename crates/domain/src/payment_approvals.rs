//! Payments whose approval the third party confirms: the customer approves at the bank's page, the third party confirms
//! that, and only then the bank has the payment (NextGenPSD2, authorisation confirmation). An account of several
//! customers can need several of them.

use jiff::Timestamp;

use crate::{
    Account, AccountStatus, CustomerId, Payment, PaymentDecision, PaymentRefusal, PaymentService,
    PaymentStatus, Product, Purpose, RejectReason, TransactionStatus,
};

impl Payment {
    /// Whether it is the third party that confirms what a customer approved.
    pub fn is_confirmed_by_tpp(&self) -> bool {
        self.interface.confirms()
    }

    /// Checks that customers can be asked for something about it now.
    ///
    /// # Errors
    /// [`PaymentRefusal::Final`], [`PaymentRefusal::NotSubmitted`], [`PaymentRefusal::NotCancellable`]
    pub fn check_awaits(&self, purpose: Purpose, now: Timestamp) -> Result<(), PaymentRefusal> {
        match (purpose, self.status_at(now)) {
            (Purpose::Approval, PaymentStatus::Pending)
            | (Purpose::Cancellation, PaymentStatus::Submitted) => Ok(()),
            (Purpose::Approval, status) => Err(PaymentRefusal::Final { status }),
            (Purpose::Cancellation, PaymentStatus::Pending) => Err(PaymentRefusal::NotSubmitted),
            (Purpose::Cancellation, status) => {
                Err(PaymentRefusal::NotCancellable { status: status.name().to_owned() })
            }
        }
    }

    /// Checks that a customer can pay it from an account of theirs, as far as the payment knows.
    ///
    /// # Errors
    /// [`PaymentRefusal`]
    pub fn check_account(&self, account: &Account) -> Result<(), PaymentRefusal> {
        let is_other_number = self.debtor.as_ref().is_some_and(|debtor| *debtor != account.iban);
        // The account that one customer chose is the one that every other approves.
        let is_other_account = self.decision.payer().is_some_and(|(_, chosen)| *chosen != account.id);
        if is_other_number || is_other_account {
            return Err(PaymentRefusal::OtherDebtor);
        }
        if let Some(amount) = self.transfers.first().map(|transfer| transfer.amount)
            && amount.currency != account.currency
        {
            let (account, amount) = (account.currency.code(), amount.currency.code());
            return Err(PaymentRefusal::DebtorCurrency { account, amount });
        }
        if self.is_confirmed_by_tpp() && account.product != Product::Current {
            return Err(PaymentRefusal::DebtorProduct);
        }
        Ok(())
    }

    /// The same, and that the account is open.
    ///
    /// # Errors
    /// [`PaymentRefusal`]
    pub fn check_open_account(&self, account: &Account) -> Result<(), PaymentRefusal> {
        self.check_account(account)?;
        match account.status {
            AccountStatus::Enabled => Ok(()),
            status => Err(PaymentRefusal::DebtorUnavailable { status: status.name() }),
        }
    }

    /// Checks that an account is not the payee's own. Of a bulk payment the bank makes the other transfers.
    ///
    /// # Errors
    /// [`PaymentRefusal::SameAccount`]
    pub fn check_payee_is_another(&self, account: &Account) -> Result<(), PaymentRefusal> {
        let is_paid = self.transfers.iter().any(|transfer| transfer.is_to(&account.iban));
        if self.terms.service != PaymentService::Bulk && is_paid {
            return Err(PaymentRefusal::SameAccount);
        }
        Ok(())
    }

    /// Whether a customer with these accounts has the one that pays, where that is known.
    pub fn can_be_paid_by(&self, accounts: &[Account]) -> bool {
        let is_open = self.debtor.is_none() && self.decision.payer().is_none();
        is_open || accounts.iter().any(|account| self.check_account(account).is_ok())
    }

    /// Whether the third party confirmed an approval of this customer.
    pub fn was_approved_by(&self, customer: &CustomerId) -> bool {
        self.confirmed_by().contains(customer)
    }

    /// A customer approves at the bank's page, with the account that pays. The bank has it once the third party confirms.
    ///
    /// # Errors
    /// [`PaymentRefusal`]
    pub fn approve_unconfirmed(
        self,
        customer: &CustomerId,
        account: &Account,
        now: Timestamp,
    ) -> Result<Self, PaymentRefusal> {
        self.check_awaits(Purpose::Approval, now)?;
        self.check_account(account)?;
        if self.was_approved_by(customer) {
            return Err(PaymentRefusal::ApprovedBefore);
        }
        let (by, account) = (self.confirmed_by().to_vec(), account.id.clone());
        Ok(self.decided(PaymentDecision::Approved { by, account }, now))
    }

    /// The third party confirms that a customer approved. With that many approvals as the account needs, the bank has it,
    /// if it takes it.
    ///
    /// # Errors
    /// [`PaymentRefusal::Final`], [`PaymentRefusal::ApprovedBefore`]
    pub fn confirm(
        self,
        customer: CustomerId,
        approvals_needed: usize,
        now: Timestamp,
    ) -> Result<Self, PaymentRefusal> {
        self.check_awaits(Purpose::Approval, now)?;
        let PaymentDecision::Approved { mut by, account } = self.decision.clone() else {
            return Err(PaymentRefusal::Final { status: self.status_at(now) });
        };
        if by.contains(&customer) {
            return Err(PaymentRefusal::ApprovedBefore);
        }
        by.push(customer);
        let decision = if by.len() < approvals_needed {
            PaymentDecision::Approved { by, account }
        } else {
            PaymentDecision::Submitted { by, account }
        };
        Ok(self.decided(decision, now))
    }

    /// The bank does not take it.
    pub fn refused(self, reason: RejectReason, now: Timestamp) -> Self {
        self.decided(PaymentDecision::Refused(reason), now)
    }

    /// The third party takes back what the bank does not have yet. Doing so again changes nothing.
    ///
    /// # Errors
    /// [`PaymentRefusal::NotCancellable`]
    pub fn withdraw(self, now: Timestamp) -> Result<Self, PaymentRefusal> {
        match self.status_at(now) {
            PaymentStatus::Cancelled => Ok(self),
            PaymentStatus::Pending => Ok(self.decided(PaymentDecision::Cancelled, now)),
            status => Err(PaymentRefusal::NotCancellable { status: status.name().to_owned() }),
        }
    }

    /// The bank stopped what it had and had not made yet.
    ///
    /// # Errors
    /// [`PaymentRefusal::NotCancellable`]
    pub fn stopped(self, now: Timestamp) -> Result<Self, PaymentRefusal> {
        self.check_awaits(Purpose::Cancellation, now)?;
        Ok(self.decided(PaymentDecision::Cancelled, now))
    }

    /// What it is in the words of ISO 20022, as far as that does not depend on what the bank made of it: none for a
    /// payment that the bank has.
    pub fn transaction_status_at(&self, now: Timestamp) -> Option<TransactionStatus> {
        Some(match self.status_at(now) {
            PaymentStatus::Pending if self.confirmed_by().is_empty() => TransactionStatus::Rcvd,
            PaymentStatus::Pending => TransactionStatus::Patc,
            PaymentStatus::Refused | PaymentStatus::Rejected | PaymentStatus::Expired => {
                TransactionStatus::Rjct
            }
            PaymentStatus::Cancelled => TransactionStatus::Canc,
            PaymentStatus::Submitted => return None,
        })
    }

    /// Why it was rejected, as far as the bank was not asked to make it.
    pub fn reject_reason_at(&self, now: Timestamp) -> Option<RejectReason> {
        match self.status_at(now) {
            PaymentStatus::Refused => self.decision.reason(),
            PaymentStatus::Rejected => Some(RejectReason::Cust),
            PaymentStatus::Expired => Some(RejectReason::Tm01),
            PaymentStatus::Pending | PaymentStatus::Submitted | PaymentStatus::Cancelled => None,
        }
    }

    /// The payment as it was when it was asked for: a request that is repeated gets the same answer.
    #[must_use]
    pub fn as_requested(self) -> Self {
        let last_action_at = self.created_at;
        Self { decision: PaymentDecision::Pending, last_action_at, ..self }
    }

    /// The customers whose approval the third party confirmed.
    fn confirmed_by(&self) -> &[CustomerId] {
        self.decision.payer().map_or(&[], |(by, _)| by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AccountId, Counterparty, Currency, Iban, Interface, Money, PayeeAccount, PaymentId, PaymentTerms,
        Routing, Tenant, Transfer,
    };

    const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

    fn account(id: &str, iban: &str) -> Account {
        Account {
            id: AccountId::new(id),
            iban: Iban::parse(iban).unwrap(),
            currency: Currency::EUR,
            product: Product::Current,
            name: "A. Holder".to_owned(),
            status: AccountStatus::Enabled,
        }
    }

    fn own() -> Account {
        account("a", "NL21VSTB2878231391")
    }

    fn payment() -> Payment {
        let now = Timestamp::UNIX_EPOCH;
        Payment {
            id: PaymentId::new("1"),
            tpp: None,
            tenant: Tenant::parse("nl").unwrap(),
            interface: Interface::BerlinGroup,
            terms: PaymentTerms::AT_ONCE,
            debtor: None,
            transfers: vec![Transfer {
                creditor: Counterparty::default(),
                amount: Money { minor: 1, currency: Currency::EUR },
                remittance: None,
                end_to_end_id: None,
                routing: None,
            }],
            created_at: now,
            expires_at: now + DAY,
            decision: PaymentDecision::Pending,
            last_action_at: now,
            version: 0,
        }
    }

    #[test]
    fn several_customers_approve_one_after_another_and_each_once() {
        let now = Timestamp::UNIX_EPOCH;
        let (one, two) = (CustomerId::new("one"), CustomerId::new("two"));
        let approved = payment().approve_unconfirmed(&one, &own(), now).unwrap();
        assert_eq!(approved.transaction_status_at(now), Some(TransactionStatus::Rcvd));
        let other = account("b", "DE89370400440532013000");
        assert_eq!(approved.check_account(&other), Err(PaymentRefusal::OtherDebtor), "one account for all");
        let first = approved.confirm(one.clone(), 2, now).unwrap();
        assert_eq!(first.transaction_status_at(now), Some(TransactionStatus::Patc));
        let again = first.clone().approve_unconfirmed(&one, &own(), now);
        assert_eq!(again, Err(PaymentRefusal::ApprovedBefore));
        assert_eq!(first.clone().confirm(one, 2, now), Err(PaymentRefusal::ApprovedBefore));
        let second = first.approve_unconfirmed(&two, &own(), now).unwrap().confirm(two, 2, now).unwrap();
        assert_eq!(second.status_at(now), PaymentStatus::Submitted);
        assert_eq!((second.transaction_status_at(now), second.decision.payer().unwrap().0.len()), (None, 2));
    }

    #[test]
    fn a_payment_that_the_bank_has_is_stopped_and_any_other_withdrawn() {
        let now = Timestamp::UNIX_EPOCH;
        let late = now + DAY;
        let customer = CustomerId::new("c");
        let approved = payment().approve_unconfirmed(&customer, &own(), now).unwrap();
        let cancelled = approved.clone().withdraw(now).unwrap();
        assert_eq!(cancelled.transaction_status_at(late), Some(TransactionStatus::Canc));
        assert_eq!(cancelled.clone().withdraw(late), Ok(cancelled.clone()), "again");
        assert!(cancelled.confirm(customer.clone(), 1, now).is_err());
        assert!(approved.clone().withdraw(late).is_err() && approved.clone().stopped(now).is_err());
        let submitted = approved.clone().confirm(customer.clone(), 1, now).unwrap();
        assert!(submitted.clone().withdraw(now).is_err());
        assert_eq!(submitted.stopped(late).unwrap().status_at(late), PaymentStatus::Cancelled);
        assert!(approved.clone().confirm(customer, 1, late).is_err(), "too late");
        assert_eq!(approved.transaction_status_at(late), Some(TransactionStatus::Rjct));
        assert_eq!(approved.reject_reason_at(late), Some(RejectReason::Tm01));
    }

    #[test]
    fn only_open_current_accounts_in_the_currency_pay() {
        let check = |change: fn(&mut Account)| {
            let mut account = own();
            change(&mut account);
            payment().check_open_account(&account)
        };
        assert_eq!(check(|_| {}), Ok(()));
        assert_eq!(check(|account| account.product = Product::Savings), Err(PaymentRefusal::DebtorProduct));
        let (account, amount) = ("USD", "EUR");
        let refused = Err(PaymentRefusal::DebtorCurrency { account, amount });
        assert_eq!(check(|account| account.currency = Currency::USD), refused);
        let status = AccountStatus::Blocked.name();
        let refused = Err(PaymentRefusal::DebtorUnavailable { status });
        assert_eq!(check(|account| account.status = AccountStatus::Blocked), refused);
    }

    /// However the payee is named: by the same number, or by what the number is made of.
    #[test]
    fn nobody_pays_to_the_account_that_pays() {
        let account = Account { iban: Iban::parse("GB29NWBK60161331926819").unwrap(), ..own() };
        let to = |number: Option<(&str, &str)>| {
            let mut payment = payment();
            let british = |(sort_code, account_number): (&str, &str)| PayeeAccount::British {
                sort_code: sort_code.to_owned(),
                account_number: account_number.to_owned(),
            };
            let routing = Routing { account: number.map(british), ..Routing::default() };
            payment.transfers[0].creditor.iban = number.is_none().then(|| account.iban.clone());
            payment.transfers[0].routing = Some(Box::new(routing));
            payment.check_payee_is_another(&account)
        };
        assert_eq!(to(None), Err(PaymentRefusal::SameAccount));
        assert_eq!(to(Some(("601613", "31926819"))), Err(PaymentRefusal::SameAccount));
        assert_eq!(to(Some(("601613", "31926818"))), Ok(()));
        assert_eq!(to(Some(("601614", "31926819"))), Ok(()));
    }

    #[test]
    fn what_was_cancelled_late_is_remembered_as_long_as_anything_else() {
        let now = Timestamp::UNIX_EPOCH;
        let later = now + jiff::SignedDuration::from_hours(24 * 365);
        let customer = CustomerId::new("c");
        let approved = payment().approve_unconfirmed(&customer, &own(), now).unwrap();
        let stopped = approved.confirm(customer, 1, now).unwrap().stopped(later).unwrap();
        assert_eq!(stopped.forget_at(), Some(later + crate::DISPUTABLE));
    }
}
