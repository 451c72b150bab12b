//! The certificate that becomes a user of the bank: one that is kept, or for tests one that is made here.

use eidas::issue::serial_number;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use rcgen::string::PrintableString;
use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, SerialNumber, date_time_ymd};

use super::answer::ALGORITHM;
use super::client::Client;
use super::registration::new_key;
use crate::{Error, Hint, SigningIdentity, clock, random};

/// How long a certificate for tests is good.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 365);

/// How far its begin is put back.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// A certificate with its chain, and the key to sign with.
pub(super) struct Seal {
    pub(super) identity: SigningIdentity,
    /// In PEM.
    pub(super) leaf: String,
    /// In PEM, the issuer first; never empty.
    pub(super) chain: String,
}

impl Client {
    /// Whether the certificate is one that was made here, and is not good at the bank's time.
    pub(super) fn is_certificate_outdated(&self) -> Result<bool, Error> {
        let Some(identity) = self.folder.signing_identity(&self.rest)? else { return Ok(false) };
        let certificate = identity.certificate;
        let is_own = certificate.subject.to_string() == certificate.issuer.to_string()
            && certificate.subject.first(eidas::oid::ORGANIZATION_IDENTIFIER).is_none();
        let now = self.now.unwrap_or_else(clock::now);
        Ok(is_own && !self.addresses.is_production && !certificate.is_valid_at(now))
    }

    /// The certificate that is kept; without one, a new one for tests.
    pub(super) async fn seal(&mut self, announce: &impl Fn(&str)) -> Result<Seal, Error> {
        let is_outdated = self.is_certificate_outdated()?;
        if self.rest.signing.is_none() || is_outdated {
            if self.addresses.is_production {
                let text = "this bank takes a qualified certificate for electronic seals (QSealC) only; take over yours";
                return Err(Error::missing(text, Hint::TakeOverSeal));
            }
            announce(match is_outdated {
                true => "The certificate for tests is out of its time: making another one",
                false => "No certificate yet: making one for tests",
            });
            // The bank knows the user by name and key.
            let (common_name, private) = match &self.rest.signing {
                Some(kept) => (kept.organization_identifier.clone(), self.folder.read(&kept.private_key)?),
                None => {
                    let name = format!("Vestibule PISP AISP {}", random::request_id());
                    (name, new_key(&self.transport).await?.0)
                }
            };
            let (certificate, key) =
                pseudo_certificate(&common_name, private, self.now.unwrap_or_else(clock::now))?;
            let seal = self.folder.save_seal(&certificate, &[], &key)?;
            self.update(|state, _| {
                state.signing = Some(seal);
                Ok(())
            })?;
        }
        let (Some(kept), Some(identity)) = (&self.rest.signing, self.folder.signing_identity(&self.rest)?)
        else {
            return Err(Error::missing("no certificate yet; get one", Hint::Certificate));
        };
        if identity.algorithm != ALGORITHM {
            let text = "the signing certificate has no RSA key; banks of the dialect bunq take no other";
            return Err(Error::Setup(text.to_owned()));
        }
        let all = eidas::certificate::chain_from_pem(&self.folder.read(&kept.certificate)?)
            .map_err(|error| Error::Setup(format!("the signing certificate cannot be used: {error}")))?;
        let pem: Vec<String> = all.iter().map(|der| eidas::certificate::to_pem(der)).collect();
        let leaf = pem[0].clone();
        // A certificate that is its own issuer is its own chain.
        let chain = if pem.len() > 1 { pem[1..].concat() } else { leaf.clone() };
        Ok(Seal { identity, leaf, chain })
    }
}

impl Seal {
    /// Signs a message with the certificate's key.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.identity.key.sign(ALGORITHM, message);
        signature.map_err(|error| Error::Setup(format!("the certificate's key cannot sign: {error}")))
    }
}

/// A certificate for a key that nobody vouches for, as banks for tests take it, and that key; both in PEM. The roles are
/// words of the name.
fn pseudo_certificate(
    common_name: &str,
    private: String,
    now: jiff::Timestamp,
) -> Result<(String, String), Error> {
    let unmade = |error: &dyn std::fmt::Display| Error::Setup(format!("no certificate can be made: {error}"));
    let key = KeyPair::from_pem(&private).map_err(|error| unmade(&error))?;
    let country = PrintableString::try_from("NL").map_err(|error| unmade(&error))?;
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::CommonName, common_name);
    distinguished_name.push(DnType::CountryName, DnValue::PrintableString(country));
    let serial = serial_number(random::request_id().into_bytes());
    // From the midnight before the last one on, so that a bank whose clock is slow, or whose day begins before that of
    // UTC, takes it too.
    let day = |moment: jiff::Timestamp| {
        let date = moment.to_zoned_datetime(TimeZone::UTC).date();
        date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    let mut params = CertificateParams::default();
    params.not_before = day(now.saturating_sub(A_DAY).map_err(|error| unmade(&error))?);
    params.not_after = day(now.saturating_add(LIFETIME).map_err(|error| unmade(&error))?);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = distinguished_name;
    let certificate = params.self_signed(&key).map_err(|error| unmade(&error))?;
    Ok((certificate.pem(), private))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_for_tests_is_what_banks_for_tests_take() {
        let name = format!("Vestibule PISP AISP {}", random::request_id());
        assert!(name.len() <= 64);
        let (private, _) = eidas::issue::generate_key(eidas::issue::KeyType::Rsa2048).unwrap();
        let (certificate, key) = pseudo_certificate(&name, private, clock::now()).unwrap();
        let identity = SigningIdentity::from_pem(&certificate, &key, None).unwrap();
        let read = &identity.certificate;
        assert_eq!(read.subject.to_string(), read.issuer.to_string());
        assert_eq!(read.subject.first(eidas::oid::COMMON_NAME), Some(name.as_str()));
        assert_eq!(identity.algorithm, ALGORITHM);
        let now = clock::now();
        assert!(read.is_valid_at(now));
        assert!(!read.is_valid_at(now.saturating_add(LIFETIME).unwrap()));
        let root = tempfile::tempdir().unwrap();
        let folder = crate::state::StateFolder::new(root.path(), "https://bank.example").unwrap();
        let kept = folder.save_seal(&certificate, &[], &key).unwrap();
        assert_eq!(kept.organization_identifier, name);
        let state = crate::state::State { signing: Some(kept), ..crate::state::State::default() };
        assert_eq!(folder.signing_identity(&state).unwrap().unwrap().certificate.der, read.der);
    }
}
