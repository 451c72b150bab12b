//! Certificates that calls present: who is it, may they, is it still good.
//!
//! Reading, identity and the path to a trusted authority do not change while a bank runs, so they are done once for each
//! certificate. Whoever presents one is nobody yet: `parties.rs` runs the checks that are run with every call.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use domain::{
    CertificateHolder, CertificateKind, CertificateRecord, CertificateState, CertificateStatus, Interface,
    Refusal, Timestamp, TppId,
};
use eidas::header::{HeaderError, HeaderForm, certificate_der, to_single_line_pem};
use eidas::key_id::KeyIdError;
use eidas::public_key::KeyKind;
use eidas::{
    Certificate, KeyId, KeyIdRules, OrganizationIdentifier, PathError, Purpose, Role, TrustStore, oid,
    visible,
};
use http_signatures::key::PublicKey;
use quick_cache::sync::Cache;

use crate::error::retry;
use crate::{Changes, Error, Gateway, Noun};

/// Certificates kept parsed. Each takes about ten kilobytes; only those that were traced are kept.
const CACHED: usize = 1024;

/// Where a certificate is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// How messages of the interface call it there.
    pub what: &'static str,
    /// What it has to be for, if the bank looks at that.
    pub purpose: Option<Purpose>,
}

impl Place {
    /// The TLS handshake.
    pub const TLS: Self = Self { what: "the TLS client certificate", purpose: Some(Purpose::Qwac) };
    /// The body of a call, sealed with its key.
    pub const SEAL: Self = Self { what: "the certificate", purpose: Some(Purpose::QSeal) };
}

/// A certificate that was read, identifies an organisation and comes from a trusted authority.
#[derive(Debug)]
pub struct PresentedCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// What it says about its holder.
    pub holder: CertificateHolder,
    /// The key in it.
    pub key: PublicKey,
    /// What trusted lists say that it is for; none if an authority vouches for it that the bank itself trusts.
    qualified: Option<Purpose>,
    /// A key id that was found to fit: clients send the same text with every call.
    fitting_key_id: OnceLock<Box<str>>,
}

impl PresentedCertificate {
    /// Checks the key id of a signature against the certificate. All calls of one bank use the same rules.
    ///
    /// # Errors
    /// [`KeyIdError`]
    pub fn check_key_id(&self, text: &str, rules: KeyIdRules) -> Result<(), KeyIdError> {
        if self.fitting_key_id.get().is_some_and(|known| **known == *text) {
            return Ok(());
        }
        KeyId::parse(text)?.check(&self.certificate, rules)?;
        // If two calls come at once, one of the two texts is remembered.
        let _ = self.fitting_key_id.set(text.into());
        Ok(())
    }
}

/// Trusted lists, which say what certificates are qualified for.
pub trait Qualify: std::fmt::Debug + Send + Sync {
    /// What a certificate is for at a moment.
    ///
    /// # Errors
    /// [`Unqualified`]
    fn qualified(&self, certificate: &Certificate, now: Timestamp) -> Result<Purpose, Unqualified>;
}

/// Why lists make nothing of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unqualified {
    /// No authority of theirs issued it.
    Unlisted,
    /// What they say of whoever issued it.
    Listed(String),
}

/// Whom a bank trusts.
#[derive(Debug)]
struct Authorities {
    /// Those that it trusts by itself.
    anchors: TrustStore,
    /// Lists of others, if it has any.
    lists: Option<Arc<dyn Qualify>>,
}

/// Authorities that are trusted, and the certificates that were traced to them.
#[derive(Debug)]
pub(crate) struct Trust {
    /// Asked for what is not traced yet alone.
    authorities: RwLock<Authorities>,
    /// By the octets they were presented as: DER, or the text of a header.
    traced: Cache<Box<[u8]>, Arc<PresentedCertificate>>,
}

impl Trust {
    pub(crate) fn new(anchors: TrustStore) -> Self {
        let authorities = Authorities { anchors, lists: None };
        Self { authorities: RwLock::new(authorities), traced: Cache::new(CACHED) }
    }

