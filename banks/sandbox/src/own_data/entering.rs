//! Entering movements on any day in the books: each has two legs, and whatever lies behind it in an account's history is
//! carried on.

use std::collections::BTreeMap;

use gateway::domain::{Account, AccountId, AccountStatus, Counterparty, Currency, Date, Iban, Money, Tenant};
use gateway::{Clock, Error, retry};
use store::Changes;

use super::legs::{Leg, carry_on, place, posting};
use super::{File, OwnMovement, Refused};
use crate::Sandbox;
use crate::books::{WORLD, balance_and_available};
use crate::ledger::{AccountChanges, BookedAccount, Customer, HistoryChanges, Ledger, Posting};
use crate::made_customers::newest;
use crate::numbers::is_own;

/// Longest time that something stays pending, in days.
const MAX_PENDING: i64 = 14;

/// A movement that is in the books.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) entry: String,
    pub(crate) account: Account,
    pub(crate) amount: Money,
    pub(crate) date: Date,
    pub(crate) is_pending: bool,
}

/// What a file made.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) customers: Vec<(Customer, Vec<Account>)>,
    pub(crate) movements: usize,
}

/// Enters one movement on an account that the bank has.
///
/// # Errors
/// [`Error`]; what is wrong with the movement is in the value.
pub(crate) async fn enter(
    sandbox: &Sandbox,
    iban: &Iban,
    movement: &OwnMovement,
) -> Result<Result<Entered, Refused>, Error> {
    retry(|| async {
        let mut books = Books::new(sandbox);
        let entered = match books.enter_at(iban, movement).await? {
            Ok(entered) => entered,
            Err(refused) => return Ok(Err(refused)),
        };
        match books.finish().await? {
            Ok(changes) => sandbox.store.save(changes).await?,
            Err(refused) => return Ok(Err(refused)),
        }
        Ok(Ok(entered))
    })
    .await
}

/// Makes all that a file says, or nothing.
///
/// # Errors
/// [`Error`]; what is wrong with the file is in the value.
pub(crate) async fn load(sandbox: &Sandbox, file: &File) -> Result<Result<Loaded, Refused>, Error> {
    retry(|| async {
        let mut books = Books::new(sandbox);
        let mut loaded = Loaded { customers: Vec::new(), movements: file.movements.len() };
        let mut opened = Vec::new();
        for (ordinal, customer) in (newest(&sandbox.store).await? + 1..).zip(&file.customers) {
            match books.open_all(ordinal, customer).await? {
                Ok(made) => {
                    opened.extend(customer.accounts.iter().zip(made.1.clone()));
                    loaded.customers.push(made);
                }
                Err(refused) => return Ok(Err(refused)),
            }
        }
        // Movements can be between accounts of the same file, so every account is opened by now.
        for (own, account) in opened {
            loaded.movements += own.movements.len();
            if let Err(refused) = books.fill(own, &account).await? {
                return Ok(Err(refused));
            }
        }
        for (iban, movement) in &file.movements {
            if let Err(refused) = books.enter_at(iban, movement).await? {
                return Ok(Err(refused));
            }
        }
        match books.finish().await? {
            Ok(changes) => sandbox.store.save(changes).await?,
            Err(refused) => return Ok(Err(refused)),
        }
        Ok(Ok(loaded))
    })
    .await
}

/// An account on which something is entered.
pub(super) struct Open {
    pub(super) booked: BookedAccount,
    /// The line of the file that made it or moved it last, for what is wrong with the sum.
    pub(super) line: u64,
    pub(super) legs: Vec<Leg>,
}

/// Everything that is entered at once.
pub(super) struct Books<'a> {
    pub(super) sandbox: &'a Sandbox,
    store: &'a Ledger,
    /// By id. Accounts that are made by this are of version 0.
    pub(super) open: BTreeMap<AccountId, Open>,
    changes: Changes,
}

