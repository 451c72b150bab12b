//! Where browsers arrive: `/bunq/auth` with an authorization request (section 13.1), `/bunq/psp` with a payment whose
//! payer is unknown (section 16.4). Both lead to the bank's page.
//!
//! An invalid request is answered here and never redirected, so the page cannot be used to send a browser anywhere.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use edge::{BANK_PAGE, Beginning, Entrance, Form, NotBegun, enter, redirect, with_fault};
use eidas::Role;
use gateway::domain::{Access, Interface, Language, Languages, RequestId};
use gateway::sessions::{AuthorizationWish, Wanted};
use gateway::{ActingTpp, Ctx};
use http::{Method, StatusCode};
use web::{Brand, ErrorPage, WayOn};

use crate::error::Error;
use crate::issuer_transactions::{by_uuid, is_open};
use crate::oauth_clients::by_client_id;
use crate::router::come_from;
use crate::state::Bunq;
use crate::users;

/// Longest `state`, in bytes: it comes back in an address.
const MAX_STATE: usize = 2000;

/// What a browser arrives for.
#[derive(Clone, Copy)]
enum Errand {
    /// To give access, and decide about payments that wait.
    Authorization,
    /// To make a payment whose payer is unknown.
    Payment,
}

/// A request that has passed every check: who asks, and for what.
type Checked = (ActingTpp, AuthorizationWish);

/// `GET /auth`, and `HEAD` without beginning anything.
pub(crate) async fn page(State(bunq): State<Arc<Bunq>>, request: Request) -> Response {
    arrived(&bunq, Errand::Authorization, request).await
}

/// `GET /psp`, and `HEAD` without beginning anything.
pub(crate) async fn payment_page(State(bunq): State<Arc<Bunq>>, request: Request) -> Response {
    arrived(&bunq, Errand::Payment, request).await
}

/// Sends a browser to the bank's page, or says in its language what is wrong.
async fn arrived(bunq: &Bunq, errand: Errand, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let language = wanted(&query).or(web::language_of_browser(request.headers(), &Languages::default()));
    match visit(bunq, errand, request).await {
        Ok(response) => response,
        Err(error) => {
            let way_on = match errand {
                Errand::Authorization => way_back(bunq, &query).await,
                Errand::Payment => None,
            };
            refused(bunq, language.unwrap_or_else(|| bunq.tenant.language()), (error, way_on))
        }
    }
}

/// The way back to a third party that a wrong request names with an address that it registered.
async fn way_back(bunq: &Bunq, query: &str) -> Option<WayOn> {
    let parameters = Form::parse_leniently(query.as_bytes()).ok()?;
    let (client, uri) = (parameters.one("client_id").ok()??, parameters.one("redirect_uri").ok()??);
    let client = by_client_id(bunq, client).await.ok()??;
    if !client.value.has_callback(uri) {
        return None;
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("error", "invalid_request");
    if let Some(state) = parameters.one("state").ok().flatten() {
        query.append_pair("state", state);
    }
    let separator = if uri.contains('?') { '&' } else { '?' };
    WayOn::back(format!("{uri}{separator}{}", query.finish()))
}

/// Sends a browser to the bank's page.
async fn visit(bunq: &Bunq, errand: Errand, request: Request) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let (request, connection) = come_from(&parts)?;
    let query = parts.uri.query().unwrap_or_default();
    let is_secure = connection.origin.starts_with("https:");
    let origin = if is_secure { &connection.origin } else { &bunq.edge.public_url };
    if parts.method == Method::HEAD {
        wish(bunq, &bunq.context(request)?, errand, query).await?;
        return Ok(redirect(StatusCode::FOUND, &format!("{origin}{BANK_PAGE}")));
    }
    let language = web::language_of_browser(&parts.headers, &Languages::default());
    let secret = arrive(bunq, errand, (request, language), query).await?;
    Ok(enter(origin, &secret))
}

/// `GET /auth` and `GET /psp` without a browser.
pub(crate) fn entrances(bunq: &Arc<Bunq>) -> Vec<Entrance> {
    let entrance = |path, errand| {
        let bunq = Arc::clone(bunq);
        let begin = move |query: String| -> Beginning {
            let bunq = Arc::clone(&bunq);
            Box::pin(async move {
                let request = bunq.edge.gateway.new_request_id();
                arrive(&bunq, errand, (request, None), &query).await.map_err(told)
            })
        };
        Entrance { path, begin: Arc::new(begin) }
    };
    vec![entrance("/bunq/auth", Errand::Authorization), entrance("/bunq/psp", Errand::Payment)]
}

