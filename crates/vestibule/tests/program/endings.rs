//! What has to end of what customers gave, while somebody who ends it stands still, or cannot: a future that nobody polls goes no further,
//! so each order of events is one that a test chooses.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use gateway::domain::{Tpp, TppId};
use gateway::staff::{Deed, Member, StaffError, StaffRefusal};
use gateway::{Gateway, Lease};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::bunq::BunqClient;
use testkit::{CALLBACK, Request, TestServer, TestTpp, ValidConsent, detailed, free_folder};
use vestibule::DataLocation;

use crate::admin::{ID, jiff_minutes};
use crate::serve_command::LONG;

const GOOD: &str = "SELECT COUNT(*) FROM consents WHERE decision = 'confirmed'";
const OPEN: &str = "SELECT COUNT(*) FROM grants WHERE ended_at IS NULL";

/// Nothing that customers gave can be ended.
const STUCK: &str = "CREATE TRIGGER stuck BEFORE UPDATE ON consents WHEN NEW.decision = 'endedByBank'
     BEGIN SELECT RAISE(ABORT, 'stuck'); END;
     CREATE TRIGGER stuck_too BEFORE UPDATE ON grants WHEN NEW.ended_at IS NOT NULL
     BEGIN SELECT RAISE(ABORT, 'stuck'); END";
const UNSTUCK: &str = "DROP TRIGGER stuck; DROP TRIGGER stuck_too";

/// A bank whose database a test can change, and a customer of it.
struct Scene {
    server: TestServer,
    database: Connection,
    customer: Value,
    member: Member,
    _folder: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let (guard, folder) = free_folder();
        let server = TestServer::with(|config| config.data = DataLocation::Folder(folder.clone())).await;
        let database = Connection::open(folder.join("sandbox.db")).unwrap();
        database.busy_timeout(Duration::from_secs(30)).unwrap();
        let customer = server.customer("nl", "saver").await;
        let member = Member { name: "CN=Operator".to_owned(), certificate: "00".repeat(32) };
        Self { server, database, customer, member, _folder: guard }
    }

    fn gateway(&self) -> &Gateway {
        &self.server.running.sandbox.gateway
    }

    fn deed(&self) -> Deed<'_> {
        Deed { by: &self.member, reason: "Leaks.", request: "1" }
    }

    fn iban(&self) -> &str {
        self.customer["iban"].as_str().unwrap()
    }

    fn change(&self, sql: &str) {
        self.database.execute_batch(sql).unwrap();
    }

    fn number(&self, sql: &str) -> i64 {
        self.database.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// A third party with a consent that is good, and the same many times.
    async fn given(&self, count: u32) -> (TestTpp, ValidConsent) {
        let tpp = self.server.registered("nl", ID).await;
        let consent = tpp.valid(&self.server, &detailed(self.iban(), true), self.iban()).await;
        for (table, of) in [("consents", "id"), ("grants", "subject_id")] {
            let mut names =
                self.database.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
            let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
            let columns = names.map(Result::unwrap).collect::<Vec<_>>().join(", ");
            let columns = columns.replacen("id", "'more-' || i", 1);
            self.change(&format!(
                "CREATE TABLE more AS SELECT * FROM {table} WHERE {of} = '{}';
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
                 INSERT INTO {table} SELECT {columns} FROM more, n;
                 DROP TABLE more",
                consent.id
            ));
        }
        (tpp, consent)
    }

    /// Blocks it, and nothing has ended yet. From the next moment on all of it can end.
    async fn blocked(&self, id: &TppId) {
        self.change(STUCK);
        let (good, open) = (self.number(GOOD), self.number(OPEN));
        self.gateway().block(id, None, self.deed()).await.unwrap();
        assert_eq!((self.number(GOOD), self.number(OPEN)), (good, open));
        self.change(UNSTUCK);
    }
}

