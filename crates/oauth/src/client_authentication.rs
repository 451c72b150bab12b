//! Who calls the token endpoint and its like: a client that proves itself by a secret (RFC 6749, 2.3.1), by the
//! certificate of its TLS connection (RFC 8705, 2.1), or by an assertion (RFC 7523, 2.2).

use std::sync::Arc;

use edge::Check;
use eidas::Purpose;
use gateway::domain::{ClientAuthentication, Interface, Tpp};
use gateway::{ActingTpp, CallPlace, CertificateIdentity, Place, PresentedCertificate, Usage};
use http::HeaderMap;

use crate::authorization_header::{Authorization, authorization};
use crate::client_assertion;
use crate::error::{CERTIFICATE, Error};
use crate::form::Form;
use crate::router::{Call, Services, check_mtls};

/// A client that has proved itself.
#[derive(Debug)]
pub(crate) struct Client {
    /// Who it is, and that it may act.
    pub(crate) acting: ActingTpp,
    /// SHA-256 of its TLS client certificate, if it presented one.
    pub(crate) certificate: Option<String>,
    /// Held until the call is answered.
    pub(crate) _place: CallPlace,
}

/// What a client sends to prove itself.
enum Credentials {
    Secret { way: ClientAuthentication, id: String, secret: String },
    Assertion { id: Option<String>, assertion: String },
    Certificate { id: String },
}

/// The client, if it proves itself in the way that it registered for.
///
/// # Errors
/// 401 `invalid_client`; 400 for credentials in two places.
pub(crate) async fn authenticate(
    services: &Services,
    call: &Call,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Client, Error> {
    check_mtls(services, call).map_err(Error::of_client)?;
    let (presented, identity) = tls_certificate(services, call).await?.unzip();
    let (way, tpp) = match credentials(headers, form)? {
        Credentials::Secret { way, id, secret } => (way, by_secret(services, &id, &secret).await?),
        Credentials::Assertion { id, assertion } => {
            let tpp = client_assertion::client(services, call, id.as_deref(), &assertion).await?;
            (ClientAuthentication::PrivateKeyJwt, tpp)
        }
        Credentials::Certificate { id } => {
            (ClientAuthentication::Tls, by_certificate(services, &id, presented.as_deref()).await?)
        }
    };
    edge::note_third_party(&tpp.id);
    if !tpp.may_authenticate_by(way) {
        let own = tpp.authentication.map_or("client_secret_basic", ClientAuthentication::name);
        return Err(refused(format!("this client registered for {own} and came with {}", way.name())));
    }
    if presented.as_ref().is_some_and(|presented| presented.holder.tpp != tpp.id) {
        let text = "the TLS client certificate belongs to another organisation than the client";
        return Err(refused(text).or_terse(CERTIFICATE));
    }
    let acting = acting(services, call, (&tpp, way), identity.as_ref()).await?;
    edge::note_passed(Check::ClientCredentials);
    edge::note_authenticated();
    let _place = services.edge.gateway.take_call_place(&acting)?;
    let certificate = presented.map(|presented| presented.holder.fingerprint.clone());
    Ok(Client { acting, certificate, _place })
}

/// Who acts, once it is known that it is the client: on the word of the certificate whose key signed an assertion, else of the one that
/// is shown.
async fn acting(
    services: &Services,
    call: &Call,
    (tpp, way): (&Tpp, ClientAuthentication),
    shown: Option<&CertificateIdentity>,
) -> Result<ActingTpp, gateway::Error> {
    let (gateway, interface) = (&services.edge.gateway, Interface::OF_CLIENTS);
    match shown {
        _ if way == ClientAuthentication::PrivateKeyJwt => {
            let of_key = (&tpp.id, tpp.certificate_at(interface));
            gateway.may_act_by_key(&call.ctx, interface, of_key, Usage::Changes).await
        }
        Some(shown) => gateway.client_may_act_showing(&call.ctx, interface, (tpp, shown)).await,
        None => gateway.client_may_act(&call.ctx, interface, tpp).await,
    }
}

/// 401 with what is wrong about how the client proves itself.
pub(crate) fn refused(text: impl ToString) -> Error {
    edge::note_failed(Check::ClientCredentials);
    Error::unauthorized("invalid_client", text).of_client()
}

/// Checks that a certificate may stand for a client in TLS: it may be anything but a certificate for seals.
///
/// # Errors
/// What would be right.
pub(crate) fn check_tls_purpose(presented: &PresentedCertificate) -> Result<(), &'static str> {
    match Purpose::of(presented.certificate.qc_type()) {
        Some(Purpose::QSeal) => Err("tls_client_auth needs a QWAC; the TLS client certificate is a QSealC"),
        _ => Ok(()),
    }
}

