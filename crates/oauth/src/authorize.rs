//! `GET` and `POST /auth/{tenant}/v1/auth`: the authorization request (RFC 6749, 4.1.1; RFC 7636; OpenID Connect
//! Core 1.0, 3.1.2).
//!
//! An invalid request is answered here with status 400 and never redirected, so the endpoint cannot be used to
//! send a browser anywhere. Only what concerns a valid request goes back to the registered redirect URI.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use edge::{BANK_PAGE, Check, enter, note_check, redirect};
use gateway::domain::{AuthorizationRequest, Interface, Scope, ScopeError, SecretHash, Timestamp, Tpp};
use gateway::sessions::WayBack;
use gateway::{ActingTpp, Ctx};
use http::{HeaderMap, StatusCode};
use web::WayOn;

use crate::error::{Error, refused_as};
use crate::form::Form;
use crate::router::{Call, LimitedBody, Services};
use crate::way_back::{location, refused_at};

/// Longest `state` and `nonce`, in bytes: both come back in addresses.
const MAX_VALUE: usize = 2000;

/// Parameters in the query.
pub(crate) async fn get(
    State(services): State<Services>,
    call: Call,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    answer(&services, &call, form.map_err(Error::from), &headers).await
}

/// What [`get`] would answer, without beginning anything: no session, no cookie, and a pushed request is left alone.
pub(crate) async fn head(
    State(services): State<Services>,
    call: Call,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match check(&services, &call, query.unwrap_or_default().as_bytes()).await {
        Ok(location) => redirect(StatusCode::FOUND, &location),
        Err(error) => error.for_browser(&services, Some(&call.ctx.tenant), &headers),
    }
}

/// Checks a request and says where its browser would go.
async fn check(services: &Services, call: &Call, query: &[u8]) -> Result<String, Error> {
    let form = Form::parse(query)?;
    form.check_unique()?;
    let page = format!("{}{BANK_PAGE}", call.browser_origin(services));
    if form.one("request_uri")?.is_some_and(|uri| uri.starts_with("urn:")) {
        form.required("client_id")?;
        return Ok(page);
    }
    check_request(services, call, &form).await?;
    Ok(page)
}

/// Parameters in a form.
pub(crate) async fn post(
    State(services): State<Services>,
    call: Call,
    headers: HeaderMap,
    body: LimitedBody,
) -> Response {
    answer(&services, &call, Form::from_post(&headers, &body.0).map_err(Error::from), &headers).await
}

async fn answer(
    services: &Services,
    call: &Call,
    form: Result<Form, Error>,
    headers: &HeaderMap,
) -> Response {
    let (error, form) = match form {
        Ok(form) => match begin(services, call, &form).await {
            Ok(Ok(secret)) => return enter(call.browser_origin(services), &secret),
            Ok(Err(way_back)) => {
                return redirect(StatusCode::FOUND, &location(services, &call.ctx.tenant, &way_back));
            }
            Err(error) => (error, Some(form)),
        },
        Err(error) => (error, None),
    };
    let back = match &form {
        Some(form) => way_back(services, form, call.ctx.now).await,
        None => None,
    };
    let wanted = form.and_then(|form| form.one("ui_locales").ok().flatten().map(str::to_owned));
    let wanted = wanted.as_deref().and_then(|wanted| web::language_of_locales(wanted, services.languages()));
    let tenant = &call.ctx.tenant;
    let language = wanted.unwrap_or_else(|| services.browser_language(Some(tenant), headers));
    let way_on = back.or_else(|| services.way_to_log_in(Some(tenant)));
    error.into_page(services, language, headers, services.brand(Some(tenant)), way_on)
}

/// The way back to a third party that a wrong request names with an address that it registered.
async fn way_back(services: &Services, form: &Form, now: Timestamp) -> Option<WayOn> {
    let (client, uri) = (form.one("client_id").ok()??, form.one("redirect_uri").ok()??);
    let client = services.edge.gateway.client(client).await.ok()??;
    if !client.redirect_uris.contains(uri) || client.blocked.is_some_and(|block| block.holds_at(now)) {
        return None;
    }
    WayOn::back(refused_at(uri, form.one("state").ok().flatten()))
}

