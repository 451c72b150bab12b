//! `vestibule serve` as a program: a bank over the core bank interface behind it, a third party before it. It has the time of the
//! system.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use core_bank::server::tls::{Listener, TlsSettings};
use core_bank::server::{router, test_authority};
use gateway::Store;
use gateway::domain::Tenant;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::{Answer, Request, TestServer, database, euro_payment};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::BINARY;
use crate::configuration::Files;
use crate::serve::{Listeners, Scene, consented, error, presented, registered, write_configuration};
use crate::waiting::{listen_instead, until};

/// The program; it is killed when this is dropped.
pub(crate) struct Program(pub(crate) Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

pub(crate) fn command(files: &Files) -> Command {
    command_of(Path::new(BINARY), files)
}

fn command_of(program: &Path, files: &Files) -> Command {
    let mut command = Command::new(program);
    command.args(["serve", "--config"]).arg(files.path("vestibule.toml")).env_remove("VESTIBULE_NOW");
    command
}

/// Starts it and waits until it is ready.
pub(crate) fn start(files: &Files) -> (Program, Listeners) {
    start_of(Path::new(BINARY), files)
}

/// The same with another build of the program.
pub(crate) fn start_of(program: &Path, files: &Files) -> (Program, Listeners) {
    let mut child = command_of(program, files)
        .arg("--json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        panic!("{said}")
    });
    let text = |name: &str| ready[name].as_str().unwrap().trim_start_matches("http://").to_owned();
    let admin = ready["admin"].as_str().map(|url| url.trim_start_matches("https://").to_owned());
    let listeners = Listeners {
        interface: text("interface"),
        pages: text("pages"),
        management: text("management"),
        admin,
    };
    (Program(child), listeners)
}

/// Whoever waits longer than this would wait for ever.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// `traceparent` of the calls to the banks of all tests.
pub(crate) static CARRIED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Puts a bank behind the core bank interface: its address, and its listener. The gateway's files for it are written.
pub(crate) async fn bank_behind(core: &TestServer, files: &Files) -> (String, tokio::task::JoinHandle<()>) {
    bank_behind_way(core, files, |routes| routes).await
}

/// The same with something on the way to it.
pub(crate) async fn bank_behind_way(
    core: &TestServer,
    files: &Files,
    way: impl FnOnce(axum::Router) -> axum::Router,
) -> (String, tokio::task::JoinHandle<()>) {
    let made = test_authority::make(&["127.0.0.1".to_owned()]).unwrap();
    let signer =
        core.certificate(json!({"organizationIdentifier": "PSDNL-DNB-R654321", "profile": "qwac"})).await;
    for (name, text) in [
        ("anchors.pem", &core.running.sandbox.authorities.root_pem()),
        ("intermediates.pem", &signer.chain[0]),
        ("core-authority.pem", &made.authority),
        ("core-client.pem", &made.client),
        ("core-client.key", &made.client_key),
    ] {
        fs::write(files.path(name), text).unwrap();
    }
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", tcp.local_addr().unwrap());
    let tls = TlsSettings {
        certificate: made.server.into_bytes(),
        private_key: made.server_key.into_bytes(),
        client_authorities: made.authority.into_bytes(),
    };
    let branches = ["nl", "uk"].map(|branch| Tenant::parse(branch).unwrap()).to_vec();
    let (bank, books) =
        (core.running.sandbox.telling().await.unwrap(), Store::clone(&core.running.sandbox.store));
    let routes = router(bank, books, branches);
    let routes = routes.layer(axum::middleware::from_fn(
        async |request: axum::extract::Request, next: axum::middleware::Next| {
            if let Some(parent) = request.headers().get("traceparent") {
                CARRIED.lock().unwrap().push(parent.to_str().unwrap().to_owned());
            }
            next.run(request).await
        },
    ));
    let (listener, routes) = (Listener::begin(tcp, &tls).unwrap(), way(routes));
    (url, tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() }))
}

/// A gateway in front of a bank, and that bank's listener.
pub(crate) async fn scene() -> (Scene<Program>, tokio::task::JoinHandle<()>) {
    scene_with(TestServer::start().await, "").await
}

/// The same with files that are there, and lines added to the configuration.
pub(crate) async fn scene_of(files: Files, more: &str) -> (Scene<Program>, tokio::task::JoinHandle<()>) {
    scene_before(TestServer::start().await, files, more).await
}

