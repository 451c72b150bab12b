//! Codes and tokens: what they are good for, for whom, how often and how long.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use testkit::{
    Answer, CALLBACK, Request, TestServer, TestTpp, VERIFIER, ValidConsent, bank_offered, detailed,
    free_folder, parameter,
};
use vestibule::DataLocation;
use vestibule::profiles::Strictness;

use crate::{ID, basic};

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    iban: String,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", "household").await;
        Self { iban: customer["iban"].as_str().unwrap().to_owned(), server, tpp }
    }

    async fn code(&self) -> String {
        let asked = self.tpp.consent(&self.server, &detailed(&self.iban, true)).await;
        let url = self.tpp.authorization_url(&asked);
        let location = self.server.decide(&url, &self.iban, "approve").await;
        parameter(&location, "code").unwrap()
    }

    async fn valid(&self) -> ValidConsent {
        self.tpp.valid(&self.server, &detailed(&self.iban, true), &self.iban).await
    }

    async fn can_read(&self, consent: &ValidConsent) -> bool {
        self.server.send(&self.tpp.read("/v1/accounts", consent)).await.status == 200
    }

    async fn userinfo(&self, token: &str) -> Answer {
        let request = Request::new("GET", "/auth/nl/v1/userinfo");
        self.server.send(&request.set("authorization", format!("Bearer {token}"))).await
    }

    async fn introspect(&self, token: &str) -> Value {
        let (status, service) =
            self.server.manage("POST", "/resource-servers", json!({"id": "ledger"})).await;
        assert_eq!(status, 201);
        let credentials = basic("ledger", service["secret"].as_str().unwrap());
        let request = Request::new("POST", "/auth/nl/v1/introspect").form(&format!("token={token}"));
        let answer = self.server.send(&request.set("authorization", credentials)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }
}

