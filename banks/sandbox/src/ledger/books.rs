//! The books of a sandbox bank: customers, accounts, and postings in double entry.

use gateway::domain::{
    Account, AccountId, AccountStatus, Counterparty, Currency, CustomerId, Date, Iban, Money, Position,
    Product, Tenant, Timestamp, Transaction, TransactionQuery,
};
use store::tables::{Columns, Cursor, Rows, Value, select};
use store::{Changes, StoreError};

use super::Ledger;
use super::customers::{CUSTOMER, Customer, read_customer};

/// An account with what only the bank itself knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedAccount {
    /// What third parties see of it.
    pub account: Account,
    /// The branch.
    pub tenant: Tenant,
    /// How far it may be overdrawn, in minor units.
    pub credit_limit: i64,
    /// What of it is set aside for payments that are not booked yet, in minor units.
    pub reserved: i64,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

/// A customer together with one of their accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAccount {
    /// Who.
    pub customer: Customer,
    /// What.
    pub account: Account,
}

/// One leg of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Posting {
    /// Which entry; its legs add up to nothing.
    pub entry: String,
    /// Which account.
    pub account: AccountId,
    /// From when on it is seen, pending until it is booked.
    pub entered_on: Date,
    /// When it is booked.
    pub booking_date: Date,
    /// Place among those of the day.
    pub sequence: i64,
    /// From when interest is counted.
    pub value_date: Date,
    /// Minor units, positive for money that comes in.
    pub amount: i64,
    /// What the account holds afterwards; absent for accounts whose balance nobody asks for.
    pub balance_after: Option<i64>,
    /// Its place in the history of the account, the first one ever being 1; absent where the balance is.
    pub place: Option<i64>,
    /// The other side.
    pub counterparty: Counterparty,
    /// What it is for.
    pub remittance: Option<String>,
    /// The bank's own code.
    pub code: Option<String>,
    /// The payer's own reference.
    pub end_to_end_id: Option<String>,
    /// When it was entered, if it was booked at that moment.
    pub entered_at: Option<Timestamp>,
}

pub(crate) const TRANSACTION: Columns = Columns::of(
    "postings",
    "entry, booking_date, sequence, value_date, amount, counterparty_name, counterparty_iban, remittance, \
     code, end_to_end_id, entered_at, balance_after",
);

const ACCOUNT: Columns = Columns::of("accounts", "id, iban, currency, product, name, status");

/// What the bank alone knows of an account.
const BOOKED: Columns = Columns::of("accounts", "tenant, credit_limit, reserved, version");
const BALANCE: Columns = Columns::of("postings", "entry, balance_after");
/// An index has them, which a sum for each reading of balances lives on.
const AMOUNT: Columns = Columns::of("postings", "account, amount");
const ENTRY: Columns = Columns::of("postings", "entry");

