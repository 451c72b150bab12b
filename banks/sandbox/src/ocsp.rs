//! The OCSP responder of the sandbox's authority, by POST and by GET (RFC 6960, A.1).

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use edge::{Connection, read_body};
use eidas::issue::NoStatus;
use eidas::status::Standing;
use gateway::Clock;
use gateway::domain::CertificateStatus;
use http::{StatusCode, header};

use crate::Sandbox;
use crate::publication::Failed;

/// Longest question, in octets: sixteen certificates and a nonce fit.
const MAX_QUESTION: usize = 8 * 1024;

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(crate) async fn post(State(sandbox): State<Sandbox>, request: Request<Body>) -> Result<Response, Failed> {
    let connection = request.extensions().get::<Connection>().cloned();
    match read_body(request.into_body(), MAX_QUESTION, connection.as_ref()).await {
        Ok(question) => answer(&sandbox, &question).await,
        Err(rejected) => Ok(rejected.status().into_response()),
    }
}

pub(crate) async fn get(
    State(sandbox): State<Sandbox>,
    Path(question): Path<String>,
) -> Result<Response, Failed> {
    // In an address + and / may stand as they are, or escaped, which is undone by now.
    match BASE64.decode(&question).or_else(|_| general_purpose::URL_SAFE_NO_PAD.decode(&question)) {
        Ok(question) if question.len() <= MAX_QUESTION => answer(&sandbox, &question).await,
        _ => Ok(answered(NoStatus::MalformedRequest.der()?)),
    }
}

async fn answer(sandbox: &Sandbox, question: &[u8]) -> Result<Response, Failed> {
    if !sandbox.status_services.answers() {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    let responder = sandbox.authorities.responder(&sandbox.randomness)?;
    let Some(asked) = responder.read(question) else {
        return Ok(answered(NoStatus::MalformedRequest.der()?));
    };
    let mut standings = Vec::new();
    for serial in asked.serials() {
        standings.push(match serial {
            Some(serial) => standing(sandbox, &serial).await?,
            None => Standing::Unknown,
        });
    }
    let times = sandbox.status_services.times(sandbox.clock.now(None));
    Ok(answered(responder.answer(asked, &standings, times)?))
}

/// How the authority stands to one of its certificates. That the bank blocks one is no concern of the authority.
async fn standing(sandbox: &Sandbox, serial: &str) -> Result<Standing, Failed> {
    let issued = sandbox.gateway.certificate_with_serial(serial).await?;
    Ok(match issued.map(|record| record.status) {
        Some(CertificateStatus::Revoked { at }) => Standing::Revoked { at },
        Some(CertificateStatus::Active | CertificateStatus::Blocked { .. }) => Standing::Good,
        None => Standing::Unknown,
    })
}

fn answered(der: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/ocsp-response"), (header::CACHE_CONTROL, "no-store")], der)
        .into_response()
}
