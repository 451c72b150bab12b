//! The customer at the bank's pages: arrive, log in, decide, go back to the third party.
//!
//! Whatever way a customer takes, pages or a test's headless approval, these are the rules.

use domain::{
    Account, Authorisation, AuthorizationProfile, AuthorizationRequest, Consent, GrantedAccount, Language,
    PaymentId, PaymentRefusal, Session, Tpp,
};

use crate::decisions::{WaitingPayment, is_waiting};
use crate::error::retry;
use crate::{ActingTpp, Changes, Ctx, Error, Gateway, secrets};

/// Digits of a challenge.
pub(crate) const CHALLENGE: usize = 8;

/// Days for which an authorization without a consent of its own is good (Delegated Regulation (EU) 2018/389,
/// Article 10, in its first version: what clients of such interfaces count with).
const AUTHORIZED_DAYS: i64 = 90;

/// A way back to the third party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayBack {
    /// Where to.
    pub redirect_uri: String,
    /// `state`, as it came.
    pub state: Option<String>,
    /// By which rules the request is answered.
    pub profile: AuthorizationProfile,
    /// What was to be authorised, for messages: a kind and an id.
    pub what: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// How an authorisation ended for the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Approved: a code for the third party.
    Code(String),
    /// The customer is through with the one payment that the request was about; the third party asks what became of it.
    PaymentDecided,
    /// The bank does not make a payment as things are, and the customer went back; the payment waits as before.
    NotPaid(PaymentRefusal),
    /// The payments that were shown were decided or cancelled before; nothing was paid or shared.
    PaymentGone,
    /// The customer cancelled.
    Cancelled,
    /// There is nothing to authorise any more.
    NothingPending,
    /// Too many wrong answers.
    LogInFailed,
    /// The customer did nothing for five minutes.
    TimedOut,
    /// The consent names accounts that the customer does not hold.
    NoAccess,
}

/// Where a customer's browser stands.
#[derive(Debug)]
pub enum Visit {
    /// At the log-in.
    LogIn(Box<LogInView>),
    /// At the decision.
    Decide(Box<DecisionView>),
    /// On the way back.
    Leave(WayBack),
    /// Nowhere: there is no such session, or it has ended.
    Ended,
}

/// What the log-in page shows.
#[derive(Debug)]
pub struct LogInView {
    /// Who asks.
    pub tpp: Tpp,
    /// What the customer's device has to answer.
    pub challenge: String,
    /// Language of the page.
    pub language: Language,
    /// Where the browser goes back to.
    pub redirect_uri: String,
}

/// What the decision page shows.
#[derive(Debug)]
pub struct DecisionView {
    /// Who asks.
    pub tpp: Tpp,
    /// For what.
    pub consent: Consent,
    /// Name of the customer.
    pub customer_name: String,
    /// The accounts that the consent covers, or may be chosen from; those that can pay, if it is about one payment
    /// whose payer chooses.
    pub accounts: Vec<(Account, GrantedAccount)>,
    /// Payments of the third party that wait for this customer. While there are some, the accounts that pay are those
    /// that the third party gets access to.
    pub payments: Vec<WaitingPayment>,
    /// Language of the page.
    pub language: Language,
    /// Where the browser goes back to.
    pub redirect_uri: String,
}

/// What a browser arrives with where nothing was asked for before.
#[derive(Debug, Clone)]
pub struct AuthorizationWish {
    /// For what.
    pub access: domain::Access,
    /// Where the browser goes back to; the caller has checked it.
    pub redirect_uri: String,
    /// `state`, returned as it came.
    pub state: Option<String>,
    /// The one payment that it is about.
    pub payment: Option<PaymentId>,
}

/// A session that goes on, with all that belongs to it.
pub(crate) struct Open {
    pub(crate) session: Session,
    pub(crate) consent: Consent,
    pub(crate) authorisation: Authorisation,
}

