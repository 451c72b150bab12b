//! The customer's way to the bank and back with a consent.

use super::consent::ConsentSession;
use crate::authorization::PendingAuthorization;
use crate::{Error, Hint};

impl ConsentSession<'_> {
    /// Where to send the browser. Challenge and state are kept until it comes back. If the attempt before failed, the
    /// bank is asked for another one.
    pub(super) async fn authorization_url(&mut self) -> Result<String, Error> {
        self.check_usable()?;
        if self.kept().begun {
            self.begin_again().await?;
        }
        let pending = PendingAuthorization::begin(&self.kept().sca_redirect)?;
        let url = pending.url.clone();
        self.change(|kept| (kept.pending, kept.begun) = (Some(pending), true))?;
        Ok(url)
    }

    async fn begin_again(&mut self) -> Result<(), Error> {
        let status = self.status().await?;
        self.check_usable()?;
        if status == "valid" {
            let text = format!("consent {} is valid, and is authorised once; ask for another one", self.id);
            return Err(Error::missing(text, Hint::Consent));
        }
        let interface = &self.branch.interface;
        if interface.sca_status((&self.id, &self.kept().authorisation)).await? != "failed" {
            return Ok(());
        }
        let begun = interface.begin_authorisation(&self.id, &self.kept().redirect_uri).await?;
        let unreadable = || Error::Answer {
            url: "POST authorisations".to_owned(),
            reason: "it has no authorisationId or no scaRedirect link".to_owned(),
        };
        let authorisation = begun.authorisation_id.ok_or_else(unreadable)?;
        let sca_redirect = begun.links.sca_redirect.ok_or_else(unreadable)?;
        let confirmation = begun.links.confirmation.or(begun.links.sca_status);
        self.change(|kept| {
            (kept.authorisation, kept.sca_redirect) = (authorisation, sca_redirect);
            kept.confirmation = confirmation;
        })
    }

    /// Redeems the code that the browser brought and keeps the tokens.
    pub(super) async fn redeem(&mut self, location: &str) -> Result<(), Error> {
        let kept = self.kept().clone();
        let pending = kept.pending.ok_or_else(|| match kept.confirmed {
            true => {
                Error::missing("no authorisation is under way: the consent has its own; read", Hint::Accounts)
            }
            false => Error::missing("no authorisation is under way; begin", Hint::Authorise),
        })?;
        let branch = self.branch.clone();
        let code = match pending.code(location, &branch.server.issuer) {
            Err(refused @ Error::Authorization { .. }) => return Err(self.what_now(refused).await),
            other => other?,
        };
        let (endpoint, credentials) = (&branch.server.token_endpoint, self.credentials()?);
        let (uri, verifier) = (&kept.redirect_uri, &pending.code_verifier);
        let tokens = branch.interface.redeem_code(endpoint, credentials, &code, uri, verifier).await?;
        self.keep(tokens)
    }

    /// Confirms the authorisation, which makes the consent valid.
    pub(super) async fn confirm(&mut self) -> Result<(), Error> {
        let token = self.token().await?;
        let kept = self.kept();
        let ids = (kept.id.as_str(), kept.authorisation.as_str());
        self.branch.interface.confirm(ids, kept.confirmation.as_deref(), &token).await?;
        self.change(|kept| kept.confirmed = true)
    }
}
