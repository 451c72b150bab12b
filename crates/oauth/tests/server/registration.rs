//! Registration as clients in the field do it, again and again and after a restart.

use serde_json::{Value, json};
use testkit::{Request, Signer, TestServer, free_folder};
use vestibule::DataLocation;

use crate::{ID, token_request};

const URI: &str = "https://tpp.example/cb";

/// Whether the token endpoint takes the secret: then it complains about the code, not about the client.
pub(crate) async fn secret_is_good(server: &TestServer, secret: &str) -> bool {
    let form =
        "grant_type=authorization_code&code=x&redirect_uri=https%3A%2F%2Ftpp.example%2Fcb&code_verifier=v";
    let answer = server.send(&token_request("nl", ID, secret, form)).await;
    match (answer.status, answer.error().0.as_str()) {
        (400, "invalid_grant") => true,
        (401, "invalid_client") => false,
        _ => panic!("{}", answer.body),
    }
}

fn assert_registration(json: &Value, server: &TestServer, uris: &[&str]) {
    let secret = json["client_secret"].as_str().unwrap();
    assert!(
        secret.len() >= 32 && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    );
    let issued_at = json["client_id_issued_at"].as_i64().unwrap();
    assert!(issued_at > 1_700_000_000);
    let expected = json!({
        "grant_types": ["authorization_code"],
        "application_type": "web",
        "client_secret_expires_at": 0,
        "redirect_uris": uris,
        "client_id_issued_at": issued_at,
        "client_id": ID,
        "client_secret": secret,
        "tls_client_certificate_bound_access_tokens": true,
        "sector_identifier_uri": "",
        "token_endpoint_auth_method": "client_secret_basic",
        "response_types": ["code"],
        "id_token_signed_response_alg": "RS256",
    });
    assert_eq!(*json, expected, "{}", server.url());
}

/// Registrations in every form that clients send, with one token in the right place and another where it counts for
/// nothing.
fn every_form(tpp: &Signer, token: &str, other: &str) -> Vec<(&'static str, Request)> {
    let post = |tenant: &str| Request::new("POST", &format!("/auth/{tenant}/v1/registration"));
    let bearer = |request: Request| request.set("authorization", format!("Bearer {token}"));
    let uri = "redirect_uris=https%3A%2F%2Ftpp.example%2Fcb";
    let in_form = format!("initial_access_token={token}&{uri}");
    let json = |members: Value| members.to_string();
    let digest_of_nothing = "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    vec![
        ("token in the form", post("nl").form(&in_form)),
        ("token in the header", bearer(post("nl")).form(uri)),
        ("token in both", bearer(post("nl")).form(&in_form)),
        (
            "different tokens: the header counts",
            bearer(post("nl")).form(&format!("initial_access_token=x&{uri}")),
        ),
        (
            "another good token in the form",
            bearer(post("nl")).form(&format!("initial_access_token={other}&{uri}")),
        ),
        ("empty sector identifier", post("nl").form(&format!("{in_form}&sector_identifier_uri="))),
        ("brackets", bearer(post("nl")).form("redirect_uris[]=https%3A%2F%2Ftpp.example%2Fcb")),
        ("no media type", bearer(post("nl")).form(uri).without("content-type")),
        ("charset", bearer(post("nl")).body("application/x-www-form-urlencoded;charset=UTF-8", uri)),
        ("lower-case scheme", post("nl").set("authorization", format!("bearer {token}")).form(uri)),
        ("trailing slash", {
            let mut r = bearer(post("nl")).form(uri);
            r.target.push('/');
            r
        }),
        ("JSON, array", bearer(post("nl")).body("application/json", json(json!({"redirect_uris": [URI]})))),
        ("JSON, string", bearer(post("nl")).body("application/json", json(json!({"redirect_uris": URI})))),
        (
            "JSON, token inside",
            post("nl").body(
                "application/json",
                json(json!({"redirect_uris": [URI], "initial_access_token": token, "unknown": 1})),
            ),
        ),
        ("with certificate", bearer(post("nl")).form(uri).certificate(tpp)),
        ("signed over its body", bearer(post("nl")).form(uri).set("x-request-id", "1").signed(tpp)),
        (
            "signed over an empty body",
            bearer(post("nl"))
                .form(uri)
                .set("x-request-id", "1")
                .certificate(tpp)
                .set("digest", digest_of_nothing)
                .sign(tpp, "digest x-request-id"),
        ),
        ("at another tenant", bearer(post("uk")).form(uri)),
        ("at a third tenant", bearer(post("be_fr")).form(uri)),
    ]
}

#[tokio::test]
async fn every_form_that_clients_send() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let other = server.initial_access_token("nl", &tpp).await;
    for form in 0..every_form(&tpp, "", "").len() {
        let token = server.initial_access_token("nl", &tpp).await;
        let (name, request) = every_form(&tpp, &token, &other).swap_remove(form);
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.body);
        assert_registration(&answer.json(), &server, &[URI]);
        assert_eq!(answer.header("cache-control"), "no-store", "{name}");
    }
}

