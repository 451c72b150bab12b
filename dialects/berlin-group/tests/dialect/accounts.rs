//! What a consent lets a third party read: how much, how often, how far back.

use serde_json::{Value, json};
use testkit::{Answer, Request, TestServer, TestTpp, ValidConsent, bank_offered, detailed};

use crate::ID;

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    customer: Value,
    consent: ValidConsent,
    account: Value,
}

impl Scene {
    async fn new(tenant: &str, persona: &str) -> Self {
        Self::with(tenant, persona, |iban| detailed(iban, true)).await
    }

    async fn with(tenant: &str, persona: &str, body: impl Fn(&str) -> Value) -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered(tenant, ID).await;
        let customer = server.customer(tenant, persona).await;
        let iban = customer["iban"].as_str().unwrap();
        let consent = tpp.valid(&server, &body(iban), iban).await;
        let accounts = server.send(&tpp.read("/v1/accounts", &consent)).await.json();
        let account = accounts["accounts"][0].clone();
        Self { server, tpp, customer, consent, account }
    }

    fn path(&self, kind: &str) -> String {
        format!("/v1/accounts/{}/{kind}", self.account["resourceId"].as_str().unwrap())
    }

    async fn read(&self, kind: &str) -> Answer {
        self.server.send(&self.tpp.read(&self.path(kind), &self.consent)).await
    }

    async fn attended(&self, kind: &str) -> Answer {
        self.server.send(&self.tpp.attended(&self.path(kind), &self.consent)).await
    }

    /// Every booked transaction, page by page, as links say.
    async fn all(&self, query: &str) -> Vec<Value> {
        let mut booked = Vec::new();
        let mut answer = self.attended(&format!("transactions{query}")).await;
        loop {
            assert_eq!(answer.status, 200, "{}", answer.body);
            let page = answer.json()["transactions"].clone();
            booked.extend(page["booked"].as_array().unwrap().clone());
            let Some(next) = page["_links"]["next"].as_str() else { return booked };
            let path = next.strip_prefix(&format!("/{}", self.tpp.tenant)).unwrap();
            answer = self.server.send(&self.tpp.attended(path, &self.consent)).await;
        }
    }

    /// Moves the clock and gets new tokens, as the old ones have expired.
    async fn advance(&mut self, by: &str) {
        self.server.advance(&self.tpp.tenant, by).await;
        self.consent = self.tpp.refreshed(&self.server, &self.consent).await;
    }
}

fn minor(amount: &Value) -> i64 {
    let text = amount["amount"].as_str().unwrap();
    text.replace('.', "").parse().unwrap()
}

/// Signed: money that came in has a debtor.
fn signed(transaction: &Value) -> i64 {
    let amount = minor(&transaction["transactionAmount"]);
    if transaction.get("debtorAccount").is_some() { amount } else { -amount }
}

