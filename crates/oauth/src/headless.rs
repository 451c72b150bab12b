//! `POST /approvals` on the management listener: authorises or refuses as a customer would on the pages, by the
//! same rules, for tests without a browser. `POST /signing-keys` beside it changes the key of ID tokens. A sandbox alone
//! has them.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use edge::{
    Connection, Edge, Entrance, NotBegun, SMALL_BODY, read_body, read_json, require_json, with_fault,
};
use gateway::domain::{AccountId, Choice, Iban, Interface, PaymentId, Tenant, number_in_words};
use gateway::sessions::{Journey, WayBack};
use gateway::{
    Approval, Ctx, DecisionProblem, Fault, LinkedAnswer, LogInAttempt, LogInProblem, WaitingPayment,
};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::authorize::begin;
use crate::error::{DENIED, Error, refused_as};
use crate::form::Form;
use crate::keys::SigningKeys;
use crate::router::{Call, PREFIX, Services};
use crate::way_back::location;

/// Knows the number of the device of the customer with an account.
pub type DeviceNumbers = Arc<dyn Fn(Tenant, Iban) -> DeviceNumber + Send + Sync>;

type DeviceNumber = Pin<Box<dyn Future<Output = Result<Option<String>, gateway::Error>> + Send>>;

/// An answer that no device gives.
const WRONG_ANSWER: &str = "000000";

#[derive(Clone)]
struct Headless {
    services: Services,
    device_numbers: DeviceNumbers,
    entrances: Arc<[Entrance]>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalRequest {
    url: String,
    iban: String,
    decision: Decision,
    account: Option<String>,
    /// The device to log in with; that of one holder of the account, always the same, if absent.
    #[serde(rename = "digipassNumber")]
    digipass_number: Option<String>,
}

/// A call that says nothing: `{}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Decision {
    Approve,
    Reject,
    WrongAnswer,
    Expire,
}

/// An answer that is an error, in the format of the management API.
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// In how many seconds the request would be right.
    retry_after: Option<i64>,
    fault: Option<Fault>,
}

fn refused(status: StatusCode, code: &'static str, message: impl ToString) -> Refused {
    Refused { status, code, message: message.to_string(), retry_after: None, fault: None }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({"error": self.code, "message": self.message});
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        with_fault(response, self.fault)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let message = error.description.unwrap_or_default();
        Self { status: error.status, code: error.error, message, retry_after: None, fault: error.fault }
    }
}

impl From<gateway::Error> for Refused {
    fn from(error: gateway::Error) -> Self {
        refused_as(DENIED, error).into()
    }
}

impl From<NotBegun> for Refused {
    fn from(NotBegun { status, text, fault }: NotBegun) -> Self {
        Self { fault, ..refused(status, "invalid_request", text) }
    }
}

/// Makes the router, for the management listener. `entrances` are those of the dialects, beside the authorization
/// server's own.
pub fn approvals(
    edge: Edge,
    keys: SigningKeys,
    device_numbers: DeviceNumbers,
    entrances: Vec<Entrance>,
) -> Router {
    let services = Services { edge, keys, logo: None };
    let headless = Headless { services, device_numbers, entrances: entrances.into() };
    Router::new()
        .route("/approvals", post(approve))
        .route("/signing-keys", post(rotate))
        .layer(map_response(challenge))
        .with_state(headless)
}

