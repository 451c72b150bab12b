//! Third parties that may not act any more, at every door that asks for no signature.

use serde_json::{Value, json};
use testkit::{CALLBACK, Request, TestServer, TestTpp, ValidConsent, bank_offered, parameter};

use crate::{ID, basic};

const PAGE: &str = "/auth/internalonly/authorise.html";

/// What doors say with a code where a bank that explains says `words`.
fn at_doors<'w>(code: &str, words: &'w str) -> &'w str {
    if testkit::told(code, words) == words { words } else { "the certificate is not acceptable" }
}

/// A third party in the middle of everything that it can be in the middle of.
struct Scene {
    server: TestServer,
    tpp: TestTpp,
    iban: String,
    consent: ValidConsent,
    /// A code that nobody redeemed yet.
    code: String,
    /// A consent that waits for its customer.
    asked: Value,
    /// The cookie of a browser at the log-in page.
    cookie: String,
}

impl Scene {
    /// With a certificate that ends in a week by the clock of the tenant.
    async fn new() -> Self {
        let server = TestServer::start().await;
        server.advance("uk", "-P2Y").await;
        let wanted = json!({"organizationIdentifier": ID, "tenant": "uk"});
        let signer = server.certificate(wanted).await;
        let registration = server.register("nl", &signer, &[CALLBACK]).await;
        let secret = registration["client_secret"].as_str().unwrap().to_owned();
        let tpp = TestTpp { signer, tenant: "nl".to_owned(), secret };
        let customer = server.customer("nl", "student").await;
        let iban = customer["iban"].as_str().unwrap().to_owned();
        let consent = tpp.valid(&server, &bank_offered("9999-12-31"), &iban).await;
        let asked = tpp.consent(&server, &bank_offered("9999-12-31")).await;
        let location = server.decide(&tpp.authorization_url(&asked), &iban, "approve").await;
        let code = parameter(&location, "code").unwrap();
        let asked = tpp.consent(&server, &bank_offered("9999-12-31")).await;
        let url = tpp.authorization_url(&asked);
        let arrived = server.send(&Request::new("GET", url.strip_prefix(server.url()).unwrap())).await;
        let cookie = arrived.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { server, tpp, iban, consent, code, asked, cookie }
    }

    /// The requests of every door, with status and code of the refusal in the door's own format.
    fn doors(&self) -> Vec<(&'static str, Request, u16, &'static str)> {
        let (tpp, token) = (&self.tpp, &self.consent.access_token);
        let url = tpp.authorization_url(&self.asked);
        let target = url.strip_prefix(self.server.url()).unwrap().to_owned();
        let query = target.split_once('?').unwrap().1.to_owned();
        let refresh = format!("grant_type=refresh_token&refresh_token={}", self.consent.refresh_token);
        let at = |path: &str, form: &str| {
            Request::new("POST", &format!("/auth/nl/v1{path}")).set("authorization", tpp.basic()).form(form)
        };
        let bearer = format!("Bearer {token}");
        vec![
            ("code", tpp.token_request(&TestTpp::code_form(&self.code)), 401, "invalid_client"),
            ("refresh", tpp.token_request(&refresh), 401, "invalid_client"),
            ("revocation", at("/token/revoke", &format!("token={token}")), 401, "invalid_client"),
            ("pushed request", at("/par", &query), 401, "invalid_client"),
            ("authorization", Request::new("GET", &target), 400, "unauthorized_client"),
            ("page", Request::new("GET", PAGE).set("cookie", &self.cookie), 400, "access_denied"),
            (
                "userinfo",
                Request::new("GET", "/auth/nl/v1/userinfo").set("authorization", bearer),
                400,
                "invalid_token",
            ),
        ]
    }

