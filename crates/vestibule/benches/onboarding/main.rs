//! The project's benchmark: the signed onboarding call against the least it could cost.
//!
//! One command, `cargo bench`, starts both servers as processes of their own, signs requests ahead, and measures
//! them in turns on the same machine in the same run. What counts is the ratio; rates alone say more about the
//! machine than about the program. Start-up time and resident memory are printed too.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may stop, and prints its result")]

mod bare;
mod load;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use eidas::issue::{KeyType, generate_key};
use http_signatures::key::PrivateKey;
use serde_json::{Value, json};
use testkit::{Request, Signer};

const BINARY: &str = env!("CARGO_BIN_EXE_vestibule");
const CONNECTIONS: usize = 32;
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_secs(1);
const SIGNED_AHEAD: usize = 512;

/// The least ratio that is acceptable, see docs/architecture.md.
const GOAL: f64 = 0.6;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("bare-server") {
        return bare::serve(&arguments.next().unwrap(), &arguments.next().unwrap());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    start_up_times();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (ours, ready) = start(&["sandbox", "--json", "--data", &path("ours")], BINARY);
    let ours_url = ready["public"].as_str().unwrap().to_owned();
    println!("resident memory, idle: {} MiB", resident(&ours) / 1024);

    let signer = certificate(&ready).await;
    let requests: Vec<Vec<u8>> = (0..SIGNED_AHEAD).map(|number| signed_request(&signer, number)).collect();
    std::fs::write(path("key.der"), &signer.certificate.public_key.spki_der).unwrap();
    let this = std::env::current_exe().unwrap();
    let (bare, ready) = start(&["bare-server", &path("key.der"), &path("bare.db")], this.to_str().unwrap());
    let bare_url = ready["public"].as_str().unwrap().to_owned();

    println!("\nsigned onboarding calls per second, {CONNECTIONS} connections, {} processors", processors());
    println!("{:>8} {:>12} {:>12} {:>8}", "round", "vestibule", "bare", "ratio");
    load::run(&ours_url, &requests, CONNECTIONS, Duration::from_secs(1)).await;
    load::run(&bare_url, &requests, CONNECTIONS, Duration::from_secs(1)).await;
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let one = load::run(&ours_url, &requests, CONNECTIONS, ROUND).await;
        let other = load::run(&bare_url, &requests, CONNECTIONS, ROUND).await;
        println!("{round:>8} {one:>12.0} {other:>12.0} {:>8.2}", one / other);
        ratios.push(one / other);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    println!(
        "\nmedian ratio {median:.2}, goal {GOAL}: {}",
        if median >= GOAL { "reached" } else { "MISSED" }
    );
    println!("resident memory, after the load: {} MiB", resident(&ours) / 1024);
    for mut server in [ours, bare] {
        server.kill().unwrap();
        server.wait().unwrap();
    }
    std::process::exit(i32::from(median < GOAL));
}

fn start_up_times() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let times: Vec<_> = (0..8)
        .map(|_| {
            let begun = Instant::now();
            let (mut child, _) = start(&["sandbox", "--json", "--data", data.to_str().unwrap()], BINARY);
            let took = begun.elapsed();
            testkit::run("kill", &["-s", "TERM", &child.id().to_string()]);
            child.wait().unwrap();
            took
        })
        .collect();
    let mut later: Vec<_> = times[1..].to_vec();
    later.sort();
    println!("start-up, first with its keys: {} ms", times[0].as_millis());
    println!("start-up, later: {} ms (median of {})", later[later.len() / 2].as_millis(), later.len());
}

/// Starts a server that prints a line of JSON when it is ready.
fn start(arguments: &[&str], program: &str) -> (Child, Value) {
    let mut command = Command::new(program);
    command.args(arguments);
    if program == BINARY {
        for option in ["--listen", "--tls-listen", "--management-listen"] {
            command.args([option, "127.0.0.1:0"]);
        }
    }
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

async fn certificate(ready: &Value) -> Signer {
    let (private_key, public_key) = generate_key(KeyType::Rsa2048).unwrap();
    assert!(PrivateKey::from_pem(&private_key).is_ok());
    let url = format!("{}/test-certificates", ready["management"].as_str().unwrap());
    let body = json!({"organizationIdentifier": "PSDNL-DNB-BENCH", "publicKey": public_key}).to_string();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.post(url).header("content-type", "application/json").body(body).send().await.unwrap();
    let made: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    Signer::from_pem(made["certificate"].as_str().unwrap(), &private_key, None)
}

/// The octets of one call, each with a request id and signature of its own.
fn signed_request(signer: &Signer, number: usize) -> Vec<u8> {
    let request = Request::onboarding("nl").set("x-request-id", format!("bench-{number:08}")).signed(signer);
    let mut octets = format!("GET {} HTTP/1.1\r\nhost: bank\r\n", request.target).into_bytes();
    for (name, value) in &request.headers {
        octets.extend(format!("{name}: {}\r\n", value.to_str().unwrap()).as_bytes());
    }
    octets.extend(b"\r\n");
    octets
}

/// Resident memory of a process in KiB.
fn resident(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