#[tokio::test]
async fn a_token_registers_once_and_the_same_request_again_is_harmless() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let token = server.initial_access_token("nl", &tpp).await;
    let request = Request::registration("nl", &token, &[URI]).certificate(&tpp);
    let first = server.send(&request).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let again = server.send(&request).await;
    assert_eq!((again.status, again.json()), (201, first.json()), "the answer was lost");
    for (name, other) in [
        ("another request id", request.clone().set("x-request-id", "33333333-2222-3333-4444-347991a0126")),
        ("no request id", request.clone().without("x-request-id")),
        ("another body", Request::registration("nl", &token, &["https://tpp.example/other"])),
        ("another tenant", Request::registration("uk", &token, &[URI])),
    ] {
        let answer = server.send(&other).await;
        assert_eq!(
            (answer.status, answer.error().0.as_str()),
            (401, "invalid_token"),
            "{name}: {}",
            answer.body
        );
        assert!(answer.error().1.contains("registered a client before; fetch a new one"), "{name}");
        assert!(!answer.header("www-authenticate").is_empty());
    }
    let secret = first.json()["client_secret"].as_str().unwrap().to_owned();
    assert!(secret_is_good(&server, &secret).await, "none of that changed the registration");
    server.register("nl", &tpp, &[URI]).await;
    assert_eq!(server.send(&request).await.status, 401, "somebody has registered since");
    assert!(!secret_is_good(&server, &secret).await);
}

#[tokio::test]
async fn what_a_registration_asks_for_it_gets_or_a_refusal() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    for (name, value, given) in [
        ("token_endpoint_auth_method", "client_secret_post", true),
        ("token_endpoint_auth_method", "client_secret_basic", true),
        ("token_endpoint_auth_method", "private_key_jwt", true),
        ("token_endpoint_auth_method", "none", false),
        ("token_endpoint_auth_method", "client_secret_jwt", false),
        ("token_endpoint_auth_method", "self_signed_tls_client_auth", false),
        ("token_endpoint_auth_method", "tls_client_auth", false),
        // Nothing holds a client with such a key to it.
        ("token_endpoint_auth_signing_alg", "PS256", false),
        ("token_endpoint_auth_signing_alg", "ES256", false),
        ("token_endpoint_auth_signing_alg", "HS256", false),
        ("grant_types", "refresh_token", true),
        ("grant_types", "implicit", false),
        ("response_types", "code", true),
        ("response_types", "token", false),
        ("id_token_signed_response_alg", "RS256", true),
        ("id_token_signed_response_alg", "PS256", false),
        ("subject_type", "pairwise", true),
        ("subject_type", "public", false),
    ] {
        for is_json in [false, true] {
            let token = server.initial_access_token("nl", &tpp).await;
            let request = Request::registration("nl", &token, &[URI]);
            let is_list = name.ends_with("types");
            let asked = if is_list { json!([value]) } else { json!(value) };
            let request = match is_json {
                true => {
                    let mut body = json!({"redirect_uris": [URI]});
                    body[name] = asked.clone();
                    request.body("application/json", body.to_string())
                }
                false => {
                    request.form(&format!("redirect_uris=https%3A%2F%2Ftpp.example%2Fcb&{name}={value}"))
                }
            };
            let answer = server.send(&request).await;
            if given {
                assert_eq!(answer.status, 201, "{name} {value}: {}", answer.body);
                if let Some(got) = answer.json().get(name) {
                    assert_eq!(*got, asked, "{name} {value}");
                }
            } else {
                assert_eq!(
                    (answer.status, answer.error().0.as_str()),
                    (400, "invalid_client_metadata"),
                    "{name} {value}"
                );
                assert!(answer.error().1.contains("_"), "{}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn several_redirect_uris() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    for (form, uris, kind) in [
        (
            "redirect_uris=https%3A%2F%2Fa.example&redirect_uris=http%3A%2F%2Fexample.com",
            json!(["https://a.example", "http://example.com"]),
            "web",
        ),
        (
            "redirect_uris=https%3A%2F%2Fa.example+https%3A%2F%2Fb.example",
            json!(["https://a.example", "https://b.example"]),
            "web",
        ),
        (
            "redirect_uris=https%3A%2F%2Fa.example%0Acom.example.app%3A%2Fcb",
            json!(["https://a.example", "com.example.app:/cb"]),
            "mobile",
        ),
        (
            "redirect_uris=https%3A%2F%2Fa.example&redirect_uris=https%3A%2F%2Fa.example",
            json!(["https://a.example"]),
            "web",
        ),
    ] {
        let token = server.initial_access_token("nl", &tpp).await;
        let request = Request::registration("nl", &token, &[]).form(form);
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 201, "{form}: {}", answer.body);
        assert_eq!(
            (&answer.json()["redirect_uris"], &answer.json()["application_type"]),
            (&uris, &json!(kind))
        );
    }
}

#[tokio::test]
async fn registering_again_replaces_all_but_the_client_id() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let first = server.register("nl", &tpp, &[URI]).await;
    let secret = first["client_secret"].as_str().unwrap();
    assert!(secret_is_good(&server, secret).await);
    assert!(!secret_is_good(&server, "wrong").await);

    let second = server.register("be_nl", &tpp, &["https://tpp.example/new"]).await;
    assert_eq!(second["client_id"], ID);
    assert_eq!(second["client_id_issued_at"], first["client_id_issued_at"]);
    assert!(!secret_is_good(&server, secret).await, "the earlier secret is gone");
    assert!(secret_is_good(&server, second["client_secret"].as_str().unwrap()).await);
    for (uri, registered) in [(URI, false), ("https://tpp.example/new", true)] {
        let target = format!("/auth/nl/v1/auth?response_type=code&client_id={ID}&redirect_uri={uri}");
        let answer = server.send(&Request::new("GET", &target)).await;
        assert_eq!(answer.error().1.starts_with("Unregistered redirect_uri"), !registered, "{}", answer.body);
    }
}

