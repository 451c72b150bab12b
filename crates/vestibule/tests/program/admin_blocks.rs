//! Blocks without an end by the bank's staff: they hold at once however much customers gave, and what customers gave ends behind them,
//! whatever becomes of the node, and before they are lifted.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Request as Incoming, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use reqwest::Client;
use serde_json::{Value, json};
use testkit::{Answer, Request, Signer, TestServer, TestTpp, ValidConsent, database, detailed};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::admin::{ID, People, get, post, refused, staffed};
use crate::admin_erasure::columns;
use crate::audit::{entries, tamper};
use crate::configuration::Files;
use crate::serve::{Scene, consented, error, registered, try_to_decide, write_configuration};
use crate::serve_command::{LONG, bank_behind, bank_behind_way, scene_of, start};

/// A third party with a consent that is good, and the people who decide about it.
struct Given {
    qwac: Signer,
    tpp: TestTpp,
    consent: ValidConsent,
    operator: Client,
}

impl Given {
    async fn at<S>(scene: &Scene<S>, people: &People) -> Self {
        let customer = scene.core.customer("nl", "saver").await;
        let qwac = scene.certificate("qwac").await;
        let client = scene.client(Some(&qwac));
        let tpp = registered(scene, &client).await;
        let consent = consented(scene, &tpp, &client, &customer).await;
        Self { qwac, tpp, consent, operator: scene.client(Some(&people.operator)) }
    }

    async fn read<S>(&self, scene: &Scene<S>) -> Answer {
        let client = scene.client(Some(&self.qwac));
        self.tpp.read("/v1/accounts", &self.consent).exchange(&client, &scene.interface()).await
    }

    /// What somebody of the staff does about the third party.
    async fn act(&self, admin: &str, act: &str) -> Answer {
        post(&self.operator, admin, &format!("/third-parties/{ID}/{act}"), &json!({"reason": "Leaks."})).await
    }

    async fn state(&self, admin: &str, id: &str) -> Value {
        let consent = get(&self.operator, admin, &format!("/consents/{id}")).await;
        assert_eq!(consent.status, 200, "{}", consent.body);
        consent.json()["state"].clone()
    }

