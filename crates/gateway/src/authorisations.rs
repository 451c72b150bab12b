//! Authorisations of a consent, as the third party sees them.

use domain::{Authorisation, AuthorisationId, GrantRefusal, Interface, ScaStatus, Subject};

use crate::consents::check_redirect_uri;
use crate::error::retry;
use crate::grants::check_access_token;
use crate::requests::{RequestKey, Seen};
use crate::{AccessCredentials, ActingTpp, Changes, Ctx, Error, Gateway, Noun};

impl Gateway {
    /// Begins one more authorisation of a consent, after one that came to nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`domain::ConsentRefusal`]
    pub async fn start_authorisation(
        &self,
        ctx: &Ctx,
        (tpp, consent): (&ActingTpp, &str),
        redirect_uri: &str,
        key: &RequestKey,
    ) -> Result<Authorisation, Error> {
        let consent = self.consent(ctx, tpp, consent).await?;
        let id = AuthorisationId::new(self.0.randomness.id());
        retry(|| async {
            let stored = match self.seen(ctx, key).await? {
                Seen::Before(made) => return self.begun_before(&made).await,
                Seen::New(stored) => Seen::made(stored, &[id.as_str()]),
            };
            check_redirect_uri(&self.registered(tpp.id()).await?, redirect_uri)?;
            consent.check_open(ctx.now, self.rules_of(&consent))?;
            let subject = Subject::Consent(consent.id.clone());
            let which = (subject.clone(), self.0.store.last_authorisation(&subject).await? + 1);
            let authorisation = Authorisation::begin(id.clone(), which, redirect_uri.to_owned(), ctx.now);
            let changes = Changes::new().put_request(&stored).put_authorisation(&authorisation);
            self.0.store.save(changes).await?;
            Ok(authorisation)
        })
        .await
    }

    /// Every authorisation of a consent, the oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn authorisations(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        consent: &str,
    ) -> Result<Vec<Authorisation>, Error> {
        let consent = self.consent(ctx, tpp, consent).await?;
        Ok(self.0.store.authorisations(&Subject::Consent(consent.id)).await?)
    }

    /// One authorisation of a consent.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn authorisation(
        &self,
        ctx: &Ctx,
        (tpp, consent): (&ActingTpp, &str),
        id: &str,
    ) -> Result<Authorisation, Error> {
        let consent = self.consent(ctx, tpp, consent).await?;
        let authorisation = self.0.store.authorisation(&AuthorisationId::new(id)).await?;
        let own = authorisation.filter(|authorisation| authorisation.subject == consent.id);
        own.ok_or(Error::NotFound(Noun::Authorisation))
    }

    /// The third party confirms an authorisation with a token that came from it: the consent becomes valid.
    /// Confirming again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`GrantRefusal`], [`domain::AuthorisationRefusal`], [`domain::ConsentRefusal`]
    pub async fn confirm_authorisation(
        &self,
        ctx: &Ctx,
        credentials: AccessCredentials<'_>,
        id: &str,
    ) -> Result<Authorisation, Error> {
        let own = (credentials.tpp, credentials.consent);
        self.authorisation(ctx, own, id).await?;
        let token = credentials.token.ok_or(GrantRefusal::AccessTokenMissing)?;
        let known = self.known_token(token).await?;
        let audience = credentials.tpp.interface();
        let (token, grant) = check_access_token(ctx, audience, (token, known), credentials.certificate)?;
        self.note_use((&token, &grant)).await?;
        retry(|| async {
            let consent = self.consent(ctx, credentials.tpp, credentials.consent).await?;
            if grant.subject != consent.id || grant.client != *credentials.tpp.id() {
                return Err(GrantRefusal::AccessTokenOfAnotherSubject(Subject::Consent(consent.id)).into());
            }
            let authorisation = self.authorisation(ctx, own, id).await?;
            let (before, was) = (consent.clone(), authorisation.clone());
            let profile = self.profile(consent.interface);
            let consent = consent.confirm(ctx.now, &profile.consents)?;
            let authorisation = authorisation.confirm(ctx.now, profile.sca.lifetime)?;
            if (&consent, &authorisation) != (&before, &was) {
                let changes = Changes::new().put_consent(&consent).put_authorisation(&authorisation);
                self.0.store.save(changes).await?;
            }
            Ok(authorisation)
        })
        .await
    }

    /// What an authorisation at an interface is now.
    pub fn sca_status(&self, ctx: &Ctx, interface: Interface, authorisation: &Authorisation) -> ScaStatus {
        authorisation.status_at(ctx.now, self.profile(interface).sca.lifetime)
    }

    async fn begun_before(&self, made: &[String]) -> Result<Authorisation, Error> {
        let [id] = made else { return Err(Error::NotFound(Noun::Authorisation)) };
        let authorisation = self.0.store.authorisation(&AuthorisationId::new(id)).await?;
        authorisation.ok_or(Error::NotFound(Noun::Authorisation))
    }
}
