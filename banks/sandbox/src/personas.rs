//! Customers to choose from. Each exists for a reason: it shows something that clients get wrong.

use gateway::domain::{AccountStatus, Currency, CustomerKind, Product};

/// A kind of customer.
#[derive(Debug)]
pub(crate) struct Persona {
    /// Its name in the management API.
    pub(crate) name: &'static str,
    /// What it is good for.
    pub(crate) description: &'static str,
    /// Person or company.
    pub(crate) kind: CustomerKind,
    /// Names of the holders; more than one for a joint account.
    pub(crate) holders: &'static [&'static str],
    /// The accounts, the main one first.
    pub(crate) accounts: &'static [AccountPlan],
}

/// An account of a persona.
#[derive(Debug)]
pub(crate) struct AccountPlan {
    pub(crate) product: Product,
    /// The branch's currency if absent.
    pub(crate) currency: Option<Currency>,
    /// Whether it shares the number of the main account.
    pub(crate) shares_number: bool,
    pub(crate) status: AccountStatus,
    /// How far it may be overdrawn, in minor units.
    pub(crate) credit_limit: i64,
    /// What moves on it.
    pub(crate) life: Life,
    /// What it holds on the day it is made, in minor units; whatever comes out if absent.
    pub(crate) balance: Option<i64>,
}

/// What moves on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Nothing.
    None,
    /// Salary, rent, bills, shopping.
    Household,
    /// A small income, small expenses.
    Student,
    /// A pension, few expenses.
    Pensioner,
    /// Customers who pay, suppliers and staff who are paid.
    Business,
    /// Shopping several times a day, exactly 1,200 booked movements.
    Busy,
    /// A household that began two weeks ago.
    Newcomer,
    /// Transfers from the main account and interest.
    Savings,
    /// Now and then an expense on a journey.
    Travel,
}

const CURRENT: AccountPlan = AccountPlan {
    product: Product::Current,
    currency: None,
    shares_number: false,
    status: AccountStatus::Enabled,
    credit_limit: 0,
    life: Life::Household,
    balance: None,
};

const SAVINGS: AccountPlan = AccountPlan { product: Product::Savings, life: Life::Savings, ..CURRENT };

/// The persona of whoever asks for none.
pub(crate) const DEFAULT: &str = "household";

/// Every persona.
pub(crate) const PERSONAS: &[Persona] = &[
    Persona {
        name: DEFAULT,
        description: "Someone like most: a salary, rent, bills, shopping, and a savings account",
        kind: CustomerKind::Person,
        holders: &["J. Jansen"],
        accounts: &[CURRENT, SAVINGS],
    },
    Persona {
        name: "student",
        description: "Little money: a balance of 12.34 and small amounts",
        kind: CustomerKind::Person,
        holders: &["S. de Vries"],
        accounts: &[AccountPlan { life: Life::Student, balance: Some(1_234), ..CURRENT }],
    },
    Persona {
        name: "joint",
        description: "A joint account of two holders, whose names stand in one field; either may log in",
        kind: CustomerKind::Person,
        holders: &["M. Bakker", "P. Visser"],
        accounts: &[CURRENT, SAVINGS],
    },
    Persona {
        name: "busy",
        description: "1,200 booked transactions: paging",
        kind: CustomerKind::Person,
        holders: &["B. Smit"],
        accounts: &[AccountPlan { life: Life::Busy, ..CURRENT }],
    },
    Persona {
        name: "overdrawn",
        description: "A negative balance within a credit limit of 1,000.00",
        kind: CustomerKind::Person,
        holders: &["R. Mulder"],
        accounts: &[AccountPlan { credit_limit: 100_000, balance: Some(-42_050), ..CURRENT }],
    },
    Persona {
        name: "closed",
        description: "The main account is closed, so no consent can name it; a second one is in use",
        kind: CustomerKind::Person,
        holders: &["A. Bos"],
        accounts: &[
            AccountPlan { status: AccountStatus::Deleted, life: Life::None, ..CURRENT },
            AccountPlan { life: Life::Pensioner, ..CURRENT },
        ],
    },
    Persona {
        name: "blocked",
        description: "The bank blocks the account: it is listed, and its balances and transactions are refused",
        kind: CustomerKind::Person,
        holders: &["K. Peters"],
        accounts: &[AccountPlan { status: AccountStatus::Blocked, ..CURRENT }],
    },
    Persona {
        name: "multi-currency",
        description: "One account number in three currencies, one of which has no minor units",
        kind: CustomerKind::Person,
        holders: &["L. Moreau"],
        accounts: &[
            AccountPlan { currency: Some(Currency::EUR), ..CURRENT },
            AccountPlan { currency: Some(Currency::USD), shares_number: true, life: Life::Travel, ..CURRENT },
            AccountPlan { currency: Some(Currency::JPY), shares_number: true, life: Life::Travel, ..CURRENT },
        ],
    },
    Persona {
        name: "business",
        description: "A company: large amounts, references of invoices, end-to-end identifications",
        kind: CustomerKind::Company,
        holders: &["Bakkerij De Gouden Aar B.V."],
        accounts: &[
            AccountPlan { life: Life::Business, credit_limit: 1_000_000, ..CURRENT },
            AccountPlan { balance: Some(2_500_000), ..SAVINGS },
        ],
    },
    Persona {
        name: "empty",
        description: "No transactions at all and a balance of zero",
        kind: CustomerKind::Person,
        holders: &["N. Nieuwenhuis"],
        accounts: &[AccountPlan { life: Life::None, ..CURRENT }],
    },
    Persona {
        name: "start-up",
        description: "A company that was founded today: one account, no transactions, a balance of zero",
        kind: CustomerKind::Company,
        holders: &["Atelier Vers B.V."],
        accounts: &[AccountPlan { life: Life::None, ..CURRENT }],
    },
    Persona {
        name: "international",
        description: "Names with characters of many scripts, an apostrophe and an ampersand",
        kind: CustomerKind::Person,
        holders: &["Zoë Çelik-Ørsted & Łukasz O'Nağy 山田"],
        accounts: &[CURRENT],
    },
    Persona {
        name: "saver",
        description: "Three savings accounts beside the main one: choosing, and kinds of accounts",
        kind: CustomerKind::Person,
        holders: &["G. van den Berg"],
        accounts: &[
            CURRENT,
            SAVINGS,
            AccountPlan { life: Life::None, balance: Some(1_000_000), ..SAVINGS },
            AccountPlan { life: Life::None, balance: Some(5), ..SAVINGS },
        ],
    },
    Persona {
        name: "newcomer",
        description: "An account that was opened two weeks ago",
        kind: CustomerKind::Person,
        holders: &["T. Maas"],
        accounts: &[AccountPlan { life: Life::Newcomer, ..CURRENT }],
    },
];

/// The persona with one empty account.
pub(crate) fn empty(kind: CustomerKind) -> Option<&'static Persona> {
    find(match kind {
        CustomerKind::Person => "empty",
        CustomerKind::Company => "start-up",
    })
}

/// The persona with this name.
pub(crate) fn find(name: &str) -> Option<&'static Persona> {
    PERSONAS.iter().find(|persona| persona.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dozen_personas_each_with_a_reason() {
        assert!(PERSONAS.len() >= 12);
        for persona in PERSONAS {
            assert!(persona.description.len() > 20 && !persona.holders.is_empty());
            assert!(!persona.accounts.is_empty() && !persona.accounts[0].shares_number);
            assert_eq!(PERSONAS.iter().filter(|other| other.name == persona.name).count(), 1);
        }
        assert!(find(DEFAULT).is_some() && find("nobody").is_none());
    }
}
