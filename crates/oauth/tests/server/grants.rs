//! Tokens: what they are good for, for whom and how long.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use testkit::{Answer, Request, TestServer, TestTpp, ValidConsent, bank_offered, detailed, parameter};

use crate::{ID, basic};

pub(crate) struct Scene {
    pub(crate) server: TestServer,
    pub(crate) tpp: TestTpp,
    pub(crate) iban: String,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", "household").await;
        Self { iban: customer["iban"].as_str().unwrap().to_owned(), server, tpp }
    }

    pub(crate) async fn code(&self) -> String {
        let asked = self.tpp.consent(&self.server, &detailed(&self.iban, true)).await;
        let url = self.tpp.authorization_url(&asked);
        let location = self.server.decide(&url, &self.iban, "approve").await;
        parameter(&location, "code").unwrap()
    }

    pub(crate) async fn valid(&self) -> ValidConsent {
        self.tpp.valid(&self.server, &detailed(&self.iban, true), &self.iban).await
    }

    pub(crate) async fn can_read(&self, consent: &ValidConsent) -> bool {
        self.server.send(&self.tpp.read("/v1/accounts", consent)).await.status == 200
    }

    pub(crate) async fn userinfo(&self, token: &str) -> Answer {
        let request = Request::new("GET", "/auth/nl/v1/userinfo");
        self.server.send(&request.set("authorization", format!("Bearer {token}"))).await
    }

    pub(crate) async fn introspect(&self, token: &str) -> Value {
        let (status, service) =
            self.server.manage("POST", "/resource-servers", json!({"id": "ledger"})).await;
        assert_eq!(status, 201);
        let credentials = basic("ledger", service["secret"].as_str().unwrap());
        let request = Request::new("POST", "/auth/nl/v1/introspect").form(&format!("token={token}"));
        let answer = self.server.send(&request.set("authorization", credentials)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// Checks that services of the bank are told that a token is worth nothing. A bank that is not for tests has none, and
    /// no door for them.
    async fn assert_inactive(&self, token: &str) {
        if testkit::is_served() {
            let request = Request::new("POST", "/auth/nl/v1/introspect").form(&format!("token={token}"));
            assert_eq!(self.server.send(&request).await.status, 404);
        } else {
            assert_eq!(self.introspect(token).await, json!({"active": false}));
        }
    }
}

pub(crate) fn assert_refused(answer: &Answer, code: &str, text: &str) {
    let (got, said) = answer.error();
    assert_eq!((answer.status, got.as_str()), (400, code), "{}", answer.body);
    assert!(said.contains(text), "{said}");
    assert_eq!(answer.header("cache-control"), "no-store");
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
    scene.assert_inactive(&consent.access_token).await;
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
    scene.assert_inactive(&token).await;
}

#[tokio::test]
async fn a_token_that_somebody_else_shows_ends_with_all_that_came_with_it() {
    let scene = Scene::new().await;
    let (server, other) = (&scene.server, scene.server.registered("nl", "PSDNL-DNB-R999999").await);
    let own = other.valid(server, &detailed(&scene.iban, true), &scene.iban).await;
    for door in ["their consent", "its own consent", "an end", "a confirmation"] {
        let stolen = scene.valid().await;
        let with_token = |consent: &ValidConsent| ValidConsent {
            access_token: stolen.access_token.clone(),
            ..consent.clone()
        };
        let path = format!("/v1/consents/{}", own.id);
        let request = match door {
            "their consent" => other.read("/v1/accounts", &with_token(&stolen)),
            "its own consent" => other.read("/v1/accounts", &with_token(&own)),
            "an end" => other
                .request("DELETE", &path)
                .set("authorization", format!("Bearer {}", stolen.access_token))
                .signed(&other.signer),
            _ => other
                .request("PUT", &format!("{path}/authorisations/{}", own.authorisation))
                .set("content-type", "application/json")
                .set("authorization", format!("Bearer {}", stolen.access_token))
                .signed(&other.signer),
        };
        let refused = server.send(&request).await;
        assert!((400..=404).contains(&refused.status), "{door}: {} {}", refused.status, refused.body);
        assert!(!scene.can_read(&stolen).await, "{door}");
        let refresh = scene.tpp.refresh(server, &stolen.refresh_token).await;
        assert_refused(&refresh, "invalid_request", "Unknown refresh token");
        assert_eq!(server.send(&other.attended("/v1/accounts", &own)).await.status, 200, "{door}");
    }
    // What customers gave stays given, and can be approved anew.
    assert!(scene.can_read(&scene.valid().await).await);
}

/// A client that presents a QWAC of its own.
pub(crate) async fn tls_client(server: &TestServer, id: &str) -> reqwest::Client {
    let request = json!({"organizationIdentifier": id, "profile": "qwac"});
    server.presenting(&server.certificate(request).await)
}

/// Runs futures side by side on this task.
pub(crate) async fn join_all<F: Future<Output = Answer>>(futures: Vec<F>) -> Vec<Answer> {
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