fn assert_refused(answer: &Answer, code: &str, text: &str) {
    let (got, said) = answer.error();
    assert_eq!((answer.status, got.as_str()), (400, code), "{}", answer.body);
    assert!(said.contains(text), "{said}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

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

/// The tokens of an answer.
fn pair(answer: &Answer) -> (String, String) {
    let text =
        |name: &str| answer.json()[name].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned();
    (text("access_token"), text("refresh_token"))
}

#[tokio::test]
async fn a_lost_answer_to_a_refresh_comes_again_until_it_was_used() {
    let scene = Scene::new().await;
    let first = scene.valid().await;
    let lost = scene.tpp.refresh(&scene.server, &first.refresh_token).await;
    let wider = scene.tpp.token_request(&format!(
        "grant_type=refresh_token&refresh_token={}&scope=openid+x",
        first.refresh_token
    ));
    assert_refused(&scene.server.send(&wider).await, "invalid_scope", "ask for that or leave scope out");
    scene.server.advance("nl", "PT4M").await;
    let second = scene.tpp.refreshed(&scene.server, &first).await;
    assert_eq!(
        pair(&lost),
        (second.access_token.clone(), second.refresh_token.clone()),
        "the same tokens again"
    );
    let again = scene.tpp.refresh(&scene.server, &first.refresh_token).await;
    let left = again.json()["expires_in"].as_i64().unwrap();
    assert!((1..=360).contains(&left), "what is left of them: {left}");
    assert!(again.json()["id_token"].is_string());
    assert!(scene.can_read(&first).await && scene.can_read(&second).await);
    // The answer arrived: whoever comes with the old token now has stolen it.
    let reused = scene.tpp.refresh(&scene.server, &first.refresh_token).await;
    assert_refused(&reused, "invalid_grant", "Unknown refresh token");
    assert_eq!(reused.error().1, "Unknown refresh token", "words that clients know");
    for consent in [&first, &second] {
        assert!(!scene.can_read(consent).await);
        let refused = scene.tpp.refresh(&scene.server, &consent.refresh_token).await;
        assert_refused(&refused, "invalid_request", "Unknown refresh token");
    }
}

#[tokio::test]
async fn every_use_of_the_new_tokens_ends_the_old_one_and_so_do_five_minutes() {
    let scene = Scene::new().await;
    for use_of_new in ["read", "userinfo", "introspection", "refresh", "revocation", "time"] {
        let first = scene.valid().await;
        let second = scene.tpp.refreshed(&scene.server, &first).await;
        match use_of_new {
            "read" => assert!(scene.can_read(&second).await),
            "userinfo" => assert_eq!(scene.userinfo(&second.access_token).await.status, 200),
            "introspection" => assert_eq!(scene.introspect(&second.access_token).await["active"], true),
            "refresh" => drop(scene.tpp.refreshed(&scene.server, &second).await),
            "revocation" => {
                let request = Request::new("POST", "/auth/nl/v1/token/revoke")
                    .set("authorization", scene.tpp.basic())
                    .form(&format!("token={}", second.access_token));
                assert_eq!(scene.server.send(&request).await.status, 200);
            }
            _ => scene.server.advance("nl", "PT5M").await,
        }
        let reused = scene.tpp.refresh(&scene.server, &first.refresh_token).await;
        assert_refused(&reused, "invalid_grant", "Unknown refresh token");
        let ended = scene.tpp.refresh(&scene.server, &second.refresh_token).await;
        assert_refused(&ended, "invalid_request", "Unknown refresh token");
    }
}

#[tokio::test]
async fn many_refreshes_at_once_get_one_answer() {
    let scene = Scene::new().await;
    let first = scene.valid().await;
    let refreshed = (0..16).map(|_| scene.tpp.refresh(&scene.server, &first.refresh_token));
    let answers = join_all(refreshed.collect()).await;
    let one = pair(&answers[0]);
    assert!(answers.iter().all(|answer| answer.status == 200 && pair(answer) == one));
    let consent = ValidConsent { access_token: one.0, refresh_token: one.1, ..first.clone() };
    let reads = (0..16).map(|_| scene.userinfo(&consent.access_token));
    assert!(join_all(reads.collect()).await.iter().all(|answer| answer.status == 200));
    let next = scene.tpp.refreshed(&scene.server, &consent).await;
    assert!(scene.can_read(&next).await);
}

#[tokio::test]
async fn a_lost_answer_comes_again_for_nobody_else() {
    let scene = Scene::new().await;
    let consent = scene.valid().await;
    let own = tls_client(&scene.server, ID).await;
    let origin = scene.server.tls_url();
    let form = format!("grant_type=refresh_token&refresh_token={}", consent.refresh_token);
    let request = scene.tpp.token_request(&form);
    let lost = request.send(&own, origin).await;
    assert_eq!(lost.status, 200, "{}", lost.body);
    let other = scene.server.registered("nl", "PSDNL-DNB-R999999").await;
    let foreign = other.refresh(&scene.server, &consent.refresh_token).await;
    assert_refused(&foreign, "invalid_request", "Unknown refresh token");
    assert_refused(&scene.server.send(&request).await, "invalid_grant", "the same one to repeat a refresh");
    let renewed = scene.server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await;
    let another = scene.server.presenting(&renewed);
    assert_refused(
        &request.send(&another, origin).await,
        "invalid_grant",
        "the same one to repeat a refresh",
    );
    let again = request.send(&own, origin).await;
    assert_eq!((again.status, pair(&again)), (200, pair(&lost)), "none of that ended it: {}", again.body);
}

#[tokio::test]
async fn a_lost_answer_comes_again_after_a_restart() {
    let (_guard, folder) = free_folder();
    let start = || {
        let data = DataLocation::Folder(folder.clone());
        TestServer::with(|config| config.data = data)
    };
    let server = start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let (unused, used) = (
        tpp.valid(&server, &detailed(iban, true), iban).await,
        tpp.valid(&server, &detailed(iban, true), iban).await,
    );
    let lost = tpp.refresh(&server, &unused.refresh_token).await;
    let read = tpp.refreshed(&server, &used).await;
    assert_eq!(server.send(&tpp.read("/v1/accounts", &read)).await.status, 200);
    server.stop().await;

    let server = start().await;
    let again = tpp.refresh(&server, &unused.refresh_token).await;
    assert_eq!((again.status, pair(&again)), (200, pair(&lost)));
    assert_refused(
        &tpp.refresh(&server, &used.refresh_token).await,
        "invalid_grant",
        "Unknown refresh token",
    );
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

#[tokio::test]
async fn a_refresh_token_belongs_to_its_client_tenant_and_scope() {
    let scene = Scene::new().await;
    let consent = scene.valid().await;
    let other = scene.server.registered("nl", "PSDNL-DNB-R999999").await;
    let foreign = other.refresh(&scene.server, &consent.refresh_token).await;
    assert_refused(&foreign, "invalid_request", "Unknown refresh token");
    let form = format!("grant_type=refresh_token&refresh_token={}", consent.refresh_token);
    let elsewhere = Request { target: "/auth/uk/v1/token".into(), ..scene.tpp.token_request(&form) };
    assert_refused(&scene.server.send(&elsewhere).await, "invalid_request", "Unknown refresh token");
    let access = scene.tpp.refresh(&scene.server, &consent.access_token).await;
    assert_refused(&access, "invalid_request", "Unknown refresh token");
    let wider = scene.tpp.token_request(&format!("{form}&scope=openid+PIS%3Ax"));
    assert_refused(&scene.server.send(&wider).await, "invalid_scope", "the scope of this authorisation is");
}

#[tokio::test]
async fn tokens_expire_by_the_clock_of_their_tenant() {
    let scene = Scene::new().await;
    let consent = scene.valid().await;
    let code = scene.code().await;
    scene.server.advance("uk", "PT11M").await;
    assert!(scene.can_read(&consent).await, "another tenant's clock");
    scene.server.advance("nl", "PT299S").await;
    assert!(scene.can_read(&consent).await);
    scene.server.advance("nl", "PT2S").await;
    assert_refused(&scene.tpp.redeem(&scene.server, &code).await, "invalid_grant", "expired");
    scene.server.advance("nl", "PT5M").await;
    let late = scene.server.send(&scene.tpp.read("/v1/accounts", &consent)).await;
    assert_eq!((late.status, late.error().0.as_str()), (401, "TOKEN_INVALID"));
    assert_eq!(late.error().1, format!("Access token {}… is invalid or expired", &consent.access_token[..8]));
    assert_eq!(scene.introspect(&consent.access_token).await, json!({"active": false}));
    let renewed = scene.tpp.refreshed(&scene.server, &consent).await;
    assert!(scene.can_read(&renewed).await);
}

#[tokio::test]
async fn revocation_ends_a_token_or_the_whole_grant() {
    let scene = Scene::new().await;
    let Scene { server, tpp, .. } = &scene;
    let revoke = |tpp: &TestTpp, token: &str| {
        Request::new("POST", "/auth/nl/v1/token/revoke")
            .set("authorization", tpp.basic())
            .form(&format!("token={token}&token_type_hint=access_token"))
    };
    let consent = scene.valid().await;
    let other = server.registered("nl", "PSDNL-DNB-R999999").await;
    assert_eq!(server.send(&revoke(&other, &consent.access_token)).await.status, 200);
    assert!(scene.can_read(&consent).await, "a foreign client cannot end it");
    assert_eq!(server.send(&revoke(tpp, &consent.access_token)).await.status, 200);
    assert!(!scene.can_read(&consent).await);
    let renewed = tpp.refreshed(server, &consent).await;
    assert!(scene.can_read(&renewed).await, "an access token ends alone");
    assert_eq!(server.send(&revoke(tpp, &renewed.refresh_token)).await.status, 200);
    assert!(!scene.can_read(&renewed).await, "a refresh token ends all");
    assert_eq!(server.send(&revoke(tpp, &renewed.refresh_token)).await.status, 200, "again is fine");
}

#[tokio::test]
async fn introspection_is_for_services_of_the_bank() {
    let scene = Scene::new().await;
    let consent = scene.valid().await;
    let said = scene.introspect(&consent.access_token).await;
    assert_eq!((&said["active"], &said["client_id"]), (&json!(true), &json!(ID)));
    assert_eq!(said["scope"], format!("openid offline_access AIS:{}", consent.id));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 600);
    assert_eq!(said["sub"], scene.userinfo(&consent.access_token).await.json()["sub"]);
    assert!(said.get("token_type").is_some() && said["aud"].is_string());
    for token in ["", "unknown"] {
        let request = Request::new("POST", "/auth/nl/v1/introspect").form(&format!("token={token}"));
        let answer = scene.server.send(&request.set("authorization", scene.tpp.basic())).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (401, "invalid_client"), "a client is none");
    }
    assert_eq!(scene.introspect("unknown").await, json!({"active": false}));
}

#[tokio::test]
async fn the_id_token_verifies_with_the_published_key() {
    let scene = Scene::new().await;
    let asked = scene.tpp.consent(&scene.server, &bank_offered("9999-12-31")).await;
    let url = format!("{}&nonce=n-0S6", scene.tpp.authorization_url(&asked));
    let location = scene.server.decide(&url, &scene.iban, "approve").await;
    let tokens = scene.tpp.redeem(&scene.server, &parameter(&location, "code").unwrap()).await.json();
    let keys = scene.server.send(&Request::new("GET", "/auth/nl/v1/jwks")).await.json();
    let key = serde_json::from_value(keys["keys"][0].clone()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[ID]);
    validation.set_issuer(&[format!("{}/auth/nl", scene.server.url())]);
    // The library knows the time of the machine alone.
    validation.validate_exp = false;
    let token = tokens["id_token"].as_str().unwrap();
    let claims = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(&key).unwrap(), &validation)
        .unwrap()
        .claims;
    assert_eq!(claims["nonce"], "n-0S6");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert!((testkit::now().as_second() - claims["iat"].as_i64().unwrap()).abs() < 300);
    assert!(claims["auth_time"].as_i64().unwrap() <= claims["iat"].as_i64().unwrap());
    assert_eq!(claims["sub"], scene.userinfo(tokens["access_token"].as_str().unwrap()).await.json()["sub"]);
}

