//! Customers of a sandbox bank, and which accounts they hold.

use gateway::domain::{AccountId, CustomerId, Iban, Tenant, Timestamp};
use store::tables::{Columns, Cursor, Rows, select};
use store::{Changes, StoreError};

use super::Ledger;

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The customer's id.
    pub id: CustomerId,
    /// The branch.
    pub tenant: Tenant,
    /// The name.
    pub name: String,
    /// Number of the device that answers challenges.
    pub digipass_number: String,
    /// What kind of customer this is.
    pub persona: String,
    /// Since when.
    pub created_at: Timestamp,
}

pub(crate) const CUSTOMER: Columns =
    Columns::of("customers", "id, tenant, name, digipass_number, persona, created_at");

const COUNT: Columns = Columns::of("customers", "COUNT(*)");

impl Ledger {
    /// The customer with this id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
        self.find(select!(CUSTOMER; "FROM customers WHERE id = $1"), &[id.as_str().into()], read_customer)
            .await
    }

    /// How many customers of a kind a branch has.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn count_customers(&self, tenant: &Tenant, persona: &str) -> Result<i64, StoreError> {
        let count = self
            .find(
                select!(COUNT; "FROM customers WHERE tenant = $1 AND persona = $2"),
                &[tenant.as_str().into(), persona.into()],
                |row| row.integer(),
            )
            .await?;
        Ok(count.unwrap_or(0))
    }

    /// The customers who hold an account with this number.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn holders(&self, tenant: &Tenant, iban: &Iban) -> Result<Vec<Customer>, StoreError> {
        self.list(
            select!(CUSTOMER as "c."; "FROM (SELECT DISTINCT h.customer FROM accounts a \
             JOIN account_holders h ON h.account = a.id WHERE a.tenant = $1 AND a.iban = $2) held \
             JOIN customers c ON c.id = held.customer ORDER BY c.created_at, c.id"),
            &[tenant.as_str().into(), iban.as_str().into()],
            read_customer,
        )
        .await
    }

    /// The customers who hold an account.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn holders_of(&self, account: &AccountId) -> Result<Vec<Customer>, StoreError> {
        self.list(
            select!(CUSTOMER as "c."; "FROM account_holders h \
             JOIN customers c ON c.id = h.customer WHERE h.account = $1 ORDER BY c.created_at, c.id"),
            &[account.as_str().into()],
            read_customer,
        )
        .await
    }
}

/// What is written of customers.
pub(crate) trait CustomerChanges: Sized {
    /// Inserts a customer.
    fn add_customer(self, customer: &Customer) -> Self;
}

impl CustomerChanges for Changes {
    fn add_customer(self, customer: &Customer) -> Self {
        self.push(
            "INSERT INTO customers (id, tenant, name, digipass_number, persona, created_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6, 1)",
            vec![
                customer.id.as_str().into(),
                customer.tenant.as_str().into(),
                customer.name.as_str().into(),
                customer.digipass_number.as_str().into(),
                customer.persona.as_str().into(),
                customer.created_at.into(),
            ],
            Rows::One,
        )
    }
}

pub(crate) fn read_customer(row: &mut Cursor<'_>) -> Result<Customer, StoreError> {
    Ok(Customer {
        id: CustomerId::new(row.text()?),
        tenant: row.tenant()?,
        name: row.text()?,
        digipass_number: row.text()?,
        persona: row.text()?,
        created_at: row.time()?,
    })
}
