//! Registration: an initial access token is traded for a client id and a client secret, once.

use domain::tpps::check_sector_identifier_uri;
use domain::{
    CertificateRecord, CertificateStatus, ClientAuthentication, Interface, RedirectUris, Refusal,
    Registration, SecretHash, Standing, StandingRefusal, Timestamp, Tpp, TppId,
};

use crate::certificates::check_state;
use crate::error::retry;
use crate::{CertificateIdentity, Changes, Ctx, Error, Gateway, Place, PresentedCertificate, secrets};

/// What a third party sends to register.
pub struct RegistrationRequest {
    /// The initial access token.
    pub token: String,
    /// The certificate that came along; without one, the certificate that got the token counts.
    pub certificate: Option<CertificateIdentity>,
    /// The certificate of the connection, if it has one: of the organisation that got the token.
    pub connection: Option<CertificateIdentity>,
    /// Where it comes along, or came along when the token was given.
    pub place: Place,
    /// Redirect URIs as sent.
    pub redirect_uris: Vec<String>,
    /// `sector_identifier_uri` as sent; may be empty.
    pub sector_identifier_uri: String,
    /// How the client wants to prove itself; none if it did not say.
    pub authentication: Option<ClientAuthentication>,
    /// A hash that the very same request alone has: its id, where it went, and its body.
    pub identity: SecretHash,
}

/// A registration that was just made.
pub struct Registered {
    /// The third party.
    pub tpp: Tpp,
    /// The client secret; only its hash is kept.
    pub secret: String,
}

impl Gateway {
    /// Registers a third party, or replaces its registration: new redirect URIs, a new secret, and the
    /// certificate of the earlier registration is revoked if it was another one that the bank itself issued. The same
    /// request again, because its answer was lost, changes nothing.
    ///
    /// # Errors
    /// [`Refusal`] for the token, the certificate, whether the token was used, the redirect URIs, in this order;
    /// [`StandingRefusal::Blocked`]
    pub async fn register(&self, ctx: &Ctx, request: RegistrationRequest) -> Result<Registered, Error> {
        retry(|| self.try_to_register(ctx, &request)).await
    }

    async fn try_to_register(&self, ctx: &Ctx, request: &RegistrationRequest) -> Result<Registered, Error> {
        let token = self.0.store.initial_access_token(&secrets::hash(&request.token)).await?;
        let token = token.ok_or(Refusal::InitialAccessTokenUnknown)?;
        // A registration serves all tenants, so a token may be used at another tenant than its own. When it
        // expires is a matter of the clock under which it was given out.
        let now = if token.tenant == ctx.tenant { ctx.now } else { self.0.clock.now(Some(&token.tenant)) };
        token.check_at(now)?;
        let onboarded = self.0.store.certificate(&token.certificate).await?;
        let onboarded = onboarded.ok_or(Refusal::InitialAccessTokenUnknown)?.holder;
        let mut shown = [&request.certificate, &request.connection].into_iter().flatten();
        if shown.any(|identity| identity.holder().tpp != onboarded.tpp) {
            return Err(Refusal::InitialAccessTokenForeign.into());
        }
        let holder = request.certificate.as_ref().map_or(onboarded, |identity| identity.holder().clone());
        // A token registers once, so the secret can follow from it, and the same answer can be given again.
        let secret = self.0.keys.derived_secret("client-secret", &[&request.token]);
        if let Some(used_by) = &token.used_by {
            return self.registered_before(used_by, (&holder.tpp, ctx.now), request, secret).await;
        }
        let rules = &self.profile(Interface::OF_CLIENTS).redirects;
        let redirect_uris =
            RedirectUris::register(request.redirect_uris.clone(), rules).map_err(Refusal::RedirectUri)?;
        check_sector_identifier_uri(&request.sector_identifier_uri, rules.max_bytes)?;
        if request.authentication == Some(ClientAuthentication::PrivateKeyJwt) && holder.signing_key.is_none()
        {
            return Err(Refusal::SigningKeyMissing.into());
        }
        let registration = Registration {
            certificate: holder,
            redirect_uris,
            sector_identifier_uri: request.sector_identifier_uri.clone(),
            secret: secrets::hash(&secret),
            authentication: request.authentication,
        };
        let changes = Changes::new().use_initial_access_token(&token.hash, &request.identity);
        let presented = request.certificate.as_ref().and_then(CertificateIdentity::presented);
        let tpp = self.save_registration(ctx, changes, (registration, presented), request.place).await?;
        Ok(Registered { tpp, secret })
    }

    /// The answer to a request whose token was used: the same once more if it was this very request and nobody has
    /// registered since.
    async fn registered_before(
        &self,
        used_by: &SecretHash,
        (tpp, now): (&TppId, Timestamp),
        request: &RegistrationRequest,
        secret: String,
    ) -> Result<Registered, Error> {
        let tpp = self.0.store.tpp(tpp).await?.filter(|_| *used_by == request.identity);
        match tpp.filter(|tpp| secrets::matches(&secret, &tpp.secret)) {
            Some(tpp) => {
                check_not_blocked(&tpp, now)?;
                Ok(Registered { tpp, secret })
            }
            None => Err(Refusal::InitialAccessTokenUsed.into()),
        }
    }

    async fn save_registration(
        &self,
        ctx: &Ctx,
        mut changes: Changes,
        (registration, presented): (Registration, Option<&PresentedCertificate>),
        place: Place,
    ) -> Result<Tpp, Error> {
        let holder = registration.certificate.clone();
        let previous = self.0.store.tpp(&holder.tpp).await?;
        let known = self.0.store.certificate(&holder.fingerprint).await?;
        let record = match &known {
            // Records of older versions do not say how long a certificate is valid.
            Some(record) => CertificateRecord { holder: holder.clone(), ..record.clone() },
            None => CertificateRecord::first_seen(holder.clone(), ctx.now),
        };
        // A certificate that comes along was checked; the one that got the token may have ended since.
        check_state(record.state(), place, ctx.now)?;
        if known.as_ref() != Some(&record) {
            changes = changes.put_certificate(&record);
        }
        if let Some(presented) = presented {
            changes = self.keep_path(changes, presented).await?;
        }
        previous.as_ref().map_or(Ok(()), |tpp| check_not_blocked(tpp, ctx.now))?;
        if let Some(old) = Tpp::replaced_certificate(previous.as_ref(), &holder.fingerprint) {
            // What the end of the old one ends is not good again, and what customers give from now on is not ended with it.
            self.finish_ending(&holder.tpp).await?;
            let status = CertificateStatus::Revoked { at: ctx.now };
            let record = self.0.store.certificate(old).await?;
            if let Some(record) = record.filter(CertificateRecord::is_replaced_by_newer) {
                changes = changes.put_certificate(&CertificateRecord { status, ..record });
            }
        }
        let tpp = Tpp::register(previous.as_ref(), registration, ctx.now);
        self.0.store.save(changes.put_tpp(&tpp)).await?;
        Ok(tpp)
    }
}

fn check_not_blocked(tpp: &Tpp, now: Timestamp) -> Result<(), StandingRefusal> {
    Standing { blocked: tpp.blocked, ..Standing::default() }.check_not_blocked(&tpp.id, now)
}
