//! Calls that are wrong in the usual ways, and how each is explained: the check that failed, why, where that is written, and
//! what would mend it.

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, client_keys, euro, shop, sign};
use testkit::{Request, Signer, TestServer, TestTpp, ValidConsent, detailed, parameter};

const ID: &str = "PSDNL-DNB-R123456";

/// A call, and what is to be said about it.
struct Case {
    name: &'static str,
    request: Request,
    status: u16,
    /// Code, check, and a part each of why, clause and remedy, with ` | ` between them.
    says: &'static str,
}

fn case(name: &'static str, request: Request, status: u16, says: &'static str) -> Case {
    Case { name, request, status, says }
}

/// Sends a call and reads what was recorded of it.
async fn recorded(server: &TestServer, request: &Request) -> Value {
    request.exchange(&server.http, server.url()).await;
    let (_, list) = server.manage("GET", "/calls?limit=1", Value::Null).await;
    let number = &list["calls"][0]["number"];
    let (_, call) = server.manage("GET", &format!("/calls/{number}"), Value::Null).await;
    assert_eq!(call["method"], request.method.as_str());
    call
}

async fn hold(server: &TestServer, Case { name, request, status, says }: Case) {
    let call = recorded(server, &request).await;
    let says: Vec<&str> = says.split(" | ").collect();
    let [code, check, why, clause, remedy] = says[..] else { panic!("{name}: {says:?}") };
    let shown = format!(
        "{name}: {} {} {}\nwhy {}\nclause {}\nremedy {}",
        call["status"], call["code"], call["failedCheck"], call["why"], call["clause"], call["remedy"]
    );
    assert_eq!(call["status"], status, "{shown}");
    assert_eq!(call["code"].as_str().unwrap_or_default(), code, "{shown}");
    assert_eq!(call["failedCheck"], check, "{shown}");
    for (member, part) in [("why", why), ("clause", clause), ("remedy", remedy)] {
        assert!(call[member].as_str().is_some_and(|text| text.contains(part)), "{member}: {shown}");
    }
    let checks = call["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|one| one["passed"] == false).collect();
    assert!(matches!(&failed[..], [one] if one["name"] == check), "{shown}\n{checks:?}");
    assert!(checks.iter().filter(|one| one["name"] == check).count() == 1, "{shown}\n{checks:?}");
}

/// A consent request whose signature is over another text than it should be.
fn signed_over(tpp: &TestTpp, body: &Value, text: impl Fn(&str) -> String) -> Request {
    let request = tpp.consent_request(body);
    let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
    let right = format!("digest: {}\nx-request-id: {}", header("digest"), header("x-request-id"));
    let value = tpp.signer.key.sign(tpp.signer.algorithm().0, text(&right).as_bytes()).unwrap();
    let value = eidas::header::to_header_value(&value);
    let key_id = &tpp.signer.key_id;
    request.set(
        "signature",
        format!("keyId=\"{key_id}\",algorithm=\"rsa-sha256\",headers=\"digest x-request-id\",signature=\"{value}\""),
    )
}

fn with_key_id(request: Request, signer: &Signer) -> Request {
    let value = request.headers["signature"].to_str().unwrap().replace(&signer.key_id, "SN=99,CA=CN=Nobody");
    request.set("signature", value)
}

/// Calls whose certificate is wrong.
async fn about_certificates(server: &TestServer, tpp: &TestTpp, body: &Value) -> Vec<Case> {
    let good = || tpp.consent_request(body);
    let stranger = server.tpp("PSDNL-DNB-R000001").await;
    let payer = json!({"organizationIdentifier": "PSDNL-DNB-R000002", "roles": ["PSP_PI"]});
    let payer = server.certificate(payer).await;
    server.register("nl", &payer, &["https://tpp.example/callback"]).await;
    let replaced = server.registered("nl", "PSDNL-DNB-R000003").await;
    server.tpp("PSDNL-DNB-R000003").await;
    vec![
        case(
            "no id",
            good().without("x-request-id"),
            400,
            "FORMAT_ERROR | request_id | X-Request-ID header is missing | NextGenPSD2 1.3, 4.1 | fresh UUID",
        ),
        case(
            "no certificate",
            good().without("tpp-signature-certificate"),
            401,
            "CERTIFICATE_MISSING | certificate | header is missing | 2018/389, Article 34 | base64 of its DER",
        ),
        case(
            "rubbish for a certificate",
            good().set("tpp-signature-certificate", "AAAA"),
            401,
            "CERTIFICATE_INVALID | certificate | not acceptable | TS 119 495 | certificate check",
        ),
        case(
            "not registered",
            good().signed(&stranger),
            401,
            "CERTIFICATE_INVALID | registration | is not registered at this bank | RFC 7591 | initial access token",
        ),
        case(
            "wrong role",
            good().signed(&payer),
            401,
            "ROLE_INVALID | role | PSP_PI; this service needs PSP_AI | Article 34(3)(a) | PSP_AI for accounts",
        ),
        case(
            "replaced certificate",
            replaced.consent_request(body),
            401,
            "CERTIFICATE_REVOKED | status | revoked or replaced | RFC 5280 | newest certificate",
        ),
    ]
}

/// Calls whose digest or signature is wrong.
fn about_signatures(tpp: &TestTpp, body: &Value) -> Vec<Case> {
    let good = || tpp.consent_request(body);
    let mut changed = good();
    changed.body.push(b'\n');
    let algorithm = |name: &str| good().headers["signature"].to_str().unwrap().replace("rsa-sha256", name);
    vec![
        case(
            "no signature",
            good().without("signature"),
            401,
            "SIGNATURE_MISSING | signature_header | Signature header is missing | 12.2 | keyId=",
        ),
        case(
            "wrong key id",
            with_key_id(good(), &tpp.signer),
            401,
            "SIGNATURE_INVALID | key_id | expected keyId=\"SN=1 | 12.2 | SN= and its serial number",
        ),
        case(
            "unknown algorithm",
            good().set("signature", algorithm("hmac-sha256")),
            401,
            "SIGNATURE_INVALID | algorithm | \"hmac-sha256\" is not allowed | 12.2 | rsa-sha512",
        ),
        case(
            "too little signed",
            good().sign(&tpp.signer, "digest"),
            401,
            "SIGNATURE_INVALID | signed_headers | \"x-request-id\" must be signed | 12.2 | digest x-request-id",
        ),
        case(
            "wrong signature",
            signed_over(tpp, body, |right| format!("{right}\n")),
            401,
            "SIGNATURE_INVALID | signature | does not verify | draft-cavage | none at the end",
        ),
        case(
            "no digest",
            good().without("digest"),
            401,
            "SIGNATURE_INVALID | digest | Digest header is missing | 12.1 | exact octets",
        ),
        case(
            "digest of another body",
            changed,
            401,
            "SIGNATURE_INVALID | digest | does not match the body | RFC 3230 | exact octets",
        ),
    ]
}

/// Calls whose token or consent is wrong.
async fn about_access(server: &TestServer, tpp: &TestTpp, body: &Value, iban: &str) -> Vec<Case> {
    let consent = tpp.valid(server, body, iban).await;
    let ended = tpp.valid(server, body, iban).await;
    let path = format!("/consents/{}/revocation", ended.id);
    assert_eq!(server.manage("POST", &path, json!({})).await.0, 200);
    let unknown = ValidConsent { access_token: "unknown".to_owned(), ..consent.clone() };
    let used = tpp.get(&format!("/v1/consents/{}", consent.id));
    let again = used.headers["x-request-id"].to_str().unwrap().to_owned();
    used.exchange(&server.http, server.url()).await;
    vec![
        case(
            "unknown token",
            tpp.read("/v1/accounts", &unknown),
            401,
            "TOKEN_INVALID | access_token | invalid or expired | RFC 6750 | refresh_token",
        ),
        case(
            "no token",
            tpp.read("/v1/accounts", &consent).without("authorization"),
            401,
            "TOKEN_UNKNOWN | access_token | access token is missing | RFC 6750 | Authorization: Bearer",
        ),
        case(
            "ended consent",
            tpp.read("/v1/accounts", &ended),
            401,
            "CONSENT_INVALID | consent | revokedByPsu | 6.3 and 6.4 | ask for a new consent",
        ),
        case(
            "another's consent",
            tpp.get("/v1/consents/0f0f0f0f-0000-4000-8000-000000000001"),
            403,
            "CONSENT_UNKNOWN | consent | not known here | NextGenPSD2 | ask for a new consent",
        ),
        case(
            "another's account",
            tpp.read("/v1/accounts/0f0f0f0f-0000-4000-8000-000000000001", &consent),
            404,
            "RESOURCE_UNKNOWN | resource | not part of the consent | NextGenPSD2 | the bank's own answers",
        ),
        case(
            "request id of another call",
            tpp.request("DELETE", &format!("/v1/consents/{}", consent.id))
                .set("x-request-id", again)
                .signed(&tpp.signer),
            400,
            "FORMAT_ERROR | fresh_request_id | was used within the last | 4.1 | Make a new UUID",
        ),
    ]
}

/// Calls to the authorization server that are wrong.
async fn about_authorization(server: &TestServer, tpp: &TestTpp, body: &Value, iban: &str) -> Vec<Case> {
    let asked = tpp.consent(server, body).await;
    let url = tpp.authorization_url(&asked);
    let elsewhere = url.replace("redirect_uri=", "redirect_uri=https%3A%2F%2Felsewhere.example%2F&x=");
    let plain = url.replace("code_challenge_method=S256", "code_challenge_method=plain");
    let target = |url: &str| Request::new("GET", &url[server.url().len()..]);
    let location = server.decide(&url, iban, "approve").await;
    let form = TestTpp::code_form(&parameter(&location, "code").unwrap());
    let other_verifier = form.replace("code_verifier=dBj", "code_verifier=xxx");
    vec![
        case(
            "unregistered redirect URI",
            target(&elsewhere),
            400,
            "invalid_request | redirect_uri | Unregistered redirect_uri | RFC 6749, 3.1.2.3 | character by character",
        ),
        case(
            "plain challenge",
            target(&plain),
            400,
            "invalid_request | pkce | must be S256 | RFC 7636 | code_challenge_method S256",
        ),
        case(
            "wrong client secret",
            tpp.token_request(&form).set("authorization", "Basic UFNETkwtRE5CLVIxMjM0NTY6eA=="),
            401,
            "invalid_client | client_credentials | client secret is wrong | RFC 6749, 2.3.1 | newest registration",
        ),
        case(
            "another code verifier",
            tpp.token_request(&other_verifier),
            400,
            "invalid_grant | pkce | code_verifier does not fit | RFC 7636 | Keep the code_verifier",
        ),
        case(
            "unknown code",
            tpp.token_request(&TestTpp::code_form("unknown")),
            400,
            "invalid_grant | code | Unknown authorization code | RFC 6749, 4.1.2 | Redeem a code once",
        ),
        case(
            "another's address",
            Request::new("GET", "/xs2a-bg/nl/v1/nothing"),
            404,
            "404 | request | Not Found | NextGenPSD2 | openapi.json",
        ),
    ]
}

#[tokio::test]
async fn each_usual_mistake_is_explained() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let body = detailed(iban, true);
    let mut cases = about_certificates(&server, &tpp, &body).await;
    cases.extend(about_signatures(&tpp, &body));
    cases.extend(about_access(&server, &tpp, &body, iban).await);
    cases.extend(about_authorization(&server, &tpp, &body, iban).await);
    for case in cases {
        hold(&server, case).await;
    }
    // Two years and a few days later nobody has renewed the certificate.
    server.advance("nl", "P745D").await;
    let says = "CERTIFICATE_EXPIRED | validity | is valid from | RFC 5280 | Get a new certificate";
    hold(&server, case("expired certificate", tpp.consent_request(&body), 401, says)).await;
}