#[tokio::test]
async fn subjects_and_account_ids_are_of_no_use_to_others() {
    let scene = Scene::new().await;
    let other = scene.server.registered("nl", "PSDNL-DNB-R999999").await;
    let mut seen = Vec::new();
    for tpp in [&scene.tpp, &scene.tpp, &other] {
        let consent = tpp.valid(&scene.server, &detailed(&scene.iban, true), &scene.iban).await;
        let sub = scene.userinfo(&consent.access_token).await.json()["sub"].as_str().unwrap().to_owned();
        let accounts = scene.server.send(&tpp.read("/v1/accounts", &consent)).await.json();
        seen.push((sub, accounts["accounts"][0]["resourceId"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen[0], seen[1], "the same in each consent");
    assert!(seen[0].0 != seen[2].0 && seen[0].1 != seen[2].1, "another for each third party");
}

#[tokio::test]
async fn tokens_are_bound_to_the_certificate_that_was_presented() {
    let scene = Scene::new().await;
    let code = scene.code().await;
    let (own, foreign) =
        (tls_client(&scene.server, ID).await, tls_client(&scene.server, "PSDNL-DNB-R9").await);
    let origin = scene.server.tls_url();
    let request = scene.tpp.token_request(&TestTpp::code_form(&code));
    let refused = request.send(&foreign, origin).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (401, "invalid_client"), "{}", refused.body);
    let tokens = request.send(&own, origin).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let token = tokens.json()["access_token"].as_str().unwrap().to_owned();
    assert!(scene.introspect(&token).await["cnf"]["x5t#S256"].is_string());
    let userinfo =
        Request::new("GET", "/auth/nl/v1/userinfo").set("authorization", format!("Bearer {token}"));
    assert_eq!(userinfo.send(&own, origin).await.status, 200);
    assert_refused(&scene.server.send(&userinfo).await, "invalid_token", "certificate");
    assert_refused(&userinfo.send(&foreign, origin).await, "invalid_token", "certificate");
    let refresh = tokens.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_refused(&scene.tpp.refresh(&scene.server, &refresh).await, "invalid_grant", "certificate");
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    // A renewed certificate of the same organisation is fine.
    let renewed = tls_client(&scene.server, ID).await;
    assert_eq!(scene.tpp.token_request(&form).send(&renewed, origin).await.status, 200);
    // It took the older one out of use, and what is bound to that is worth nothing.
    let late = userinfo.send(&own, origin).await;
    assert_eq!(late.status, 401, "{}", late.body);
    assert!(late.error().1.contains("CERTIFICATE_REVOKED"), "{}", late.body);
    assert_eq!(scene.introspect(&token).await, json!({"active": false}));
}

/// A client that presents a QWAC of its own.
pub(crate) async fn tls_client(server: &TestServer, id: &str) -> reqwest::Client {
    let request = json!({"organizationIdentifier": id, "profile": "qwac"});
    server.presenting(&server.certificate(request).await)
}

/// Runs futures side by side on this task.
async fn join_all<F: Future<Output = Answer>>(futures: Vec<F>) -> Vec<Answer> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, answer) in futures.iter_mut().filter(|(_, answer)| answer.is_none()) {
            if let std::task::Poll::Ready(ready) = future.as_mut().poll(context) {
                *answer = Some(ready);
            }
        }
        if futures.iter().all(|(_, answer)| answer.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    futures.into_iter().filter_map(|(_, answer)| answer).collect()
}

#[tokio::test]
async fn a_registered_uri_with_a_query_keeps_it() {
    let scene = Scene::new().await;
    let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, true)).await;
    let url = scene.tpp.authorization_url(&asked).replace(
        &form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect::<String>(),
        "https%3A%2F%2Ftpp.example%2Fother%3Fx%3D1",
    );
    let location = scene.server.decide(&url, &scene.iban, "approve").await;
    assert!(location.starts_with("https://tpp.example/other?x=1&code="), "{location}");
}

