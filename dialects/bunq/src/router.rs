//! From a request to a signed answer: the route, the checks of [`crate::call`], the handler, the headers.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use edge::openapi::{self, Description, Operation};
use edge::{Connection, Dialect, Edge, Mounted, Rejected, guard, note_route};
use gateway::domain::{Interface, RequestId};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::call::{self, Call, Incoming};
use crate::due_payments::DueSchedules;
use crate::erasure::OfCustomers;
use crate::error::Error;
use crate::failures::FAILING;
use crate::reply::Reply;
use crate::routes;
use crate::state::Bunq;
use crate::{authorize, callback_jobs, oauth_clients, sandbox_users, token};

/// The dialect, for the list of what a build serves.
pub const DIALECT: Dialect = Dialect {
    name: Interface::Bunq.name(),
    title: Interface::Bunq.title(),
    prefix: PREFIX,
    base: "/bunq/v1",
    // Clients put the host alone in front of the links of pages, and some know no other path.
    also: Some("/v1"),
    mount,
    description,
    failing: FAILING,
};

/// Examples for the description; a test holds them against answers.
const EXAMPLES: &str = include_str!("examples.json");

/// The path prefix the dialect is mounted under.
pub(crate) const PREFIX: &str = "/bunq";

pub(crate) const SERVER_SIGNATURE_NAME: &str = "x-bunq-server-signature";
pub(crate) const SERVER_SIGNATURE: HeaderName = HeaderName::from_static(SERVER_SIGNATURE_NAME);
pub(crate) const RESPONSE_ID: HeaderName = HeaderName::from_static("x-bunq-client-response-id");
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-bunq-client-request-id");

/// What browsers' scripts may read of an answer.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Bunq-Server-Signature, X-Bunq-Client-Response-Id, X-Bunq-Client-Request-Id, X-Bunq-Warning",
);

fn mount(edge: Edge) -> Mounted {
    let bunq = Arc::new(Bunq::new(edge.clone()));
    edge.gateway
        .erase_too(Arc::new(OfCustomers { drawer: bunq.drawer.clone(), tenant: bunq.tenant.clone() }));
    // It ends when nobody serves this interface any more.
    tokio::spawn(callback_jobs::run(Arc::downgrade(&bunq)));
    let (caller, secret) = (Arc::clone(&bunq), Arc::clone(&bunq));
    Mounted {
        caller: Some(Arc::new(move |headers| {
            let bunq = Arc::clone(&caller);
            Box::pin(async move { call::third_party(&bunq, &headers).await })
        })),
        entrances: authorize::entrances(&bunq),
        door: Some(sandbox_users::door(&bunq)),
        client_secret: Some(Arc::new(move |tpp| {
            let bunq = Arc::clone(&secret);
            Box::pin(async move { oauth_clients::secret_of(&bunq, &tpp).await })
        })),
        due: Some(Arc::new(DueSchedules(Arc::clone(&bunq)))),
        router: router(bunq, edge),
    }
}

fn token() -> Operation<Arc<Bunq>> {
    let token =
        post(token::exchange).options(async |headers: HeaderMap| preflight(&headers)).fallback(token::method);
    Operation::new(Method::POST, "/v1/token", 200, "Trade a code for an access token", token)
        .with("authorization", &[])
}

/// Where browsers go.
fn pages() -> Vec<Operation<Arc<Bunq>>> {
    let page = |path, summary, handlers| {
        Operation::new(Method::GET, path, 302, summary, handlers).with("authorization", &[])
    };
    vec![
        page("/auth", "Authorization request of a browser", get(authorize::page)),
        page("/psp", "Payment whose payer is unknown", get(authorize::payment_page)),
    ]
}

fn description(public_url: &str) -> Description {
    described(public_url, true)
}

fn described(public_url: &str, is_for_tests: bool) -> Description {
    let others = pages().into_iter().chain([token()]).map(|operation| operation.described().clone());
    let described = others.chain(routes::described(is_for_tests)).collect();
    Description::new("bunq's PSD2 API", format!("{public_url}{PREFIX}"), described, EXAMPLES)
}

