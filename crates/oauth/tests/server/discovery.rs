//! The configuration and the keys.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};
use testkit::{Request, TestServer, TestTpp, bank_offered, free_folder, parameter};
use vestibule::DataLocation;

#[tokio::test]
async fn every_member_that_a_live_test_of_the_bank_asserts() {
    let server = TestServer::start().await;
    for tenant in ["nl", "be_fr", "be_nl", "uk"] {
        // A client in the field labels this call as JSON and signs it.
        let request = Request::new("GET", &format!("/auth/{tenant}/.well-known/openid-configuration"))
            .set("content-type", "application/json")
            .set("signature", "ignored");
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let json = answer.json();
        let issuer = format!("{}/auth/{tenant}", server.url());
        assert_eq!(json["issuer"], issuer);
        for (member, path) in [
            ("authorization_endpoint", "/v1/auth"),
            ("token_endpoint", "/v1/token"),
            ("userinfo_endpoint", "/v1/userinfo"),
            ("revocation_endpoint", "/v1/token/revoke"),
            ("registration_endpoint", "/v1/registration"),
            ("pushed_authorization_request_endpoint", "/v1/par"),
            ("jwks_uri", "/v1/jwks"),
        ] {
            assert_eq!(json[member], format!("{issuer}{path}"), "{member}");
            let target = format!("/auth/{tenant}{path}");
            let answer = server.send(&Request::new("GET", &target)).await;
            assert_ne!(answer.status, 404, "{member} is served");
        }
        // For services of the bank, which are made at the management API of a bank for tests.
        let introspection = format!("/auth/{tenant}/v1/introspect");
        let answer = server.send(&Request::new("GET", &introspection)).await;
        let methods = &json["introspection_endpoint_auth_methods_supported"];
        if testkit::is_served() {
            assert_eq!((answer.status, json.get("introspection_endpoint")), (404, None));
            assert!(methods.is_null());
        } else {
            let endpoint = format!("{issuer}/v1/introspect");
            assert_eq!(
                (answer.status, json["introspection_endpoint"].as_str()),
                (405, Some(endpoint.as_str()))
            );
            assert_eq!(methods, &json!(["client_secret_basic"]));
        }
        for (member, value) in [
            ("mutual_tls_sender_constrained_access_tokens", true),
            ("request_parameter_supported", false),
            ("request_uri_parameter_supported", false),
            ("claims_parameter_supported", false),
            ("require_request_uri_registration", false),
        ] {
            assert_eq!(json[member], value, "{member}");
        }
        for member in [
            "response_types_supported",
            "response_modes_supported",
            "display_values_supported",
            "subject_types_supported",
            "scopes_supported",
            "claims_supported",
            "claim_types_supported",
            "grant_types_supported",
            "token_endpoint_auth_methods_supported",
            "token_endpoint_auth_signing_alg_values_supported",
            "code_challenge_methods_supported",
            "id_token_signing_alg_values_supported",
            "userinfo_signing_alg_values_supported",
            "revocation_endpoint_auth_methods_supported",
            "revocation_endpoint_auth_signing_alg_values_supported",
        ] {
            assert!(
                json[member].as_array().is_some_and(|values| !values.is_empty()),
                "{member}: a list with something in it"
            );
        }
        let methods =
            json!(["client_secret_basic", "client_secret_post", "tls_client_auth", "private_key_jwt"]);
        assert_eq!(json["token_endpoint_auth_methods_supported"], methods);
        assert_eq!(json["revocation_endpoint_auth_methods_supported"], methods);
        assert_eq!(
            json["token_endpoint_auth_signing_alg_values_supported"],
            json!(["PS256", "ES256", "RS256"])
        );
        // RFC 8414, 3.1: the well-known part stands before the path of the issuer.
        for slash in ["", "/"] {
            let target = format!("/.well-known/oauth-authorization-server/auth/{tenant}{slash}");
            let same = server.send(&Request::new("GET", &target)).await;
            assert_eq!((same.status, same.json()), (200, json.clone()), "{target}");
        }
        let aliases = &json["mtls_endpoint_aliases"];
        assert_eq!(aliases["token_endpoint"], format!("{}/auth/{tenant}/v1/token", server.tls_url()));
    }
    let post = Request::new("POST", "/.well-known/oauth-authorization-server/auth/nl");
    assert_eq!(server.send(&post).await.status, 405);
    for target in [
        "/.well-known/oauth-authorization-server/auth/xx",
        "/auth/xx/.well-known/openid-configuration",
        "/auth/xx/v1/jwks",
    ] {
        let answer = server.send(&Request::new("GET", target)).await;
        assert_eq!((answer.status, answer.error().1.as_str()), (404, "Not Found"));
    }
}

