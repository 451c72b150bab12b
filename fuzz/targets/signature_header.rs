//! Signature headers, key ids, digests and names, as anyone may send them.
#![no_main]

use http::{HeaderMap, HeaderValue, Method};
use http_signatures::cavage::{SignatureHeader, signing_string};
use http_signatures::digest::{Prefix, check_content_digest, check_digest};
use http_signatures::key::{PrivateKey, PublicKey};
use http_signatures::{Message, cavage, rfc9421};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static KEY: LazyLock<PublicKey> =
    LazyLock::new(|| PrivateKey::generate_p256().unwrap().0.public_key().unwrap());

fuzz_target!(|octets: &[u8]| {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let _ = check_digest(text, octets, Prefix::Optional);
    let _ = check_content_digest(text, octets);
    if let Ok(key_id) = eidas::KeyId::parse(text) {
        assert_eq!(eidas::KeyId::parse(text), Ok(key_id));
    }
    for spelling in [eidas::Spelling::Any, eidas::Spelling::Rfc4514] {
        if let Ok(name) = eidas::DistinguishedName::parse(text, spelling) {
            assert!(name.same_attributes(&name, spelling));
        }
    }
    let _ = eidas::OrganizationIdentifier::parse(text);
    let mut headers = HeaderMap::new();
    headers.insert("digest", HeaderValue::from_static("SHA-256=AAAA"));
    let mut message =
        Message { method: &Method::GET, target: "/", base_uri: "https://a.example", headers: &headers };
    if let Ok(header) = SignatureHeader::parse(text) {
        assert!(!header.headers.is_empty());
        let _ = signing_string(&header.headers, &message, header.created, header.expires);
        let now = jiff::Timestamp::UNIX_EPOCH;
        assert!(cavage::verify(&message, &header, &KEY, &cavage::Rules::BERLIN_GROUP, now).is_err());
    }
    if let Ok(value) = HeaderValue::from_str(text) {
        let mut with_input = headers.clone();
        with_input.insert("signature-input", value);
        with_input.insert("signature", HeaderValue::from_static("sig1=:AAAA:"));
        message.headers = &with_input;
        assert!(rfc9421::verify(&message, &KEY, "x", jiff::Timestamp::UNIX_EPOCH).is_err());
    }
});
