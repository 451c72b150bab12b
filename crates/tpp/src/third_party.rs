//! What a third party does at a bank, written once for every interface. What is read comes in the words of NextGenPSD2,
//! and what an interface does not offer is refused with what it offers in its place.
#![expect(
    async_fn_in_trait,
    reason = "whoever calls awaits it where they stand; nothing is sent to another thread"
)]

use std::path::PathBuf;

use berlin_group::wire;

use crate::announcement::Announcement;
use crate::kept_approvals::{Matter, Wanted};
use crate::kept_consents::{ConsentWish, KeptConsent};
use crate::kept_payments::{KeptFundsConsent, KeptPayment};
use crate::payments::{Cancellation, Order, PaymentDetails, PaymentStatus, PaymentWish};
use crate::state::{Dialect, KeptIdentity, State, StateFolder, Use};
use crate::{Error, Hint, Observer};

/// One bank, what is kept about it, and how to reach it.
#[derive(Clone)]
pub struct Place {
    /// The bank's address.
    pub bank: String,
    /// Where the state is kept.
    pub folder: StateFolder,
    /// What is kept.
    pub state: State,
    /// File with a private authority of the bank's TLS certificate.
    pub ca_file: Option<PathBuf>,
    /// Is told of calls, answers and waits.
    pub observer: Option<Observer>,
    /// What the bank says about itself, if it is a sandbox.
    pub announced: Option<Announcement>,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("bank", &self.bank).finish_non_exhaustive()
    }
}

/// What is registered.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The tenant where that is done, where there are several.
    pub tenant: String,
    /// Where browsers may come back to.
    pub redirect_uris: Vec<String>,
    /// `sector_identifier_uri`; empty for none.
    pub sector_identifier_uri: String,
}

/// Where a customer is sent to, and comes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// What they are asked to approve.
    pub matter: Matter,
    /// The bank's page.
    pub url: String,
    /// Where the browser comes back to.
    pub redirect_uri: String,
}

/// What a customer's approval gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approved {
    /// A consent that was asked for before.
    Consent {
        /// Its id.
        id: String,
        /// Its status.
        status: String,
    },
    /// A payment that was asked for before.
    Payment(PaymentStatus),
    /// A consent for confirmation of funds that was asked for before.
    Funds {
        /// Its id.
        id: String,
        /// The account that may be asked about.
        account: String,
        /// Its status.
        status: String,
    },
    /// A connection to a customer who chose freely.
    Connection {
        /// The number of the user that stands for it.
        user: i64,
        /// The customer's name, if the bank tells it.
        customer: Option<String>,
    },
}

/// What is to be read, and how.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// By which consent, or the connection of which user; the newest if absent.
    pub by: Option<String>,
    /// Only the account with this number.
    pub account: Option<String>,
    /// Where the customer comes from, if they take part.
    pub psu_ip_address: Option<String>,
    /// Reads even if today's unattended reads are used up by this side's own count.
    pub beyond_budget: bool,
}

/// An account, and its balance where the bank tells both at once.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account.
    pub details: wire::Account,
    /// Whether one can pay from it.
    pub can_pay: bool,
    pub(crate) balances: Option<wire::Balances>,
}

impl Account {
    /// Its account number, or the bank's own id if it has none.
    pub fn number(&self) -> &str {
        self.details.iban.as_deref().unwrap_or(&self.details.resource_id)
    }
}

/// Which transactions are wanted.
#[derive(Debug, Clone, Default)]
pub struct TransactionsWish {
    /// `booked`, `pending` or `both`.
    pub booking_status: String,
    /// First booking date, `YYYY-MM-DD`.
    pub from: Option<String>,
    /// Last booking date.
    pub to: Option<String>,
}

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

/// A payment that waits for the customer, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Its id.
    pub id: String,
    /// Its status in the words of the interface.
    pub status: String,
}

/// An OAuth client that the bank keeps.
#[derive(Clone, PartialEq, Eq)]
pub struct OauthClient {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// Where browsers may come back to.
    pub redirect_uris: Vec<String>,
}