#[tokio::test]
async fn mistakes_at_the_other_interface() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let payer = BunqClient::customer(&server, &customer).await;
    let path = payer.below(payer.account().await, "/payment");
    let payment = json!({"amount": euro("0.01"), "counterparty_alias": shop(), "description": "x"});
    let good = || payer.request("POST", &path, Some(&payment));
    let other = sign(&client_keys().0, format!("{payment}\n").as_bytes());
    let exchange =
        "/bunq/v1/token?grant_type=authorization_code&code=x&redirect_uri=y&client_id=z&client_secret=s";
    for case in [
        case(
            "signed with a line feed",
            good().set("x-bunq-client-signature", other),
            400,
            "400 | signature | request signature is invalid | Signing | exact octets of the body",
        ),
        case(
            "not signed",
            good().without("x-bunq-client-signature"),
            466,
            "466 | signature_header | signature is required | Signing | X-Bunq-Client-Signature",
        ),
        case(
            "unknown token",
            good().set("x-bunq-client-authentication", "unknown"),
            403,
            "403 | access_token | Insufficient authentication | sessions | new session",
        ),
        case(
            "unknown user",
            payer.request("GET", "/user/999999999", None),
            404,
            "404 | resource | Resource not found | Errors | bank's own answers",
        ),
        case(
            "wrong client secret",
            Request::new("POST", exchange),
            400,
            "invalid_client | client_credentials | client_secret is wrong | RFC 6749 | oauth-client",
        ),
    ] {
        hold(&server, case).await;
    }
    let call = recorded(&server, &good().set("x-bunq-client-signature", sign(&client_keys().0, b""))).await;
    assert_eq!(call["comparison"]["got"], "", "{call}");
    assert!(call["comparison"]["remark"].as_str().unwrap().contains("as if there were no body"), "{call}");
}

