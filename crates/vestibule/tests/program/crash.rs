//! `kill -9`: what was acknowledged is there afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eidas::issue::{KeyType, generate_key};
use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro, shop};
use testkit::{Program, Request, Signer, free_folder};

use crate::BINARY;

const ROUNDS: u64 = 50;
const LANES: u64 = 4;
const PER_LANE: u64 = 12;

/// Fifty times: third parties register one after the other on four connections, the process is killed in the
/// middle of it, and after the restart every secret that was handed out opens the token endpoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_registration_is_lost() {
    let (_guard, folder) = free_folder();
    let data = folder.to_str().unwrap().to_owned();
    let start = || Program::sandbox(BINARY, &["--data", &data, "--tls-listen", "off"]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    // One key for all third parties: making one for each would be most of the test.
    let key = generate_key(KeyType::Rsa2048).unwrap();
    let mut program = start();
    let (mut acknowledged, mut cut_off) = (0, 0);
    for round in 0..ROUNDS {
        let done = Arc::new(AtomicU64::new(0));
        let mut prepared = Vec::new();
        for lane in 0..LANES {
            let mut requests = Vec::new();
            for number in 0..PER_LANE {
                let id = format!("PSDNL-DNB-K{round:02}-{lane}-{number}");
                requests.push((id.clone(), registration(&client, &program, &key, &id).await));
            }
            prepared.push(requests);
        }
        let lanes: Vec<_> = prepared
            .into_iter()
            .map(|requests| {
                let (client, origin, done) = (client.clone(), program.url("public"), Arc::clone(&done));
                tokio::spawn(register_until_it_dies(client, origin, requests, done))
            })
            .collect();
        // After another number of acknowledgements in each round, while the other lanes wait for theirs.
        while done.load(Ordering::SeqCst) < 1 + round * 5 % (LANES * PER_LANE - LANES) {
            tokio::task::yield_now().await;
        }
        program.kill();
        program = start();
        for lane in lanes {
            let secrets = lane.await.unwrap();
            cut_off += u64::from(secrets.len() < usize::try_from(PER_LANE).unwrap());
            for (id, secret) in secrets {
                acknowledged += 1;
                let good = secret_is_good(&client, &program.url("public"), &id, &secret).await;
                assert!(good, "round {round}: the registration of {id} was acknowledged and is lost");
            }
        }
    }
    assert!(acknowledged > 100, "only {acknowledged} registrations were acknowledged");
    assert!(cut_off > 100, "only {cut_off} of {} lanes were cut off in the middle", ROUNDS * LANES);
}

/// A third party that is ready to register.
async fn registration(
    client: &reqwest::Client,
    program: &Program,
    (private_key, public_key): &(String, String),
    id: &str,
) -> Request {
    let url = format!("{}/test-certificates", program.url("management"));
    let body = json!({"organizationIdentifier": id, "publicKey": public_key}).to_string();
    let answer = client.post(url).header("content-type", "application/json").body(body).send().await.unwrap();
    let made: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let signer = Signer::from_pem(made["certificate"].as_str().unwrap(), private_key, None);
    let answer = Request::onboarding("nl").signed(&signer).send(client, &program.url("public")).await;
    let token =
        answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned();
    Request::registration("nl", &token, &["https://tpp.example/cb"])
}

/// Registers one after the other; returns the secrets that were handed out before the server was gone.
async fn register_until_it_dies(
    client: reqwest::Client,
    origin: String,
    requests: Vec<(String, Request)>,
    done: Arc<AtomicU64>,
) -> Vec<(String, String)> {
    let mut secrets = Vec::new();
    for (id, request) in requests {
        let url = format!("{origin}{}", request.target);
        let sent = client.post(url).headers(request.headers).body(request.body).send().await;
        let Ok(answer) = sent else { break };
        let Ok(body) = answer.bytes().await else { break };
        let json: Value = serde_json::from_slice(&body).unwrap();
        secrets.push((id, json["client_secret"].as_str().unwrap().to_owned()));
        done.fetch_add(1, Ordering::SeqCst);
    }
    secrets
}

async fn secret_is_good(client: &reqwest::Client, origin: &str, id: &str, secret: &str) -> bool {
    let form = format!("grant_type=refresh_token&refresh_token=x&client_id={id}&client_secret={secret}");
    let answer = Request::new("POST", "/auth/nl/v1/token").form(&form).send(client, origin).await;
    answer.error().1 == "Unknown refresh token"
}

/// A sandbox at addresses that stay the same when it is started again.
pub(crate) struct Bank {
    data: String,
    ports: [u16; 2],
}

impl Bank {
    /// One that keeps everything in `data` below a folder.
    pub(crate) fn in_folder(folder: &std::path::Path) -> Self {
        let ports = [testkit::free_port(), testkit::free_port()];
        Self { data: folder.join("data").to_str().unwrap().to_owned(), ports }
    }

    pub(crate) fn start(&self) -> Program {
        let [listen, management] = self.ports.map(|port| format!("127.0.0.1:{port}"));
        let arguments = ["--data", &self.data, "--tls-listen", "off", "--listen", &listen];
        Program::sandbox(BINARY, &[&arguments[..], &["--management-listen", &management]].concat())
    }

