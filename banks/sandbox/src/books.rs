//! Moving money in the sandbox's books: every entry has two legs, and every leg goes to the end of its account's
//! history.

use std::collections::BTreeMap;

use gateway::domain::{
    AccountId, AccountStatus, Counterparty, Currency, Date, Iban, Money, PaymentRefusal, Tenant, Timestamp,
    Transfer,
};
use gateway::{ApprovedPayment, Declined, Error, Noun, Store, Submitted, retry};
use store::{BookedAccount, Changes, Posting};

use crate::numbers::is_own;

/// The bank's own code for a transfer.
const TRANSFER_CODE: &str = "OV";

/// An account while a batch is booked on it.
struct Open {
    booked: BookedAccount,
    day: Date,
    balance: i64,
    available: i64,
    sequence: i64,
    /// Place of the last transaction in the account's history.
    place: i64,
    /// What was booked by this batch: the amount, and how many transactions.
    booked_now: (i64, i64),
}

/// A batch of entries that is booked at one moment.
struct Batch<'a> {
    store: &'a Store,
    tenant: &'a Tenant,
    now: Timestamp,
    open: BTreeMap<AccountId, Open>,
    changes: Changes,
}

/// Executes payments, each once, and writes `with` in the same batch: all transfers, or none with the reason. Every one
/// is executed when this returns.
///
/// # Errors
/// [`Error::Conflict`] if somebody else booked on one of the accounts meanwhile, or a row of `with` moved on
pub(crate) async fn submit(
    store: &Store,
    payments: &[ApprovedPayment],
    with: Changes,
    now: Timestamp,
) -> Result<Result<Vec<Submitted>, Declined>, Error> {
    let executed = vec![Submitted::Executed; payments.len()];
    let Some(tenant) = payments.first().map(ApprovedPayment::tenant) else {
        store.save(with).await?;
        return Ok(Ok(executed));
    };
    let mut batch = Batch { changes: with, ..Batch::begin(store, tenant, now) };
    for payment in payments {
        if store.has_entry(&payment.entry(0)).await? {
            continue;
        }
        for (index, transfer) in payment.transfers().iter().enumerate() {
            let booked = batch.transfer(&payment.entry(index), payment.account(), transfer).await?;
            if let Err(refusal) = booked {
                return Ok(Err(Declined { payment: payment.id().clone(), refusal }));
            }
        }
    }
    store.save(batch.finish()).await?;
    Ok(Ok(executed))
}

/// Closes an account with nothing on it and nothing on its way, as nobody books on it.
///
/// # Errors
/// [`Error`]
pub(crate) async fn close(
    store: &Store,
    account: &AccountId,
    now: Timestamp,
) -> Result<Result<(), PaymentRefusal>, Error> {
    retry(|| async {
        let booked = store.account(account).await?.ok_or(Error::NotFound(Noun::Account))?;
        let day = booking_day(store, account, booked.tenant.date_at(now)).await?;
        let (balance, available) = balance_and_available(store, &booked, day).await?;
        if balance != 0 || available != booked.credit_limit {
            return Ok(Err(PaymentRefusal::NotEmpty));
        }
        let closed = Changes::new()
            .touch_account(account, booked.version)
            .set_account_status(account, AccountStatus::Deleted);
        Ok(Ok(store.save(closed).await?))
    })
    .await
}

/// Books money that comes from outside of the bank.
///
/// # Errors
/// [`PaymentRefusal::CreditorUnavailable`]
pub(crate) async fn receive(
    store: &Store,
    account: &AccountId,
    (entry, amount, from, what): (&str, Money, &str, &str),
    now: Timestamp,
) -> Result<(), Error> {
    let tenant = store.account(account).await?.ok_or(Error::NotFound(Noun::Account))?.tenant;
    retry(|| async {
        let mut batch = Batch::begin(store, &tenant, now);
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
        Ok(store.save(batch.finish()).await?)
    })
    .await
}

/// What an account holds as of a day: booked, and what can be spent.
///
/// # Errors
/// [`Error`]
pub(crate) async fn balance_and_available(
    store: &Store,
    booked: &BookedAccount,
    day: Date,
) -> Result<(i64, i64), Error> {
    let id = &booked.account.id;
    let balance = store.booked_balance(id, day).await?;
    let pending = store.entered_since(id, day, day).await?;
    Ok((balance, balance + pending + booked.credit_limit))
}

/// The day on which the next entry is booked: a clock that was set back must not put it before older ones.
async fn booking_day(store: &Store, account: &AccountId, today: Date) -> Result<Date, Error> {
    Ok(store.last_entered_day(account).await?.map_or(today, |last| last.max(today)))
}

