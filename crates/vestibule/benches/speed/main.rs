//! The project's benchmark: signed calls against the least they could cost.
//!
//! One command, `cargo bench`, starts all servers as processes of their own, signs requests ahead, and measures
//! them in turns on the same machine in the same run. What counts are the ratios; rates alone say more about the
//! machine than about the program. Start-up time, memory and the time of a whole flow are printed too.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may stop, and prints its result")]

mod bare;
mod bare_postgres;
mod load;
mod profile;
mod scene;
mod serving;

use std::path::Path;
use std::time::{Duration, Instant};

use load::Requests;
use scene::{BINARY, BULK, Server, Tpp, fill, prepared, processors};

const ROUNDS: usize = 11;
const ROUND: Duration = Duration::from_millis(700);
const SIGNED_AHEAD: usize = 512;

/// By then a bank that has nothing to do has given memory back.
const REST: Duration = Duration::from_secs(25);

/// Requests for consents in one round, so many that connecting does not count; each has to be another.
const CONSENTS_A_ROUND: usize = 6000;

/// Such rounds, with one to get warm.
const CONSENT_ROUNDS: usize = 8;

/// Bulk payments that are made.
const BULKS: usize = 40;

/// The goals of docs/architecture.md.
const ONBOARDING_GOAL: f64 = 0.6;
const BALANCES_GOAL: f64 = 0.6;
const CONSENTS_GOAL: f64 = 0.5;
const PAYMENTS_GOAL: f64 = 0.5;
const STATUS_GOAL: f64 = 0.6;
const FULL_DATABASE_GOAL: f64 = 0.9;
const SIGNED_ANSWERS_GOAL: f64 = 0.6;
const FLOW_GOAL: Duration = Duration::from_secs(1);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match arguments[..] {
        ["bare-server", key, database, answer] => return bare::serve(key, database, answer),
        ["bare-postgres", key, database, ref bank @ ..] => return bare_postgres::serve(key, database, bank),
        ["--against", binary] => return runtime.block_on(against(binary)),
        ["--profile"] => return runtime.block_on(profile::run()),
        [] | ["--serve"] => (),
        _ => panic!("usage: scripts/bench [--against BINARY | --profile | --serve]"),
    }
    let missed = match arguments[..] {
        [] => runtime.block_on(run()),
        _ => runtime.block_on(serving::run()),
    };
    println!(
        "\n{}",
        if missed == 0 { "all goals reached".to_owned() } else { format!("{missed} goals MISSED") }
    );
    std::process::exit(i32::from(missed > 0));
}

/// Measures everything and returns how many goals were missed.
async fn run() -> usize {
    println!("{} processors", processors());
    start_up_times();
    let folder = tempfile::tempdir().unwrap();
    let (small, full) = (folder.path().join("small"), folder.path().join("full"));
    let server = Server::sandbox(&small);
    println!("resident memory, idle: {} MiB", server.resident());
    let mut reached = vec![flow(&server, folder.path())];
    let mut tpp = Tpp::new(&server).await;
    // The same bank twice, once with much more in its database.
    server.stop();
    copy(&small, &full);
    let begun = Instant::now();
    fill(&full.join("sandbox.db"), &tpp.iban);
    println!("1,000,000 transactions and 200,000 consents made in {} s", begun.elapsed().as_secs());
    let (server, full) = (Server::sandbox(&small), Server::sandbox(&full));
    tpp.follow(&server);
    let key = folder.path().join("key.der");
    std::fs::write(&key, &tpp.signer.certificate.public_key.spki_der).unwrap();
    let this = std::env::current_exe().unwrap();
    let (database, answer) = (folder.path().join("bare.db"), folder.path().join("answer.json"));
    let (user, body) = scene::user_request(&server).await;
    std::fs::write(&answer, body).unwrap();
    let [key, database, answer] = [&key, &database, &answer].map(|path| path.to_str().unwrap());
    let arguments = ["bare-server", key, database, answer];
    let bare = Server::start(this.to_str().unwrap(), &arguments);
    let (ours_url, full_url, bare_url) = (server.url("public"), full.url("public"), bare.url("public"));

    let (ours, full, bare) = (ours_url.as_str(), full_url.as_str(), bare_url.as_str());
    let onboarding = prepared(SIGNED_AHEAD, |number| tpp.onboarding(number));
    let ratio = compare("onboarding", 32, (ours, &onboarding), (bare, &onboarding)).await;
    reached.push(judge("onboarding against bare", ratio, ONBOARDING_GOAL));
    let balances = prepared(SIGNED_AHEAD, |number| tpp.balances(number));
    let ratio = compare("balances", 32, (ours, &balances), (bare, &balances)).await;
    reached.push(judge("balances against bare", ratio, BALANCES_GOAL));
    let name = "balances, full database against small";
    let ratio = compare(name, 32, (full, &balances), (ours, &balances)).await;
    reached.push(judge("full database against small", ratio, FULL_DATABASE_GOAL));
    let user = [user];
    let ratio = compare("signed answers (bunq)", 32, (ours, &user), (bare, &user)).await;
    reached.push(judge("signed answers against bare", ratio, SIGNED_ANSWERS_GOAL));
    let count = CONSENTS_A_ROUND * CONSENT_ROUNDS;
    for (number, connections) in [32, 256].into_iter().enumerate() {
        let consents = prepared(count, |consent| tpp.consent(number * count + consent));
        let ratio = compare_once("consents", connections, (ours, &consents), (bare, &consents)).await;
        reached.push(judge("consents against bare", ratio, CONSENTS_GOAL));
    }
    reached.extend(payments(&tpp, ours, bare).await);
    // Other requests than before: the same ones again would make nothing.
    let more = prepared(count, |number| tpp.consent(2 * count + number));
    let name = "consents, full database against small";
    let ratio = compare_once(name, 256, (full, &more), (ours, &more)).await;
    reached.push(judge("writes on the full database against the small one", ratio, FULL_DATABASE_GOAL));
    println!("resident memory, after the load: {} MiB", server.resident());
    tokio::time::sleep(REST).await;
    println!("resident memory, {} s later: {} MiB", REST.as_secs(), server.resident());
    reached.iter().filter(|reached| !**reached).count()
}

