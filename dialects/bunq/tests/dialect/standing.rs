//! Service providers that may not act any more, and tokens at the wrong interface.

use serde_json::{Value, json};
use testkit::bunq::{
    BUNQ, BunqClient, certificate_time, euro, provider_certificate, pseudo_certificate, shop,
};
use testkit::{
    Answer, CALLBACK, Request, TestServer, TestTpp, ValidConsent, bank_offered, in_days, is_served, parameter,
};

/// A third party at both interfaces.
const BOTH: &str = "PSDNL-DNB-B0043";

/// What the service provider is called.
const NAME: &str = "Standing PISP AISP";

/// A service provider with a key, a session, a customer's approval and one that is on its way.
struct Scene {
    server: TestServer,
    customer: Value,
    provider: BunqClient,
    connected: BunqClient,
    /// The address for the customer's browser, and the parameters of the token endpoint.
    url: String,
    token_query: String,
    /// The cookie of a browser at the log-in page.
    cookie: String,
    fingerprint: String,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let customer = server.customer("nl", "student").await;
        let (certificate, key) = if is_served() {
            provider_certificate(&server, NAME).await
        } else {
            // Until a moment that the tenant's clock reaches in a test.
            pseudo_certificate(NAME, |params| params.not_after = certificate_time(in_days(300)))
        };
        let client = BunqClient::install(&server).await;
        let api_key = client.trade(&certificate, &certificate, &key).await;
        let provider = client.open(&api_key).await;
        let connected = provider.connect(&server, &customer).await;
        let url = provider.authorization_url().await;
        let iban = customer["iban"].as_str().unwrap();
        let location = server.decide(&url, iban, "approve").await;
        let oauth = provider.oauth_client().await;
        let text = |name: &str| oauth[name].as_str().unwrap().to_owned();
        let token_query = format!(
            "grant_type=authorization_code&code={}&redirect_uri=https%3A%2F%2Ftpp.example%2Fcallback\
             &client_id={}&client_secret={}",
            parameter(&location, "code").unwrap(),
            text("client_id"),
            text("secret")
        );
        let arrived = server.send(&Request::new("GET", url.strip_prefix(server.url()).unwrap())).await;
        let cookie = arrived.header("set-cookie").split(';').next().unwrap().to_owned();
        let fingerprint = eidas::Certificate::from_pem(&certificate).unwrap().fingerprint_hex();
        Self { server, customer, provider, connected, url, token_query, cookie, fingerprint }
    }

    /// What every door answers, with the status of a refusal.
    async fn doors(&self) -> Vec<(&'static str, Answer, u16)> {
        let fresh = BunqClient::install(&self.server).await;
        let device = |key: &str| json!({"description": "x", "secret": key, "permitted_ips": ["*"]});
        let session = |key: &str| json!({"secret": key});
        let iban = self.customer["iban"].as_str().unwrap();
        let draft = json!({
            "sender_iban": iban,
            "counterparty_iban": "NL91ABNA0417164300",
            "counterparty_name": "Shop",
            "description": "x",
            "amount": {"value": "1.00", "currency": "EUR"},
        });
        let provider = self.provider.user;
        let drafts = format!("/user/{provider}/payment-service-provider-draft-payment");
        let target = self.url.strip_prefix(self.server.url()).unwrap();
        let page = Request::new("GET", "/auth/internalonly/authorise.html").set("cookie", &self.cookie);
        let token = Request::new("POST", &format!("{BUNQ}/token?{}", self.token_query));
        let accounts = format!("/user/{}/monetary-account", self.connected.user);
        vec![
            ("session", self.provider.get("/user").await, 403),
            ("client", self.provider.get(&format!("/user/{provider}/oauth-client")).await, 403),
            ("payment", self.provider.post(&drafts, &draft).await, 403),
            ("session for a customer", self.connected.get(&accounts).await, 403),
            ("device", fresh.post("/device-server", &device(&self.provider.key)).await, 400),
            ("new session", self.provider_session(&session(&self.provider.key)).await, 400),
            ("session by token", self.provider_session(&session(&self.connected.key)).await, 400),
            ("authorization", self.server.send(&Request::new("GET", target)).await, 403),
            ("page", self.server.send(&page).await, 400),
            ("code", self.server.send(&token).await, 400),
        ]
    }

    /// Opens another session, with the installation of the service provider.
    async fn provider_session(&self, body: &Value) -> Answer {
        let mut client = self.provider.clone();
        client.session = None;
        client.post("/session-server", body).await
    }

    async fn assert_refused(&self, words: &[&str]) {
        for (door, answer, status) in self.doors().await {
            assert_eq!(answer.status, status, "{door}: {}", answer.body);
            // The pages are the authorization server's, which says less where it has customers.
            let is_terse =
                is_served() && door == "page" && answer.body.contains("the certificate is not acceptable");
            for word in words {
                assert!(is_terse || answer.body.contains(word), "{door}: {}", answer.body);
            }
        }
    }

    async fn set_certificate(&self, status: &str) {
        let path = format!("/test-certificates/{}", self.fingerprint);
        assert_eq!(self.server.manage("PUT", &path, json!({"status": status})).await.0, 200);
    }

    /// The service provider's id at the bank.
    async fn id(&self) -> String {
        let listed = self.server.manage("GET", "/third-parties", Value::Null).await.1;
        listed["thirdParties"][0]["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_provider_that_is_blocked_is_refused_at_every_door() {
    let scene = Scene::new().await;
    let id: String = form_urlencoded::byte_serialize(scene.id().await.as_bytes()).collect();
    let path = format!("/third-parties/{}", id.replace('+', "%20"));
    assert_eq!(scene.server.manage("PUT", &path, json!({"status": "blocked"})).await.0, 200);
    scene.assert_refused(&["was blocked by the bank at", "ask the bank"]).await;
    let (other, key) = provider_certificate(&scene.server, NAME).await;
    let fresh = BunqClient::install(&scene.server).await;
    let refused = fresh.send(&fresh.credential_request(&other, &other, &key)).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert!(refused.body.contains("was blocked by the bank at"), "{}", refused.body);
    // Lifted: its own session goes on, what customers approved has ended.
    assert_eq!(scene.server.manage("PUT", &path, json!({"status": "active"})).await.0, 200);
    let read = scene.provider.get("/user").await;
    assert_eq!(read.status, 200, "{}", read.body);
    assert_eq!(scene.connected.get("/user").await.status, 403);
}

#[tokio::test]
async fn a_draft_of_a_blocked_provider_is_rejected_or_waits() {
    let scene = Scene::new().await;
    let own = BunqClient::customer(&scene.server, &scene.customer).await;
    let account = own.account().await;
    let prepared = scene.connected.below(scene.connected.account().await, "/draft-payment");
    let entry = json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "x"});
    let body = json!({"number_of_required_accepts": 1, "entries": [entry]});
    let [waits, rejected] =
        [scene.connected.make(&prepared, &body).await, scene.connected.make(&prepared, &body).await];
    let id: String = form_urlencoded::byte_serialize(scene.id().await.as_bytes()).collect();
    let path = format!("/third-parties/{}", id.replace('+', "%20"));
    let set = async |status: &str| scene.server.manage("PUT", &path, json!({"status": status})).await.0;
    let decide = async |draft: i64, status: &str| {
        let draft = own.below(account, &format!("/draft-payment/{draft}"));
        own.put(&draft, &json!({"status": status})).await
    };
    assert_eq!(set("blocked").await, 200);
    let refused = decide(waits, "ACCEPTED").await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert!(refused.body.contains("was blocked by the bank at"), "{}", refused.body);
    assert_eq!(decide(rejected, "REJECTED").await.status, 200);
    assert_eq!(set("active").await, 200);
    assert_eq!(decide(waits, "ACCEPTED").await.status, 200);
}

