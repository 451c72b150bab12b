//! What a third party keeps of one bank in one dialect.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::bunq::BunqState;
use crate::kept_approvals::{KeptApproval, Matter};
use crate::kept_consents::KeptConsent;
pub use crate::kept_identities::{KeptIdentity, Use};
use crate::kept_payments::{KeptFundsConsent, KeptPayment, KeptRequest};
pub use crate::state_folder::{Lock, StateFolder};

/// The interface that is spoken with a bank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// NextGenPSD2.
    #[default]
    BerlinGroup,
    /// The interface of bunq.
    Bunq,
}

impl Dialect {
    /// For arguments and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::BerlinGroup => "berlin-group",
            Self::Bunq => "bunq",
        }
    }
}

/// The state of one bank.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The bank's address.
    pub bank: String,
    /// The signing certificate, once there is one.
    pub signing: Option<KeptIdentity>,
    /// The TLS client certificate, once there is one.
    pub tls: Option<KeptIdentity>,
    /// The registration, once it is made.
    pub registration: Option<KeptRegistration>,
    /// Consents, the newest last.
    #[serde(default)]
    pub consents: Vec<KeptConsent>,
    /// Payments, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<KeptPayment>,
    /// Consents for confirmation of funds, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub funds_consents: Vec<KeptFundsConsent>,
    /// Requests to make something to which no answer came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<KeptRequest>,
    /// Which sandbox this is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<KeptSandbox>,
    /// What the dialect of bunq needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bunq: Option<BunqState>,
}

impl State {
    /// Where browsers may come back to, once something is registered.
    pub fn redirect_uris(&self) -> Option<&[String]> {
        let own = self.registration.as_ref().map(|kept| &kept.redirect_uris[..]);
        own.or_else(|| Some(&self.bunq.as_ref()?.oauth_client.as_ref()?.callback_urls[..]))
    }

    /// The client id at the bank's authorization server, once something is registered.
    pub fn client_id(&self) -> Option<&str> {
        let own = self.registration.as_ref().map(|kept| kept.client_id.as_str());
        own.or_else(|| Some(self.bunq.as_ref()?.oauth_client.as_ref()?.client_id.as_str()))
    }

    /// Takes over what a side knows that changes this state: which bank it speaks with.
    ///
    /// # Errors
    /// [`Error::Setup`] if this is about another sandbox.
    pub(crate) fn go_on_from(&mut self, known: &Self) -> Result<(), Error> {
        let is_other = |(ours, theirs): (&KeptSandbox, &KeptSandbox)| ours.fingerprint != theirs.fingerprint;
        if self.sandbox.as_ref().zip(known.sandbox.as_ref()).is_some_and(is_other) {
            let text = "another command found another bank at this address meanwhile; give the command again";
            return Err(Error::Setup(text.to_owned()));
        }
        self.bank.clone_from(&known.bank);
        if self.sandbox.is_none() {
            self.sandbox.clone_from(&known.sandbox);
        }
        Ok(())
    }

    /// Forgets what customers were asked to approve.
    pub fn clear_approvals(&mut self) {
        self.consents.clear();
        self.payments.clear();
        self.funds_consents.clear();
        self.unanswered.clear();
    }

    /// The way of something through the customer's approval.
    pub fn approval(&self, matter: &Matter) -> Option<&KeptApproval> {
        match matter {
            Matter::Consent(id) => self.consents.iter().map(|kept| &kept.approval).find(|it| it.id == *id),
            Matter::Payment(id) => self.payments.iter().find(|kept| kept.id == *id)?.approval.as_ref(),
            Matter::Funds(id) => {
                self.funds_consents.iter().map(|kept| &kept.approval).find(|it| it.id == *id)
            }
            Matter::Connection => None,
        }
    }

    /// Adds a payment that a request asked for. One of the same request before it is another one.
    pub(crate) fn add_payment(&mut self, payment: KeptPayment) {
        for kept in &mut self.payments {
            kept.request.take_if(|request| payment.request.as_ref() == Some(request));
        }
        self.payments.push(payment);
    }

    /// Keeps that a command told what became of a payment.
    pub(crate) fn tell(&mut self, id: &str) {
        for kept in self.payments.iter_mut().filter(|kept| kept.id == id) {
            kept.request = None;
        }
    }

    /// Whether nobody was told what became of a payment.
    pub(crate) fn is_untold(&self, id: &str) -> bool {
        self.payments.iter().any(|kept| kept.id == id && kept.request.is_some())
    }

    /// The account that something is about, if it was named: that of the customer who approves it.
    pub fn account_of(&self, matter: &Matter) -> Option<&str> {
        match matter {
            Matter::Consent(id) => self
                .consents
                .iter()
                .find(|kept| kept.approval.id == *id)?
                .accounts
                .first()
                .map(String::as_str),
            Matter::Payment(id) => self.payments.iter().find(|kept| kept.id == *id)?.debtor.as_deref(),
            Matter::Funds(id) => self
                .funds_consents
                .iter()
                .find(|kept| kept.approval.id == *id)
                .map(|kept| kept.account.as_str()),
            Matter::Connection => None,
        }
    }

    /// The way of something through the customer's approval, to change it.
    pub(crate) fn approval_mut(&mut self, matter: &Matter) -> Option<&mut KeptApproval> {
        match matter {
            Matter::Consent(id) => {
                self.consents.iter_mut().map(|kept| &mut kept.approval).find(|it| it.id == *id)
            }
            Matter::Payment(id) => self.payments.iter_mut().find(|kept| kept.id == *id)?.approval.as_mut(),
            Matter::Funds(id) => {
                self.funds_consents.iter_mut().map(|kept| &mut kept.approval).find(|it| it.id == *id)
            }
            Matter::Connection => None,
        }
    }

    /// The certificate for a purpose.
    pub fn identity(&mut self, purpose: Use) -> &mut Option<KeptIdentity> {
        match purpose {
            Use::Signing => &mut self.signing,
            Use::Tls => &mut self.tls,
        }
    }
}

/// A sandbox, to know it from another one at the same address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSandbox {
    /// SHA-256 of its authority's certificate.
    pub fingerprint: String,
    /// Whether everything that it knew is gone once it stopped.
    pub ephemeral: bool,
}

/// A registration at the bank.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptRegistration {
    /// Tenant where it was made; it serves all of them.
    pub tenant: String,
    /// Client id.
    pub client_id: String,
    /// Client secret, the newest one.
    pub client_secret: String,
    /// Registered redirect URIs.
    pub redirect_uris: Vec<String>,
    /// The initial access token that was used; banks take it for a day.
    pub initial_access_token: String,
}

impl std::fmt::Debug for KeptRegistration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptRegistration").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