impl Ledger {
    /// Customers with their accounts, the newest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn held_accounts(&self, limit: i64) -> Result<Vec<HeldAccount>, StoreError> {
        self.list(
            select!(CUSTOMER as "c.", ACCOUNT as "a."; "FROM customers c \
             JOIN account_holders h ON h.customer = c.id \
             JOIN accounts a ON a.id = h.account ORDER BY c.created_at DESC, c.id, h.place LIMIT $1 \
             /* the whole table */"),
            &[limit.into()],
            |row| Ok(HeldAccount { customer: read_customer(row)?, account: read_account(row)? }),
        )
        .await
    }

    /// The accounts that a customer holds, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn accounts_of(&self, customer: &CustomerId) -> Result<Vec<Account>, StoreError> {
        self.list(
            select!(ACCOUNT as "a."; "FROM account_holders h JOIN accounts a ON a.id = h.account \
             WHERE h.customer = $1 ORDER BY h.place"),
            &[customer.as_str().into()],
            read_account,
        )
        .await
    }

    /// The accounts with this number, one a currency, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn accounts_by_iban(&self, tenant: &Tenant, iban: &Iban) -> Result<Vec<Account>, StoreError> {
        self.list(
            select!(ACCOUNT as "a."; "FROM accounts a WHERE a.tenant = $1 AND a.iban = $2 \
             ORDER BY (SELECT MIN(h.place) FROM account_holders h WHERE h.account = a.id), a.id"),
            &[tenant.as_str().into(), iban.as_str().into()],
            read_account,
        )
        .await
    }

    /// One account.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn account(&self, id: &AccountId) -> Result<Option<BookedAccount>, StoreError> {
        self.find(select!(ACCOUNT, BOOKED; "FROM accounts WHERE id = $1"), &[id.as_str().into()], |row| {
            Ok(BookedAccount {
                account: read_account(row)?,
                tenant: row.tenant()?,
                credit_limit: row.integer()?,
                reserved: row.integer()?,
                version: row.integer()?,
            })
        })
        .await
    }

    /// What is booked on an account at the end of a day, in minor units.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn booked_balance(&self, account: &AccountId, day: Date) -> Result<i64, StoreError> {
        let balance = self
            .find(
                select!(BALANCE; "FROM postings WHERE account = $1 AND booking_date <= $2 \
             ORDER BY booking_date DESC, sequence DESC LIMIT 1"),
                &[account.as_str().into(), day.into()],
                read_amount,
            )
            .await?;
        Ok(balance.unwrap_or(0))
    }

    /// The balances of an account after each of its transactions that are booked after `since` and up to `until`, in
    /// minor units.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn balances_between(
        &self,
        account: &AccountId,
        since: Date,
        until: Date,
    ) -> Result<Vec<i64>, StoreError> {
        self.list(
            select!(BALANCE; "FROM postings WHERE account = $1 AND booking_date > $2 AND booking_date <= $3"),
            &[account.as_str().into(), since.into(), until.into()],
            read_amount,
        )
        .await
    }

    /// What was entered up to `day` and is booked after `since`, or pending, in minor units.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn entered_since(
        &self,
        account: &AccountId,
        since: Date,
        day: Date,
    ) -> Result<i64, StoreError> {
        let amounts = self.list(
            select!(AMOUNT; "FROM postings WHERE account = $1 AND booking_date > $2 AND booking_date <= $3 \
             AND entered_on <= $4"),
            &[account.as_str().into(), since.into(), pending_until(day).into(), day.into()],
            read_amount,
        ).await?;
        // In whatever order they come: only the sum itself has to fit.
        Ok(amounts.into_iter().fold(0, i64::wrapping_add))
    }

    /// Booked transactions of an account, newest first, as seen on a day.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn booked_transactions(
        &self,
        account: &AccountId,
        currency: Currency,
        query: &TransactionQuery,
        day: Date,
    ) -> Result<Vec<Transaction>, StoreError> {
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let mut params: Vec<Value> =
            vec![account.as_str().into(), query.from.into(), query.to.min(day).into()];
        let read = |row: &mut Cursor<'_>| read_transaction(row, currency);
        let Some(Position { booking_date, sequence }) = query.after else {
            params.push(limit.into());
            return self
                .list(
                    select!(TRANSACTION; "FROM postings WHERE account = $1 AND booking_date >= $2 \
                 AND booking_date <= $3 ORDER BY booking_date DESC, sequence DESC LIMIT $4"),
                    &params,
                    read,
                )
                .await;
        };
        params.extend([booking_date.into(), sequence.into(), limit.into()]);
        self.list(
            select!(TRANSACTION; "FROM postings WHERE account = $1 AND booking_date >= $2 \
             AND booking_date <= $3 AND (booking_date, sequence) < ($4, $5) \
             ORDER BY booking_date DESC, sequence DESC LIMIT $6"),
            &params,
            read,
        )
        .await
    }

    /// Transactions of an account that are entered on a day and not yet booked, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pending_transactions(
        &self,
        account: &AccountId,
        currency: Currency,
        day: Date,
    ) -> Result<Vec<Transaction>, StoreError> {
        self.list(
            select!(TRANSACTION; "FROM postings WHERE account = $1 AND booking_date > $2 \
             AND booking_date <= $3 AND entered_on <= $4 ORDER BY booking_date DESC, sequence DESC"),
            &[account.as_str().into(), day.into(), pending_until(day).into(), day.into()],
            |row| read_transaction(row, currency),
        )
        .await
    }

    /// Entries whose legs do not add up to nothing; there is none in books that are right.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn unbalanced_entries(&self) -> Result<Vec<String>, StoreError> {
        self.list(
            select!(ENTRY; "FROM postings GROUP BY entry HAVING SUM(amount) <> 0 OR COUNT(*) < 2 LIMIT 100 \
             /* the whole table */"),
            &[],
            |row| row.text(),
        )
        .await
    }
}