/// A 401 of the authorization server says what it asks for, also here.
async fn challenge(mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// ID tokens are signed with a new key from now on; the key before stays in the key set for a day.
async fn rotate(
    State(headless): State<Headless>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let body = read_bytes(request).await?;
    if !body.is_empty() {
        let Nothing {} = read_body_as(&body)?;
    }
    let Services { edge, keys, .. } = &headless.services;
    keys.rotate(edge.gateway.system_time()).await.map_err(Error::from)?;
    Ok((StatusCode::CREATED, Json(json!({"keyId": keys.key_id(), "algorithm": keys.algorithm_name()}))))
}

async fn approve(State(headless): State<Headless>, request: Request<Body>) -> Result<Json<Value>, Refused> {
    let request: ApprovalRequest = read_body_as(&read_bytes(request).await?)?;
    let services = &headless.services;
    let bad = |text: &str| refused(StatusCode::BAD_REQUEST, "invalid_request", text);
    let iban = Iban::parse(&request.iban).map_err(|error| bad(&format!("iban: {error}")))?;
    let url = url::Url::parse(&request.url).map_err(|error| bad(&format!("url: {error}")))?;
    let query = url.query().unwrap_or_default().to_owned();
    let path = url.path().trim_end_matches('/');
    let entrance = headless.entrances.iter().find(|entrance| entrance.path == path);
    let secret = match entrance {
        Some(entrance) => (entrance.begin)(query).await?,
        None => match headless.begin(path, &query).await? {
            (_, Ok(secret)) => secret,
            (tenant, Err(way_back)) => {
                return Ok(Json(json!({"location": location(services, &tenant, &way_back)})));
            }
        },
    };
    let gateway = &services.edge.gateway;
    let id = gateway.new_request_id();
    let over = || bad("the session is over");
    let (tenant, interface, _) = gateway.session_place(&secret).await?.ok_or_else(over)?;
    let ctx = gateway.context(tenant.as_str(), id).ok_or_else(over)?;
    let tenant = ctx.tenant.clone();
    let mut customer = Customer { headless: &headless, ctx, iban, secret, interface };
    let way_back = match customer.go(&request).await {
        Ok(way_back) => way_back,
        Err(refused) => {
            // Nobody comes back to this browser: its challenge would stay open and count against the next.
            gateway.end_session(&customer.secret).await?;
            return Err(refused);
        }
    };
    Ok(Json(json!({"location": location(services, &tenant, &way_back)})))
}

impl Headless {
    /// Takes a request to the authorization server itself.
    async fn begin(&self, path: &str, query: &str) -> Result<(Tenant, Result<String, WayBack>), Refused> {
        let bad = |text: &str| refused(StatusCode::BAD_REQUEST, "invalid_request", text);
        let tenant =
            path.strip_prefix(PREFIX).and_then(|path| path.strip_prefix('/')?.strip_suffix("/v1/auth"));
        let tenant = tenant.ok_or_else(|| {
            bad("url must be an authorization URL of this bank, for example \u{2026}/auth/{tenant}/v1/auth?\u{2026}")
        })?;
        let gateway = &self.services.edge.gateway;
        let ctx = gateway.context(tenant, gateway.new_request_id());
        let ctx = ctx.ok_or_else(|| bad(&format!("tenant {tenant} is not known")))?;
        let connection = Connection {
            origin: self.services.edge.public_url.clone(),
            peer_certificate: None,
            peer_address: None,
        };
        let form = Form::parse(query.as_bytes()).map_err(Error::from)?;
        let call = Call { ctx, connection };
        let begun = begin(&self.services, &call, &form).await?;
        Ok((call.ctx.tenant, begun))
    }
}

/// The body of a call that says it is JSON. No page of another site can send that without being asked first.
async fn read_bytes(request: Request<Body>) -> Result<Bytes, Refused> {
    require_json(request.headers())
        .map_err(|rejected| refused(rejected.status(), "invalid_request", rejected))?;
    let connection = request.extensions().get::<Connection>().cloned();
    let body = read_body(request.into_body(), SMALL_BODY, connection.as_ref()).await;
    body.map_err(|rejected| refused(rejected.status(), "invalid_request", rejected))
}

fn read_body_as<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    read_json(body)
        .map_err(|error| refused(StatusCode::BAD_REQUEST, "invalid_request", format!("the body: {error}")))
}

/// What cannot be paid is left for later, unless there is nothing else.
fn all_that_can_be_paid(payments: &[WaitingPayment]) -> Vec<(PaymentId, bool)> {
    let is_covered = |one: &WaitingPayment| one.payers.iter().any(|payer| payer.is_covered);
    let is_any = payments.iter().any(is_covered);
    let chosen = payments.iter().filter(|one| !is_any || is_covered(one));
    chosen.map(|one| (one.payment.id.clone(), true)).collect()
}

