//! Test certificates on demand.

use std::sync::Arc;

use eidas::issue::{CertificateRequest, IssueError, KeyType, Profile, generate_key, serial_number};
use eidas::{OrganizationIdentifier, Role, country, header};
use gateway::Clock;
use gateway::certificates::holder;
use gateway::domain::{CertificateKind, CertificateRecord, CertificateStatus, Tenant};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use store::Changes;
use tokio::sync::Semaphore;

use crate::Sandbox;
use crate::faulty_certificates::{CertificateFault, WEAK_KEY};
use crate::management::Error;

/// How many keys are made at once: each takes a processor for a while.
static MAKING: Semaphore = Semaphore::const_new(8);

/// What the caller wants in the certificate.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TestCertificateRequest {
    organization_identifier: String,
    #[serde(default = "default_name")]
    organization_name: String,
    country: Option<String>,
    #[serde(default = "default_locality")]
    locality: String,
    #[serde(default = "default_roles")]
    roles: Vec<String>,
    #[serde(default = "default_profile")]
    profile: String,
    /// SubjectPublicKeyInfo in PEM; with it the private key never leaves the caller.
    public_key: Option<String>,
    /// DNS name of a QWAC; by default one under example.com.
    dns_name: Option<String>,
    /// Whose clock decides when the certificate begins; by default the system's.
    tenant: Option<String>,
    /// What is to be wrong with it.
    fault: Option<String>,
}

/// The certificate with everything a client needs to sign.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestCertificate {
    certificate: String,
    /// Absent if the caller brought the public key.
    private_key: Option<String>,
    key_id: String,
    chain: Vec<String>,
    fingerprint: String,
    not_after: Timestamp,
}

fn default_name() -> String {
    "Example TPP B.V.".to_owned()
}

fn default_locality() -> String {
    "Utrecht".to_owned()
}

fn default_profile() -> String {
    "test-client".to_owned()
}

fn default_roles() -> Vec<String> {
    Role::THIRD_PARTY.iter().map(|role| role.name().to_owned()).collect()
}

/// Issues a certificate; an older one of the same kind and holder is revoked, unless the new one has a fault.
pub(crate) async fn issue(
    sandbox: &Sandbox,
    request: TestCertificateRequest,
) -> Result<TestCertificate, Error> {
    let (profile, kind) = profile(&request.profile)?;
    let fault = request.fault.as_deref().map(CertificateFault::parse).transpose()?;
    let tenant = request.tenant.as_deref().map(|name| known_tenant(sandbox, name)).transpose()?;
    let now = sandbox.clock.now(tenant.as_ref());
    let public_key = request.public_key.clone();
    if fault == Some(CertificateFault::WeakKey) && public_key.is_some() {
        let text = "leave publicKey out: a weak key comes with the certificate";
        return Err(Error::bad("invalid_public_key", text));
    }
    let mut wanted = certificate_request(sandbox, request, profile, now)?;
    if let Some(fault) = fault {
        fault.spoil(&mut wanted);
    }
    let identifier = wanted.organization_identifier.clone();
    let (authorities, randomness) = (Arc::clone(&sandbox.authorities), Arc::clone(&sandbox.randomness));
    let place = MAKING.acquire().await.map_err(gateway::Error::internal)?;
    let made = tokio::task::spawn_blocking(move || {
        let _until_it_is_done = place;
        let (private_key, public_key) = match (public_key, fault) {
            (Some(public_key), _) => (None, public_key),
            (None, Some(CertificateFault::WeakKey)) => (Some(WEAK_KEY.0.to_owned()), WEAK_KEY.1.to_owned()),
            (None, _) => generate_key(KeyType::Rsa2048).map(|(private, public)| (Some(private), public))?,
        };
        let (certificate, chain) = match fault {
            Some(fault) => authorities.issue_faulty(fault, (profile, &wanted), &public_key, &randomness)?,
            None => {
                let chain = authorities.chain(profile).map(<[u8]>::to_vec).to_vec();
                (authorities.issue(profile, &wanted, &public_key)?, chain)
            }
        };
        Ok((certificate, chain, private_key))
    });
    let made = made.await.map_err(gateway::Error::internal)?;
    let (certificate, chain, private_key) = made.map_err(|error| match error {
        IssueError::PublicKey(text) => Error::bad(
            "invalid_public_key",
            format!("publicKey must be a SubjectPublicKeyInfo in PEM (BEGIN PUBLIC KEY), RSA of 2048 to 8192 bits or EC P-256, P-384, P-521: {text}"),
        ),
        other => Error::bad("invalid_request", other),
    })?;
    let holder = holder(&certificate, &identifier);
    match fault {
        None => sandbox.gateway.record_test_certificate(now, &holder, kind).await?,
        Some(CertificateFault::Revoked) => {
            let status = CertificateStatus::Revoked { at: now };
            let record = CertificateRecord { holder, kind, recorded_at: now, status, version: 0 };
            sandbox.store.save(Changes::new().put_certificate(&record)).await?;
        }
        // The bank meets it when it is shown, as it meets any other.
        Some(_) => {}
    }
    let single_line = profile == Profile::TestClient;
    Ok(TestCertificate {
        certificate: pem(&certificate.der, "CERTIFICATE", single_line),
        private_key: private_key.map(|key| if single_line { join_lines(&key) } else { key }),
        key_id: certificate.key_id(),
        chain: chain.iter().map(|der| pem(der, "CERTIFICATE", single_line)).collect(),
        fingerprint: certificate.fingerprint_hex(),
        not_after: certificate.not_after,
    })
}

