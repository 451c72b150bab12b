//! Clients that prove themselves by the certificate of their connection or by a signed assertion.

use eidas::issue::{KeyType, generate_key};
use gateway::domain::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use testkit::{Answer, CALLBACK, Request, Signer, TestServer};
use vestibule::profiles::Strictness;

use crate::grants::tls_client;
use crate::{ID, basic};

const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A code that nobody has: a client that proved itself is told so.
const CODE: &str =
    "grant_type=authorization_code&code=x&redirect_uri=https%3A%2F%2Ftpp.example%2Fcb&code_verifier=v";

fn token(form: &str) -> Request {
    Request::new("POST", "/auth/nl/v1/token").form(form)
}

/// Registers over the connection of `client` with a way to prove itself.
async fn register(server: &TestServer, signer: &Signer, client: &reqwest::Client, method: &str) -> Answer {
    let token = server.initial_access_token("nl", signer).await;
    let request = Request::registration("nl", &token, &[CALLBACK]);
    let body = String::from_utf8(request.body.clone()).unwrap();
    let asked =
        if method.is_empty() { String::new() } else { format!("&token_endpoint_auth_method={method}") };
    request.form(&(body + &asked)).certificate(signer).send(client, server.tls_url()).await
}

fn assert_client_refused(answer: &Answer, name: &str, text: &str) {
    let (code, said) = answer.error();
    assert_eq!((answer.status, code.as_str()), (401, "invalid_client"), "{name}: {}", answer.body);
    assert!(said.contains(text), "{name}: {said}");
    assert!(answer.header("www-authenticate").starts_with("Basic"), "{name}");
}

fn assert_proved(answer: &Answer, name: &str) {
    assert_eq!((answer.status, answer.error().0.as_str()), (400, "invalid_grant"), "{name}: {}", answer.body);
}

#[tokio::test]
async fn by_the_certificate_of_the_connection() {
    let server = TestServer::start().await;
    let signer = server.tpp(ID).await;
    let bare = &server.http;
    let qwac = server.certificate(json!({"organizationIdentifier": ID, "profile": "qwac"})).await;
    let own = server.presenting(&qwac);
    let seal = server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await;
    let seal = server.presenting(&seal);
    let foreign = tls_client(&server, "PSDNL-DNB-R9").await;
    let origin = server.tls_url();

    let refused = register(&server, &signer, &seal, "tls_client_auth").await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "invalid_client_metadata"));
    assert!(refused.error().1.contains("needs a QWAC"), "{}", refused.body);
    let registered = register(&server, &signer, &own, "tls_client_auth").await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    assert_eq!(registered.json()["token_endpoint_auth_method"], "tls_client_auth");
    assert_eq!(registered.json().get("client_secret"), None, "it needs none");

    let with_id = token(&format!("{CODE}&client_id={ID}"));
    assert_proved(&with_id.send(&own, origin).await, "QWAC");
    for (endpoint, form, status) in [("token/revoke", "token=x", 200), ("par", "response_type=code", 400)] {
        let request =
            Request::new("POST", &format!("/auth/nl/v1/{endpoint}")).form(&format!("{form}&client_id={ID}"));
        assert_eq!(request.send(&own, origin).await.status, status, "{endpoint}");
        assert_client_refused(&request.send(&foreign, origin).await, endpoint, "another organisation");
    }
    assert_client_refused(&with_id.send(&foreign, origin).await, "foreign", "another organisation");
    assert_client_refused(&with_id.send(&seal, origin).await, "seal", "is a QSealC");
    assert_client_refused(&with_id.send(bare, server.url()).await, "no TLS", "over TLS with a QWAC");
    let no_id = token(CODE).send(&own, origin).await;
    assert_client_refused(&no_id, "no client id", "client_id");
    let unknown = token(&format!("{CODE}&client_id=PSDNL-DNB-R9")).send(&foreign, origin).await;
    assert_client_refused(&unknown, "not registered", "register first");
    let secret = token(CODE).set("authorization", basic(ID, "x")).send(&own, origin).await;
    assert_client_refused(&secret, "a secret", "wrong");

    let path = format!("/test-certificates/{}", qwac.certificate.fingerprint_hex());
    server.manage("PUT", &path, json!({"status": "revoked"})).await;
    assert_client_refused(&with_id.send(&own, origin).await, "revoked", "CERTIFICATE_REVOKED");
}

