//! Accounts on the wire: what they are called, what they hold, whether they could pay.

use gateway::domain::{
    self, AccountId, AccountNumber, AccountReference, AccountStatus, BalanceKind, Date, Product,
};
use serde::{Deserialize, Serialize};

use super::{Money, Unreadable, currency, each_once, iban, unreadable};

/// Accounts by what a third party calls them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FindAccounts {
    pub(crate) branch: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) iban: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sort_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) account_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<String>,
}

impl FindAccounts {
    pub(crate) fn by(branch: &domain::Tenant, reference: &AccountReference) -> Self {
        let mut find = Self {
            branch: branch.to_string(),
            iban: None,
            sort_code: None,
            account_number: None,
            currency: reference.currency.clone(),
        };
        match reference.number.clone() {
            AccountNumber::Iban(iban) => find.iban = Some(iban.as_str().to_owned()),
            AccountNumber::British { sort_code, account_number } => {
                (find.sort_code, find.account_number) = (Some(sort_code), Some(account_number));
            }
        }
        find
    }

    #[cfg(feature = "server")]
    pub(crate) fn read(self) -> Result<AccountReference, Unreadable> {
        let number = match (self.iban, self.sort_code, self.account_number) {
            (Some(number), None, None) => AccountNumber::Iban(iban(&number)?),
            (None, Some(sort_code), Some(account_number)) => {
                AccountNumber::British { sort_code, account_number }
            }
            _ => return Err(unreadable("iban", "given, or sortCode and accountNumber are")),
        };
        Ok(AccountReference { number, currency: self.currency })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: String,
    iban: String,
    currency: String,
    product: String,
    name: String,
    status: String,
}

impl From<domain::Account> for Account {
    fn from(account: domain::Account) -> Self {
        Self {
            id: account.id.to_string(),
            iban: account.iban.as_str().to_owned(),
            currency: account.currency.code().to_owned(),
            product: account.product.code().to_owned(),
            name: account.name,
            status: account.status.name().to_owned(),
        }
    }
}

impl Account {
    pub(crate) fn read(self) -> Result<domain::Account, Unreadable> {
        Ok(domain::Account {
            id: AccountId::new(self.id),
            iban: iban(&self.iban)?,
            currency: currency(&self.currency)?,
            product: Product::from_code(&self.product)
                .ok_or_else(|| unreadable("product", "CACC or SVGS"))?,
            name: self.name,
            status: AccountStatus::from_name(&self.status)
                .ok_or_else(|| unreadable("status", "enabled, blocked or deleted"))?,
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Accounts {
    pub(crate) accounts: Vec<Account>,
}

impl From<Vec<domain::Account>> for Accounts {
    fn from(accounts: Vec<domain::Account>) -> Self {
        Self { accounts: accounts.into_iter().map(Account::from).collect() }
    }
}

impl Accounts {
    pub(crate) fn read(self) -> Result<Vec<domain::Account>, Unreadable> {
        each_once(self.accounts, |one| &one.id).into_iter().map(Account::read).collect()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Balance {
    kind: String,
    amount: Money,
    reference_date: Date,
    #[serde(default)]
    credit_limit_included: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Balances {
    account: Account,
    balances: Vec<Balance>,
}

impl From<(domain::Account, Vec<domain::Balance>)> for Balances {
    fn from((account, balances): (domain::Account, Vec<domain::Balance>)) -> Self {
        let balance = |balance: domain::Balance| Balance {
            kind: balance.kind.name().to_owned(),
            amount: balance.amount.into(),
            reference_date: balance.reference_date,
            credit_limit_included: balance.credit_limit_included,
        };
        Self { account: account.into(), balances: balances.into_iter().map(balance).collect() }
    }
}

impl Balances {
    pub(crate) fn read(self) -> Result<(domain::Account, Vec<domain::Balance>), Unreadable> {
        let kinds = [BalanceKind::ClosingBooked, BalanceKind::Expected];
        let balance = |balance: Balance| {
            let kind = kinds.into_iter().find(|kind| kind.name() == balance.kind);
            Ok(domain::Balance {
                kind: kind.ok_or_else(|| unreadable("kind", "closingBooked or expected"))?,
                amount: balance.amount.read()?,
                reference_date: balance.reference_date,
                credit_limit_included: balance.credit_limit_included,
            })
        };
        Ok((self.account.read()?, self.balances.into_iter().map(balance).collect::<Result<_, _>>()?))
    }
}

/// As of which day something is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OnDay {
    pub(crate) day: Date,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Funds {
    booked: Money,
    available: Money,
    credit_limit: Money,
}

impl From<domain::Funds> for Funds {
    fn from(funds: domain::Funds) -> Self {
        Self {
            booked: funds.booked.into(),
            available: funds.available.into(),
            credit_limit: funds.credit_limit.into(),
        }
    }
}

impl Funds {
    pub(crate) fn read(&self) -> Result<domain::Funds, Unreadable> {
        Ok(domain::Funds {
            booked: self.booked.read()?,
            available: self.available.read()?,
            credit_limit: self.credit_limit.read()?,
        })
    }
}

/// Whether an account could pay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CheckFunds {
    pub(crate) account: FindAccounts,
    pub(crate) amount: Money,
    pub(crate) day: Date,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FundsChecked {
    /// Absent if there is no such account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) available: Option<bool>,
}
