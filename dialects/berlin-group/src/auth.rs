//! Who calls: the dialect's checks in the order of its error table (section 3.4 of the interface description).

use std::marker::PhantomData;
use std::sync::Arc;

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, OriginalUri, RawPathParams, Request};
use edge::{
    Check, Connection, Edge, MAX_BODY, Rejected, ShownCertificate, check_body_digest,
    check_message_signature, header_text, note_authenticated, note_certificates, note_check, note_failed,
    note_passed, note_signing_certificate, note_third_party, note_tls_certificate,
    note_unread_tls_certificate, read_body, single_header,
};
use eidas::{Purpose, Role};
use gateway::domain::{Interface, RequestId, Timestamp};
use gateway::{CallPlace, Ctx, Demand, Party, Place, PresentedCertificate, Sent, Shown};
use http::HeaderMap;
use http::request::Parts;
use http_signatures::Message;

use crate::authorisations::SubjectPath;
use crate::error::Error;

const CERTIFICATE: &str = "TPP-Signature-Certificate";

/// The header with the signing certificate.
const SIGNATURE: Place =
    Place { what: "the signing certificate (TPP-Signature-Certificate)", purpose: Some(Purpose::QSeal) };

/// The header that stands in for the TLS handshake in a sandbox, where it repeats the signing certificate.
const SSL_HEADER: Place = Place { what: "the certificate in SSL-Certificate", purpose: None };

/// What a kind of call demands.
struct Call<'c> {
    /// Roles of which the certificate must grant one.
    roles: &'c [Role],
    /// Headers that must be signed.
    signed: &'static [&'static str],
    /// Whether `X-Request-ID` must be there.
    request_id: bool,
    /// Whether the organisation must have registered.
    registered: bool,
}

/// The onboarding call: any third party; the bank's own documentation signs the digest alone.
const ONBOARDING: Call<'static> =
    Call { roles: &Role::THIRD_PARTY, signed: &["digest"], request_id: false, registered: false };

/// A call of a service of the bank: signed over the digest and the request id.
fn service(roles: &[Role]) -> Call<'_> {
    Call { roles, signed: &["digest", "x-request-id"], request_id: true, registered: true }
}

/// An onboarding call that has passed every check.
pub(crate) struct Onboarding(pub(crate) Signed);

impl FromRequest<Edge> for Onboarding {
    type Rejection = Error;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Error> {
        signed(edge, &ONBOARDING, request).await.map(Self)
    }
}

/// A call about a kind of subject that has passed every check about who sent it: the certificate has the role that
/// the kind needs.
pub(crate) struct About<K>(pub(crate) Signed, pub(crate) PhantomData<K>);

impl<K: SubjectPath> FromRequest<Edge> for About<K> {
    type Rejection = Error;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Error> {
        Ok(Self(signed(edge, &service(&[K::KIND.role()]), request).await?, PhantomData))
    }
}

/// A call about accounts that has passed every check about who sent it.
pub(crate) struct Signed {
    pub(crate) ctx: Ctx,
    pub(crate) connection: Connection,
    pub(crate) party: Party,
    /// Parameters of the path.
    pub(crate) ids: Vec<(String, String)>,
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    /// Held until the call is answered.
    pub(crate) _place: CallPlace,
}

impl FromRequest<Edge> for Signed {
    type Rejection = Error;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Error> {
        signed(edge, &service(&[Role::AccountInformation]), request).await
    }
}

async fn signed(edge: &Edge, call: &Call<'_>, mut request: Request) -> Result<Signed, Error> {
    let params = request.extract_parts::<RawPathParams>().await.map_err(|_| Rejected::NotFound)?;
    let ids: Vec<_> = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (parts, body) = request.into_parts();
    let id = parts.extensions.get::<RequestId>().cloned().ok_or(Rejected::NotFound)?;
    let connection = parts.extensions.get::<Connection>().cloned().ok_or(Rejected::NotFound)?;
    let tenant = ids.iter().find(|(name, _)| name == "tenant").ok_or(Rejected::NotFound)?;
    let ctx = edge.gateway.context(&tenant.1, id).ok_or(Rejected::NotFound)?;
    let message =
        Message { method: &parts.method, target: target(&parts), base_uri: "", headers: &parts.headers };
    let party = authenticate(edge, call, &ctx, &connection, &message).await?;
    let place = edge.gateway.take_call_place(party.acting())?;
    // The signature covers the digest and not the body, so nobody is given memory before it is known who calls.
    let body = read_body(body, MAX_BODY, Some(&connection)).await?;
    check_body(edge, &message, &body)?;
    let path = message.target.split('?').next().unwrap_or_default();
    let changes = !message.method.is_safe();
    let fresh = edge.gateway.check_request_id(&ctx, party.acting(), (message.method.as_str(), path), changes);
    note_check(Check::FreshRequestId, fresh)?;
    Ok(Signed { ctx, connection, party, ids, parts, body, _place: place })
}

/// Path and query as the client sent them.
pub(crate) fn target(parts: &Parts) -> &str {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
}