fn router(bunq: Arc<Bunq>, edge: Edge) -> Router {
    let (token, mut pages) = (token(), pages());
    pages.push(described(&edge.public_url, edge.gateway.is_for_tests()).operation());
    let api = Router::new()
        .route("/v1/token", token.into_handlers())
        .fallback(serve)
        .with_state(Arc::clone(&bunq))
        .layer(from_fn_with_state(edge.clone(), guard::<Error>))
        .layer(from_fn(common_headers));
    let pages = openapi::route_all(Router::new(), pages)
        .method_not_allowed_fallback(async |method: Method| Error::from(Rejected::Method(method)))
        .with_state(bunq)
        .layer(from_fn_with_state(edge, guard::<Error>));
    pages.fallback_service(api)
}

async fn serve(State(bunq): State<Arc<Bunq>>, request: Request) -> Response {
    let is_dutch = is_dutch(request.headers());
    answer(&bunq, request).await.unwrap_or_else(|error| {
        let error = if bunq.edge.explain { error } else { error.terse() };
        error.response(is_dutch)
    })
}

/// The id of a request, and the connection that it came in on.
pub(crate) fn come_from(parts: &Parts) -> Result<(RequestId, Connection), Error> {
    let found = parts.extensions.get().cloned().zip(parts.extensions.get().cloned());
    found.ok_or_else(|| Rejected::NotFound.into())
}

async fn answer(bunq: &Arc<Bunq>, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let path = uri.path().strip_prefix(PREFIX).unwrap_or(uri.path()).trim_end_matches('/').to_owned();
    let below = path.strip_prefix("/v1").ok_or(Rejected::NotFound)?;
    let (id, connection) = come_from(&parts)?;
    if parts.method == Method::OPTIONS {
        return Ok(preflight(&parts.headers));
    }
    let (route, names) = bunq.routes.find(&parts.method, below)?;
    note_route(&format!("{PREFIX}/v1{}", route.path));
    let ctx = bunq.context(id)?;
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let incoming = Incoming { ctx, connection, headers: parts.headers, names, query, path, body };
    let call = Call::admit(bunq, route, incoming).await?;
    let reply = (route.handler)(call).await?;
    Ok(signed(bunq, reply).await?)
}

/// Every success is signed over its exact octets (section 4.2).
pub(crate) async fn signed(bunq: &Bunq, reply: Reply) -> Result<Response, gateway::Error> {
    let key = bunq.key().await?;
    let mut response = Response::new(Body::from(reply.body.clone()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, reply.content_type);
    if let Some(signature) = key.sign(&reply.body) {
        headers.insert(SERVER_SIGNATURE, signature);
    }
    Ok(response)
}

/// Scripts of other origins may call; tokens are in headers, so there is nothing that a browser would add.
fn preflight(headers: &HeaderMap) -> Response {
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let asked = asked.unwrap_or(HeaderValue::from_static("*"));
    let methods = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE, OPTIONS");
    let answer =
        [(header::ACCESS_CONTROL_ALLOW_METHODS, methods), (header::ACCESS_CONTROL_ALLOW_HEADERS, asked)];
    (StatusCode::OK, answer).into_response()
}

/// Headers that every answer has, errors too. Strict-Transport-Security is left out: on a developer's machine it would
/// keep browsers from other programs under the same name.
async fn common_headers(request: Request, next: Next) -> Response {
    let echoed = request.headers().get(REQUEST_ID).cloned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // The id of the call, which the log has too; a UUID unless the caller chose it.
    if let Some(id) = headers.get("x-request-id").cloned() {
        headers.insert(RESPONSE_ID, id);
    }
    add_common(headers, echoed);
    response
}

/// What each answer has, whatever it says.
pub(crate) fn add_common(headers: &mut HeaderMap, echoed: Option<HeaderValue>) {
    if let Some(echoed) = echoed {
        headers.insert(REQUEST_ID, echoed);
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Whether the caller asks for Dutch texts; anything else is English.
pub(crate) fn is_dutch(headers: &HeaderMap) -> bool {
    headers.get("x-bunq-language").is_some_and(|language| language.as_bytes() == b"nl_NL")
}