/// A session as it was found.
pub(crate) enum Found {
    Open(Box<Open>),
    Leave(WayBack),
    Ended,
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
            let consent = self.consent(ctx, client, request.consent.as_str()).await;
            let consent = match consent {
                Err(Error::NotFound(_)) => None,
                other => Some(other?).filter(|consent| consent.check_open(ctx.now).is_ok()),
            };
            let authorisations = self.0.store.authorisations(&request.consent).await?;
            let newest = authorisations.into_iter().rfind(|one| one.is_pending_at(ctx.now));
            let (Some(_), Some(newest)) = (consent, newest) else {
                return Ok(Err(way_back(request, Outcome::NothingPending)));
            };
            Ok(Ok(self.open_session(ctx, Changes::new(), request, newest.start()).await?))
        })
        .await
    }

    /// A browser arrives with an authorization request at an interface where nothing was asked for before: a consent
    /// is made for it. Returns the secret of its session.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn begin_authorization(
        &self,
        ctx: &Ctx,
        client: &ActingTpp,
        wish: AuthorizationWish,
    ) -> Result<String, Error> {
        let AuthorizationWish { access, redirect_uri, state, payment } = wish;
        let (id, authorisation) = (self.0.randomness.id(), self.0.randomness.id());
        let id = domain::ConsentId::new(id);
        let request = domain::ConsentRequest {
            access,
            recurring: true,
            valid_until: ctx.today().saturating_add(jiff::Span::new().days(AUTHORIZED_DAYS)),
            frequency_per_day: 4,
            combined_service: false,
            redirect_uri: redirect_uri.clone(),
        };
        let who = (client.id().clone(), ctx.tenant.clone(), client.interface());
        let consent = Consent::request(id.clone(), who, request, ctx.now, domain::ConsentRules::default())?;
        let authorisation = domain::AuthorisationId::new(authorisation);
        let authorisation =
            Authorisation::begin(authorisation, (id.clone(), 1), redirect_uri.clone(), ctx.now);
        let request = AuthorizationRequest {
            client: client.id().clone(),
            consent: id,
            redirect_uri,
            state,
            nonce: None,
            code_challenge: None,
            offline_access: false,
            profile: AuthorizationProfile::Plain,
            payment,
            pushed: None,
        };
        let changes = Changes::new().put_consent(&consent);
        self.open_session(ctx, changes, &request, authorisation.start()).await
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
            challenge: self.0.randomness.digits(CHALLENGE),
            named: None,
            language: ctx.language.unwrap_or_else(|| ctx.tenant.language()),
            customer: None,
            authenticated_at: None,
            seen_at: ctx.now,
            ended: false,
            version: 0,
        };
        let changes = changes.put_session(&session).put_authorisation(&authorisation);
        self.0.store.save(changes).await?;
        Ok(secret)
    }

    /// The tenant of a session, whose clock decides when it has been idle for too long.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn session_tenant(&self, secret: &str) -> Result<Option<domain::Tenant>, Error> {
        let session = self.0.store.session(&secrets::hash(secret)).await?;
        Ok(session.map(|session| session.tenant))
    }

    /// A browser asks for its page, perhaps in another language.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn visit(&self, ctx: &Ctx, secret: &str, language: Option<Language>) -> Result<Visit, Error> {
        let open = retry(|| async {
            let found = self.find_session(ctx, secret).await?;
            if let Found::Open(open) = &found {
                let language = language.unwrap_or(open.session.language);
                let seen = Session { seen_at: ctx.now, language, ..open.session.clone() };
                self.0.store.save(Changes::new().put_session(&seen)).await?;
            }
            Ok(found)
        });
        let open = match open.await? {
            Found::Open(open) => open,
            Found::Leave(way_back) => return Ok(Visit::Leave(way_back)),
            Found::Ended => return Ok(Visit::Ended),
        };
        let tpp = self.registered(&open.session.request.client).await?;
        let language = language.unwrap_or(open.session.language);
        let redirect_uri = open.session.request.redirect_uri.clone();
        let Some(customer) = &open.session.customer else {
            let challenge = open.session.challenge.clone();
            return Ok(Visit::LogIn(Box::new(LogInView { tpp, challenge, language, redirect_uri })));
        };
        let customer_name = self.0.bank.customer(customer).await?.name;
        let payments = self.waiting_payments(ctx, customer, &open.session.request).await?;
        let accounts = match &payments[..] {
            [payment] if payment.debtor.is_none() => self.payable(customer, payment).await?,
            _ => self.offered(customer, &open.consent).await?,
        };
        let payments = self.waiting_with_payers(ctx, customer, payments).await?;
        let consent = open.consent;
        let view = DecisionView { tpp, consent, customer_name, accounts, payments, language, redirect_uri };
        Ok(Visit::Decide(Box::new(view)))
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
    ///
    /// # Errors
    /// [`Error`]
    pub async fn simulated_answer(
        &self,
        device_number: &str,
        challenge: &str,
    ) -> Result<Option<String>, Error> {
        match self.0.bank.simulated_answer(device_number, challenge) {
            Some(answer) => Ok(Some(answer.await?)),
            None => Ok(None),
        }
    }

    /// Loads a session and decides whether it goes on. One that does not is ended here.
    ///
    /// # Errors
    /// [`domain::StandingRefusal`]
    pub(crate) async fn find_session(&self, ctx: &Ctx, secret: &str) -> Result<Found, Error> {
        let session = self.0.store.session(&secrets::hash(secret)).await?;
        let session = session.filter(|session| !session.ended && session.tenant == ctx.tenant);
        let Some(session) = session else { return Ok(Found::Ended) };
        let consent = self.0.store.consent(&session.request.consent).await?;
        let authorisation = self.0.store.authorisation(&session.authorisation).await?;
        let (Some(consent), Some(authorisation)) = (consent, authorisation) else {
            return Ok(Found::Ended);
        };
        // Nothing is shown to a customer for a third party that may not act, and nothing is sent to it.
        self.may_act(ctx, consent.interface, &consent.tpp).await?;
        let is_pending = consent.check_open(ctx.now).is_ok() && authorisation.is_pending_at(ctx.now);
        let is_gone = match &session.request.payment {
            Some(id) => !is_waiting(&self.payment(ctx, id).await?, ctx),
            None => false,
        };
        let (changes, outcome) = if !is_pending {
            (Changes::new(), Outcome::NothingPending)
        } else if is_gone {
            // Somebody else decided, or it was taken back: there is nothing left that could be approved.
            let refused = Changes::new().put_consent(&consent.reject(ctx.now));
            (refused.put_authorisation(&authorisation.fail()), Outcome::PaymentGone)
        } else if session.is_idle_at(ctx.now) {
            (Changes::new().put_authorisation(&authorisation.fail()), Outcome::TimedOut)
        } else {
            return Ok(Found::Open(Box::new(Open { session, consent, authorisation })));
        };
        Ok(Found::Leave(self.leave(changes, session, outcome).await?))
    }

    /// Saves `changes` and ends the session.
    pub(crate) async fn leave(
        &self,
        changes: Changes,
        session: Session,
        outcome: Outcome,
    ) -> Result<WayBack, Error> {
        let (changes, way_back) = end(changes, session, outcome);
        self.0.store.save(changes).await?;
        Ok(way_back)
    }
}

/// Adds the end of a session to `changes`.
pub(crate) fn end(changes: Changes, session: Session, outcome: Outcome) -> (Changes, WayBack) {
    let way_back = way_back(&session.request, outcome);
    (changes.put_session(&Session { ended: true, ..session }), way_back)
}

fn way_back(request: &AuthorizationRequest, outcome: Outcome) -> WayBack {
    WayBack {
        redirect_uri: request.redirect_uri.clone(),
        state: request.state.clone(),
        profile: request.profile,
        what: format!("consent with uuid {}", request.consent),
        outcome,
    }
}
