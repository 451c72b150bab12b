//! The customer at the bank's pages: arrive, log in, decide, go back to the third party.
//!
//! Whatever way a customer takes, pages or a test's headless approval, these are the rules.

use domain::grants::CODE_LIFETIME;
use domain::{
    Account, AccountId, AccountStatus, Authorisation, AuthorizationCode, AuthorizationProfile,
    AuthorizationRequest, Choice, Consent, CustomerId, GrantedAccount, Language, Payment, PaymentId,
    PaymentRefusal, PaymentStatus, Session, Tpp,
};

use crate::error::retry;
use crate::{Changes, Ctx, Error, Gateway, secrets};

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
    /// The customer decided about the one payment that the request was about; the third party asks what became of it.
    PaymentDecided,
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
    /// Payments of the third party that wait for this customer. While there are some, the decision is about them
    /// alone.
    pub payments: Vec<Payment>,
    /// Language of the page.
    pub language: Language,
    /// Where the browser goes back to.
    pub redirect_uri: String,
}

/// What a browser arrives with where nothing was asked for before.
#[derive(Debug, Clone)]
pub struct AuthorizationWish {
    /// Who asks.
    pub client: domain::TppId,
    /// For what.
    pub access: domain::Access,
    /// Where the browser goes back to; the caller has checked it.
    pub redirect_uri: String,
    /// `state`, returned as it came.
    pub state: Option<String>,
    /// The one payment that it is about.
    pub payment: Option<PaymentId>,
}

