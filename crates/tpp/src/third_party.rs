//! What a third party does at a bank, written once for every interface. What is read comes in the words of NextGenPSD2,
//! and what an interface does not offer is refused with what it offers in its place.
#![expect(
    async_fn_in_trait,
    reason = "whoever calls awaits it where they stand; nothing is sent to another thread"
)]

use std::path::PathBuf;

use berlin_group::wire;

use crate::accounts::{Account, Reading, TransactionsWish};
use crate::announcement::Announcement;
use crate::funds::{FundsAnswer, FundsWish};
use crate::kept_approvals::{Matter, Wanted};
use crate::kept_consents::{ConsentWish, KeptConsent};
use crate::kept_payments::KeptFundsConsent;
use crate::operations::Operation;
use crate::payments::{Asked, Cancellation, Order, PaymentDetails, PaymentStatus, PaymentWish};
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

    /// Whether a customer has to agree before the bank says whether an account holds an amount.
    const FUNDS_WITH_CONSENT: bool = true;

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

    /// Asks for a payment and keeps it; the customer decides about it at the bank. The same request again goes on with the
    /// same payment until somebody was [told](Self::told) what became of it; others that ask for the same wait until then.
    async fn pay(
        &mut self,
        tenant: &str,
        redirect_uri: Option<&str>,
        wish: &PaymentWish,
    ) -> Result<Asked, Error>;

    /// A command told what became of a payment: the same request is about another one from now on.
    fn told(&mut self, id: &str) -> Result<(), Error>;

    /// The status of a payment: of the one that is named, or the newest.
    async fn payment_status(&mut self, id: Option<&str>) -> Result<PaymentStatus, Error>;

    /// The same once its customer came back from the bank, with why it waits if it does. `said` is what the bank said to
    /// the browser, if that is all that came of it.
    async fn status_after(&mut self, id: &str, said: Option<String>) -> Result<PaymentStatus, Error> {
        let now = self.payment_status(Some(id)).await?;
        Ok(PaymentStatus { reason: said.or(now.reason), ..now })
    }

    /// The account that something is about, if it is known: that of the customer who approves it.
    async fn account_of(&mut self, matter: &Matter) -> Result<Option<String>, Error> {
        match (self.state().account_of(matter), matter) {
            (Some(account), _) => Ok(Some(account.to_owned())),
            // The customer may have chosen it.
            (None, Matter::Payment(id)) => Ok(self.payment_details(Some(id)).await?.1.debtor),
            (None, _) => Ok(None),
        }
    }

    /// A payment as the bank has it, with its id.
    async fn payment_details(&mut self, id: Option<&str>) -> Result<(String, PaymentDetails), Error>;

    /// Takes a payment back, or asks whether the customer agrees that it is.
    async fn cancel_payment(&mut self, id: Option<&str>) -> Result<Cancellation, Error>;

    /// Prepares a payment from an account of a connected customer.
    /// It is another one if that is said, whatever became of the same request that no answer came to before.
    async fn draft(
        &mut self,
        _by: Option<&str>,
        _from: &str,
        (_order, _anew): (&Order, bool),
    ) -> Result<Prepared, Error> {
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
