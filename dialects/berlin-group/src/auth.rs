//! Who calls: the dialect's checks in the order of its error table (section 3.4 of the interface description).

use std::sync::Arc;

use axum::RequestExt;
use axum::extract::{FromRequest, OriginalUri, Path, Request};
use edge::{
    Connection, Edge, Rejected, SignatureRules, check_message_signature, header_text, read_body,
    single_header,
};
use eidas::Role;
use gateway::certificates::check_same_organization;
use gateway::domain::{RequestId, Timestamp};
use gateway::{Ctx, Place, PresentedCertificate, Strictness};
use http::HeaderMap;
use http_signatures::Message;
use http_signatures::digest::{Prefix, check_digest};

use crate::error::{Error, from_gateway};

const CERTIFICATE: &str = "TPP-Signature-Certificate";

/// What a kind of call demands.
struct Call {
    /// Roles of which the certificate must grant one.
    roles: &'static [Role],
    /// Headers that must be signed.
    signed: &'static [&'static str],
    /// Whether `X-Request-ID` must be there.
    request_id: bool,
}

/// The onboarding call: any third party; the bank's own documentation signs the digest alone.
const ONBOARDING: Call = Call { roles: &Role::THIRD_PARTY, signed: &["digest"], request_id: false };

/// An onboarding call that has passed every check.
pub(crate) struct Onboarding {
    pub(crate) ctx: Ctx,
    pub(crate) connection: Connection,
    pub(crate) presented: Arc<PresentedCertificate>,
}

impl FromRequest<Edge> for Onboarding {
    type Rejection = Error;

    async fn from_request(mut request: Request, edge: &Edge) -> Result<Self, Error> {
        let Path(tenant) = request.extract_parts::<Path<String>>().await.map_err(|_| Rejected::NotFound)?;
        let (parts, body) = request.into_parts();
        let id = parts.extensions.get::<RequestId>().cloned().ok_or(Rejected::NotFound)?;
        let connection = parts.extensions.get::<Connection>().cloned().ok_or(Rejected::NotFound)?;
        let ctx = edge.gateway.context(&tenant, id).ok_or(Rejected::NotFound)?;
        let body = read_body(body).await?;
        let target = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let target = target.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let message = Message { method: &parts.method, target, base_uri: "", headers: &parts.headers };
        let presented = authenticate(edge, &ONBOARDING, &ctx, &connection, &message, &body).await?;
        Ok(Self { ctx, connection, presented })
    }
}

/// Runs every check and returns the signing certificate.
async fn authenticate(
    edge: &Edge,
    call: &Call,
    ctx: &Ctx,
    connection: &Connection,
    message: &Message<'_>,
    body: &[u8],
) -> Result<Arc<PresentedCertificate>, Error> {
    check_mtls(edge, connection)?;
    check_request_id(call, message.headers)?;
    let presented = signing_certificate(edge, message.headers, ctx.now)?;
    let tls = tls_certificate(edge, connection, message.headers, ctx.now)?;
    if let Some((tls, place)) = &tls {
        check_same_organization(&presented, tls, *place)?;
    }
    let mut all = vec![(&presented, Place::Signature)];
    all.extend(tls.iter().map(|(tls, place)| (tls, *place)));
    for (certificate, _) in &all {
        edge.gateway.check_role(certificate, call.roles)?;
    }
    for (certificate, place) in &all {
        edge.gateway.check_validity(certificate, *place, ctx.now)?;
    }
    for (certificate, place) in &all {
        let status = edge.gateway.check_certificate_status(&certificate.holder.fingerprint, *place).await;
        status.map_err(|error| from_gateway(error, &ctx.request))?;
    }
    check_signature(edge, call, message, body, &presented, ctx.now)?;
    Ok(presented)
}

/// Check 1.
fn check_mtls(edge: &Edge, connection: &Connection) -> Result<(), Error> {
    if edge.require_mtls && connection.peer_certificate.is_none() {
        return Err(Error::unauthorized(
            "CERTIFICATE_MISSING",
            "no TLS client certificate was presented; connect with a QWAC",
        ));
    }
    Ok(())
}

/// Check 2.
fn check_request_id(call: &Call, headers: &HeaderMap) -> Result<(), Error> {
    let present = single_header(headers, "x-request-id")?.is_some_and(|value| !value.is_empty());
    if call.request_id && !present {
        return Err(Error::format("the X-Request-ID header is missing"));
    }
    Ok(())
}

/// Checks 3 and 4.
fn signing_certificate(
    edge: &Edge,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Arc<PresentedCertificate>, Error> {
    let missing = || {
        Error::unauthorized(
            "CERTIFICATE_MISSING",
            format!(
                "the {CERTIFICATE} header is missing; send the signing certificate as base64 of its DER on one line"
            ),
        )
    };
    let value = single_header(headers, "tpp-signature-certificate")
        .map_err(|_| Rejected::DuplicateHeader(CERTIFICATE))?
        .ok_or_else(missing)?;
    let presented = edge.gateway.read_certificate_header(value.as_bytes(), Place::Signature, now)?;
    presented.ok_or_else(missing)
}

/// The certificate of the TLS handshake, or the header that stands in for it.
fn tls_certificate(
    edge: &Edge,
    connection: &Connection,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Option<(Arc<PresentedCertificate>, Place)>, Error> {
    if let Some(der) = &connection.peer_certificate {
        let presented = edge.gateway.read_certificate(der, Place::Tls, now)?;
        return Ok(Some((presented, Place::Tls)));
    }
    let value = single_header(headers, "ssl-certificate")
        .map_err(|_| Rejected::DuplicateHeader("SSL-Certificate"))?;
    let Some(value) = value else { return Ok(None) };
    let presented = edge.gateway.read_certificate_header(value.as_bytes(), Place::SslHeader, now)?;
    Ok(presented.map(|presented| (presented, Place::SslHeader)))
}

/// Checks 8 to 12.
fn check_signature(
    edge: &Edge,
    call: &Call,
    message: &Message<'_>,
    body: &[u8],
    presented: &PresentedCertificate,
    now: Timestamp,
) -> Result<(), Error> {
    let text = |name: &'static str, shown: &'static str| {
        header_text(message.headers, name).map_err(|rejected| match rejected {
            Rejected::DuplicateHeader(_) => Error::from(Rejected::DuplicateHeader(shown)),
            _ => Error::unauthorized("SIGNATURE_INVALID", Rejected::HeaderNotText(shown)),
        })
    };
    let value = text("signature", "Signature")?.ok_or_else(|| {
        let signed = call.signed.join(" ");
        Error::unauthorized(
            "SIGNATURE_MISSING",
            format!(
                "the Signature header is missing; sign at least \"{signed}\" with the key of {CERTIFICATE}"
            ),
        )
    })?;
    let digest = text("digest", "Digest")?.ok_or_else(|| {
        Error::unauthorized(
            "SIGNATURE_INVALID",
            "the Digest header is missing; send the digest of the body, also of an empty one",
        )
    })?;
    let strictness = edge.gateway.settings().strictness;
    let checked = match strictness {
        Strictness::Strict => check_digest(digest, body, Prefix::Required),
        // Clients in the field send no digest, or that of some other text, when there is no body.
        Strictness::Lenient if body.is_empty() => Ok(()),
        Strictness::Lenient => check_digest(digest, body, Prefix::Optional),
    };
    checked.map_err(|refusal| Error::unauthorized("SIGNATURE_INVALID", refusal))?;
    let rules = SignatureRules::new(strictness, call.signed);
    Ok(check_message_signature(message, value, presented, &rules, now)?)
}
