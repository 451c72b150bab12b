//! `POST /v1/token`: a code for an access token (section 13.2). Parameters come in the query of a POST, or in a form;
//! answers have no envelope.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use edge::{Check, Form, FormError, SMALL_BODY, read_body, with_fault};
use gateway::domain::{GrantRefusal, Interface, Refusal};
use gateway::{CodeExchange, Fault};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::error::Error;
use crate::explanations::explain;
use crate::oauth_clients::{by_client_id, secret};
use crate::reply::{Reply, ascii};
use crate::router::{come_from, signed};
use crate::state::Bunq;
use crate::users;
use crate::wire::AccessToken;

/// An error of OAuth (RFC 6749, 5.2).
#[derive(Serialize)]
struct OauthError {
    #[serde(rename = "error")]
    code: &'static str,
    #[serde(rename = "error_description")]
    text: String,
    #[serde(skip)]
    status: StatusCode,
    #[serde(skip)]
    fault: Option<Fault>,
    /// Headers of its own.
    #[serde(skip)]
    headers: Vec<(HeaderName, String)>,
}

impl OauthError {
    fn bad(code: &'static str, text: impl Into<String>) -> Self {
        let (text, headers) = (text.into(), Vec::new());
        Self { status: StatusCode::BAD_REQUEST, code, text, fault: None, headers }
    }
}

impl From<Error> for OauthError {
    fn from(error: Error) -> Self {
        let code = match error.status.as_u16() {
            429 | 491 | 503 => "temporarily_unavailable",
            500.. => "server_error",
            _ => "invalid_request",
        };
        Self { status: error.status, code, text: error.text, fault: error.fault, headers: error.headers }
    }
}

impl From<FormError> for OauthError {
    fn from(error: FormError) -> Self {
        Error::from(error).into()
    }
}

impl From<gateway::Error> for OauthError {
    fn from(error: gateway::Error) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        edge::note_code(self.code);
        edge::note_refusal(&self.text, |failed| explain(failed, self.status, &self.text));
        let body = ascii(&self);
        let json = HeaderValue::from_static("application/json");
        let headers = self.headers.into_iter().filter_map(|(name, text)| Some((name, text.try_into().ok()?)));
        let headers: HeaderMap = headers.chain([(header::CONTENT_TYPE, json)]).collect();
        with_fault((self.status, headers, body).into_response(), self.fault)
    }
}

/// Any other method.
pub(crate) async fn method() -> Response {
    let text = "Send a POST with the parameters in the query or in a form.";
    let error =
        OauthError { status: StatusCode::METHOD_NOT_ALLOWED, ..OauthError::bad("invalid_request", text) };
    ([(header::ALLOW, HeaderValue::from_static("POST,OPTIONS"))], error).into_response()
}

/// Exchanges a code.
pub(crate) async fn exchange(State(bunq): State<Arc<Bunq>>, request: Request) -> Response {
    edge::note_route("/bunq/v1/token");
    redeem(&bunq, request).await.unwrap_or_else(OauthError::into_response)
}

async fn redeem(bunq: &Bunq, request: Request) -> Result<Response, OauthError> {
    let (parts, body) = request.into_parts();
    let (id, connection) = come_from(&parts)?;
    let ctx = bunq.context(id)?;
    let body = read_body(body, SMALL_BODY, Some(&connection)).await.map_err(Error::from)?;
    let parameters = parameters(parts.uri.query(), &body)?;
    if parameters.required("grant_type")? != "authorization_code" {
        return Err(OauthError::bad("unsupported_grant_type", "grant_type must be authorization_code"));
    }
    let (code, redirect_uri) = (parameters.required("code")?, parameters.required("redirect_uri")?);
    let client = by_client_id(bunq, parameters.required("client_id")?).await?;
    let given = parameters.required("client_secret")?;
    // An unknown client costs the same comparison as a known one.
    let expected = client.as_ref().map_or_else(|| "0".repeat(64), |client| secret(bunq, client));
    let fits = gateway::matches(given, &gateway::secret_hash(&expected));
    let wrong = || {
        edge::note_failed(Check::ClientCredentials);
        OauthError::bad("invalid_client", "client_id or client_secret is wrong")
    };
    let client = client.filter(|_| fits).ok_or_else(wrong)?;
    edge::note_passed(Check::ClientCredentials);
    let user = users::find(bunq, client.owner).await?;
    let Some((tpp, _)) = user.and_then(|user| user.value.client(client.owner)) else { return Err(wrong()) };
    edge::note_authenticated();
    edge::note_third_party(&tpp);
    let acting = bunq.edge.gateway.may_act(&ctx, Interface::Bunq, &tpp).await;
    let acting = acting.map_err(|error| match error {
        gateway::Error::Refused(refusal @ (Refusal::Standing(_) | Refusal::NotRegistered(_))) => {
            OauthError::bad("invalid_client", refusal.to_string())
        }
        // That nobody tells of the certificate now is nothing against the client: it keeps its code and comes again.
        other => other.into(),
    })?;
    // Held until it is answered.
    let _place = bunq.edge.gateway.take_call_place(&acting).map_err(Error::from)?;
    let exchange = CodeExchange { code, redirect_uri, code_verifier: None };
    let issued = bunq.edge.gateway.redeem_code(&ctx, &acting, exchange, None).await;
    let issued = issued.map_err(|error| match error {
        gateway::Error::Refused(Refusal::Grant(refusal)) => of_grant(&refusal),
        other => other.into(),
    })?;
    edge::note_subject(issued.grant.subject);
    let (access_token, token_type) = (issued.access_token, "bearer".to_owned());
    let reply = Reply::json(&AccessToken { access_token, token_type, state: issued.state });
    Ok(signed(bunq, reply).await?)
}

fn of_grant(refusal: &GrantRefusal) -> OauthError {
    edge::note_failed(Check::from(refusal));
    match refusal {
        GrantRefusal::CodeUnknown
        | GrantRefusal::CodeExpired { .. }
        | GrantRefusal::CodeOfAnotherClient(_)
        | GrantRefusal::Verifier => {
            OauthError::bad("invalid_grant", "The authorization code is invalid or expired.")
        }
        other => OauthError::bad("invalid_grant", other.to_string()),
    }
}

/// The parameters of the query and of the form.
fn parameters(query: Option<&str>, body: &[u8]) -> Result<Form, FormError> {
    let query = query.unwrap_or_default().as_bytes();
    match body.first() {
        // Some clients announce JSON and send nothing, others send an empty object.
        None | Some(b'{' | b'[') => Form::parse_leniently(query),
        Some(_) => Form::parse_leniently(&[query, b"&", body].concat()),
    }
}