#[tokio::test]
async fn a_client_that_asked_for_no_way_may_use_each_that_it_can() {
    let server = TestServer::start().await;
    let signer = server.tpp(ID).await;
    let own = tls_client(&server, ID).await;
    let registered = register(&server, &signer, &own, "").await.json();
    assert_eq!(registered["token_endpoint_auth_method"], "client_secret_basic");
    let secret = registered["client_secret"].as_str().unwrap();
    assert_proved(&server.send(&token(CODE).set("authorization", basic(ID, secret))).await, "secret");
    let with_id = token(&format!("{CODE}&client_id={ID}"));
    assert_proved(&with_id.send(&own, server.tls_url()).await, "QWAC");
    let assertion = sign(&signer, Algorithm::PS256, &claims(&server, "1").await);
    assert_proved(&server.send(&token(&with_assertion(&assertion))).await, "assertion");
    let twice = token(&with_assertion(&assertion)).set("authorization", basic(ID, secret));
    let twice = server.send(&twice).await;
    assert_eq!((twice.status, twice.error().0.as_str()), (400, "invalid_request"), "{}", twice.body);
    let other = register(&server, &signer, &own, "client_secret_basic").await;
    assert_eq!(other.status, 201);
    assert_client_refused(&with_id.send(&own, server.tls_url()).await, "another way", "client_secret_basic");
}

#[tokio::test]
async fn whoever_has_to_present_a_certificate_and_does_not_is_no_client() {
    let server = TestServer::with(|config| config.require_mtls = true).await;
    for endpoint in ["token", "token/revoke", "par"] {
        let request = Request::new("POST", &format!("/auth/nl/v1/{endpoint}")).form(CODE);
        let answer = server.send(&request.set("authorization", basic(ID, "x"))).await;
        assert_client_refused(&answer, endpoint, "CERTIFICATE_MISSING");
    }
}

/// Claims of a good assertion.
async fn claims(server: &TestServer, jti: &str) -> Value {
    let (_, clocks) = server.manage("GET", "/clock", Value::Null).await;
    let clocks = clocks["clocks"].as_array().unwrap();
    let clock = clocks.iter().find(|clock| clock["tenant"] == "nl").unwrap();
    let now: Timestamp = clock["now"].as_str().unwrap().parse().unwrap();
    let issuer = format!("{}/auth/nl", server.url());
    json!({"iss": ID, "sub": ID, "aud": issuer, "jti": jti, "iat": now.as_second(), "exp": now.as_second() + 60})
}

fn sign(signer: &Signer, algorithm: Algorithm, claims: &Value) -> String {
    let key = match algorithm {
        Algorithm::ES256 => EncodingKey::from_ec_pem(signer.key_pem.as_bytes()).unwrap(),
        Algorithm::HS256 => EncodingKey::from_secret(b"secret"),
        _ => EncodingKey::from_rsa_pem(signer.key_pem.as_bytes()).unwrap(),
    };
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
}

fn with_assertion(assertion: &str) -> String {
    let kind: String = form_urlencoded::byte_serialize(KIND.as_bytes()).collect();
    format!("{CODE}&client_id={ID}&client_assertion_type={kind}&client_assertion={assertion}")
}

/// A third party with a key of the kind that ES256 needs.
async fn with_p256(server: &TestServer, profile: &str) -> Signer {
    let (private, public) = generate_key(KeyType::P256).unwrap();
    let body = json!({"organizationIdentifier": ID, "profile": profile, "publicKey": public});
    let (status, made) = server.manage("POST", "/test-certificates", body).await;
    assert_eq!(status, 201, "{made}");
    Signer::from_pem(made["certificate"].as_str().unwrap(), &private, None)
}

