//! Vectors that the standards publish: RFC 9421, appendix B, and draft-cavage-http-signatures-12, appendix C.
//!
//! Left out are the examples of what this library does not do: shared secrets (B.2.5), signatures over responses (B.2.4),
//! and components with parameters (B.2.2), which a test here holds to be refused. The key of the draft has 1024 bits, so
//! that its signatures are too weak to be verified here; what they sign is compared.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method};
use http_signatures::cavage::{SignatureHeader, signing_string};
use http_signatures::digest::{DigestAlgorithm, Prefix, check_content_digest, check_digest, digest_header};
use http_signatures::key::{Algorithm, PublicKey};
use http_signatures::rfc9421::signature_base;
use http_signatures::{Message, Refusal};

const BODY: &[u8] = br#"{"hello": "world"}"#;

/// RFC 9421, B.1.2, `test-key-rsa-pss`: the public key, as SubjectPublicKeyInfo.
const RSA: &str = "\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+\
    Lh1GH45x28Rw3Ry53mm+oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgc\
    hwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9\
    v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI2wIDAQAB";

/// RFC 9421, B.1.4, `test-key-ed25519`: the public key, as SubjectPublicKeyInfo.
const ED25519: &str = "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

/// The request of RFC 9421, B.2.
fn request_of_the_rfc() -> HeaderMap {
    headers(&[
        ("host", "example.com"),
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        ),
        ("content-length", "18"),
    ])
}

/// The base of a signature over that request.
fn base(input: &str) -> Result<String, Refusal> {
    let headers = request_of_the_rfc();
    let message = Message {
        method: &Method::POST,
        target: "/foo?param=Value&Pet=dog",
        base_uri: "https://example.com",
        headers: &headers,
    };
    let dictionary: sfv::Dictionary = sfv::Parser::new(input).parse().unwrap();
    let Some(sfv::ListEntry::InnerList(list)) = dictionary.values().next() else {
        panic!("no list: {input}")
    };
    signature_base(&message, list).map(|base| String::from_utf8(base).unwrap())
}

/// Holds that a published signature is one over a published base, which is the one that is made here.
fn hold(input: &str, expected: &[&str], (key, algorithm): (&str, Algorithm), signature: &str) {
    let parameters = input.split_once('=').unwrap().1;
    let last = format!("\"@signature-params\": {parameters}");
    let expected: Vec<&str> = expected.iter().copied().chain([last.as_str()]).collect();
    let base = base(input).unwrap();
    assert_eq!(base.lines().collect::<Vec<_>>(), expected);
    let key = PublicKey::from_spki_der(&STANDARD.decode(key).unwrap()).unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    assert!(key.verifies(algorithm, base.as_bytes(), &signature), "{input}");
    assert!(!key.verifies(algorithm, format!("{base} ").as_bytes(), &signature), "{input}");
}

#[test]
fn rfc9421_b_2_1_minimal_signature() {
    hold(
        r#"sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd""#,
        &[],
        (RSA, Algorithm::RsaPssSha512),
        "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXa\
         JMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56Y\
         CE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPY\
         TU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==",
    );
}

#[test]
fn rfc9421_b_2_2_has_a_component_with_a_parameter() {
    let input = r#"sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473"#;
    assert!(matches!(base(input), Err(Refusal::SignatureHeaderMalformed(_))));
}

#[test]
fn rfc9421_b_2_3_full_coverage() {
    hold(
        "sig-b23=(\"date\" \"@method\" \"@path\" \"@query\" \"@authority\" \"content-type\" \"content-digest\" \
         \"content-length\");created=1618884473;keyid=\"test-key-rsa-pss\"",
        &[
            "\"date\": Tue, 20 Apr 2021 02:07:55 GMT",
            "\"@method\": POST",
            "\"@path\": /foo",
            "\"@query\": ?param=Value&Pet=dog",
            "\"@authority\": example.com",
            "\"content-type\": application/json",
            "\"content-digest\": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEm\
             THWXvJwew==:",
            "\"content-length\": 18",
        ],
        (RSA, Algorithm::RsaPssSha512),
        "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768Zr\
         CUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW\
         91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJz\
         SRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==",
    );
}

