//! Customers and accounts on demand, with their books.

use gateway::domain::{
    Account, AccountId, AccountStatus, Counterparty, Currency, CustomerId, Date, Iban, Money, Product,
    Tenant, Timestamp,
};
use gateway::{Clock, Error, Randomness, retry};
use store::Changes;

use crate::clock::SandboxClock;
use crate::ledger::{AccountChanges, BookedAccount, Customer, CustomerChanges, Ledger, Posting};
use crate::made_customers::{entry, newest};
use crate::names;
use crate::numbers::{OwnCode, Sequence, own_code, own_iban};
use crate::personas::{AccountPlan, Life, Persona};
use crate::statement::{Movement, Plan, movements};

/// Digits of a digipass number.
pub(crate) const DIGIPASS_DIGITS: usize = 10;

/// What the caller wants of a new customer.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) tenant: Tenant,
    pub(crate) persona: &'static Persona,
    /// Instead of the persona's name; the first of two holders.
    pub(crate) name: Option<String>,
    /// Whether an interface makes the customer on demand: one of many, so each has a name of their own unless one is
    /// wished, and account numbers as clients of such interfaces know them.
    pub(crate) on_demand: bool,
    /// Currency of the main account.
    pub(crate) currency: Option<Currency>,
    /// What the main account is to hold, as decimal text in its currency.
    pub(crate) balance: Option<Money>,
}

/// A customer who was just made, with all accounts.
#[derive(Debug)]
pub(crate) struct NewCustomer {
    pub(crate) holders: Vec<Customer>,
    pub(crate) accounts: Vec<Account>,
}

/// Makes a customer with accounts and books, all at once.
///
/// # Errors
/// [`Error`]
pub(crate) async fn make(
    store: &Ledger,
    randomness: &Randomness,
    clock: &SandboxClock,
    wish: &Wish,
) -> Result<NewCustomer, Error> {
    let now = clock.now(Some(&wish.tenant));
    // Somebody else may take the same number meanwhile.
    retry(|| attempt((store, randomness), wish, now)).await
}

async fn attempt(
    (store, randomness): (&Ledger, &Randomness),
    wish: &Wish,
    now: Timestamp,
) -> Result<NewCustomer, Error> {
    let (tenant, persona) = (&wish.tenant, wish.persona);
    let ordinal = store.count_customers(tenant, persona.name).await?;
    let label = format!("customer/{tenant}/{}/{ordinal}", persona.name);
    let mut numbers = Sequence::of(&randomness.derived(&label));
    let own_name = wish.on_demand.then(|| names::of(persona.kind, ordinal));
    let first_name = wish.name.clone().or(own_name);
    let mut holders: Vec<Customer> = persona
        .holders
        .iter()
        .enumerate()
        .map(|(position, name)| Customer {
            id: CustomerId::new(uuid(&mut numbers)),
            tenant: tenant.clone(),
            name: first_name.clone().filter(|_| position == 0).unwrap_or_else(|| (*name).to_owned()),
            digipass_number: numbers.digits(DIGIPASS_DIGITS),
            persona: persona.name.to_owned(),
            created_at: now,
        })
        .collect();
    // Customers who were made at one moment are listed by their ids, and the first holder is to be the first.
    let mut ids: Vec<CustomerId> = holders.iter().map(|holder| holder.id.clone()).collect();
    ids.sort_unstable();
    for (holder, id) in holders.iter_mut().zip(ids) {
        holder.id = id;
    }
    let mut books = Books {
        wish,
        today: tenant.date_at(now),
        numbers,
        changes: Changes::new(),
        accounts: Vec::new(),
        saved: Vec::new(),
    };
    let joint: Vec<&str> = holders.iter().map(|holder| holder.name.as_str()).collect();
    for plan in persona.accounts {
        books.open(plan, &joint.join(" EN/OF ")).ok_or(Error::Conflict)?;
    }
    for (position, plan) in persona.accounts.iter().enumerate() {
        books.fill(position, plan);
    }
    let Books { mut changes, accounts, .. } = books;
    let newest = newest(store).await?;
    for (ordinal, holder) in (newest + 1..).zip(&holders) {
        changes = changes.put_private_state(&entry(ordinal, &holder.id));
        changes = changes.add_customer(holder);
        for account in &accounts {
            changes = changes.add_holder(&holder.id, &account.id);
        }
    }
    store.save(changes).await?;
    Ok(NewCustomer { holders, accounts })
}

