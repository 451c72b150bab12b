//! The customer at the bank's pages: arrive, log in, decide, go back to the third party.
//!
//! Whatever way a customer takes, pages or a test's headless approval, these are the rules.

use domain::dynamic_linking::challenge;
use domain::{
    Access, Account, Authorisation, AuthorisationId, AuthorizationRequest, Consent, ConsentId,
    ConsentRequest, FundsConsent, Interface, Language, Payment, PaymentId, PaymentRefusal, Purpose, Session,
    Subject, Tenant, Tpp,
};

use crate::decisions::{Approval, DecisionProblem, WaitingPayment};
use crate::error::retry;
use crate::log_in::LogInProblem;
use crate::subjects::Matter;
use crate::{ActingTpp, Changes, Ctx, Error, Gateway, secrets};

/// A way back to the third party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayBack {
    /// The request that is answered: where to, and by which rules.
    pub request: Box<AuthorizationRequest>,
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
    /// The bank made the payment meanwhile that was to be cancelled, or began to: it goes on.
    NotStopped(PaymentRefusal),
    /// The customer cancelled.
    Cancelled,
    /// The customer cancelled, and there was no money for anything that waited, which waits as before.
    CancelledUnpaid(PaymentRefusal),
    /// There is nothing to authorise any more.
    NothingPending,
    /// Too many wrong answers at the log-in.
    LogInFailed,
    /// Too many wrong answers, the last one to the challenge of payments.
    AnswersWrong,
    /// The customer did nothing for too long.
    TimedOut,
    /// The consent names accounts that the customer does not hold.
    NoAccess,
    /// The customer approved this payment before; another holder of the account has to approve it.
    ApprovedBefore,
}

/// Where a customer's browser stands on its way through the bank's pages.
#[derive(Debug)]
pub enum Journey {
    /// Through the log-in: it goes on under a new secret.
    LoggedIn(String),
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
    /// Why the last attempt did not succeed.
    pub problem: Option<LogInProblem>,
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
    /// Why nothing was decided when the customer approved.
    pub problem: Option<DecisionProblem>,
    /// Who asks.
    pub tpp: Tpp,
    /// What the authorisation is for.
    pub purpose: Purpose,
    /// For which consent; none if it is about something else.
    pub consent: Option<Consent>,
    /// For which consent for confirmation of funds; none if it is about something else.
    pub funds_consent: Option<FundsConsent>,
    /// Name of the customer.
    pub customer_name: String,
    /// The accounts that the consent covers, or may be chosen from; those that can pay, if it is about one payment.
    pub accounts: Vec<Account>,
    /// Payments of the third party that wait for this customer. While there are some, the accounts that pay are those
    /// that the third party gets access to.
    pub payments: Vec<WaitingPayment>,
    /// Language of the page.
    pub language: Language,
    /// Where the browser goes back to.
    pub redirect_uri: String,
    /// The number of the customer's device, at a bank for tests.
    pub device_number: Option<String>,
    nonce: String,
    challenge_digits: usize,
}

impl DecisionView {
    /// What the customer's device has to answer so that the payments that an approval names are made; none if it names
    /// none.
    pub fn challenge(&self, approval: &Approval) -> Option<String> {
        let is_made = |one: &&WaitingPayment| approval.payments.contains(&(one.payment.id.clone(), true));
        let made: Vec<_> = self.payments.iter().filter(is_made).map(|one| &one.payment).collect();
        (!made.is_empty()).then(|| challenge(made, &self.nonce, self.challenge_digits))
    }
}

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
        let payments = self.waiting_payments(ctx, customer, &open).await?;
        let mut funds_consent = None;
        let (consent, accounts) = match &open.matter {
            Matter::Consent(consent) => {
                let offered = self.offered(customer, consent).await?;
                (Some(consent.clone()), offered.into_iter().map(|(account, _)| account).collect())
            }
            Matter::FundsConsent(consent) => {
                funds_consent = Some(consent.clone());
                let mut accounts = self.0.bank.customers.accounts_of(customer).await?;
                accounts.retain(|account| consent.account.names(account));
                (None, accounts)
            }
            Matter::Payment(payment) => (None, self.payable(customer, payment).await?),
        };
        let payments = self.waiting_with_payers(ctx, customer, payments).await?;
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