/// Checks a request, pushed or plain, and begins a session for it. Returns the session's secret, or the way back if there
/// is nothing to authorise.
pub(crate) async fn begin(
    services: &Services,
    call: &Call,
    form: &Form,
) -> Result<Result<String, WayBack>, Error> {
    form.check_unique()?;
    let (pushed, parameters) = pushed(services, call, form).await?.unzip();
    let parameters = parameters.as_ref().unwrap_or(form);
    let (client, request) = check_request(services, call, parameters).await?;
    let request = AuthorizationRequest { pushed, ..request };
    let wanted = parameters.one("ui_locales")?;
    let wanted = wanted.and_then(|wanted| web::language_of_locales(wanted, services.languages()));
    let ctx = Ctx { language: wanted.or(call.ctx.language), ..call.ctx.clone() };
    Ok(services.edge.gateway.begin_session(&ctx, &client, &request).await?)
}

/// The parameters that were pushed before, and under which hash they are kept, if the request refers to them: beside
/// the reference only the client id counts (RFC 9126, 4).
async fn pushed(services: &Services, call: &Call, form: &Form) -> Result<Option<(SecretHash, Form)>, Error> {
    let Some(reference) = form.one("request_uri")?.filter(|uri| uri.starts_with("urn:")) else {
        return Ok(None);
    };
    let client_id = form.required("client_id")?;
    let pushed = services.edge.gateway.pushed_request(&call.ctx, client_id, reference).await?;
    let pushed = pushed.ok_or_else(|| {
        let text =
            "request_uri is unknown, expired, used before, or another client's; push the request again";
        Error::bad("invalid_request_uri", text)
    })?;
    // They were counted when they came; that of the client may have been added.
    Ok(Some((pushed.hash, Form::parse_with_lists(pushed.parameters.as_bytes())?)))
}

/// Every check of an authorization request, in the order of RFC 6749 and its extensions.
pub(crate) async fn check_request(
    services: &Services,
    call: &Call,
    form: &Form,
) -> Result<(ActingTpp, AuthorizationRequest), Error> {
    check_unsupported(form)?;
    let client_id = form.required("client_id")?;
    let client = services.edge.gateway.client(client_id).await?;
    let client = note_check(Check::Client, check_client(client_id, client))?;
    edge::note_third_party(&client.id);
    let acting = services.edge.gateway.client_may_act(&call.ctx, Interface::OF_CLIENTS, &client).await;
    let acting = acting.map_err(|error| refused_as("unauthorized_client", error))?;
    let redirect_uri = note_check(Check::RedirectUri, check_redirect_uri(&client, form))?.to_owned();
    check_response_type(form)?;
    let Scope { subject, offline_access } = note_check(Check::Scope, check_scope(services, &client, form))?;
    edge::note_subject(subject.clone());
    let code_challenge = note_check(Check::Pkce, check_code_challenge(form))?;
    check_optional(services, call, &client, form)?;
    let text = |name| Ok::<_, Error>(form.one(name)?.map(str::to_owned));
    let request = AuthorizationRequest {
        client: client.id,
        interface: acting.interface(),
        subject,
        redirect_uri,
        state: text("state")?,
        nonce: text("nonce")?,
        code_challenge: Some(code_challenge),
        offline_access,
        pushed: None,
    };
    Ok((acting, request))
}

fn check_unsupported(form: &Form) -> Result<(), Error> {
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if form.all(name).any(|value| !value.is_empty()) {
            return Err(Error::bad(
                error,
                format!("parameter {name} is not supported; send plain parameters"),
            ));
        }
    }
    Ok(())
}

fn check_client(id: &str, client: Option<Tpp>) -> Result<Tpp, Error> {
    if eidas::OrganizationIdentifier::parse(id).is_err() {
        let text = "Invalid client id: it is the organization identifier of the certificate, such as PSDNL-DNB-R123456";
        return Err(Error::bad("invalid_request", text));
    }
    client.ok_or_else(|| {
        Error::bad("invalid_request", format!("TPP with client id {id} not found; register first"))
    })
}