    /// A certificate that was traced before, or is now.
    fn find(
        &self,
        octets: &[u8],
        trace: impl FnOnce(&Authorities) -> Result<PresentedCertificate, Refusal>,
    ) -> Result<Arc<PresentedCertificate>, Refusal> {
        if let Some(presented) = self.traced.get(octets) {
            return Ok(presented);
        }
        // Held until it is remembered: what was traced to authorities that are replaced meanwhile is forgotten with the others.
        let authorities = self.authorities.read().unwrap_or_else(PoisonError::into_inner);
        let presented = Arc::new(trace(&authorities)?);
        self.traced.insert(octets.into(), Arc::clone(&presented));
        Ok(presented)
    }

    fn change(&self, change: impl FnOnce(&mut Authorities)) {
        change(&mut self.authorities.write().unwrap_or_else(PoisonError::into_inner));
        self.traced.clear();
    }
}

impl Gateway {
    /// Trusts these authorities from now on, and no others but those of lists. What was traced is traced anew.
    pub fn trust(&self, authorities: TrustStore) {
        self.0.trust.change(|current| current.anchors = authorities);
    }

    /// Trusts the authorities of these lists from now on, as far as the lists say, beside those of [`Gateway::trust`].
    pub fn trust_lists(&self, lists: Arc<dyn Qualify>) {
        self.0.trust.change(|current| current.lists = Some(lists));
    }

    /// Reads a certificate in DER: structure, key, identity, issuer, and in the strict profile its purpose.
    ///
    /// # Errors
    /// [`Refusal::CertificateInvalid`]
    pub fn read_certificate(
        &self,
        der: &[u8],
        (interface, place): (Interface, Place),
        now: Timestamp,
    ) -> Result<Arc<PresentedCertificate>, Refusal> {
        self.read(der, (interface, place), |authorities| trace(authorities, der, place, now))
    }

    /// Reads a certificate from the value of a header, in any of the forms that clients send. Absent for an
    /// empty header and for what proxies write in place of nothing.
    ///
    /// # Errors
    /// [`Refusal::CertificateInvalid`]
    pub fn read_certificate_header(
        &self,
        value: &[u8],
        (interface, place): (Interface, Place),
        now: Timestamp,
    ) -> Result<Option<Arc<PresentedCertificate>>, Refusal> {
        let traced = self.read(value, (interface, place), |authorities| {
            match certificate_der(value, HeaderForm::Any) {
                Ok(der) => trace(authorities, &der, place, now),
                Err(error) => Err(invalid(place, &error)),
            }
        });
        match traced {
            Err(_) if certificate_der(value, HeaderForm::Any) == Err(HeaderError::Missing) => Ok(None),
            other => other.map(Some),
        }
    }

    fn read(
        &self,
        octets: &[u8],
        (interface, place): (Interface, Place),
        trace: impl FnOnce(&Authorities) -> Result<PresentedCertificate, Refusal>,
    ) -> Result<Arc<PresentedCertificate>, Refusal> {
        let presented = self.0.trust.find(octets, trace)?;
        if let (Some(found), Some(wanted)) = (presented.qualified, place.purpose)
            && found != wanted
        {
            let name = |purpose| match purpose {
                Purpose::Qwac => "website authentication",
                Purpose::QSeal => "seals",
            };
            let why = format!(
                "by the trusted lists it is for {}; here one for {} is needed",
                name(found),
                name(wanted)
            );
            return Err(invalid(place, &why));
        }
        let rules = &self.profile(interface).certificates;
        if let (true, Some(purpose)) = (rules.check_purpose, place.purpose) {
            eidas::verify_purpose(&presented.certificate, purpose)
                .map_err(|finding| invalid(place, &finding))?;
        }
        Ok(presented)
    }

