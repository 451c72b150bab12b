//! Authorisations of whatever a third party asked for, as it sees them.

use domain::{Authorisation, AuthorisationId, Interface, ScaStatus, Subject};

use crate::consents::check_redirect_uri;
use crate::error::retry;
use crate::requests::{RequestKey, Seen};
use crate::{AccessCredentials, ActingTpp, Changes, Ctx, Error, Gateway, Noun};

impl Gateway {
    /// Begins one more authorisation of a subject, after one that came to nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`domain::ConsentRefusal`], [`domain::PaymentRefusal::Final`]
    pub async fn start_authorisation(
        &self,
        ctx: &Ctx,
        (tpp, subject): (&ActingTpp, &Subject),
        redirect_uri: &str,
        key: &RequestKey,
    ) -> Result<Authorisation, Error> {
        let matter = self.own_matter(ctx, tpp, subject).await?;
        let id = AuthorisationId::new(self.0.randomness.id());
        retry(|| async {
            let stored = match self.seen(ctx, key).await? {
                Seen::Before(made) => return self.begun_before(&made).await,
                Seen::New(stored) => Seen::made(stored, &[id.as_str()]),
            };
            check_redirect_uri(&self.registered(tpp.id()).await?, redirect_uri)?;
            matter.check_open(ctx.now, self.profiles())?;
            let which = (subject.clone(), self.0.store.last_authorisation(subject).await? + 1);
            let authorisation = Authorisation::begin(id.clone(), which, redirect_uri.to_owned(), ctx.now);
            let changes = Changes::new().put_request(&stored).put_authorisation(&authorisation);
            self.0.store.save(changes).await?;
            Ok(authorisation)
        })
        .await
    }

    /// Every authorisation of a subject, the oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn authorisations(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        subject: &Subject,
    ) -> Result<Vec<Authorisation>, Error> {
        self.own_matter(ctx, tpp, subject).await?;
        Ok(self.0.store.authorisations(subject).await?)
    }

    /// One authorisation of a subject.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn authorisation(
        &self,
        ctx: &Ctx,
        (tpp, subject): (&ActingTpp, &Subject),
        id: &str,
    ) -> Result<Authorisation, Error> {
        self.own_matter(ctx, tpp, subject).await?;
        self.authorisation_of(subject, id).await
    }

    /// The third party confirms an authorisation with a token that came from it: a consent becomes valid. Confirming
    /// again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`domain::GrantRefusal`], [`domain::AuthorisationRefusal`], [`domain::ConsentRefusal`]
    pub async fn confirm_authorisation(
        &self,
        ctx: &Ctx,
        credentials: AccessCredentials<'_>,
        (subject, id): (&Subject, &str),
    ) -> Result<Authorisation, Error> {
        self.authorisation(ctx, (credentials.tpp, subject), id).await?;
        let known = self.known_token(credentials.token.unwrap_or_default()).await?;
        let (token, grant) = credentials.check(ctx, known, subject)?;
        self.note_use((&token, &grant)).await?;
        retry(|| async {
            let matter = self.own_matter(ctx, credentials.tpp, subject).await?;
            let authorisation = self.authorisation_of(subject, id).await?;
            let (changes, is_new) = matter.confirm(ctx, self.profiles())?;
            let confirmed = authorisation
                .clone()
                .confirm(ctx.now, self.profile(credentials.tpp.interface()).sca.lifetime)?;
            if is_new || confirmed != authorisation {
                self.0.store.save(changes.put_authorisation(&confirmed)).await?;
            }
            Ok(confirmed)
        })
        .await
    }

    /// What an authorisation at an interface is now.
    pub fn sca_status(&self, ctx: &Ctx, interface: Interface, authorisation: &Authorisation) -> ScaStatus {
        authorisation.status_at(ctx.now, self.profile(interface).sca.lifetime)
    }

    async fn authorisation_of(&self, subject: &Subject, id: &str) -> Result<Authorisation, Error> {
        let authorisation = self.0.store.authorisation(&AuthorisationId::new(id)).await?;
        let own = authorisation.filter(|authorisation| authorisation.subject == *subject);
        own.ok_or(Error::NotFound(Noun::Authorisation))
    }

    async fn begun_before(&self, made: &[String]) -> Result<Authorisation, Error> {
        let [id] = made else { return Err(Error::NotFound(Noun::Authorisation)) };
        let authorisation = self.0.store.authorisation(&AuthorisationId::new(id)).await?;
        authorisation.ok_or(Error::NotFound(Noun::Authorisation))
    }
}
