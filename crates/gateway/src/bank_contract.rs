//! What holds of any bank behind the gateway, for the tests of whoever connects one.

#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod parts;

use std::collections::HashSet;
use std::pin::Pin;
use std::time::Duration;

use domain::{
    Account, AccountNumber, AccountReference, BalanceKind, BookingStatus, Counterparty, CustomerId,
    Execution, Iban, Interface, Money, Payment, PaymentDecision, PaymentId, PaymentRefusal, PaymentTerms,
    Position, Tenant, Timestamp, TransactionQuery, TransactionStatus, Transfer,
};
use store::{PrivateState, Store};

use crate::access::AccountAccess;
use crate::bank::{Bank, Credentials, Events};
use crate::bank_events::{BankEvent, ToldEvent};
use crate::payments::{ApprovedPayment, Submitted, order_of};
use crate::{Changes, Error};

/// Under whose name the contract keeps what it writes with payments.
const OWNER: &str = "bank contract";

/// A clause of what a bank may leave out: that it tells what happens.
pub const EVENTS: &str = "what happens is told, in order and as often as it is asked for";

/// Another one: that it numbers entries.
pub const ENTRY_NUMBERS: &str = "entries are numbered without gaps, and keep their numbers";

/// Another one: that customers open and close accounts by themselves.
pub const ACCOUNT_KEEPING: &str = "an account is opened, and closed when it is empty";

/// A bank with two customers.
#[derive(Debug, Clone, Copy)]
pub struct Parties<'a> {
    /// The bank.
    pub bank: &'a Bank,
    /// Where the gateway keeps its own.
    pub store: &'a Store,
    /// The branch.
    pub tenant: &'a Tenant,
    /// Who pays: a customer, and an account of theirs in the branch's currency with 10.00 or more on it.
    pub payer: (&'a CustomerId, &'a Account),
    /// An account of somebody else in the same currency.
    pub payee: &'a Account,
    /// A number of another bank.
    pub elsewhere: &'a Iban,
    /// Now.
    pub now: Timestamp,
    /// What the ids of this run begin with, so that a bank that keeps payments can be looked at again.
    pub run: &'a str,
}

/// A part of the contract: what holds, and what looks whether it does, which stops with a panic if not.
pub type Clause<'a> = (&'static str, Pin<Box<dyn Future<Output = ()> + Send + 'a>>);

