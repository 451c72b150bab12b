//! The customer's way to the bank and back.

use super::session::Session;
use crate::authorization::PendingAuthorization;
use crate::kept_approvals::Matter;
use crate::{Error, Hint};

impl Session<'_> {
    /// Where to send the browser. Challenge and state are kept until it comes back. If the attempt before failed, or one
    /// more customer has to approve, the bank is asked for another one.
    pub(super) async fn authorization_url(&mut self) -> Result<String, Error> {
        self.check_usable()?;
        if self.approval().begun {
            self.begin_again().await?;
        }
        let pending = PendingAuthorization::begin(&self.approval().sca_redirect)?;
        let url = pending.url.clone();
        self.change(|kept| (kept.pending, kept.begun) = (Some(pending), true))?;
        Ok(url)
    }

    async fn begin_again(&mut self) -> Result<(), Error> {
        let status = self.status().await?;
        self.check_usable()?;
        self.check_waits(&status)?;
        let interface = &self.branch.interface;
        let (authorisations, kept) = (self.authorisations(), self.approval());
        let sca = interface.sca_status(&format!("{authorisations}/{}", kept.authorisation)).await?;
        let is_over = match sca.as_str() {
            "failed" | "finalised" => true,
            // Its customer approved, and the tokens that would confirm it never came here.
            "unconfirmed" => kept.tokens.is_none(),
            _ => false,
        };
        if !is_over {
            return Ok(());
        }
        let begun = interface.begin_authorisation(&authorisations, &kept.redirect_uri).await?;
        let unreadable = || Error::Answer {
            url: "POST authorisations".to_owned(),
            reason: "it has no authorisationId or no scaRedirect link".to_owned(),
        };
        let authorisation = begun.authorisation_id.ok_or_else(unreadable)?;
        let sca_redirect = begun.links.sca_redirect.ok_or_else(unreadable)?;
        let confirmation = begun.links.confirmation.or(begun.links.sca_status);
        self.change(|kept| {
            (kept.authorisation, kept.sca_redirect) = (authorisation, sca_redirect);
            (kept.confirmation, kept.tokens, kept.confirmed) = (confirmation, None, false);
        })
    }

    /// Checks that there is anything to approve at this status.
    fn check_waits(&self, status: &str) -> Result<(), Error> {
        let text = match &self.matter {
            // One customer of several has approved.
            Matter::Payment(_) if status == "PATC" || !self.approval().confirmed => return Ok(()),
            Matter::Payment(id) => {
                format!("payment {id} is approved, and is {status}; look at what becomes of it")
            }
            other if status == "valid" => {
                format!("{other} is valid, and is authorised once; ask for another one")
            }
            _ => return Ok(()),
        };
        let hint = match &self.matter {
            Matter::Payment(_) => Hint::PaymentStatus,
            other => other.ask(),
        };
        Err(Error::missing(text, hint))
    }

    /// Redeems the code that the browser brought and keeps the tokens.
    pub(super) async fn redeem(&mut self, location: &str) -> Result<(), Error> {
        let kept = self.approval().clone();
        let pending = kept.pending.ok_or_else(|| match (&self.matter, kept.confirmed) {
            (Matter::Consent(_), true) => {
                Error::missing("no authorisation is under way: the consent has its own; read", Hint::Accounts)
            }
            _ => Error::missing("no authorisation is under way; begin", self.matter.authorise()),
        })?;
        let branch = self.branch.clone();
        let code = match pending.code(location, &branch.server.issuer) {
            Err(Error::Authorization { error, description, .. }) => {
                return Err(self.what_now(error, description).await);
            }
            other => other?,
        };
        let (endpoint, credentials) = (&branch.server.token_endpoint, self.credentials()?);
        let (uri, verifier) = (&kept.redirect_uri, &pending.code_verifier);
        let tokens = branch.interface.redeem_code(endpoint, credentials, &code, uri, verifier).await;
        let hint = self.matter.authorise();
        match tokens {
            Err(error) if error.leaves_open() => Err(Error::Unredeemed { error: Box::new(error), hint }),
            Err(Error::Bank(error)) if error.is_about_grant() => {
                let next = "the code that the browser brought is good no more; another attempt begins";
                Err(Error::Credentials { error: Box::new(error), next, hint })
            }
            tokens => self.keep(tokens?),
        }
    }

    /// Confirms the authorisation, which makes a consent valid, and a payment the bank's business.
    pub(super) async fn confirm(&mut self) -> Result<(), Error> {
        let token = self.token().await?;
        let (interface, kept) = (&self.branch.interface, self.approval());
        let url = match &kept.confirmation {
            Some(link) => interface.resolve(link)?,
            None => interface.api(&format!("{}/{}", self.authorisations(), kept.authorisation)),
        };
        let consent = match &self.matter {
            Matter::Consent(id) | Matter::Funds(id) => Some(id.as_str()),
            Matter::Payment(_) | Matter::Connection => None,
        };
        interface.confirm(url, consent, &token).await?;
        self.change(|kept| kept.confirmed = true)
    }
}