/// What was signed in place of what should have been, where it can be told.
#[tokio::test]
async fn what_was_signed_instead_is_found_and_marked() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let body = detailed(customer["iban"].as_str().unwrap(), true);
    type Spoil = fn(&str) -> String;
    let all: [(Spoil, &str, [&str; 2]); 4] = [
        (|right| format!("{right}\n"), "line feed at its end", ["", "\n"]),
        (|right| right.replace('\n', "\r\n"), "carriage return", ["", "\r"]),
        (
            |right| right.replacen("digest:", "Digest:", 1).replace("x-request-id", "X-Request-ID"),
            "lower case",
            ["d", "D"],
        ),
        // What both have in common depends on the digest.
        (|right| right.replace("SHA-256=", ""), "without SHA-256=", ["", ""]),
    ];
    for (spoil, remark, [expected, got]) in all {
        let call = recorded(&server, &signed_over(&tpp, &body, spoil)).await;
        let comparison = &call["comparison"];
        assert_eq!(call["failedCheck"], "signature", "{call}");
        assert!(comparison["remark"].as_str().unwrap().contains(remark), "{comparison}");
        assert_eq!(comparison["got"], spoil(comparison["expected"].as_str().unwrap()), "{comparison}");
        let difference = &comparison["difference"];
        assert!(difference["expected"].as_str().unwrap().starts_with(expected), "{comparison}");
        assert!(difference["got"].as_str().unwrap().starts_with(got), "{comparison}");
        let whole = |middle: &str| {
            ["before", middle, "after"].map(|part| difference[part].as_str().unwrap().to_owned()).concat()
        };
        assert_eq!(whole("expected"), comparison["expected"]);
        assert_eq!(whole("got"), comparison["got"]);
    }
    // What nobody can guess is said to be unknown.
    let call = recorded(&server, &signed_over(&tpp, &body, |_| "something else".to_owned())).await;
    assert!(call["comparison"]["got"].is_null() && call["comparison"]["remark"].is_null(), "{call}");
    // The digest of another body is told apart from a wrong signature.
    let mut changed = tpp.consent_request(&body);
    changed.body.push(b'\n');
    let comparison = recorded(&server, &changed).await["comparison"].clone();
    assert_eq!(comparison["what"], "signing string");
    assert!(
        comparison["remark"].as_str().unwrap().contains("without the blanks or line feeds"),
        "{comparison}"
    );
    assert_ne!(comparison["expected"], comparison["got"]);
}