/// One side of an entry.
struct Leg {
    amount: i64,
    counterparty: Counterparty,
    remittance: Option<String>,
    end_to_end_id: Option<String>,
}

impl<'a> Batch<'a> {
    fn begin(store: &'a Store, tenant: &'a Tenant, now: Timestamp) -> Self {
        Self { store, tenant, now, open: BTreeMap::new(), changes: Changes::new() }
    }

    /// Books one transfer. Whoever is no customer here is paid from the bank's account with the rest of the world.
    async fn transfer(
        &mut self,
        entry: &str,
        from: &AccountId,
        transfer: &Transfer,
    ) -> Result<Result<(), PaymentRefusal>, Error> {
        self.open(from).await?;
        let Money { minor, currency } = transfer.amount;
        let debtor = &self.open[from];
        let account = debtor.booked.account.clone();
        if account.status != AccountStatus::Enabled {
            return Ok(Err(PaymentRefusal::DebtorUnavailable { status: account.status.name() }));
        }
        if account.currency != currency {
            let (account, amount) = (account.currency.code(), currency.code());
            return Ok(Err(PaymentRefusal::Currency { account, amount }));
        }
        if debtor.available < minor {
            return Ok(Err(PaymentRefusal::InsufficientFunds));
        }
        let to = match self.creditor(transfer.creditor.iban.as_ref(), currency).await? {
            Ok(to) => to,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if to.as_ref() == Some(from) {
            return Ok(Err(PaymentRefusal::SameAccount));
        }
        let leg = |amount, counterparty| Leg {
            amount,
            counterparty,
            remittance: transfer.remittance.clone(),
            end_to_end_id: transfer.end_to_end_id.clone(),
        };
        match to {
            Some(to) => {
                let payer = Counterparty { name: Some(account.name), iban: Some(account.iban) };
                self.post(entry, &to, leg(minor, payer));
            }
            None => self.world(entry, currency, minor),
        }
        self.post(entry, from, leg(-minor, transfer.creditor.clone()));
        Ok(Ok(()))
    }

    /// The payee's account if it is one of this bank.
    async fn creditor(
        &mut self,
        iban: Option<&Iban>,
        currency: Currency,
    ) -> Result<Result<Option<AccountId>, PaymentRefusal>, Error> {
        let Some(iban) = iban else { return Ok(Ok(None)) };
        let accounts = self.store.accounts_by_iban(self.tenant, iban).await?;
        let Some(first) = accounts.first() else {
            return Ok(if is_own(iban) { Err(PaymentRefusal::CreditorUnknown) } else { Ok(None) });
        };
        let Some(account) = accounts.iter().find(|account| account.currency == currency) else {
            let (account, amount) = (first.currency.code(), currency.code());
            return Ok(Err(PaymentRefusal::Currency { account, amount }));
        };
        if account.status != AccountStatus::Enabled {
            return Ok(Err(PaymentRefusal::CreditorUnavailable { status: account.status.name() }));
        }
        self.open(&account.id).await?;
        Ok(Ok(Some(account.id.clone())))
    }

    /// Loads an account.
    async fn open(&mut self, id: &AccountId) -> Result<(), Error> {
        if self.open.contains_key(id) {
            return Ok(());
        }
        let booked = self.store.account(id).await?.ok_or(Error::NotFound(Noun::Account))?;
        let day = booking_day(self.store, id, self.tenant.date_at(self.now)).await?;
        let (balance, available) = balance_and_available(self.store, &booked, day).await?;
        let sequence = self.store.last_sequence(id, day).await?;
        let place = self.store.count_booked(id, day).await?;
        let open = Open { booked, day, balance, available, sequence, place, booked_now: (0, 0) };
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
            entered_at: Some(self.now),
        };
        self.changes = std::mem::take(&mut self.changes).add_posting(&posting);
    }

    /// The leg on the account with the rest of the world, whose balance nobody asks for.
    fn world(&mut self, entry: &str, currency: Currency, amount: i64) {
        let day = self.tenant.date_at(self.now);
        let posting = Posting {
            entry: entry.to_owned(),
            account: AccountId::new(format!("world:{}:{}", self.tenant, currency.code())),
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

    /// The changes, each account guarded by its version.
    /// The accounts come first and in one order: of two batches on the same ones, one waits for the other or fails at its
    /// first statement, and neither holds what the other waits for.
    fn finish(self) -> Changes {
        let touch = |changes: Changes, (id, open): (&AccountId, &Open)| {
            changes.touch_account(id, open.booked.version)
        };
        let touched = self.open.iter().fold(Changes::new(), touch);
        self.open.into_iter().fold(touched.and(self.changes), |changes, (id, open)| {
            changes.shift_history(&id, open.day, open.booked_now)
        })
    }
}
