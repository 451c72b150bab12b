//! Of certificates.

use eidas::header::to_header_value;
use rcgen::DnType;
use serde_json::json;
use testkit::{FakeKey, Request, Signer, TestCa, TestServer, openssl};

use super::{ID, Row, check};

fn pem_to_der(pem: &str) -> Vec<u8> {
    eidas::certificate::chain_from_pem(pem).unwrap().remove(0)
}

/// A self-signed certificate made by `openssl`, for what other libraries refuse to write.
fn self_signed(folder: &std::path::Path, arguments: &[&str]) -> Vec<u8> {
    let (key, certificate) = (folder.join("k.pem"), folder.join("c.pem"));
    let (key, certificate) = (key.to_str().unwrap(), certificate.to_str().unwrap());
    let mut all = vec!["req", "-x509", "-nodes", "-days", "10", "-keyout", key, "-out", certificate];
    all.extend(arguments);
    openssl(&all);
    pem_to_der(&std::fs::read_to_string(certificate).unwrap())
}

#[tokio::test]
async fn certificates() {
    let ca = TestCa::new("Test Trust (TEST)");
    let (_guard, folder) = testkit::free_folder();
    std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
    let trusted = folder.join("ca.pem");
    let server = TestServer::with(|config| config.trusted_authorities.push(trusted)).await;
    let tpp = server.tpp(ID).await;
    let other = server.tpp("PSDNL-DNB-R999999").await;
    let roles = ["PSP_AI"];
    let subject = TestCa::subject(ID);
    let spoiled = |id: &str| ca.issue(&TestCa::subject(id), &roles, |_| {});
    let nobody = ca.issue(&[(DnType::CountryName, "NL"), (DnType::CommonName, "x")], &roles, |_| {});
    let stranger = TestCa::new("Nobody (TEST)").issue(&subject, &roles, |_| {});
    let impostor = TestCa::new("Test Trust (TEST)").issue(&subject, &roles, |_| {});
    let no_role = ca.issue(&subject, &[], |_| {});
    let bank = ca.issue(&subject, &["PSP_AS"], |_| {});
    let date = |seconds| time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    let backwards = ca.issue(&subject, &roles, |params| {
        params.not_before = date(2_000_000_000);
        params.not_after = date(1_000_000_000);
    });
    let far = ca.issue(&subject, &roles, |params| {
        params.not_before = date(200_000_000_000);
        params.not_after = date(253_402_300_799);
    });
    let old = ca.issue(&subject, &roles, |params| params.not_after = date(1_700_000_001));
    let with = |value: &[u8]| Request::onboarding("nl").signed(&tpp).set("tpp-signature-certificate", value);
    let der = |der: &[u8]| with(to_header_value(der).as_bytes());
    let signed = |signer: &Signer| Request::onboarding("nl").signed(signer);
    let mut trailing = tpp.certificate.der.clone();
    trailing.extend([0, 0]);
    let pem = eidas::certificate::to_pem(&tpp.certificate.der).replace('\n', " ");
    let twice = self_signed(
        &folder,
        &[
            "-newkey",
            "rsa:2048",
            "-subj",
            "/C=NL/organizationIdentifier=PSDNL-DNB-1/organizationIdentifier=PSDNL-DNB-2/O=x/CN=x",
        ],
    );
    let curve = self_signed(
        &folder,
        &[
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:secp256k1",
            "-subj",
            "/organizationIdentifier=PSDNL-DNB-1",
        ],
    );
    let name = "/C=NL/O=x/organizationIdentifier=PSDNL-DNB-1/CN=x";
    let own_ca = self_signed(&folder, &["-newkey", "rsa:2048", "-subj", name]);
    let own = self_signed(
        &folder,
        &["-newkey", "rsa:2048", "-subj", name, "-addext", "basicConstraints=critical,CA:FALSE"],
    );
    let fake = |bits| der(&ca.issue_for(&FakeKey::rsa(bits), &subject, &roles));
    let rows: Vec<Row> = vec![
        (
            "none",
            signed(&tpp).without("tpp-signature-certificate"),
            401,
            "CERTIFICATE_MISSING",
            "base64 of its DER",
        ),
        ("empty", with(b""), 401, "CERTIFICATE_MISSING", "TPP-Signature-Certificate header is missing"),
        ("(null)", with(b"(null)"), 401, "CERTIFICATE_MISSING", "TPP-Signature-Certificate"),
        (
            "two headers",
            signed(&tpp).append("tpp-signature-certificate", tpp.header()),
            400,
            "FORMAT_ERROR",
            "occurs more than once",
        ),
        (
            "not base64",
            with(b"hello world!"),
            401,
            "CERTIFICATE_INVALID",
            "neither base64 of a DER certificate",
        ),
        ("base64 of nothing", with(b"AAAA"), 401, "CERTIFICATE_INVALID", "not an X.509 certificate in DER"),
        ("not ASCII", with(&[0xc3, 0xa9]), 401, "CERTIFICATE_INVALID", "outside ASCII"),
        ("17 KiB", with("A".repeat(17 * 1024).as_bytes()), 401, "CERTIFICATE_INVALID", "larger than 16 KiB"),
        (
            "truncated",
            der(&tpp.certificate.der[..500]),
            401,
            "CERTIFICATE_INVALID",
            "not an X.509 certificate in DER",
        ),
        ("trailing octets", der(&trailing), 401, "CERTIFICATE_INVALID", "2 octets follow the end"),
        (
            "two in one header",
            with(format!("{pem}{pem}").as_bytes()),
            401,
            "CERTIFICATE_INVALID",
            "more than one certificate",
        ),
        ("truncated PEM", with(&pem.as_bytes()[..300]), 401, "CERTIFICATE_INVALID", "nor PEM"),
        (
            "no organisation",
            signed(&nobody),
            401,
            "CERTIFICATE_INVALID",
            "no organizationIdentifier (OID 2.5.4.97)",
        ),
        (
            "two organisations",
            der(&twice),
            401,
            "CERTIFICATE_INVALID",
            "more than one organizationIdentifier",
        ),
        (
            "lower-case authority",
            signed(&spoiled("PSDDE-BaFin-1")),
            401,
            "CERTIFICATE_INVALID",
            "2 to 8 upper-case letters",
        ),
        (
            "underscores",
            signed(&spoiled("PSDDE_BAFIN_1")),
            401,
            "CERTIFICATE_INVALID",
            "two upper-case letters, then a hyphen",
        ),
        (
            "no number",
            signed(&spoiled("PSDDE-BAFIN-")),
            401,
            "CERTIFICATE_INVALID",
            "number after the last hyphen is missing",
        ),
        ("no scheme", signed(&spoiled("DE-BAFIN-1")), 401, "CERTIFICATE_INVALID", "must begin with PSD"),
        (
            "VAT number",
            signed(&spoiled("VATDE-123456789")),
            401,
            "CERTIFICATE_INVALID",
            "carries no authorisation number",
        ),
        ("unknown issuer", signed(&stranger), 401, "CERTIFICATE_INVALID", "not trusted here"),
        ("issuer of the same name", signed(&impostor), 401, "CERTIFICATE_INVALID", "not trusted here"),
        ("an authority itself", der(&own_ca), 401, "CERTIFICATE_INVALID", "belongs to an authority"),
        ("self-signed", der(&own), 401, "CERTIFICATE_INVALID", "not trusted here"),
        ("RSA 1024", fake(1024), 401, "CERTIFICATE_INVALID", "1024 bits; expected 2048 to 8192"),
        ("RSA 2047", fake(2047), 401, "CERTIFICATE_INVALID", "2047 bits"),
        ("RSA 9000", fake(9000), 401, "CERTIFICATE_INVALID", "9000 bits"),
        ("another curve", der(&curve), 401, "CERTIFICATE_INVALID", "expected RSA, NIST P-256"),
        (
            "no role",
            signed(&no_role),
            401,
            "ROLE_INVALID",
            "grants no role; this service needs PSP_PI or PSP_AI or PSP_IC",
        ),
        ("a bank's role", signed(&bank), 401, "ROLE_INVALID", "grants PSP_AS"),
        ("expired", signed(&old), 401, "CERTIFICATE_EXPIRED", "to 2023-11-14T22:13:21Z; now it is"),
        ("not yet valid", signed(&far), 401, "CERTIFICATE_EXPIRED", "valid from 8307"),
        ("ends before it begins", signed(&backwards), 401, "CERTIFICATE_INVALID", "ends before it begins"),
        (
            "another's SSL-Certificate",
            signed(&tpp).set("ssl-certificate", other.header()),
            401,
            "CERTIFICATE_INVALID",
            "belongs to PSDNL-DNB-R999999, the signing certificate",
        ),
        (
            "SSL-Certificate unreadable",
            signed(&tpp).set("ssl-certificate", "x"),
            401,
            "CERTIFICATE_INVALID",
            "the certificate in SSL-Certificate is not acceptable",
        ),
        (
            "SSL-Certificate of a stranger",
            signed(&tpp).set("ssl-certificate", stranger.header()),
            401,
            "CERTIFICATE_INVALID",
            "SSL-Certificate is not acceptable: it was issued by",
        ),
        (
            "SSL-Certificate expired",
            signed(&tpp).set("ssl-certificate", old.header()),
            401,
            "CERTIFICATE_EXPIRED",
            "SSL-Certificate",
        ),
        (
            "another's certificate, own signature",
            signed(&tpp).certificate(&other),
            401,
            "SIGNATURE_INVALID",
            "does not verify",
        ),
    ];
    check(&server, rows).await;
}

