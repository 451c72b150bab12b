//! Something that a customer approves, of the state, and what is needed to use it.

use std::sync::Arc;

use berlin_group::wire;

use super::client::{Branch, Client};
use crate::kept_approvals::{KeptApproval, Matter};
use crate::kept_consents::{KeptConsent, is_end};
use crate::kept_payments::KeptPayment;
use crate::{BankError, Error};

/// A consent or a payment, and what is needed to use it.
pub(super) struct Session<'c> {
    pub(super) client: &'c mut Client,
    pub(super) branch: Arc<Branch>,
    pub(super) matter: Matter,
    /// Where the customer comes from, if they take part.
    pub(super) psu_ip_address: Option<String>,
    /// Reads even if today's unattended reads are used up by this side's own count.
    pub(super) beyond_budget: bool,
}

impl Client {
    /// Takes up something that is kept.
    pub(super) async fn session(&mut self, matter: Matter) -> Result<Session<'_>, Error> {
        let none = || Error::Setup(format!("{matter} is not kept here"));
        let tenant = self.state.approval(&matter).ok_or_else(none)?.tenant.clone();
        let branch = self.branch(&tenant).await?;
        Ok(Session { client: self, branch, matter, psu_ip_address: None, beyond_budget: false })
    }
}

impl Session<'_> {
    /// Its way through the customer's approval.
    ///
    /// # Panics
    /// Never: a session is made for what is in the state, and a change that finds it taken out by another command fails and
    /// leaves the state here as it is.
    pub(super) fn approval(&self) -> &KeptApproval {
        #[expect(clippy::expect_used, reason = "see above")]
        self.client.state.approval(&self.matter).expect("what this session is about is in its state")
    }

    /// The consent, if it is one.
    pub(super) fn consent(&self) -> Option<&KeptConsent> {
        self.client.state.consents.iter().find(|kept| Some(kept.approval.id.as_str()) == self.matter.id())
    }

    /// The payment, if it is one.
    pub(super) fn payment(&self) -> Option<&KeptPayment> {
        self.client.state.payments.iter().find(|kept| Some(kept.id.as_str()) == self.matter.id())
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut KeptApproval)) -> Result<(), Error> {
        let matter = &self.matter;
        self.client.update(|state| {
            change(state.approval_mut(matter).ok_or_else(|| matter.forgotten())?);
            Ok(())
        })
    }

    /// The day at the bank.
    pub(super) fn today(&self) -> String {
        self.client.today(self.branch.interface.tenant())
    }

    /// Its path below the tenant.
    pub(super) fn path(&self) -> String {
        let id = &self.approval().id;
        match &self.matter {
            Matter::Funds(_) => format!("/v2/consents/confirmation-of-funds/{id}"),
            Matter::Payment(_) => {
                let product = self.payment().and_then(|kept| kept.product.as_deref()).unwrap_or_default();
                format!("/v1/{product}/{id}")
            }
            Matter::Consent(_) | Matter::Connection => format!("/v1/consents/{id}"),
        }
    }

    /// The path of its authorisations, of whichever purpose they are.
    pub(super) fn authorisations(&self) -> String {
        let is_cancelling = self.payment().is_some_and(|kept| kept.is_cancelling);
        let folder = if is_cancelling { "cancellation-authorisations" } else { "authorisations" };
        format!("{}/{folder}", self.path())
    }

    /// Its status. One that says that it has ended is kept.
    pub(super) async fn status(&mut self) -> Result<String, Error> {
        if matches!(self.matter, Matter::Payment(_)) {
            return Ok(self.payment_status().await?.status);
        }
        let read: wire::ConsentStatus = self.branch.interface.status(&self.path()).await?;
        self.note(&read.consent_status)?;
        Ok(read.consent_status)
    }

    /// Keeps that it has ended, if this status of a consent says so.
    pub(super) fn note(&mut self, status: &str) -> Result<(), Error> {
        if is_end(status) { self.end(status) } else { Ok(()) }
    }

    /// Keeps that it has ended.
    pub(super) fn end(&mut self, status: &str) -> Result<(), Error> {
        self.change(|kept| {
            (kept.ended, kept.tokens, kept.pending) = (Some(status.to_owned()), None, None);
        })
    }

    pub(super) fn check_usable(&self) -> Result<(), Error> {
        let today = self.today();
        let of_consent = self.consent().and_then(|kept| kept.end(&today));
        match of_consent.or(self.approval().ended.as_deref()) {
            Some(status) => Err(Error::Ended { matter: self.matter.clone(), status: status.to_owned() }),
            None => Ok(()),
        }
    }

    /// A refusal that is about the consent: whether that has ended is asked.
    pub(super) async fn ended_or(&mut self, error: BankError) -> Error {
        let status = match self.status().await {
            Ok(status) if is_end(&status) => status,
            Err(Error::Bank(unknown)) if matches!(unknown.status, 403 | 404) => {
                "unknown to the bank".to_owned()
            }
            _ => return Error::Bank(error),
        };
        match self.end(&status) {
            Ok(()) => Error::Ended { matter: self.matter.clone(), status },
            Err(error) => error,
        }
    }

    /// What the bank's no means: whether there may be another attempt.
    pub(super) async fn what_now(&mut self, error: String, description: String) -> Error {
        let is_over = self.status().await.is_ok() && self.approval().ended.is_some();
        let is_cancelling = self.payment().is_some_and(|kept| kept.is_cancelling);
        let (next, hint) = match &self.matter {
            Matter::Payment(_) if is_over => {
                ("the payment is rejected; ask for another one", self.matter.ask())
            }
            Matter::Payment(_) if is_cancelling => {
                ("the payment stands; another attempt to cancel it begins", self.matter.authorise())
            }
            Matter::Payment(_) => {
                ("the payment waits; another attempt at it begins", self.matter.authorise())
            }
            _ if is_over => ("the consent is rejected; ask for another one", self.matter.ask()),
            _ => ("another attempt at the same consent begins", self.matter.authorise()),
        };
        Error::Authorization { error, description, next, hint }
    }
}
