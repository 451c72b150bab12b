//! The customer at the bank's pages: arrive, log in, decide, go back to the third party.
//!
//! Whatever way a customer takes, pages or a test's headless approval, these are the rules.

mod arrival;
mod journey;

use domain::{Authorisation, Interface, Language, Payment, Session, Tenant};

pub use arrival::{AuthorizationWish, Wanted};
pub use journey::{DecisionView, Journey, LogInView, Outcome, WayBack};

use crate::decisions::offered;
use crate::error::retry;
use crate::subjects::Matter;
use crate::waiting_payments::payable;
use crate::{Changes, Ctx, Error, Gateway, secrets};

/// A session that goes on, with all that belongs to it.
pub(crate) struct Open {
    pub(crate) session: Session,
    pub(crate) matter: Matter,
    pub(crate) authorisation: Authorisation,
}

impl Open {
    /// The payment that it is about, if the third party confirms what is decided.
    pub(crate) fn payment_for_tpp(&self) -> Option<Payment> {
        self.matter.payment_for_tpp().cloned()
    }
}

impl Gateway {
    /// The tenant of a session, whose clock decides when it has been idle for too long, the interface by whose rules it
    /// goes, and the language of its pages.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn session_place(&self, secret: &str) -> Result<Option<(Tenant, Interface, Language)>, Error> {
        let session = self.0.store.session(&secrets::hash(secret)).await?;
        Ok(session.map(|session| (session.tenant, session.request.interface, session.language)))
    }

    /// Whether a session goes on. Nothing is changed.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn is_open(&self, ctx: &Ctx, secret: &str) -> Result<bool, Error> {
        let session = self.0.store.session(&secrets::hash(secret)).await?;
        Ok(session.is_some_and(|session| {
            let idle_time = self.sca_rules(&session).idle_time;
            !session.ended && session.tenant == ctx.tenant && !session.is_idle_at(ctx.now, idle_time)
        }))
    }

    /// The way back of a browser whose session has ended, or cannot go on: none if there is no such session, or its third
    /// party may not act.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn way_back_of(&self, ctx: &Ctx, secret: &str) -> Result<Option<WayBack>, Error> {
        let session = self.0.store.session(&secrets::hash(secret)).await?;
        let Some(session) = session.filter(|session| session.tenant == ctx.tenant) else { return Ok(None) };
        match self.may_act(ctx, session.request.interface, &session.request.client).await {
            Ok(_) => {
                Ok(Some(WayBack { request: Box::new(session.request), outcome: Outcome::NothingPending }))
            }
            Err(Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A browser asks for its page, perhaps in another language.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn visit(&self, ctx: &Ctx, secret: &str, language: Option<Language>) -> Result<Journey, Error> {
        let open = retry(|| async {
            let found = self.find_session(ctx, secret).await?;
            if let Ok(open) = &found {
                let language = language.unwrap_or(open.session.language);
                let seen = Session { seen_at: ctx.now, language, ..open.session.clone() };
                self.0.store.save(Changes::new().put_session(&seen)).await?;
            }
            Ok(found)
        });
        let open = match open.await? {
            Ok(open) => open,
            Err(elsewhere) => return Ok(elsewhere),
        };
        let tpp = self.registered(&open.session.request.client).await?;
        let language = language.unwrap_or(open.session.language);
        let redirect_uri = open.session.request.redirect_uri.clone();
        let Some(logged_in) = &open.session.logged_in else {
            let challenge = open.session.challenge.clone();
            let view = LogInView { problem: None, tpp, challenge, language, redirect_uri };
            return Ok(Journey::LogIn(Box::new(view)));
        };
        let customer = &logged_in.customer;
        let customer_name = self.0.bank.customers.customer(customer).await?.name;
        let mut accounts = self.0.bank.customers.accounts_of(customer).await?;
        let payments = self.waiting_payments(ctx, &accounts, &open).await?;
        let payments = self.waiting_with_payers(ctx, &accounts, payments).await?;
        let mut funds_consent = None;
        let (consent, accounts) = match &open.matter {
            Matter::Consent(consent) => {
                let offered = offered(accounts, consent).into_iter().map(|(account, _)| account);
                (Some(consent.clone()), offered.collect())
            }
            Matter::FundsConsent(consent) => {
                funds_consent = Some(consent.clone());
                accounts.retain(|account| consent.account.names(account));
                (None, accounts)
            }
            Matter::Payment(payment) => (None, payable(&accounts, payment)),
        };
        let device_number = match &self.0.bank.test_doors {
            Some(doors) if !payments.is_empty() => doors.device_number(customer).await?,
            _ => None,
        };
        let view = DecisionView {
            problem: None,
            tpp,
            purpose: open.authorisation.purpose,
            consent,
            funds_consent,
            customer_name,
            accounts,
            payments,
            language,
            redirect_uri,
            device_number,
            nonce: open.session.challenge.clone(),
            challenge_digits: self.sca_rules(&open.session).challenge_digits,
        };
        Ok(Journey::Decide(Box::new(view)))
    }

    /// Ends a session in which nothing was decided. What it was for waits as before.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn end_session(&self, secret: &str) -> Result<(), Error> {
        retry(|| async {
            let session = self.0.store.session(&secrets::hash(secret)).await?;
            if let Some(session) = session.filter(|session| !session.ended) {
                self.0.store.save(Changes::new().put_session(&Session { ended: true, ..session })).await?;
            }
            Ok(())
        })
        .await
    }

    /// What protects the forms of a session: whoever does not know its secret cannot make it.
    pub fn csrf_token(&self, secret: &str) -> String {
        self.0.keys.pairwise_text("csrf", &[secret])
    }

    /// Whether a form came from the session's own page.
    pub fn is_csrf_token(&self, secret: &str, given: &str) -> bool {
        use subtle::ConstantTimeEq;
        self.csrf_token(secret).as_bytes().ct_eq(given.as_bytes()).into()
    }

    /// What a customer's device would answer: known to a bank for tests alone.
    pub fn simulated_answer(&self, device_number: &str, challenge: &str) -> Option<String> {
        let doors = self.0.bank.test_doors.as_ref()?;
        Some(doors.simulated_answer(device_number, challenge))
    }

    /// Loads a session and decides whether it goes on, or where the browser stands instead. One that does not go on is
    /// ended here.
    ///
    /// # Errors
    /// [`domain::StandingRefusal`]
    pub(crate) async fn find_session(
        &self,
        ctx: &Ctx,
        secret: &str,
    ) -> Result<Result<Box<Open>, Journey>, Error> {
        let session = self.0.store.session(&secrets::hash(secret)).await?;
        let session = session.filter(|session| !session.ended && session.tenant == ctx.tenant);
        let Some(session) = session else { return Ok(Err(Journey::Ended)) };
        let matter = self.matter(&session.request.subject).await?;
        let authorisation = self.0.store.authorisation(&session.authorisation).await?;
        let (Some(matter), Some(authorisation)) = (matter, authorisation) else {
            return Ok(Err(Journey::Ended));
        };
        // Nothing is shown to a customer for a third party that may not act, and nothing is sent to it.
        self.may_act(ctx, session.request.interface, &session.request.client).await?;
        let sca = &self.profile(session.request.interface).sca;
        let awaits = matter.awaits(authorisation.purpose, ctx.now, self.profiles());
        let is_payment = matches!(matter, Matter::Payment(_));
        let is_pending = authorisation.is_pending_at(ctx.now, sca.lifetime) && (is_payment || awaits);
        let is_gone = is_payment && !awaits;
        let (changes, outcome) = if !is_pending {
            (Changes::new(), Outcome::NothingPending)
        } else if is_gone {
            // Somebody else decided, or it was taken back: there is nothing left that could be approved.
            (Changes::new().put_authorisation(&authorisation.fail()), Outcome::PaymentGone)
        } else if session.is_idle_at(ctx.now, sca.idle_time) {
            (Changes::new().put_authorisation(&authorisation.fail()), Outcome::TimedOut)
        } else if let Some(refusal) = self.why_not_stopped(ctx, &matter, authorisation.purpose).await? {
            (Changes::new().put_authorisation(&authorisation.fail()), Outcome::NotStopped(refusal))
        } else {
            return Ok(Ok(Box::new(Open { session, matter, authorisation })));
        };
        Ok(Err(self.leave(changes, session, outcome).await?))
    }

    /// Saves `changes` and ends the session.
    pub(crate) async fn leave(
        &self,
        changes: Changes,
        session: Session,
        outcome: Outcome,
    ) -> Result<Journey, Error> {
        let (changes, way_back) = end(changes, session, outcome);
        self.0.store.save(changes).await?;
        Ok(Journey::Leave(way_back))
    }
}

/// Adds the end of a session to `changes`.
pub(crate) fn end(changes: Changes, session: Session, outcome: Outcome) -> (Changes, WayBack) {
    let request = Box::new(session.request.clone());
    (changes.put_session(&Session { ended: true, ..session }), WayBack { request, outcome })
}
