//! Authorisations of whatever a third party asked for, as it sees them.

use domain::{Authorisation, AuthorisationId, AuthorisationRefusal, Interface, Progress, Purpose, ScaStatus};

use crate::consents::check_redirect_uri;
use crate::error::retry;
use crate::requests::{RequestKey, Seen};
use crate::subjects::{Matter, Sought};
use crate::{AccessCredentials, Changes, Ctx, Error, Gateway, Noun};

impl Gateway {
    /// Begins one more authorisation of a subject, after one that came to nothing, or of another customer.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`domain::ConsentRefusal`], [`domain::PaymentRefusal`], [`AuthorisationRefusal::TooMany`],
    /// [`AuthorisationRefusal::TooManyCancellations`]
    pub async fn start_authorisation(
        &self,
        ctx: &Ctx,
        sought: Sought<'_>,
        redirect_uri: &str,
        key: &RequestKey,
    ) -> Result<Authorisation, Error> {
        let matter = self.sought(ctx, sought).await?;
        let id = AuthorisationId::new(self.0.randomness.id());
        retry(|| async {
            let stored = match self.seen(ctx, key).await? {
                Seen::Before(made) => return self.begun_before(&made).await,
                Seen::New(stored) => Seen::made(stored, &[id.as_str()]),
            };
            check_redirect_uri(&self.registered(sought.tpp.id()).await?, redirect_uri)?;
            matter.check_open(sought.purpose, ctx.now, self.profiles())?;
            if let (Purpose::Cancellation, Matter::Payment(payment)) = (sought.purpose, &matter) {
                self.view_of(payment.clone(), ctx.now).await?.stoppable()?;
            }
            let which = (sought.subject.clone(), self.next_authorisation(ctx, sought).await?);
            let authorisation = Authorisation::begin(id.clone(), which, redirect_uri.to_owned(), ctx.now)
                .for_purpose(sought.purpose);
            let changes = Changes::new().put_request(&stored).put_authorisation(&authorisation);
            self.0.store.save(changes).await?;
            Ok(authorisation)
        })
        .await
    }

    /// The number of one more authorisation of a subject for a purpose.
    ///
    /// # Errors
    /// [`AuthorisationRefusal::TooMany`], [`AuthorisationRefusal::TooManyCancellations`]
    pub(crate) async fn next_authorisation(&self, ctx: &Ctx, sought: Sought<'_>) -> Result<i64, Error> {
        let sca = &self.profile(sought.tpp.interface()).sca;
        let (max, within) = (sca.max_authorisations, sca.lifetime);
        let all = self.0.store.authorisations(sought.subject).await?;
        let counts = |one: &&Authorisation| one.purpose == sought.purpose && one.counts_at(ctx.now, within);
        if all.iter().filter(counts).count() >= max {
            let refusal = match sought.purpose {
                Purpose::Approval => AuthorisationRefusal::TooMany { max },
                Purpose::Cancellation => AuthorisationRefusal::TooManyCancellations { max, within },
            };
            return Err(refusal.into());
        }
        Ok(all.last().map_or(1, |last| last.number + 1))
    }

    /// Every authorisation of a subject for a purpose, the oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn authorisations(&self, ctx: &Ctx, sought: Sought<'_>) -> Result<Vec<Authorisation>, Error> {
        self.sought(ctx, sought).await?;
        let mut all = self.0.store.authorisations(sought.subject).await?;
        all.retain(|one| one.purpose == sought.purpose);
        Ok(all)
    }

    /// One authorisation of a subject, as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn authorisation(
        &self,
        ctx: &Ctx,
        sought: Sought<'_>,
        id: &str,
    ) -> Result<Authorisation, Error> {
        let matter = self.sought(ctx, sought).await?;
        let authorisation = self.authorisation_of(sought, id).await?;
        let is_payment = matches!(matter, Matter::Payment(_));
        let is_done = matches!(authorisation.progress, Progress::Confirmed { .. });
        if is_payment && !is_done && !matter.awaits(authorisation.purpose, ctx.now, self.profiles()) {
            // Nobody can be asked any more: it has come to nothing.
            return Ok(authorisation.fail());
        }
        Ok(authorisation)
    }

    /// The third party confirms an authorisation with a token that came from it: a consent becomes valid, the bank gets a
    /// payment. Confirming again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`domain::GrantRefusal`], [`domain::AuthorisationRefusal`], [`domain::ConsentRefusal`],
    /// [`domain::PaymentRefusal`]
    pub async fn confirm_authorisation(
        &self,
        ctx: &Ctx,
        credentials: AccessCredentials<'_>,
        (sought, id): (Sought<'_>, &str),
    ) -> Result<Authorisation, Error> {
        let known = self.known_token(credentials.token.unwrap_or_default()).await?;
        self.end_if_stolen(ctx, credentials.tpp, known.as_ref()).await?;
        self.authorisation(ctx, sought, id).await?;
        let (token, grant) = credentials.check(ctx, known, sought.subject)?;
        self.note_use((&token, &grant)).await?;
        retry(|| async {
            let matter = self.sought(ctx, sought).await?;
            let authorisation = self.authorisation_of(sought, id).await?;
            if let Matter::Payment(payment) = matter {
                return self.confirm_payment(ctx, payment, authorisation).await;
            }
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

    async fn authorisation_of(&self, sought: Sought<'_>, id: &str) -> Result<Authorisation, Error> {
        let authorisation = self.0.store.authorisation(&AuthorisationId::new(id)).await?;
        let own = authorisation.filter(|one| one.subject == *sought.subject && one.purpose == sought.purpose);
        own.ok_or(Error::NotFound(Noun::Authorisation))
    }

    pub(crate) async fn begun_before(&self, made: &[String]) -> Result<Authorisation, Error> {
        let [id] = made else { return Err(Error::NotFound(Noun::Authorisation)) };
        let authorisation = self.0.store.authorisation(&AuthorisationId::new(id)).await?;
        authorisation.ok_or(Error::NotFound(Noun::Authorisation))
    }
}
