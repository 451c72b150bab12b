//! The configuration and the keys.

use testkit::{Request, TestServer};

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
            ("introspection_endpoint", "/v1/introspect"),
            ("pushed_authorization_request_endpoint", "/v1/par"),
            ("jwks_uri", "/v1/jwks"),
        ] {
            assert_eq!(json[member], format!("{issuer}{path}"), "{member}");
            let target = format!("/auth/{tenant}{path}");
            let answer = server.send(&Request::new("GET", &target)).await;
            assert_ne!(answer.status, 404, "{member} is served");
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
            assert!(json[member].is_array(), "{member}");
        }
        let aliases = &json["mtls_endpoint_aliases"];
        assert_eq!(aliases["token_endpoint"], format!("{}/auth/{tenant}/v1/token", server.tls_url()));
    }
    for target in ["/auth/xx/.well-known/openid-configuration", "/auth/xx/v1/jwks"] {
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
