//! Certificates that calls present: who is it, may they, is it still good.
//!
//! Reading, identity and the path to a trusted authority (`trust.rs`) do not change while a bank runs, so they are done once for
//! each certificate. Whoever presents one is nobody yet: `parties.rs` runs the checks that are run with every call.

use std::sync::{Arc, OnceLock};

use domain::{
    CertificateHolder, CertificateKind, CertificateRecord, CertificateState, CertificateStatus, Interface,
    Refusal, Timestamp, TppId,
};
use eidas::header::{HeaderError, HeaderForm, certificate_der, to_single_line_pem};
use eidas::key_id::KeyIdError;
use eidas::public_key::KeyKind;
use eidas::{Certificate, KeyId, KeyIdRules, OrganizationIdentifier, Purpose, Role, oid, visible};
use http_signatures::key::PublicKey;

use crate::endings::Cause;
use crate::error::retry;
use crate::trust::{Authorities, Sent};
use crate::{Changes, Error, Gateway, Noun};

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
    /// The authorities above it, from its issuer up to the one that is trusted.
    pub(crate) above: Vec<Arc<Certificate>>,
    /// What trusted lists say that it is for; none if an authority vouches for it that the bank itself trusts.
    pub(crate) qualified: Option<Purpose>,
    /// A key id that was found to fit: clients send the same text with every call.
    pub(crate) fitting_key_id: OnceLock<Box<str>>,
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

impl Gateway {
    /// Reads a certificate that was sent in DER: structure, key, identity, issuer, and in the strict profile its purpose.
    ///
    /// # Errors
    /// [`Refusal::CertificateInvalid`]
    pub fn read_certificate(
        &self,
        sent: Sent<'_>,
        (interface, place): (Interface, Place),
        now: Timestamp,
    ) -> Result<Arc<PresentedCertificate>, Refusal> {
        let trace = |authorities: &Authorities| self.0.trust.trace(authorities, sent, (place, now));
        self.read(sent.octets, (interface, place, now), trace)
    }

    /// Reads a certificate from the value of a header, in any of the forms that clients send. Absent for an
    /// empty header and for what proxies write in place of nothing.
    ///
    /// # Errors
    /// [`Refusal::CertificateInvalid`]
    pub fn read_certificate_header(
        &self,
        sent: Sent<'_>,
        (interface, place): (Interface, Place),
        now: Timestamp,
    ) -> Result<Option<Arc<PresentedCertificate>>, Refusal> {
        let value = sent.octets;
        let traced = self.read(value, (interface, place, now), |authorities| {
            match certificate_der(value, HeaderForm::Any) {
                Ok(der) => {
                    let sent = Sent { octets: &der, ..sent };
                    self.0.trust.trace(authorities, sent, (place, now))
                }
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
        (interface, place, now): (Interface, Place, Timestamp),
        trace: impl FnOnce(&Authorities) -> Result<PresentedCertificate, Refusal>,
    ) -> Result<Arc<PresentedCertificate>, Refusal> {
        let presented = self.0.trust.find(octets, now, trace)?;
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
        let is_blocked = |status| matches!(status, CertificateStatus::Blocked { .. });
        let record = retry(|| async {
            let record = self.0.store.certificate(fingerprint).await?;
            let record = record.ok_or(Error::NotFound(Noun::Certificate))?;
            let holder = (&record.holder.tpp, record.holder.fingerprint.as_str());
            let mut ending = Changes::new();
            if is_blocked(status) {
                let interfaces = self.interfaces_behind(holder).await?;
                ending = self.ending(holder.0, Cause::Block, &interfaces).await?;
            } else if is_blocked(record.status) {
                self.finish_ending(holder.0).await?;
            }
            let record = CertificateRecord { status, ..record };
            self.0.store.save(Changes::new().put_certificate(&record).and(ending)).await?;
            Ok(record)
        })
        .await?;
        if is_blocked(status) {
            self.begin_ending(&record.holder.tpp).await;
        }
        Ok(record)
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
    if certificate.may_be_used_at(now) {
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
    status_refusal(state.status, place)?;
    if !state.is_in_time_at(now) {
        let (from, to) = (state.not_before, state.not_after);
        return Err(Refusal::CertificateExpired { what: place.what, from, to, now });
    }
    Ok(())
}

pub(crate) fn invalid(place: Place, why: &impl ToString) -> Refusal {
    Refusal::CertificateInvalid { what: place.what, why: why.to_string() }
}
