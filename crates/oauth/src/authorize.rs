//! `GET` and `POST /auth/{tenant}/v1/auth`: the authorization request (RFC 6749, 4.1.1; RFC 7636; OpenID Connect
//! Core 1.0, 3.1.2).
//!
//! An invalid request is answered here with status 400 and never redirected, so the endpoint cannot be used to
//! send a browser anywhere. Only what concerns a valid request goes back to the registered redirect URI.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use gateway::domain::Tpp;
use http::{HeaderMap, StatusCode, header};

use crate::error::{Error, from_gateway};
use crate::form::Form;
use crate::router::{Call, LimitedBody, Services};
use crate::scope::{self, Resource};

/// Parameters in the query.
pub(crate) async fn get(
    State(services): State<Services>,
    call: Call,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match Form::parse(query.unwrap_or_default().as_bytes()) {
        Ok(form) => {
            authorize(&services, &call, &form).await.unwrap_or_else(|error| error.for_caller(&headers))
        }
        Err(error) => error.for_caller(&headers),
    }
}

/// Parameters in a form.
pub(crate) async fn post(
    State(services): State<Services>,
    call: Call,
    headers: HeaderMap,
    body: LimitedBody,
) -> Response {
    match Form::from_post(&headers, &body.0) {
        Ok(form) => {
            authorize(&services, &call, &form).await.unwrap_or_else(|error| error.for_caller(&headers))
        }
        Err(error) => error.for_caller(&headers),
    }
}

async fn authorize(services: &Services, call: &Call, form: &Form) -> Result<Response, Error> {
    form.check_unique()?;
    check_unsupported(form)?;
    let client_id = form.required("client_id")?;
    let client = services.edge.gateway.client(client_id).await;
    let client = client.map_err(|error| from_gateway(error, &call.ctx.request))?;
    let client = check_client(client_id, client)?;
    let redirect_uri = check_redirect_uri(&client, form)?;
    check_response_type(form)?;
    let resource = check_scope(&client, form)?;
    check_code_challenge(form)?;
    check_optional(form)?;
    // A consent is authorised once it exists and waits for its customer. This bank has none yet.
    let description =
        format!("No pending authorisations found for {} with uuid {}", resource.kind.noun(), resource.id);
    let issuer = services.issuer(call.ctx.tenant.as_str());
    Ok(send_back(redirect_uri, "invalid_request", &description, form.one("state")?, &issuer))
}

fn check_unsupported(form: &Form) -> Result<(), Error> {
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if form.all(name).next().is_some() {
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

fn check_scope(client: &Tpp, form: &Form) -> Result<Resource, Error> {
    let invalid = |text: String| Error::bad("invalid_scope", text);
    let resource = scope::parse(form.required("scope")?).map_err(invalid)?;
    let role = resource.kind.role();
    if !client.roles.contains(&role) {
        return Err(invalid(format!(
            "the certificate of this client does not grant {role}, which the scope needs"
        )));
    }
    Ok(resource)
}

/// Standard base64 is taken besides base64url; a SHA-256 is 43 characters and perhaps one of padding.
fn check_code_challenge(form: &Form) -> Result<(), Error> {
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
            "code_challenge must be the base64url SHA-256 of the code_verifier, 43 characters",
        ));
    }
    Ok(())
}

fn check_optional(form: &Form) -> Result<(), Error> {
    let invalid = |text: String| Error::bad("invalid_request", text);
    if let Some(mode) = form.one("response_mode")?.filter(|mode| *mode != "query") {
        return Err(invalid(format!("response_mode {mode} is not supported; use query")));
    }
    if let Some(age) = form.one("max_age")?.filter(|age| age.parse::<u32>().is_err()) {
        return Err(invalid(format!("max_age {age} is no number of seconds")));
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
    if form.one("id_token_hint")?.is_some() {
        return Err(invalid("invalid subject in id_token_hint: the token was not issued here".to_owned()));
    }
    Ok(())
}

/// Back to the third party with an error, `state` and `iss` (RFC 9207); a query that is there stays.
fn send_back(
    redirect_uri: &str,
    error: &str,
    description: &str,
    state: Option<&str>,
    issuer: &str,
) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("error", error).append_pair("error_description", description);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", issuer);
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    let location = format!("{redirect_uri}{separator}{}", query.finish());
    let headers = [
        (header::LOCATION, location.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::FOUND, headers).into_response()
}
