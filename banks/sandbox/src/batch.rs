//! Moving money in the sandbox's books: every entry has two legs, and every leg goes to the end of its account's
//! history.

use std::collections::BTreeMap;

use gateway::domain::{
    Account, AccountId, AccountNumber, AccountStatus, Counterparty, Currency, Date, Iban, Money,
    PayeeAccount, PaymentRefusal, Refusal, Tenant, Timestamp, Transfer,
};
use gateway::{Error, Noun, retry};
use store::Changes;

use crate::books::{Books, TRANSFER_CODE, WORLD, balance_and_available, booking_day};
use crate::ledger::{AccountChanges, BookedAccount, HistoryChanges, OrderChanges, Posting};
use crate::numbers::{iban_of, is_own};

/// The text of an entry that gives money back.
const REFUND: &str = "Refund";

/// The number of a payee that may be a customer here.
fn payee_number(transfer: &Transfer) -> Option<Iban> {
    let number = match transfer.routing.as_ref().and_then(|routing| routing.account.as_ref()) {
        Some(PayeeAccount::British { sort_code, account_number }) => {
            AccountNumber::British { sort_code: sort_code.clone(), account_number: account_number.clone() }
        }
        Some(PayeeAccount::Foreign(_)) => return None,
        None => AccountNumber::Iban(transfer.creditor.iban.clone()?),
    };
    iban_of(&number)
}

/// An account while a batch is booked on it.
struct Open {
    booked: BookedAccount,
    /// The moment, by the clock of the account's branch.
    now: Timestamp,
    day: Date,
    balance: i64,
    available: i64,
    /// What is set aside of it for payments that are not booked yet.
    reserved: i64,
    sequence: i64,
    /// Place of the last transaction in the account's history.
    place: i64,
    /// What was booked by this batch: the amount, and how many transactions.
    booked_now: (i64, i64),
}

/// A batch of entries that is booked at one moment, on each account by the clock of its own branch. What it refuses is
/// [`Error::Refused`]; [`refusal`] tells that from failures.
pub(crate) struct Batch<'a> {
    pub(crate) books: &'a Books,
    tenant: &'a Tenant,
    pub(crate) now: Timestamp,
    open: BTreeMap<AccountId, Open>,
    changes: Changes,
}

/// What a refusal is, if it is one about payments.
///
/// # Errors
/// Any other error
pub(crate) fn refusal<T>(tried: Result<T, Error>) -> Result<Result<T, PaymentRefusal>, Error> {
    match tried {
        Ok(done) => Ok(Ok(done)),
        Err(Error::Refused(Refusal::Payment(refusal))) => Ok(Err(refusal)),
        Err(error) => Err(error),
    }
}

/// Books money that comes from outside of the bank.
///
/// # Errors
/// [`PaymentRefusal::CreditorUnavailable`]
pub(crate) async fn receive(
    books: &Books,
    account: &AccountId,
    (entry, amount, from, what): (&str, Money, &str, &str),
    now: Timestamp,
) -> Result<(), Error> {
    let tenant = books.store.account(account).await?.ok_or(Error::NotFound(Noun::Account))?.tenant;
    retry(|| async {
        let mut batch = Batch::begin(books, &tenant, now, Changes::new());
        batch.open(account).await?;
        let status = batch.open[account].booked.account.status;
        if status != AccountStatus::Enabled {
            return Err(PaymentRefusal::CreditorUnavailable { status: status.name() }.into());
        }
        let leg = Leg {
            amount: amount.minor,
            counterparty: Counterparty { name: Some(from.to_owned()), iban: None },
            remittance: Some(what.to_owned()),
            end_to_end_id: None,
        };
        batch.world(entry, amount.currency, -amount.minor);
        batch.post(entry, account, leg);
        Ok(books.store.save(batch.finish()).await?)
    })
    .await
}

/// One side of an entry.
struct Leg {
    amount: i64,
    counterparty: Counterparty,
    remittance: Option<String>,
    end_to_end_id: Option<String>,
}

impl<'a> Batch<'a> {
    /// Begins a batch, which is written together with other changes.
    pub(crate) fn begin(books: &'a Books, tenant: &'a Tenant, now: Timestamp, with: Changes) -> Self {
        Self { books, tenant, now, open: BTreeMap::new(), changes: with }
    }

    /// Writes something else in the same batch.
    pub(crate) fn add(&mut self, add: impl FnOnce(Changes) -> Changes) {
        self.changes = add(std::mem::take(&mut self.changes));
    }