#[tokio::test]
async fn a_certificate_out_of_use_takes_its_key_along() {
    let scene = Scene::new().await;
    scene.set_certificate("revoked").await;
    let words = ["the certificate behind the API key of", "for a new API key"];
    scene.assert_refused(&[words[1]]).await;
    let refused = scene.provider.get("/user").await;
    assert!(refused.body.to_lowercase().contains(&words[0].to_lowercase()), "{}", refused.body);
    scene.set_certificate("active").await;
    assert_eq!(scene.provider.get("/user").await.status, 200);
    assert_eq!(scene.connected.get("/user").await.status, 200, "a revoked one may be replaced");
    // A newer certificate of the same provider: the old key stays refused, the new one works.
    scene.set_certificate("blocked").await;
    scene.assert_refused(&["was blocked by the bank at"]).await;
    let (newer, key) = provider_certificate(&scene.server, NAME).await;
    let client = BunqClient::install(&scene.server).await;
    let api_key = client.trade(&newer, &newer, &key).await;
    let renewed = client.open(&api_key).await;
    assert_eq!(renewed.user, scene.provider.user);
    assert_eq!(scene.provider.get("/user").await.status, 403);
    assert_eq!(scene.connected.get("/user").await.status, 403, "blocking ended it");
    let again = renewed.connect(&scene.server, &scene.customer).await;
    assert_eq!(again.get("/user").await.status, 200);
}