/// Ends the core bank of such a scene. Whoever listens in its place is there and says nothing.
pub(crate) async fn silenced(scene: &Scene<Program>, bank: tokio::task::JoinHandle<()>) -> TcpListener {
    let text = fs::read_to_string(scene.files.path("vestibule.toml")).unwrap();
    let url = text.split("[core_bank]\nurl = \"https://").nth(1).unwrap().split('"').next().unwrap();
    bank.abort();
    let _ = bank.await;
    listen_instead(url).await
}

/// Makes a call that such a silent bank leaves without an answer, and goes away once the gateway has asked the bank; gives what it
/// asked on.
pub(crate) async fn gone_away(call: impl Future<Output = Answer>, silent: &TcpListener) -> Vec<TcpStream> {
    let (mut call, mut asked) = (pin!(call), Vec::new());
    // What comes first may be the question what happened at the bank, so the call gets a little longer from then on.
    let (patience, longer) = (Duration::from_secs(90), Duration::from_secs(1));
    let mut end = pin!(sleep(patience));
    loop {
        tokio::select! {
            answer = &mut call => panic!("{}", answer.body),
            arrived = silent.accept() => {
                if asked.is_empty() {
                    end.as_mut().reset(tokio::time::Instant::now() + longer);
                }
                asked.push(arrived.unwrap().0);
            }
            () = &mut end => {
                assert!(!asked.is_empty(), "the bank was not asked");
                return asked;
            }
        }
    }
}

/// The same before the books of a sandbox.
pub(crate) async fn scene_before(
    core: TestServer,
    files: Files,
    more: &str,
) -> (Scene<Program>, tokio::task::JoinHandle<()>) {
    let (url, bank) = bank_behind(&core, &files).await;
    write_configuration(&files, &url, more);
    let (served, listeners) = start(&files);
    (Scene { core, served, files, listeners, bank: "Bank of the tests", clock: None }, bank)
}

/// The same in front of the books of a sandbox, with an address of PostgreSQL, or none for a file.
pub(crate) async fn scene_with(
    core: TestServer,
    database: &str,
) -> (Scene<Program>, tokio::task::JoinHandle<()>) {
    let (files, bank) = behind(&core, database).await;
    let (served, listeners) = start(&files);
    (Scene { core, served, files, listeners, bank: "Bank of the tests", clock: None }, bank)
}