    /// Runs `vestibule tpp`; returns whether it succeeded, and what it said.
    fn tpp(&self, state: &std::path::Path, arguments: &[&str]) -> (bool, String) {
        let [bank, management] = self.ports.map(|port| format!("http://127.0.0.1:{port}"));
        let to = ["--bank", &bank, "--management", &management, "--state", state.to_str().unwrap()];
        let output = testkit::command(BINARY).arg("tpp").args(arguments).args(to).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A consent allows four unattended reads a day. However often the bank is killed while they are made, there are
/// never more of them, and consent and tokens are still good.
#[test]
fn reads_are_counted_even_if_the_bank_is_killed() {
    let (_guard, folder) = free_folder();
    let bank = Bank::in_folder(&folder);
    let mut program = Some(bank.start());
    for round in 0..6_u64 {
        let state = folder.join(format!("state-{round}"));
        let (done, error) = bank.tpp(&state, &["flow", "ais", "--headless", "approve"]);
        assert!(done, "{error}");
        // Its own read of balances was the first of four. These come at once, each on its own.
        let before = std::sync::atomic::AtomicI32::new(1);
        std::thread::scope(|scope| {
            for reader in 0..4 {
                let (own, bank, before) = (folder.join(format!("reader-{round}-{reader}")), &bank, &before);
                testkit::run("cp", &["-r", state.to_str().unwrap(), own.to_str().unwrap()]);
                scope.spawn(move || {
                    let (done, _) = bank.tpp(&own, &["balances", "--beyond-budget"]);
                    before.fetch_add(i32::from(done), Ordering::SeqCst);
                });
            }
            std::thread::sleep(std::time::Duration::from_millis(3 + round * 4));
            program.take().unwrap().kill();
            program = Some(bank.start());
        });
        let mut reads = before.into_inner();
        loop {
            let (done, error) = bank.tpp(&state, &["balances", "--beyond-budget"]);
            if !done {
                assert!(error.contains("ACCESS_EXCEEDED"), "{error}");
                break;
            }
            reads += 1;
        }
        assert!(reads <= 4, "round {round}: {reads} unattended reads were answered");
    }
}

/// Customers of the bunq interface pay while the bank is killed: every payment that was acknowledged is in the books,
/// once, and every session, installation and client that was made is good afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_payment_is_lost_or_made_twice() {
    const ROUNDS: usize = 8;
    let (_guard, folder) = free_folder();
    let bank = Bank::in_folder(&folder);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut program = bank.start();
    let origin = program.url("public");
    let made = http
        .post(format!("{}/test-accounts", program.url("management")))
        .header("content-type", "application/json")
        .body(json!({"tenant": "nl", "persona": "saver", "balance": "5000.00"}).to_string());
    let made: Value = serde_json::from_slice(&made.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let client =
        BunqClient::install_at(&http, &origin).await.open(made["bunq"]["apiKey"].as_str().unwrap()).await;
    let account = client.account().await;
    let (before, mut acknowledged) = (client.balance(account).await, std::collections::BTreeSet::new());
    for round in 0..ROUNDS {
        let done = Arc::new(AtomicU64::new(0));
        let lanes: Vec<_> = (0..3)
            .map(|lane| {
                let (client, done) = (client.clone(), Arc::clone(&done));
                tokio::spawn(async move { pay_until_it_dies(&client, account, (round, lane), &done).await })
            })
            .collect();
        while done.load(Ordering::SeqCst) < 3 + round as u64 {
            tokio::task::yield_now().await;
        }
        program.kill();
        program = bank.start();
        for lane in lanes {
            acknowledged.extend(lane.await.unwrap());
        }
    }
    let mut booked: Vec<String> = Vec::new();
    let mut older = String::new();
    loop {
        let page = client.list(&client.below(account, &format!("/payment?count=200{older}"))).await;
        let Some(last) = page.last() else { break };
        older = format!("&older_id={}", last["id"]);
        let texts = page.iter().map(|one| one["description"].as_str().unwrap().to_owned());
        booked.extend(texts.filter(|text| text.starts_with("crash ")));
    }
    let unique: std::collections::BTreeSet<_> = booked.iter().cloned().collect();
    assert_eq!(unique.len(), booked.len(), "a payment was made twice");
    assert!(acknowledged.len() > ROUNDS * 3 && acknowledged.is_subset(&unique), "a payment was lost");
    assert_eq!(client.balance(account).await, before - i64::try_from(booked.len()).unwrap());
    program.kill();
}

/// Pays a cent again and again; returns the texts of the payments that were acknowledged.
async fn pay_until_it_dies(
    client: &BunqClient,
    account: i64,
    (round, lane): (usize, usize),
    done: &AtomicU64,
) -> Vec<String> {
    let mut paid = Vec::new();
    for number in 0..1000 {
        let text = format!("crash {round} {lane} {number}");
        let body = json!({"amount": euro("0.01"), "counterparty_alias": shop(), "description": text});
        let request = client.request("POST", &client.below(account, "/payment"), Some(&body));
        let url = format!("{}{}", client.origin, request.target);
        let sent = reqwest::Client::builder().no_proxy().build().unwrap();
        let sent = sent.post(url).headers(request.headers).body(request.body).send().await;
        let Ok(answer) = sent else { break };
        assert_eq!(answer.status(), 200);
        if answer.bytes().await.is_err() {
            break;
        }
        paid.push(text);
        done.fetch_add(1, Ordering::SeqCst);
    }
    paid
}