/// What is written of accounts and their postings.
pub(crate) trait AccountChanges: Sized {
    /// Inserts an account.
    fn add_account(self, booked: &BookedAccount) -> Self;

    /// Makes a customer a holder of an account, the newest of theirs.
    fn add_holder(self, customer: &CustomerId, account: &AccountId) -> Self;

    /// Sets the status of an account.
    fn set_account_status(self, account: &AccountId, status: AccountStatus) -> Self;

    /// Inserts one leg of an entry; the caller adds the others in the same batch.
    fn add_posting(self, posting: &Posting) -> Self;
}

impl AccountChanges for Changes {
    fn add_account(self, booked: &BookedAccount) -> Self {
        let account = &booked.account;
        self.push(
            "INSERT INTO accounts (id, tenant, iban, currency, product, name, status, credit_limit, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)",
            vec![
                account.id.as_str().into(),
                booked.tenant.as_str().into(),
                account.iban.as_str().into(),
                account.currency.code().into(),
                account.product.code().into(),
                account.name.as_str().into(),
                account.status.name().into(),
                booked.credit_limit.into(),
            ],
            Rows::One,
        )
    }

    fn add_holder(self, customer: &CustomerId, account: &AccountId) -> Self {
        self.push(
            "INSERT INTO account_holders (customer, account, place) \
             SELECT $1, $2, COALESCE(MAX(h.place), 0) + 1 FROM account_holders h WHERE h.customer = $3",
            vec![customer.as_str().into(), account.as_str().into(), customer.as_str().into()],
            Rows::One,
        )
    }

    fn set_account_status(self, account: &AccountId, status: AccountStatus) -> Self {
        self.push(
            "UPDATE accounts SET status = $1, version = version + 1 WHERE id = $2",
            vec![status.name().into(), account.as_str().into()],
            Rows::One,
        )
    }

    fn add_posting(self, posting: &Posting) -> Self {
        self.push(
            "INSERT INTO postings (entry, account, entered_on, booking_date, sequence, value_date, amount, \
             balance_after, counterparty_name, counterparty_iban, remittance, code, end_to_end_id, \
             entered_at, place) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            vec![
                posting.entry.as_str().into(),
                posting.account.as_str().into(),
                posting.entered_on.into(),
                posting.booking_date.into(),
                posting.sequence.into(),
                posting.value_date.into(),
                posting.amount.into(),
                posting.balance_after.into(),
                posting.counterparty.name.as_deref().into(),
                posting.counterparty.iban.as_ref().map(Iban::as_str).into(),
                posting.remittance.as_deref().into(),
                posting.code.as_deref().into(),
                posting.end_to_end_id.as_deref().into(),
                posting.entered_at.into(),
                posting.place.into(),
            ],
            Rows::One,
        )
    }
}

/// Nothing stays pending for longer than this, so that a search for what is pending stays short.
fn pending_until(day: Date) -> Date {
    day.saturating_add(jiff::Span::new().days(14))
}

fn read_account(row: &mut Cursor<'_>) -> Result<Account, StoreError> {
    Ok(Account {
        id: AccountId::new(row.text()?),
        iban: Iban::from_stored(row.text()?),
        currency: row.parsed(Currency::from_code)?,
        product: row.parsed(Product::from_code)?,
        name: row.text()?,
        status: row.parsed(AccountStatus::from_name)?,
    })
}

pub(crate) fn read_transaction(row: &mut Cursor<'_>, currency: Currency) -> Result<Transaction, StoreError> {
    Ok(Transaction {
        id: row.text()?,
        booking_date: row.date()?,
        sequence: row.integer()?,
        value_date: row.date()?,
        amount: Money { minor: row.integer()?, currency },
        counterparty: Counterparty {
            name: row.optional_text()?,
            iban: row.optional_text()?.map(Iban::from_stored),
        },
        remittance: row.optional_text()?,
        code: row.optional_text()?,
        end_to_end_id: row.optional_text()?,
        entered_at: row.optional_time()?,
        balance_after: row.optional_integer()?.map(|minor| Money { minor, currency }),
    })
}

fn read_amount(row: &mut Cursor<'_>) -> Result<i64, StoreError> {
    row.skip();
    row.integer()
}