/// What is behind a gateway: the files of a gateway before a sandbox's books, and the listener of these.
pub(crate) async fn behind(core: &TestServer, database: &str) -> (Files, tokio::task::JoinHandle<()>) {
    let files = Files::new();
    let (url, bank) = bank_behind(core, &files).await;
    let path = write_configuration(&files, &url, "");
    if !database.is_empty() {
        fs::write(files.path("database.address"), database).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let other = "address_file = \"database.address\"";
        fs::write(&path, text.replace("sqlite_file = \"vestibule.db\"", other)).unwrap();
    }
    (files, bank)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_party_reads_and_pays_at_the_bank_behind() {
    let (mut scene, bank) = scene().await;
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let accounts = tpp.read("/v1/accounts", &consent).exchange(&client, &scene.interface()).await;
    assert_eq!(accounts.status, 200, "{}", accounts.body);
    let account = accounts.json()["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
    let balances = format!("/v1/accounts/{account}/balances");
    let before = tpp.read(&balances, &consent).exchange(&client, &scene.interface()).await;
    assert_eq!(before.status, 200, "{}", before.body);

    let mut body = euro_payment("12.50", "NL91ABNA0417164300");
    body["debtorAccount"] = json!({"iban": customer["iban"]});
    let asked = tpp.payment_request("payments/sepa-credit-transfers", &body);
    let asked = asked.exchange(&client, &scene.interface()).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    let payment = asked.json()["paymentId"].as_str().unwrap().to_owned();

    // What was acknowledged is there after the program was killed.
    drop(scene.served);
    (scene.served, scene.listeners) = start(&scene.files);
    let client = scene.client(Some(&qwac));
    let status = format!("/v1/payments/sepa-credit-transfers/{payment}/status");
    let status = tpp.request("GET", &status).signed(&tpp.signer).exchange(&client, &scene.interface()).await;
    assert_eq!(
        (status.status, &status.json()["transactionStatus"]),
        (200, &json!("RCVD")),
        "{}",
        status.body
    );
    let after = tpp.read(&balances, &consent).exchange(&client, &scene.interface()).await;
    assert_eq!((after.status, after.json()["balances"].is_array()), (200, true), "{}", after.body);

    // A door of a bank for tests is none here.
    let door = Request::new("GET", "/").set("accept", "text/html");
    assert_eq!(door.exchange(&client, &scene.interface()).await.status, 404);

    // The bank is away: its own error, and nothing else stops.
    bank.abort();
    let _ = bank.await;
    let away = tpp.read(&balances, &consent).exchange(&client, &scene.interface()).await;
    assert!(
        away.status == 503 && away.body.contains("the service is not available; try again later"),
        "{}",
        away.body
    );
    assert_eq!(scene.managed("/health/ready").await.0, 200, "all nodes have the same bank");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_reload_and_drain() {
    let (mut scene, _bank) = scene().await;
    let before = presented(&scene.client(None), &scene.interface()).await;
    // What is wrong changes nothing.
    let right = fs::read(scene.files.path("vestibule.toml")).unwrap();
    let wrong = "[bank]\nname = 1\n[database]\naddress_file = \"postgres://u:swordfish@db/x\"\n";
    fs::write(scene.files.path("vestibule.toml"), wrong).unwrap();
    scene.served.signal(Signal::HUP);
    let stderr = scene.served.0.stderr.take().unwrap();
    let mut lines = BufReader::new(stderr).lines().map(Result::unwrap);
    // It trusts a sandbox, which is told at each start.
    assert!(lines.any(|line| line.contains("is an authority for tests")));
    let told = lines.find(|line| line.contains("the configuration is wrong; nothing changes")).unwrap();
    assert!(told.contains("[database] address: ") && !told.contains("swordfish"), "{told}");
    let now = presented(&scene.client(None), &scene.interface()).await;
    assert!(now == before, "another certificate is presented");

    fs::write(scene.files.path("vestibule.toml"), right).unwrap();
    let renewed = scene.files.ca.issue_server(&["api.bank.example.com", "127.0.0.1"]);
    scene.files.pair("interface", &renewed);
    scene.served.signal(Signal::HUP);
    assert!(lines.any(|line| line.contains("certificates and trust were read again")));
    let now = presented(&scene.client(None), &scene.interface()).await;
    assert!(now == renewed.certificate.der, "the old certificate is presented");

    // Whether revocations are asked about changes too.
    let (qwac, seal) = (scene.certificate("qwac").await, scene.certificate("qseal").await);
    let client = scene.client(Some(&qwac));
    let text = fs::read_to_string(scene.files.path("vestibule.toml")).unwrap();
    for (number, asks, status) in [(1, false, 200), (2, true, 503), (3, false, 200)] {
        let asks = format!("check_revocation = {asks}");
        fs::write(scene.files.path("vestibule.toml"), text.replace("check_revocation = false", &asks))
            .unwrap();
        scene.served.signal(Signal::HUP);
        assert!(lines.any(|line| line.contains("certificates and trust were read again")));
        let onboarding = Request::onboarding("nl").set("x-request-id", format!("hup-{number}")).signed(&seal);
        let answer = onboarding.exchange(&client, &scene.interface()).await;
        assert_eq!(answer.status, status, "{asks}: {}", answer.body);
    }

    scene.served.signal(Signal::TERM);
    let ended = scene.served.0.wait().unwrap();
    assert!(ended.success(), "{ended}");
}

/// A way to the database of an address that can be shut: the address by this way, and what shuts it.
async fn way_to(address: &str) -> (String, watch::Sender<bool>) {
    let part = |name: &str| address.split(' ').find_map(|part| part.strip_prefix(name)).unwrap().to_owned();
    let (host, port) = (part("host="), part("port="));
    let socket = Path::new(&host).join(format!(".s.PGSQL.{port}"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = format!("host=127.0.0.1 port={}", listener.local_addr().unwrap().port());
    let (open, is_open) = watch::channel(true);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let (socket, mut is_open) = (socket.clone(), is_open.clone());
            tokio::spawn(async move {
                if *is_open.borrow() {
                    let mut server = UnixStream::connect(socket).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = is_open.wait_for(|is_open| !is_open) => {}
                    }
                }
            });
        }
    });
    (address.replace(&format!("host={host} port={port}"), &here), open)
}

/// Whom staff stops while the database is away is stopped when it is back, without another signal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_list_is_taken_up_while_the_database_is_away() {
    if !database::is_there() {
        return;
    }
    let (address, way) = way_to(&database::make().await).await;
    let (mut scene, _bank) = scene_with(TestServer::start().await, &address).await;
    let (qwac, seal) = (scene.certificate("qwac").await, scene.certificate("qseal").await);
    let client = scene.client(Some(&qwac));
    let (interface, calls) = (scene.interface(), AtomicUsize::new(0));
    let onboard = async || {
        let id = format!("stopped-{}", calls.fetch_add(1, Ordering::Relaxed));
        let request = Request::onboarding("nl").set("x-request-id", id).signed(&seal);
        request.exchange(&client, &interface).await
    };
    assert_eq!(onboard().await.status, 200);

    way.send(false).unwrap();
    assert_eq!(onboard().await.status, 503);
    fs::write(scene.files.path("stop-list.txt"), qwac.certificate.fingerprint_hex()).unwrap();
    let path = scene.files.path("vestibule.toml");
    let text = fs::read_to_string(&path).unwrap() + "[register]\nstop_list_file = \"stop-list.txt\"\n";
    fs::write(&path, text).unwrap();
    let mut lines = BufReader::new(scene.served.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    scene.served.signal(Signal::HUP);
    assert!(lines.any(|line| line.contains("certificates and trust were read again")));
    assert!(lines.any(|line| line.contains("send SIGHUP again once this is mended")));

    way.send(true).unwrap();
    let answer = until(401, onboard).await;
    assert_eq!(error(&answer), "CERTIFICATE_BLOCKED", "{}", answer.body);
}

/// A way to a bank that can be held: the bank's address by this way, what holds it, and how many requests it holds.
async fn way_that_holds(bank: &str) -> (String, watch::Sender<bool>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = format!("https://{}", listener.local_addr().unwrap());
    let (bank, held) = (bank.trim_start_matches("https://").to_owned(), Arc::new(AtomicUsize::new(0)));
    let (open, is_open) = watch::channel(true);
    let counted = Arc::clone(&held);
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(&bank).await.unwrap();
            let (mut is_open, held) = (is_open.clone(), Arc::clone(&counted));
            let ((mut from, mut back), (mut answers, mut to)) = (client.into_split(), server.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
            tokio::spawn(async move {
                let mut octets = [0; 4096];
                while let Some(length) = from.read(&mut octets).await.ok().filter(|length| *length > 0) {
                    if !*is_open.borrow() {
                        held.fetch_add(1, Ordering::Relaxed);
                        let _ = is_open.wait_for(|is_open| *is_open).await;
                    }
                    let _ = to.write_all(&octets[..length]).await;
                }
            });
        }
    });
    (here, open, held)
}

