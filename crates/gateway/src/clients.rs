//! OAuth clients: registered third parties that come back with id and secret.

use domain::{
    CertificateHolder, CertificateRecord, Interface, RedirectUris, Refusal, Registration, SecretHash,
    Timestamp, Tpp, TppId,
};
use store::StoreError;

use crate::certificates::status_refusal;
use crate::error::retry;
use crate::{ActingTpp, CertificateIdentity, Changes, Ctx, Error, Gateway, Place, secrets};

impl Gateway {
    /// The registered third party with this client id.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn client(&self, id: &str) -> Result<Option<Tpp>, Error> {
        Ok(self.0.store.tpp(&TppId::new(id)).await?)
    }

    /// Takes note of a third party that showed a certificate at an interface without registrations. The registration
    /// of one that has registered stays as it is, so it is the same third party at every interface.
    ///
    /// # Errors
    /// [`Refusal::CertificateRevoked`], [`Refusal::CertificateBlocked`], [`domain::StandingRefusal`]
    pub async fn recognise(
        &self,
        ctx: &Ctx,
        interface: Interface,
        identity: &CertificateIdentity,
    ) -> Result<ActingTpp, Error> {
        let holder = identity.holder();
        retry(|| async {
            let mut changes = Changes::new();
            let known = self.0.store.certificate(&holder.fingerprint).await?;
            let record = match known {
                Some(record) => {
                    status_refusal(record.status, Place::SEAL)?;
                    let seen = CertificateRecord { holder: holder.clone(), ..record.clone() };
                    // Records of older versions do not say how long a certificate is valid.
                    if seen != record {
                        changes = changes.put_certificate(&seen);
                    }
                    seen
                }
                None => {
                    let record = CertificateRecord::first_seen(holder.clone(), ctx.now);
                    changes = changes.put_certificate(&record);
                    record
                }
            };
            let tpp = match self.0.store.tpp(&holder.tpp).await? {
                Some(tpp) => tpp,
                None => {
                    let registration = Registration {
                        certificate: CertificateHolder { signing_key: None, ..holder.clone() },
                        redirect_uris: RedirectUris::from_stored(Vec::new()),
                        sector_identifier_uri: String::new(),
                        // Nobody knows it: at the authorization server this client has yet to register.
                        secret: secrets::hash(&self.0.randomness.secret()),
                        authentication: None,
                    };
                    Tpp::register(None, registration, ctx.now)
                }
            };
            let acting = self.acts_by_shown_certificate(ctx, interface, &tpp, &record)?;
            if let Some(presented) = identity.presented() {
                changes = self.keep_path(changes, presented).await?;
            }
            if tpp.recognised.as_deref() != Some(holder.fingerprint.as_str()) {
                // As where another certificate takes the place of that of a registration.
                self.finish_ending(&holder.tpp).await?;
                let recognised = Some(holder.fingerprint.clone());
                changes = changes.put_tpp(&Tpp { recognised, ..tpp });
            }
            self.0.store.save(changes).await?;
            Ok(acting)
        })
        .await
    }

    /// Takes note of a third party that is one of the bank's own customers, at an interface where customers can have
    /// clients of their own. The bank knows who it is, so it has no certificate, and no certificate leads to it; at the
    /// authorization server it has no secret.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn recognise_customer(
        &self,
        ctx: &Ctx,
        id: TppId,
        (name, roles): (String, Vec<eidas::Role>),
    ) -> Result<(), Error> {
        retry(|| async {
            let known = self.0.store.tpp(&id).await?;
            if known.as_ref().is_some_and(|known| known.name == name && known.roles == roles) {
                return Ok(());
            }
            let registration = Registration {
                certificate: CertificateHolder {
                    fingerprint: String::new(),
                    serial: String::new(),
                    tpp: id.clone(),
                    name: name.clone(),
                    roles: roles.clone(),
                    not_before: Timestamp::MIN,
                    not_after: Timestamp::MAX,
                    signing_key: None,
                },
                redirect_uris: RedirectUris::from_stored(Vec::new()),
                sector_identifier_uri: String::new(),
                secret: secrets::hash(&self.0.randomness.secret()),
                authentication: None,
            };
            let tpp = Tpp::register(known.as_ref(), registration, ctx.now);
            Ok(self.0.store.save(Changes::new().put_tpp(&tpp)).await?)
        })
        .await
    }

    /// The registration of an organisation.
    ///
    /// # Errors
    /// [`Refusal::NotRegistered`]
    pub(crate) async fn registered(&self, id: &TppId) -> Result<Tpp, Error> {
        self.0.store.tpp(id).await?.ok_or_else(|| Refusal::NotRegistered(id.clone()).into())
    }

    /// The client that proves itself by its secret.
    ///
    /// # Errors
    /// [`Refusal::ClientCredentials`], the same for an unknown id and for a wrong secret.
    pub async fn authenticate_client(&self, id: &str, secret: &str) -> Result<Tpp, Error> {
        let client = self.client(id).await?;
        // An unknown client costs the same comparison as a known one.
        let stored =
            client.as_ref().map_or_else(|| SecretHash::from_hex("0".repeat(64)), |c| c.secret.clone());
        let fits = secrets::matches(secret, &stored);
        client.filter(|_| fits).ok_or(Error::Refused(Refusal::ClientCredentials))
    }

    /// Takes note of a client's assertion until it expires. False if it was taken before (RFC 7523, 3).
    ///
    /// # Errors
    /// [`Error`]
    pub async fn take_client_assertion(
        &self,
        ctx: &Ctx,
        client: &TppId,
        jti: &str,
        expires_at: Timestamp,
    ) -> Result<bool, Error> {
        let hash = secrets::hash(&format!("{client}|{jti}"));
        let changes = Changes::new().add_client_assertion(&hash, &ctx.tenant, expires_at);
        match self.0.store.save(changes).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
