//! The customer at the bank's pages: arrive, log in, decide, go back to the third party.
//!
//! Whatever way a customer takes, pages or a test's headless approval, these are the rules.

use domain::grants::CODE_LIFETIME;
use domain::{
    Account, AccountId, Authorisation, AuthorizationCode, AuthorizationRequest, Consent, CustomerId,
    GrantedAccount, Language, Session, Tpp,
};

use crate::error::retry;
use crate::{Changes, Ctx, Error, Gateway, secrets};

/// Digits of a challenge.
pub(crate) const CHALLENGE: usize = 8;

/// A way back to the third party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayBack {
    /// Where to.
    pub redirect_uri: String,
    /// `state`, as it came.
    pub state: Option<String>,
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
    /// The accounts that the consent covers, or may be chosen from.
    pub accounts: Vec<(Account, GrantedAccount)>,
    /// Language of the page.
    pub language: Language,
    /// Where the browser goes back to.
    pub redirect_uri: String,
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
        request: &AuthorizationRequest,
    ) -> Result<Result<String, WayBack>, Error> {
        let secret = self.0.randomness.secret();
        retry(|| async {
            let consent = self.consent(ctx, &request.client, request.consent.as_str()).await;
            let consent = match consent {
                Err(Error::NotFound(_)) => None,
                other => Some(other?).filter(|consent| consent.check_open(ctx.now).is_ok()),
            };
            let authorisations = self.0.store.authorisations(&request.consent).await?;
            let newest = authorisations.into_iter().rfind(|one| one.is_pending_at(ctx.now));
            let (Some(_), Some(newest)) = (consent, newest) else {
                return Ok(Err(way_back(request, Outcome::NothingPending)));
            };
            let session = Session {
                hash: secrets::hash(&secret),
                tenant: ctx.tenant.clone(),
                authorisation: newest.id.clone(),
                request: request.clone(),
                challenge: self.0.randomness.digits(CHALLENGE),
                language: ctx.tenant.language(),
                customer: None,
                authenticated_at: None,
                seen_at: ctx.now,
                ended: false,
                version: 0,
            };
            let changes = Changes::new().put_session(&session).put_authorisation(&newest.start());
            self.0.store.save(self.forget_now_and_then(ctx, changes, session.hash.as_hex())).await?;
            Ok(Ok(secret.clone()))
        })
        .await
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
        let customer_name = self.0.bank.customer_name(customer).await?;
        let accounts = self.offered(customer, &open.consent).await?;
        let consent = open.consent;
        let view = DecisionView { tpp, consent, customer_name, accounts, language, redirect_uri };
        Ok(Visit::Decide(Box::new(view)))
    }

    /// The customer approves, with the account they chose where there is a choice. Absent without a choice that
    /// is possible: the page is shown again.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn approve(
        &self,
        ctx: &Ctx,
        secret: &str,
        chosen: Option<&AccountId>,
    ) -> Result<Option<Visit>, Error> {
        let secret_code = self.0.randomness.secret();
        retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Found::Open(open) => open,
                Found::Leave(way_back) => return Ok(Some(Visit::Leave(way_back))),
                Found::Ended => return Ok(Some(Visit::Ended)),
            };
            let Open { session, consent, authorisation } = *open;
            let Some(customer) = session.customer.clone() else { return Ok(None) };
            let offered = self.offered(&customer, &consent).await?;
            let mut granted: Vec<_> = offered.into_iter().map(|(_, granted)| granted).collect();
            if consent.access.is_bank_offered() {
                granted.retain(|granted| Some(&granted.account) == chosen);
                if granted.is_empty() {
                    return Ok(None);
                }
            }
            let code = AuthorizationCode {
                hash: secrets::hash(&secret_code),
                tenant: ctx.tenant.clone(),
                authorisation: authorisation.id.clone(),
                request: session.request.clone(),
                customer: customer.clone(),
                authenticated_at: session.authenticated_at.unwrap_or(ctx.now),
                expires_at: ctx.now.saturating_add(CODE_LIFETIME).unwrap_or(ctx.now),
                grant: None,
                version: 0,
            };
            let changes = Changes::new()
                .put_consent(&consent.approve(customer.clone(), granted, ctx.now)?)
                .put_authorisation(&authorisation.approve(customer))
                .put_authorization_code(&code);
            let way_back = self.leave(changes, session, Outcome::Code(secret_code.clone())).await?;
            Ok(Some(Visit::Leave(way_back)))
        })
        .await
    }

    /// The customer cancels: the consent is refused.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn cancel(&self, ctx: &Ctx, secret: &str) -> Result<Visit, Error> {
        retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Found::Open(open) => open,
                Found::Leave(way_back) => return Ok(Visit::Leave(way_back)),
                Found::Ended => return Ok(Visit::Ended),
            };
            let changes = Changes::new()
                .put_consent(&open.consent.reject(ctx.now))
                .put_authorisation(&open.authorisation.fail());
            Ok(Visit::Leave(self.leave(changes, open.session, Outcome::Cancelled).await?))
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
    pub(crate) async fn find_session(&self, ctx: &Ctx, secret: &str) -> Result<Found, Error> {
        let session = self.0.store.session(&secrets::hash(secret)).await?;
        let session = session.filter(|session| !session.ended && session.tenant == ctx.tenant);
        let Some(session) = session else { return Ok(Found::Ended) };
        let consent = self.0.store.consent(&session.request.consent).await?;
        let authorisation = self.0.store.authorisation(&session.authorisation).await?;
        let (Some(consent), Some(authorisation)) = (consent, authorisation) else {
            return Ok(Found::Ended);
        };
        let is_pending = consent.check_open(ctx.now).is_ok() && authorisation.is_pending_at(ctx.now);
        let (changes, outcome) = if !is_pending {
            (Changes::new(), Outcome::NothingPending)
        } else if session.is_idle_at(ctx.now) {
            (Changes::new().put_authorisation(&authorisation.fail()), Outcome::TimedOut)
        } else {
            return Ok(Found::Open(Box::new(Open { session, consent, authorisation })));
        };
        Ok(Found::Leave(self.leave(changes, session, outcome).await?))
    }

    /// The accounts of a customer that a consent covers or offers.
    async fn offered(
        &self,
        customer: &CustomerId,
        consent: &Consent,
    ) -> Result<Vec<(Account, GrantedAccount)>, Error> {
        let accounts = self.0.bank.accounts_of(customer).await?;
        Ok(accounts
            .into_iter()
            .filter_map(|account| consent.access.grant(&account).map(|granted| (account, granted)))
            .collect())
    }

    /// Saves `changes` and ends the session.
    pub(crate) async fn leave(
        &self,
        changes: Changes,
        session: Session,
        outcome: Outcome,
    ) -> Result<WayBack, Error> {
        let way_back = way_back(&session.request, outcome);
        let ended = Session { ended: true, ..session };
        self.0.store.save(changes.put_session(&ended)).await?;
        Ok(way_back)
    }
}

fn way_back(request: &AuthorizationRequest, outcome: Outcome) -> WayBack {
    WayBack {
        redirect_uri: request.redirect_uri.clone(),
        state: request.state.clone(),
        what: format!("consent with uuid {}", request.consent),
        outcome,
    }
}