fn profile(name: &str) -> Result<(Profile, CertificateKind), Error> {
    match name {
        "test-client" => Ok((Profile::TestClient, CertificateKind::TestClient)),
        "qwac" => Ok((Profile::Qwac, CertificateKind::Qwac)),
        "qseal" => Ok((Profile::QSeal, CertificateKind::QSeal)),
        _ => Err(Error::bad(
            "invalid_profile",
            format!("profile \"{name}\" is not known; use test-client, qwac or qseal"),
        )),
    }
}

pub(crate) fn known_tenant(sandbox: &Sandbox, name: &str) -> Result<Tenant, Error> {
    let tenants = &sandbox.gateway.settings().tenants;
    tenants.iter().find(|tenant| tenant.as_str() == name).cloned().ok_or_else(|| {
        let names: Vec<_> = tenants.iter().map(Tenant::as_str).collect();
        Error::bad("unknown_tenant", format!("tenant \"{name}\" is not one of {}", names.join(", ")))
    })
}

fn certificate_request(
    sandbox: &Sandbox,
    request: TestCertificateRequest,
    profile: Profile,
    now: Timestamp,
) -> Result<CertificateRequest, Error> {
    let text = &request.organization_identifier;
    let identifier = OrganizationIdentifier::parse(text).map_err(|rule| {
        Error::bad("invalid_organization_identifier", format!("organizationIdentifier \"{text}\": {rule}"))
    })?;
    let Some(number) = identifier.authorization_number() else {
        let text = format!(
            "organizationIdentifier \"{text}\" must begin with PSD (ETSI TS 119 495, 5.2.1), for example PSDNL-DNB-R123456"
        );
        return Err(Error::bad("invalid_organization_identifier", text));
    };
    let country = request.country.unwrap_or_else(|| {
        if country::is_assigned(&number.country) { number.country.clone() } else { "NL".to_owned() }
    });
    if !country::is_assigned(&country) {
        return Err(Error::bad(
            "invalid_country",
            format!("country \"{country}\" is not assigned by ISO 3166-1; use two upper-case letters"),
        ));
    }
    let common_name = match profile {
        Profile::TestClient => sandbox.authorities.host.clone(),
        Profile::QSeal => request.organization_name.clone(),
        Profile::Qwac => request.dns_name.unwrap_or_else(|| default_dns_name(&request.organization_name)),
    };
    Ok(CertificateRequest {
        roles: roles(&request.roles)?,
        organization_identifier: identifier,
        organization_name: limited("organizationName", request.organization_name)?,
        country,
        locality: limited("locality", request.locality)?,
        common_name: limited("dnsName", common_name)?,
        serial: serial_number(sandbox.randomness.name_octets()).to_vec(),
        not_before: now,
        not_after: two_years_and_seven_days(now),
    })
}

fn roles(names: &[String]) -> Result<Vec<Role>, Error> {
    let mut roles = Vec::new();
    for name in names {
        let known: Vec<_> = Role::names().collect();
        let role = Role::from_name(name).ok_or_else(|| {
            Error::bad("invalid_roles", format!("role \"{name}\" is not one of {}", known.join(", ")))
        })?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    if roles.is_empty() {
        return Err(Error::bad("invalid_roles", "at least one role is needed, for example PSP_AI"));
    }
    Ok(roles)
}

/// X.520 allows 64 characters in names; 128 bytes fit into any certificate here.
fn limited(member: &str, value: String) -> Result<String, Error> {
    if value.trim().is_empty() || value.len() > 128 || value.chars().any(char::is_control) {
        return Err(Error::bad(
            "invalid_request",
            format!("{member} must hold 1 to 128 bytes without control characters"),
        ));
    }
    Ok(value)
}

fn default_dns_name(organization: &str) -> String {
    let letters = organization.to_lowercase();
    let words: Vec<_> =
        letters.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let label: String = words.join("-").chars().take(40).collect();
    let label = label.trim_matches('-');
    format!("{}.example.com", if label.is_empty() { "tpp" } else { label })
}

/// Recorded validity of the compatible bank's test certificates.
fn two_years_and_seven_days(from: Timestamp) -> Timestamp {
    let end = from.to_zoned_datetime(TimeZone::UTC).checked_add(Span::new().years(2).days(7));
    end.map_or(from, |end| end.timestamp())
}

fn pem(der: &[u8], label: &str, single_line: bool) -> String {
    if single_line { header::to_single_line_pem(der, label) } else { eidas::certificate::to_pem(der) }
}

/// The compatible bank hands out PEM with its base64 on one line.
fn join_lines(pem: &str) -> String {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_name_comes_from_any_organization() {
        assert_eq!(default_dns_name("Example TPP B.V."), "example-tpp-b-v.example.com");
        assert_eq!(default_dns_name("Ünïcøde"), "n-c-de.example.com");
        assert_eq!(default_dns_name("銀行"), "tpp.example.com");
        assert!(default_dns_name(&"x".repeat(200)).len() < 60);
    }
}
