//! Whether an account holds an amount: the question and its answer.

/// What is asked about an account.
#[derive(Debug, Clone)]
pub struct FundsWish {
    /// The account, by its number.
    pub account: String,
    /// Its holder.
    pub holder: String,
    /// A decimal text, for example `12.50`.
    pub amount: String,
    /// Currency (ISO 4217); that of the branch if absent.
    pub currency: Option<String>,
    /// Who is to be paid.
    pub payee: Option<String>,
    /// By which consent; the newest of the account if absent.
    pub by: Option<String>,
}

/// What an account holds, as far as that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FundsAnswer {
    /// Whether it is enough.
    pub is_enough: bool,
    /// Currency (ISO 4217) of what was asked.
    pub currency: String,
}
