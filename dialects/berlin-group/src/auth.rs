//! Who calls: the dialect's checks in the order of its error table (section 3.4 of the interface description).

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, OriginalUri, RawPathParams, Request};
use edge::{
    Connection, Edge, MAX_BODY, Rejected, check_json_object, check_message_signature, header_text,
    note_subject, note_third_party, read_body, read_json, single_header,
};
use eidas::{Purpose, Role};
use gateway::domain::{Interface, RequestId, Subject, SubjectKind, Timestamp};
use gateway::{ActingTpp, Ctx, Demand, Party, Place, PresentedCertificate, RequestKey, Shown, Sought};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_signatures::Message;
use http_signatures::digest::check_digest;
use serde::de::DeserializeOwned;

use crate::authorisations::SubjectPath;
use crate::error::{Error, shorten};

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
    ids: Vec<(String, String)>,
    parts: Parts,
    body: Bytes,
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
    // The signature covers the digest and not the body, so nobody is given memory before it is known who calls.
    let body = read_body(body, MAX_BODY, Some(&connection)).await?;
    check_body(edge, &message, &body)?;
    let path = message.target.split('?').next().unwrap_or_default();
    let changes = !message.method.is_safe();
    edge.gateway.check_request_id(&ctx, party.acting(), (message.method.as_str(), path), changes)?;
    Ok(Signed { ctx, connection, party, ids, parts, body })
}

/// Path and query as the client sent them.
fn target(parts: &Parts) -> &str {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
}

impl Signed {
    /// Who calls.
    pub(crate) fn tpp(&self) -> &ActingTpp {
        self.party.acting()
    }

    /// An id of the path.
    ///
    /// # Errors
    /// 400 for one that is no UUID.
    pub(crate) fn id(&self, name: &str) -> Result<String, Error> {
        uuid(self.path_parameter(name))
            .ok_or_else(|| Error::format(format!("the {name} id in the path is no UUID")))
    }

    /// What the path names: a consent as `{consent}`, a payment as `{payment}`.
    ///
    /// # Errors
    /// 400 for an id that is no UUID.
    pub(crate) fn subject(&self, kind: SubjectKind) -> Result<Subject, Error> {
        let subject = kind.with_id(self.id(kind.noun())?);
        note_subject(subject.clone());
        Ok(subject)
    }

    /// What a path of a kind names, and the authorisations at it.
    ///
    /// # Errors
    /// 404 for a payment product that is not offered.
    pub(crate) fn sought<'a, K: SubjectPath>(&'a self, subject: &'a Subject) -> Result<Sought<'a>, Error> {
        Ok(Sought { tpp: self.tpp(), subject, purpose: K::PURPOSE, product: K::product(self)? })
    }