#[tokio::test]
async fn a_certificate_ends_by_the_clock_of_the_tenant() {
    let scene = Scene::new().await;
    scene.server.advance("nl", "P301D").await;
    let refused = scene.provider_session(&json!({"secret": scene.provider.key})).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    let day = in_days(301).to_string();
    assert!(refused.body.contains(&format!("now it is {}", &day[..10])), "{}", refused.body);
    let target = scene.url.strip_prefix(scene.server.url()).unwrap();
    let page = scene.server.send(&Request::new("GET", target)).await;
    assert!(page.status == 403 && page.body.contains("for a new API key"), "{}", page.body);
}

/// A third party that is known at both interfaces, with an approval of one customer at each.
struct Both {
    server: TestServer,
    tpp: TestTpp,
    provider: BunqClient,
    /// The session by the approval here.
    connected: BunqClient,
    /// The id of that approval at the bank.
    approval: String,
    /// What was approved there.
    there: ValidConsent,
}

impl Both {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", BOTH).await;
        let seal = server.certificate(json!({"organizationIdentifier": BOTH, "profile": "qseal"})).await;
        let client = BunqClient::install(&server).await;
        let pem = eidas::certificate::to_pem(&seal.certificate.der);
        let provider = client.trade(&pem, &seal.chain.concat(), &seal.key_pem).await;
        let provider = client.open(&provider).await;
        let customer = server.customer("nl", "student").await;
        let iban = customer["iban"].as_str().unwrap();
        let connected = provider.connect(&server, &customer).await;
        let there = tpp.valid(&server, &bank_offered("9999-12-31"), iban).await;
        let listed = server.manage("GET", &format!("/consents?iban={iban}"), Value::Null).await.1;
        let consents = listed["consents"].as_array().unwrap();
        let approval = consents.iter().find(|one| one["consentId"] != there.id.as_str()).unwrap();
        let approval = approval["consentId"].as_str().unwrap().to_owned();
        Self { server, tpp, provider, connected, approval, there }
    }
}

#[tokio::test]
async fn what_is_approved_here_is_nothing_at_the_other_interface() {
    let Both { server, tpp, connected, approval, there, .. } = Both::new().await;
    let bunq_token = &connected.key;

    // At the other interface there is no such consent, with whatever token.
    let token = |path: &str, token: &str| {
        let call = tpp.request("GET", path).set("authorization", format!("Bearer {token}"));
        call.set("consent-id", &approval).signed(&tpp.signer)
    };
    let path = format!("/v1/consents/{approval}");
    for (name, request) in [
        ("reading", tpp.get(&path)),
        ("its status", tpp.get(&format!("{path}/status"))),
        ("its authorisations", tpp.get(&format!("{path}/authorisations"))),
        ("ending it", tpp.request("DELETE", &path).signed(&tpp.signer)),
        ("reading accounts", token("/v1/accounts", bunq_token)),
        ("reading accounts with another token", token("/v1/accounts", &there.access_token)),
    ] {
        let answer = server.send(&request).await;
        let (code, _) = answer.error();
        assert_eq!((answer.status, code.as_str()), (403, "CONSENT_UNKNOWN"), "{name}: {}", answer.body);
    }
    let mixed = tpp.request("GET", "/v1/accounts").set("consent-id", &there.id);
    let mixed = mixed.set("authorization", format!("Bearer {bunq_token}")).signed(&tpp.signer);
    assert_eq!(server.send(&mixed).await.error().0, "TOKEN_INVALID");
    assert_eq!(connected.get("/user").await.status, 200, "nothing of that ended it");
}

