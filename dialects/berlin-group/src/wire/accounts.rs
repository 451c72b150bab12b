//! Accounts, balances and transactions.

use serde::{Deserialize, Serialize};

use super::{AccountReference, lenient};

/// Accounts that a consent covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountList {
    /// The accounts.
    pub accounts: Vec<Account>,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDetails {
    /// The account.
    pub account: Account,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// IBAN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iban: Option<String>,
    /// Sort code of a British account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uk_sort_code: Option<String>,
    /// Number of a British account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uk_account_number: Option<String>,
    /// Currency (ISO 4217).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Its id in paths.
    pub resource_id: String,
    /// Kind of account (ISO 20022): `CACC` or `SVGS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cash_account_type: Option<String>,
    /// Names of the holders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `enabled`, `deleted` or `blocked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Where to read on.
    #[serde(default, rename = "_links")]
    pub links: AccountLinks,
}

/// Links of an account; those that the consent does not cover are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLinks {
    /// The account itself.
    #[serde(default, deserialize_with = "lenient::link", skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Its balances.
    #[serde(default, deserialize_with = "lenient::link", skip_serializing_if = "Option::is_none")]
    pub balances: Option<String>,
    /// Its transactions.
    #[serde(default, deserialize_with = "lenient::link", skip_serializing_if = "Option::is_none")]
    pub transactions: Option<String>,
}

/// An amount of money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Currency (ISO 4217).
    pub currency: String,
    /// Decimal text with a dot.
    #[serde(deserialize_with = "lenient::text")]
    pub amount: String,
}

/// Balances of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balances {
    /// Which account.
    #[serde(default)]
    pub account: AccountReference,
    /// The balances.
    pub balances: Vec<Balance>,
}

/// A balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// Which one, for example `closingBooked`.
    pub balance_type: String,
    /// How much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance_amount: Option<Amount>,
    /// Of which day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_date: Option<String>,
    /// Whether the credit limit is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_limit_included: Option<bool>,
}

/// Transactions of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transactions {
    /// Which account.
    #[serde(default)]
    pub account: AccountReference,
    /// The transactions.
    pub transactions: TransactionList,
}

/// A page of transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionList {
    /// Booked ones.
    #[serde(default)]
    pub booked: Vec<Transaction>,
    /// Pending ones.
    #[serde(default)]
    pub pending: Vec<Transaction>,
    /// Where to read on.
    #[serde(default, rename = "_links")]
    pub links: TransactionLinks,
}

/// Links of a page of transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionLinks {
    /// The account.
    #[serde(default, deserialize_with = "lenient::link", skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The first page.
    #[serde(default, deserialize_with = "lenient::link", skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The next page, if there is one.
    #[serde(default, deserialize_with = "lenient::link", skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A transaction. Amounts have no sign here: money came in if there is a debtor, and went out if there is a
/// creditor; only the other side is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// Its id; pending ones have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// When it is booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_date: Option<String>,
    /// From when interest is counted; pending ones have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<String>,
    /// How much.
    pub transaction_amount: Amount,
    /// Who was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creditor_name: Option<String>,
    /// The account that was paid; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creditor_account: Option<AccountReference>,
    /// Who paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_name: Option<String>,
    /// The account that paid; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_account: Option<AccountReference>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remittance_information_unstructured: Option<String>,
    /// The bank's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proprietary_bank_transaction_code: Option<String>,
    /// The payer's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_identification: Option<String>,
}