#[tokio::test]
async fn nothing_is_given_out_for_a_consent_that_has_ended() {
    let scene = Scene::new().await;
    let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, true)).await;
    let url = scene.tpp.authorization_url(&asked);
    let code = parameter(&scene.server.decide(&url, &scene.iban, "approve").await, "code").unwrap();
    let consent = scene.valid().await;
    for id in [asked["consentId"].as_str().unwrap(), &consent.id] {
        let path = format!("/v1/consents/{id}");
        let delete = scene.tpp.request("DELETE", &path).signed(&scene.tpp.signer);
        assert_eq!(scene.server.send(&delete).await.status, 204);
    }
    assert_refused(&scene.tpp.redeem(&scene.server, &code).await, "invalid_grant", "has ended");
    assert_refused(&scene.userinfo(&consent.access_token).await, "invalid_token", "invalid or expired");
    let refused = scene.tpp.refresh(&scene.server, &consent.refresh_token).await;
    assert_refused(&refused, "invalid_request", "Unknown refresh token");
}

#[tokio::test]
async fn a_consent_for_one_time_is_not_refreshed_whatever_the_scope_says() {
    let scene = Scene::new().await;
    let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, false)).await;
    let url = scene.tpp.authorization_url(&asked).replace("scope=openid", "scope=openid+offline_access");
    let code = parameter(&scene.server.decide(&url, &scene.iban, "approve").await, "code").unwrap();
    let tokens = scene.tpp.redeem(&scene.server, &code).await.json();
    assert!(tokens.get("refresh_token").is_none(), "{tokens}");
    assert_eq!(tokens["scope"], format!("openid AIS:{}", asked["consentId"].as_str().unwrap()));
}