#[tokio::test]
async fn the_authorization_server_knows_nothing_of_what_is_approved_here() {
    let Both { server, tpp, connected, approval, .. } = Both::new().await;
    let bunq_token = &connected.key;
    let scope = format!("openid+AIS%3A{approval}");
    let uri: String = form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect();
    let target = format!(
        "/auth/nl/v1/auth?response_type=code&client_id={BOTH}&redirect_uri={uri}&scope={scope}&state=x\
         &code_challenge={}&code_challenge_method=S256",
        testkit::challenge(testkit::VERIFIER)
    );
    let answer = server.send(&Request::new("GET", &target)).await;
    assert_eq!(parameter(answer.header("location"), "error").as_deref(), Some("invalid_request"));
    let userinfo = Request::new("GET", "/auth/nl/v1/userinfo");
    let userinfo = server.send(&userinfo.set("authorization", format!("Bearer {bunq_token}"))).await;
    assert_eq!(userinfo.error().0, "invalid_token", "{}", userinfo.body);
    let (_, service) = server.manage("POST", "/resource-servers", json!({"id": "ledger"})).await;
    let credentials = format!("ledger:{}", service["secret"].as_str().unwrap());
    let credentials = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, credentials);
    let introspection = Request::new("POST", "/auth/nl/v1/introspect").form(&format!("token={bunq_token}"));
    let introspection = introspection.set("authorization", format!("Basic {credentials}"));
    let introspected = server.send(&introspection).await;
    if is_served() {
        // There are no services to ask.
        assert_eq!(introspected.status, 404, "{}", introspected.body);
    } else {
        assert_eq!(introspected.json(), json!({"active": false}));
    }
    for form in [format!("token={bunq_token}"), format!("token={bunq_token}&token_type_hint=access_token")] {
        let revocation = Request::new("POST", "/auth/nl/v1/token/revoke");
        let revocation = revocation.set("authorization", tpp.basic()).form(&form);
        assert_eq!(server.send(&revocation).await.status, 200, "unknown tokens are answered as ended ones");
    }
    let refresh = tpp.refresh(&server, bunq_token).await;
    assert_eq!(refresh.status, 400, "{}", refresh.body);
    assert_eq!(connected.get("/user").await.status, 200, "nothing of that ended it");
}

#[tokio::test]
async fn what_is_approved_at_the_other_interface_is_nothing_here() {
    let Both { server, tpp, provider, connected, there, .. } = Both::new().await;
    for token in [&there.access_token, &there.refresh_token] {
        let fresh = BunqClient::install(&server).await;
        let refused = fresh.post("/session-server", &json!({"secret": token})).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
    // A client that is cancelled here ends what was approved here alone.
    let oauth = provider.oauth_client().await;
    let path = format!("/user/{}/oauth-client/{}", provider.user, oauth["id"]);
    assert_eq!(provider.put(&path, &json!({"status": "CANCELLED"})).await.status, 200);
    assert_eq!(connected.get("/user").await.status, 403);
    let read = server.send(&tpp.attended("/v1/accounts", &there)).await;
    assert_eq!(read.status, 200, "{}", read.body);
}

#[tokio::test]
async fn a_registration_elsewhere_leaves_the_key_alone() {
    let server = TestServer::start().await;
    let id = "PSDNL-DNB-B0044";
    let seal = server.certificate(json!({"organizationIdentifier": id, "profile": "qseal"})).await;
    let client = BunqClient::install(&server).await;
    let pem = eidas::certificate::to_pem(&seal.certificate.der);
    let key = client.trade(&pem, &seal.chain.concat(), &seal.key_pem).await;
    let provider = client.open(&key).await;
    // It registers for the first time, with another certificate.
    let tpp = server.registered("nl", id).await;
    assert_eq!(provider.get("/user").await.status, 200);
    let customer = server.customer("nl", "student").await;
    let iban = customer["iban"].as_str().unwrap();
    tpp.valid(&server, &bank_offered("9999-12-31"), iban).await;
    assert_eq!(provider.connect(&server, &customer).await.get("/user").await.status, 200);
}