#[tokio::test]
async fn balances_add_up_to_the_transactions() {
    for persona in ["household", "student", "overdrawn", "business", "busy", "empty", "multi-currency"] {
        let scene = Scene::new("nl", persona).await;
        let (_, clock) = scene.server.manage("GET", "/clock", Value::Null).await;
        let balances = scene.attended("balances").await.json()["balances"].clone();
        let booked = scene.all("?bookingStatus=booked").await;
        let pending = scene.attended("transactions").await.json()["transactions"]["pending"].clone();
        let closing_day = balances[0]["referenceDate"].as_str().unwrap();
        let up_to_closing = booked.iter().filter(|one| one["bookingDate"].as_str().unwrap() <= closing_day);
        let closing: i64 = up_to_closing.map(signed).sum();
        assert_eq!(minor(&balances[0]["balanceAmount"]), closing, "{persona} {clock}");
        let pending: i64 = pending.as_array().unwrap().iter().map(signed).sum();
        let limit = match persona {
            "overdrawn" => 100_000,
            "business" => 1_000_000,
            _ => 0,
        };
        let expected = booked.iter().map(signed).sum::<i64>() + pending + limit;
        assert_eq!(minor(&balances[1]["balanceAmount"]), expected, "{persona}");
        assert!(scene.server.running.sandbox.store.unbalanced_entries().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_first_read_sees_everything_and_later_ones_ninety_days() {
    let mut scene = Scene::new("nl", "busy").await;
    let all = scene.all("?dateFrom=2000-01-01").await;
    assert_eq!(all.len(), 1200);
    let mut positions: Vec<_> = all.iter().map(|one| one["transactionId"].as_str().unwrap()).collect();
    positions.sort_unstable();
    positions.dedup();
    assert_eq!(positions.len(), 1200, "no transaction twice");
    assert!(all.is_sorted_by_key(|one| std::cmp::Reverse(one["bookingDate"].as_str().unwrap().to_owned())));
    let later = scene.all("?dateFrom=2000-01-01").await;
    assert!(later.len() < 1200 && later.len() > 50, "{}", later.len());
    let oldest = later.last().unwrap()["bookingDate"].as_str().unwrap().to_owned();
    let first = scene.attended("transactions").await.json()["transactions"]["_links"]["first"].clone();
    let limit = first.as_str().unwrap().split_once("dateFrom=").unwrap().1[..10].to_owned();
    assert!(oldest >= limit, "{oldest} {limit}");
    scene.advance("P30D").await;
    assert!(scene.all("").await.last().unwrap()["bookingDate"].as_str().unwrap() > oldest.as_str());
    // A new consent begins anew, and a one-off consent always sees everything.
    let iban = scene.customer["iban"].as_str().unwrap().to_owned();
    for recurring in [true, false] {
        scene.consent = scene.tpp.valid(&scene.server, &detailed(&iban, recurring), &iban).await;
        assert!(scene.all("").await.len() >= 1200);
        assert_eq!(scene.all("").await.len() >= 1200, !recurring);
    }
}

#[tokio::test]
async fn pages_of_the_first_read_belong_to_it() {
    let scene = Scene::new("nl", "busy").await;
    let first = scene.read("transactions?bookingStatus=booked&dateFrom=2000-01-01").await.json();
    let next = first["transactions"]["_links"]["next"].as_str().unwrap().to_owned();
    assert!(!next.contains('+') && !next.contains("%2B"), "the alphabet survives decoding: {next}");
    // Another first page in between is cut; the pages of the first one are not, and none of them is counted.
    scene.read("transactions").await;
    let encoded = next.strip_prefix("/nl").unwrap().to_owned();
    let raw = encoded.replace("%3D", "=");
    for path in [encoded.clone(), raw, encoded.replace("transactions?", "transactions/page?")] {
        let page = scene.server.send(&scene.tpp.read(&path, &scene.consent)).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert_eq!(page.json()["transactions"]["booked"].as_array().unwrap().len(), 100);
        assert_eq!(page.json()["transactions"]["pending"], json!([]));
    }
    let mut path = encoded;
    for _ in 0..20 {
        let page = scene.server.send(&scene.tpp.read(&path, &scene.consent)).await.json();
        let Some(next) = page["transactions"]["_links"]["next"].as_str() else { break };
        path = next.strip_prefix("/nl").unwrap().to_owned();
    }
}

#[tokio::test]
async fn four_unattended_reads_a_day_for_each_account_and_kind() {
    let mut scene = Scene::new("nl", "household").await;
    let id = scene.account["resourceId"].as_str().unwrap().to_owned();
    let limit = |kind: &str| {
        let text =
            format!("The daily limit of 4 unattended {kind} requests for product {id} has been reached");
        (429, "ACCESS_EXCEEDED".to_owned(), text)
    };
    let told = |answer: &Answer| (answer.status, answer.error().0, answer.error().1);
    for _ in 0..4 {
        assert_eq!(scene.read("balances").await.status, 200);
    }
    let fifth = scene.read("balances").await;
    assert_eq!(told(&fifth), limit("BALANCES"));
    assert_eq!(scene.attended("balances").await.status, 200, "with the customer there is no limit");
    for _ in 0..4 {
        assert_eq!(scene.read("transactions").await.status, 200, "counted on their own");
    }
    assert_eq!(told(&scene.read("transactions").await), limit("TRANSACTIONS"));
    for _ in 0..6 {
        assert_eq!(scene.server.send(&scene.tpp.read("/v1/accounts", &scene.consent)).await.status, 200);
    }
    // The day ends at midnight in Amsterdam, not in UTC.
    let midnight = |now: &str| {
        let now: jiff::Timestamp = now.parse().unwrap();
        let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let next = now.to_zoned_datetime(zone).date().tomorrow().unwrap();
        next.to_zoned_datetime(jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap())
            .unwrap()
            .timestamp()
    };
    let (_, clock) = scene.server.manage("GET", "/clock", Value::Null).await;
    let now = clock["clocks"][0]["now"].as_str().unwrap();
    let just_before = midnight(now) - jiff::SignedDuration::from_secs(30);
    let (status, _) =
        scene.server.manage("PUT", "/clock", json!({"tenant": "nl", "now": just_before.to_string()})).await;
    assert_eq!(status, 200);
    scene.consent = scene.tpp.refreshed(&scene.server, &scene.consent).await;
    assert_eq!(scene.read("balances").await.status, 429);
    scene.server.advance("nl", "PT31S").await;
    assert_eq!(scene.read("balances").await.status, 200);
    // A call that began before midnight and is counted after it, as at a machine whose clock is behind, is none of another day.
    for (now, statuses) in [
        (just_before, vec![200, 200, 200, 429]),
        (just_before + jiff::SignedDuration::from_secs(32), vec![429]),
        (just_before, vec![429]),
    ] {
        let body = json!({"tenant": "nl", "now": now.to_string()});
        assert_eq!(scene.server.manage("PUT", "/clock", body).await.0, 200);
        for status in statuses {
            assert_eq!(scene.read("balances").await.status, status, "{now}");
        }
    }
}

#[tokio::test]
async fn the_limit_holds_under_concurrency_and_is_the_consents_own() {
    let scene = Scene::with("nl", "household", |iban| {
        let mut body = detailed(iban, true);
        body["frequencyPerDay"] = json!(2);
        body
    })
    .await;
    let scene = std::sync::Arc::new(scene);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let scene = std::sync::Arc::clone(&scene);
        tasks.spawn(async move { scene.read("balances").await.status });
    }
    let statuses = tasks.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2);
    assert!(statuses.iter().all(|status| [200, 429].contains(status)));
    let refused = scene.read("balances").await;
    assert!(refused.error().1.starts_with("The daily limit of 2 "), "{}", refused.body);
}

#[tokio::test]
async fn one_off_consents_are_not_counted() {
    let scene = Scene::with("nl", "household", |iban| detailed(iban, false)).await;
    for _ in 0..6 {
        assert_eq!(scene.read("balances").await.status, 200);
        assert_eq!(scene.read("transactions").await.status, 200);
    }
}

#[tokio::test]
async fn dates_and_booking_status_select() {
    let scene = Scene::with("nl", "household", |iban| detailed(iban, false)).await;
    let all = scene.all("").await;
    let day = all[200]["bookingDate"].as_str().unwrap();
    let one_day = scene.all(&format!("?dateFrom={day}&dateTo={day}")).await;
    assert!(!one_day.is_empty() && one_day.iter().all(|one| one["bookingDate"] == day));
    let booked = scene.attended("transactions?bookingStatus=booked").await.json();
    assert_eq!(booked["transactions"]["pending"], json!([]));
    let pending = scene.attended("transactions?bookingStatus=pending").await.json();
    assert_eq!(pending["transactions"]["booked"], json!([]));
    let pending = pending["transactions"]["pending"].as_array().unwrap();
    assert!(!pending.is_empty());
    for one in pending {
        assert!(one.get("transactionId").is_none() && one.get("valueDate").is_none());
        assert!(one["bookingDate"].is_string());
    }
    let codes: std::collections::BTreeSet<_> =
        all.iter().filter_map(|one| one["proprietaryBankTransactionCode"].as_str()).collect();
    assert!(codes.len() >= 4, "{codes:?}");
}

#[tokio::test]
async fn pending_becomes_booked_when_the_clock_moves() {
    let mut scene = Scene::new("nl", "household").await;
    let pending = scene.attended("transactions").await.json()["transactions"]["pending"].clone();
    let what = pending[0]["remittanceInformationUnstructured"].as_str().unwrap().to_owned();
    scene.advance("P2D").await;
    let booked = scene.all("").await;
    let found = booked.iter().find(|one| one["remittanceInformationUnstructured"] == what.as_str());
    assert!(found.is_some_and(|one| one["transactionId"].is_string()), "{what}");
    scene.advance("P60D").await;
    let newest = scene.all("").await[0]["bookingDate"].as_str().unwrap().to_owned();
    assert!(newest.as_str() > booked[0]["bookingDate"].as_str().unwrap(), "the account lives on");
}

#[tokio::test]
async fn savings_are_accounts_of_their_own() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let accounts = customer["accounts"].as_array().unwrap();
    let iban = |kind: &str| {
        let found = accounts.iter().find(|account| account["cashAccountType"] == kind).unwrap();
        found["iban"].as_str().unwrap().to_owned()
    };
    let both = json!([{"iban": iban("CACC")}, {"iban": iban("SVGS"), "currency": "EUR"}]);
    let mut body = detailed(&iban("CACC"), false);
    body["access"] = json!({"accounts": both, "balances": both, "transactions": both});
    let consent = tpp.valid(&server, &body, &iban("CACC")).await;
    let read = async |path: &str| server.send(&tpp.read(path, &consent)).await;
    let current = read("/v1/accounts").await.json()["accounts"].clone();
    let savings = read("/v2/savings").await.json()["accounts"].clone();
    assert_eq!((current.as_array().unwrap().len(), savings.as_array().unwrap().len()), (1, 1));
    assert_eq!(
        (&current[0]["cashAccountType"], &savings[0]["cashAccountType"]),
        (&json!("CACC"), &json!("SVGS"))
    );
    let id = savings[0]["resourceId"].as_str().unwrap();
    assert_eq!(savings[0]["_links"]["account"], format!("/nl/v2/savings/{id}"));
    for kind in ["", "/balances", "/transactions"] {
        assert_eq!(read(&format!("/v2/savings/{id}{kind}")).await.status, 200);
        let wrong = read(&format!("/v1/accounts/{id}{kind}")).await;
        assert_eq!((wrong.status, wrong.error().0.as_str()), (403, "PRODUCT_INVALID"), "{}", wrong.body);
    }
    let id = current[0]["resourceId"].as_str().unwrap();
    let wrong = read(&format!("/v2/savings/{id}/balances")).await;
    assert_eq!((wrong.status, wrong.error().0.as_str()), (403, "PRODUCT_INVALID"));
    // What was put aside stands on both accounts.
    let path = format!("/v2/savings/{}/transactions", savings[0]["resourceId"].as_str().unwrap());
    let put_aside = read(&path).await.json()["transactions"]["booked"].clone();
    assert!(put_aside.as_array().unwrap().iter().any(|one| one["debtorAccount"]["iban"] == iban("CACC")));
}