    async fn wait_until_ended(&self, admin: &str, id: &str) {
        let began = Instant::now();
        while self.state(admin, id).await != "expired" {
            assert!(began.elapsed() < LONG, "{id} does not end");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// What the database of a scene says, as one number.
fn number<S>(scene: &Scene<S>, sql: &str) -> i64 {
    let database = rusqlite::Connection::open(scene.files.path("vestibule.db")).unwrap();
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Makes so many more consents and grants of one that is good.
fn multiply(scene: &Scene, id: &str, count: u32) {
    for (table, of) in [("consents", "id"), ("grants", "subject_id")] {
        let columns = columns(scene, table).replacen("id", "'more-' || i", 1);
        tamper(
            scene,
            &format!(
                "CREATE TABLE more AS SELECT * FROM {table} WHERE {of} = '{id}';
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
                 INSERT INTO {table} SELECT {columns} FROM more, n;
                 DROP TABLE more"
            ),
        );
    }
}

const GOOD: &str = "SELECT COUNT(*) FROM consents WHERE decision = 'confirmed'";
const ENDING: &str = "SELECT COUNT(*) FROM private_state WHERE owner = 'endings'";
const OPEN: &str = "SELECT COUNT(*) FROM grants WHERE ended_at IS NULL";

/// Consents cannot be written for some reason, and then the node dies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_holds_at_once_and_what_customers_gave_ends_whatever_becomes_of_the_node() {
    let files = Files::new();
    let people = People::of(&files.ca);
    let (mut scene, _bank) = scene_of(files, &people.section()).await;
    let admin = format!("https://{}", scene.listeners.admin.clone().unwrap());
    let given = Given::at(&scene, &people).await;
    assert_eq!(given.read(&scene).await.status, 200);
    tamper(
        &scene,
        "CREATE TRIGGER stuck BEFORE UPDATE ON consents WHEN NEW.decision = 'endedByBank'
         BEGIN SELECT RAISE(ABORT, 'stuck'); END",
    );
    let blocked = given.act(&admin, "block").await;
    assert_eq!((blocked.status, &blocked.json()["state"]), (200, &json!("blocked")), "{}", blocked.body);
    assert_eq!(error(&given.read(&scene).await), "CERTIFICATE_BLOCKED");
    let acts = entries(&scene, &people, &admin, "?kind=acts").await;
    assert!(acts.iter().any(|act| act["act"] == "block" && act["to"] == ID), "{acts:?}");
    assert_eq!(given.state(&admin, &given.consent.id).await, "valid");
    // As long as something that was to end could be used again, the block stays.
    refused(&given.act(&admin, "unblock").await, 500, &["internal_error"]);
    assert_eq!(error(&given.read(&scene).await), "CERTIFICATE_BLOCKED");

    drop(scene.served);
    rusqlite::Connection::open(scene.files.path("vestibule.db"))
        .unwrap()
        .execute_batch("DROP TRIGGER stuck")
        .unwrap();
    (scene.served, scene.listeners) = start(&scene.files);
    let admin = format!("https://{}", scene.listeners.admin.clone().unwrap());
    given.wait_until_ended(&admin, &given.consent.id).await;
    let lifted = given.act(&admin, "unblock").await;
    assert_eq!((lifted.status, &lifted.json()["state"]), (200, &json!("active")), "{}", lifted.body);
    assert_eq!(given.read(&scene).await.status, 401, "it has ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_many_pages_before_a_block_is_lifted() {
    let (scene, people, admin) = staffed().await;
    let given = Given::at(&scene, &people).await;
    multiply(&scene, &given.consent.id, 2_100);
    assert_eq!((number(&scene, GOOD), number(&scene, OPEN)), (2_101, 2_101));
    let blocked = given.act(&admin, "block").await;
    assert_eq!(blocked.status, 200, "{}", blocked.body);
    // One with an end takes its place, and would let the third party act again by itself.
    let until = (testkit::now() + crate::admin::jiff_minutes(60)).to_string();
    let body = json!({"reason": "Less bad.", "until": until});
    let shorter = post(&given.operator, &admin, &format!("/third-parties/{ID}/block"), &body).await;
    assert_eq!(shorter.status, 200, "{}", shorter.body);
    assert_eq!((number(&scene, GOOD), number(&scene, OPEN)), (0, 0));
    // What customers give from then on is nobody's to end.
    assert_eq!(given.act(&admin, "unblock").await.status, 200);
    let customer = scene.core.customer("nl", "saver").await;
    let client = scene.client(Some(&given.qwac));
    let consent = consented(&scene, &given.tpp, &client, &customer).await;
    assert_eq!(number(&scene, ENDING), 0);
    assert_eq!(given.state(&admin, &consent.id).await, "valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_by_itself_stays_as_it_was_when_a_third_party_is_blocked() {
    let (scene, people, admin) = staffed().await;
    let given = Given::at(&scene, &people).await;
    let all = columns(&scene, "consents");
    // One whose last day is over, and one that was approved two days ago and never confirmed.
    for (id, changes) in [
        ("over", "valid_until = '2020-02-29', created_at = 1580000000, last_action_at = 1580000000"),
        ("late", "decision = 'pending', created_at = created_at - 172800"),
    ] {
        tamper(
            &scene,
            &format!(
                "CREATE TABLE more AS SELECT * FROM consents WHERE id = '{}';
                 UPDATE more SET id = '{id}', {changes};
                 INSERT INTO consents ({all}) SELECT {all} FROM more;
                 DROP TABLE more",
                given.consent.id
            ),
        );
    }
    let rows = |ids: &str| {
        let database = rusqlite::Connection::open(scene.files.path("vestibule.db")).unwrap();
        let sql = format!(
            "SELECT id || ' ' || decision || ' ' || last_action_at || ' ' || forget_at || ' ' || version \
             FROM consents WHERE id {ids} ORDER BY id"
        );
        let mut rows = database.prepare(&sql).unwrap();
        rows.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let ended = rows("IN ('over', 'late')");
    assert_eq!(ended.len(), 2, "{ended:?}");
    let blocked = given.act(&admin, "block").await;
    assert_eq!(blocked.status, 200, "{}", blocked.body);
    assert_eq!(rows("IN ('over', 'late')"), ended);
    assert_eq!(given.state(&admin, "late").await, "rejected");
    // What was good is remembered from its end on.
    let since_end = format!(
        "SELECT forget_at - last_action_at FROM consents WHERE id = '{}' AND decision = 'endedByBank'",
        given.consent.id
    );
    assert_eq!(number(&scene, &since_end), 400 * 24 * 3600);
}

/// The way to the bank's customers, on which one of the questions which accounts somebody has takes long.
#[derive(Debug, Clone, Default)]
struct Accounts(Arc<Way>);

#[derive(Debug, Default)]
struct Way {
    asked: AtomicUsize,
    /// Which one, from 1 on; 0 for none.
    held: AtomicUsize,
    has_come: Notify,
    may_go: Notify,
}

async fn hold(State(Accounts(way)): State<Accounts>, request: Incoming, next: Next) -> Response {
    if request.uri().path().ends_with("/accounts") {
        let number = way.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if number == way.held.load(Ordering::SeqCst) {
            way.has_come.notify_one();
            way.may_go.notified().await;
        }
    }
    next.run(request).await
}

/// The bank takes long to answer while a customer approves, and meanwhile it blocks the third party.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_customer_approves_while_a_block_comes_is_not_given() {
    let (core, files, accounts) = (TestServer::start().await, Files::new(), Accounts::default());
    let (people, way) = (People::of(&files.ca), accounts.clone());
    let held = |routes: axum::Router| routes.layer(from_fn_with_state(way, hold));
    let (url, _bank) = bank_behind_way(&core, &files, held).await;
    write_configuration(&files, &url, &people.section());
    let (served, listeners) = start(&files);
    let admin = format!("https://{}", listeners.admin.clone().unwrap());
    let scene = Scene { core, served, files, listeners, bank: "Bank of the tests", clock: None };
    let given = Given::at(&scene, &people).await;
    let way = accounts.0;
    // The last time that somebody asks is when the customer approves.
    let times = way.asked.swap(0, Ordering::SeqCst);
    way.held.store(times, Ordering::SeqCst);
    let customer = scene.core.customer("nl", "saver").await;
    let client = scene.client(Some(&given.qwac));
    let request = given.tpp.consent_request(&detailed(customer["iban"].as_str().unwrap(), true));
    let asked = request.exchange(&client, &scene.interface()).await.json();
    let id = asked["consentId"].as_str().unwrap();
    let block = async {
        timeout(LONG, way.has_come.notified()).await.unwrap();
        let blocked = given.act(&admin, "block").await;
        assert_eq!(blocked.status, 200, "{}", blocked.body);
        let began = Instant::now();
        while number(&scene, ENDING) > 0 {
            assert!(began.elapsed() < LONG, "what customers gave does not end");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        way.may_go.notify_one();
    };
    let (said, ()) = tokio::join!(try_to_decide(&scene, &asked, &customer, "approve"), block);
    assert!(!said.header("location").contains("code="), "{}", said.header("location"));
    assert_eq!(given.state(&admin, id).await, "received");
    let lifted = given.act(&admin, "unblock").await;
    assert_eq!(lifted.status, 200, "{}", lifted.body);
    assert_eq!(given.state(&admin, id).await, "received", "nobody approved it");
}

/// Each call moves the end of the audit trail on, and consents take long to be written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_comes_about_while_others_call() {
    if !database::is_there() {
        return;
    }
    let (core, files) = (TestServer::start().await, Files::new());
    let people = People::of(&files.ca);
    let address = database::make().await;
    let (url, _bank) = bank_behind(&core, &files).await;
    let path = write_configuration(&files, &url, &people.section());
    fs::write(files.path("database.address"), &address).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let other = "address_file = \"database.address\"";
    fs::write(&path, text.replace("sqlite_file = \"vestibule.db\"", other)).unwrap();
    let (served, listeners) = start(&files);
    let admin = format!("https://{}", listeners.admin.clone().unwrap());
    let scene = Scene { core, served, files, listeners, bank: "Bank of the tests", clock: None };
    let given = Given::at(&scene, &people).await;
    let database = database::connect_to(&address).await;
    let id = &given.consent.id;
    let more = format!(
        "INSERT INTO consents SELECT (jsonb_populate_record(c, jsonb_build_object('id', 'more-' || i))).* \
         FROM consents c, generate_series(1, 1800) i WHERE c.id = '{id}';
         CREATE FUNCTION slow() RETURNS trigger AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END $$ LANGUAGE plpgsql;
         CREATE TRIGGER slow BEFORE UPDATE ON consents FOR EACH ROW WHEN (NEW.decision = 'endedByBank') EXECUTE FUNCTION slow();"
    );
    database.batch_execute(&more).await.unwrap();
    let (client, interface) = (scene.client(None), scene.interface());
    let calls = tokio::spawn(async move {
        loop {
            Request::new("GET", "/none").exchange(&client, &interface).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let blocked = given.act(&admin, "block").await;
    assert_eq!((blocked.status, &blocked.json()["state"]), (200, &json!("blocked")), "{}", blocked.body);
    let good = async || {
        let sql = "SELECT COUNT(*) FROM consents WHERE decision = 'confirmed'";
        database.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)
    };
    let began = Instant::now();
    while good().await > 0 {
        assert!(began.elapsed() < LONG, "what customers gave does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    calls.abort();
}
