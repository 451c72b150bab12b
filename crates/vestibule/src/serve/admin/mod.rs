//! The interface of the bank's staff: it has a listener of its own, lets nobody in without a certificate of staff, and each
//! person do what their roles allow.

mod audit;
mod customer_interfaces;
mod customers;
mod door;
mod query;
mod staff;
mod statistics;
mod subjects;
mod third_parties;
mod verifier;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, Router};
use edge::openapi::{Description, Operation, route_all};
use edge::{
    Connection, FormError, Rejected, SMALL_BODY, check_path, read_body, read_json, require_json, with_fault,
};
use gateway::audit::{AuditedCall, TlsVerifiedBy};
use gateway::domain::{Consent, FundsConsent, Payment, Subject, hidden_in};
use gateway::staff::{Deed, Found, StaffError, StaffRefusal};
use gateway::statistics::Statistics;
use gateway::{Fault, Gateway};
use http::{HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(super) use self::door::StaffDoor;
use self::query::Query;
use self::staff::StaffList;
use self::staff::{Role, Staff};
use self::verifier::{StaffVerifier, server_config};
use super::spool::Spool;
use super::trail;

/// What the description calls the address of the interface.
const SERVER: &str = "https://admin.bank.example.com:8445";

/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// What the handlers need.
#[derive(Debug, Clone)]
struct Admin {
    gateway: Gateway,
    staff: Arc<StaffList>,
    /// By which authorities certificates of staff are vouched for.
    verifier: Arc<StaffVerifier>,
    /// Where calls of staff are noted, too.
    spool: Arc<Spool>,
    statistics: Arc<Statistics>,
    /// What the bank is called.
    bank: Arc<str>,
}

/// What there is, by who may.
fn operations() -> Vec<(&'static [Role], Vec<Operation<Admin>>)> {
    let reading = vec![
        Operation::get("/third-parties", 200, "Third parties by name, number and state", third_parties::list),
        Operation::get("/third-parties/{id}", 200, "A third party", third_parties::read),
        Operation::get("/consents", 200, "Consents by third party and state", subjects::list::<Consent>),
        Operation::get("/consents/{id}", 200, "A consent", subjects::read::<Consent>),
        Operation::get(
            "/funds-consents",
            200,
            "Consents for confirmation of funds by third party and state",
            subjects::list::<FundsConsent>,
        ),
        Operation::get(
            "/funds-consents/{id}",
            200,
            "A consent for confirmation of funds",
            subjects::read::<FundsConsent>,
        ),
        Operation::get("/payments", 200, "Payments by third party and state", subjects::list::<Payment>),
        Operation::get("/payments/{id}", 200, "A payment", subjects::read::<Payment>),
    ];
    let acting = vec![
        Operation::post("/third-parties/{id}/block", 200, "Block a third party", third_parties::block),
        Operation::post(
            "/third-parties/{id}/unblock",
            200,
            "Let a third party act again",
            third_parties::unblock,
        ),
        Operation::post(
            "/third-parties/{id}/erase",
            200,
            "Erase the registration of a third party, and what no law has the bank keep",
            third_parties::erase,
        ),
        Operation::post(
            "/customers/{branch}/{id}/erase",
            200,
            "Erase what is held of a customer, as far as no law has the bank keep it",
            customers::erase,
        ),
        Operation::post("/consents/{id}/withdraw", 200, "End a consent", subjects::end::<Consent>),
        Operation::post(
            "/funds-consents/{id}/withdraw",
            200,
            "End a consent for confirmation of funds",
            subjects::end::<FundsConsent>,
        ),
    ];
    let auditing = vec![Operation::get(
        "/audit",
        200,
        "Entries of the audit trail, from the oldest that is kept",
        audit::read,
    )];
    let published =
        vec![Operation::get("/statistics", 200, "Availability and speed by day", statistics::read)];
    vec![
        (&Role::ALL, published),
        (&[Role::Operator], of_customer_interfaces()),
        (&[Role::Reader, Role::Operator], reading),
        (&[Role::Operator], acting),
        (&[Role::Auditor], auditing),
    ]
}

/// What is published beside the gateway's own days.
fn of_customer_interfaces() -> Vec<Operation<Admin>> {
    vec![
        Operation::post(
            "/statistics/customers",
            200,
            "Import days of an interface of the bank's own customers",
            customer_interfaces::import,
        ),
        Operation::post(
            "/statistics/customers/remove",
            200,
            "Remove days of an interface of the bank's own customers",
            customer_interfaces::remove,
        ),
    ]
}

fn description() -> Description {
    let operations = operations();
    let described = operations.iter().flat_map(|(_, operations)| operations);
    let described = described.map(|operation| operation.described().clone()).collect();
    let examples = include_str!("examples.json");
    Description::new("Interface of the bank's staff", SERVER.to_owned(), described, examples)
}

/// The description of the interface of the bank's staff (OpenAPI 3.0), which `openapi.json` beside the sources is a copy of.
pub fn admin_description() -> String {
    let read: Value = serde_json::from_slice(&description().json()).unwrap_or_default();
    format!("{read:#}\n")
}

/// The routes of the listener.
fn routes(admin: &Admin) -> Router {
    let all: (&'static [Role], _) = (&Role::ALL, vec![description().operation()]);
    let routes = operations().into_iter().chain([all]).fold(Router::new(), |router, (roles, operations)| {
        let only = from_fn_with_state(roles, staff::only);
        router.merge(route_all(Router::new(), operations).route_layer(only))
    });
    routes
        .fallback(async || Error::from(Rejected::NotFound))
        .method_not_allowed_fallback(async |method: Method| Error::from(Rejected::Method(method)))
        .layer(from_fn_with_state(admin.clone(), guard))
        .with_state(admin.clone())
}

/// Says who calls and which call it is, notes what came of it, and that no cache keeps what is answered.
async fn guard(State(admin): State<Admin>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = edge::fresh_id(&admin.gateway);
    edge::note_request(&id);
    let request_id = String::from_utf8_lossy(id.as_bytes()).into_owned();
    let mut call = AuditedCall {
        interface: Some("staff"),
        method: trail::method(request.method()).to_owned(),
        route: request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned()),
        request: Some(request_id.clone()),
        ..AuditedCall::default()
    };
    let now = admin.gateway.system_time();
    let connection = request.extensions().get::<Connection>();
    let mut response = match admin.staff.member((connection, &admin.verifier), (now, request_id)) {
        Ok(staff) => {
            call.staff = Some(staff.member.name.clone());
            call.authenticated = true;
            call.tls_certificate = Some(staff.member.certificate.clone());
            request.extensions_mut().insert(staff);
            match check_path(request.uri()) {
                Ok(()) => next.run(request).await,
                Err(rejected) => Error::from(rejected).into_response(),
            }
        }
        Err(error) => {
            let connection = request.extensions().get::<Connection>();
            call.tls_certificate = connection.and_then(Connection::peer_fingerprint);
            error.into_response()
        }
    };
    call.tls_verified_by = call.tls_certificate.is_some().then_some(TlsVerifiedBy::Gateway);
    call.at = trail::milliseconds(admin.gateway.system_time());
    call.status = response.status().as_u16();
    call.code = response.extensions().get::<Code>().map(|Code(code)| (*code).to_owned());
    call.microseconds = trail::microseconds(begun.elapsed());
    let about = response.extensions().get::<About>().map(|About(subject)| subject);
    let shown = response.extensions().get::<Shown>().map_or(&[][..], |Shown(subjects)| &subjects[..]);
    admin.spool.note(&call.about(about).showing(shown));
    let headers = response.headers_mut();
    headers.insert(edge::X_REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer that is an error.
#[derive(Debug)]
struct Error {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// What is behind a failure of the gateway itself, for the log.
    fault: Option<Fault>,
}

impl Error {
    fn bad(message: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    fn new(status: StatusCode, code: &'static str, message: impl ToString) -> Self {
        Self { status, code, message: message.to_string(), fault: None }
    }
}

/// What an answer is about, for the trail: whose data somebody looked at.
#[derive(Debug, Clone)]
struct About(Subject);

/// What a list of an answer shows, for the trail.
#[derive(Debug, Clone)]
struct Shown(Arc<[Subject]>);

/// The code of an answer that is an error, for the trail.
#[derive(Debug, Clone, Copy)]
struct Code(&'static str);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        edge::note_code(self.code);
        let body = json!({"error": self.code, "message": self.message});
        with_fault((self.status, Extension(Code(self.code)), Json(body)).into_response(), self.fault)
    }
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        let code = match rejected {
            Rejected::Busy => "temporarily_unavailable",
            Rejected::NotFound => "not_found",
            _ => "invalid_request",
        };
        Self::new(rejected.status(), code, rejected)
    }
}

impl From<FormError> for Error {
    fn from(error: FormError) -> Self {
        Self::bad(format!("the query: {error}"))
    }
}

impl From<gateway::Error> for Error {
    fn from(error: gateway::Error) -> Self {
        use gateway::Error as E;
        let text = error.to_string();
        match error {
            E::Refused(refusal) => Self::bad(refusal),
            E::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", text),
            E::Conflict => Self::new(StatusCode::CONFLICT, "conflict", text),
            E::Unavailable(fault) => Self {
                fault: Some(fault),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", text)
            },
            E::Internal(fault) => Self {
                fault: Some(fault),
                ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", text)
            },
        }
    }
}

impl From<StaffError> for Error {
    fn from(error: StaffError) -> Self {
        match error {
            StaffError::Gateway(error) => error.into(),
            StaffError::Refused(refusal) => match refusal {
                StaffRefusal::Until { .. } | StaffRefusal::After | StaffRefusal::Days => Self::bad(refusal),
                StaffRefusal::Misfits(misfits) => customer_interfaces::refused(misfits),
                StaffRefusal::Interfaces(_) => Self::new(StatusCode::CONFLICT, "conflict", refusal),
                StaffRefusal::NoDays { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", refusal),
                StaffRefusal::NotBlocked(_)
                | StaffRefusal::Moved(_)
                | StaffRefusal::Ending(_)
                | StaffRefusal::Ended(_)
                | StaffRefusal::Open(_) => Self::new(StatusCode::CONFLICT, "conflict", refusal),
            },
        }
    }
}

/// A page as it is answered.
fn told<T>(name: &str, found: Found<T>, tell: impl Fn(T) -> Value) -> Json<Value> {
    let items: Vec<Value> = found.items.into_iter().map(tell).collect();
    let mut page = json!({"next": found.next});
    page[name] = items.into();
    Json(page)
}

/// Why staff does something: it is needed with every act.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Reason(String);

impl Reason {
    /// What somebody does for this reason.
    fn of<'a>(&'a self, staff: &'a Staff) -> Result<Deed<'a>, Error> {
        Ok(Deed { by: &staff.member, reason: self.check()?, request: &staff.request })
    }

    fn check(&self) -> Result<&str, Error> {
        let text = self.0.trim();
        let length = text.chars().count();
        if !(1..=LONGEST_REASON).contains(&length) || hidden_in(text).is_some() {
            return Err(Error::bad(format!(
                "reason: a text of 1 to {LONGEST_REASON} characters on one line is expected, none of them hidden"
            )));
        }
        Ok(text)
    }
}

/// The body of an act that needs nothing but a reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    reason: Reason,
}

/// A JSON body. The media type must be said, which also keeps forms of other sites out.
async fn body<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Error> {
    body_up_to(SMALL_BODY, request).await
}

/// The same of another size.
async fn body_up_to<T: DeserializeOwned>(limit: usize, request: Request<Body>) -> Result<T, Error> {
    require_json(request.headers())?;
    let connection = request.extensions().get::<Connection>().cloned();
    let body = read_body(request.into_body(), limit, connection.as_ref()).await?;
    read_json(&body).map_err(|error| Error::bad(format!("the body: {error}")))
}
