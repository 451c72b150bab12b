//! A customer in the bank's own pages, where no third party sent them: logs in by the rules of every log-in, and sees
//! what is theirs until they leave.

use std::sync::LazyLock;

use domain::{CustomerId, CustomerSession, Iban, Interface, Language, LoggedIn, ScaRules, Timestamp, TppId};

use crate::error::retry;
use crate::log_in_failures::{Claim, Door, Named, to_its_end};
use crate::{Changes, Ctx, Error, Gateway, LogInAttempt, LogInProblem, secrets};

/// Under this name wrong answers at the bank's own pages are counted; no third party can have it.
static OWN_PAGES: LazyLock<TppId> = LazyLock::new(|| TppId::new("the bank's own pages"));

/// Where a browser stands in a customer's own pages.
#[derive(Debug)]
pub enum OwnPlace {
    /// Through the log-in: it goes on under a new secret.
    LoggedIn(String),
    /// At the log-in.
    LogIn(OwnLogIn),
    /// Inside.
    Inside(Insider),
    /// Nowhere: it has to begin again.
    Over(WhyOver),
}

/// What the log-in shows.
#[derive(Debug)]
pub struct OwnLogIn {
    /// Why the last attempt did not succeed.
    pub problem: Option<LogInProblem>,
    /// What the customer's device has to answer.
    pub challenge: String,
    /// Language of the page.
    pub language: Language,
}

/// Why a browser has to begin again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyOver {
    /// There is no such session, or the customer left.
    NoSession,
    /// The customer did nothing for too long.
    Idle,
    /// Too many wrong answers.
    WrongAnswers,
}

/// A customer who logged in at the bank's own pages and is there now. Only this module makes one.
#[derive(Debug, Clone)]
pub struct Insider {
    customer: CustomerId,
    name: String,
    language: Language,
}

impl Insider {
    pub(crate) fn customer(&self) -> &CustomerId {
        &self.customer
    }

    /// Name of the customer.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Language of the pages.
    pub fn language(&self) -> Language {
        self.language
    }
}