    /// A parameter of the path, as it came; empty if there is none.
    pub(crate) fn path_parameter(&self, name: &str) -> &str {
        self.ids.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The part of the path after another one; empty if there is none.
    pub(crate) fn path_segment_after(&self, name: &str) -> &str {
        let path = target(&self.parts).split('?').next().unwrap_or_default();
        path.split('/').skip_while(|segment| *segment != name).nth(1).unwrap_or_default()
    }

    /// Checks that no consent comes along, since payments are not combined with account information.
    ///
    /// # Errors
    /// 400
    pub(crate) fn no_session(&self) -> Result<(), Error> {
        if self.header("consent-id", "Consent-ID")?.is_none() {
            return Ok(());
        }
        let text = "payments are not combined with consents; leave the Consent-ID header out";
        Err(Error::new(StatusCode::BAD_REQUEST, "SESSIONS_NOT_SUPPORTED", text))
    }

    /// The `Consent-ID` header.
    ///
    /// # Errors
    /// 400 if it is missing or no UUID.
    pub(crate) fn consent_id(&self) -> Result<String, Error> {
        let id = self.header("consent-id", "Consent-ID")?;
        let id = id.ok_or_else(|| Error::format("the Consent-ID header is missing"))?;
        uuid(id).ok_or_else(|| Error::format("the Consent-ID header is no UUID"))
    }

    /// The access token, if one came along.
    ///
    /// # Errors
    /// 401 for a header that carries something else.
    pub(crate) fn bearer(&self) -> Result<Option<&str>, Error> {
        let Some(value) = self.header("authorization", "Authorization")? else { return Ok(None) };
        let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = token.map(|(_, token)| token.trim()).filter(|token| !token.is_empty());
        token.map(Some).ok_or_else(|| {
            Error::unauthorized("TOKEN_INVALID", "the Authorization header is not Bearer and a token")
        })
    }

    /// Where the customer comes from, if they take part.
    ///
    /// # Errors
    /// 400 for what is no IP address.
    pub(crate) fn psu_ip_address(&self) -> Result<Option<IpAddr>, Error> {
        let Some(text) = self.header("psu-ip-address", "PSU-IP-Address")? else { return Ok(None) };
        let address = text.trim().parse().map_err(|_| {
            Error::format(
                "PSU-IP-Address is no IP address; send it as 192.0.2.1 or 2001:db8::1, or leave it out",
            )
        })?;
        Ok(Some(address))
    }

    /// Where the customer comes from, which has to be told.
    ///
    /// # Errors
    /// 400 if it is missing, or no IP address.
    pub(crate) fn customer_address(&self) -> Result<IpAddr, Error> {
        self.psu_ip_address()?.ok_or_else(|| {
            Error::format(
                "the PSU-IP-Address header is missing; send the address from which the customer came",
            )
        })
    }

    /// `TPP-Explicit-Authorisation-Preferred`, if it came along.
    ///
    /// # Errors
    /// 400 for what is neither true nor false.
    pub(crate) fn explicit_start(&self) -> Result<bool, Error> {
        const SHOWN: &str = "TPP-Explicit-Authorisation-Preferred";
        let value = self.header("tpp-explicit-authorisation-preferred", SHOWN)?.unwrap_or("false");
        value
            .trim()
            .to_ascii_lowercase()
            .parse()
            .map_err(|_| Error::format(format!("the {SHOWN} header is neither true nor false")))
    }

    /// `TPP-Redirect-URI`.
    ///
    /// # Errors
    /// 400 if it is missing.
    pub(crate) fn redirect_uri(&self) -> Result<String, Error> {
        let uri = self.header("tpp-redirect-uri", "TPP-Redirect-URI")?;
        uri.map(str::to_owned).ok_or_else(|| Error::format("the TPP-Redirect-URI header is missing"))
    }

    /// SHA-256 of the TLS client certificate.
    pub(crate) fn peer_fingerprint(&self) -> Option<String> {
        self.connection.peer_fingerprint()
    }

    /// What makes this request the same as another one.
    pub(crate) fn key(&self, edge: &Edge) -> RequestKey {
        let path = target(&self.parts).split('?').next().unwrap_or_default();
        let call = (self.parts.method.as_str(), path);
        edge.gateway.request_key(&self.ctx, self.tpp(), call, &self.body)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 415 for another media type, 400 for what cannot be read.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.check_media_type(&["application/json"], "application/json")?;
        if self.body.is_empty() {
            return Err(Error::format("the body is missing; send a JSON object"));
        }
        read_json(&self.body).map_err(|error| Error::format(format!("the body: {error}")))
    }

    /// The body as a document in XML.
    ///
    /// # Errors
    /// 415 for another media type, 400 for another charset than UTF-8 and for no body.
    pub(crate) fn xml(&self) -> Result<&[u8], Error> {
        self.check_media_type(&["text/xml", "application/xml"], "text/xml or application/xml")?;
        let kind = self.header("content-type", "Content-Type")?.unwrap_or_default();
        let charset = kind
            .split(';')
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .map(|(_, value)| value.trim().trim_matches('"'));
        if let Some(charset) = charset
            && !charset.eq_ignore_ascii_case("utf-8")
        {
            let got = shorten(charset);
            return Err(Error::format(format!(
                "the charset \"{got}\" in Content-Type is not taken; send the document in UTF-8"
            )));
        }
        if self.body.is_empty() {
            return Err(Error::format("the body is missing; send a document of pain.001"));
        }
        Ok(&self.body)
    }

    /// Checks the media type, where one is given.
    fn check_media_type(&self, taken: &[&str], expected: &'static str) -> Result<(), Error> {
        let Some(kind) = self.header("content-type", "Content-Type")? else { return Ok(()) };
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if taken.iter().any(|taken| essence.eq_ignore_ascii_case(taken)) {
            return Ok(());
        }
        Err(Rejected::MediaType { got: essence.to_owned(), expected }.into())
    }

    /// Checks that a body whose members are not read is empty or a JSON object.
    ///
    /// # Errors
    /// 400
    pub(crate) fn no_members(&self) -> Result<(), Error> {
        check_json_object(&self.body).map_err(|error| Error::format(format!("the body: {error}")))
    }

    /// A parameter of the query; the first one if it is repeated, which a client does after `next` links.
    ///
    /// # Errors
    /// 400 for what is no UTF-8.
    pub(crate) fn query(&self, name: &str) -> Result<Option<String>, Error> {
        let query = self.parts.uri.query().unwrap_or_default();
        let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
        match values.next() {
            Some((_, value)) if value.contains('\u{fffd}') => {
                Err(Error::format(format!("parameter {name} is not valid UTF-8")))
            }
            value => Ok(value.map(|(_, value)| value.into_owned())),
        }
    }

    fn header(&self, name: &'static str, shown: &'static str) -> Result<Option<&str>, Error> {
        let value = header_text(&self.parts.headers, name).map_err(|rejected| match rejected {
            Rejected::DuplicateHeader(_) => Rejected::DuplicateHeader(shown),
            _ => Rejected::HeaderNotText(shown),
        })?;
        Ok(value.filter(|value| !value.is_empty()))
    }
}

/// A UUID in its usual form, in lower case.
fn uuid(text: &str) -> Option<String> {
    let id = uuid::Uuid::try_parse(text).ok().filter(|_| text.len() == 36)?;
    Some(id.to_string())
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
    check_request_id(call, message.headers)?;
    let presented = signing_certificate(edge, message.headers, ctx.now)?;
    note_third_party(&presented.holder.tpp);
    let tls = tls_certificate(edge, connection, message.headers, ctx.now)?;
    let demand = Demand { roles: call.roles, registered: call.registered };
    let shown = ((presented, SIGNATURE), tls);
    let party = edge.gateway.identify(ctx, Interface::BerlinGroup, shown, demand).await?;
    check_signature(edge, call, message, party.signer(), ctx.now)?;
    Ok(party)
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
fn check_request_id(call: &Call<'_>, headers: &HeaderMap) -> Result<(), Error> {
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
    let presented =
        edge.gateway.read_certificate_header(value.as_bytes(), (Interface::BerlinGroup, SIGNATURE), now)?;
    presented.ok_or_else(missing)
}

/// The certificate of the TLS handshake, or the header that stands in for it.
fn tls_certificate(
    edge: &Edge,
    connection: &Connection,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Option<Shown>, Error> {
    if let Some(der) = &connection.peer_certificate {
        let presented = edge.gateway.read_certificate(der, (Interface::BerlinGroup, Place::TLS), now)?;
        return Ok(Some((presented, Place::TLS)));
    }
    let value = single_header(headers, "ssl-certificate")
        .map_err(|_| Rejected::DuplicateHeader("SSL-Certificate"))?;
    let Some(value) = value else { return Ok(None) };
    let presented =
        edge.gateway.read_certificate_header(value.as_bytes(), (Interface::BerlinGroup, SSL_HEADER), now)?;
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
    check_digest(digest, body, rules.digest)
        .map_err(|refusal| Error::unauthorized("SIGNATURE_INVALID", refusal))
}

fn digest<'m>(message: &Message<'m>) -> Result<&'m str, Error> {
    text(message, "digest", "Digest")?.ok_or_else(|| {
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
