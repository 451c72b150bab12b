//! The signature vectors of the specification, positive and negative: draft-cavage and RFC 9421.
//!
//! The vectors assume a whole bank: certificate checks come from `eidas`, the order of checks is the one that
//! the file gives under `defaults.check_order`. JWS vectors are counted and left out: that family is not built
//! yet.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use eidas::header::{HeaderForm, certificate_der};
use eidas::{Certificate, KeyId, KeyIdRules, PathError, Purpose, RevocationList, Role, Spelling, TrustStore};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_signatures::cavage::{self, Hs2019, Rules, SignatureHeader};
use http_signatures::digest::{Prefix, check_content_digest, check_digest};
use http_signatures::key::PublicKey;
use http_signatures::{Message, rfc9421};
use jiff::Timestamp;
use serde_json::Value;

use super::vectors;

/// Status, code and reason of a refusal.
type Refused = (u16, &'static str, &'static str);

struct Bank {
    trust: TrustStore,
    lists: [RevocationList; 1],
    certificates: Value,
}

struct Request<'v> {
    method: Method,
    target: &'v str,
    headers: HeaderMap,
    body: Vec<u8>,
    tls: Certificate,
    now: Timestamp,
    compat: Option<&'v str>,
}

impl Bank {
    fn new(vectors: &Value) -> Self {
        let crl = pem_body(vectors["pki"]["crl_pem"].as_str().unwrap());
        let mut bank = Self {
            trust: TrustStore::default(),
            lists: [RevocationList::from_der(&crl).unwrap()],
            certificates: vectors["pki"]["certificates"].clone(),
        };
        bank.trust.add_anchor(&bank.certificate("root_ca").der).unwrap();
        bank.trust.add_intermediate(&bank.certificate("issuing_ca").der);
        bank.trust.add_intermediate(&bank.certificate("issuing_ca_2").der);
        bank
    }

    fn certificate(&self, name: &str) -> Certificate {
        let entry = self.certificates.as_array().unwrap().iter().find(|c| c["name"] == name).unwrap();
        Certificate::from_pem(entry["pem"].as_str().unwrap()).unwrap()
    }

    /// The whole pipeline in the order of the file.
    fn verify(&self, family: &str, request: &Request<'_>) -> Result<Option<String>, Refused> {
        request.check_framing()?;
        let header =
            request.required("tpp-signature-certificate", "CERTIFICATE_MISSING", "certificate_missing")?;
        let signature = request.required("signature", "SIGNATURE_MISSING", "signature_missing")?;
        let certificate =
            Certificate::from_der(&certificate_der(header.as_bytes(), HeaderForm::Any).unwrap()).unwrap();
        let key = PublicKey::from_spki_der(&certificate.public_key.spki_der).unwrap();
        let message = request.message();
        let nonce = if family == "rfc9421" {
            let digest = request.required("content-digest", "SIGNATURE_INVALID", "digest_header_missing")?;
            self.check_certificate(&certificate, request, None)?;
            check_content_digest(&digest, &request.body).map_err(invalid)?;
            let key_id = URL_SAFE_NO_PAD.encode(certificate.fingerprint);
            Some(rfc9421::verify(&message, &key, &key_id, request.now).map_err(invalid)?.nonce)
        } else {
            let digest = request.required("digest", "SIGNATURE_INVALID", "digest_header_missing")?;
            let header = SignatureHeader::parse(&signature).map_err(invalid)?;
            self.check_certificate(&certificate, request, header.key_id.as_deref())?;
            check_digest(&digest, &request.body, Prefix::Required).map_err(invalid)?;
            cavage::verify(&message, &header, &key, &request.rules(), request.now).map_err(invalid)?;
            None
        };
        let is_payment = request.target.starts_with("/v1/payments/");
        let role = if is_payment { Role::PaymentInitiation } else { Role::AccountInformation };
        if !certificate.roles().contains(&role) {
            return Err((401, "ROLE_INVALID", "role_missing"));
        }
        Ok(nonce)
    }