impl Gateway {
    /// A browser arrives at a tenant's own pages. Returns the secret of its session.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn begin_customer_session(&self, ctx: &Ctx) -> Result<String, Error> {
        let secret = self.0.randomness.secret();
        let session = CustomerSession {
            hash: secrets::hash(&secret),
            tenant: ctx.tenant.clone(),
            challenge: self.own_challenge(),
            named: None,
            wrong_answers: 0,
            language: ctx.language.unwrap_or_else(|| ctx.tenant.language()),
            logged_in: None,
            seen_at: ctx.now,
            ended: false,
            version: 0,
        };
        self.0.store.save(Changes::new().put_customer_session(&session)).await?;
        Ok(secret)
    }

    /// A browser asks for a page, perhaps in another language.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn visit_own_pages(
        &self,
        ctx: &Ctx,
        secret: &str,
        language: Option<Language>,
    ) -> Result<OwnPlace, Error> {
        let seen = retry(|| async {
            let found = self.find_customer_session(ctx, secret).await?;
            let Ok(session) = found else { return Ok(found) };
            let language = language.unwrap_or(session.language);
            let seen = CustomerSession { seen_at: ctx.now, language, ..session };
            self.0.store.save(Changes::new().put_customer_session(&seen)).await?;
            Ok(Ok(seen))
        });
        match seen.await? {
            Ok(session) => self.own_place(session, None).await,
            Err(why) => Ok(OwnPlace::Over(why)),
        }
    }

    /// A customer logs in, by the rules of a log-in for a third party: the bank's own pages count as one more of them.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn log_in_to_own_pages(
        &self,
        ctx: &Ctx,
        secret: &str,
        attempt: LogInAttempt<'_>,
    ) -> Result<OwnPlace, Error> {
        let claim = match self.claim_own_log_in(ctx, secret, attempt).await? {
            Ok(claim) => claim,
            Err(place) => return Ok(place),
        };
        let (this, of, browser) = (self.clone(), ctx.clone(), secret.to_owned());
        let answer = attempt.answer.to_owned();
        let asked = to_its_end(async move {
            match this.ask_and_settle(&of, (&claim, &answer), None).await? {
                Some(customer) => Ok(Ok(customer)),
                None => this.keep_out(&of, &browser, &claim).await.map(Err),
            }
        });
        let customer = match asked.await? {
            Ok(customer) => customer,
            Err(place) => return Ok(place),
        };
        let fresh = self.0.randomness.secret();
        retry(|| async {
            match self.find_customer_session(ctx, secret).await? {
                Ok(session) => self.let_in(ctx, session, (customer.clone(), ctx.now), &fresh).await,
                Err(why) => Ok(OwnPlace::Over(why)),
            }
        })
        .await
    }

    /// Claims the answer to the challenge that is shown, as at a log-in for a third party. Or where the browser stands, if nobody may
    /// be asked about it.
    async fn claim_own_log_in(
        &self,
        ctx: &Ctx,
        secret: &str,
        attempt: LogInAttempt<'_>,
    ) -> Result<Result<Claim, OwnPlace>, Error> {
        let iban = Iban::parse(attempt.iban).ok();
        retry(|| async {
            let session = match self.find_customer_session(ctx, secret).await? {
                Ok(session) => session,
                Err(why) => return Ok(Err(OwnPlace::Over(why))),
            };
            let is_stale = attempt.challenge.is_some_and(|challenge| challenge != session.challenge);
            if session.logged_in.is_some() || is_stale {
                let problem = is_stale.then_some(LogInProblem::Stale);
                return self.own_place(session, problem).await.map(Err);
            }
            let rules = self.own_rules();
            let door = Door { of: &OWN_PAGES, rules };
            let named = match Named::not_blocked(self.named(ctx, door, iban.as_ref()).await?) {
                Ok(named) => named,
                Err(until) => {
                    let problem = LogInProblem::Blocked { until, failures: rules.max_failures };
                    return self.own_place(session, Some(problem)).await.map(Err);
                }
            };
            if self.has_too_many_own(ctx, &session, &named).await? {
                let ScaRules { max_open_challenges: most, idle_time, .. } = *rules;
                let problem = LogInProblem::TooManyOpen { most, idle_time };
                return self.own_place(session, Some(problem)).await.map(Err);
            }
            let (claim, changes) = Claim::of((door, session.challenge.clone()), named, ctx.now);
            let next = CustomerSession { challenge: self.own_challenge(), seen_at: ctx.now, ..session };
            self.0.store.save(changes.put_customer_session(&next)).await?;
            Ok(Ok(claim))
        })
        .await
    }

    /// The customer leaves. Returns the language of the pages, none if they were not inside any more.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn log_out_of_own_pages(&self, ctx: &Ctx, secret: &str) -> Result<Option<Language>, Error> {
        retry(|| async {
            let Ok(session) = self.find_customer_session(ctx, secret).await? else { return Ok(None) };
            let out = CustomerSession { ended: true, ..session };
            self.0.store.save(Changes::new().put_customer_session(&out)).await?;
            Ok(Some(out.language))
        })
        .await
    }

    /// The language of a session's pages, also when it is over.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn language_of_own_pages(&self, secret: &str) -> Result<Option<Language>, Error> {
        let session = self.0.store.customer_session(&secrets::hash(secret)).await?;
        Ok(session.map(|session| session.language))
    }

    pub(crate) async fn find_customer_session(
        &self,
        ctx: &Ctx,
        secret: &str,
    ) -> Result<Result<CustomerSession, WhyOver>, Error> {
        let session = self.0.store.customer_session(&secrets::hash(secret)).await?;
        let session = session.filter(|session| !session.ended && session.tenant == ctx.tenant);
        let Some(session) = session else { return Ok(Err(WhyOver::NoSession)) };
        if !session.is_idle_at(ctx.now, self.own_rules().idle_time) {
            return Ok(Ok(session));
        }
        // What was only shown asks for nothing; what was open is closed for good, also if the clock is set back.
        self.0
            .store
            .save(Changes::new().put_customer_session(&CustomerSession { ended: true, ..session }))
            .await?;
        Ok(Err(WhyOver::Idle))
    }

    pub(crate) async fn own_place(
        &self,
        session: CustomerSession,
        problem: Option<LogInProblem>,
    ) -> Result<OwnPlace, Error> {
        let CustomerSession { challenge, language, .. } = session;
        let Some(LoggedIn { customer, .. }) = session.logged_in else {
            return Ok(OwnPlace::LogIn(OwnLogIn { problem, challenge, language }));
        };
        let name = self.0.bank.customers.customer(&customer).await?.name;
        Ok(OwnPlace::Inside(Insider { customer, name, language }))
    }

    pub(crate) async fn let_in(
        &self,
        ctx: &Ctx,
        session: CustomerSession,
        (customer, at): (CustomerId, Timestamp),
        fresh: &str,
    ) -> Result<OwnPlace, Error> {
        // Under a new secret, so that one planted before the log-in is worth nothing; and an answer is taken once.
        let next = CustomerSession {
            hash: secrets::hash(fresh),
            challenge: self.own_challenge(),
            named: None,
            logged_in: Some(LoggedIn { customer, at }),
            seen_at: ctx.now,
            version: 0,
            ..session.clone()
        };
        let out = CustomerSession { ended: true, ..session };
        let changes = Changes::new().put_customer_session(&out).put_customer_session(&next);
        self.0.store.save(changes).await?;
        Ok(OwnPlace::LoggedIn(fresh.to_owned()))
    }

    async fn keep_out(&self, ctx: &Ctx, secret: &str, claim: &Claim) -> Result<OwnPlace, Error> {
        retry(|| async {
            let session = match self.find_customer_session(ctx, secret).await? {
                Ok(session) => session,
                Err(why) => return Ok(OwnPlace::Over(why)),
            };
            let rules = self.own_rules();
            let named = claim.name().or(session.named.clone());
            let tried = session.wrong_answer(rules.max_wrong_answers, ctx.now);
            let tried = CustomerSession { named, ..tried };
            self.0.store.save(Changes::new().put_customer_session(&tried)).await?;
            if tried.ended {
                return Ok(OwnPlace::Over(WhyOver::WrongAnswers));
            }
            let problem = claim.why_not(ctx.now, rules.max_wrong_answers - tried.wrong_answers);
            self.own_place(tried, Some(problem)).await
        })
        .await
    }

    /// Whether so many other browsers show challenges to one of these customers that there must not be one more.
    async fn has_too_many_own(
        &self,
        ctx: &Ctx,
        session: &CustomerSession,
        named: &[Named],
    ) -> Result<bool, Error> {
        let rules = self.own_rules();
        let since = ctx.now.saturating_sub(rules.idle_time).unwrap_or(Timestamp::MIN);
        for one in named {
            let open = self.0.store.customer_sessions_naming(&one.failures.psu, since).await?;
            let others = open.iter().filter(|other| other.hash != session.hash).count();
            if others >= rules.max_open_challenges {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The bank's own pages are those of its authorization server, and so are their rules.
    fn own_rules(&self) -> &ScaRules {
        &self.profile(Interface::OF_CLIENTS).sca
    }

    pub(crate) fn own_challenge(&self) -> String {
        self.0.randomness.digits(self.own_rules().challenge_digits)
    }
}
