//! `POST /approvals` on the management listener: authorises or refuses as a customer would on the pages, by the
//! same rules, for tests without a browser. `POST /signing-keys` beside it changes the key of ID tokens. A sandbox alone
//! has them.

mod customer;
mod refused;

use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use edge::{Connection, Edge, Entrance, SMALL_BODY, read_body, read_json, require_json};
use gateway::domain::{Iban, Tenant};
use gateway::sessions::WayBack;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use web::Brand;

use crate::authorize::begin;
use crate::error::Error;
use crate::form::Form;
use crate::keys::SigningKeys;
use crate::router::{Call, PREFIX, Services};
use crate::way_back::location;
use customer::Customer;
use refused::{Refused, refused};

/// Knows the number of the device of the customer with an account.
pub type DeviceNumbers = Arc<dyn Fn(Tenant, Iban) -> DeviceNumber + Send + Sync>;

type DeviceNumber = Pin<Box<dyn Future<Output = Result<Option<String>, gateway::Error>> + Send>>;

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

/// Makes the router, for the management listener. `entrances` are those of the dialects, beside the authorization
/// server's own.
pub fn approvals(
    edge: Edge,
    keys: SigningKeys,
    device_numbers: DeviceNumbers,
    entrances: Vec<Entrance>,
) -> Router {
    let services = Services { edge, keys, brand: Brand::default() };
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
            is_told_by_proxy: false,
            peer_authorities: [].into(),
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