    fn check_certificate(
        &self,
        certificate: &Certificate,
        request: &Request<'_>,
        key_id: Option<&str>,
    ) -> Result<(), Refused> {
        if let Some(text) = key_id {
            let is_url = request.compat == Some("profile_stet_or_hs2019") && text.starts_with("https://");
            let rules = request.key_id_rules();
            if !is_url && !KeyId::parse(text).is_ok_and(|id| id.check(certificate, rules).is_ok()) {
                return Err((401, "SIGNATURE_INVALID", "keyid_mismatch"));
            }
        }
        if !certificate.is_valid_at(request.now) {
            return Err((401, "CERTIFICATE_EXPIRED", "certificate_expired"));
        }
        match self.trust.verify(certificate, &[], request.now, &self.lists) {
            Ok(()) => {}
            Err(PathError::Revoked) => return Err((401, "CERTIFICATE_REVOKED", "certificate_revoked")),
            Err(_) => return Err((401, "CERTIFICATE_INVALID", "untrusted_issuer")),
        }
        eidas::verify_purpose(certificate, Purpose::QSeal)
            .map_err(|finding| (401, "CERTIFICATE_INVALID", finding.rule))?;
        if certificate.organization_identifier() != request.tls.organization_identifier() {
            return Err((401, "CERTIFICATE_INVALID", "organization_mismatch"));
        }
        Ok(())
    }
}

impl<'v> Request<'v> {
    fn new(bank: &Bank, vector: &'v Value, with_compat: bool) -> Self {
        let request = &vector["request"];
        let mut headers = HeaderMap::new();
        for pair in request["headers"].as_array().unwrap() {
            let name: HeaderName = pair[0].as_str().unwrap().parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(pair[1].as_str().unwrap().as_bytes()).unwrap());
        }
        Self {
            method: request["method"].as_str().unwrap().parse().unwrap(),
            target: request["target"].as_str().unwrap(),
            headers,
            body: STANDARD.decode(request["body_base64"].as_str().unwrap_or_default()).unwrap(),
            tls: bank.certificate(vector["tls_client_certificate"].as_str().unwrap()),
            now: vector["verify_at"].as_str().unwrap().parse::<Timestamp>().unwrap(),
            compat: vector["requires_compat"].as_str().filter(|_| with_compat),
        }
    }

    fn message(&self) -> Message<'_> {
        Message {
            method: &self.method,
            target: self.target,
            base_uri: "https://api.bank.example.com",
            headers: &self.headers,
        }
    }

    fn check_framing(&self) -> Result<(), Refused> {
        for name in ["signature", "digest", "tpp-signature-certificate", "x-request-id"] {
            if self.headers.get_all(name).iter().count() > 1 {
                return Err((400, "FORMAT_ERROR", "duplicate_security_header"));
            }
        }
        if self.headers.get_all("psu-id").iter().count() > 1 {
            return Err((400, "FORMAT_ERROR", "duplicate_singleton_header"));
        }
        let id = self.headers.get("x-request-id").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let is_uuid = id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if is_uuid { Ok(()) } else { Err((400, "FORMAT_ERROR", "x_request_id_malformed")) }
    }

    fn required(&self, name: &str, code: &'static str, reason: &'static str) -> Result<String, Refused> {
        let value = self.headers.get(name).ok_or((401, code, reason))?;
        Ok(value.to_str().unwrap().to_owned())
    }

    fn key_id_rules(&self) -> KeyIdRules {
        match self.compat {
            Some("keyid_dn_lenient") => KeyIdRules { spelling: Spelling::Any, ..KeyIdRules::STRICT },
            Some("keyid_decimal_serial") => KeyIdRules::INTEROP,
            _ => KeyIdRules::STRICT,
        }
    }

    fn rules(&self) -> Rules {
        let strict = Rules::BERLIN_GROUP;
        match self.compat {
            Some("ecdsa_raw_signature") => Rules { ecdsa_raw: true, ..strict },
            Some("profile_stet_or_hs2019") => Rules {
                hs2019: Hs2019::Draft12,
                required: &["(request-target)", "digest", "x-request-id"],
                required_if_present: &[],
                ..strict
            },
            Some("algorithm_optional") => Rules { algorithm_optional: true, ..strict },
            Some("algorithm_aliases") => Rules { algorithm_aliases: true, ..strict },
            _ => strict,
        }
    }
}

fn invalid(refusal: http_signatures::Refusal) -> Refused {
    match refusal.reason() {
        reason @ "date_out_of_window" => (400, "TIMESTAMP_INVALID", reason),
        reason @ "no_signature_with_expected_tag" => (401, "SIGNATURE_MISSING", reason),
        reason => (401, "SIGNATURE_INVALID", reason),
    }
}

fn pem_body(pem: &str) -> Vec<u8> {
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>()).unwrap()
}

fn expected(vector: &Value) -> Option<(u64, String, String)> {
    let expect = &vector["expect"];
    (expect["result"] == "reject").then(|| {
        let text = |name: &str| expect[name].as_str().unwrap().to_owned();
        (expect["http_status"].as_u64().unwrap(), text("tpp_message_code"), text("reason"))
    })
}