/// Runs every check that needs no body and returns the proof of who signs.
async fn authenticate(
    edge: &Edge,
    call: &Call<'_>,
    ctx: &Ctx,
    connection: &Connection,
    message: &Message<'_>,
) -> Result<Party, Error> {
    check_mtls(edge, connection)?;
    let signing = check_request_id(call, message.headers).and_then(|()| {
        note_check(Check::Certificate, signing_certificate(edge, connection, message.headers, ctx.now))
    });
    let presented = signing.inspect_err(|_| note_unread_tls_certificate(connection))?;
    note_third_party(&presented.holder.tpp);
    note_signing_certificate(ShownCertificate::Read(Arc::clone(&presented)));
    let tls = tls_certificate(edge, connection, message.headers, ctx.now)?;
    let reads = message.method.is_safe() && *call.roles == [Role::AccountInformation];
    let demand = Demand { roles: call.roles, registered: call.registered, reads };
    let shown = ((presented, SIGNATURE), tls);
    let identified = edge.gateway.identify(ctx, Interface::BerlinGroup, shown, demand).await;
    let left_out: &[Check] = if call.registered { &[] } else { &[Check::Registration] };
    note_certificates(&edge.gateway.profile(Interface::BerlinGroup).certificates, left_out, &identified);
    let party = identified?;
    check_signature(edge, call, message, party.signer(), ctx.now)?;
    note_authenticated();
    edge.gateway.take_up_certificate(ctx, &party).await?;
    Ok(party)
}

/// Check 1.
fn check_mtls(edge: &Edge, connection: &Connection) -> Result<(), Error> {
    if !edge.require_mtls {
        return Ok(());
    }
    if connection.peer_certificate.is_none() {
        note_failed(Check::TlsCertificate);
        return Err(Error::unauthorized(
            "CERTIFICATE_MISSING",
            "no TLS client certificate was presented; connect with a QWAC",
        ));
    }
    note_passed(Check::TlsCertificate);
    Ok(())
}

/// Check 2.
fn check_request_id(call: &Call<'_>, headers: &HeaderMap) -> Result<(), Error> {
    let present = single_header(headers, "x-request-id")?.is_some_and(|value| !value.is_empty());
    if call.request_id && !present {
        note_failed(Check::RequestId);
        return Err(Error::format("the X-Request-ID header is missing"));
    }
    if present {
        note_passed(Check::RequestId);
    }
    Ok(())
}

/// Checks 3 and 4.
fn signing_certificate(
    edge: &Edge,
    connection: &Connection,
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
    // Whoever issued it may have issued the certificate of the connection.
    let sent = Sent { octets: value.as_bytes(), above: &connection.peer_authorities };
    let presented = edge.gateway.read_certificate_header(sent, (Interface::BerlinGroup, SIGNATURE), now)?;
    presented.ok_or_else(missing)
}

/// The certificate of the TLS handshake, or the header that stands in for it.
fn tls_certificate(
    edge: &Edge,
    connection: &Connection,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Option<Shown>, Error> {
    if let Some(sent) = connection.sent() {
        let read = edge.gateway.read_certificate(sent, (Interface::BerlinGroup, Place::TLS), now);
        return Ok(Some((note_tls_certificate(connection, read)?, Place::TLS)));
    }
    let value = single_header(headers, "ssl-certificate")
        .map_err(|_| Rejected::DuplicateHeader("SSL-Certificate"))?;
    let Some(value) = value else { return Ok(None) };
    let presented = edge.gateway.read_certificate_header(
        Sent::alone(value.as_bytes()),
        (Interface::BerlinGroup, SSL_HEADER),
        now,
    )?;
    Ok(presented.map(|presented| (presented, SSL_HEADER)))
}

/// Checks 8, 9, 11 and 12.
fn check_signature(
    edge: &Edge,
    call: &Call<'_>,
    message: &Message<'_>,
    presented: &PresentedCertificate,
    now: Timestamp,
) -> Result<(), Error> {
    let value = text(message, "signature", "Signature")?.ok_or_else(|| {
        note_failed(Check::SignatureHeader);
        let signed = call.signed.join(" ");
        Error::unauthorized(
            "SIGNATURE_MISSING",
            format!(
                "the Signature header is missing; sign at least \"{signed}\" with the key of {CERTIFICATE}"
            ),
        )
    })?;
    digest(message)?;
    let rules = edge.gateway.profile(Interface::BerlinGroup).signatures.requiring(call.signed);
    Ok(check_message_signature(message, value, presented, &rules, now)?)
}

/// Check 10.
fn check_body(edge: &Edge, message: &Message<'_>, body: &[u8]) -> Result<(), Error> {
    let digest = digest(message)?;
    let rules = &edge.gateway.profile(Interface::BerlinGroup).signatures;
    if body.is_empty() && !rules.digest_of_nothing {
        return Ok(());
    }
    check_body_digest(digest, body, rules.digest)
        .map_err(|refusal| Error::unauthorized("SIGNATURE_INVALID", refusal))
}

fn digest<'m>(message: &Message<'m>) -> Result<&'m str, Error> {
    text(message, "digest", "Digest")?.ok_or_else(|| {
        note_failed(Check::Digest);
        Error::unauthorized(
            "SIGNATURE_INVALID",
            "the Digest header is missing; send the digest of the body, also of an empty one",
        )
    })
}

fn text<'m>(
    message: &Message<'m>,
    name: &'static str,
    shown: &'static str,
) -> Result<Option<&'m str>, Error> {
    header_text(message.headers, name).map_err(|rejected| match rejected {
        Rejected::DuplicateHeader(_) => Error::from(Rejected::DuplicateHeader(shown)),
        _ => Error::unauthorized("SIGNATURE_INVALID", Rejected::HeaderNotText(shown)),
    })
}