impl Parties<'_> {
    /// Stops the test if something does not hold.
    pub async fn hold(&self) {
        for (_, clause) in self.clauses() {
            clause.await;
        }
    }

    /// The contract, part by part in its order.
    pub fn clauses(&self) -> Vec<Clause<'_>> {
        vec![
            (
                "accounts are found by number, with details, holders and funds",
                Box::pin(self.accounts_are_found()),
            ),
            ("balances and movements agree, page by page", Box::pin(self.movements_are_paged())),
            ("customers are known, and wrong credentials are nobody's", Box::pin(self.customers_are_known())),
            ("a payment at once moves its money, once", Box::pin(self.payments_at_once())),
            ("what cannot be made leaves no trace: all or nothing", Box::pin(self.what_cannot_be_made())),
            ("a payment for a later day waits and can be stopped", Box::pin(self.payments_for_a_later_day())),
            (EVENTS, Box::pin(self.events_are_told())),
            (ENTRY_NUMBERS, Box::pin(self.entries_are_numbered())),
            (ACCOUNT_KEEPING, Box::pin(self.accounts_are_opened_and_closed())),
        ]
    }

    fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.payer.1.currency }
    }

    fn payment(&self, id: &str, terms: PaymentTerms, minor: i64) -> ApprovedPayment {
        self.payment_of(id, terms, &[minor])
    }

    /// One with a transfer of each amount.
    fn payment_of(&self, id: &str, terms: PaymentTerms, amounts: &[i64]) -> ApprovedPayment {
        self.payment_with(id, terms, (amounts, None))
    }

    /// The same with a text for the payee of each.
    fn payment_with(
        &self,
        id: &str,
        terms: PaymentTerms,
        (amounts, text): (&[i64], Option<&str>),
    ) -> ApprovedPayment {
        let interface = match terms.execution {
            Execution::AtOnce => Interface::Bunq,
            Execution::On(_) | Execution::Repeated(_) => Interface::BerlinGroup,
        };
        let creditor =
            Counterparty { name: Some(self.payee.name.clone()), iban: Some(self.payee.iban.clone()) };
        let transfer = |minor: &i64| Transfer {
            creditor: creditor.clone(),
            amount: self.money(*minor),
            remittance: text.map(str::to_owned),
            end_to_end_id: None,
            routing: None,
        };
        let payment = Payment {
            id: PaymentId::new(format!("contract-{}{id}", self.run)),
            tpp: None,
            tenant: self.tenant.clone(),
            interface,
            terms,
            debtor: None,
            transfers: amounts.iter().map(transfer).collect(),
            created_at: self.now,
            expires_at: self.now,
            decision: PaymentDecision::Submitted {
                by: vec![self.payer.0.clone()],
                account: self.payer.1.id.clone(),
            },
            last_action_at: self.now,
            version: 0,
        };
        order_of(&payment).remove(0)
    }

    /// What the payer can spend, for whoever wants to know before whether that is enough.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn spendable(&self) -> Result<Money, Error> {
        let access = AccountAccess::to_own(self.payer.1);
        Ok(self.bank.accounts.funds(&access, self.tenant.date_at(self.now)).await?.available)
    }

    /// What payer and payee can spend.
    async fn available(&self) -> (i64, i64) {
        let day = self.tenant.date_at(self.now);
        let mut available = Vec::new();
        for account in [self.payer.1, self.payee] {
            let funds = self.bank.accounts.funds(&AccountAccess::to_own(account), day).await.unwrap();
            available.push(funds.available.minor);
        }
        (available[0], available[1])
    }

    fn note(&self, key: &str, version: i64) -> Changes {
        Changes::new().put_private_state(&PrivateState {
            owner: OWNER,
            kind: "note",
            key: format!("{}{key}", self.run),
            value: String::new(),
            life: None,
            version,
        })
    }

    async fn is_noted(&self, key: &str) -> bool {
        self.store.private_state(OWNER, "note", &format!("{}{key}", self.run)).await.unwrap().is_some()
    }

    async fn status(&self, payment: &ApprovedPayment) -> Option<TransactionStatus> {
        let progress = self.bank.payments.progress(payment.id(), self.now).await.unwrap();
        progress.map(|progress| progress.status)
    }

    async fn can_be_stopped(&self, payment: &ApprovedPayment) -> bool {
        self.bank.payments.progress(payment.id(), self.now).await.unwrap().unwrap().can_be_stopped
    }

    /// Every event behind one.
    async fn events_after(&self, events: &dyn Events, mut after: Option<String>) -> Vec<ToldEvent> {
        let mut all = Vec::new();
        loop {
            let told = events.events(after.as_deref(), 7, Duration::ZERO).await.unwrap();
            let told = told.expect("an event that was told is known");
            assert!(told.len() <= 7, "no more than were asked for");
            let Some(last) = told.last() else { return all };
            after = Some(last.id.clone());
            all.extend(told);
        }
    }

    /// Whether the bank tells what happens. It may leave that out.
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn tells_events(&self) -> Result<bool, Error> {
        match &self.bank.events {
            Some(events) => Ok(events.events(None, 1, Duration::ZERO).await?.is_some()),
            None => Ok(false),
        }
    }

    async fn events_are_told(&self) {
        let Some(events) = &self.bank.events else { return };
        let before = self.events_after(events.as_ref(), None).await;
        let day = self.tenant.date_at(self.now).saturating_add(jiff::Span::new().days(30));
        let terms = PaymentTerms { execution: Execution::On(day), ..PaymentTerms::AT_ONCE };
        let payment = [self.payment("told", terms, 100)];
        let payments = &self.bank.payments;
        payments.submit(&payment, self.note("told", 0), self.now).await.unwrap().unwrap();
        payments.stop(payment[0].id(), self.note("told stopped", 0), self.now).await.unwrap().unwrap();
        let last = before.last().map(|last| last.id.clone());
        let ended = |told: &ToldEvent| match &told.event {
            Some(BankEvent::Payment { payment: id, progress, is_final }) => {
                id == payment[0].id() && progress.status == TransactionStatus::Canc && *is_final
            }
            _ => false,
        };
        // It is waited for.
        let until = tokio::time::Instant::now() + Duration::from_secs(10);
        let mut after = last.clone();
        loop {
            let told = events.events(after.as_deref(), 100, Duration::from_secs(1)).await.unwrap().unwrap();
            if told.iter().any(ended) {
                break;
            }
            after = told.last().map(|last| last.id.clone()).or(after);
            assert!(
                tokio::time::Instant::now() < until,
                "that a payment was stopped is told within ten seconds"
            );
        }
        let behind = self.events_after(events.as_ref(), last).await;
        let all = self.events_after(events.as_ref(), None).await;
        assert_eq!(all[..before.len()], before, "what was told is told again");
        assert_eq!(all[before.len()..][..behind.len()], behind, "and in the same order");
        let ids: std::collections::BTreeSet<_> = all.iter().map(|told| &told.id).collect();
        assert_eq!(ids.len(), all.len(), "each has a name of its own");
        let unknown = events.events(Some("no such event"), 1, Duration::ZERO).await.unwrap();
        assert_eq!(unknown, None, "an event that nobody told is not known");
    }

    async fn accounts_are_found(&self) {
        let accounts = &self.bank.accounts;
        let named =
            |iban: &Iban| AccountReference { number: AccountNumber::Iban(iban.clone()), currency: None };
        let (own, elsewhere) = (named(&self.payer.1.iban), named(self.elsewhere));
        let found = accounts.find_accounts(self.tenant, &own).await.unwrap();
        assert!(found.contains(self.payer.1), "an account is found by its number");
        assert_eq!(accounts.find_accounts(self.tenant, &elsewhere).await.unwrap(), []);
        assert!(accounts.is_own(&self.payer.1.iban) && !accounts.is_own(self.elsewhere));
        let details = AccountAccess::to_own(self.payer.1);
        assert_eq!(accounts.account(&details).await.unwrap(), *self.payer.1);
        // Payments for later days are made from it.
        for days in [30, 365] {
            let day = self.tenant.date_at(self.now).saturating_add(jiff::Span::new().days(days));
            accounts.funds(&AccountAccess::to_own(self.payer.1), day).await.unwrap();
        }
        let holders = accounts.holders(&details).await.unwrap();
        assert!(holders.iter().any(|holder| holder.id == *self.payer.0));
        let (day, (available, _)) = (self.tenant.date_at(self.now), self.available().await);
        for (reference, minor, expected) in
            [(&own, available, Some(true)), (&own, available + 1, Some(false)), (&elsewhere, 1, None)]
        {
            let answer = accounts.has_funds(self.tenant, reference, self.money(minor), day).await.unwrap();
            assert_eq!(answer, expected, "{minor} of {available}");
        }
    }

    async fn movements_are_paged(&self) {
        let (accounts, access) = (&self.bank.accounts, AccountAccess::to_own(self.payer.1));
        let day = self.tenant.date_at(self.now);
        let query = |after, limit| TransactionQuery {
            status: BookingStatus::Booked,
            from: day.saturating_sub(jiff::Span::new().days(400)),
            to: day,
            after,
            limit,
        };
        let access_to_movements = AccountAccess::to_own(self.payer.1);
        let all = accounts.booked(&access_to_movements, &query(None, 50), day).await.unwrap();
        let (mut paged, mut after) = (Vec::new(), None);
        while paged.len() < 50 {
            let page = accounts.booked(&access_to_movements, &query(after, 1), day).await.unwrap();
            let [one] = &page[..] else { break };
            after = Some(Position { booking_date: one.booking_date, sequence: one.sequence });
            paged.extend(page);
        }
        assert_eq!(paged, all, "page by page as at once");
        assert!(all.is_sorted_by(|a, b| (a.booking_date, a.sequence) > (b.booking_date, b.sequence)));
        assert!(
            all.iter().all(|one| one.amount.currency == self.payer.1.currency && one.booking_date <= day)
        );
        let pending = accounts.pending(&access_to_movements, day).await.unwrap();
        assert!(pending.iter().all(|one| !all.iter().any(|booked| booked.id == one.id)), "pending or booked");
        let (account, balances) = accounts.balances(&access, day).await.unwrap();
        assert_eq!(account, *self.payer.1);
        let expected = balances.iter().find(|balance| balance.kind == BalanceKind::Expected).unwrap();
        let funds = accounts.funds(&AccountAccess::to_own(self.payer.1), day).await.unwrap();
        assert_eq!(expected.amount, funds.available, "what is expected can be spent");
    }

    async fn customers_are_known(&self) {
        let customers = &self.bank.customers;
        let (payer, account) = self.payer;
        let named = customers.named_by(self.tenant, &account.iban).await.unwrap();
        assert!(named.contains(payer));
        assert_eq!(named.iter().collect::<HashSet<_>>().len(), named.len(), "each customer is named once");
        assert_eq!(customers.named_by(self.tenant, self.elsewhere).await.unwrap(), []);
        assert_eq!(customers.customer(payer).await.unwrap().id, *payer);
        // Whom a provider names is a customer of a branch, and of no other.
        let subject = payer.as_str();
        assert_eq!(customers.authenticated(self.tenant, subject).await.unwrap().as_ref(), Some(payer));
        let no_branch = Tenant::parse("no_such_branch").unwrap();
        assert_eq!(
            customers.authenticated(&no_branch, subject).await.unwrap(),
            None,
            "nobody of another branch"
        );
        assert_eq!(customers.authenticated(self.tenant, "no such customer").await.unwrap(), None);
        assert!(customers.accounts_of(payer).await.unwrap().contains(account));
        let wrong = Credentials { challenge: "1", answer: "" };
        assert_eq!(customers.log_in(std::slice::from_ref(payer), wrong).await.unwrap(), None);
        assert_eq!(customers.log_in(&[], wrong).await.unwrap(), None);
        assert!(self.bank.payments.approvals_needed(&account.id).await.unwrap() >= 1);
    }

    async fn payments_at_once(&self) {
        let payments = &self.bank.payments;
        let (payer, payee) = self.available().await;
        let payment = [self.payment("at-once", PaymentTerms::AT_ONCE, 100)];
        assert_eq!(self.status(&payment[0]).await, None);
        for note in ["first", "again"] {
            let done = payments.submit(&payment, self.note(note, 0), self.now).await.unwrap();
            assert_eq!(done, Ok(vec![Submitted::Executed]));
            assert!(self.is_noted(note).await, "what comes with a payment is written with it");
            assert_eq!(self.available().await, (payer - 100, payee + 100), "made once: {note}");
        }
        let status = self.status(&payment[0]).await;
        assert!(matches!(status, Some(TransactionStatus::Acsc | TransactionStatus::Accc)), "{status:?}");
        assert!(!self.can_be_stopped(&payment[0]).await, "its money has moved");
        let stopped = payments.stop(payment[0].id(), self.note("stopped", 0), self.now).await.unwrap();
        assert!(matches!(stopped, Err(PaymentRefusal::Final { .. })), "{stopped:?}");
        let unknown =
            payments.stop(&PaymentId::new("none"), self.note("stopped", 0), self.now).await.unwrap();
        assert!(unknown.is_err() && !self.is_noted("stopped").await);
    }

    async fn what_cannot_be_made(&self) {
        let payments = &self.bank.payments;
        let before = self.available().await;
        let small = self.payment("small", PaymentTerms::AT_ONCE, 100);
        let stale = payments.submit(std::slice::from_ref(&small), self.note("first", 7), self.now).await;
        assert!(matches!(stale, Err(Error::Conflict)), "{stale:?}");
        let large = self.payment("large", PaymentTerms::AT_ONCE, before.0);
        let both = [small, large];
        let declined = payments.submit(&both, self.note("both", 0), self.now).await.unwrap().unwrap_err();
        assert_eq!(
            (&declined.payment, &declined.refusal),
            (both[1].id(), &PaymentRefusal::InsufficientFunds)
        );
        assert!(!self.is_noted("both").await, "nothing is written with what is declined");
        assert_eq!((self.available().await, self.status(&both[0]).await), (before, None), "all or none");
        // Nearly as large as orders get.
        let (amounts, text) = ([before.0; 100], "x".repeat(9000));
        let large = ["text-1", "text-2"]
            .map(|id| self.payment_with(id, PaymentTerms::AT_ONCE, (&amounts, Some(&text))));
        let declined = payments.submit(&large, self.note("texts", 0), self.now).await.unwrap();
        assert!(declined.is_err(), "a large order is declined like any other");
    }

    async fn payments_for_a_later_day(&self) {
        let payments = &self.bank.payments;
        let before = self.available().await;
        let day = self.tenant.date_at(self.now).saturating_add(jiff::Span::new().days(30));
        let terms = PaymentTerms { execution: Execution::On(day), ..PaymentTerms::AT_ONCE };
        let payment = [self.payment("later", terms, 100)];
        for note in ["later", "later again"] {
            let taken = payments.submit(&payment, self.note(note, 0), self.now).await.unwrap().unwrap();
            let [Submitted::Accepted { until }] = taken[..] else { panic!("{taken:?}") };
            assert!(until.is_none_or(|until| until > self.now));
            assert!(self.is_noted(note).await);
        }
        assert!(self.can_be_stopped(&payment[0]).await, "its day has not come");
        assert_eq!(self.available().await, before, "nothing is missing before its day");
        let stopped = payments.stop(payment[0].id(), self.note("stopped", 0), self.now).await.unwrap();
        assert_eq!((stopped, self.is_noted("stopped").await), (Ok(()), true));
        assert_eq!(self.status(&payment[0]).await, Some(TransactionStatus::Canc));
        assert!(!self.can_be_stopped(&payment[0]).await, "it was stopped");
        let again = payments.stop(payment[0].id(), self.note("stopped again", 0), self.now).await.unwrap();
        assert!(again.is_err() && !self.is_noted("stopped again").await);
    }
}