fn by_id<'v>(vectors: &'v Value, id: &str) -> &'v Value {
    vectors["signatures"].as_array().unwrap().iter().find(|vector| vector["id"] == id).unwrap()
}

#[test]
fn all_vectors() {
    let Some(vectors) = vectors() else { return };
    let bank = Bank::new(&vectors);
    let (mut cavage, mut rfc9421, mut jws, mut wrong) = (0, 0, 0, Vec::new());
    for vector in vectors["signatures"].as_array().unwrap() {
        let (id, family) = (vector["id"].as_str().unwrap(), vector["family"].as_str().unwrap());
        match family {
            "cavage-berlin-group" => cavage += 1,
            "rfc9421" => rfc9421 += 1,
            _ => {
                jws += 1;
                continue;
            }
        }
        let mut got = bank.verify(family, &Request::new(&bank, vector, true));
        if vector["precondition"] == "r9421-001 was accepted before" {
            // The bank remembers the nonce of the message that it accepted before.
            let first = by_id(&vectors, "r9421-001");
            let seen = bank.verify(family, &Request::new(&bank, first, true)).unwrap();
            let replayed = |nonce| {
                if nonce == seen { Err((401, "SIGNATURE_INVALID", "nonce_replayed")) } else { Ok(nonce) }
            };
            got = got.and_then(replayed);
        }
        let got =
            got.err().map(|(status, code, reason)| (u64::from(status), code.to_owned(), reason.to_owned()));
        if got != expected(vector) {
            wrong.push(format!("{id}: expected {:?}, got {got:?}", expected(vector)));
        }
        // With its switch off a vector is refused: as a bad signature, or for its own reason.
        if vector["requires_compat"].is_string() {
            match bank.verify(family, &Request::new(&bank, vector, false)) {
                Ok(_) => wrong.push(format!("{id}: accepted without {}", vector["requires_compat"])),
                Err((_, code, _))
                    if vector["expect"]["result"] == "accept" && code != "SIGNATURE_INVALID" =>
                {
                    wrong.push(format!("{id}: {code} without {}", vector["requires_compat"]));
                }
                Err(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((cavage, rfc9421, jws), (54, 26, 25));
}

/// Every positive vector names the string that was signed.
#[test]
fn signing_strings() {
    let Some(vectors) = vectors() else { return };
    let bank = Bank::new(&vectors);
    let mut compared = 0;
    for vector in vectors["signatures"].as_array().unwrap() {
        let Some(text) = vector["signing_string"].as_str().filter(|_| vector["expect"]["result"] == "accept")
        else {
            continue;
        };
        let request = Request::new(&bank, vector, true);
        let message = request.message();
        let built = if vector["family"] == "rfc9421" {
            let input = request.headers["signature-input"].to_str().unwrap();
            let dictionary: sfv::Dictionary = sfv::Parser::new(input).parse().unwrap();
            let Some(sfv::ListEntry::InnerList(list)) = dictionary.values().next() else { panic!("no list") };
            rfc9421::signature_base(&message, list).unwrap()
        } else {
            let header = SignatureHeader::parse(request.headers["signature"].to_str().unwrap()).unwrap();
            cavage::signing_string(&header.headers, &message, header.created, header.expires).unwrap()
        };
        assert_eq!(String::from_utf8(built).unwrap(), text, "{}", vector["id"]);
        compared += 1;
    }
    assert_eq!(compared, 26);
}

/// What this library signs is what the vectors hold, for the algorithms whose values repeat.
#[test]
fn signing_gives_the_value_of_the_vector() {
    let Some(vectors) = vectors() else { return };
    let bank = Bank::new(&vectors);
    let keys = vectors["pki"]["private_keys"].as_array().unwrap();
    let pem = keys.iter().find(|key| key["name"] == "qseal_tpp_a").unwrap()["pkcs8_pem"].as_str().unwrap();
    let key = http_signatures::key::PrivateKey::from_pem(pem).unwrap();
    for (id, algorithm) in [
        ("bg-001", http_signatures::key::Algorithm::RsaPkcs1Sha256),
        ("bg-003", http_signatures::key::Algorithm::RsaPkcs1Sha512),
    ] {
        let request = Request::new(&bank, by_id(&vectors, id), true);
        let value = request.headers["signature"].to_str().unwrap();
        let header = SignatureHeader::parse(value).unwrap();
        let names: Vec<&str> = header.headers.iter().map(String::as_str).collect();
        let signed =
            cavage::sign(&request.message(), &key, algorithm, &header.key_id.unwrap(), &names).unwrap();
        assert_eq!(signed, value, "{id}");
    }
}
