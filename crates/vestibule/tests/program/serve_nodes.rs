//! Two `vestibule serve` on one PostgreSQL, behind a load balancer that sends each request to the other one: whatever a third party
//! and a browser do, its second half comes to a node that has not seen the first one. Both are of this release, or one of them of the last
//! one.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use serde_json::{Value, json};
use testkit::{Answer, Request, TestServer, TestTpp, ValidConsent, database, detailed, euro_payment};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::serve::{Listeners, Scene, approve, consented, registered};
use crate::serve_command::{Program, behind, start, start_of};

type Nodes = Scene<[Program; 2]>;

/// Forwards each connection to the next of two addresses; a client here has one for each request.
async fn in_turns(to: [String; 2]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let next = AtomicUsize::new(0);
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let node = to[next.fetch_add(1, Ordering::Relaxed) % 2].clone();
            tokio::spawn(async move {
                let mut node = TcpStream::connect(node).await.unwrap();
                // Either side may be the one that ends it.
                let _ = copy_bidirectional(&mut client, &mut node).await;
            });
        }
    });
    address
}

/// Both nodes and the bank behind them. They start at the same time on an empty database; or one of the last release does, and then one of
/// this release, which brings the database up to date.
async fn nodes(last_release: Option<&Path>) -> (Nodes, tokio::task::JoinHandle<()>) {
    let core = TestServer::start().await;
    let (files, bank) = behind(&core, &database::make().await).await;
    let [one, other] = match last_release {
        Some(program) => [start_of(program, &files), start(&files)],
        None => thread::scope(|scope| {
            let started = [0, 1].map(|_| scope.spawn(|| start(&files)));
            started.map(|node| node.join().unwrap())
        }),
    };
    let pair = |of: fn(&Listeners) -> &String| [of(&one.1).clone(), of(&other.1).clone()];
    let listeners = Listeners {
        interface: in_turns(pair(|listeners| &listeners.interface)).await,
        pages: in_turns(pair(|listeners| &listeners.pages)).await,
        management: in_turns(pair(|listeners| &listeners.management)).await,
        admin: None,
    };
    (Scene { core, served: [one.0, other.0], files, listeners, bank: "Bank of the tests", clock: None }, bank)
}

/// What a later release does at its first start if it only adds: a column in each table, and a table.
const EXPANSION: &str = "DO $$ DECLARE name TEXT; BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
            EXECUTE format('ALTER TABLE %I ADD COLUMN of_the_next_release BIGINT NOT NULL DEFAULT 7', name);
        END LOOP;
    END $$;
    CREATE TABLE of_the_next_release (id TEXT PRIMARY KEY);
    UPDATE schema_version SET version = version + 1";

/// What an account will hold once all that is known is booked, in cents.
async fn expected(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let balances = answer.json();
    let mut balances = balances["balances"].as_array().unwrap().iter();
    let expected = balances.find(|one| one["balanceType"] == "expected").unwrap();
    expected["balanceAmount"]["amount"].as_str().unwrap().replace('.', "").parse().unwrap()
}

