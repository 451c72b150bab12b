//! Certificates in headers and in DER, as anyone may send them.
#![no_main]

use eidas::header::{HeaderForm, certificate_der, chain_der, to_header_value};
use eidas::{Certificate, Purpose, QcStatements, TrustStore, check, describe, verify_purpose};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let _ = QcStatements::parse(octets);
    for form in [HeaderForm::Any, HeaderForm::Rfc9440, HeaderForm::Envoy] {
        let _ = certificate_der(octets, form);
    }
    let _ = chain_der(octets);
    let Ok(certificate) = Certificate::from_der(octets) else { return };
    assert_eq!(certificate_der(to_header_value(octets).as_bytes(), HeaderForm::Any).as_deref(), Ok(octets));
    let now = jiff::Timestamp::UNIX_EPOCH;
    let _ = describe(&certificate);
    let _ = certificate.key_id();
    for purpose in [Purpose::Qwac, Purpose::QSeal] {
        let _ = check(&certificate, Some(purpose), now);
        let _ = verify_purpose(&certificate, purpose);
    }
    let _ = http_signatures::key::PublicKey::from_spki_der(&certificate.public_key.spki_der);
    assert!(TrustStore::default().verify(&certificate, &[], now, &[]).is_err());
});
