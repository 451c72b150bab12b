//! What helps next. Errors say what happened, a hint which step leads on; whoever shows it words it.

use crate::state::Dialect;

/// A step that leads on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Start a sandbox where the bank was looked for.
    StartSandbox,
    /// Get a certificate.
    Certificate,
    /// Take over a qualified certificate for electronic seals.
    TakeOverSeal,
    /// Register.
    Register,
    /// Register in another dialect that the bank may speak.
    RegisterIn(Dialect),
    /// Register another redirect URI.
    AddRedirectUri,
    /// Ask for a consent.
    Consent,
    /// Send the customer to the bank.
    Authorise,
    /// Ask for a payment.
    Pay,
    /// Ask what became of a payment.
    PaymentStatus,
    /// Look at the payment of this id.
    ShowPayment(String),
    /// Send the customer to the bank with the payment of this id.
    AuthorisePayment(String),
    /// Ask for a consent for confirmation of funds, of this account if one is named.
    FundsConsent(Option<String>),
    /// Send the customer to the bank with the consent for confirmation of funds of this id.
    AuthoriseFunds(String),
    /// Read the accounts.
    Accounts,
    /// Look at what is kept.
    Show,
    /// Forget everything about a bank.
    Forget,
}
