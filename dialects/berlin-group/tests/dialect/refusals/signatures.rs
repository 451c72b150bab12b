//! Of signatures.

use testkit::{Request, TestServer};

use super::{ID, Row, check};

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