/// Payments: asked for, their status, and bulk payments that are made.
async fn payments(tpp: &Tpp, ours: &str, bare: &str) -> [bool; 2] {
    let statuses = tpp.statuses(SIGNED_AHEAD).await;
    let ratio = compare("status of a payment", 32, (ours, &statuses), (bare, &statuses)).await;
    let status = judge("status against bare", ratio, STATUS_GOAL);
    let asked = prepared(CONSENTS_A_ROUND * CONSENT_ROUNDS, |number| tpp.payment(number));
    let ratio = compare_once("payments asked for", 256, (ours, &asked), (bare, &asked)).await;
    let payments = judge("payments against bare", ratio, PAYMENTS_GOAL);
    let bulks = tpp.bulk_confirmations(BULKS).await;
    println!("\nbulk payments of {BULK} transfers, 1 connection: transfers per second");
    let [ours, bare] =
        [ours, bare].map(async |url| load::run(url, Requests::once(&bulks), 1, ROUND * 60).await);
    row(1, ours.await * BULK as f64, bare.await * BULK as f64);
    [status, payments]
}

/// What one of two that are compared is asked: its address, and requests.
type Side<'a> = (&'a str, &'a [Vec<u8>]);

/// Measures two servers in turns and returns the median of the ratios.
async fn compare(name: &str, connections: usize, one: Side<'_>, other: Side<'_>) -> f64 {
    println!("\n{name}, {connections} connections: calls per second");
    for (url, requests) in [one, other] {
        load::run(url, Requests::repeated(requests), connections, ROUND).await;
    }
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let first = load::run(one.0, Requests::repeated(one.1), connections, ROUND).await;
        let second = load::run(other.0, Requests::repeated(other.1), connections, ROUND).await;
        ratios.push(row(round, first, second));
    }
    median(ratios)
}

/// The same with requests that have to be new each time. The first round is to get warm.
async fn compare_once(name: &str, connections: usize, one: Side<'_>, other: Side<'_>) -> f64 {
    println!("\n{name}, {connections} connections: calls per second");
    let mut ratios = Vec::new();
    let rounds = one.1.chunks(CONSENTS_A_ROUND).zip(other.1.chunks(CONSENTS_A_ROUND));
    for (round, (ones, others)) in rounds.enumerate() {
        let first = load::run(one.0, Requests::once(ones), connections, ROUND * 20).await;
        let second = load::run(other.0, Requests::once(others), connections, ROUND * 20).await;
        if round > 0 {
            ratios.push(row(round, first, second));
        }
    }
    median(ratios)
}

