//! Certificates that are traded for an API key (section 8.2): real ones by their QCStatements and a trusted issuer,
//! pseudo certificates by the words in their name, at a bank for tests alone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use eidas::certificate::{fingerprint, ordered_chain};
use eidas::{Certificate, CertificateDer, Role, name, oid, visible};
use gateway::domain::{CertificateHolder, Interface, TppId};
use gateway::{CertificateIdentity, Ctx, Gateway, Place, Sent};
use http_signatures::key::PublicKey;

use crate::error::Error;
use crate::state::Bunq;

/// Longest common name of a pseudo certificate, in characters (X.520, ub-common-name).
const MAX_COMMON_NAME: usize = 64;

/// Certificates of a chain that are taken along. Paths have one or two between the leaf and a trusted authority.
const AUTHORITIES: usize = 4;

/// Words in a pseudo certificate's name, and the roles that they stand for.
const WORDS: [(&str, Role); 3] =
    [("AISP", Role::AccountInformation), ("PISP", Role::PaymentInitiation), ("CBPII", Role::CardIssuing)];

/// A certificate that was accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// Whose it is.
    pub(crate) identity: CertificateIdentity,
    /// Whether nobody vouches for it, so that its subject belongs to whoever holds the first key.
    pub(crate) is_pseudo: bool,
    /// Common name, for display.
    pub(crate) name: String,
    /// The subject on one line.
    pub(crate) distinguished_name: String,
    /// The key in it.
    pub(crate) key: PublicKey,
    /// SHA-256 over the key, base64.
    pub(crate) key_fingerprint: String,
}

impl Accepted {
    /// What it says about its holder.
    pub(crate) fn holder(&self) -> &CertificateHolder {
        self.identity.holder()
    }
}

/// Reads the leaf from PEM and decides whether it is acceptable.
///
/// # Errors
/// 400 with what is wrong and what would be right.
pub(crate) async fn accept(gateway: &Gateway, ctx: &Ctx, leaf: &str, chain: &str) -> Result<Accepted, Error> {
    let unreadable = |field: &str, why: &dyn std::fmt::Display| {
        Error::bad(format!("The field \"{field}\" holds no certificate in PEM: {why}."))
    };
    const LEAF: &str = "client_payment_service_provider_certificate";
    const CHAIN: &str = "client_payment_service_provider_certificate_chain";
    refuse_private_key(LEAF, leaf)?;
    refuse_private_key(CHAIN, chain)?;
    let certificates = ordered_chain(leaf).map_err(|error| unreadable(LEAF, &error))?;
    let above = ordered_chain(chain).map_err(|error| unreadable(CHAIN, &error))?;
    let certificate = &certificates[0];
    if !certificate.may_be_used_at(ctx.now) {
        let (from, to) = (certificate.not_before, certificate.not_after);
        let now = ctx.now;
        return Err(Error::certificate(format!(
            "The certificate is valid from {from} to {to}; now it is {now}."
        )));
    }
    let common_name = certificate.subject.first(oid::COMMON_NAME).unwrap_or_default().to_owned();
    let is_real = certificate.subject.first(oid::ORGANIZATION_IDENTIFIER).is_some()
        || certificate.qc_statements.is_some();
    let identity = if is_real {
        let place = (Interface::Bunq, Place::SEAL);
        let above: Vec<_> =
            above.into_iter().take(AUTHORITIES).map(|one| CertificateDer::from(one.der)).collect();
        let sent = Sent { octets: &certificate.der, above: &above };
        let shown = (gateway.read_certificate(sent, place, ctx.now)?, Place::SEAL);
        let shown = [Some(&shown), None];
        let [identity, _] =
            gateway.identify_certificates(ctx, Interface::Bunq, shown, &Role::THIRD_PARTY).await?;
        identity
    } else if gateway.is_for_tests() {
        gateway.identify_unvouched(pseudo(certificate, &common_name)?)
    } else {
        None
    };
    let identity = identity.ok_or_else(|| {
        Error::certificate(
            "The certificate has no organizationIdentifier and no QCStatements; a qualified certificate for electronic \
             seals (QSealC) with the PSD2 statement is needed.",
        )
    })?;
    let key = PublicKey::from_spki_der(&certificate.public_key.spki_der)
        .map_err(|error| Error::certificate(format!("The certificate's key: {error}.")))?;
    let name = if common_name.is_empty() {
        identity.holder().name.clone()
    } else {
        visible(&common_name).into_owned()
    };
    let distinguished_name = certificate.subject.one_line();
    let key_fingerprint = STANDARD.encode(fingerprint(&certificate.public_key.spki_der));
    Ok(Accepted { identity, is_pseudo: !is_real, name, distinguished_name, key, key_fingerprint })
}

