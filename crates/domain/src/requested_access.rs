//! What a consent gives access to: what the third party asks for, and what the customer grants.

use serde::{Deserialize, Serialize};

use crate::consents::ConsentRefusal;
use crate::{AccountId, AccountReference, Product};

/// What a third party asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// Accounts that the third party names.
    Detailed {
        /// Whose details it wants.
        accounts: Vec<AccountReference>,
        /// Whose balances.
        balances: Vec<AccountReference>,
        /// Whose transactions.
        transactions: Vec<AccountReference>,
    },
    /// One account that the customer chooses at the bank.
    BankOffered {
        /// Whether details were asked for by name.
        accounts: bool,
        /// Whether it wants balances.
        balances: bool,
        /// Whether it wants transactions.
        transactions: bool,
        /// Kinds of accounts to choose from; empty for no limit.
        restricted_to: Vec<Product>,
    },
    /// Any accounts that the customer chooses at the bank; approval is enough, nothing has to be confirmed.
    Chosen {
        /// Whether it wants balances.
        balances: bool,
        /// Whether it wants transactions.
        transactions: bool,
    },
}

/// How many accounts a customer chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// None: they are named.
    None,
    /// One.
    One,
    /// One or more.
    Several,
}

/// The arrays of a request, each absent, empty or filled.
#[derive(Debug, Clone, Default)]
pub struct RequestedAccess {
    /// `accounts`
    pub accounts: Option<Vec<AccountReference>>,
    /// `balances`
    pub balances: Option<Vec<AccountReference>>,
    /// `transactions`
    pub transactions: Option<Vec<AccountReference>>,
    /// `restrictedTo`
    pub restricted_to: Vec<Product>,
}

impl Access {
    /// Decides what kind of access the arrays of a request stand for.
    ///
    /// # Errors
    /// [`ConsentRefusal::AccessEmpty`], [`ConsentRefusal::AccessMixed`], [`ConsentRefusal::TooManyReferences`]
    pub fn from_request(request: RequestedAccess, max_references: usize) -> Result<Self, ConsentRefusal> {
        let RequestedAccess { accounts, balances, transactions, restricted_to: asked } = request;
        let mut restricted_to = Vec::new();
        for product in asked {
            // There are few kinds, however often they are named.
            if !restricted_to.contains(&product) {
                restricted_to.push(product);
            }
        }
        let given: Vec<_> = [&accounts, &balances, &transactions].into_iter().flatten().collect();
        let count: usize = given.iter().map(|array| array.len()).sum();
        if given.is_empty() {
            return Err(ConsentRefusal::AccessEmpty);
        }
        if count > max_references {
            return Err(ConsentRefusal::TooManyReferences { max: max_references });
        }
        if given.iter().all(|array| array.is_empty()) {
            return Ok(Self::BankOffered {
                accounts: accounts.is_some(),
                balances: balances.is_some(),
                transactions: transactions.is_some(),
                restricted_to,
            });
        }
        if given.iter().any(|array| array.is_empty()) {
            return Err(ConsentRefusal::AccessMixed);
        }
        let array = Option::unwrap_or_default;
        Ok(Self::Detailed {
            accounts: array(accounts),
            balances: array(balances),
            transactions: array(transactions),
        })
    }

    /// Every account that is named, each once.
    pub fn references(&self) -> Vec<&AccountReference> {
        let mut all: Vec<&AccountReference> = Vec::new();
        if let Self::Detailed { accounts, balances, transactions } = self {
            for reference in accounts.iter().chain(balances).chain(transactions) {
                if !all.contains(&reference) {
                    all.push(reference);
                }
            }
        }
        all
    }

    /// Which accounts the customer chooses, if any.
    pub fn choice(&self) -> Choice {
        match self {
            Self::Detailed { .. } => Choice::None,
            Self::BankOffered { .. } => Choice::One,
            Self::Chosen { .. } => Choice::Several,
        }
    }

    /// Whether the third party has to confirm what the customer approved.
    pub fn is_confirmed_by_tpp(&self) -> bool {
        matches!(self, Self::Detailed { .. } | Self::BankOffered { .. })
    }

    /// Whether an account may be chosen or is named, and with which rights.
    pub fn grant(&self, account: &crate::Account) -> Option<GrantedAccount> {
        let named = |array: &[AccountReference]| array.iter().any(|reference| reference.names(account));
        let (fits, balances, transactions) = match self {
            Self::Detailed { accounts, balances, transactions } => {
                let rights = (named(balances), named(transactions));
                (named(accounts) || rights.0 || rights.1, rights.0, rights.1)
            }
            Self::BankOffered { balances, transactions, restricted_to, .. } => {
                let fits = restricted_to.is_empty() || restricted_to.contains(&account.product);
                (fits && account.status == crate::AccountStatus::Enabled, *balances, *transactions)
            }
            Self::Chosen { balances, transactions } => {
                (account.status != crate::AccountStatus::Deleted, *balances, *transactions)
            }
        };
        fits.then(|| GrantedAccount {
            account: account.id.clone(),
            reference: AccountReference::to_account(account),
            product: account.product,
            balances,
            transactions,
        })
    }
}

/// An account that the customer granted access to. Details are always included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedAccount {
    /// Which one.
    pub account: AccountId,
    /// Its number and currency at the time.
    pub reference: AccountReference,
    /// What kind of account it is.
    pub product: Product,
    /// Whether its balances may be read.
    pub balances: bool,
    /// Whether its transactions may be read.
    pub transactions: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Account, AccountNumber, AccountStatus, Currency, Iban};

    fn account(id: &str, product: Product) -> Account {
        Account {
            id: AccountId::new(id),
            iban: Iban::parse("NL91ABNA0417164300").unwrap(),
            currency: Currency::EUR,
            product,
            name: "J. Jansen".into(),
            status: AccountStatus::Enabled,
        }
    }

    #[test]
    fn arrays_say_what_kind_of_access_is_meant() {
        let number = AccountNumber::Iban(Iban::parse("NL91ABNA0417164300").unwrap());
        let one = || vec![AccountReference { number: number.clone(), currency: None }];
        let asked = |accounts, balances, transactions| {
            let request = RequestedAccess { accounts, balances, transactions, restricted_to: vec![] };
            Access::from_request(request, 100)
        };
        assert_eq!(asked(None, None, None), Err(ConsentRefusal::AccessEmpty));
        assert_eq!(asked(Some(one()), Some(vec![]), None), Err(ConsentRefusal::AccessMixed));
        assert_eq!(asked(Some(vec![]), Some(vec![]), None).unwrap().choice(), Choice::One);
        let many = vec![one().remove(0); 101];
        assert_eq!(asked(Some(many), None, None), Err(ConsentRefusal::TooManyReferences { max: 100 }));
        let detailed = asked(None, Some(one()), None).unwrap();
        assert_eq!(detailed.references().len(), 1);
        let granted = detailed.grant(&account("a", Product::Current)).unwrap();
        assert!(granted.balances && !granted.transactions);
    }

    #[test]
    fn a_choice_is_limited_to_kinds_and_to_accounts_in_use() {
        let limited = Access::BankOffered {
            accounts: true,
            balances: true,
            transactions: true,
            restricted_to: vec![Product::Savings],
        };
        assert!(limited.grant(&account("a", Product::Savings)).is_some());
        assert!(limited.grant(&account("a", Product::Current)).is_none());
        let blocked = Account { status: AccountStatus::Blocked, ..account("a", Product::Savings) };
        assert!(limited.grant(&blocked).is_none());
    }
}