impl std::fmt::Debug for OauthClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OauthClient").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What not every interface offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Asking for a consent.
    Consent,
    /// Asking what became of one.
    ConsentStatus,
    /// Getting new tokens.
    Refresh,
    /// Giving tokens back.
    Revoke,
    /// Looking at the OAuth client.
    OauthClient,
    /// Paying on a later day, repeatedly, many at once, or in other ways than the one that there is.
    PayOtherwise,
    /// Preparing a payment from an account of a connected customer.
    Draft,
    /// Asking what became of one.
    DraftStatus,
    /// Asking for a consent for confirmation of funds, and what comes of it.
    FundsConsent,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Consent => "consent",
            Self::ConsentStatus => "status consent",
            Self::Refresh => "refresh",
            Self::Revoke => "revoke",
            Self::OauthClient => "oauth-client",
            Self::PayOtherwise => "any payment but one of euros, at once, to an IBAN",
            Self::Draft => "draft",
            Self::DraftStatus => "status draft",
            Self::FundsConsent => "funds consent",
        })
    }
}

/// A third party at one bank. `by` names a consent or the user number of a connection; the newest is meant without.
///
/// Every method fails with [`Error`].
pub trait ThirdParty: Sized {
    /// The interface.
    const DIALECT: Dialect;