#[tokio::test]
async fn the_key_set_holds_an_rsa_key_for_signatures() {
    let server = TestServer::start().await;
    let keys = server.send(&Request::new("GET", "/auth/nl/v1/jwks")).await.json();
    let [key] = &keys["keys"].as_array().unwrap()[..] else { panic!("{keys}") };
    assert_eq!((&key["kty"], &key["use"], &key["alg"]), (&"RSA".into(), &"sig".into(), &"RS256".into()));
    assert_eq!(key["e"], "AQAB");
    assert_eq!(key["n"].as_str().unwrap().len(), 342, "2048 bits in base64url");
    assert_eq!(key["kid"].as_str().unwrap().len(), 43);
    assert!(key.get("d").is_none() && key.get("p").is_none(), "no private member");
    let elsewhere = server.send(&Request::new("GET", "/auth/uk/v1/jwks")).await.json();
    assert_eq!(elsewhere, keys);
}

#[tokio::test]
async fn the_algorithm_of_id_tokens_is_a_choice_that_everything_follows() {
    let server = TestServer::with(|config| config.id_token_algorithm = oauth::IdTokenAlgorithm::Es256).await;
    let keys = server.send(&Request::new("GET", "/auth/nl/v1/jwks")).await.json();
    assert_eq!((&keys["keys"][0]["kty"], &keys["keys"][0]["alg"]), (&"EC".into(), &"ES256".into()));
    let configuration = Request::new("GET", "/auth/nl/.well-known/openid-configuration");
    let configuration = server.send(&configuration).await.json();
    assert_eq!(configuration["id_token_signing_alg_values_supported"][0], "ES256");
    let tpp = server.tpp("PSDNL-DNB-R000000").await;
    let registration = server.register("nl", &tpp, &["https://tpp.example/cb"]).await;
    assert_eq!(registration["id_token_signed_response_alg"], "ES256");
}

/// Whether an ID token verifies with a key that is published.
async fn verifies(server: &TestServer, token: &str) -> bool {
    let keys = server.send(&Request::new("GET", "/auth/nl/v1/jwks")).await;
    let keys: JwkSet = serde_json::from_str(&keys.body).unwrap();
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let Some(key) = keys.find(&kid) else { return false };
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.set_audience(&["PSDNL-DNB-R000000"]);
    jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).is_ok()
}

async fn tokens(server: &TestServer, tpp: &TestTpp, iban: &str) -> Value {
    let asked = tpp.consent(server, &bank_offered("9999-12-31")).await;
    let location = server.decide(&tpp.authorization_url(&asked), iban, "approve").await;
    tpp.redeem(server, &parameter(&location, "code").unwrap()).await.json()
}

#[tokio::test]
async fn the_key_of_id_tokens_is_changed_while_the_bank_runs() {
    let (_guard, folder) = free_folder();
    let start = || {
        let data = DataLocation::Folder(folder.clone());
        TestServer::with(|config| config.data = data)
    };
    let server = start().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R000000").await;
    let customer = server.customer("nl", "student").await;
    let iban = customer["iban"].as_str().unwrap().to_owned();
    let before = tokens(&server, &tpp, &iban).await;
    let before = before["id_token"].as_str().unwrap();
    assert_eq!(server.manage("POST", "/signing-keys", Value::Null).await.0, 415, "as a form could send it");
    for wrong in [json!({"keyId": "x"}), json!([]), json!(1)] {
        assert_eq!(server.manage("POST", "/signing-keys", wrong).await.0, 400);
    }
    let (status, changed) = server.manage("POST", "/signing-keys", json!({})).await;
    assert_eq!((status, &changed["algorithm"]), (201, &json!("RS256")), "{changed}");
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let keys = server.send(&Request::new("GET", "/auth/nl/v1/jwks")).await.json();
    let published: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(published, [changed["keyId"].clone(), json!(kid(before))], "both, the new one first");
    assert!(verifies(&server, before).await, "what was signed before stays good");
    let after = tokens(&server, &tpp, &iban).await;
    let after = after["id_token"].as_str().unwrap();
    assert_eq!(json!(kid(after)), changed["keyId"]);
    assert!(verifies(&server, after).await);
    let asked = tpp.consent(&server, &bank_offered("9999-12-31")).await;
    let url = tpp.authorization_url(&asked).replace(server.url(), "");
    let hinted = server.send(&Request::new("GET", &format!("{url}&id_token_hint={before}"))).await;
    assert_eq!(hinted.status, 302, "a hint by the old key: {}", hinted.body);
    server.stop().await;

    let server = start().await;
    assert!(verifies(&server, before).await && verifies(&server, after).await, "after a start");
    let (_, again) = server.manage("POST", "/signing-keys", json!({})).await;
    assert_ne!(again["keyId"], changed["keyId"]);
    assert!(verifies(&server, before).await && verifies(&server, after).await);
}