/// A private key that was sent by mistake is refused wherever certificates are taken.
///
/// # Errors
/// 400
pub(crate) fn refuse_private_key(field: &str, text: &str) -> Result<(), Error> {
    if !eidas::pem::holds_private_key(text.as_bytes()) {
        return Ok(());
    }
    Err(Error::bad(format!(
        "The field \"{field}\" holds a private key, which must never be sent to anyone; it must hold a certificate, \
         beginning with -----BEGIN CERTIFICATE-----. Whoever has seen the key can sign with it, so make another one."
    )))
}

/// Keeps the key of a pseudo certificate that was the first to use its subject, and holds later ones to it.
///
/// # Errors
/// 400 for another key.
pub(crate) async fn bind_key(bunq: &Bunq, accepted: &Accepted) -> Result<(), Error> {
    const KIND: &str = "pseudo-certificate-key";
    let subject = gateway::secret_hash(accepted.holder().tpp.as_str());
    let keep = |known: Option<&str>| known.is_none().then(|| accepted.key_fingerprint.clone());
    let first = bunq.drawer.update(KIND, subject.as_hex(), keep).await?;
    if first.as_deref() == Some(accepted.key_fingerprint.as_str()) {
        return Ok(());
    }
    Err(Error::bad(format!(
        "The subject {} is in use with another key. Sign with the key that was the first to use it, or make a \
         certificate with a common name (CN) of your own, for example \"My App PISP AISP\" with a UUID in it.",
        accepted.distinguished_name
    )))
}

/// A pseudo certificate: nobody vouches for it, its subject is the identity.
fn pseudo(certificate: &Certificate, common_name: &str) -> Result<CertificateHolder, Error> {
    let mut attributes = certificate.subject.attributes().iter();
    if let Some(attribute) = attributes.find(|attribute| attribute.value.contains(name::is_hidden)) {
        return Err(Error::bad(format!(
            "The subject of the certificate has a control character, or another one that cannot be seen, in {}: \
             \"{}\". Use letters, digits, blanks and punctuation.",
            name::display_name(attribute.oid),
            visible(&attribute.value)
        )));
    }
    let length = common_name.chars().count();
    if length == 0 || length > MAX_COMMON_NAME {
        return Err(Error::bad(format!(
            "The common name (CN) of the certificate has {length} characters; it must have 1 to {MAX_COMMON_NAME}, \
             with PISP and/or AISP in it, for example \"My App PISP AISP\"."
        )));
    }
    let roles: Vec<Role> =
        WORDS.iter().filter(|(word, _)| common_name.contains(word)).map(|(_, role)| *role).collect();
    if roles.is_empty() {
        return Err(Error::bad(
            "The certificate grants no role: a pseudo certificate has PISP and/or AISP (or CBPII) in its common name \
             (CN), for example \"My App PISP AISP\".",
        ));
    }
    certificate.public_key.check().map_err(|error| Error::bad(format!("The certificate's key: {error}.")))?;
    if !matches!(certificate.public_key.kind, eidas::public_key::KeyKind::Rsa { .. }) {
        return Err(Error::bad(
            "The certificate's key is not RSA; make one with an RSA key of 2048 bits or more.",
        ));
    }
    Ok(CertificateHolder {
        fingerprint: certificate.fingerprint_hex(),
        serial: certificate.serial_hex(),
        tpp: TppId::new(certificate.subject.identity()),
        name: common_name.to_owned(),
        roles,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        // No client proves itself with one at this interface.
        signing_key: None,
    })
}
