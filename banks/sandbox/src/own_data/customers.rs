//! Customers of one's own: made, with accounts that hold something and have a history.

use gateway::domain::{Account, AccountId, Counterparty, Currency, CustomerId, Iban, Tenant};
use gateway::{Clock, Error};

use super::entering::{Books, Open};
use super::legs::Leg;
use super::{OwnAccount, OwnCustomer, Refused};
use crate::ledger::{AccountChanges, BookedAccount, Customer, CustomerChanges};
use crate::made_customers::entry;
use crate::numbers::{OwnCode, Sequence, own_iban};
use crate::test_accounts::{DIGIPASS_DIGITS, uuid};

/// What a customer of one's own is listed as.
const PERSONA: &str = "own";

/// Who opens an account with money on it.
const ELSEWHERE: &str = "Own account elsewhere";

impl Books<'_> {
    /// Makes a customer and opens their accounts.
    pub(super) async fn open_all(
        &mut self,
        ordinal: i64,
        own: &OwnCustomer,
    ) -> Result<Result<(Customer, Vec<Account>), Refused>, Error> {
        let randomness = &self.sandbox.randomness;
        let mut numbers = Sequence::of(&randomness.derived(&format!("own/{}", randomness.id())));
        let id = CustomerId::new(uuid(&mut numbers));
        let drawn = numbers.digits(DIGIPASS_DIGITS);
        let customer = Customer {
            id: id.clone(),
            tenant: own.tenant.clone(),
            name: own.name.clone(),
            digipass_number: own.digipass_number.clone().unwrap_or(drawn),
            persona: PERSONA.to_owned(),
            created_at: self.sandbox.clock.now(Some(&own.tenant)),
        };
        self.add(|changes| changes.put_private_state(&entry(ordinal, &id)).add_customer(&customer));
        let mut accounts = Vec::new();
        for account in &own.accounts {
            let iban = match &account.iban {
                Some(iban) => iban.clone(),
                None => own_iban(&own.tenant, OwnCode::Plain, &mut numbers).ok_or(Error::Conflict)?,
            };
            if let Some(text) = self.taken(&own.tenant, &iban, account.currency).await? {
                return Ok(Err(Refused::at(account.line, text)));
            }
            let opened = Account {
                id: AccountId::new(uuid(&mut numbers)),
                iban,
                currency: account.currency,
                product: account.product,
                name: own.name.clone(),
                status: account.status,
            };
            let booked = BookedAccount {
                account: opened.clone(),
                tenant: own.tenant.clone(),
                credit_limit: account.credit_limit,
                reserved: 0,
                version: 0,
            };
            self.add(|changes| changes.add_account(&booked).add_holder(&id, &opened.id));
            self.open.insert(opened.id.clone(), Open { booked, line: account.line, legs: Vec::new() });
            accounts.push(opened);
        }
        Ok(Ok((customer, accounts)))
    }

    /// Why an account cannot be opened with a number. One account can be in several currencies, and is at one branch.
    async fn taken(&self, tenant: &Tenant, iban: &Iban, currency: Currency) -> Result<Option<String>, Error> {
        if self.find(tenant, iban, Some(currency)).await?.is_some() {
            return Ok(Some(format!("there is an account {} in {} already", iban.as_str(), currency.code())));
        }
        if !self.sandbox.store.accounts_by_iban(tenant, iban).await?.is_empty() {
            return Ok(Some(format!("account {} is another customer's already", iban.as_str())));
        }
        for other in &self.sandbox.gateway.settings().tenants {
            let is_possible = other != tenant && other.country() == tenant.country();
            if is_possible && self.find(other, iban, None).await?.is_some() {
                return Ok(Some(format!("there is an account {} at tenant {other} already", iban.as_str())));
            }
        }
        Ok(None)
    }

    /// Enters what an account that is made by this holds, and its movements.
    pub(super) async fn fill(
        &mut self,
        own: &OwnAccount,
        account: &Account,
    ) -> Result<Result<(), Refused>, Error> {
        if own.balance != 0 {
            let tenant = self.open[&account.id].booked.tenant.clone();
            let today = tenant.date_at(self.sandbox.clock.now(Some(&tenant)));
            let first = own.movements.iter().filter_map(|movement| movement.date).min();
            let date = first.map_or(today, |first| first.min(today));
            let leg = Leg {
                line: own.line,
                entry: self.sandbox.randomness.id(),
                entered_on: date,
                date,
                amount: own.balance,
                counterparty: Counterparty { name: Some(ELSEWHERE.to_owned()), iban: None },
                remittance: None,
                end_to_end_id: None,
                entered_at: None,
            };
            self.world(&tenant, account.currency, &leg);
            self.push(&account.id, leg);
        }
        for movement in &own.movements {
            if let Err(refused) = self.enter_on(account, movement).await? {
                return Ok(Err(refused));
            }
        }
        Ok(Ok(()))
    }
}