    /// Records a test certificate that was just issued; older ones of its kind and holder are revoked.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn record_test_certificate(
        &self,
        now: Timestamp,
        holder: &CertificateHolder,
        kind: CertificateKind,
    ) -> Result<(), Error> {
        retry(|| async {
            let mut changes = Changes::new();
            for older in self.0.store.active_certificates(&holder.tpp, kind).await? {
                if older.holder.fingerprint != holder.fingerprint {
                    let status = CertificateStatus::Revoked { at: now };
                    changes = changes.put_certificate(&CertificateRecord { status, ..older });
                }
            }
            // The same key, serial number and second give the same certificate once more.
            let known = self.0.store.certificate(&holder.fingerprint).await?;
            let record = CertificateRecord {
                holder: holder.clone(),
                kind,
                recorded_at: now,
                status: CertificateStatus::Active,
                version: known.map_or(0, |known| known.version),
            };
            Ok(self.0.store.save(changes.put_certificate(&record)).await?)
        })
        .await
    }

    /// Revokes, blocks or reinstates a certificate. What customers approved for whoever acts on the word of a
    /// certificate ends when that is blocked; a revoked one may be replaced by a newer one.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn set_certificate_status(
        &self,
        fingerprint: &str,
        status: CertificateStatus,
    ) -> Result<CertificateRecord, Error> {
        retry(|| async {
            let record = self.0.store.certificate(fingerprint).await?;
            let record = record.ok_or(Error::NotFound(Noun::Certificate))?;
            let record = CertificateRecord { status, ..record };
            let mut changes = Changes::new().put_certificate(&record);
            if let CertificateStatus::Blocked { at } = status {
                let holder = (&record.holder.tpp, record.holder.fingerprint.as_str());
                changes = self.end_grants_behind(changes, holder, at).await?;
            }
            self.0.store.save(changes).await?;
            Ok(record)
        })
        .await
    }

    /// The certificates that were recorded last, at most 1000.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn certificates(&self) -> Result<Vec<CertificateRecord>, Error> {
        Ok(self.0.store.certificates().await?)
    }

    /// Revoked QWACs and QSealCs, for the revocation list.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn revoked_certificates(&self) -> Result<Vec<CertificateRecord>, Error> {
        Ok(self.0.store.revoked_certificates().await?)
    }

    /// The QWAC or QSealC with this serial number, in lower-case hexadecimal, for the responder of a bank's own authority.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn certificate_with_serial(&self, serial: &str) -> Result<Option<CertificateRecord>, Error> {
        Ok(self.0.store.certificate_with_serial(serial).await?)
    }
}

/// Reads a certificate and finds its way to an authority.
fn trace(
    authorities: &Authorities,
    der: &[u8],
    place: Place,
    now: Timestamp,
) -> Result<PresentedCertificate, Refusal> {
    let certificate = Certificate::from_der(der).map_err(|error| invalid(place, &error))?;
    certificate.public_key.check().map_err(|error| invalid(place, &error))?;
    let identifier = certificate.organization_identifier().map_err(|error| invalid(place, &error))?;
    if identifier.authorization_number().is_none() {
        return Err(invalid(
            place,
            &format!(
                "its organizationIdentifier \"{identifier}\" carries no authorisation number; expected \
                 PSD, country, -, authority, -, number (ETSI TS 119 495, 5.2.1), for example PSDNL-DNB-R123456"
            ),
        ));
    }
    // The leaf's own validity is a check of its own, so a path is good if it was at some time of it.
    let at = now.clamp(certificate.not_before, certificate.not_after.max(certificate.not_before));
    let qualified = match (authorities.anchors.verify(&certificate, &[], at, &[]), &authorities.lists) {
        (Ok(()), _) => None,
        (Err(PathError::UntrustedIssuer), Some(lists)) => match lists.qualified(&certificate, now) {
            Ok(purpose) => Some(purpose),
            Err(Unqualified::Unlisted) => return Err(untrusted(place, &certificate)),
            Err(Unqualified::Listed(why)) => return Err(invalid(place, &why)),
        },
        (Err(PathError::UntrustedIssuer), None) => return Err(untrusted(place, &certificate)),
        (Err(other), _) => return Err(invalid(place, &other)),
    };
    if let Some(fault) = certificate.psd2_fault() {
        return Err(invalid(place, fault));
    }
    let key =
        PublicKey::from_spki_der(&certificate.public_key.spki_der).map_err(|error| invalid(place, &error))?;
    let holder = holder(&certificate, &identifier);
    Ok(PresentedCertificate { certificate, holder, key, qualified, fitting_key_id: OnceLock::new() })
}

