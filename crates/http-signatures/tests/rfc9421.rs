//! What `rfc9421::sign` makes, `rfc9421::verify` takes, and takes no more once anything is changed.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

use http::{HeaderMap, HeaderValue, Method};
use http_signatures::key::{Algorithm, PrivateKey};
use http_signatures::rfc9421::{Parameters, sign, verify};
use http_signatures::{Message, Refusal};
use jiff::Timestamp;

const NOW: i64 = 1_800_000_000;
const COMPONENTS: &[&str] = &["@method", "@target-uri", "content-digest", "x-request-id", "consent-id"];
const DIGEST: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";

struct Case {
    key: PrivateKey,
    headers: HeaderMap,
    method: Method,
    target: &'static str,
}

impl Case {
    fn signed(components: &[&str], created: i64, expires: i64, nonce: &str) -> Self {
        let (key, _) = PrivateKey::generate_p256().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("content-digest", HeaderValue::from_static(DIGEST));
        headers.insert("x-request-id", HeaderValue::from_static("99391c7e-ad88-49ec-a2ad-99ddcb1f7721"));
        headers.insert("consent-id", HeaderValue::from_static("c-1"));
        let mut case = Self { key, headers, method: Method::GET, target: "/v1/accounts?withBalance=true" };
        let parameters = Parameters { created, expires, nonce, key_id: "the-key" };
        let signed =
            sign(&case.message(), &case.key, Algorithm::EcdsaP256Sha256Fixed, components, &parameters)
                .unwrap();
        case.headers.insert("signature-input", signed.signature_input.parse().unwrap());
        case.headers.insert("signature", signed.signature.parse().unwrap());
        case
    }

    fn right() -> Self {
        Self::signed(COMPONENTS, NOW, NOW + 60, "a-nonce-of-22-letters-")
    }

    fn message(&self) -> Message<'_> {
        Message {
            method: &self.method,
            target: self.target,
            base_uri: "https://bank.example",
            headers: &self.headers,
        }
    }

    fn verify(&self) -> Result<String, Refusal> {
        let key = self.key.public_key().unwrap();
        let now = Timestamp::from_second(NOW).unwrap();
        verify(&self.message(), &key, "the-key", now).map(|verified| verified.nonce)
    }
}

#[test]
fn a_signature_verifies_and_gives_its_nonce() {
    assert_eq!(Case::right().verify().unwrap(), "a-nonce-of-22-letters-");
}

#[test]
fn no_change_of_what_is_covered_goes_unnoticed() {
    let changes: [fn(&mut Case); 5] = [
        |case| case.method = Method::DELETE,
        |case| case.target = "/v1/accounts?withBalance=false",
        |case| drop(case.headers.insert("consent-id", HeaderValue::from_static("c-2"))),
        |case| drop(case.headers.insert("content-digest", HeaderValue::from_static("sha-256=:AAAA:"))),
        |case| case.key = PrivateKey::generate_p256().unwrap().0,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut case = Case::right();
        change(&mut case);
        let refusal = case.verify().unwrap_err();
        assert!(matches!(refusal, Refusal::SignatureMismatch { .. }), "change {at}: {refusal}");
    }
}

#[test]
fn the_profile_is_enforced() {
    let expect = |case: Case, part: &str| {
        let text = case.verify().unwrap_err().to_string();
        assert!(text.contains(part), "expected \"{part}\" in \"{text}\"");
    };
    let nonce = "a-nonce-of-22-letters-";
    expect(Case::signed(&COMPONENTS[..4], NOW, NOW + 60, nonce), "consent-id");
    expect(Case::signed(&COMPONENTS[1..], NOW, NOW + 60, nonce), "@method");
    expect(Case::signed(COMPONENTS, NOW + 61, NOW + 100, nonce), "2027-01-15");
    expect(Case::signed(COMPONENTS, NOW - 100, NOW - 1, nonce), "2027-01-15");
    expect(Case::signed(COMPONENTS, NOW, NOW + 301, nonce), "300 seconds");
    expect(Case::signed(COMPONENTS, NOW, NOW + 60, "short"), "nonce");
    let mut unsigned = Case::right();
    unsigned.headers.remove("signature");
    expect(unsigned, "signature header is missing");
    let mut twice = Case::right();
    let input = twice.headers["signature-input"].to_str().unwrap().to_owned();
    let doubled = format!("{input}, {}", input.replacen("sig1", "sig2", 1));
    twice.headers.insert("signature-input", doubled.parse().unwrap());
    expect(twice, "psd2");
}

proptest::proptest! {
    #[test]
    fn no_header_stops_a_reader(
        input in "\\PC{0,80}|sig1=\\(( ?\"[@a-z-]{0,14}\"(;sf)?){0,4}\\)(;(created|expires|nonce|alg|keyid|tag)=(\"(psd2|the-key|ed25519|a{22})\"|-?[0-9]{1,15}|:AAAA:|\\?1)){0,8}",
        value in "\\PC{0,40}|sig1=(:[A-Za-z0-9+/]{0,8}={0,2}:|\\(\\)|1)",
        target in "[!-~]{0,20}",
        now in -377_705_023_201_i64..253_402_207_200,
    ) {
        let mut case = Case::right();
        for (name, text) in [("signature-input", &input), ("signature", &value)] {
            if let Ok(text) = HeaderValue::from_str(text) {
                case.headers.insert(name, text);
            }
        }
        let message = Message { target: &target, ..case.message() };
        let now = Timestamp::from_second(now).unwrap();
        proptest::prop_assert!(verify(&message, &case.key.public_key().unwrap(), "the-key", now).is_err());
    }
}
