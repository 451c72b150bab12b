//! One consent: asked for, looked up, ended.

use std::sync::Arc;

use super::client::{Branch, Client};
use crate::kept_consents::{ConsentWish, KeptConsent, is_end};
use crate::{BankError, Error, Hint};

/// One consent of the state, and what is needed to use it.
pub(super) struct ConsentSession<'c> {
    pub(super) client: &'c mut Client,
    pub(super) branch: Arc<Branch>,
    pub(super) id: String,
    /// Where the customer comes from, if they take part.
    pub(super) psu_ip_address: Option<String>,
    /// Reads even if today's unattended reads are used up by this side's own count.
    pub(super) beyond_budget: bool,
}

impl Client {
    /// Asks for a consent and keeps it.
    pub(super) async fn ask_for_consent(
        &mut self,
        tenant: &str,
        redirect_uri: &str,
        wish: &ConsentWish,
    ) -> Result<KeptConsent, Error> {
        let interface = self.interface(tenant)?;
        let consent = interface.request_consent(&wish.request(), redirect_uri, "127.0.0.1").await?;
        let sca_redirect = consent.links.sca_redirect.ok_or_else(|| Error::Answer {
            url: "POST consents".to_owned(),
            reason: "it has no scaRedirect link".to_owned(),
        })?;
        let kept = KeptConsent {
            id: consent.consent_id,
            authorisation: consent.authorisation_id,
            tenant: tenant.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            sca_redirect,
            confirmation: consent.links.confirmation.or(consent.links.sca_status),
            valid_until: consent.valid_until,
            frequency_per_day: consent.frequency_per_day,
            pending: None,
            tokens: None,
            reads: Vec::new(),
            recurring: consent.recurring_indicator,
            begun: false,
            confirmed: false,
            ended: None,
        };
        self.state.consents.push(kept.clone());
        self.save()?;
        Ok(kept)
    }

    /// Takes up a consent that is kept: the one with this id, or the newest that can still be used.
    pub(super) async fn consent(&mut self, id: Option<&str>) -> Result<ConsentSession<'_>, Error> {
        let kept = self.choose(id)?;
        let (id, tenant) = (kept.id.clone(), kept.tenant.clone());
        let branch = self.branch(&tenant).await?;
        Ok(ConsentSession { client: self, branch, id, psu_ip_address: None, beyond_budget: false })
    }
}

impl ConsentSession<'_> {
    /// The consent.
    ///
    /// # Panics
    /// Never: a session is made for a consent that is in the state, and none is taken out.
    pub(super) fn kept(&self) -> &KeptConsent {
        let kept = self.client.state.consents.iter().find(|kept| kept.id == self.id);
        #[expect(clippy::expect_used, reason = "see above")]
        kept.expect("the consent of this session is in its state")
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut KeptConsent)) -> Result<(), Error> {
        if let Some(kept) = self.client.state.consents.iter_mut().find(|kept| kept.id == self.id) {
            change(kept);
        }
        self.client.save()
    }

    /// The day at the bank.
    pub(super) fn today(&self) -> String {
        self.client.today(self.branch.interface.tenant())
    }

    /// The consent's status. One that says that it has ended is kept.
    pub(super) async fn status(&mut self) -> Result<String, Error> {
        let status = self.branch.interface.consent_status(&self.id).await?;
        self.note(&status)?;
        Ok(status)
    }

    pub(super) fn note(&mut self, status: &str) -> Result<(), Error> {
        if !is_end(status) {
            return Ok(());
        }
        self.change(|kept| {
            (kept.ended, kept.tokens, kept.pending) = (Some(status.to_owned()), None, None);
        })
    }

    pub(super) fn check_usable(&self) -> Result<(), Error> {
        match self.kept().end(&self.today()) {
            Some(status) => Err(Error::Ended { id: self.id.clone(), status: status.to_owned() }),
            None => Ok(()),
        }
    }

    /// A refusal that is about the consent: whether that has ended is asked.
    pub(super) async fn ended_or(&mut self, error: BankError) -> Error {
        match self.status().await {
            Ok(status) if is_end(&status) => Error::Ended { id: self.id.clone(), status },
            Err(Error::Bank(unknown)) if matches!(unknown.status, 403 | 404) => {
                let status = "unknown to the bank".to_owned();
                match self.change(|kept| kept.ended = Some(status.clone())) {
                    Ok(()) => Error::Ended { id: self.id.clone(), status },
                    Err(error) => error,
                }
            }
            _ => Error::Bank(error),
        }
    }

    /// What the bank's no means for the consent: whether there may be another attempt.
    pub(super) async fn what_now(&mut self, refused: Error) -> Error {
        match (self.status().await, refused) {
            (Ok(status), Error::Authorization { error, description, .. }) if is_end(&status) => {
                let next = "the consent is rejected; ask for another one";
                Error::Authorization { error, description, next, hint: Hint::Consent }
            }
            (_, refused) => refused,
        }
    }
}
