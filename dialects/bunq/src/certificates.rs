//! Certificates that are traded for an API key (section 8.2): real ones by their QCStatements and a trusted issuer,
//! pseudo certificates by the words in their name, at a bank for tests alone.

use eidas::{Certificate, Role, oid};
use gateway::domain::{CertificateHolder, TppId};
use gateway::{Ctx, Gateway, Place};
use http_signatures::key::PublicKey;

use crate::error::{Error, from_gateway};

/// Longest common name of a pseudo certificate, in characters (X.520, ub-common-name).
const MAX_COMMON_NAME: usize = 64;

/// Words in a pseudo certificate's name, and the roles that they stand for.
const WORDS: [(&str, Role); 3] =
    [("AISP", Role::AccountInformation), ("PISP", Role::PaymentInitiation), ("CBPII", Role::CardIssuing)];

/// A certificate that was accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// What it says about its holder.
    pub(crate) holder: CertificateHolder,
    /// Common name, for display.
    pub(crate) name: String,
    /// The subject on one line.
    pub(crate) distinguished_name: String,
    /// The key in it.
    pub(crate) key: PublicKey,
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
    let certificate = Certificate::from_pem(leaf).map_err(|error| unreadable(LEAF, &error))?;
    eidas::certificate::chain_from_pem(chain).map_err(|error| unreadable(CHAIN, &error))?;
    if !certificate.is_valid_at(ctx.now) {
        let (from, to) = (certificate.not_before, certificate.not_after);
        let now = ctx.now;
        return Err(Error::bad(format!("The certificate is valid from {from} to {to}; now it is {now}.")));
    }
    let common_name = certificate.subject.first(oid::COMMON_NAME).unwrap_or_default().to_owned();
    let is_real = certificate.subject.first(oid::ORGANIZATION_IDENTIFIER).is_some()
        || certificate.qc_statements.is_some();
    let holder = if is_real {
        let presented = gateway.read_certificate(&certificate.der, Place::Seal, ctx.now)?;
        let status = gateway.check_certificate_status(&presented.holder.fingerprint, Place::Seal).await;
        status.map_err(|error| from_gateway(error, &ctx.request))?;
        gateway.check_role(&presented, &Role::THIRD_PARTY)?;
        presented.holder.clone()
    } else if gateway.is_for_tests() {
        pseudo(&certificate, &common_name)?
    } else {
        return Err(Error::bad(
            "The certificate has no organizationIdentifier and no QCStatements; a qualified certificate for electronic \
             seals (QSealC) with the PSD2 statement is needed.",
        ));
    };
    let key = PublicKey::from_spki_der(&certificate.public_key.spki_der)
        .map_err(|error| Error::bad(format!("The certificate's key: {error}.")))?;
    let name = if common_name.is_empty() { holder.name.clone() } else { common_name };
    Ok(Accepted { holder, name, distinguished_name: one_line(&certificate), key })
}

/// A pseudo certificate: nobody vouches for it, its subject is the identity.
fn pseudo(certificate: &Certificate, common_name: &str) -> Result<CertificateHolder, Error> {
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
        tpp: TppId::new(one_line(certificate)),
        name: common_name.to_owned(),
        roles,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
    })
}

/// The subject in the one-line form of OpenSSL, in the certificate's order: `/C=NL/CN=My App PISP AISP`.
fn one_line(certificate: &Certificate) -> String {
    let attributes = certificate.subject.attributes().iter();
    attributes
        .map(|attribute| {
            let name = eidas::name::short_name(attribute.oid);
            format!("/{}={}", name.map_or_else(|| attribute.oid.to_string(), str::to_owned), attribute.value)
        })
        .collect()
}