/// What a customer approves.
#[derive(Debug, Clone, Default)]
pub struct Approval {
    /// The accounts that were chosen, where there is a choice.
    pub accounts: Vec<AccountId>,
    /// The payments about which the customer decided: true for those to be made.
    pub payments: Vec<(PaymentId, bool)>,
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
            Ok(Ok(self.open_session(ctx, Changes::new(), request, newest.start()).await?))
        })
        .await
    }

    /// A browser arrives with an authorization request at an interface where nothing was asked for before: a consent
    /// is made for it. Returns the secret of its session.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn begin_authorization(&self, ctx: &Ctx, wish: AuthorizationWish) -> Result<String, Error> {
        let AuthorizationWish { client, access, redirect_uri, state, payment } = wish;
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
        let who = (client.clone(), ctx.tenant.clone());
        let consent = Consent::request(id.clone(), who, request, ctx.now, domain::ConsentRules::default())?;
        let authorisation = domain::AuthorisationId::new(authorisation);
        let authorisation =
            Authorisation::begin(authorisation, (id.clone(), 1), redirect_uri.clone(), ctx.now);
        let request = AuthorizationRequest {
            client,
            consent: id,
            redirect_uri,
            state,
            nonce: None,
            code_challenge: None,
            offline_access: false,
            profile: AuthorizationProfile::Plain,
            payment,
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
            language: ctx.tenant.language(),
            customer: None,
            authenticated_at: None,
            seen_at: ctx.now,
            ended: false,
            version: 0,
        };
        let changes = changes.put_session(&session).put_authorisation(&authorisation);
        self.0.store.save(self.forget_now_and_then(ctx, changes, session.hash.as_hex())).await?;
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
        let consent = open.consent;
        let view = DecisionView { tpp, consent, customer_name, accounts, payments, language, redirect_uri };
        Ok(Visit::Decide(Box::new(view)))
    }

    /// The customer approves, with what they chose where there is a choice. Absent without a choice that is
    /// possible: the page is shown again.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn approve(
        &self,
        ctx: &Ctx,
        secret: &str,
        approval: &Approval,
    ) -> Result<Option<Visit>, Error> {
        let decided = retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Found::Open(open) => *open,
                Found::Leave(way_back) => return Ok(Some((Visit::Leave(way_back), vec![]))),
                Found::Ended => return Ok(Some((Visit::Ended, vec![]))),
            };
            let Some(customer) = open.session.customer.clone() else { return Ok(None) };
            let waiting = self.waiting_payments(ctx, &customer, &open.session.request).await?;
            if waiting.is_empty() {
                let granted = choose(self.offered(&customer, &open.consent).await?, &open.consent, approval);
                let Some(granted) = granted else { return Ok(None) };
                let way_back = self.grant(ctx, Changes::new(), open, customer, granted).await?;
                return Ok(Some((Visit::Leave(way_back), vec![])));
            }
            self.decide_payments(ctx, open, customer, waiting, approval).await
        });
        let Some((visit, approved)) = decided.await? else { return Ok(None) };
        // The approval is on disk; whoever looks at a payment later moves the money if this does not come to it.
        for payment in approved {
            self.settle(ctx, payment).await?;
        }
        Ok(Some(visit))
    }

    /// The customer decides about payments that wait. The accounts that pay are what the third party gets access to.
    async fn decide_payments(
        &self,
        ctx: &Ctx,
        open: Open,
        customer: CustomerId,
        waiting: Vec<Payment>,
        approval: &Approval,
    ) -> Result<Option<(Visit, Vec<Payment>)>, Error> {
        let (mut changes, mut approved, mut granted) = (Changes::new(), Vec::new(), Vec::new());
        let mut decided = 0;
        for payment in waiting {
            let decision = approval.payments.iter().find(|(id, _)| *id == payment.id).map(|(_, yes)| *yes);
            let changed = match decision {
                None => continue,
                Some(false) => payment.reject(ctx.now)?,
                Some(true) => {
                    let payable = self.payable(&customer, &payment).await?;
                    let is_chosen = |account: &Account| {
                        payment.debtor.is_some() || approval.accounts.contains(&account.id)
                    };
                    let payer = payable.into_iter().find(|(account, _)| is_chosen(account));
                    let Some((account, rights)) = payer else { return Ok(None) };
                    if !granted.iter().any(|known: &GrantedAccount| known.account == account.id) {
                        granted.push(open.consent.access.grant(&account).unwrap_or(rights));
                    }
                    payment.approve(customer.clone(), account.id, ctx.now)?
                }
            };
            decided += 1;
            changes = changes.put_payment(&changed);
            if changed.status_at(ctx.now) == PaymentStatus::Approved {
                approved.push(Payment { version: changed.version + 1, ..changed });
            }
        }
        if decided == 0 {
            return Ok(None);
        }
        let way_back = if approved.is_empty() {
            self.refuse(ctx, changes, open).await?
        } else {
            self.grant(ctx, changes, open, customer, granted).await?
        };
        Ok(Some((Visit::Leave(way_back), approved)))
    }

    /// Saves `changes` with the approval of the consent and ends the session with a code.
    async fn grant(
        &self,
        ctx: &Ctx,
        changes: Changes,
        open: Open,
        customer: CustomerId,
        granted: Vec<GrantedAccount>,
    ) -> Result<WayBack, Error> {
        let Open { session, consent, authorisation } = open;
        let mut consent = consent.approve(customer.clone(), granted, ctx.now)?;
        let mut approved = authorisation.approve(customer.clone());
        if !consent.access.is_confirmed_by_tpp() {
            consent = consent.confirm(ctx.now)?;
            approved = approved.confirm(ctx.now)?;
        }
        let changes = changes.put_consent(&consent).put_authorisation(&approved);
        if session.request.payment.is_some() {
            return self.leave(changes, session, Outcome::PaymentDecided).await;
        }
        let secret = match session.request.profile {
            AuthorizationProfile::OpenId => self.0.randomness.secret(),
            AuthorizationProfile::Plain => self.0.randomness.hex_secret(),
        };
        let code = AuthorizationCode {
            hash: secrets::hash(&secret),
            tenant: ctx.tenant.clone(),
            authorisation: approved.id,
            request: session.request.clone(),
            customer,
            authenticated_at: session.authenticated_at.unwrap_or(ctx.now),
            expires_at: ctx.now.saturating_add(CODE_LIFETIME).unwrap_or(ctx.now),
            grant: None,
            version: 0,
        };
        self.leave(changes.put_authorization_code(&code), session, Outcome::Code(secret)).await
    }

    /// Saves `changes` with the refusal of the consent and ends the session.
    async fn refuse(&self, ctx: &Ctx, changes: Changes, open: Open) -> Result<WayBack, Error> {
        let changes =
            changes.put_consent(&open.consent.reject(ctx.now)).put_authorisation(&open.authorisation.fail());
        let outcome = match open.session.request.payment {
            Some(_) => Outcome::PaymentDecided,
            None => Outcome::Cancelled,
        };
        self.leave(changes, open.session, outcome).await
    }

    /// Payments of a third party that wait for a customer: the one that the request is about, or all from accounts
    /// of the customer.
    async fn waiting_payments(
        &self,
        ctx: &Ctx,
        customer: &CustomerId,
        request: &AuthorizationRequest,
    ) -> Result<Vec<Payment>, Error> {
        if request.profile == AuthorizationProfile::OpenId {
            return Ok(Vec::new());
        }
        if let Some(id) = &request.payment {
            let payment = self.payment(ctx, id).await?;
            return Ok(vec![payment].into_iter().filter(|one| is_waiting(one, ctx)).collect());
        }
        let mut payments = self.0.store.pending_payments(&request.client, &ctx.tenant).await?;
        let accounts = self.0.bank.accounts_of(customer).await?;
        let is_own = |payment: &Payment| {
            accounts.iter().any(|account| payment.debtor.as_ref().is_some_and(|iban| *iban == account.iban))
        };
        payments.retain(|payment| is_waiting(payment, ctx) && is_own(payment));
        Ok(payments)
    }

    /// The accounts of a customer from which a payment can be made.
    async fn payable(
        &self,
        customer: &CustomerId,
        payment: &Payment,
    ) -> Result<Vec<(Account, GrantedAccount)>, Error> {
        let currency = payment.transfers.first().ok_or(PaymentRefusal::Count)?.amount.currency;
        let accounts = self.0.bank.accounts_of(customer).await?;
        let is_fitting = |account: &Account| {
            account.currency == currency
                && account.status == AccountStatus::Enabled
                && payment.debtor.as_ref().is_none_or(|iban| *iban == account.iban)
        };
        let rights = |account: Account| {
            let granted = GrantedAccount {
                account: account.id.clone(),
                reference: domain::AccountReference::to_account(&account),
                product: account.product,
                balances: false,
                transactions: false,
            };
            (account, granted)
        };
        Ok(accounts.into_iter().filter(is_fitting).map(rights).collect())
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
            let mut changes = Changes::new();
            if let Some(id) = &open.session.request.payment {
                let payment = self.payment(ctx, id).await?;
                if payment.status_at(ctx.now) == PaymentStatus::Pending {
                    changes = changes.put_payment(&payment.reject(ctx.now)?);
                }
            }
            Ok(Visit::Leave(self.refuse(ctx, changes, *open).await?))
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

fn is_waiting(payment: &Payment, ctx: &Ctx) -> bool {
    payment.status_at(ctx.now) == PaymentStatus::Pending
}

/// What is granted of what was offered; nothing if the customer has yet to choose.
fn choose(
    offered: Vec<(Account, GrantedAccount)>,
    consent: &Consent,
    approval: &Approval,
) -> Option<Vec<GrantedAccount>> {
    let mut granted: Vec<_> = offered.into_iter().map(|(_, granted)| granted).collect();
    let choice = consent.access.choice();
    if choice != Choice::None {
        granted.retain(|granted| approval.accounts.contains(&granted.account));
        granted.truncate(if choice == Choice::One { 1 } else { usize::MAX });
        if granted.is_empty() {
            return None;
        }
    }
    Some(granted)
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