/// Measures this build against another one, in turns, each on a bank of its own.
async fn against(binary: &str) {
    println!("{} processors; this build against {binary}", processors());
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = [(BINARY, "ours"), (binary, "theirs")]
        .map(|(binary, name)| Server::sandbox_of(binary, &folder.path().join(name)));
    let (our_tpp, their_tpp) = (Tpp::new(&ours).await, Tpp::new(&theirs).await);
    let (our_user, their_user) = (scene::user_request(&ours).await.0, scene::user_request(&theirs).await.0);
    let (our_url, their_url) = (ours.url("public"), theirs.url("public"));
    let mut medians = Vec::new();
    let pairs = [
        ("onboarding", [&our_tpp, &their_tpp].map(|tpp| prepared(SIGNED_AHEAD, |n| tpp.onboarding(n)))),
        ("balances", [&our_tpp, &their_tpp].map(|tpp| prepared(SIGNED_AHEAD, |n| tpp.balances(n)))),
        ("signed answers (bunq)", [vec![our_user], vec![their_user]]),
    ];
    for (name, [our, their]) in &pairs {
        medians.push((*name, compare(name, 32, (&our_url, our), (&their_url, their)).await));
    }
    let count = CONSENTS_A_ROUND * CONSENT_ROUNDS;
    for (number, connections) in [32, 256].into_iter().enumerate() {
        let begin = number * count;
        let [our, their] =
            [&our_tpp, &their_tpp].map(|tpp| prepared(count, |number| tpp.consent(begin + number)));
        let ratio = compare_once("consents", connections, (&our_url, &our), (&their_url, &their)).await;
        medians.push(("consents", ratio));
    }
    medians.push(("refreshes", refreshes((&our_url, &our_tpp), (&their_url, &their_tpp)).await));
    println!("\nresident memory, after the load: {} and {} MiB", ours.resident(), theirs.resident());
    for (name, median) in medians {
        println!("{name}: median ratio {median:.2}");
    }
}

/// Refreshes of tokens, each with the token that the one before gave.
async fn refreshes(one: (&str, &Tpp), other: (&str, &Tpp)) -> f64 {
    const CHAINS: usize = 32;
    println!("\nrefreshes, {CHAINS} connections: calls per second");
    let (mut ones, mut others) = (one.1.refreshes(CHAINS).await, other.1.refreshes(CHAINS).await);
    let mut ratios = Vec::new();
    for round in 0..=ROUNDS {
        let first = load::run_chains(one.0, &mut ones, |answer| refresh(one.1, answer), ROUND).await;
        let second = load::run_chains(other.0, &mut others, |answer| refresh(other.1, answer), ROUND).await;
        if round > 0 {
            ratios.push(row(round, first, second));
        }
    }
    median(ratios)
}

/// The refresh that follows an answer.
fn refresh(tpp: &Tpp, answer: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(answer).unwrap();
    let (_, rest) = text.split_once("\"refresh_token\":\"").unwrap();
    tpp.refresh(rest.split('"').next().unwrap())
}

fn row(round: usize, one: f64, other: f64) -> f64 {
    println!("{round:>8} {one:>12.0} {other:>12.0} {:>8.2}", one / other);
    one / other
}

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn judge(what: &str, ratio: f64, goal: f64) -> bool {
    let reached = ratio >= goal;
    println!("{what}: median ratio {ratio:.2}, goal {goal}: {}", if reached { "reached" } else { "MISSED" });
    reached
}

/// A third party with nothing: from its certificate to its first balance.
fn flow(server: &Server, folder: &Path) -> bool {
    let (bank, management) = (server.url("public"), server.url("management"));
    let mut times: Vec<Duration> = (0..5)
        .map(|number| {
            let state = folder.join(format!("state-{number}"));
            let begun = Instant::now();
            let output = testkit::run(
                BINARY,
                &[
                    "tpp",
                    "flow",
                    "ais",
                    "--headless",
                    "approve",
                    "--json",
                    "--bank",
                    &bank,
                    "--management",
                    &management,
                    "--state",
                    state.to_str().unwrap(),
                ],
            );
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            begun.elapsed()
        })
        .collect();
    times.sort();
    let reached = times[2] < FLOW_GOAL;
    println!(
        "from nothing to the first balance: {} ms (median of {}), goal {} ms: {}",
        times[2].as_millis(),
        times.len(),
        FLOW_GOAL.as_millis(),
        if reached { "reached" } else { "MISSED" }
    );
    reached
}

fn start_up_times() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let times: Vec<_> = (0..8)
        .map(|_| {
            let begun = Instant::now();
            let server = Server::sandbox(&data);
            let took = begun.elapsed();
            server.stop();
            took
        })
        .collect();
    let mut later: Vec<_> = times[1..].to_vec();
    later.sort();
    println!("start-up, first with its keys: {} ms", times[0].as_millis());
    println!("start-up, later: {} ms (median of {})", later[later.len() / 2].as_millis(), later.len());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
