//! The order in which customers were made, and which of them were made last.

use gateway::Error;
use gateway::bank::TestCustomer;
use gateway::domain::{Account, AccountStatus, CustomerId, Tenant};
use store::PrivateState;

use crate::ledger::{Customer, Ledger};
use crate::personas::find;

/// The order in which customers were made, which no clock tells: those of branches move. An entry a customer, under a
/// rising number.
const MADE: (&str, &str) = ("sandbox", "customer");

/// Digits of a number, so that keys rise as texts.
const ORDINAL_DIGITS: usize = 19;

/// Customers of all branches that are looked at together, to find the newest of one branch.
const LOOKED_AT_ONCE: i64 = 25;

/// Most of them; those of a branch at which nobody was made for long are found by their numbers alone.
const MOST_LOOKED_AT: i64 = 200;

/// Above every key.
const END: &str = ":";

pub(crate) fn entry(ordinal: i64, customer: &CustomerId) -> PrivateState {
    PrivateState {
        owner: MADE.0,
        kind: MADE.1,
        key: format!("{ordinal:0ORDINAL_DIGITS$}"),
        value: customer.to_string(),
        life: None,
        version: 0,
    }
}

/// The number of the customer who was made last; 0 if there is none.
pub(crate) async fn newest(store: &Ledger) -> Result<i64, Error> {
    let last = store.private_states_before(MADE, ("", END), 1).await?;
    Ok(last.first().and_then(|last| last.key.parse().ok()).unwrap_or(0))
}

/// Customers with the accounts that they hold, those that were made last first; at most `limit` customers.
///
/// # Errors
/// [`Error`]
pub(crate) async fn made_last(store: &Ledger, limit: i64) -> Result<Vec<(Customer, Vec<Account>)>, Error> {
    let mut made = Vec::new();
    for entry in store.private_states_before(MADE, ("", END), limit).await? {
        let id = CustomerId::new(entry.value);
        if let Some(customer) = store.customer(&id).await? {
            made.push((customer, store.accounts_of(&id).await?));
        }
    }
    // Data folders of earlier versions have customers without an entry.
    let held = store.held_accounts(limit).await?;
    for held in held.chunk_by(|one, other| one.customer.id == other.customer.id) {
        let customer = &held[0].customer;
        if made.iter().all(|(known, _)| known.id != customer.id) {
            made.push((customer.clone(), held.iter().map(|held| held.account.clone()).collect()));
        }
    }
    Ok(made)
}

/// Customers of a branch, those that were made last first, with what their persona is good for.
///
/// # Errors
/// [`Error`]
pub(crate) async fn made_last_at(
    store: &Ledger,
    tenant: &Tenant,
    limit: usize,
) -> Result<Vec<TestCustomer>, Error> {
    let (mut listed, mut looked_at, mut before) = (Vec::new(), 0, END.to_owned());
    while listed.len() < limit && looked_at < MOST_LOOKED_AT {
        let entries = store.private_states_before(MADE, ("", &before), LOOKED_AT_ONCE).await?;
        let Some(last) = entries.last() else { break };
        before.clone_from(&last.key);
        looked_at += LOOKED_AT_ONCE;
        for entry in entries {
            let Some(customer) = store.customer(&CustomerId::new(entry.value)).await? else { continue };
            if customer.tenant != *tenant || listed.len() >= limit {
                continue;
            }
            let accounts = store.accounts_of(&customer.id).await?;
            let is_open = |account: &&Account| account.status == AccountStatus::Enabled;
            let Some(account) = accounts.iter().find(is_open).or(accounts.first()) else { continue };
            listed.push(TestCustomer {
                number: account.iban.clone(),
                description: find(&customer.persona).map_or("", |persona| persona.description),
                name: customer.name,
                device_number: customer.digipass_number,
            });
        }
    }
    Ok(listed)
}