/// Opens another, empty account of a customer in the branch's currency.
///
/// # Errors
/// [`Error`]
pub(crate) async fn open_another(
    store: &Ledger,
    randomness: &Randomness,
    customer: &Customer,
    product: Product,
) -> Result<Account, Error> {
    let tenant = &customer.tenant;
    retry(|| async {
        let held = store.accounts_of(&customer.id).await?;
        // A customer's account numbers are all of one kind.
        let code = held.first().map_or(OwnCode::Plain, |first| own_code(&first.iban));
        let label = format!("account/{}/{}/{}", customer.id, held.len(), randomness.id());
        let mut numbers = Sequence::of(&randomness.derived(&label));
        let account = Account {
            id: AccountId::new(uuid(&mut numbers)),
            iban: own_iban(tenant, code, &mut numbers).ok_or(Error::Conflict)?,
            currency: tenant.currency(),
            product,
            name: customer.name.clone(),
            status: AccountStatus::Enabled,
        };
        let booked = BookedAccount {
            account: account.clone(),
            tenant: tenant.clone(),
            credit_limit: 0,
            reserved: 0,
            version: 0,
        };
        let changes = Changes::new().add_account(&booked).add_holder(&customer.id, &account.id);
        store.save(changes).await?;
        Ok(account)
    })
    .await
}

/// The books of a customer while they are made.
struct Books<'a> {
    wish: &'a Wish,
    today: Date,
    numbers: Sequence,
    changes: Changes,
    accounts: Vec<Account>,
    /// What the main account put aside: both legs of those entries are customers' accounts.
    saved: Vec<(String, Movement)>,
}