/// Lets some work go on until something is so, and no further.
async fn work_until<T>(mut work: Pin<&mut (impl Future<Output = T> + ?Sized)>, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    poll_fn(|context| {
        assert!(work.as_mut().poll(context).is_pending(), "it is over");
        assert!(began.elapsed() < LONG);
        context.waker().wake_by_ref();
        if is_so() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[tokio::test]
async fn whoever_waits_for_the_end_of_what_a_block_ends_takes_no_newer_block_away() {
    for is_shorter in [false, true] {
        let scene = Scene::new().await;
        scene.given(600).await;
        let (gateway, id) = (scene.gateway(), TppId::new(ID));
        scene.blocked(&id).await;
        let until = Some(gateway.system_time() + jiff_minutes(60)).filter(|_| is_shorter);
        let mut waiting: Pin<Box<dyn Future<Output = Result<Tpp, StaffError>> + '_>> = if is_shorter {
            Box::pin(gateway.block(&id, until, scene.deed()))
        } else {
            Box::pin(gateway.unblock(&id, scene.deed()))
        };
        work_until(waiting.as_mut(), || true).await;
        // In the same second, most likely: it looks like the one before.
        gateway.block(&id, None, scene.deed()).await.unwrap();
        let refused = waiting.await.unwrap_err();
        assert!(matches!(refused, StaffError::Refused(StaffRefusal::Moved(_))), "{refused:?}");
        assert!(refused.to_string().contains("was blocked anew"), "{refused}");
        let block = gateway.third_party(&id).await.unwrap().blocked.unwrap();
        assert_eq!(block.until, None);
        // Nobody else did anything meanwhile.
        assert_eq!(gateway.unblock(&id, scene.deed()).await.unwrap().blocked, None);
        assert_eq!((scene.number(GOOD), scene.number(OPEN)), (0, 0));
    }
}

#[tokio::test]
async fn whoever_stands_still_ends_nothing_that_customers_gave_since_a_block_was_lifted() {
    let scene = Scene::new().await;
    let (tpp, _) = scene.given(600).await;
    let (gateway, id) = (scene.gateway(), TppId::new(ID));
    scene.blocked(&id).await;
    let mut lease = Lease::new("of the test");
    let mut standing = pin!(gateway.go_on_ending(&mut lease));
    work_until(standing.as_mut(), || scene.number(OPEN) < 601).await;
    gateway.unblock(&id, scene.deed()).await.unwrap();
    let consent = tpp.valid(&scene.server, &detailed(scene.iban(), true), scene.iban()).await;
    standing.await.unwrap();
    assert_eq!((scene.number(GOOD), scene.number(OPEN)), (1, 1));
    let read = scene.server.send(&tpp.read("/v1/accounts", &consent)).await;
    assert_eq!(read.status, 200, "{}", read.body);
}

/// Whoever still knows of what one block ends does not take that of a later one for it.
#[tokio::test]
async fn what_two_blocks_end_is_told_apart() {
    let scene = Scene::new().await;
    scene.given(1).await;
    let id = TppId::new(ID);
    let version = "SELECT version FROM private_state WHERE owner = 'endings'";
    scene.change(STUCK);
    let mut versions = Vec::new();
    for _ in 0..2 {
        scene.gateway().block(&id, None, scene.deed()).await.unwrap();
        versions.push(scene.number(version));
        // As when all has ended.
        scene.change("DELETE FROM private_state WHERE owner = 'endings'");
        scene.gateway().unblock(&id, scene.deed()).await.unwrap();
    }
    assert_ne!(versions[0], versions[1]);
}

/// Nobody waits longer than a caller does, who would not know then what became of it.
#[tokio::test]
async fn whoever_wants_a_block_lifted_that_ends_much_is_told_to_ask_again() {
    let scene = Scene::new().await;
    scene.given(600).await;
    let (gateway, id) = (scene.gateway(), TppId::new(ID));
    scene.blocked(&id).await;
    // Nothing is written while somebody else writes.
    scene.change("BEGIN IMMEDIATE");
    tokio::time::pause();
    let mut waiting = pin!(gateway.unblock(&id, scene.deed()));
    work_until(waiting.as_mut(), || true).await;
    tokio::time::advance(Duration::from_secs(11)).await;
    let refused = waiting.await.unwrap_err();
    tokio::time::resume();
    scene.change("ROLLBACK");
    assert!(matches!(refused, StaffError::Refused(StaffRefusal::Ending(_))), "{refused:?}");
    assert!(refused.to_string().contains("is still ending"), "{refused}");
    assert!(gateway.third_party(&id).await.unwrap().blocked.is_some());
    gateway.unblock(&id, scene.deed()).await.unwrap();
    assert_eq!((scene.number(GOOD), scene.number(OPEN)), (0, 0));
}

#[tokio::test]
async fn another_certificate_comes_after_the_end_of_what_a_blocked_one_ends() {
    let scene = Scene::new().await;
    let (tpp, _) = scene.given(1).await;
    scene.change(STUCK);
    let path = format!("/test-certificates/{}", tpp.signer.certificate.fingerprint_hex());
    let blocked = scene.server.manage("PUT", &path, json!({"status": "blocked"})).await;
    assert_eq!(blocked.0, 200, "{}", blocked.1);
    let renewed = scene.server.tpp(ID).await;
    let token = scene.server.initial_access_token("nl", &renewed).await;
    let registration = Request::registration("nl", &token, &[CALLBACK]).certificate(&renewed);
    assert_eq!(scene.server.send(&registration).await.status, 500, "what can be used again is ended first");
    scene.change(UNSTUCK);
    let registered = scene.server.send(&registration).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    assert_eq!((scene.number(GOOD), scene.number(OPEN)), (0, 0));
}

/// Tokens at bunq's interface do not end with a consent: that a client is cancelled ends them, whoever waits for it.
#[tokio::test]
async fn what_customers_gave_a_cancelled_client_ends_before_there_is_another() {
    let scene = Scene::new().await;
    let provider = BunqClient::provider(&scene.server, "Cancelled AISP").await;
    let first = provider.oauth_client().await["id"].clone();
    provider.connect(&scene.server, &scene.customer).await;
    assert_eq!(scene.number(OPEN), 1);
    let clients = format!("/user/{}/oauth-client", provider.user);
    let (cancelled, next) =
        (json!({"status": "CANCELLED"}), json!({"status": "ACTIVE", "redirect_url": CALLBACK}));
    scene.change(STUCK);
    let path = format!("{clients}/{first}");
    assert_eq!(provider.put(&path, &cancelled).await.status, 500);
    // It is cancelled all the same, and there is no other before its tokens have ended.
    assert_eq!(provider.post(&clients, &next).await.status, 500);
    scene.change(UNSTUCK);
    let began = Instant::now();
    while scene.number(OPEN) > 0 {
        assert!(began.elapsed() < LONG, "nobody asked again, and it ends all the same");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(provider.post(&clients, &next).await.status, 200);
    let connected = provider.connect(&scene.server, &scene.customer).await;
    // The end of the one before is not the end of this one, however often it is asked for.
    assert_eq!(provider.put(&path, &cancelled).await.status, 200);
    assert_eq!(scene.number(OPEN), 1);
    let user = connected.get("/user").await;
    assert_eq!(user.status, 200, "{}", user.body);
}
