//! The certificate parts of the specification's vector file: statements, header forms, certificates.

use eidas::header::{HeaderError, HeaderForm, certificate_der};
use eidas::status::{OcspRequest, Standing, Status, StatusError, by_list};
use eidas::{Certificate, PathError, Purpose, QcStatements, RevocationList, TrustStore, verify_purpose};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::vectors;

fn list<'v>(vectors: &'v Value, pointer: &str) -> &'v Vec<Value> {
    vectors.pointer(pointer).and_then(Value::as_array).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

#[test]
fn qc_statements() {
    let Some(vectors) = vectors() else { return };
    for vector in list(&vectors, "/qc_statements") {
        let id = vector["id"].as_str().unwrap();
        let expected = &vector["expect"];
        let read =
            QcStatements::parse(&hex(vector["der_hex"].as_str().unwrap())).and_then(QcStatements::strict);
        match read {
            Err(error) => assert_eq!(expected["reason"], error.reason(), "{id}"),
            Ok(statements) => {
                assert_eq!(expected["result"], "ok", "{id}");
                let psd2 = statements.psd2.clone().unwrap();
                assert_eq!(expected["roles"], serde_json::to_value(&psd2.roles).unwrap(), "{id}");
                assert_eq!(expected["nca_name"], psd2.nca_name, "{id}");
                assert_eq!(expected["nca_id"], psd2.nca_id, "{id}");
                assert_eq!(expected["qc_type"], serde_json::to_value(statements.qc_type()).unwrap(), "{id}");
            }
        }
    }
}

#[test]
fn certificates_in_headers() {
    let Some(vectors) = vectors() else { return };
    let forms = &vectors["certificate_header_forms"];
    for vector in list(forms, "/vectors") {
        let id = vector["id"].as_str().unwrap();
        let form = match vector["header"].as_str().unwrap() {
            "Client-Cert" | "Client-Cert-Chain" => HeaderForm::Rfc9440,
            "X-Forwarded-Client-Cert" => HeaderForm::Envoy,
            _ => HeaderForm::Any,
        };
        // Two occurrences are refused where headers are counted, above this library.
        if vector["occurrences"] == 2 {
            continue;
        }
        let read = certificate_der(vector["value"].as_str().unwrap().as_bytes(), form);
        match vector["expect"].as_str().unwrap() {
            "ok" => {
                let certificate = Certificate::from_der(&read.unwrap()).unwrap();
                let is_chain = vector["header"] == "Client-Cert-Chain";
                assert!(is_chain || forms["sha256_thumbprint_hex"] == certificate.fingerprint_hex(), "{id}");
            }
            "error: more_than_one_certificate" => {
                assert_eq!(read, Err(HeaderError::SeveralCertificates), "{id}")
            }
            "error: certificate_missing" => assert_eq!(read, Err(HeaderError::Missing), "{id}"),
            "error: malformed" => assert_eq!(read, Err(HeaderError::Malformed), "{id}"),
            other => panic!("{id}: unknown expectation {other}"),
        }
    }
}

#[test]
fn certificates() {
    let Some(vectors) = vectors() else { return };
    let now: Timestamp = vectors["defaults"]["verify_at"].as_str().unwrap().parse().unwrap();
    let by_name = |name: &str| {
        let entry = list(&vectors, "/pki/certificates").iter().find(|c| c["name"] == name).unwrap();
        Certificate::from_pem(entry["pem"].as_str().unwrap()).unwrap()
    };
    let mut trust = TrustStore::default();
    trust.add_anchor(&by_name("root_ca").der).unwrap();
    trust.add_intermediate(&by_name("issuing_ca").der);
    trust.add_intermediate(&by_name("issuing_ca_2").der);
    let crl = pem_body(vectors["pki"]["crl_pem"].as_str().unwrap());
    let lists = [RevocationList::from_der(&crl).unwrap()];

    for entry in list(&vectors, "/pki/certificates") {
        let name = entry["name"].as_str().unwrap();
        let certificate = by_name(name);
        assert_eq!(entry["sha256_thumbprint_hex"], certificate.fingerprint_hex(), "{name}");
        let serial = entry["serial_hex"].as_str().unwrap().to_ascii_lowercase();
        assert_eq!(serial.trim_start_matches('0'), certificate.serial_hex(), "{name}");
        assert_eq!(entry["not_before"], certificate.not_before.to_string(), "{name}");
        assert_eq!(entry["not_after"], certificate.not_after.to_string(), "{name}");
        let expected = &entry["expect"];
        let purpose = match expected["purpose"].as_str() {
            Some("qwac") => Purpose::Qwac,
            Some(_) => Purpose::QSeal,
            None => continue,
        };
        let reason = match trust.verify(&certificate, &[], now, &lists) {
            Err(PathError::UntrustedIssuer) => Some("untrusted_issuer"),
            Err(PathError::Expired) => Some("certificate_expired"),
            Err(PathError::Revoked) => Some("certificate_revoked"),
            Err(other) => panic!("{name}: {other}"),
            Ok(()) => verify_purpose(&certificate, purpose).err().map(|finding| finding.rule),
        };
        assert_eq!(expected["reason"].as_str(), reason, "{name}");
        if expected["result"] == "accept" {
            let identifier = certificate.organization_identifier().unwrap();
            assert_eq!(expected["organization_identifier"], identifier.as_str(), "{name}");
            assert_eq!(expected["roles"], serde_json::to_value(certificate.roles()).unwrap(), "{name}");
        }
    }
}

fn pem_body(pem: &str) -> Vec<u8> {
    use base64::Engine;
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    base64::engine::general_purpose::STANDARD.decode(body).unwrap()
}

#[test]
fn answers_of_responders_and_lists() {
    let Some(vectors) = vectors() else { return };
    let by_name = |name: &str| {
        let entry = list(&vectors, "/pki/certificates").iter().find(|entry| entry["name"] == name).unwrap();
        Certificate::from_pem(entry["pem"].as_str().unwrap()).unwrap()
    };
    let issuer = by_name("issuing_ca");
    let standing = |status: Status| match status.standing {
        Standing::Good => "good",
        Standing::Revoked { .. } | Standing::Suspended { .. } => "revoked",
        Standing::Unknown => "unknown",
    };
    for entry in list(&vectors, "/pki/ocsp_responses") {
        let expected = &entry["expect"];
        let certificate = by_name(expected["certificate"].as_str().unwrap());
        let question = OcspRequest::new(&certificate, &issuer, None).unwrap();
        let answer = data_encoding::BASE64.decode(entry["der_base64"].as_str().unwrap().as_bytes()).unwrap();
        let now = entry["verify_at"].as_str().unwrap().parse().unwrap();
        let read = question.read_answer(&answer, &issuer, now);
        let (result, reason) = match read {
            Ok(status) => (standing(status), None),
            Err(StatusError::Stale(_)) => ("invalid", Some("next_update_passed")),
            Err(StatusError::Signer) => ("invalid", Some("responder_not_authorised")),
            Err(other) => panic!("{}: {other}", entry["name"]),
        };
        assert_eq!((&expected["result"], expected["reason"].as_str()), (&json!(result), reason));
    }
    let crl = pem_body(vectors["pki"]["crl_pem"].as_str().unwrap());
    let now = list(&vectors, "/pki/ocsp_responses")[0]["verify_at"].as_str().unwrap().parse().unwrap();
    for (name, expected) in [("qseal_tpp_a", "good"), ("qseal_tpp_a_revoked", "revoked")] {
        let status = by_list(&crl, &by_name(name), &issuer, now).unwrap();
        assert_eq!(standing(status), expected, "{name}");
    }
}