/// What the bank takes longer for than a call takes by itself is answered before the gateway ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_the_bank_still_answers_is_answered_at_a_stop() {
    let (core, files) = (TestServer::start().await, Files::new());
    let (url, _bank) = bank_behind(&core, &files).await;
    let (url, open, held) = way_that_holds(&url).await;
    let path = write_configuration(&files, &url, "");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("[management]", "answer_within = \"30s\"\n[management]")).unwrap();
    let (served, listeners) = start(&files);
    let mut scene = Scene { core, served, files, listeners, bank: "Bank of the tests", clock: None };
    let customer = scene.core.customer("nl", "saver").await;
    let client = scene.client(Some(&scene.certificate("qwac").await));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;

    open.send(false).unwrap();
    let read = tokio::spawn({
        let (request, interface) = (tpp.attended("/v1/accounts", &consent), scene.interface());
        async move { request.exchange(&client, &interface).await }
    });
    let begun = Instant::now();
    while held.load(Ordering::Relaxed) == 0 {
        assert!(begun.elapsed() < LONG, "the bank is not asked");
        sleep(Duration::from_millis(20)).await;
    }
    // What was asked may be what the gateway asks by itself: calls are still taken while it drains.
    sleep(Duration::from_secs(1)).await;
    scene.served.signal(Signal::TERM);
    // Longer than it drains, and than a call takes by itself.
    sleep(Duration::from_secs(12)).await;
    assert!(!read.is_finished());
    open.send(true).unwrap();
    let answer = read.await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(scene.served.0.wait().unwrap().success());
}