#[test]
fn rfc9421_b_2_6_ed25519() {
    hold(
        "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\");created=1618884473;\
         keyid=\"test-key-ed25519\"",
        &[
            "\"date\": Tue, 20 Apr 2021 02:07:55 GMT",
            "\"@method\": POST",
            "\"@path\": /foo",
            "\"@authority\": example.com",
            "\"content-type\": application/json",
            "\"content-length\": 18",
        ],
        (ED25519, Algorithm::Ed25519),
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
    );
}

/// The digests in the requests of both: RFC 9421, B.2, and the draft, C.
#[test]
fn digests_of_the_bodies() {
    let headers = request_of_the_rfc();
    let digest = headers["content-digest"].to_str().unwrap();
    check_content_digest(digest, BODY).unwrap();
    assert!(check_content_digest(digest, b"{\"hello\": \"World\"}").is_err());
    let digest = "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=";
    assert_eq!(digest_header(DigestAlgorithm::Sha256, BODY), digest);
    check_digest(digest, BODY, Prefix::Required).unwrap();
}

/// draft-cavage-http-signatures-12, C.1 to C.3.
#[test]
fn draft_cavage_signing_strings() {
    let headers = headers(&[
        ("host", "example.com"),
        ("date", "Sun, 05 Jan 2014 21:31:40 GMT"),
        ("content-type", "application/json"),
        ("digest", "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="),
        ("content-length", "18"),
    ]);
    let message = Message {
        method: &Method::POST,
        target: "/foo?param=value&pet=dog",
        base_uri: "http://example.com",
        headers: &headers,
    };
    let (date, target, host) = (
        "date: Sun, 05 Jan 2014 21:31:40 GMT",
        "(request-target): post /foo?param=value&pet=dog",
        "host: example.com",
    );
    let rest = [
        "content-type: application/json",
        "digest: SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
        "content-length: 18",
    ];
    for (name, listed, expected) in [
        ("C.1", "", vec![date]),
        ("C.2", "headers=\"(request-target) host date\",", vec![target, host, date]),
        (
            "C.3",
            "headers=\"(request-target) host date content-type digest content-length\",",
            [&[target, host, date][..], &rest].concat(),
        ),
    ] {
        let value = format!("keyId=\"Test\",algorithm=\"rsa-sha256\",{listed}signature=\"AAAA\"");
        let header = SignatureHeader::parse(&value).unwrap();
        let text = signing_string(&header.headers, &message, header.created, header.expires).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), expected.join("\n"), "{name}");
    }
}

/// The key of the draft's appendix C, which its text says to have 2048 bits, has 1024.
#[test]
fn the_key_of_the_draft_is_too_short() {
    let key = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C36rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2\
               qsBe/2hFyc2DCJJg0h1L78+6Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJwoYi+1hqp1fIekaxs\
               yQIDAQAB";
    let signature = "SjWJWbWN7i0wzBvtPl8rbASWz5xQW6mcJmn+ibttBqtifLN7Sazz6m79cNfwwb8DMJ5cou1s7uEGKKCs+FLEEaDV5lp7q25WqS\
                     +lavg7T8hc0GppauB6hbgEKTwblDHYGEtbGmtdHgVCk9SuS13F0hZ8FD0k/5OxEPXe5WozsbM=";
    let signature = STANDARD.decode(signature).unwrap();
    let key = PublicKey::from_spki_der(&STANDARD.decode(key).unwrap());
    let message = b"date: Sun, 05 Jan 2014 21:31:40 GMT";
    assert!(!key.is_ok_and(|key| key.verifies(Algorithm::RsaPkcs1Sha256, message, &signature)));
}