#[tokio::test]
async fn certificates_out_of_use() {
    let server = TestServer::start().await;
    let first = server.tpp(ID).await;
    let second = server.tpp(ID).await;
    let signed = |signer: &Signer| Request::onboarding("nl").signed(signer);
    let path = format!("/test-certificates/{}", second.certificate.fingerprint_hex());
    let rows = vec![("replaced", signed(&first), 401, "CERTIFICATE_REVOKED", "use the newest certificate")];
    check(&server, rows).await;
    for (status, code) in [("blocked", "CERTIFICATE_BLOCKED"), ("revoked", "CERTIFICATE_REVOKED")] {
        let (answered, _) = server.manage("PUT", &path, json!({"status": status})).await;
        assert_eq!(answered, 200);
        check(&server, vec![("by the bank", signed(&second), 401, code, "the signing certificate")]).await;
    }
    server.manage("PUT", &path, json!({"status": "active"})).await;
    assert_eq!(server.send(&signed(&second)).await.status, 200);

    server.advance("nl", "P2Y8D").await;
    let until: &str = format!("to {}; now it is ", second.certificate.not_after).leak();
    check(&server, vec![("expired", signed(&second), 401, "CERTIFICATE_EXPIRED", until)]).await;
    let elsewhere = server.send(&Request::onboarding("be_fr").signed(&second)).await;
    assert_eq!(elsewhere.status, 200, "another tenant's clock stands still: {}", elsewhere.body);
    server.advance("nl", "-P6Y").await;
    let from: &str = format!("valid from {}", second.certificate.not_before).leak();
    check(&server, vec![("not yet valid", signed(&second), 401, "CERTIFICATE_EXPIRED", from)]).await;
}