#[tokio::test]
async fn a_wider_scope_does_not_use_a_refresh_token_up() {
    let scene = Scene::new().await;
    let consent = scene.valid().await;
    let form = format!("grant_type=refresh_token&refresh_token={}", consent.refresh_token);
    let wider = scene.tpp.token_request(&format!("{form}&scope=openid+accounts"));
    assert_refused(&scene.server.send(&wider).await, "invalid_scope", "ask for that or leave scope out");
    let narrower = scene.tpp.token_request(&format!("{form}&scope=openid"));
    assert_eq!(scene.server.send(&narrower).await.status, 200);
}

#[tokio::test]
async fn the_newest_authorisation_is_the_one_that_is_decided() {
    let scene = Scene::new().await;
    for _ in 0..5 {
        let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, true)).await;
        let id = asked["consentId"].as_str().unwrap().to_owned();
        let path = format!("/v1/consents/{id}/authorisations");
        let start = scene.tpp.request("POST", &path).set("tpp-redirect-uri", CALLBACK);
        let begun = scene.server.send(&start.signed(&scene.tpp.signer)).await.json();
        let ids = scene.server.send(&scene.tpp.get(&path)).await.json();
        let expected = json!([asked["authorisationId"], begun["authorisationId"]]);
        assert_eq!(ids["authorisationIds"], expected);
        let location =
            scene.server.decide(&scene.tpp.authorization_url(&asked), &scene.iban, "approve").await;
        let tokens = scene.tpp.redeem(&scene.server, &parameter(&location, "code").unwrap()).await.json();
        let consent = ValidConsent {
            id,
            authorisation: begun["authorisationId"].as_str().unwrap().to_owned(),
            access_token: tokens["access_token"].as_str().unwrap().to_owned(),
            refresh_token: String::new(),
        };
        assert_eq!(scene.tpp.confirm(&scene.server, &consent).await.status, 200);
    }
}