/// Checks a request and begins a session for it; returns the session's secret.
async fn arrive(
    bunq: &Bunq,
    errand: Errand,
    (request, language): (RequestId, Option<Language>),
    query: &str,
) -> Result<String, Error> {
    let ctx = Ctx { language: wanted(query).or(language), ..bunq.context(request)? };
    let (acting, wish) = wish(bunq, &ctx, errand, query).await?;
    Ok(bunq.edge.gateway.begin_authorization(&ctx, &acting, wish).await?)
}

/// Checks a request.
async fn wish(bunq: &Bunq, ctx: &Ctx, errand: Errand, query: &str) -> Result<Checked, Error> {
    match errand {
        Errand::Authorization => authorize(bunq, ctx, query).await,
        Errand::Payment => pay(bunq, ctx, query).await,
    }
}

/// The language that the link itself asks for, as those of OpenID Connect may.
fn wanted(query: &str) -> Option<Language> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, locales) = pairs.find(|(name, _)| name == "ui_locales")?;
    web::language_of_locales(&locales, &Languages::default())
}

fn told(error: Error) -> NotBegun {
    NotBegun { status: error.status, text: error.text, fault: error.fault }
}

fn refused(bunq: &Bunq, language: Language, (error, way_on): (Error, Option<WayOn>)) -> Response {
    edge::note_code(error.status.as_str());
    let gateway = &bunq.edge.gateway;
    let brand = Brand {
        name: gateway.bank_name(&bunq.tenant),
        is_for_tests: gateway.is_for_tests(),
        ..Brand::default()
    };
    let own_pages = WayOn::log_in(format!("/auth/{}/customer", bunq.tenant));
    let page = ErrorPage::refused(language, error.text, error.status.as_str().to_owned())
        .of(brand, Some(way_on.unwrap_or(own_pages)));
    with_fault(web::page(error.status, &page), error.fault)
}

/// Checks an authorization request.
async fn authorize(bunq: &Bunq, ctx: &Ctx, query: &str) -> Result<Checked, Error> {
    let parameters = Form::parse_leniently(query.as_bytes())?;
    let client_id = parameters.required("client_id")?;
    let client = by_client_id(bunq, client_id).await?;
    let client = client.ok_or_else(|| {
        Error::bad("The parameter \"client_id\" names no active OAuth client; it has 64 hexadecimal digits.")
    })?;
    let redirect_uri = parameters.required("redirect_uri")?;
    if !client.value.has_callback(redirect_uri) {
        return Err(Error::bad(
            "The parameter \"redirect_uri\" must equal a registered callback URL of the client, character by character.",
        ));
    }
    match parameters.required("response_type")? {
        "code" => {}
        _ => return Err(Error::bad("The parameter \"response_type\" must be \"code\".")),
    }
    let state = parameters.one("state")?;
    if state.is_some_and(|state| state.len() > MAX_STATE) {
        return Err(Error::bad(format!("The parameter \"state\" is longer than {MAX_STATE} bytes.")));
    }
    let user = users::find(bunq, client.owner).await?;
    let Some((tpp, roles)) = user.and_then(|user| user.value.client(client.owner)) else {
        return Err(Error::bad("The OAuth client belongs to nobody who can be given access."));
    };
    edge::note_third_party(&tpp);
    let is_reader = roles.contains(&Role::AccountInformation);
    if !is_reader && !roles.contains(&Role::PaymentInitiation) {
        return Err(Error::bad(
            "The certificate of this client grants neither AISP nor PISP; there is nothing that a user could approve.",
        ));
    }
    let acting = bunq.edge.gateway.may_act(ctx, Interface::Bunq, &tpp).await?;
    let wish = AuthorizationWish {
        wanted: Wanted::Access(Access::Chosen { balances: is_reader, transactions: is_reader }),
        redirect_uri: redirect_uri.to_owned(),
        state: state.map(str::to_owned),
    };
    Ok((acting, wish))
}

/// Checks a request about a payment whose payer is unknown.
async fn pay(bunq: &Bunq, ctx: &Ctx, query: &str) -> Result<Checked, Error> {
    let parameters = Form::parse_leniently(query.as_bytes())?;
    let uuid = parameters.required("transactionId")?;
    let found = by_uuid(bunq, uuid).await?;
    let unknown = || Error::new(StatusCode::NOT_FOUND, "There is no such payment.");
    let transaction = found.ok_or_else(unknown)?.value;
    if !is_open(bunq, ctx, &transaction).await? {
        let text = "This payment was decided before, was cancelled, or its time is over.";
        return Err(Error::new(StatusCode::GONE, text));
    }
    let acting = bunq.edge.gateway.may_act(ctx, Interface::Bunq, &transaction.tpp).await?;
    let wish = AuthorizationWish {
        wanted: Wanted::Payment(transaction.payment),
        redirect_uri: transaction.url_redirect,
        state: None,
    };
    Ok((acting, wish))
}