    /// First parts of paths at a bank that are an interface's and not part of the bank's address.
    const FOREIGN_PATHS: &'static [&'static str];

    /// What comes after registering.
    const AFTER_REGISTERING: Hint;

    /// Takes up what is kept about a bank.
    fn open(place: Place) -> Result<Self, Error>;

    /// What is kept about the bank, as it is on disk.
    fn state(&self) -> State;

    /// The certificates that have to be there before registering at a bank that says this about itself.
    fn demanded(bank: &str, announced: Option<&Announcement>) -> Vec<Use>;

    /// Keeps a certificate that was issued elsewhere, with the certificates above it up to the root, and its key, all in
    /// PEM.
    fn take_over(
        folder: &StateFolder,
        purpose: Use,
        (certificate, chain): (&str, &[String]),
        private_key: &str,
    ) -> Result<KeptIdentity, Error> {
        folder.save_identity(purpose, certificate, chain, private_key, None)
    }

    /// Whether registering can be left out before a customer is sent to the bank, who comes back to `redirect_uri`, or to
    /// any that is registered.
    fn is_registered(&self, redirect_uri: Option<&str>) -> bool;

    /// Registers; safe to repeat. `announce` is told of each step before it is taken.
    async fn register(&mut self, wanted: &Registration, announce: impl Fn(&str)) -> Result<(), Error>;

    /// Asks for a consent and keeps it.
    async fn request_consent(
        &mut self,
        _tenant: &str,
        _redirect_uri: Option<&str>,
        _wish: &ConsentWish,
    ) -> Result<KeptConsent, Error> {
        Err(Self::refused(Operation::Consent))
    }

    /// What a customer is asked to approve: what is named, or the newest of its kind.
    fn awaiting(&self, wanted: &Wanted) -> Result<Matter, Error>;

    /// Where to send the customer. What ties their way back to this request is kept until then.
    async fn depart(&mut self, matter: &Matter, redirect_uri: Option<&str>) -> Result<Departure, Error>;

    /// The browser came back to `location`: takes up what the customer approved. `done` is told of each step and what came
    /// of it.
    async fn arrive(
        &mut self,
        matter: &Matter,
        location: &str,
        done: impl FnMut(&'static str, &str),
    ) -> Result<Approved, Error>;

    /// Finishes what a customer approved before, if nothing else is left to do and this side was interrupted.
    async fn resume(&mut self, _matter: &Matter) -> Result<Option<Approved>, Error> {
        Ok(None)
    }

    /// What became of a consent: its id and status.
    async fn consent_status(&mut self, _by: Option<&str>) -> Result<(String, String), Error> {
        Err(Self::refused(Operation::ConsentStatus))
    }

    /// Gets new tokens for a consent.
    async fn refresh(&mut self, _by: Option<&str>) -> Result<KeptConsent, Error> {
        Err(Self::refused(Operation::Refresh))
    }

    /// Gives the tokens of a consent back, and with `delete` ends the consent too.
    async fn revoke(&mut self, _by: Option<&str>, _delete: bool) -> Result<KeptConsent, Error> {
        Err(Self::refused(Operation::Revoke))
    }

    /// The accounts that the customer approved.
    async fn accounts(&mut self, reading: &Reading) -> Result<Vec<Account>, Error>;

    /// The balances of one of them; absent if it has none that may be seen.
    ///
    /// [`Error::Unreadable`] for an account of which they cannot be read.
    async fn balances(
        &mut self,
        reading: &Reading,
        account: &Account,
    ) -> Result<Option<wire::Balances>, Error>;

    /// The transactions of one of them, all pages.
    ///
    /// [`Error::Unreadable`] for an account of which they cannot be read.
    async fn transactions(
        &mut self,
        reading: &Reading,
        account: &Account,
        wish: &TransactionsWish,
    ) -> Result<wire::TransactionList, Error>;

    /// The OAuth client as the bank has it now, with these redirect URIs added.
    async fn oauth_client(&mut self, _redirect_uris: &[String]) -> Result<OauthClient, Error> {
        Err(Self::refused(Operation::OauthClient))
    }

    /// Asks for a payment and keeps it; the customer decides about it at the bank.
    async fn pay(
        &mut self,
        tenant: &str,
        redirect_uri: Option<&str>,
        wish: &PaymentWish,
    ) -> Result<KeptPayment, Error>;

    /// The status of a payment: of the one that is named, or the newest.
    async fn payment_status(&mut self, id: Option<&str>) -> Result<PaymentStatus, Error>;

    /// A payment as the bank has it, with its id.
    async fn payment_details(&mut self, id: Option<&str>) -> Result<(String, PaymentDetails), Error>;

    /// Takes a payment back, or asks whether the customer agrees that it is.
    async fn cancel_payment(&mut self, id: Option<&str>) -> Result<Cancellation, Error>;

    /// Prepares a payment from an account of a connected customer.
    async fn draft(&mut self, _by: Option<&str>, _from: &str, _order: &Order) -> Result<Prepared, Error> {
        Err(Self::refused(Operation::Draft))
    }

    /// The status of such a payment.
    async fn draft_status(&mut self, _by: Option<&str>, _id: &str) -> Result<String, Error> {
        Err(Self::refused(Operation::DraftStatus))
    }

    /// Asks for a consent to ask whether an account holds an amount, and keeps it.
    async fn request_funds_consent(
        &mut self,
        _tenant: &str,
        _redirect_uri: Option<&str>,
        _account: &str,
    ) -> Result<KeptFundsConsent, Error> {
        Err(Self::refused(Operation::FundsConsent))
    }

    /// What became of such a consent: its id and status.
    async fn funds_consent_status(&mut self, _by: Option<&str>) -> Result<(String, String), Error> {
        Err(Self::refused(Operation::FundsConsent))
    }

    /// Ends such a consent; returns its id.
    async fn end_funds_consent(&mut self, _by: Option<&str>) -> Result<String, Error> {
        Err(Self::refused(Operation::FundsConsent))
    }

    /// Whether an account holds an amount.
    async fn has_funds(&mut self, wish: &FundsWish) -> Result<FundsAnswer, Error>;

    /// What is there in place of an operation that the interface does not offer, and what leads to it.
    fn instead(operation: Operation) -> (&'static str, Option<Hint>);

    /// The refusal of an operation that the interface does not offer.
    fn refused(operation: Operation) -> Error {
        let (instead, hint) = Self::instead(operation);
        Error::NotOffered { operation, dialect: Self::DIALECT, instead, hint }
    }
}

/// All accounts, or the one with this number. `by` says what covers them.
pub(crate) fn chosen(accounts: Vec<Account>, wanted: Option<&str>, by: &str) -> Result<Vec<Account>, Error> {
    let Some(wanted) = wanted else { return Ok(accounts) };
    let wanted: String = wanted.chars().filter(|c| !c.is_whitespace()).collect();
    let is_wanted = |account: &Account| account.number().eq_ignore_ascii_case(&wanted);
    let chosen: Vec<_> = accounts.into_iter().filter(is_wanted).collect();
    if chosen.is_empty() {
        return Err(Error::Setup(format!("the {by} does not cover account {wanted}")));
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{berlin_group, bunq};

    #[test]
    fn a_refusal_names_what_there_is_instead() {
        let at_bunq = |operation| <bunq::Client as ThirdParty>::refused(operation);
        for (error, text, hint) in [
            (
                <berlin_group::Client as ThirdParty>::refused(Operation::Draft),
                "draft is not offered at banks of the dialect berlin-group; a bank may speak that of bunq too",
                Some(Hint::RegisterIn(Dialect::Bunq)),
            ),
            (
                at_bunq(Operation::Consent),
                "consent is not offered at banks of the dialect bunq: customers choose accounts when they are sent to the \
                 bank",
                Some(Hint::Authorise),
            ),
            (
                at_bunq(Operation::Refresh),
                "refresh is not offered at banks of the dialect bunq: sessions are renewed by themselves",
                None,
            ),
            (
                at_bunq(Operation::ConsentStatus),
                "status consent is not offered at banks of the dialect bunq: whether a customer's approval still stands \
                 shows when accounts are read",
                Some(Hint::Accounts),
            ),
        ] {
            assert_eq!((error.to_string().as_str(), error.hint()), (text, hint));
        }
    }
}
