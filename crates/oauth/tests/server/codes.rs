//! Authorization codes: for whom they are good, how often and how long.

use serde_json::json;
use testkit::{CALLBACK, Request, TestServer, TestTpp, VERIFIER, detailed, parameter};
use vestibule::profiles::Strictness;

use crate::ID;
use crate::grants::{Scene, assert_refused, join_all};

#[tokio::test]
async fn a_code_is_good_for_its_client_redirect_uri_and_verifier() {
    let scene = Scene::new().await;
    let Scene { server, tpp, .. } = &scene;
    let other = server.registered("nl", "PSDNL-DNB-R999999").await;
    let form = TestTpp::code_form(&scene.code().await);
    let refused = [
        ("another redirect URI", form.replace("callback", "other"), "invalid_grant", "redirect_uri differs"),
        ("no verifier", form.replace(VERIFIER, ""), "invalid_grant", "code_verifier is missing"),
        ("short verifier", form.replace(VERIFIER, "short"), "invalid_grant", "43 to 128 characters"),
        ("another verifier", form.replace("dBjft", "dBjfs"), "invalid_grant", "code_verifier does not fit"),
        ("another code", form.replace("&code=", "&code=x"), "invalid_grant", "Unknown authorization code"),
    ];
    for (name, form, code, text) in refused {
        let answer = server.send(&tpp.token_request(&form)).await;
        let (got, said) = answer.error();
        assert_eq!((answer.status, got.as_str()), (400, code), "{name}");
        assert!(said.contains(text), "{name}: {said}");
    }
    // The words that a client in the field takes for "ask the customer again".
    let stolen = server.send(&other.token_request(&form)).await;
    assert_refused(
        &stolen,
        "unauthorized_client",
        &format!("Authorization code not issued to client: {}", other.id()),
    );
    let mixed_up = Request { target: "/auth/uk/v1/token".into(), ..tpp.token_request(&form) };
    assert_refused(&server.send(&mixed_up).await, "invalid_grant", "Unknown authorization code");
    assert_eq!(server.send(&tpp.token_request(&form)).await.status, 200, "none of that used it up");
}

#[tokio::test]
async fn the_other_name_of_the_code_grant_and_other_spellings_of_the_challenge() {
    let scene = Scene::new().await;
    let form = TestTpp::code_form(&scene.code().await).replace("authorization_code", "client_credentials");
    assert_eq!(scene.server.send(&scene.tpp.token_request(&form)).await.status, 200);
    // A verifier of 58 characters of standard base64, and a padded challenge in standard base64.
    let verifier = "a+/b".repeat(14) + "xy";
    let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, true)).await;
    let padded = testkit::challenge(&verifier).replace('-', "+").replace('_', "/") + "=";
    let encoded: String = form_urlencoded::byte_serialize(padded.as_bytes()).collect();
    let link = asked["_links"]["scaRedirect"].as_str().unwrap();
    let url = format!("{link}&code_challenge={encoded}&code_challenge_method=S256");
    let location = scene.server.decide(&url, &scene.iban, "approve").await;
    assert_eq!(parameter(&location, "state"), None);
    let code = parameter(&location, "code").unwrap();
    let verifier: String = form_urlencoded::byte_serialize(verifier.as_bytes()).collect();
    let form = TestTpp::code_form(&code).replace(VERIFIER, &verifier);
    assert_eq!(scene.server.send(&scene.tpp.token_request(&form)).await.status, 200);
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_what_came_from_it() {
    let scene = Scene::new().await;
    let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, true)).await;
    let location = scene.server.decide(&scene.tpp.authorization_url(&asked), &scene.iban, "approve").await;
    let code = parameter(&location, "code").unwrap();
    let tokens = scene.tpp.redeem(&scene.server, &code).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(scene.userinfo(token).await.status, 200);
    let again = scene.tpp.redeem(&scene.server, &code).await;
    assert_refused(&again, "invalid_grant", "used before");
    assert_refused(&scene.userinfo(token).await, "invalid_token", "invalid or expired");
    let refresh = scene.tpp.refresh(&scene.server, tokens["refresh_token"].as_str().unwrap()).await;
    assert_refused(&refresh, "invalid_request", "Unknown refresh token");
}

#[tokio::test]
async fn a_code_redeemed_many_times_at_once_gives_tokens_once() {
    let scene = Scene::new().await;
    let code = scene.code().await;
    let redeemed = (0..16).map(|_| scene.tpp.redeem(&scene.server, &code));
    let answers = join_all(redeemed.collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.error().0 == "invalid_grant"));
}

#[tokio::test]
async fn a_strict_bank_gives_a_minute_for_a_code_and_standard_words() {
    let server = TestServer::with(|config| config.strictness = Strictness::Strict).await;
    let seal = server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await;
    let registration = server.register("nl", &seal, &[CALLBACK]).await;
    let secret = registration["client_secret"].as_str().unwrap().to_owned();
    let tpp = TestTpp { signer: seal, tenant: "nl".to_owned(), secret };
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    for (wait, status) in [("PT30S", 200), ("PT60S", 400)] {
        let request = tpp.consent_request(&detailed(iban, true));
        let request = request.sign(&tpp.signer, "digest x-request-id tpp-redirect-uri");
        let asked = server.send(&request).await.json();
        let location = server.decide(&tpp.authorization_url(&asked), iban, "approve").await;
        server.advance("nl", wait).await;
        let redeemed = tpp.redeem(&server, &parameter(&location, "code").unwrap()).await;
        assert_eq!(redeemed.status, status, "{wait}: {}", redeemed.body);
        if status == 400 {
            assert_refused(&redeemed, "invalid_grant", "expired");
        }
    }
    assert_refused(&tpp.refresh(&server, "x").await, "invalid_grant", "Unknown refresh token");
}
