//! The bank's own end: serves any bank by the interface. What the gateway asks is believed, because its certificate proved who
//! asks; so it is for listeners that demand one ([`tls`]).

mod accounts;
mod customers;
mod events;
mod parts;
mod payments;
pub mod test_authority;
pub mod tls;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRef, FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use gateway::domain::Tenant;
use gateway::{Bank, Drawer, Error, Store};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::wire::{Code, Problem, Unreadable};

/// The paths of the interface with their methods, below `/core/v1`.
pub const OPERATIONS: [(&str, &str); 25] = [
    ("GET", "/openapi.json"),
    ("POST", "/accounts/find"),
    ("GET", "/accounts/{account}"),
    ("GET", "/accounts/{account}/balances"),
    ("GET", "/accounts/{account}/transactions/booked"),
    ("GET", "/accounts/{account}/transactions/pending"),
    ("GET", "/accounts/{account}/funds"),
    ("GET", "/accounts/{account}/holders"),
    ("GET", "/accounts/{account}/approvals-needed"),
    ("POST", "/funds-checks"),
    ("POST", "/customers/find"),
    ("POST", "/log-ins"),
    ("GET", "/customers/{customer}"),
    ("GET", "/customers/{customer}/accounts"),
    ("POST", "/customers/{customer}/approvals"),
    ("POST", "/payment-checks"),
    ("POST", "/payments"),
    ("GET", "/payments/{payment}"),
    ("POST", "/payments/{payment}/stop"),
    ("GET", "/events"),
    ("GET", "/parts"),
    ("GET", "/accounts/{account}/entries"),
    ("GET", "/accounts/{account}/entry-number"),
    ("POST", "/customers/{customer}/accounts/open"),
    ("POST", "/accounts/{account}/close"),
];

/// Gives the bank of the moment, which may be changed for another one between two calls, with the store in which it keeps its payments:
/// what it declined is kept there too.
pub type BankOfTheMoment = Arc<dyn Fn() -> (Bank, Store) + Send + Sync>;

/// Where the bank and its branches are from.
#[derive(Clone)]
struct Behind {
    bank: BankOfTheMoment,
    branches: Arc<[Tenant]>,
}

impl FromRef<Behind> for Served {
    fn from_ref(behind: &Behind) -> Self {
        let (bank, store) = (behind.bank)();
        Self { bank, decided: Drawer::new(&store, OWNER), store, branches: Arc::clone(&behind.branches) }
    }
}

/// How large a body may be: as the description says, that of an order.
const MOST_OCTETS: usize = 2 * 1024 * 1024;

/// Name under which it is kept what was answered about payments.
const OWNER: &str = "core-bank-end";

/// The bank of a call and its branches.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) bank: Bank,
    store: Store,
    decided: Drawer,
    pub(crate) branches: Arc<[Tenant]>,
}

impl Served {
    fn branch(&self, name: &str) -> Result<Tenant, Refused> {
        let known = self.branches.iter().find(|branch| branch.as_str() == name).cloned();
        known.ok_or_else(|| Refused::malformed("branch is one of this bank's branches"))
    }
}

/// The interface, for a bank with branches, which keeps its payments in a store.
pub fn router(bank: Bank, store: Store, branches: Vec<Tenant>) -> Router {
    router_of(Arc::new(move || (bank.clone(), store.clone())), branches)
}

/// The same for a bank that may be another one at the next call.
pub fn router_of(bank: BankOfTheMoment, branches: Vec<Tenant>) -> Router {
    let behind = Behind { bank, branches: branches.into() };
    let description = || async { ([("content-type", "application/json")], crate::DESCRIPTION) };
    let routes = Router::new()
        .route("/openapi.json", get(description))
        .route("/accounts/find", post(accounts::find))
        .route("/accounts/{account}", get(accounts::account))
        .route("/accounts/{account}/balances", get(accounts::balances))
        .route("/accounts/{account}/transactions/booked", get(accounts::booked))
        .route("/accounts/{account}/transactions/pending", get(accounts::pending))
        .route("/accounts/{account}/funds", get(accounts::funds))
        .route("/accounts/{account}/holders", get(accounts::holders))
        .route("/accounts/{account}/approvals-needed", get(payments::approvals_needed))
        .route("/funds-checks", post(accounts::check_funds))
        .route("/customers/find", post(customers::find))
        .route("/log-ins", post(customers::log_in))
        .route("/customers/{customer}", get(customers::customer))
        .route("/customers/{customer}/accounts", get(customers::accounts))
        .route("/customers/{customer}/approvals", post(customers::approve))
        .route("/payment-checks", post(payments::check))
        .route("/payments", post(payments::submit))
        .route("/payments/{payment}", get(payments::progress))
        .route("/payments/{payment}/stop", post(payments::stop))
        .route("/events", get(events::events))
        .route("/parts", get(parts::parts))
        .route("/accounts/{account}/entries", get(parts::entries))
        .route("/accounts/{account}/entry-number", get(parts::entry_number))
        .route("/customers/{customer}/accounts/open", post(parts::open_account))
        .route("/accounts/{account}/close", post(parts::close_account))
        .layer(DefaultBodyLimit::max(MOST_OCTETS))
        .with_state(behind);
    Router::new().nest("/core/v1", routes).fallback(nothing_here).method_not_allowed_fallback(nothing_here)
}

async fn nothing_here() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, Code::Malformed, "the interface has no such path and method")
}

/// An answer that says no.
#[derive(Debug)]
pub(crate) struct Refused(StatusCode, Problem);

impl Refused {
    fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self(status, Problem { code, detail: detail.into(), reason: None, payment: None })
    }

    fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::Malformed, detail)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

impl From<Unreadable> for Refused {
    fn from(error: Unreadable) -> Self {
        Self::malformed(format!("{error}; this was not"))
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match &error {
            Error::NotFound(_) => Self::new(StatusCode::NOT_FOUND, Code::NotFound, error.to_string()),
            Error::Refused(refusal) => Self::malformed(refusal.to_string()),
            Error::Conflict | Error::Unavailable(_) | Error::Internal(_) => {
                tracing::warn!(?error, "the core bank interface cannot answer");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, "try again later")
            }
        }
    }
}

/// A body in JSON.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let kind =
            request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Refused::malformed("Content-Type is application/json; this was not"));
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| Refused::malformed(rejection.body_text()))?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            // By its place: what stands there may be a customer's, and this text may come to a log.
            let (line, column) = (error.line(), error.column());
            Refused::malformed(format!(
                "the body does not fit the description at line {line}, column {column}"
            ))
        })
    }
}

/// The names in a path.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(names)| Self(names))
            .map_err(|_: PathRejection| Refused::malformed("the path does not fit the description"))
    }
}

/// The parameters of a query.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|_: QueryRejection| {
                Refused::malformed("a parameter of the query is missing, or does not fit the description")
            })
    }
}