/// A payment that a customer approved is confirmed at both nodes at once: the bank makes it once.
async fn paid_once(scene: &Nodes, tpp: &TestTpp, client: &reqwest::Client, customer: &Value) {
    let mut body = euro_payment("12.50", "NL91ABNA0417164300");
    body["debtorAccount"] = json!({"iban": customer["iban"]});
    let request = tpp.payment_request("payments/sepa-credit-transfers", &body);
    let interface = scene.interface();
    let send = async |request: &Request| request.exchange(client, &interface).await;
    let (asked, repeated) = tokio::join!(send(&request), send(&request));
    assert_eq!((asked.status, repeated.status), (201, 201), "{} {}", asked.body, repeated.body);
    let asked = asked.json();
    assert_eq!(asked["paymentId"], repeated.json()["paymentId"], "the same request asks for one payment");

    let code = approve(scene, &asked, customer).await;
    let tokens = send(&tpp.token_request(&TestTpp::code_form(&code))).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let bearer = format!("Bearer {}", tokens.json()["access_token"].as_str().unwrap());
    let confirmation = || {
        let path = tpp.path_of(&asked["_links"]["scaStatus"]);
        let request = tpp.request("PUT", &path).set("content-type", "application/json");
        request.set("authorization", &bearer).signed(&tpp.signer)
    };
    let (first, second) = (confirmation(), confirmation());
    let (one, other) = tokio::join!(send(&first), send(&second));
    assert!([one.status, other.status].contains(&200), "{} {}", one.body, other.body);
    assert!(one.status < 500 && other.status < 500, "{} {}", one.body, other.body);
    let status = format!("{}/status", tpp.path_of(&asked["_links"]["self"]));
    for _ in 0..2 {
        let status = send(&tpp.get(&status)).await.json();
        assert_eq!(status["transactionStatus"], "ACSC", "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_half_may_come_to_another_node() {
    if !database::is_there() {
        return;
    }
    let (scene, _bank) = nodes(None).await;
    // A later release is started beside these, and brings the database up to date; they go on, with what they prepared before it.
    let later = async || {
        let address = fs::read_to_string(scene.files.path("database.address")).unwrap();
        database::connect_to(&address).await.batch_execute(EXPANSION).await.unwrap();
    };
    halves_of_everything(&scene, later).await;
    // And start again on it.
    drop(start(&scene.files));
}

/// While nodes are replaced by those of another release, both serve.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_them_may_be_of_the_last_release() {
    let Some(program) = testkit::last_release() else { return };
    if !database::is_there() {
        return;
    }
    let (scene, _bank) = nodes(Some(&program)).await;
    // One of the last release that is started again meanwhile finds a database that it can serve.
    halves_of_everything(&scene, async || drop(start_of(&program, &scene.files))).await;
}

/// A third party and a browser whose requests go to the two nodes in turns, and at once; something else happens meanwhile.
async fn halves_of_everything(scene: &Nodes, meanwhile: impl AsyncFnOnce()) {
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let interface = scene.interface();
    let send = async |request: &Request| request.exchange(&client, &interface).await;
    // Onboarding at one and registration at the other; a page is loaded from one and its form sent to the other.
    let tpp = registered(scene, &client).await;
    let consent = consented(scene, &tpp, &client, &customer).await;
    let accounts = send(&tpp.attended("/v1/accounts", &consent)).await;
    assert_eq!(accounts.status, 200, "{}", accounts.body);
    let account = accounts.json()["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
    let balances = format!("/v1/accounts/{account}/balances");

    let before = expected(&send(&tpp.attended(&balances, &consent)).await).await;
    paid_once(scene, &tpp, &client, &customer).await;
    meanwhile().await;
    let after = expected(&send(&tpp.attended(&balances, &consent)).await).await;
    assert_eq!(before - after, 1250, "it is made once");

    // Four reads a day without the customer, whoever counts, and however many come at once.
    let reads = || send_unattended(&tpp, &client, &interface, &balances, &consent);
    let (a, b, c, d, e, f) = tokio::join!(reads(), reads(), reads(), reads(), reads(), reads());
    let mut statuses = [a, b, c, d, e, f];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429]);

    // A code is good once, and what was made with it ends.
    let asked = send(&tpp.consent_request(&detailed(customer["iban"].as_str().unwrap(), true))).await.json();
    let code = approve(scene, &asked, &customer).await;
    let redeem = tpp.token_request(&TestTpp::code_form(&code));
    let (one, other) = tokio::join!(send(&redeem), send(&redeem));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "{} {}", one.body, other.body);

    paid_once(scene, &tpp, &client, &customer).await;

    // What ends at one has ended at the other.
    let end = tpp.request("DELETE", &format!("/v1/consents/{}", consent.id)).signed(&tpp.signer);
    assert_eq!(send(&end).await.status, 204);
    for _ in 0..2 {
        assert_eq!(send(&tpp.attended(&balances, &consent)).await.status, 401);
    }
    for _ in 0..2 {
        assert_eq!(scene.managed("/health/ready").await.0, 200);
    }
}

async fn send_unattended(
    tpp: &TestTpp,
    client: &reqwest::Client,
    interface: &str,
    path: &str,
    consent: &ValidConsent,
) -> u16 {
    tpp.read(path, consent).exchange(client, interface).await.status
}
