//! Registration: an initial access token is traded for a client id and a client secret.

use std::sync::Arc;

use domain::tpps::check_sector_identifier_uri;
use domain::{
    CertificateRecord, CertificateStatus, RedirectUris, Refusal, Registration, StandingRefusal, Tpp,
};

use crate::certificates::check_state;
use crate::error::retry;
use crate::{Changes, Ctx, Error, Gateway, Place, PresentedCertificate, secrets};

/// What a third party sends to register.
#[derive(Debug)]
pub struct RegistrationRequest {
    /// The initial access token.
    pub token: String,
    /// The certificate that came along; without one, the certificate that got the token counts.
    pub certificate: Option<Arc<PresentedCertificate>>,
    /// Redirect URIs as sent.
    pub redirect_uris: Vec<String>,
    /// `sector_identifier_uri` as sent; may be empty.
    pub sector_identifier_uri: String,
}

/// A registration that was just made.
#[derive(Debug)]
pub struct Registered {
    /// The third party.
    pub tpp: Tpp,
    /// The client secret; only its hash is kept.
    pub secret: String,
}

impl Gateway {
    /// Registers a third party, or replaces its registration: new redirect URIs, a new secret, and the
    /// certificate of the earlier registration is revoked if it was another one.
    ///
    /// # Errors
    /// [`Refusal`] for the token, the redirect URIs, the certificate, in this order; [`StandingRefusal::Blocked`]
    pub async fn register(&self, ctx: &Ctx, request: RegistrationRequest) -> Result<Registered, Error> {
        let token = self.0.store.initial_access_token(&secrets::hash(&request.token)).await?;
        let token = token.ok_or(Refusal::InitialAccessTokenUnknown)?;
        // A registration serves all tenants, so a token may be used at another tenant than its own. When it
        // expires is a matter of the clock under which it was given out.
        let now = if token.tenant == ctx.tenant { ctx.now } else { self.0.clock.now(Some(&token.tenant)) };
        token.check_at(now)?;
        let onboarded = self.0.store.certificate(&token.certificate).await?;
        let onboarded = onboarded.ok_or(Refusal::InitialAccessTokenUnknown)?.holder;
        let holder = match &request.certificate {
            Some(presented) if presented.holder.tpp != onboarded.tpp => {
                return Err(Refusal::InitialAccessTokenForeign.into());
            }
            Some(presented) => presented.holder.clone(),
            None => onboarded,
        };
        let redirect_uris = RedirectUris::register(request.redirect_uris, self.redirect_uri_rules())
            .map_err(Refusal::RedirectUri)?;
        check_sector_identifier_uri(&request.sector_identifier_uri)?;
        let secret = self.0.randomness.secret();
        let registration = Registration {
            certificate: holder,
            redirect_uris,
            sector_identifier_uri: request.sector_identifier_uri,
            secret: secrets::hash(&secret),
        };
        let tpp = retry(|| self.save_registration(ctx, registration.clone())).await?;
        Ok(Registered { tpp, secret })
    }

    async fn save_registration(&self, ctx: &Ctx, registration: Registration) -> Result<Tpp, Error> {
        let holder = registration.certificate.clone();
        let previous = self.0.store.tpp(&holder.tpp).await?;
        let mut changes = Changes::new();
        let known = self.0.store.certificate(&holder.fingerprint).await?;
        let record = match &known {
            // Records of older versions do not say how long a certificate is valid.
            Some(record) => CertificateRecord { holder: holder.clone(), ..record.clone() },
            None => CertificateRecord::first_seen(holder.clone(), ctx.now),
        };
        // A certificate that comes along was checked; the one that got the token may have ended since.
        check_state(record.state(), Place::Signature, ctx.now)?;
        if known.as_ref() != Some(&record) {
            changes = changes.put_certificate(&record);
        }
        if let Some(at) = previous.as_ref().and_then(|tpp| tpp.blocked_at) {
            return Err(StandingRefusal::Blocked { tpp: holder.tpp, at }.into());
        }
        if let Some(old) = Tpp::replaced_certificate(previous.as_ref(), &holder.fingerprint) {
            let status = CertificateStatus::Revoked { at: ctx.now };
            let record = self.0.store.certificate(old).await?;
            if let Some(record) = record.filter(|record| record.status == CertificateStatus::Active) {
                changes = changes.put_certificate(&CertificateRecord { status, ..record });
            }
        }
        let tpp = Tpp::register(previous.as_ref(), registration, ctx.now);
        self.0.store.save(changes.put_tpp(&tpp)).await?;
        Ok(tpp)
    }
}