    async fn assert_refused(&self, code: &str, words: &str) {
        for (door, request, status, error) in self.doors() {
            let answer = self.server.send(&request).await;
            let (got, said) = answer.error();
            assert_eq!((answer.status, got.as_str()), (status, error), "{door}: {}", answer.body);
            assert!(said.contains(code) && said.contains(at_doors(code, words)), "{door}: {said}");
            let has_challenge = !answer.header("www-authenticate").is_empty();
            assert!(status != 401 || has_challenge, "{door} has no challenge");
        }
        self.assert_introspected(false).await;
        let approval = json!({
            "url": self.tpp.authorization_url(&self.asked), "iban": self.iban, "decision": "approve"
        });
        let (status, refused) = self.server.manage("POST", "/approvals", approval).await;
        assert_eq!(status, 400, "{refused}");
        assert!(refused["message"].as_str().unwrap().contains(words), "{refused}");
    }

    /// What services of the bank are told of the access token. A bank that is not for tests has none, and no door for them.
    async fn assert_introspected(&self, is_active: bool) {
        let (_, service) = self.server.manage("POST", "/resource-servers", json!({"id": "ledger"})).await;
        let credentials = basic("ledger", service["secret"].as_str().unwrap());
        let form = format!("token={}", self.consent.access_token);
        let request = Request::new("POST", "/auth/nl/v1/introspect").form(&form);
        let answer = self.server.send(&request.set("authorization", credentials)).await;
        if testkit::is_served() {
            assert_eq!(answer.status, 404, "{}", answer.body);
        } else {
            assert_eq!(answer.json()["active"], is_active, "{}", answer.body);
        }
    }

    async fn set_certificate(&self, status: &str) {
        let fingerprint = self.tpp.signer.certificate.fingerprint_hex();
        let path = format!("/test-certificates/{fingerprint}");
        assert_eq!(self.server.manage("PUT", &path, json!({"status": status})).await.0, 200);
    }

    async fn set_third_party(&self, status: &str) -> Value {
        let path = format!("/third-parties/{ID}");
        let (code, said) = self.server.manage("PUT", &path, json!({"status": status})).await;
        assert_eq!(code, 200, "{said}");
        said
    }

    /// The third party may act again; what was approved before has ended: grants, codes and consents.
    async fn assert_all_has_ended(&self) {
        assert_eq!(self.refresh().await, (400, "Unknown refresh token".to_owned()));
        let redeemed = self.tpp.redeem(&self.server, &self.code).await;
        let (error, said) = redeemed.error();
        assert_eq!((redeemed.status, error.as_str()), (400, "invalid_grant"), "{}", redeemed.body);
        assert!(said.contains("has ended; ask the customer for a new one"), "{said}");
        let path = format!("/v1/consents/{}/status", self.consent.id);
        let status = self.server.send(&self.tpp.get(&path)).await.json();
        assert_eq!(status["consentStatus"], "expired");
    }

    /// What became of the customer's approval, once the third party may act again.
    async fn refresh(&self) -> (u16, String) {
        let answer = self.tpp.refresh(&self.server, &self.consent.refresh_token).await;
        (answer.status, answer.error().1)
    }
}

#[tokio::test]
async fn a_third_party_that_is_blocked_is_refused_at_every_door() {
    let scene = Scene::new().await;
    scene.assert_introspected(true).await;
    let said = scene.set_third_party("blocked").await;
    assert_eq!((said["id"].as_str(), said["status"].as_str()), (Some(ID), Some("blocked")));
    scene.assert_refused("CERTIFICATE_BLOCKED", "ask the bank").await;
    let signed = scene.server.send(&scene.tpp.get(&format!("/v1/consents/{}", scene.consent.id))).await;
    assert_eq!((signed.status, signed.error().0.as_str()), (401, "CERTIFICATE_BLOCKED"), "{}", signed.body);
    let onboarding = Request::onboarding("nl").signed(&scene.tpp.signer);
    assert_eq!(scene.server.send(&onboarding).await.error().0, "CERTIFICATE_BLOCKED");
    // A new certificate is no way around it.
    let renewed = scene.server.tpp(ID).await;
    let onboarding = scene.server.send(&Request::onboarding("nl").signed(&renewed)).await;
    assert_eq!(onboarding.error().0, "CERTIFICATE_BLOCKED");
    // The bank lifts it: the third party acts again, and what customers approved before has ended. The certificate of
    // the registration was replaced meanwhile.
    assert_eq!(scene.set_third_party("active").await["status"], "active");
    scene.set_certificate("active").await;
    assert_eq!(scene.refresh().await, (400, "Unknown refresh token".to_owned()));
    let listed = scene.server.manage("GET", "/third-parties", Value::Null).await.1;
    assert_eq!(listed["thirdParties"][0]["id"], ID);
    let unknown = scene.server.manage("PUT", "/third-parties/X", json!({"status": "blocked"})).await;
    assert_eq!(unknown.0, 404);
    let wrong = scene.server.manage("PUT", &format!("/third-parties/{ID}"), json!({"status": "x"})).await;
    assert_eq!(wrong.0, 400);
}