#[tokio::test]
async fn by_an_assertion_signed_with_the_key_of_the_signing_certificate() {
    let server = TestServer::start().await;
    let other = server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await;
    let signer = server.tpp(ID).await;
    let token_of = server.initial_access_token("nl", &signer).await;
    // Without the header, the certificate that got the token counts.
    let request = Request::registration("nl", &token_of, &[CALLBACK]);
    let form =
        String::from_utf8(request.body.clone()).unwrap() + "&token_endpoint_auth_method=private_key_jwt";
    let keys = request.clone().form(&format!("{form}&jwks_uri=https%3A%2F%2Ftpp.example%2Fjwks"));
    let refused = server.send(&keys).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "invalid_client_metadata"));
    let registered = server.send(&request.form(&form)).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    assert_eq!(registered.json()["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(registered.json().get("client_secret"), None);

    let send = async |assertion: &str| server.send(&token(&with_assertion(assertion))).await;
    for (number, algorithm) in [Algorithm::PS256, Algorithm::RS256].into_iter().enumerate() {
        let good = sign(&signer, algorithm, &claims(&server, &format!("good {number}")).await);
        assert_proved(&send(&good).await, "good");
        assert_client_refused(&send(&good).await, "twice", "used before");
    }
    let mut with_array = claims(&server, "array").await;
    with_array["aud"] = json!([format!("{}/auth/nl/v1/token", server.tls_url()), "https://elsewhere"]);
    assert_proved(&send(&sign(&signer, Algorithm::PS256, &with_array)).await, "the endpoint among others");
    let now = with_array["iat"].as_i64().unwrap();
    for (name, member, value, text) in [
        ("another audience", "aud", json!("https://elsewhere"), "aud in the client_assertion must be"),
        ("another tenant", "aud", json!(format!("{}/auth/uk", server.url())), "aud"),
        ("another issuer", "iss", json!("PSDNL-DNB-R9"), "iss and sub"),
        ("another subject", "sub", json!("PSDNL-DNB-R9"), "client_id in the form is another one"),
        ("expired", "exp", json!(now - 1), "has expired"),
        ("for ever", "exp", json!(now + 100_000), "more than an hour ahead"),
        ("endless", "exp", json!(1e300), "exp"),
        ("no expiry", "exp", Value::Null, "iss, sub, aud, exp and jti"),
        ("made later", "iat", json!(now + 600), "lies ahead"),
        ("good later", "nbf", json!(now + 600), "lies ahead"),
        ("long expired", "exp", json!(-1), "has expired"),
        ("a number as id", "jti", json!(7), "the others as texts"),
        ("no id", "jti", Value::Null, "iss, sub, aud, exp and jti"),
        ("empty id", "jti", json!(""), "jti"),
        ("long id", "jti", json!("j".repeat(513)), "jti"),
    ] {
        let mut claims = claims(&server, name).await;
        claims[member] = value;
        assert_client_refused(&send(&sign(&signer, Algorithm::PS256, &claims)).await, name, text);
    }
    let good = claims(&server, "keys").await;
    let critical = Header { crit: Some(vec!["b64".to_owned()]), ..Header::new(Algorithm::PS256) };
    let key = EncodingKey::from_rsa_pem(signer.key_pem.as_bytes()).unwrap();
    let critical = jsonwebtoken::encode(&critical, &good, &key).unwrap();
    assert_client_refused(&send(&critical).await, "critical", "crit");
    // About keys of others a bank with customers says no more.
    let of_key = |text| if testkit::is_served() { "the client_assertion is not acceptable" } else { text };
    assert_client_refused(
        &send(&sign(&other, Algorithm::PS256, &good)).await,
        "another key",
        of_key("does not verify"),
    );
    assert_client_refused(
        &send(&sign(&signer, Algorithm::HS256, &good)).await,
        "a secret",
        "PS256 or ES256 or RS256",
    );
    let curve = with_p256(&server, "qseal").await;
    assert_client_refused(
        &send(&sign(&curve, Algorithm::ES256, &good)).await,
        "another kind",
        of_key("does not fit"),
    );
    for garbage in ["x", "x.y.z", "e30.e30.", "eyJhbGciOiJub25lIn0.e30."] {
        assert_client_refused(&send(garbage).await, garbage, "client_assertion");
    }
    let kind = with_assertion(&sign(&signer, Algorithm::PS256, &good)).replace("jwt-bearer", "saml2-bearer");
    assert_client_refused(&server.send(&token(&kind)).await, "another type", "client_assertion_type must be");
    assert_proved(&send(&sign(&signer, Algorithm::PS256, &good)).await, "none of that used it up");

    let path = format!("/test-certificates/{}", signer.certificate.fingerprint_hex());
    server.manage("PUT", &path, json!({"status": "blocked"})).await;
    let late = sign(&signer, Algorithm::PS256, &claims(&server, "late").await);
    assert_client_refused(&send(&late).await, "blocked", "CERTIFICATE_BLOCKED");
}

#[tokio::test]
async fn a_strict_bank_takes_the_algorithms_and_the_audience_of_fapi() {
    let server = TestServer::with(|config| config.strictness = Strictness::Strict).await;
    let signer = with_p256(&server, "qseal").await;
    let own = tls_client(&server, ID).await;
    let registered = register(&server, &signer, &own, "private_key_jwt").await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    let send = async |assertion: &str| server.send(&token(&with_assertion(assertion))).await;
    assert_proved(&send(&sign(&signer, Algorithm::ES256, &claims(&server, "1").await)).await, "ES256");
    let mut array = claims(&server, "2").await;
    array["aud"] = json!([array["aud"]]);
    assert_client_refused(&send(&sign(&signer, Algorithm::ES256, &array)).await, "array", "and nothing else");
    let mut endpoint = claims(&server, "3").await;
    endpoint["aud"] = json!(format!("{}/auth/nl/v1/token", server.url()));
    assert_client_refused(
        &send(&sign(&signer, Algorithm::ES256, &endpoint)).await,
        "endpoint",
        "nothing else",
    );
    let rsa = server.certificate(json!({"organizationIdentifier": "PSDNL-DNB-R9", "profile": "qseal"})).await;
    let rs256 = sign(&rsa, Algorithm::RS256, &claims(&server, "4").await);
    assert_client_refused(&send(&rs256).await, "RS256", "must be signed with PS256 or ES256");
    let configuration = Request::new("GET", "/auth/nl/.well-known/openid-configuration");
    let configuration = server.send(&configuration).await.json();
    assert_eq!(configuration["token_endpoint_auth_signing_alg_values_supported"], json!(["PS256", "ES256"]));
}

#[tokio::test]
async fn an_algorithm_is_registered_where_the_bank_holds_the_client_to_it() {
    use Strictness::{Lenient, Strict};
    for strictness in [Lenient, Strict] {
        let server = TestServer::with(|config| config.strictness = strictness).await;
        let own = tls_client(&server, ID).await;
        let is_strict = strictness == Strict;
        for (is_curve, asked, words) in [
            (true, "ES256", ""),
            (true, "PS256", "does not fit the key"),
            (false, "ES256", "does not fit the key"),
            (false, "PS256", if is_strict { "" } else { "PS256 and RS256 alike" }),
            (false, "RS256", if is_strict { "is not offered" } else { "PS256 and RS256 alike" }),
            (true, "ES256+PS256", "is one algorithm"),
        ] {
            let signer = match is_curve {
                true => with_p256(&server, "qseal").await,
                false => server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await,
            };
            let method = format!("private_key_jwt&token_endpoint_auth_signing_alg={asked}");
            let answer = register(&server, &signer, &own, &method).await;
            let expected = if words.is_empty() { 201 } else { 400 };
            assert_eq!(answer.status, expected, "{asked}: {}", answer.body);
            assert!(answer.body.contains(words), "{asked}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn whoever_is_known_at_another_interface_alone_has_not_registered() {
    let server = TestServer::start().await;
    let provider = testkit::bunq::BunqClient::provider(&server, "Checkout PISP").await;
    let (_, listed) = server.manage("GET", "/third-parties", Value::Null).await;
    let id = listed["thirdParties"][0]["id"].as_str().unwrap();
    assert!(provider.user > 0);
    let signer = server.certificate(json!({"organizationIdentifier": "PSDNL-DNB-R9"})).await;
    let mut claims = claims(&server, "1").await;
    (claims["iss"], claims["sub"]) = (json!(id), json!(id));
    let form =
        with_assertion(&sign(&signer, Algorithm::PS256, &claims)).replace(&format!("&client_id={ID}"), "");
    assert_client_refused(&server.send(&token(&form)).await, "known at bunq", "register first");
}
