//! Who calls the token endpoint: client id and secret, in the header or in the form (RFC 6749, 2.3.1).

use gateway::domain::{Interface, Tpp};
use gateway::{ActingTpp, Place};
use http::HeaderMap;

use crate::authorization_header::{Authorization, authorization};
use crate::error::{Error, from_gateway};
use crate::form::Form;
use crate::router::{Call, Services, check_mtls};

const CHALLENGE: &str = "Basic realm=\"token\"";

/// A client that has proved itself.
#[derive(Debug)]
pub(crate) struct Client {
    /// Who it is, and that it may act.
    pub(crate) acting: ActingTpp,
    /// SHA-256 of its TLS client certificate, if it presented one.
    pub(crate) certificate: Option<String>,
}

/// The client, if it proves itself.
///
/// # Errors
/// 401 `invalid_client`; 400 for credentials in two places.
pub(crate) async fn authenticate(
    services: &Services,
    call: &Call,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Client, Error> {
    check_mtls(services, call)?;
    let tpp = authenticate_by_secret(services, call, headers, form).await?;
    let gateway = &services.edge.gateway;
    let acting = gateway.client_may_act(&call.ctx, Interface::BerlinGroup, &tpp).await;
    let acting = acting.map_err(|error| from_gateway(error, &call.ctx.request))?;
    let Some(der) = &call.connection.peer_certificate else {
        return Ok(Client { acting, certificate: None });
    };
    let presented = gateway.read_certificate(der, Place::Tls, call.ctx.now)?;
    if presented.holder.tpp != tpp.id {
        let text = "the TLS client certificate belongs to another organisation than the client";
        return Err(Error::unauthorized("invalid_client", text));
    }
    gateway.check_validity(&presented, Place::Tls, call.ctx.now)?;
    let fingerprint = &presented.holder.fingerprint;
    let status = gateway.check_certificate_status(fingerprint, Place::Tls).await;
    status.map_err(|error| from_gateway(error, &call.ctx.request))?;
    Ok(Client { acting, certificate: Some(fingerprint.clone()) })
}

async fn authenticate_by_secret(
    services: &Services,
    call: &Call,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Tpp, Error> {
    let in_form = (form.one("client_id")?, form.one("client_secret")?);
    let header = authorization(headers).map_err(|_| unauthenticated())?;
    let (id, secret) = match (header, in_form) {
        (Some(Authorization::Basic { .. }), (_, Some(_))) => {
            return Err(Error::bad(
                "invalid_request",
                "client credentials came in the header and in the form",
            ));
        }
        (Some(Authorization::Basic { id, .. }), (Some(other), None))
            if decoded(&id) != other && id != other =>
        {
            let text = "client_id in the form is another one than in Authorization: Basic";
            return Err(Error::unauthorized("invalid_client", text).with_challenge(CHALLENGE));
        }
        (Some(Authorization::Basic { id, secret }), _) => (id, secret),
        (_, (Some(id), Some(secret))) => (id.to_owned(), secret.to_owned()),
        _ => return Err(unauthenticated()),
    };
    let gateway = &services.edge.gateway;
    let failed = |error| from_gateway(error, &call.ctx.request);
    match gateway.authenticate_client(&id, &secret).await {
        // The RFC wants both form-encoded inside Basic; most clients send them as they are.
        Err(gateway::Error::Refused(_)) if decoded(&id) != id => {
            gateway.authenticate_client(&decoded(&id), &decoded(&secret)).await.map_err(failed)
        }
        result => result.map_err(failed),
    }
}

fn unauthenticated() -> Error {
    let text =
        "send client id and client secret as Authorization: Basic, base64 of both with a colon between";
    Error::unauthorized("invalid_client", text).with_challenge(CHALLENGE)
}

/// Undoes form encoding.
fn decoded(text: &str) -> String {
    let pair = format!("x={text}");
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