impl Books<'_> {
    /// Opens an account. Absent if no number fits the country, which none does not.
    fn open(&mut self, plan: &AccountPlan, name: &str) -> Option<()> {
        let is_main = self.accounts.is_empty();
        let tenant = &self.wish.tenant;
        let currency = match (is_main, self.wish.currency) {
            (true, Some(currency)) => currency,
            _ => plan.currency.unwrap_or_else(|| tenant.currency()),
        };
        let iban: Iban = match (plan.shares_number, self.accounts.first()) {
            (true, Some(main)) => main.iban.clone(),
            _ => {
                let code = if self.wish.on_demand { OwnCode::OnDemand } else { OwnCode::Plain };
                own_iban(tenant, code, &mut self.numbers)?
            }
        };
        let account = Account {
            id: AccountId::new(uuid(&mut self.numbers)),
            iban,
            currency,
            product: plan.product,
            name: name.to_owned(),
            status: plan.status,
        };
        let booked = BookedAccount {
            account: account.clone(),
            tenant: tenant.clone(),
            credit_limit: plan.credit_limit,
            reserved: 0,
            version: 0,
        };
        self.changes = std::mem::take(&mut self.changes).add_account(&booked);
        self.accounts.push(account);
        Some(())
    }

    /// Books what moves on an account.
    fn fill(&mut self, position: usize, plan: &AccountPlan) {
        let (account, is_main) = (self.accounts[position].clone(), position == 0);
        let (tenant, currency) = (&self.wish.tenant, account.currency);
        let wished = self.wish.balance.filter(|_| is_main).map(|money| money.minor);
        let scale = 10_f64.powi(i32::from(currency.exponent().unwrap_or(2)) - 2);
        let life = Plan {
            life: plan.life,
            country: tenant.country(),
            today: self.today,
            floor: -plan.credit_limit,
            balance: wished.or(plan.balance),
            saves: is_main && self.savings().is_some(),
            // A yen is worth about a hundredth of a euro, so amounts without minor units stay realistic.
            scale: if scale < 1.0 { 1.0 } else { scale },
        };
        let mut movements = movements(&life, &mut self.numbers);
        if let Some(savings) = self.savings() {
            let to = holder_of(savings);
            for movement in movements.iter_mut().filter(|movement| movement.to_savings) {
                movement.counterparty = to.clone();
            }
        }
        self.book(&account, plan, movements);
    }

    /// The account to which money is put aside.
    fn savings(&self) -> Option<&Account> {
        let position = self.wish.persona.accounts.iter().position(|plan| plan.life == Life::Savings)?;
        self.accounts.get(position)
    }

    /// Books movements with a running balance, each against another account of the customer or against the rest
    /// of the world.
    fn book(&mut self, account: &Account, plan: &AccountPlan, movements: Vec<Movement>) {
        let mut all: Vec<(Option<String>, Movement)> =
            movements.into_iter().map(|movement| (None, movement)).collect();
        let receives = plan.life == Life::Savings && !self.saved.is_empty();
        if receives {
            let from = holder_of(&self.accounts[0]);
            for (entry, movement) in std::mem::take(&mut self.saved) {
                let incoming = Movement { amount: -movement.amount, counterparty: from.clone(), ..movement };
                all.push((Some(entry), incoming));
            }
            all.sort_by_key(|(_, movement)| movement.booking_date);
        }
        let mut balance = 0;
        for (sequence, (entry, movement)) in (0..).zip(all) {
            balance += movement.amount;
            let is_first_leg = entry.is_none();
            let entry = entry.unwrap_or_else(|| format!("{:016x}", self.numbers.next()));
            let leg = posting(&entry, &account.id, sequence, &movement, Some(balance));
            let changes = std::mem::take(&mut self.changes).add_posting(&leg);
            self.changes = if movement.to_savings && is_first_leg {
                self.saved.push((entry, movement));
                changes
            } else if is_first_leg {
                let world = AccountId::new(format!("world:{}:{}", self.wish.tenant, account.currency.code()));
                changes.add_posting(&Posting {
                    amount: -movement.amount,
                    counterparty: Counterparty::default(),
                    remittance: None,
                    code: None,
                    end_to_end_id: None,
                    ..posting(&entry, &world, sequence, &movement, None)
                })
            } else {
                changes
            };
        }
    }
}

/// Whoever holds an account, as the other side of a movement.
fn holder_of(account: &Account) -> Counterparty {
    Counterparty { name: Some(account.name.clone()), iban: Some(account.iban.clone()) }
}

fn posting(
    entry: &str,
    account: &AccountId,
    sequence: i64,
    movement: &Movement,
    balance_after: Option<i64>,
) -> Posting {
    Posting {
        entry: entry.to_owned(),
        account: account.clone(),
        entered_on: movement.entered_on,
        booking_date: movement.booking_date,
        sequence,
        value_date: movement.booking_date,
        amount: movement.amount,
        balance_after,
        place: balance_after.map(|_| sequence + 1),
        counterparty: movement.counterparty.clone(),
        remittance: Some(movement.remittance.clone()).filter(|text| !text.is_empty()),
        code: Some(movement.code.to_owned()),
        end_to_end_id: movement.end_to_end_id.clone(),
        entered_at: None,
    }
}

/// A version 4 UUID from the sequence.
pub(crate) fn uuid(numbers: &mut Sequence) -> String {
    let octets = u128::from(numbers.next()) << 64 | u128::from(numbers.next());
    uuid::Builder::from_random_bytes(octets.to_be_bytes()).into_uuid().to_string()
}

/// Whether an account is for everyday use: what lists show first.
pub(crate) fn is_current(account: &Account) -> bool {
    account.product == Product::Current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_4_uuids() {
        let mut numbers = Sequence::of("x");
        for _ in 0..100 {
            let id = uuid(&mut numbers);
            assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }
}