fn check_redirect_uri<'f>(client: &Tpp, form: &'f Form) -> Result<&'f str, Error> {
    let uri = form.required("redirect_uri")?;
    if client.redirect_uris.contains(uri) {
        return Ok(uri);
    }
    Err(Error::bad(
        "invalid_request",
        "Unregistered redirect_uri: it must equal a registered one, character by character",
    ))
}

fn check_response_type(form: &Form) -> Result<(), Error> {
    match form.required("response_type")? {
        "code" => Ok(()),
        other => Err(Error::bad(
            "unsupported_response_type",
            format!("response_type {other} is not supported; use code"),
        )),
    }
}

/// The scope. In front of a real bank the certificate of the call that made what it is about had the role, and it is nobody else's:
/// that of the registration may be an older one.
fn check_scope(services: &Services, client: &Tpp, form: &Form) -> Result<Scope, Error> {
    let invalid = |text: String| Error::bad("invalid_scope", text);
    let scope: Scope =
        form.required("scope")?.parse().map_err(|error: ScopeError| invalid(error.to_string()))?;
    let role = scope.subject.kind().role();
    if services.edge.gateway.is_for_tests() && !client.roles.contains(&role) {
        let text = format!("the certificate of this client does not grant {role}, which the scope needs");
        return Err(invalid(text));
    }
    Ok(scope)
}

/// The challenge in base64url without padding. Standard base64 is taken besides base64url; a SHA-256 is 43 characters and perhaps one of padding.
fn check_code_challenge(form: &Form) -> Result<String, Error> {
    let invalid = |text: &str| Error::bad("invalid_request", text);
    let challenge = form.one("code_challenge")?.ok_or_else(|| {
        invalid("code_challenge is missing: PKCE with S256 is required (RFC 7636); append it to the scaRedirect link")
    })?;
    if form.one("code_challenge_method")? != Some("S256") {
        return Err(invalid("code_challenge_method must be S256"));
    }
    let digits = challenge.strip_suffix('=').unwrap_or(challenge);
    let is_base64 = digits.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+/".contains(&b));
    if digits.len() != 43 || !is_base64 {
        return Err(invalid(
            "code_challenge must be the base64url SHA-256 of the code_verifier, 43 characters; in standard base64 \
             write + as %2B",
        ));
    }
    Ok(digits.replace('+', "-").replace('/', "_"))
}

fn check_optional(services: &Services, call: &Call, client: &Tpp, form: &Form) -> Result<(), Error> {
    let invalid = |text: String| Error::bad("invalid_request", text);
    for name in ["state", "nonce"] {
        if form.one(name)?.is_some_and(|value| value.len() > MAX_VALUE) {
            return Err(invalid(format!("{name} is longer than {MAX_VALUE} bytes")));
        }
    }
    if let Some(mode) = form.one("response_mode")?.filter(|mode| *mode != "query") {
        return Err(invalid(format!("response_mode {mode} is not supported; use query")));
    }
    if let Some(age) = form.one("max_age")?.filter(|age| age.starts_with('+') || age.parse::<u32>().is_err())
    {
        return Err(invalid(format!("max_age {age} is no number of seconds from 0 to 4294967295")));
    }
    let prompts = form.one("prompt")?.unwrap_or_default();
    let known = |prompt: &str| matches!(prompt, "none" | "login" | "consent" | "select_account");
    if let Some(other) = prompts.split(' ').find(|prompt| !prompt.is_empty() && !known(prompt)) {
        return Err(invalid(format!("prompt {other} is not known")));
    }
    if prompts.split(' ').any(|prompt| prompt == "none") {
        return Err(Error::bad(
            "consent_required",
            "prompt none is not possible: each authorisation needs the customer",
        ));
    }
    let issuer = services.issuer(call.ctx.tenant.as_str());
    if let Some(hint) = form.one("id_token_hint")?
        && !services.keys.has_signed(hint, &issuer, client.id.as_str())
    {
        let text = "invalid subject in id_token_hint: the token was not issued here to this client";
        return Err(invalid(text.to_owned()));
    }
    Ok(())
}