    /// Books one transfer. Whoever is no customer here is paid from the bank's account with the rest of the world. Says
    /// whether the payee is a customer.
    ///
    /// # Errors
    /// [`PaymentRefusal`]
    pub(crate) async fn transfer(
        &mut self,
        entry: &str,
        from: &AccountId,
        transfer: &Transfer,
    ) -> Result<bool, Error> {
        let payer = self.payer(from, transfer.amount).await?;
        self.check_funds(from, transfer.amount.minor)?;
        let to = self.payee(from, transfer).await?;
        let Money { minor, currency } = transfer.amount;
        let leg = |amount, counterparty| Leg {
            amount,
            counterparty,
            remittance: transfer.remittance.clone(),
            end_to_end_id: transfer.end_to_end_id.clone(),
        };
        match &to {
            Some(to) => self.post(entry, to, leg(minor, payer)),
            None => self.world(entry, currency, minor),
        }
        self.post(entry, from, leg(-minor, transfer.creditor.clone()));
        Ok(to.is_some())
    }

    /// Looks whether a transfer could be made, but for the money.
    ///
    /// # Errors
    /// [`PaymentRefusal`]
    pub(crate) async fn check(&mut self, from: &AccountId, transfer: &Transfer) -> Result<(), Error> {
        self.payer(from, transfer.amount).await?;
        self.payee(from, transfer).await.map(|_| ())
    }

    /// Sets money aside for a transfer that is booked later.
    ///
    /// # Errors
    /// [`PaymentRefusal`]
    pub(crate) async fn set_aside(&mut self, from: &AccountId, transfer: &Transfer) -> Result<(), Error> {
        self.payer(from, transfer.amount).await?;
        self.check_funds(from, transfer.amount.minor)?;
        self.payee(from, transfer).await?;
        self.release(from, -transfer.amount.minor).await
    }

    /// Gives back what was set aside on an account.
    pub(crate) async fn release(&mut self, account: &AccountId, amount: i64) -> Result<(), Error> {
        self.open(account).await?;
        if let Some(open) = self.open.get_mut(account) {
            open.reserved -= amount;
            open.available += amount;
        }
        Ok(())
    }

    /// Books the money of a transfer back, under an entry of its own.
    ///
    /// # Errors
    /// [`PaymentRefusal`] if an account is closed, or the payee does not have it any more
    pub(crate) async fn give_back(
        &mut self,
        (entry, of): (&str, &str),
        payer: &AccountId,
        transfer: &Transfer,
    ) -> Result<(), Error> {
        self.open(payer).await?;
        let account = self.open[payer].booked.account.clone();
        if account.status == AccountStatus::Deleted {
            return Err(PaymentRefusal::DebtorUnavailable { status: account.status.name() }.into());
        }
        let legs = self.books.store.legs(of).await?;
        let Some(payee) = legs.into_iter().map(|leg| leg.account).find(|account| account != payer) else {
            return Err(Error::NotFound(Noun::Payment));
        };
        let Money { minor, currency } = transfer.amount;
        let leg = |amount, counterparty| Leg {
            amount,
            counterparty,
            remittance: Some(REFUND.to_owned()),
            end_to_end_id: transfer.end_to_end_id.clone(),
        };
        if payee == self.bank_account(currency) {
            self.world(entry, currency, -minor);
        } else {
            self.open(&payee).await?;
            let status = self.open[&payee].booked.account.status;
            if status == AccountStatus::Deleted {
                return Err(PaymentRefusal::CreditorUnavailable { status: status.name() }.into());
            }
            self.check_funds(&payee, minor)?;
            let to = Counterparty { name: Some(account.name), iban: Some(account.iban) };
            self.post(entry, &payee, leg(-minor, to));
        }
        self.post(entry, payer, leg(minor, transfer.creditor.clone()));
        Ok(())
    }

    /// Opens the account that pays, if it can, and says who that is.
    async fn payer(&mut self, from: &AccountId, amount: Money) -> Result<Counterparty, Error> {
        self.open(from).await?;
        let account = &self.open[from].booked.account;
        if account.status != AccountStatus::Enabled {
            return Err(PaymentRefusal::DebtorUnavailable { status: account.status.name() }.into());
        }
        if account.currency != amount.currency {
            let (account, amount) = (account.currency.code(), amount.currency.code());
            return Err(PaymentRefusal::DebtorCurrency { account, amount }.into());
        }
        Ok(Counterparty { name: Some(account.name.clone()), iban: Some(account.iban.clone()) })
    }

    fn check_funds(&self, account: &AccountId, amount: i64) -> Result<(), Error> {
        let is_enough = self.open.get(account).is_some_and(|open| open.available >= amount);
        if is_enough { Ok(()) } else { Err(PaymentRefusal::InsufficientFunds.into()) }
    }