#[tokio::test]
async fn registering_with_a_new_certificate_revokes_the_old_one() {
    let server = TestServer::start().await;
    let old = server.tpp(ID).await;
    server.register("nl", &old, &[URI]).await;
    let seal = server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await;
    let still_good = server.send(&Request::onboarding("nl").signed(&old)).await;
    assert_eq!(still_good.status, 200, "a certificate of another kind replaces nothing by itself");
    server.register("nl", &seal, &[URI]).await;
    let answer = server.send(&Request::onboarding("nl").signed(&old)).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (401, "CERTIFICATE_REVOKED"));
    let answer = server.send(&Request::onboarding("nl").signed(&seal)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_token_lives_a_day_by_the_clock_of_its_tenant() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let token = server.initial_access_token("nl", &tpp).await;
    let at = async |tenant: &str| server.send(&Request::registration(tenant, &token, &[URI])).await;
    server.advance("nl", "PT23H59M50S").await;
    assert_eq!(at("nl").await.status, 201);
    server.advance("nl", "PT10S").await;
    for tenant in ["nl", "uk"] {
        let answer = at(tenant).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (401, "invalid_token"), "{}", answer.body);
        assert!(answer.error().1.contains("expired at"), "{}", answer.body);
    }
    server.advance("nl", "-P1D").await;
    assert_eq!(at("nl").await.status, 201, "time went back");
    let token = server.initial_access_token("nl", &tpp).await;
    server.advance("uk", "P1D").await;
    let elsewhere = server.send(&Request::registration("uk", &token, &[URI])).await;
    assert_eq!(elsewhere.status, 201, "another tenant's clock does not matter");
}

#[tokio::test]
async fn a_registration_survives_a_restart() {
    let (_guard, folder) = free_folder();
    let start = || {
        let data = DataLocation::Folder(folder.clone());
        TestServer::with(|config| config.data = data)
    };
    let server = start().await;
    let tpp = server.tpp(ID).await;
    let replaced = server.tpp("PSDNL-DNB-R1").await;
    server.tpp("PSDNL-DNB-R1").await;
    let token = server.initial_access_token("nl", &tpp).await;
    let registered = server.register("nl", &tpp, &[URI]).await;
    server.advance("be_fr", "P30D").await;
    let keys = server.send(&Request::new("GET", "/auth/nl/v1/jwks")).await.body;
    let seed = server.running.addresses.seed;
    server.stop().await;

    let server = start().await;
    assert_eq!(server.running.addresses.seed, seed);
    assert!(secret_is_good(&server, registered["client_secret"].as_str().unwrap()).await);
    assert_eq!(server.send(&Request::registration("nl", &token, &[URI])).await.status, 201);
    assert_eq!(
        server.send(&Request::onboarding("nl").signed(&tpp)).await.status,
        200,
        "the authority is the same"
    );
    let answer = server.send(&Request::onboarding("nl").signed(&replaced)).await;
    assert_eq!(answer.error().0, "CERTIFICATE_REVOKED");
    assert_eq!(server.send(&Request::new("GET", "/auth/nl/v1/jwks")).await.body, keys);
    let (_, clocks) = server.manage("GET", "/clock", Value::Null).await;
    let be_fr = clocks["clocks"].as_array().unwrap().iter().find(|clock| clock["tenant"] == "be_fr").unwrap();
    assert_eq!(be_fr["offsetSeconds"], 30 * 86_400);
}
