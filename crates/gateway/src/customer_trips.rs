//! A customer logs in to the bank's own pages at its provider: there and back as in [`crate::provider_trips`], with the session of these
//! pages. Since there is no log-out at the provider, whoever logs in here authenticates anew.

use domain::{CustomerSession, Timestamp};

use crate::customer_sessions::OwnPlace;
use crate::error::retry;
use crate::provider::Trip;
use crate::provider_trips::{CameBack, TripProblem};
use crate::{Changes, Ctx, Error, Gateway};

impl Gateway {
    /// Where a browser that is not logged in authenticates. Without a provider, and for any other browser, where it stands.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the provider is away
    pub async fn send_own_to_provider(
        &self,
        ctx: &Ctx,
        (secret, redirect_uri): (&str, &str),
    ) -> Result<Result<String, OwnPlace>, Error> {
        let session = match self.find_customer_session(ctx, secret).await? {
            Ok(session) => session,
            Err(why) => return Ok(Err(OwnPlace::Over(why))),
        };
        let (Some(provider), None) = (&self.0.bank.provider, &session.logged_in) else {
            return Ok(Err(self.own_place(session, None).await?));
        };
        let sent_at = ctx.now.as_second().to_string();
        let state = self.0.keys.seal(&context(secret, &session), &sent_at);
        let trip = self.own_trip(ctx, &session, (secret, redirect_uri), (state, ctx.now));
        Ok(Ok(provider.send(&trip).await?))
    }

    /// A browser comes back from the provider.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the provider is away
    pub async fn own_came_back(
        &self,
        ctx: &Ctx,
        (secret, redirect_uri): (&str, &str),
        came: &CameBack,
    ) -> Result<Result<OwnPlace, TripProblem>, Error> {
        let session = match self.find_customer_session(ctx, secret).await? {
            Ok(session) => session,
            Err(why) => return Ok(Ok(OwnPlace::Over(why))),
        };
        let sent_at = self.0.keys.open(&context(secret, &session), &came.state);
        let sent_at = sent_at.and_then(|text| Timestamp::from_second(text.parse().ok()?).ok());
        let (Some(provider), None, Some(sent_at)) = (&self.0.bank.provider, &session.logged_in, sent_at)
        else {
            return Ok(Err(TripProblem::Foreign));
        };
        let trip = self.own_trip(ctx, &session, (secret, redirect_uri), (came.state.clone(), sent_at));
        let challenge = session.challenge;
        let (customer, at) = match self.authenticated(ctx, provider.as_ref(), &trip, came).await? {
            Ok(authenticated) => authenticated,
            Err(refusal) => {
                self.own_answer_is_used(ctx, secret, &challenge).await?;
                return Ok(Err(TripProblem::Refused(refusal)));
            }
        };
        let fresh = self.0.randomness.secret();
        retry(|| async {
            match self.find_customer_session(ctx, secret).await? {
                Ok(session) if session.challenge == challenge => {
                    Ok(Ok(self.let_in(ctx, session, (customer.clone(), at), &fresh).await?))
                }
                Ok(_) => Ok(Err(TripProblem::Foreign)),
                Err(why) => Ok(Ok(OwnPlace::Over(why))),
            }
        })
        .await
    }

    fn own_trip(
        &self,
        ctx: &Ctx,
        session: &CustomerSession,
        (secret, redirect_uri): (&str, &str),
        (state, sent_at): (String, Timestamp),
    ) -> Trip {
        let derived = |purpose| self.0.keys.derived_secret(purpose, &[secret, &state]);
        Trip {
            redirect_uri: redirect_uri.to_owned(),
            nonce: derived("provider nonce"),
            verifier: derived("provider verifier"),
            language: session.language,
            payments: Vec::new(),
            is_anew: true,
            sent_at,
            now: ctx.now,
            state,
        }
    }

    /// The session's answers are bound to something else from now on.
    async fn own_answer_is_used(&self, ctx: &Ctx, secret: &str, challenge: &str) -> Result<(), Error> {
        retry(|| async {
            if let Ok(session) = self.find_customer_session(ctx, secret).await?
                && session.challenge == challenge
            {
                let next = CustomerSession { challenge: self.own_challenge(), seen_at: ctx.now, ..session };
                self.0.store.save(Changes::new().put_customer_session(&next)).await?;
            }
            Ok(())
        })
        .await
    }
}

/// What `state` is bound to.
fn context<'a>(secret: &'a str, session: &'a CustomerSession) -> [&'a str; 3] {
    ["own pages' provider", secret, &session.challenge]
}