#[tokio::test]
async fn what_customers_approved_for_a_third_party_that_was_blocked_stays_ended() {
    let scene = Scene::new().await;
    scene.set_third_party("blocked").await;
    scene.set_third_party("active").await;
    scene.assert_all_has_ended().await;
    // What nobody had approved goes on.
    let path = format!("/v1/consents/{}/status", scene.asked["consentId"].as_str().unwrap());
    let status = scene.server.send(&scene.tpp.get(&path)).await.json();
    assert_eq!(status["consentStatus"], "received");
}

#[tokio::test]
async fn what_a_block_ends_has_ended_by_the_clock_of_its_tenant() {
    let scene = Scene::new().await;
    scene.server.advance("nl", "P2D").await;
    let nl = gateway::domain::Tenant::parse("nl").unwrap();
    let today = nl.date_at(scene.server.running.sandbox.gateway.now(&nl)).to_string();
    scene.set_third_party("blocked").await;
    scene.set_third_party("active").await;
    let path = format!("/v1/consents/{}", scene.consent.id);
    let consent = scene.server.send(&scene.tpp.get(&path)).await.json();
    assert_eq!(consent["consentStatus"], "expired", "{consent}");
    // The day may end meanwhile.
    assert!(consent["lastActionDate"].as_str().unwrap() >= today.as_str(), "{today}: {consent}");
}

#[tokio::test]
async fn a_blocked_certificate_ends_what_customers_approved() {
    let scene = Scene::new().await;
    scene.set_certificate("blocked").await;
    scene.assert_refused("CERTIFICATE_BLOCKED", "then register again").await;
    scene.set_certificate("active").await;
    scene.assert_all_has_ended().await;
}

#[tokio::test]
async fn a_revoked_certificate_is_replaced_by_registering_again() {
    let scene = Scene::new().await;
    // Another certificate of the same kind takes the first one out of use.
    let renewed = scene.server.tpp(ID).await;
    let words = "register again with a certificate that is in use";
    scene.assert_refused("CERTIFICATE_REVOKED", words).await;
    let registration = scene.server.register("nl", &renewed, &[CALLBACK]).await;
    let secret = registration["client_secret"].as_str().unwrap().to_owned();
    let tpp = TestTpp { signer: renewed, tenant: "nl".to_owned(), secret };
    let refreshed = tpp.refreshed(&scene.server, &scene.consent).await;
    let read = scene.server.send(&tpp.read("/v1/accounts", &refreshed)).await;
    assert_eq!(read.status, 200, "{}", read.body);
}

#[tokio::test]
async fn a_certificate_ends_by_the_clock_of_the_tenant() {
    let scene = Scene::new().await;
    // By the clock of another tenant it is still good.
    scene.server.advance("nl", "PT1S").await;
    scene.assert_introspected(true).await;
    scene.server.advance("nl", "P7DT1H").await;
    for (door, request, status, error) in scene.doors() {
        // Codes and tokens have ended by then, and are refused for their client before that.
        let answer = scene.server.send(&request).await;
        let (got, said) = answer.error();
        assert_eq!((answer.status, got.as_str()), (status, error), "{door}: {}", answer.body);
        let words = at_doors("CERTIFICATE_EXPIRED", "register again");
        assert!(said.contains("CERTIFICATE_EXPIRED") && said.contains(words), "{door}: {said}");
    }
    // A registration needs a certificate that is good now, also if none comes along.
    let form = Request::registration("nl", "x", &[CALLBACK]).without("tpp-signature-certificate");
    assert_eq!(scene.server.send(&form).await.status, 401);
}