/// A node that waits for whoever brings the database up to date can be told to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_can_be_given_up() {
    if !database::is_there() {
        return;
    }
    let core = TestServer::start().await;
    let address = database::make().await + " application_name=given_up";
    drop(Store::connect(&address).await.unwrap());
    let (files, _bank) = behind(&core, &address).await;
    let mut migrating = database::connect_to(&address).await;
    let migrating = migrating.transaction().await.unwrap();
    migrating.batch_execute("SELECT version FROM schema_version FOR UPDATE").await.unwrap();
    let beside = database::connect().await;
    for signal in [Signal::TERM, Signal::INT] {
        let mut program = Program(command(&files).spawn().unwrap());
        let waits =
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'given_up' AND wait_event_type = 'Lock'";
        let begun = Instant::now();
        while beside.query(waits, &[]).await.unwrap().is_empty() {
            assert!(begun.elapsed() < LONG, "it does not wait");
        }
        program.signal(signal);
        let ended = loop {
            if let Some(ended) = program.0.try_wait().unwrap() {
                break ended;
            }
            assert!(begun.elapsed() < LONG, "it does not end");
            sleep(Duration::from_millis(20)).await;
        };
        assert!(ended.success(), "{ended}");
        // The server notices that nobody waits any more when it has something to say.
        let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'given_up' AND wait_event_type = 'Lock'";
        beside.query(all, &[]).await.unwrap();
    }
}

/// A node whose clock is far from that of the database would forget for all what has ended by its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_another_time_than_the_database_forgets_nothing() {
    if !database::is_there() {
        return;
    }
    let core = TestServer::start().await;
    let address = database::make().await;
    let schema = address.split("search_path=").nth(1).unwrap().split([' ', '\'']).next().unwrap();
    let beside = database::connect_to(&address).await;
    // What the database takes for its clock.
    let clock = format!(
        "CREATE TABLE shift AS SELECT INTERVAL '-400 days' AS by;
         CREATE FUNCTION {schema}.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
         'SELECT pg_catalog.clock_timestamp() + (SELECT by FROM {schema}.shift)'"
    );
    beside.batch_execute(&clock).await.unwrap();
    let shift = async |by: &str| {
        beside.batch_execute(&format!("UPDATE shift SET by = INTERVAL '{by}'")).await.unwrap();
    };
    let first = format!("search_path={schema},pg_catalog");
    let address = address.replace(&format!("search_path={schema}"), &first);
    let (files, _bank) = behind(&core, &address).await;
    for (by, says) in
        [("-400 days", "seconds ahead of that of the"), ("6 minutes", "seconds behind that of the")]
    {
        shift(by).await;
        let output = command(&files).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains(says), "{said}");
    }

    shift("4 minutes").await;
    let (served, listeners) = start(&files);
    let scene = Scene { core, served, files, listeners, bank: "Bank of the tests", clock: None };
    let leases = async || {
        let all = beside.query("SELECT name FROM leases ORDER BY name", &[]).await.unwrap();
        all.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>()
    };
    let begun = Instant::now();
    while !leases().await.contains(&"forgetting".to_owned()) {
        assert!(begun.elapsed() < LONG, "nobody forgets");
    }
    let wrong = async |is_wrong: bool| loop {
        let (status, body) = scene.managed("/health/ready").await;
        assert_eq!(status, 200, "{body}");
        if body.contains("it is not that of the database") == is_wrong {
            break;
        }
        assert!(begun.elapsed() < LONG, "{body}");
        sleep(Duration::from_millis(50)).await;
    };
    wrong(false).await;
    shift("-400 days").await;
    wrong(true).await;
    // Each lease is asked for every five seconds.
    sleep(Duration::from_secs(6)).await;
    beside.batch_execute("DELETE FROM leases").await.unwrap();
    sleep(Duration::from_secs(6)).await;
    assert!(leases().await.is_empty(), "{:?}", leases().await);
    shift("0 seconds").await;
    wrong(false).await;
    while !leases().await.contains(&"forgetting".to_owned()) {
        assert!(begun.elapsed() < LONG, "nobody forgets");
    }
}

#[test]
fn what_is_wrong_at_the_start_is_told_with_its_line() {
    let files = Files::new();
    let said = |command: &mut Command| {
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = said(&mut command(&files));
    assert!(code == Some(1) && text.contains("vestibule.toml"), "{text}");
    fs::write(files.path("vestibule.toml"), "[bank]\nname = 1\n").unwrap();
    let (code, text) = said(&mut command(&files));
    assert!(code == Some(1) && text.contains("vestibule.toml:2: "), "{text}");
    let (code, text) = said(command(&files).args(["--now", "2030-01-01T00:00:00Z"]));
    assert!(code == Some(1) && text.contains("leave --now out"), "{text}");
}