/// The certificate of the connection with every check that needs no client, and the proof that it passed them.
async fn tls_certificate(
    services: &Services,
    call: &Call,
) -> Result<Option<(Arc<PresentedCertificate>, CertificateIdentity)>, Error> {
    let Some(sent) = call.connection.sent() else { return Ok(None) };
    let gateway = &services.edge.gateway;
    let now = call.ctx.now;
    let of_client = |refusal| Error::from(refusal).of_client();
    let read = gateway.read_certificate(sent, (Interface::OF_CLIENTS, Place::TLS), now);
    let presented = edge::note_tls_certificate(&call.connection, read).map_err(of_client)?;
    let shown = (presented, Place::TLS);
    let identified =
        gateway.identify_certificates(&call.ctx, Interface::OF_CLIENTS, [Some(&shown), None], &[]).await;
    let left_out = [Check::Registration, Check::Standing, Check::Role];
    edge::note_certificates(&services.profile().certificates, &left_out, &identified);
    match identified {
        Err(gateway::Error::Refused(refusal)) => Err(of_client(refusal)),
        other => Ok(other.map(|[identity, _]| identity.map(|identity| (shown.0, identity)))?),
    }
}

fn credentials(headers: &HeaderMap, form: &Form) -> Result<Credentials, Error> {
    let (id, secret, assertion) =
        (form.one("client_id")?, form.one("client_secret")?, form.one("client_assertion")?);
    let header = match authorization(headers).map_err(|_| refused(UNAUTHENTICATED))? {
        Some(Authorization::Basic { id, secret }) => Some((id, secret)),
        _ => None,
    };
    let ways = [header.is_some(), secret.is_some(), assertion.is_some()];
    if ways.iter().filter(|is_used| **is_used).count() > 1 {
        let text =
            "client credentials came in two ways, such as in the header and in the form; send them once";
        return Err(Error::bad("invalid_request", text));
    }
    match (header, id, secret, assertion) {
        (Some((id, _)), Some(other), ..) if decoded(&id) != other && id != other => {
            Err(refused("client_id in the form is another one than in Authorization: Basic"))
        }
        (Some((id, secret)), ..) => {
            Ok(Credentials::Secret { way: ClientAuthentication::SecretBasic, id, secret })
        }
        (_, Some(id), Some(secret), _) => Ok(Credentials::Secret {
            way: ClientAuthentication::SecretPost,
            id: id.to_owned(),
            secret: secret.to_owned(),
        }),
        (_, id, _, Some(assertion)) => {
            let kind = form.one("client_assertion_type")?.unwrap_or_default();
            if kind != client_assertion::KIND {
                let text = format!("client_assertion_type must be {}", client_assertion::KIND);
                return Err(refused(text));
            }
            Ok(Credentials::Assertion { id: id.map(str::to_owned), assertion: assertion.to_owned() })
        }
        (_, Some(id), None, None) => Ok(Credentials::Certificate { id: id.to_owned() }),
        _ => Err(refused(UNAUTHENTICATED)),
    }
}

const UNAUTHENTICATED: &str = "send client id and client secret as Authorization: Basic, base64 of both with a colon \
                               between; or client_id with a client_assertion, or over TLS with a QWAC";

async fn by_secret(services: &Services, id: &str, secret: &str) -> Result<Tpp, Error> {
    let gateway = &services.edge.gateway;
    match gateway.authenticate_client(id, secret).await {
        // The RFC wants both form-encoded inside Basic; most clients send them as they are.
        Err(gateway::Error::Refused(_)) if decoded(id) != id => {
            Ok(gateway.authenticate_client(&decoded(id), &decoded(secret)).await?)
        }
        result => Ok(result?),
    }
}

/// Whether the certificate is of the client is checked for every client; here it has to be there and be a QWAC.
async fn by_certificate(
    services: &Services,
    id: &str,
    presented: Option<&PresentedCertificate>,
) -> Result<Tpp, Error> {
    let presented = presented.ok_or_else(|| refused(UNAUTHENTICATED))?;
    check_tls_purpose(presented).map_err(|text| refused(text).or_terse(CERTIFICATE))?;
    let client = services.edge.gateway.client(id).await?;
    // Whoever is known from another interface alone has not registered here.
    let client = client.filter(Tpp::has_registered);
    client.ok_or_else(|| refused("there is no client with this client_id; register first"))
}

/// Undoes form encoding.
fn decoded(text: &str) -> String {
    let pair = format!("x={text}");
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
