//! Onboarding: a signed call is traded for an initial access token.

use domain::{CertificateRecord, InitialAccessToken};

use crate::error::retry;
use crate::{Changes, Ctx, Error, Gateway, Party, PresentedCertificate, secrets};

/// A token that was just given out.
pub struct IssuedToken {
    /// The token; only its hash is kept.
    pub token: String,
    /// Seconds until it expires.
    pub expires_in: i64,
}

impl Gateway {
    /// Gives out an initial access token to a third party for the certificate that it signed with.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn issue_initial_access_token(&self, ctx: &Ctx, party: &Party) -> Result<IssuedToken, Error> {
        let token = self.0.randomness.secret_uuid();
        let fingerprint = party.signer().holder.fingerprint.clone();
        let lifetime = self.profile(party.acting().interface()).lifetimes.initial_access_token;
        let (hash, tenant) = (secrets::hash(&token), ctx.tenant.clone());
        let issued = InitialAccessToken::issue(hash, fingerprint, tenant, ctx.now, lifetime);
        retry(|| self.save_initial_access_token(ctx, party.signer(), &issued)).await?;
        Ok(IssuedToken { token, expires_in: lifetime.as_secs() })
    }

    async fn save_initial_access_token(
        &self,
        ctx: &Ctx,
        presented: &PresentedCertificate,
        issued: &InitialAccessToken,
    ) -> Result<(), Error> {
        let mut changes = Changes::new().add_initial_access_token(issued);
        match self.0.store.has_signing_key(&issued.certificate).await? {
            None => {
                let record = CertificateRecord::first_seen(presented.holder.clone(), ctx.now);
                changes = changes.put_certificate(&record);
            }
            // It was recorded when keys were not.
            Some(false) => changes = changes.set_signing_key(&presented.holder),
            Some(true) => {}
        }
        // Nor were paths, and another one may lead from it to an authority by now.
        let changes = self.keep_path(changes, presented).await?;
        Ok(self.0.store.save(changes).await?)
    }
}