fn untrusted(place: Place, certificate: &Certificate) -> Refusal {
    let issuer = &certificate.issuer;
    invalid(
        place,
        &format!("it was issued by another sandbox or authority: \"{issuer}\" is not trusted here"),
    )
}

/// What a certificate says about its holder. The name can be shown: nothing in it is hidden.
pub fn holder(certificate: &Certificate, identifier: &OrganizationIdentifier) -> CertificateHolder {
    let name = certificate.subject.first(oid::ORGANIZATION_NAME).unwrap_or(identifier.as_str());
    let key = &certificate.public_key;
    // The kinds that client assertions are signed with.
    let signs = matches!(key.kind, KeyKind::Rsa { .. } | KeyKind::P256);
    CertificateHolder {
        fingerprint: certificate.fingerprint_hex(),
        serial: certificate.serial_hex(),
        tpp: TppId::from(identifier),
        name: visible(name).into_owned(),
        roles: certificate.roles().to_vec(),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        signing_key: signs.then(|| to_single_line_pem(&key.spki_der, "PUBLIC KEY")),
    }
}

/// Checks that the certificate grants one of the roles.
pub(crate) fn check_role(presented: &PresentedCertificate, needed: &[Role]) -> Result<(), Refusal> {
    let granted = &presented.holder.roles;
    if needed.iter().any(|role| granted.contains(role)) {
        return Ok(());
    }
    Err(Refusal::RoleMissing { granted: granted.clone(), needed: needed.to_vec() })
}

/// Checks the period of validity.
pub(crate) fn check_validity(
    presented: &PresentedCertificate,
    place: Place,
    now: Timestamp,
) -> Result<(), Refusal> {
    let certificate = &presented.certificate;
    if certificate.is_valid_at(now) {
        return Ok(());
    }
    let (from, to) = (certificate.not_before, certificate.not_after);
    Err(Refusal::CertificateExpired { what: place.what, from, to, now })
}

/// Checks that two certificates of one call belong to one organisation.
pub(crate) fn check_same_organization(
    signer: &PresentedCertificate,
    signed: Place,
    other: &PresentedCertificate,
    place: Place,
) -> Result<(), Refusal> {
    if signer.holder.tpp == other.holder.tpp {
        return Ok(());
    }
    Err(Refusal::OrganizationMismatch {
        what: place.what,
        other: other.holder.tpp.clone(),
        signing: signed.what,
        signer: signer.holder.tpp.clone(),
    })
}

/// The refusal that a status stands for.
pub(crate) fn status_refusal(status: CertificateStatus, place: Place) -> Result<(), Refusal> {
    let what = place.what;
    match status {
        CertificateStatus::Active => Ok(()),
        CertificateStatus::Revoked { at } => Err(Refusal::CertificateRevoked { what, at }),
        CertificateStatus::Blocked { at } => Err(Refusal::CertificateBlocked { what, at }),
    }
}

/// Checks status and period of validity of a certificate that was recorded.
pub(crate) fn check_state(state: CertificateState, place: Place, now: Timestamp) -> Result<(), Refusal> {
    let CertificateState { status, not_before: from, not_after: to } = state;
    status_refusal(status, place)?;
    if now < from || to < now {
        return Err(Refusal::CertificateExpired { what: place.what, from, to, now });
    }
    Ok(())
}

fn invalid(place: Place, why: &impl ToString) -> Refusal {
    Refusal::CertificateInvalid { what: place.what, why: why.to_string() }
}
