//! What is refused, each with status, code and a text that says what would be right.

use eidas::header::to_header_value;
use rcgen::DnType;
use serde_json::json;
use testkit::{FakeKey, Request, Signer, TestCa, TestServer, openssl};

const ID: &str = "PSDNL-DNB-R000000";

/// Name, request, status, code, a part of the text.
pub(crate) type Row = (&'static str, Request, u16, &'static str, &'static str);

pub(crate) async fn check(server: &TestServer, rows: Vec<Row>) {
    for (name, request, status, code, text) in rows {
        // Where a proxy hands certificates on, that is its word alone.
        if testkit::is_served() && name == "SSL-Certificate unreadable" {
            continue;
        }
        let id = request.headers.get("x-request-id").cloned();
        let answer = server.send(&request).await;
        let (got_code, got_text) = answer.error();
        assert_eq!((answer.status, got_code.as_str()), (status, code), "{name}: {}", answer.body);
        let text = testkit::told(code, text);
        assert!(got_text.contains(text), "{name}: \"{got_text}\" does not say \"{text}\"");
        assert_eq!(answer.header("content-type"), "application/json", "{name}");
        if let Some(id) = id.filter(|id| id.to_str().is_ok() && !name.contains("twice")) {
            assert_eq!(answer.headers.get("x-request-id"), Some(&id), "{name}");
        }
        assert!(!answer.header("x-request-id").is_empty(), "{name}");
    }
}

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

#[tokio::test]
async fn signatures() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let other = server.tpp("PSDNL-DNB-R999999").await;
    let signed = || Request::onboarding("nl").signed(&tpp);
    let base = || Request::onboarding("nl").certificate(&tpp).digest();
    let raw = |value: &str| base().set("signature", value);
    let label = |label: &str| base().sign_as(&tpp, "digest x-request-id", label, "");
    let key_id = |key_id: &str| {
        let header = signed().headers["signature"].to_str().unwrap().to_owned();
        let (_, rest) = header.split_once(",algorithm").unwrap();
        raw(&format!("keyId=\"{key_id}\",algorithm{rest}"))
    };
    let old_date = "Fri, 20 Nov 2020 12:00:00 GMT";
    let foreign =
        base().sign(&other, "digest x-request-id").headers["signature"].to_str().unwrap().to_owned();
    let foreign = foreign.replace(&other.key_id, &tpp.key_id);
    let body = || Request::onboarding("nl").certificate(&tpp).body("application/json", "{}");
    let rows: Vec<Row> = vec![
        ("none", signed().without("signature"), 401, "SIGNATURE_MISSING", "sign at least \"digest\""),
        ("empty", raw(""), 401, "SIGNATURE_INVALID", "expected keyId="),
        (
            "two headers",
            signed().append("signature", "x"),
            400,
            "FORMAT_ERROR",
            "Signature header occurs more than once",
        ),
        ("not ASCII", signed().set("signature", [0xff]), 401, "SIGNATURE_INVALID", "outside ASCII"),
        ("garbage", raw("hello"), 401, "SIGNATURE_INVALID", "expected keyId="),
        (
            "no signature",
            raw("keyId=\"x\",headers=\"digest\""),
            401,
            "SIGNATURE_INVALID",
            "parameter signature is missing",
        ),
        (
            "not base64",
            raw("keyId=\"x\",headers=\"digest\",signature=\"***\""),
            401,
            "SIGNATURE_INVALID",
            "not base64",
        ),
        (
            "a parameter twice",
            raw("keyId=\"x\",keyId=\"y\",signature=\"AAAA\""),
            401,
            "SIGNATURE_INVALID",
            "keyId occurs twice",
        ),
        (
            "no headers",
            raw("keyId=\"x\",headers=\"\",signature=\"AAAA\""),
            401,
            "SIGNATURE_INVALID",
            "names no header",
        ),
        (
            "no keyId",
            raw("algorithm=\"rsa-sha256\",headers=\"digest\",signature=\"AAAA\""),
            401,
            "SIGNATURE_INVALID",
            "no keyId; expected keyId=\"SN=1,CA=",
        ),
        (
            "keyId of another form",
            key_id("https://tpp.example/key"),
            401,
            "SIGNATURE_INVALID",
            "SN=<serial in hexadecimal>,CA=<issuer name>",
        ),
        (
            "another serial number",
            key_id("SN=2,CA=CN=x"),
            401,
            "SIGNATURE_INVALID",
            "serial number 2, the certificate has 1",
        ),
        (
            "hmac",
            label("hmac-sha256"),
            401,
            "SIGNATURE_INVALID",
            "\"hmac-sha256\" is not allowed; use rsa-sha256",
        ),
        ("SHA-1", label("rsa-sha1"), 401, "SIGNATURE_INVALID", "not allowed"),
        ("none as algorithm", label("none"), 401, "SIGNATURE_INVALID", "not allowed"),
        (
            "ECDSA with an RSA key",
            label("ecdsa-sha256"),
            401,
            "SIGNATURE_INVALID",
            "certificate's key, which is RSA",
        ),
        (
            "SHA-512 by name, SHA-256 in fact",
            label("rsa-sha512"),
            401,
            "SIGNATURE_INVALID",
            "RSASSA-PKCS1-v1_5 with SHA-512",
        ),
        (
            "digest not signed",
            base().sign(&tpp, "x-request-id"),
            401,
            "SIGNATURE_INVALID",
            "\"digest\" must be signed",
        ),
        (
            "a header that is not there",
            base().sign(&tpp, "digest psu-id"),
            401,
            "SIGNATURE_INVALID",
            "\"psu-id\" is named as signed but is not in the request",
        ),
        (
            "signed request id missing",
            signed().without("x-request-id"),
            401,
            "SIGNATURE_INVALID",
            "\"x-request-id\" is named as signed",
        ),
        ("a name twice", base().sign(&tpp, "digest digest"), 401, "SIGNATURE_INVALID", "more than once"),
        ("another's key", raw(&foreign), 401, "SIGNATURE_INVALID", "does not verify"),
        (
            "request id changed",
            signed().set("x-request-id", "other"),
            401,
            "SIGNATURE_INVALID",
            "x-request-id: other",
        ),
        (
            "digest changed",
            signed().set("digest", "SHA-256=AAAA"),
            401,
            "SIGNATURE_INVALID",
            "digest: SHA-256=AAAA",
        ),
        (
            "path changed",
            {
                let mut r = base().sign(&tpp, "(request-target) digest");
                r.target.push('/');
                r
            },
            401,
            "SIGNATURE_INVALID",
            "(request-target): get /xs2a-bg/nl/onboarding/v1/",
        ),
        (
            "created with rsa",
            base().sign_as(&tpp, "(created) digest", "rsa-sha256", "created=1,"),
            401,
            "SIGNATURE_INVALID",
            "may not be signed with algorithm",
        ),
        (
            "created is no number",
            base().sign_as(&tpp, "digest", "hs2019", "created=now,"),
            401,
            "SIGNATURE_INVALID",
            "number of seconds",
        ),
        (
            "created in the future",
            base().sign_as(&tpp, "digest", "hs2019", "created=4000000000,"),
            401,
            "SIGNATURE_INVALID",
            "valid from 2096",
        ),
        (
            "expired",
            base().sign_as(&tpp, "digest", "hs2019", "expires=1700000000,"),
            401,
            "SIGNATURE_INVALID",
            "expired at 2023",
        ),
        (
            "old date",
            base().set("date", old_date).sign(&tpp, "digest date"),
            400,
            "TIMESTAMP_INVALID",
            "within 300 seconds",
        ),
        (
            "no date",
            base().set("date", "yesterday").sign(&tpp, "digest date"),
            400,
            "TIMESTAMP_INVALID",
            "\"yesterday\"",
        ),
        ("no digest", signed().without("digest"), 401, "SIGNATURE_INVALID", "Digest header is missing"),
        (
            "two digests",
            signed().append("digest", "x"),
            400,
            "FORMAT_ERROR",
            "Digest header occurs more than once",
        ),
        (
            "digest of another body",
            body().set("digest", "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=").sign(&tpp, "digest"),
            401,
            "SIGNATURE_INVALID",
            "body of 2 octets: expected SHA-256=RBNv",
        ),
        (
            "digest by MD5",
            body().set("digest", "MD5=1B2M2Y8AsgTpgAmY7PhCfg==").sign(&tpp, "digest"),
            401,
            "SIGNATURE_INVALID",
            "\"MD5\" is not allowed; use SHA-256 or SHA-512",
        ),
        (
            "digest by SHA-1",
            body().set("digest", "SHA-1=2jmj7l5rSw0yVb/vlWAYkK/YBwk=").sign(&tpp, "digest"),
            401,
            "SIGNATURE_INVALID",
            "not allowed",
        ),
        (
            "digest unreadable",
            body().set("digest", "SHA-256=*").sign(&tpp, "digest"),
            401,
            "SIGNATURE_INVALID",
            "must be SHA-256=<base64>",
        ),
    ];
    check(&server, rows).await;
}