    /// Opens the payee's account, if it is one of this bank.
    async fn payee(&mut self, from: &AccountId, transfer: &Transfer) -> Result<Option<AccountId>, Error> {
        let Some(iban) = payee_number(transfer) else { return Ok(None) };
        let currency = transfer.amount.currency;
        let accounts = self.accounts_by_iban(&iban).await?;
        let Some(first) = accounts.first() else {
            return if is_own(&iban) { Err(PaymentRefusal::CreditorUnknown.into()) } else { Ok(None) };
        };
        let Some(account) = accounts.iter().find(|account| account.currency == currency) else {
            let (account, amount) = (first.currency.code(), currency.code());
            return Err(PaymentRefusal::CreditorCurrency { account, amount }.into());
        };
        if account.status != AccountStatus::Enabled {
            return Err(PaymentRefusal::CreditorUnavailable { status: account.status.name() }.into());
        }
        if account.id == *from {
            return Err(PaymentRefusal::SameAccount.into());
        }
        self.open(&account.id).await?;
        Ok(Some(account.id.clone()))
    }

    /// The accounts with a number, at this branch or at another one of the bank.
    async fn accounts_by_iban(&self, iban: &Iban) -> Result<Vec<Account>, Error> {
        let Books { store, clock } = self.books;
        let mut accounts = store.accounts_by_iban(self.tenant, iban).await?;
        if accounts.is_empty() && is_own(iban) {
            for tenant in clock.tenants_in(&iban.as_str()[..2]) {
                accounts.extend(store.accounts_by_iban(&tenant, iban).await?);
            }
        }
        Ok(accounts)
    }

    /// Loads an account.
    async fn open(&mut self, id: &AccountId) -> Result<(), Error> {
        if self.open.contains_key(id) {
            return Ok(());
        }
        let Books { store, clock } = self.books;
        let booked = store.account(id).await?.ok_or(Error::NotFound(Noun::Account))?;
        let now = match &booked.tenant {
            own if own == self.tenant => self.now,
            other => clock.elsewhere((self.now, self.tenant), other),
        };
        let day = booking_day(store, id, booked.tenant.date_at(now)).await?;
        let (balance, available) = balance_and_available(store, &booked, day).await?;
        let sequence = store.last_sequence(id, day).await?;
        let place = store.count_booked(id, day).await?;
        let reserved = booked.reserved;
        let open =
            Open { booked, now, day, balance, available, reserved, sequence, place, booked_now: (0, 0) };
        self.open.insert(id.clone(), open);
        Ok(())
    }

    fn post(&mut self, entry: &str, account: &AccountId, leg: Leg) {
        let Some(open) = self.open.get_mut(account) else { return };
        open.balance += leg.amount;
        open.available += leg.amount;
        open.sequence += 1;
        open.place += 1;
        open.booked_now = (open.booked_now.0 + leg.amount, open.booked_now.1 + 1);
        let posting = Posting {
            entry: entry.to_owned(),
            account: account.clone(),
            entered_on: open.day,
            booking_date: open.day,
            sequence: open.sequence,
            value_date: open.day,
            amount: leg.amount,
            balance_after: Some(open.balance),
            place: Some(open.place),
            counterparty: leg.counterparty,
            remittance: leg.remittance.filter(|text| !text.is_empty()),
            code: Some(TRANSFER_CODE.to_owned()),
            end_to_end_id: leg.end_to_end_id,
            entered_at: Some(open.now),
        };
        self.changes = std::mem::take(&mut self.changes).add_posting(&posting);
    }

    /// The leg on the account with the rest of the world, whose balance nobody asks for.
    fn world(&mut self, entry: &str, currency: Currency, amount: i64) {
        let day = self.tenant.date_at(self.now);
        let posting = Posting {
            entry: entry.to_owned(),
            account: self.bank_account(currency),
            entered_on: day,
            booking_date: day,
            sequence: 0,
            value_date: day,
            amount,
            balance_after: None,
            place: None,
            counterparty: Counterparty::default(),
            remittance: None,
            code: None,
            end_to_end_id: None,
            entered_at: Some(self.now),
        };
        self.changes = std::mem::take(&mut self.changes).add_posting(&posting);
    }

    /// The bank's account with the rest of the world.
    fn bank_account(&self, currency: Currency) -> AccountId {
        AccountId::new(format!("{WORLD}{}:{}", self.tenant, currency.code()))
    }

    /// The changes, each account guarded by its version.
    /// The accounts come first and in one order: of two batches on the same ones, one waits for the other or fails at its
    /// first statement, and neither holds what the other waits for.
    pub(crate) fn finish(self) -> Changes {
        let touch = |changes: Changes, (id, open): (&AccountId, &Open)| match open.reserved {
            reserved if reserved == open.booked.reserved => changes.touch_account(id, open.booked.version),
            reserved => changes.reserve(id, reserved, open.booked.version),
        };
        let touched = self.open.iter().fold(Changes::new(), touch);
        let booked = self.open.into_iter().filter(|(_, open)| open.booked_now.1 > 0);
        booked.fold(touched.and(self.changes), |changes, (id, open)| {
            changes.shift_history(&id, open.day, open.booked_now)
        })
    }
}