#[tokio::test]
async fn restricted_to_limits_the_choice() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "saver").await;
    let mut body = bank_offered("9999-12-31");
    body["access"]["restrictedTo"] = json!(["SVGS"]);
    let consent = tpp.valid(&server, &body, customer["iban"].as_str().unwrap()).await;
    let read = async |path: &str| server.send(&tpp.read(path, &consent)).await.json()["accounts"].clone();
    assert_eq!(read("/v1/accounts").await, json!([]));
    assert_eq!(read("/v2/savings").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn one_number_in_three_currencies() {
    let scene = Scene::with("be_fr", "multi-currency", |iban| {
        let mut body = detailed(iban, false);
        body["access"]["balances"] = json!([{"iban": iban, "currency": "JPY"}]);
        body
    })
    .await;
    let accounts = scene.server.send(&scene.tpp.read("/v1/accounts", &scene.consent)).await.json();
    let accounts = accounts["accounts"].as_array().unwrap().clone();
    let currencies: Vec<_> = accounts.iter().map(|one| one["currency"].as_str().unwrap()).collect();
    assert_eq!(accounts.len(), 3, "{currencies:?}");
    for account in &accounts {
        let has_link = account["_links"].get("balances").is_some();
        assert_eq!(has_link, account["currency"] == "JPY", "links say what the consent covers");
        let id = account["resourceId"].as_str().unwrap();
        let path = format!("/v1/accounts/{id}/balances");
        let answer = scene.server.send(&scene.tpp.read(&path, &scene.consent)).await;
        if has_link {
            let amount = answer.json()["balances"][0]["balanceAmount"]["amount"].clone();
            assert!(!amount.as_str().unwrap().contains('.'), "yen have no minor units: {amount}");
        } else {
            assert_eq!((answer.status, answer.error().0.as_str()), (401, "CONSENT_INVALID"));
        }
    }
}

#[tokio::test]
async fn blocked_and_closed_accounts() {
    let scene = Scene::new("nl", "blocked").await;
    assert_eq!(scene.account["status"], "blocked");
    for kind in ["balances", "transactions"] {
        let refused = scene.read(kind).await;
        assert_eq!(
            (refused.status, refused.error().0.as_str()),
            (401, "CONSENT_INVALID"),
            "{}",
            refused.body
        );
        assert!(refused.error().1.contains("its status is blocked"));
    }
    let iban = scene.customer["iban"].as_str().unwrap();
    let (status, _) =
        scene.server.manage("PUT", &format!("/test-accounts/{iban}"), json!({"status": "enabled"})).await;
    assert_eq!((status, scene.read("balances").await.status), (200, 200));
    let closed = scene.server.customer("nl", "closed").await;
    let iban = closed["iban"].as_str().unwrap();
    let refused = scene.server.send(&scene.tpp.consent_request(&detailed(iban, true))).await;
    let expected = ("PRODUCT_INVALID".to_owned(), format!("Access to IBAN [{iban}] is not allowed"));
    assert_eq!((refused.status, refused.error()), (400, expected));
}

#[tokio::test]
async fn names_of_all_scripts_survive() {
    let scene = Scene::new("nl", "international").await;
    assert_eq!(scene.account["name"], "Zoë Çelik-Ørsted & Łukasz O'Nağy 山田");
    assert_eq!(scene.account["iban"], scene.customer["iban"]);
}

#[tokio::test]
async fn consents_age_by_the_clock_of_their_tenant() {
    let mut scene = Scene::new("nl", "student").await;
    let status = format!("/v1/consents/{}/status", scene.consent.id);
    let read = async |scene: &Scene| {
        scene.server.send(&scene.tpp.get(&status)).await.json()["consentStatus"].as_str().unwrap().to_owned()
    };
    scene.server.advance("uk", "P400D").await;
    assert_eq!(read(&scene).await, "valid");
    let path = format!("/v1/consents/{}", scene.consent.id);
    let consent = scene.server.send(&scene.tpp.get(&path)).await.json();
    let last: jiff::civil::Date = consent["validUntil"].as_str().unwrap().parse().unwrap();
    for (days, expected) in [(-90, "valid"), (0, "valid"), (1, "expired")] {
        let day = last + jiff::Span::new().days(days);
        let noon = json!({"tenant": "nl", "now": format!("{day}T12:00:00Z")});
        assert_eq!(scene.server.manage("PUT", "/clock", noon).await.0, 200);
        assert_eq!(read(&scene).await, expected, "{days} days after the last one");
        if expected == "valid" {
            scene.consent = scene.tpp.refreshed(&scene.server, &scene.consent).await;
        }
    }
    let refused = scene.read("balances").await;
    let text = format!("Operation not possible on consent {} with status expired", scene.consent.id);
    assert_eq!((refused.status, refused.error()), (401, ("CONSENT_INVALID".into(), text)));
    let refresh = scene.tpp.refresh(&scene.server, &scene.consent.refresh_token).await;
    assert_eq!(refresh.error().1, "Unknown refresh token");
}

#[tokio::test]
async fn the_customer_withdraws_at_the_bank() {
    let scene = Scene::new("nl", "student").await;
    let path = format!("/consents/{}/revocation", scene.consent.id);
    let (status, body) = scene.server.manage("POST", &path, Value::Null).await;
    assert_eq!((status, &body["consentStatus"]), (200, &json!("revokedByPsu")));
    let refused = scene.read("balances").await;
    assert!(refused.error().1.ends_with("with status revokedByPsu"), "{}", refused.body);
}

#[tokio::test]
async fn what_was_counted_and_granted_survives_a_restart() {
    let (_guard, folder) = testkit::free_folder();
    let start = async || {
        TestServer::with(|config| {
            config.data = vestibule::DataLocation::Folder(folder.clone());
        })
        .await
    };
    let server = start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let consent = tpp.valid(&server, &detailed(iban, true), iban).await;
    let accounts = server.send(&tpp.read("/v1/accounts", &consent)).await.json();
    let path = format!("/v1/accounts/{}/balances", accounts["accounts"][0]["resourceId"].as_str().unwrap());
    for _ in 0..3 {
        server.send(&tpp.read(&path, &consent)).await;
    }
    server.stop().await;
    let server = start().await;
    let read = async || server.send(&tpp.read(&path, &consent)).await.status;
    assert_eq!((read().await, read().await), (200, 429), "the same id, token and count");
    let trailing: Request = tpp.attended(&format!("{path}/"), &consent);
    assert_eq!(server.send(&trailing).await.status, 200, "a trailing slash is taken");
}