#[tokio::test]
async fn the_authorization_endpoint_takes_hints_of_its_own_and_nobody_elses_consent() {
    let scene = Scene::new().await;
    let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, true)).await;
    let url = scene.tpp.authorization_url(&asked);
    let code = parameter(&scene.server.decide(&url, &scene.iban, "approve").await, "code").unwrap();
    let tokens = scene.tpp.redeem(&scene.server, &code).await.json();
    let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, true)).await;
    let target = scene.tpp.authorization_url(&asked).replace(scene.server.url(), "");
    let send = async |target: String| scene.server.send(&Request::new("GET", &target)).await;
    let hint = tokens["id_token"].as_str().unwrap();
    assert_eq!(send(format!("{target}&id_token_hint={hint}")).await.status, 302);
    assert_refused(
        &send(format!("{target}&id_token_hint={hint}x")).await,
        "invalid_request",
        "id_token_hint",
    );
    assert_eq!(send(format!("{target}&request_uri=&request=")).await.status, 302, "empty is absent");
    let long = send(format!("{target}&nonce={}", "n".repeat(2001))).await;
    assert_refused(&long, "invalid_request", "nonce is longer than 2000 bytes");
    let head = scene.server.send(&Request::new("HEAD", &target)).await;
    assert_eq!((head.status, head.header("set-cookie")), (302, ""), "nothing begins");
    // Another third party asks for our consent: there is nothing pending for it.
    let other = scene.server.registered("nl", "PSDNL-DNB-R999999").await;
    let foreign = send(target.replace(ID, &other.id())).await;
    assert_eq!(parameter(foreign.header("location"), "error").as_deref(), Some("invalid_request"));
    let elsewhere = send(target.replace("/auth/nl/", "/auth/uk/")).await;
    assert_eq!(parameter(elsewhere.header("location"), "error").as_deref(), Some("invalid_request"));
}
