//! A browser arrives, with an authorization request or with a wish of its own: its session begins.

use domain::{
    Access, Authorisation, AuthorisationId, AuthorizationRequest, Consent, ConsentId, ConsentRequest,
    PaymentId, Session, Subject,
};

use super::{Outcome, WayBack};
use crate::error::retry;
use crate::{ActingTpp, Changes, Ctx, Error, Gateway, secrets};

/// What a browser arrives with where nothing was asked for before.
#[derive(Debug, Clone)]
pub struct AuthorizationWish {
    /// For what.
    pub wanted: Wanted,
    /// Where the browser goes back to; the caller has checked it.
    pub redirect_uri: String,
    /// `state`, returned as it came.
    pub state: Option<String>,
}

/// For what a browser arrives.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// To give access to accounts, and decide about payments that wait.
    Access(Access),
    /// To decide about one payment.
    Payment(PaymentId),
}

impl Gateway {
    /// A browser arrives with an authorization request that has passed every check. Returns the secret of its
    /// session, or the way back if there is nothing to authorise.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn begin_session(
        &self,
        ctx: &Ctx,
        client: &ActingTpp,
        request: &AuthorizationRequest,
    ) -> Result<Result<String, WayBack>, Error> {
        retry(|| async {
            let matter = match self.own_matter(ctx, client, &request.subject).await {
                Err(Error::NotFound(_)) => None,
                matter => Some(matter?),
            };
            let authorisations = match &matter {
                Some(_) => self.0.store.authorisations(&request.subject).await?,
                None => Vec::new(),
            };
            let lifetime = self.profile(request.interface).sca.lifetime;
            let is_open = |one: &Authorisation| {
                one.is_pending_at(ctx.now, lifetime)
                    && matter
                        .as_ref()
                        .is_some_and(|matter| matter.awaits(one.purpose, ctx.now, self.profiles()))
            };
            match authorisations.into_iter().rfind(is_open) {
                Some(newest) => {
                    Ok(Ok(self.open_session(ctx, Changes::new(), request, newest.start()).await?))
                }
                None => {
                    let request = Box::new(request.clone());
                    Ok(Err(WayBack { request, outcome: Outcome::NothingPending }))
                }
            }
        })
        .await
    }

    /// A browser arrives at an interface where no authorisation was begun before: for access a consent is made. Returns
    /// the secret of its session.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn begin_authorization(
        &self,
        ctx: &Ctx,
        client: &ActingTpp,
        wish: AuthorizationWish,
    ) -> Result<String, Error> {
        let AuthorizationWish { wanted, redirect_uri, state } = wish;
        let (subject, changes) = match wanted {
            Wanted::Access(access) => {
                let consent = self.consent_without_request(ctx, client, access, &redirect_uri)?;
                let changes = Changes::new().put_consent(&consent);
                (Subject::Consent(consent.id), changes)
            }
            Wanted::Payment(id) => (Subject::Payment(id), Changes::new()),
        };
        let request = AuthorizationRequest {
            client: client.id().clone(),
            interface: client.interface(),
            subject,
            redirect_uri,
            state,
            nonce: None,
            code_challenge: None,
            offline_access: false,
            pushed: None,
        };
        retry(|| async {
            // One payment may be shown to several browsers, each in an authorisation of its own.
            let before = match &request.subject {
                Subject::Payment(_) => self.0.store.last_authorisation(&request.subject).await?,
                Subject::Consent(_) | Subject::FundsConsent(_) => 0,
            };
            let id = AuthorisationId::new(self.0.randomness.id());
            let (which, uri) = ((request.subject.clone(), before + 1), request.redirect_uri.clone());
            let authorisation = Authorisation::begin(id, which, uri, ctx.now).start();
            self.open_session(ctx, changes.clone(), &request, authorisation).await
        })
        .await
    }

    /// The consent of a customer who is asked for access without one.
    fn consent_without_request(
        &self,
        ctx: &Ctx,
        client: &ActingTpp,
        access: Access,
        redirect_uri: &str,
    ) -> Result<Consent, Error> {
        let rules = &self.profile(client.interface()).consents;
        let request = ConsentRequest {
            access,
            recurring: true,
            valid_until: ctx.today().saturating_add(jiff::Span::new().days(rules.unasked_days)),
            frequency_per_day: rules.max_frequency,
            combined_service: false,
            redirect_uri: redirect_uri.to_owned(),
        };
        let id = ConsentId::new(self.0.randomness.id());
        let who = (client.id().clone(), ctx.tenant.clone(), client.interface());
        Ok(Consent::request(id, who, request, ctx.now, rules)?)
    }

    /// Saves `changes` with a session for an authorisation and returns its secret.
    async fn open_session(
        &self,
        ctx: &Ctx,
        changes: Changes,
        request: &AuthorizationRequest,
        authorisation: Authorisation,
    ) -> Result<String, Error> {
        let secret = self.0.randomness.secret();
        let session = Session {
            hash: secrets::hash(&secret),
            tenant: ctx.tenant.clone(),
            authorisation: authorisation.id.clone(),
            request: request.clone(),
            challenge: self.0.randomness.digits(self.profile(request.interface).sca.challenge_digits),
            named: None,
            language: ctx.language.unwrap_or_else(|| ctx.tenant.language()),
            logged_in: None,
            seen_at: ctx.now,
            ended: false,
            version: 0,
        };
        let changes = changes.put_session(&session).put_authorisation(&authorisation);
        self.0.store.save(changes).await?;
        Ok(secret)
    }
}
