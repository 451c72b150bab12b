//! Snapshots, restore and reset: a bank goes back to what it was, whatever it kept in memory, and nobody who calls meanwhile sees both.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro, shop};
use testkit::{Request, TestServer, TestTpp, ValidConsent, database, detailed, euro_payment, free_folder};
use vestibule::{DataLocation, SandboxConfig};

const ID: &str = "PSDNL-DNB-R123456";
const OTHER: &str = "PSDNL-DNB-R654321";
const TRANSFER: &str = "payments/sepa-credit-transfers";

async fn save(server: &TestServer, name: &str) -> u16 {
    let (status, saved) = server.manage("PUT", &format!("/snapshots/{name}"), Value::Null).await;
    assert_eq!(saved["name"], name, "{saved}");
    assert!(saved["octets"].as_u64().unwrap() > 100_000, "{saved}");
    status
}

async fn restore(server: &TestServer, name: &str) {
    let (status, body) = server.manage("POST", &format!("/snapshots/{name}/restore"), Value::Null).await;
    assert_eq!((status, &body["restored"]), (200, &json!(name)), "{body}");
}

async fn names(server: &TestServer) -> Vec<String> {
    let (_, body) = server.manage("GET", "/snapshots", Value::Null).await;
    let all = body["snapshots"].as_array().unwrap_or_else(|| panic!("{body}")).iter();
    all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

async fn offsets(server: &TestServer) -> Vec<i64> {
    let (_, body) = server.manage("GET", "/clock", Value::Null).await;
    body["clocks"].as_array().unwrap().iter().map(|clock| clock["offsetSeconds"].as_i64().unwrap()).collect()
}

fn iban(customer: &Value) -> String {
    customer["iban"].as_str().unwrap().to_owned()
}

/// A bank that somebody uses at both doors.
struct Scene {
    server: TestServer,
    tpp: TestTpp,
    payer: String,
    payee: String,
    consent: ValidConsent,
    own: BunqClient,
    account: i64,
}

impl Scene {
    async fn new(data: DataLocation) -> Self {
        let server = TestServer::with(|config: &mut SandboxConfig| {
            config.data = data;
            config.seed = Some(7);
        })
        .await;
        let tpp = server.registered("nl", ID).await;
        let payer = iban(&server.customer("nl", "household").await);
        let customer = server.customer("nl", "student").await;
        let consent = tpp.valid(&server, &detailed(&payer, true), &payer).await;
        let own = BunqClient::customer(&server, &customer).await;
        let account = own.account().await;
        Self { payee: iban(&customer), server, tpp, payer, consent, own, account }
    }

    /// A transfer at each door; the numbers that they got.
    async fn pay(&self) -> (String, i64) {
        let transfer = euro_payment("1.00", &self.payee);
        let payment = self.tpp.submitted_payment(&self.server, (TRANSFER, &transfer), &self.payer).await;
        let body = json!({"amount": euro("2.00"), "counterparty_alias": shop(), "description": "d"});
        (payment.path, self.own.make(&self.own.below(self.account, "/payment"), &body).await)
    }

    async fn balances(&self) -> (i64, i64) {
        let known = self.tpp.attended("/v1/accounts", &self.consent);
        let accounts = self.server.send(&known).await;
        assert_eq!(accounts.status, 200, "{}", accounts.body);
        let path = self.tpp.path_of(&accounts.json()["accounts"][0]["_links"]["balances"]);
        let answer = self.server.send(&self.tpp.attended(&path, &self.consent)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body = answer.json();
        let expected = body["balances"].as_array().unwrap().iter();
        let mut expected = expected.filter(|one| one["balanceType"] == "expected");
        let amount = expected.next().unwrap()["balanceAmount"]["amount"].as_str().unwrap();
        (testkit::bunq::cents(amount), self.own.balance(self.account).await)
    }
}

async fn everything_is_as_it_was(data: DataLocation) {
    let scene = Scene::new(data).await;
    let Scene { server, tpp, payer, consent, .. } = &scene;
    let earlier = scene.pay().await;
    let (before, clocks) = (scene.balances().await, offsets(server).await);
    assert_eq!(save(server, "one").await, 201);

    // Whatever can change does.
    let mut given = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for _ in 0..3 {
        let (payment, number) = scene.pay().await;
        given.insert(payment);
        numbers.insert(number);
    }
    assert!(!given.contains(&earlier.0) && *numbers.first().unwrap() > earlier.1);
    let later = tpp.valid(server, &detailed(payer, true), payer).await;
    given.insert(later.id.clone());
    let end = tpp.request("DELETE", &format!("/v1/consents/{}", consent.id)).signed(&tpp.signer);
    assert_eq!(server.send(&end).await.status, 204);
    let other = server.registered("nl", OTHER).await;
    let stranger = iban(&server.customer("nl", "saver").await);
    assert_eq!(server.manage("PUT", "/tenants/nl", json!({"bankName": "Another Bank"})).await.0, 200);
    assert_eq!(server.manage("POST", "/signing-keys", json!({})).await.0, 201);
    assert_eq!(server.manage("POST", "/faults", json!({"fault": "503", "path": "/nobody"})).await.0, 201);
    server.advance("nl", "P200D").await;
    assert_ne!(offsets(server).await, clocks);
    let expired = server.send(&tpp.attended("/v1/accounts", consent)).await;
    assert_ne!(expired.status, 200);

    // Twice, so that what a restore itself leaves behind shows.
    for round in 0..2 {
        restore(server, "one").await;
        assert_eq!(offsets(server).await, clocks);
        assert_eq!(scene.balances().await, before, "round {round}");
        assert_eq!(tpp.payment_status(server, &earlier.0).await, "ACSC");
        for payment in given.iter().filter(|id| id.starts_with("/v1")) {
            assert_eq!(server.send(&tpp.get(payment)).await.status, 403, "{payment}");
        }
        let gone = server.send(&tpp.attended("/v1/accounts", &later)).await;
        assert!([401, 403].contains(&gone.status), "{}", gone.body);
        let unknown = other.refresh(server, "nothing").await;
        assert_eq!(unknown.error().0, "invalid_client", "{}", unknown.body);
        let (_, found) = server.manage("GET", "/test-accounts", Value::Null).await;
        assert!(!found.to_string().contains(&stranger) && found.to_string().contains(payer.as_str()));
        let (_, tenants) = server.manage("GET", "/tenants", Value::Null).await;
        assert!(!tenants.to_string().contains("Another Bank"), "{tenants}");
        let (_, faults) = server.manage("GET", "/faults", Value::Null).await;
        assert_eq!(faults["faults"], json!([]));
        // Tokens go on, and are exchanged.
        tpp.refreshed(server, consent).await;
        // What is given now was never given before.
        for place in 0..2 {
            let (payment, number) = scene.pay().await;
            assert!(given.insert(payment.clone()), "{payment} comes again");
            // bunq's number of a payment is its place in the history of the account, which went back.
            assert_eq!(numbers.iter().nth(place), Some(&number));
        }
        let again = tpp.valid(server, &detailed(payer, true), payer).await;
        assert!(given.insert(again.id.clone()), "{} comes again", again.id);
    }
    assert_eq!(save(server, "one").await, 200, "another one under the same name");
    assert_eq!(names(server).await, ["one"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_memory_everything_is_as_it_was() {
    everything_is_as_it_was(DataLocation::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_folder_everything_is_as_it_was() {
    let (_guard, folder) = free_folder();
    everything_is_as_it_was(DataLocation::Folder(folder.join("data"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_that_was_reset_is_new_and_trusted_as_before() {
    let (_guard, folder) = free_folder();
    let scene = Scene::new(DataLocation::Folder(folder.join("data"))).await;
    let Scene { server, tpp, payer, consent, .. } = &scene;
    let text = async |url: String| server.http.get(url).send().await.unwrap().text().await.unwrap();
    let public = |path: &str| format!("{}{path}", server.url());
    let authority = text(format!("{}/ca.pem", server.running.addresses.management)).await;
    let keys = text(public("/auth/nl/v1/jwks")).await;
    let meta = |page: &str, name: &str| {
        page.split(&format!("name=\"{name}\" content=\""))
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    };
    let page = text(public("/portal/play")).await;
    let trusted = [reqwest::Certificate::from_pem(authority.as_bytes()).unwrap()];
    let by_tls = reqwest::Client::builder().tls_certs_only(trusted).no_proxy().build().unwrap();
    let hello =
        async || by_tls.get(format!("{}/portal/play", server.tls_url())).send().await.unwrap().status();
    assert_eq!(hello().await, 200);
    save(server, "used").await;
    server.advance("uk", "P3D").await;
    let before = scene.balances().await;

    let (status, body) = server.manage("POST", "/reset", Value::Null).await;
    assert_eq!((status, &body), (200, &json!({"reset": true})));
    for (path, list) in [("/test-accounts", "testAccounts"), ("/third-parties", "thirdParties")] {
        let (_, found) = server.manage("GET", path, Value::Null).await;
        assert_eq!(found[list], json!([]), "{path}: {found}");
    }
    assert!(offsets(server).await.iter().all(|offset| *offset == 0));
    assert!([401, 403].contains(&server.send(&tpp.attended("/v1/accounts", consent)).await.status));
    let session = scene.own.get("/user").await;
    assert!([401, 403].contains(&session.status), "{}", session.body);
    // What clients trust.
    assert_eq!(text(format!("{}/ca.pem", server.running.addresses.management)).await, authority);
    assert_eq!(text(public("/auth/nl/v1/jwks")).await, keys);
    assert_eq!(hello().await, 200);
    // It begins at its first moment again, which may be a little before the one at which the certificate was made.
    server.advance("nl", "PT10M").await;
    let registration = server.register("nl", &tpp.signer, &[testkit::CALLBACK]).await;
    assert_eq!(registration["client_id"], ID, "the certificate is as good as before");
    // Pages may go on to call the management API, and remember nothing of the bank before.
    let now = text(public("/portal/play")).await;
    assert_eq!(meta(&now, "portal-token"), meta(&page, "portal-token"));
    assert_ne!(meta(&now, "bank"), meta(&page, "bank"));
    // The seed goes on: the same customers come again.
    assert_eq!(iban(&server.customer("nl", "household").await), *payer);

    assert_eq!(names(server).await, ["used"]);
    restore(server, "used").await;
    assert_eq!(scene.balances().await, before);
    let page_again = text(public("/portal/play")).await;
    assert_eq!(meta(&page_again, "bank"), meta(&page, "bank"));
}

/// Calls go on while the bank goes back again and again: each is answered, and none by a bank that is half another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_wait_at_the_gate() {
    let (_guard, folder) = free_folder();
    let scene = Scene::new(DataLocation::Folder(folder.join("data"))).await;
    let saved = scene.balances().await;
    save(&scene.server, "here").await;
    let events = format!("{}/calls/stream", scene.server.running.addresses.management);
    let mut events = scene.server.http.get(events).send().await.unwrap();
    let scene = Arc::new(scene);
    let ends = Arc::new(AtomicBool::new(false));
    let lane = |lane: usize| {
        let (scene, ends) = (Arc::clone(&scene), Arc::clone(&ends));
        tokio::spawn(async move {
            let mut answered = 0;
            let http = &scene.server.http;
            while !ends.load(Ordering::SeqCst) {
                let answer = if lane == 0 {
                    let body = euro_payment("1.00", &scene.payee);
                    scene.tpp.payment_request(TRANSFER, &body).exchange(http, scene.server.url()).await
                } else {
                    scene
                        .tpp
                        .attended("/v1/accounts", &scene.consent)
                        .exchange(http, scene.server.url())
                        .await
                };
                assert!([200, 201].contains(&answer.status), "{}", answer.body);
                let body = json!({"amount": euro("0.01"), "counterparty_alias": shop(), "description": "d"});
                let paid = scene.own.post(&scene.own.below(scene.account, "/payment"), &body).await;
                assert_eq!(paid.status, 200, "{}", paid.body);
                answered += 1;
            }
            answered
        })
    };
    let lanes: Vec<_> = (0..3).map(lane).collect();
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        restore(&scene.server, "here").await;
        save(&scene.server, "meanwhile").await;
    }
    ends.store(true, Ordering::SeqCst);
    for lane in lanes {
        assert!(lane.await.unwrap() > 0);
    }
    restore(&scene.server, "here").await;
    assert_eq!(scene.balances().await, saved);
    assert!(events.chunk().await.unwrap().is_some(), "streams go on");
    restore(&scene.server, "meanwhile").await;
    let (_, now) = scene.balances().await;
    assert!(now <= saved.1, "{now} {}", saved.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_refused_with_what_can() {
    let server = TestServer::with(|config| config.data = DataLocation::Memory).await;
    let refused = async |method: &str, path: &str, expected: (u16, &str), text: &str| {
        let (status, body) = server.manage(method, path, Value::Null).await;
        assert_eq!((status, body["error"].as_str().unwrap_or_default()), expected, "{method} {path}: {body}");
        assert!(body["message"].as_str().unwrap().contains(text), "{body}");
    };
    assert_eq!(names(&server).await, Vec::<String>::new());
    for name in ["Large", "-a", "a%20b", "..%2Fa", "a.db", "%C3%A4", &"x".repeat(65)] {
        for (method, rest) in [("PUT", ""), ("DELETE", ""), ("POST", "/restore")] {
            let path = format!("/snapshots/{name}{rest}");
            refused(method, &path, (400, "invalid_snapshot"), "lower-case letters").await;
        }
    }
    refused("POST", "/snapshots/none/restore", (404, "not_found"), "GET /snapshots lists").await;
    refused("DELETE", "/snapshots/none", (404, "not_found"), "no snapshot \"none\"").await;
    refused("POST", "/snapshots/none", (405, "invalid_request"), "").await;
    refused("GET", "/reset", (405, "invalid_request"), "").await;
    for number in 0..50 {
        save(&server, &format!("n{number:02}")).await;
    }
    refused("PUT", "/snapshots/more", (409, "too_many_snapshots"), "50 snapshots").await;
    assert_eq!(save(&server, "n07").await, 200, "one that is there is replaced");
    assert_eq!(server.manage("DELETE", "/snapshots/n07", Value::Null).await, (200, json!({"removed": 1})));
    assert_eq!(save(&server, "more").await, 201);

    // A call that takes long is waited for, and then nothing is changed.
    let customer = server.customer("nl", "student").await;
    let slow = late_by(&server, 12).await;
    let (one, other) = tokio::join!(server.manage("POST", "/reset", Value::Null), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.send(&Request::new("GET", "/xs2a-bg/openapi.json")).await.status
    });
    assert_eq!((one.0, one.1["error"].as_str()), (409, Some("conflict")), "{}", one.1);
    assert!(one.1["message"].as_str().unwrap().contains("after 5 seconds"), "{}", one.1);
    assert_eq!((other, slow.await.unwrap()), (200, 200));
    let (_, found) = server.manage("GET", "/test-accounts", Value::Null).await;
    assert!(found.to_string().contains(&iban(&customer)), "nothing was changed");
    assert_eq!(server.manage("POST", "/reset", Value::Null).await.0, 200);
}

/// A call that is under way and takes so many seconds, with the status of its answer.
async fn late_by(server: &TestServer, seconds: u32) -> tokio::task::JoinHandle<u16> {
    let late = json!({"fault": "latency", "seconds": seconds, "next": 1, "path": "/bunq/*"});
    assert_eq!(server.manage("POST", "/faults", late).await.0, 201);
    let (url, http) = (server.url().to_owned(), server.http.clone());
    let call =
        tokio::spawn(async move { Request::new("GET", "/bunq/openapi.json").send(&http, &url).await.status });
    // Once the fault has struck, the call is under way.
    while server.manage("GET", "/faults", Value::Null).await.1["faults"] != json!([]) {
        assert!(!call.is_finished(), "the fault did not strike");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    call
}

/// Whoever looks while the bank goes back waits for a moment, and sees the bank as it is then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_wait_while_the_bank_goes_back() {
    let server = Arc::new(TestServer::with(|config| config.data = DataLocation::Memory).await);
    save(&server, "here").await;
    server.manage("PUT", "/clock", json!({"now": "2031-03-05T12:00:00Z"})).await;
    let slow = late_by(&server, 4).await;
    let back = {
        let server = Arc::clone(&server);
        tokio::spawn(async move { restore(&server, "here").await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!back.is_finished(), "it waits for the call");
    let mut pages = tokio::task::JoinSet::new();
    for path in ["/", "/portal/flow", "/portal/calls", "/portal/play", "/portal/reference", "/portal/guides"]
    {
        let server = Arc::clone(&server);
        pages.spawn(async move {
            (path, server.send(&Request::new("GET", path).set("accept", "text/html")).await)
        });
    }
    while let Some(page) = pages.join_next().await {
        let (path, page) = page.unwrap();
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert!(
            page.body.contains("</html>") && !page.body.contains("5 March 2031"),
            "{path}: {}",
            page.body
        );
    }
    back.await.unwrap();
    assert_eq!(slow.await.unwrap(), 200);
}

#[tokio::test]
async fn a_database_that_others_share_is_left_alone() {
    if !database::is_there() {
        return;
    }
    let address = database::make().await;
    let server = TestServer::with(|config| config.data = DataLocation::Database(address.into())).await;
    for (method, path) in [
        ("GET", "/snapshots"),
        ("PUT", "/snapshots/a"),
        ("DELETE", "/snapshots/a"),
        ("POST", "/snapshots/a/restore"),
        ("POST", "/reset"),
    ] {
        let (status, body) = server.manage(method, path, Value::Null).await;
        assert_eq!((status, body["error"].as_str()), (409, Some("database_is_shared")), "{body}");
        assert!(body["message"].as_str().unwrap().contains("createdb --template"), "{body}");
    }
}