impl<'a> Books<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        Self { sandbox, store: &sandbox.store, open: BTreeMap::new(), changes: Changes::new() }
    }

    pub(super) fn add(&mut self, add: impl FnOnce(Changes) -> Changes) {
        self.changes = add(std::mem::take(&mut self.changes));
    }

    /// Enters a movement on the account with a number, in the movement's currency if it names one.
    async fn enter_at(
        &mut self,
        iban: &Iban,
        movement: &OwnMovement,
    ) -> Result<Result<Entered, Refused>, Error> {
        for tenant in &self.sandbox.gateway.settings().tenants {
            if let Some(account) = self.find(tenant, iban, movement.currency).await? {
                self.load(&account).await?;
                return self.enter_on(&account, movement).await;
            }
        }
        let text = match movement.currency {
            Some(currency) => format!("no account {} in {} is there", iban.as_str(), currency.code()),
            None => format!("no account {} is there", iban.as_str()),
        };
        Ok(Err(movement.refused("account", text)))
    }

    pub(super) async fn enter_on(
        &mut self,
        account: &Account,
        movement: &OwnMovement,
    ) -> Result<Result<Entered, Refused>, Error> {
        let tenant = self.open[&account.id].booked.tenant.clone();
        let now = self.sandbox.clock.now(Some(&tenant));
        let (amount, (entered_on, date)) = match check(account, movement, tenant.date_at(now)) {
            Ok(checked) => checked,
            Err(refused) => return Ok(Err(refused)),
        };
        let other = match &movement.iban {
            Some(iban) => self.find(&tenant, iban, Some(account.currency)).await?,
            None => None,
        };
        if let (None, Some(iban)) = (&other, &movement.iban)
            && is_own(iban)
        {
            let text = format!(
                "no account {} in {} is at this branch, tenant {tenant}",
                iban.as_str(),
                account.currency.code()
            );
            return Ok(Err(movement.refused("iban", text)));
        }
        if let Some(other) = &other
            && other.status == AccountStatus::Deleted
        {
            return Ok(Err(movement.refused("iban", format!("account {} is deleted", other.iban.as_str()))));
        }
        if other.as_ref().is_some_and(|other| other.id == account.id) {
            return Ok(Err(movement.refused("iban", "this is the account itself".to_owned())));
        }
        let entry = self.sandbox.randomness.id();
        let is_now = !movement.is_pending && movement.date.is_none();
        let leg = |amount, counterparty| Leg {
            line: movement.line,
            entry: entry.clone(),
            entered_on,
            date,
            amount,
            counterparty,
            remittance: movement.text.clone(),
            end_to_end_id: movement.end_to_end_id.clone(),
            entered_at: is_now.then_some(now),
        };
        match other {
            Some(other) => {
                let name = movement.name.clone().unwrap_or_else(|| other.name.clone());
                let to = Counterparty { name: Some(name), iban: Some(other.iban.clone()) };
                let from =
                    Counterparty { name: Some(account.name.clone()), iban: Some(account.iban.clone()) };
                self.load(&other).await?;
                self.push(&account.id, leg(amount, to));
                self.push(&other.id, leg(-amount, from));
            }
            None => {
                let to = Counterparty { name: movement.name.clone(), iban: movement.iban.clone() };
                let leg = leg(amount, to);
                self.world(&tenant, account.currency, &leg);
                self.push(&account.id, leg);
            }
        }
        let amount = Money { minor: amount, currency: account.currency };
        Ok(Ok(Entered { entry, account: account.clone(), amount, date, is_pending: movement.is_pending }))
    }

    /// The account with a number, in a currency or in the one that was opened first.
    pub(super) async fn find(
        &self,
        tenant: &Tenant,
        iban: &Iban,
        currency: Option<Currency>,
    ) -> Result<Option<Account>, Error> {
        let fits = |account: &Account| currency.is_none_or(|currency| account.currency == currency);
        let own = self.open.values().map(|open| &open.booked).find(|booked| {
            booked.version == 0
                && booked.tenant == *tenant
                && booked.account.iban == *iban
                && fits(&booked.account)
        });
        if let Some(own) = own {
            return Ok(Some(own.account.clone()));
        }
        Ok(self.store.accounts_by_iban(tenant, iban).await?.into_iter().find(fits))
    }

    async fn load(&mut self, account: &Account) -> Result<(), Error> {
        if !self.open.contains_key(&account.id) {
            let not_found = Error::NotFound(gateway::Noun::Account);
            let booked = self.store.account(&account.id).await?.ok_or(not_found)?;
            self.open.insert(account.id.clone(), Open { booked, line: 0, legs: Vec::new() });
        }
        Ok(())
    }

    pub(super) fn push(&mut self, account: &AccountId, leg: Leg) {
        if let Some(open) = self.open.get_mut(account) {
            open.line = leg.line;
            open.legs.push(leg);
        }
    }

    /// The other leg, on the bank's account with the rest of the world.
    pub(super) fn world(&mut self, tenant: &Tenant, currency: Currency, leg: &Leg) {
        let posting = Posting {
            account: AccountId::new(format!("{WORLD}{tenant}:{}", currency.code())),
            amount: -leg.amount,
            counterparty: Counterparty::default(),
            remittance: None,
            code: None,
            end_to_end_id: None,
            ..posting(&AccountId::new(""), leg, 0, None)
        };
        self.add(|changes| changes.add_posting(&posting));
    }

    /// The changes, with every account guarded by its version and every leg at its place.
    async fn finish(mut self) -> Result<Result<Changes, Refused>, Error> {
        let mut changes = Changes::new();
        let mut postings = Vec::new();
        for (id, open) in &mut self.open {
            open.legs.sort_by_key(|leg| leg.date);
            // What this says of each balance is what makes the sums below small enough.
            match place(self.store, &open.booked, &open.legs).await? {
                Ok(placed) => postings.extend(placed),
                Err(refused) => return Ok(Err(refused)),
            }
            let tenant = &open.booked.tenant;
            let today = tenant.date_at(self.sandbox.clock.now(Some(tenant)));
            let (_, available) = match open.booked.version {
                0 => (0, open.booked.credit_limit),
                _ => balance_and_available(self.store, &open.booked, today).await?,
            };
            let moved: i64 =
                open.legs.iter().filter(|leg| leg.entered_on <= today).map(|leg| leg.amount).sum();
            if moved < 0 && available + moved < 0 {
                let short = Money { minor: available + moved, currency: open.booked.account.currency };
                let text = format!(
                    "account {} does not hold enough: {} {} are missing, with its credit limit",
                    open.booked.account.iban.as_str(),
                    short.abs().to_decimal(),
                    short.currency.code()
                );
                return Ok(Err(Refused::at(open.line, text)));
            }
            if open.booked.version > 0 {
                changes = changes.touch_account(id, open.booked.version);
                // First what is there is carried on, then come the new ones.
                match carry_on(self.store, &open.booked, &open.legs).await? {
                    Ok(carried) => changes = changes.and(carried),
                    Err(refused) => return Ok(Err(refused)),
                }
            }
        }
        changes = changes.and(self.changes);
        Ok(Ok(postings.iter().fold(changes, |changes, posting| changes.add_posting(posting))))
    }
}

/// Checks what a movement moves, and when it is entered and booked.
fn check(account: &Account, movement: &OwnMovement, today: Date) -> Result<(i64, (Date, Date)), Refused> {
    if let Some(currency) = movement.currency
        && currency != account.currency
    {
        let text = format!("the account is in {}", account.currency.code());
        return Err(movement.refused("currency", text));
    }
    if account.status == AccountStatus::Deleted {
        return Err(movement.refused("account", format!("account {} is deleted", account.iban.as_str())));
    }
    let amount = movement.minor(account.currency)?;
    let last = today.saturating_add(jiff::Span::new().days(MAX_PENDING));
    let days = match (movement.is_pending, movement.date) {
        (false, None) => (today, today),
        (false, Some(date)) if date <= today => (date, date),
        (true, None) => (today, today.tomorrow().unwrap_or(today)),
        (true, Some(date)) if date > today && date <= last => (today, date),
        (false, Some(_)) => {
            let text =
                format!("today is {today}; what is booked later is pending until then: status pending");
            return Err(movement.refused("date", text));
        }
        (true, Some(_)) => {
            let text = format!("what is pending is booked after today, {today}, and by {last} at the latest");
            return Err(movement.refused("date", text));
        }
    };
    Ok((amount, days))
}
