//! `POST /auth/{tenant}/v1/registration` (RFC 7591; OpenID Connect Dynamic Client Registration 1.0).

mod request;

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use edge::{Check, MAX_BODY, Rejected, check_message_signature, header_text, single_header};
use eidas::{Purpose, Role};
use gateway::domain::{ClientAuthentication, Interface};
use gateway::{Place, PresentedCertificate, Registered, RegistrationRequest, Sent, Shown};
use http::header::{CACHE_CONTROL, HeaderName};
use http::{HeaderMap, Method, StatusCode};
use http_signatures::Message;

use crate::authorization_header::{Authorization, authorization};
use crate::client_authentication::check_tls_purpose;
use crate::error::{CERTIFICATE, Error};
use crate::router::{Call, LimitedBody, Services, check_mtls};
use crate::wire::ClientInformation;
use request::ClientMetadata;

/// The header with the signing certificate.
const SIGNATURE: Place =
    Place { what: "the signing certificate (TPP-Signature-Certificate)", purpose: Some(Purpose::QSeal) };

type Certificates = (Option<Shown>, Option<Shown>);
type Created = (StatusCode, [(HeaderName, &'static str); 1], Json<ClientInformation>);

/// Registers the holder of an initial access token, or replaces its registration.
pub(crate) async fn register(
    State(services): State<Services>,
    call: Call,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: LimitedBody<MAX_BODY>,
) -> Result<Created, Error> {
    check_mtls(&services, &call)?;
    let bearer = bearer_token(&headers)?;
    let metadata = ClientMetadata::parse(&headers, &body.0, services.profile().redirects.max_count)?;
    let token = bearer.or(metadata.initial_access_token).ok_or_else(|| {
        Error::unauthorized(
            "invalid_request",
            "the initial access token is missing; send it as Authorization: Bearer or as initial_access_token",
        )
    })?;
    let (signer, peer) = certificates(&services, &call, &headers)?;
    let (shown, roles) = ([signer.as_ref(), peer.as_ref()], &Role::THIRD_PARTY);
    let gateway = &services.edge.gateway;
    let identified = gateway.identify_certificates(&call.ctx, Interface::OF_CLIENTS, shown, roles).await;
    if signer.is_some() || peer.is_some() {
        let left_out = [Check::Registration, Check::Standing];
        edge::note_certificates(&services.profile().certificates, &left_out, &identified);
    }
    let [certificate, connection] = identified?;
    if let Some(identity) = certificate.as_ref().or(connection.as_ref()) {
        edge::note_third_party(&identity.holder().tpp);
    }
    let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    check_signature(&services, &call, &headers, target, signer.as_ref().map(|(signer, _)| &**signer))?;
    let algorithm = services.keys.algorithm_name();
    let key = certificate.as_ref().and_then(|identity| identity.holder().signing_key.as_deref());
    let authentication = metadata.asked.check(&services.profile().clients, algorithm, key)?;
    check_tls_method(authentication, peer.as_ref().map(|(peer, _)| &**peer))?;
    let identity = [call.ctx.request.as_str(), target, &gateway::fingerprint(&body.0)].join(" ");
    let request = RegistrationRequest {
        token,
        certificate,
        connection,
        place: SIGNATURE,
        redirect_uris: metadata.redirect_uris,
        sector_identifier_uri: metadata.sector_identifier_uri,
        authentication,
        identity: gateway::secret_hash(&identity),
    };
    let registered = services.edge.gateway.register(&call.ctx, request).await?;
    edge::note_passed(Check::InitialAccessToken);
    Ok((
        StatusCode::CREATED,
        [(CACHE_CONTROL, "no-store")],
        Json(render(registered, metadata.asked.grant_types, algorithm)),
    ))
}

fn bearer_token(headers: &HeaderMap) -> Result<Option<String>, Error> {
    match authorization(headers)? {
        None => Ok(None),
        Some(Authorization::Bearer(token)) => Ok(Some(token)),
        Some(Authorization::Basic { .. }) => Err(Error::authorization_header()),
    }
}

/// Who asks for `tls_client_auth` shows the certificate that it will come with.
fn check_tls_method(
    authentication: Option<ClientAuthentication>,
    peer: Option<&PresentedCertificate>,
) -> Result<(), Error> {
    if authentication != Some(ClientAuthentication::Tls) {
        return Ok(());
    }
    let invalid = |text: &str| Error::bad("invalid_client_metadata", text);
    match peer {
        Some(peer) => check_tls_purpose(peer).map_err(|text| invalid(text).or_terse(CERTIFICATE)),
        None => Err(invalid(
            "tls_client_auth needs a QWAC; register over TLS and present it as the client certificate",
        )),
    }
}

/// The certificate of the registration and the one of the connection, if they came along.
fn certificates(services: &Services, call: &Call, headers: &HeaderMap) -> Result<Certificates, Error> {
    const NAME: &str = "TPP-Signature-Certificate";
    let gateway = &services.edge.gateway;
    let now = call.ctx.now;
    let value =
        single_header(headers, "tpp-signature-certificate").map_err(|_| Rejected::DuplicateHeader(NAME))?;
    let signer = match value {
        Some(value) => {
            let sent = Sent { octets: value.as_bytes(), above: &call.connection.peer_authorities };
            gateway.read_certificate_header(sent, (Interface::OF_CLIENTS, SIGNATURE), now)?
        }
        None => None,
    };
    let peer = call.connection.sent();
    let read = |sent| gateway.read_certificate(sent, (Interface::OF_CLIENTS, Place::TLS), now);
    let peer = peer.map(|sent| edge::note_tls_certificate(&call.connection, read(sent))).transpose()?;
    if let Some(signer) = &signer {
        edge::note_signing_certificate(edge::ShownCertificate::Read(Arc::clone(signer)));
    }
    Ok((signer.map(|signer| (signer, SIGNATURE)), peer.map(|peer| (peer, Place::TLS))))
}

/// A signature is not needed here, but one that is sent has to be right over the headers as they are. The digest
/// is not compared: a client in the field sends that of an empty body with its form.
fn check_signature(
    services: &Services,
    call: &Call,
    headers: &HeaderMap,
    target: &str,
    certificate: Option<&PresentedCertificate>,
) -> Result<(), Error> {
    let value = header_text(headers, "signature").map_err(|rejected| match rejected {
        Rejected::DuplicateHeader(_) => Rejected::DuplicateHeader("Signature"),
        _ => Rejected::HeaderNotText("Signature"),
    })?;
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(()) };
    let invalid = |text: String| Error::about_keys("invalid_request", "SIGNATURE_INVALID", text);
    let Some(certificate) = certificate else {
        return Err(invalid(
            "a Signature came without TPP-Signature-Certificate; send both or neither".to_owned(),
        ));
    };
    let message = Message { method: &Method::POST, target, base_uri: "", headers };
    let rules = services.profile().signatures.requiring(&["digest"]);
    let verified = check_message_signature(&message, value, certificate, &rules, call.ctx.now);
    verified.map_err(|refusal| invalid(refusal.to_string()))
}

fn render(
    Registered { tpp, secret }: Registered,
    grant_types: Vec<String>,
    algorithm: &str,
) -> ClientInformation {
    let authentication = tpp.authentication.unwrap_or(ClientAuthentication::SecretBasic);
    ClientInformation {
        grant_types: if grant_types.is_empty() { vec!["authorization_code".to_owned()] } else { grant_types },
        application_type: tpp.application_type().to_owned(),
        client_secret_expires_at: 0,
        redirect_uris: tpp.redirect_uris.as_slice().to_vec(),
        client_id_issued_at: tpp.registered_at.as_second(),
        client_id: tpp.id.to_string(),
        // Who proves itself otherwise gets none.
        client_secret: if authentication.is_by_secret() { secret } else { String::new() },
        tls_client_certificate_bound_access_tokens: true,
        sector_identifier_uri: tpp.sector_identifier_uri,
        token_endpoint_auth_method: authentication.name().to_owned(),
        response_types: vec!["code".to_owned()],
        id_token_signed_response_alg: algorithm.to_owned(),
    }
}