/// How a log-in ended that led nowhere.
fn log_in_failed(text: &str) -> Refused {
    refused(StatusCode::CONFLICT, "log_in_failed", format!("the log-in did not succeed: {text}"))
}

/// A customer without a browser.
struct Customer<'a> {
    headless: &'a Headless,
    ctx: Ctx,
    iban: Iban,
    secret: String,
    /// By whose rules the session goes.
    interface: Interface,
}

impl Customer<'_> {
    async fn go(&mut self, request: &ApprovalRequest) -> Result<WayBack, Refused> {
        let gateway = &self.headless.services.edge.gateway;
        if request.decision == Decision::WrongAnswer {
            return self.answer_wrongly().await;
        }
        let known = (self.headless.device_numbers)(self.ctx.tenant.clone(), self.iban.clone()).await?;
        let known = known.ok_or_else(|| {
            let (tenant, iban) = (&self.ctx.tenant, self.iban.as_str());
            let text = format!(
                "no customer of tenant {tenant} has iban {iban}; GET /test-accounts lists those of every tenant"
            );
            refused(StatusCode::NOT_FOUND, "unknown_account", text)
        })?;
        let number = request.digipass_number.as_ref().unwrap_or(&known);
        match self.log_in(number).await? {
            Journey::LoggedIn(secret) => self.secret = secret,
            other => return self.left(other, &known),
        }
        let journey = match request.decision {
            Decision::Expire => {
                self.ctx.now += gateway.profile(self.interface).sca.idle_time;
                gateway.visit(&self.ctx, &self.secret, None).await
            }
            Decision::Reject => gateway.cancel(&self.ctx, &self.secret).await,
            _ => {
                let approval = match self.choose(request.account.as_deref(), number).await? {
                    Ok(approval) => approval,
                    Err(way_back) => return Ok(way_back),
                };
                match gateway.approve(&self.ctx, &self.secret, &approval).await {
                    Ok(Journey::Decide(view)) => match view.problem {
                        Some(DecisionProblem::Declined(declined)) => {
                            gateway.leave_unpaid(&self.ctx, &self.secret, &declined).await
                        }
                        Some(DecisionProblem::Answer(problem)) => {
                            return Err(self.not_answered(problem, &known));
                        }
                        Some(DecisionProblem::Undecided | DecisionProblem::Unanswered) | None => {
                            Ok(Journey::Ended)
                        }
                    },
                    decided => decided,
                }
            }
        };
        match journey? {
            Journey::Leave(way_back) => Ok(way_back),
            _ => Err(self.no_account()),
        }
    }

    fn no_account(&self) -> Refused {
        let text = format!(
            "the customer with iban {} has no account that fits what is asked for; take another customer, or ask for \
             another kind of account",
            self.iban.as_str()
        );
        refused(StatusCode::CONFLICT, "no_account", text)
    }

    async fn answer_wrongly(&self) -> Result<WayBack, Refused> {
        loop {
            match self.log_in(WRONG_ANSWER).await? {
                Journey::LogIn(view) if matches!(view.problem, Some(LogInProblem::Wrong { .. })) => {}
                other => return self.left(other, ""),
            }
        }
    }

    async fn log_in(&self, answer: &str) -> Result<Journey, Refused> {
        let gateway = &self.headless.services.edge.gateway;
        let attempt = LogInAttempt { iban: self.iban.as_str(), answer, challenge: None };
        Ok(gateway.log_in(&self.ctx, &self.secret, attempt).await?)
    }

    /// The way back of a log-in that led nowhere; `known` is the number of a device that would have.
    fn left(&self, journey: Journey, known: &str) -> Result<WayBack, Refused> {
        let problem = match journey {
            Journey::Leave(way_back) => return Ok(way_back),
            Journey::LogIn(view) => view.problem,
            Journey::LoggedIn(_) | Journey::Decide(_) | Journey::Ended => None,
        };
        Err(match problem {
            Some(problem) => self.not_answered(problem, known),
            None => {
                log_in_failed("the session ended meanwhile, or the url was used before; begin with a new url")
            }
        })
    }

    /// Why a log-in or an answer for payments led nowhere, and what would lead on.
    fn not_answered(&self, problem: LogInProblem, known: &str) -> Refused {
        let iban = self.iban.as_str();
        match problem {
            LogInProblem::Blocked { until, failures } => {
                let failures = number_in_words(failures);
                let text = format!(
                    "log-in of the customer with iban {iban} is blocked until {until} after {failures} wrong answers in a \
                     row; take another customer, or move the clock to then"
                );
                refused(StatusCode::CONFLICT, "log_in_blocked", text)
            }
            LogInProblem::TooManyOpen { most, idle_time } => {
                let most = number_in_words(i64::try_from(most).unwrap_or(i64::MAX));
                let text = format!(
                    "the customer has {most} open challenges of this third party in browsers; answer or cancel one, or \
                     let {} minutes go by",
                    idle_time.as_mins()
                );
                let refused = refused(StatusCode::TOO_MANY_REQUESTS, "too_many_challenges", text);
                Refused { retry_after: Some(idle_time.as_secs()), ..refused }
            }
            LogInProblem::Wrong { left } => {
                let left = number_in_words(left);
                log_in_failed(&format!(
                    "digipassNumber is not that of a holder of {iban}: {known} is, and is taken without digipassNumber; \
                     wrong answers left before the authorisation fails: {left}"
                ))
            }
            LogInProblem::Stale => log_in_failed("the challenge is not the one that is shown; call again"),
        }
    }

    /// What to approve: every payment, and of the accounts the one that is named, or all where several can be chosen,
    /// or the one the customer logged in with, or the first. The way back if there is nothing to decide any more.
    /// The device answers for the payments, as it does on the page.
    async fn choose(
        &self,
        named: Option<&str>,
        device_number: &str,
    ) -> Result<Result<Approval, WayBack>, Refused> {
        let gateway = &self.headless.services.edge.gateway;
        let visit = gateway.visit(&self.ctx, &self.secret, None).await?;
        let view = match visit {
            Journey::Decide(view) => *view,
            // Somebody else decided meanwhile.
            Journey::Leave(way_back) => return Ok(Err(way_back)),
            Journey::LoggedIn(_) | Journey::LogIn(_) | Journey::Ended => return Ok(Ok(Approval::default())),
        };
        let mut accounts = view.accounts.clone();
        if let Some(text) = named {
            let bad = |error| refused(StatusCode::BAD_REQUEST, "invalid_request", error);
            let iban = Iban::parse(text).map_err(|error| bad(format!("account: {error}")))?;
            accounts.retain(|account| account.iban == iban);
            if accounts.is_empty() && view.accounts.is_empty() {
                return Err(self.no_account());
            }
            if accounts.is_empty() {
                let choice: Vec<_> = view.accounts.iter().map(|account| account.iban.as_str()).collect();
                let (iban, choice) = (iban.as_str(), choice.join(", "));
                return Err(bad(format!(
                    "account {iban} is not one that the customer can choose here: {choice}"
                )));
            }
        }
        let payments = all_that_can_be_paid(&view.payments);
        let choice = view.consent.as_ref().map(|consent| consent.access.choice());
        if payments.is_empty() && choice == Some(Choice::Several) {
            let accounts = accounts.into_iter().map(|account| account.id).collect();
            return Ok(Ok(Approval { accounts, ..Approval::default() }));
        }
        let own = accounts.iter().find(|account| account.iban == self.iban).or(accounts.first());
        let accounts: Vec<AccountId> = own.map(|account| account.id.clone()).into_iter().collect();
        let chosen = Approval { accounts, payments, answer: None };
        let answer = view.challenge(&chosen).and_then(|challenge| {
            let answer = gateway.simulated_answer(device_number, &challenge)?;
            Some(LinkedAnswer { challenge, answer })
        });
        Ok(Ok(Approval { answer, ..chosen }))
    }
}