#[tokio::test]
async fn requests_that_no_bank_can_serve() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let signed = || Request::onboarding("nl").signed(&tpp);
    let at = |target: &str| Request::new("GET", target).set("x-request-id", "id");
    let mut many = signed();
    for number in 0..110 {
        many = many.set(&format!("x-extra-{number}"), "1");
    }
    let rows: Vec<Row> = vec![
        ("unknown path", at("/xs2a-bg/nl/v1/nothing"), 404, "", "Not Found"),
        ("unknown tenant", at("/xs2a-bg/xx/onboarding/v1"), 404, "", "Not Found"),
        ("tenant in upper case", at("/xs2a-bg/NL/onboarding/v1"), 404, "", "Not Found"),
        ("no tenant", at("/xs2a-bg/"), 404, "", "Not Found"),
        ("empty segment", at("/xs2a-bg/nl//onboarding/v1"), 404, "", "Not Found"),
        ("encoded slash", at("/xs2a-bg/nl%2Fonboarding/v1"), 404, "", "Not Found"),
        ("encoded dots", at("/xs2a-bg/nl/%2e%2e/onboarding/v1"), 404, "", "Not Found"),
        (
            "another method",
            Request::new("POST", "/xs2a-bg/nl/onboarding/v1").signed(&tpp),
            405,
            "SERVICE_INVALID",
            "method POST is not supported",
        ),
        (
            "signing baskets",
            Request::new("POST", "/xs2a-bg/nl/v1/signing-baskets").set("x-request-id", "id"),
            405,
            "SERVICE_INVALID",
            "signing baskets are not offered",
        ),
        ("a basket", at("/xs2a-bg/nl/v1/signing-baskets/1/status"), 405, "SERVICE_INVALID", "by itself"),
        (
            "trusted beneficiaries",
            at("/xs2a-bg/uk/v1/trusted-beneficiaries?account-id=1"),
            405,
            "SERVICE_INVALID",
            "no payment is exempt from authentication",
        ),
        ("baskets of nobody", at("/xs2a-bg/xx/v1/signing-baskets"), 404, "", "Not Found"),
        (
            "a strange method",
            Request::new("BREW", "/xs2a-bg/nl/v1/onboarding"),
            405,
            "SERVICE_INVALID",
            "method BREW",
        ),
        (
            "body above 1 MiB",
            signed().body("text/plain", vec![0; 1024 * 1024 + 1]),
            413,
            "FORMAT_ERROR",
            "larger than 1048576 bytes",
        ),
        (
            "headers above 32 KiB",
            signed().set("x-extra", "x".repeat(40 * 1024)),
            431,
            "FORMAT_ERROR",
            "exceed 32768 bytes",
        ),
        ("more than 100 headers", many, 431, "FORMAT_ERROR", "100 fields"),
        (
            "long query",
            at(&format!("/xs2a-bg/nl/onboarding/v1?{}", "x".repeat(9000))),
            414,
            "FORMAT_ERROR",
            "longer than 8192 bytes",
        ),
        ("gzip", signed().set("content-encoding", "gzip"), 415, "FORMAT_ERROR", "\"gzip\" is not supported"),
        (
            "request id twice",
            signed().append("x-request-id", "other"),
            400,
            "FORMAT_ERROR",
            "X-Request-ID header occurs more than once",
        ),
        ("request id not ASCII", signed().set("x-request-id", [0xe9]), 400, "FORMAT_ERROR", "outside ASCII"),
    ];
    check(&server, rows).await;
}
