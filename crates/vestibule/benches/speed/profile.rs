//! Where the server's processor time goes: a table by component for each kind of call, made with `perf`.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::load::{self, Requests};
use super::scene::{Server, Tpp, prepared, processors, user_request};
use super::{CONSENTS_A_ROUND, SIGNED_AHEAD};

/// How long one kind of call is sent.
const TIME: Duration = Duration::from_secs(6);

/// A component below this share, in percent, is told with others.
const LEAST: f64 = 0.5;

/// How often the processor is looked at, in hertz.
const FREQUENCY: &str = "1997";

/// Prints the table.
pub(crate) async fn run() {
    println!("{} processors; each call's processor time by component, in percent", processors());
    let folder = tempfile::tempdir().unwrap();
    let server = Server::sandbox(&folder.path().join("data"));
    let url = server.url("public");
    let tpp = Tpp::new(&server).await;
    let repeated = [
        ("onboarding", prepared(SIGNED_AHEAD, |number| tpp.onboarding(number))),
        ("balances", prepared(SIGNED_AHEAD, |number| tpp.balances(number))),
        ("signed answers (bunq)", vec![user_request(&server).await.0]),
        ("status of a payment", tpp.statuses(SIGNED_AHEAD).await),
    ];
    for (name, requests) in &repeated {
        let profile = Profile::begin(&server, folder.path());
        let rate = load::run(&url, Requests::repeated(requests), 32, TIME).await;
        profile.tell(name, rate);
    }
    let count = CONSENTS_A_ROUND * 8;
    let once = [
        ("consents", prepared(count, |number| tpp.consent(number))),
        ("payments asked for", prepared(count, |number| tpp.payment(number))),
    ];
    for (name, requests) in &once {
        let profile = Profile::begin(&server, folder.path());
        let rate = load::run(&url, Requests::once(requests), 256, TIME).await;
        profile.tell(name, rate);
    }
}

/// A recording that runs.
struct Profile {
    recording: std::process::Child,
    file: String,
}

impl Profile {
    fn begin(server: &Server, folder: &std::path::Path) -> Self {
        let file = folder.join("profile").to_str().unwrap().to_owned();
        let recording = Command::new("perf")
            .args(["record", "--quiet", "-F", FREQUENCY, "-o", &file, "-p", &server.id().to_string()])
            .stderr(Stdio::null())
            .spawn()
            .expect("`perf` makes the profile: install it (Debian: linux-perf)");
        Self { recording, file }
    }

    /// Ends it and prints what came of it.
    fn tell(mut self, name: &str, rate: f64) {
        testkit::run("kill", &["-s", "INT", &self.recording.id().to_string()]);
        self.recording.wait().unwrap();
        let report = ["report", "-i", &self.file, "--stdio", "--percent-limit", "0", "--sort", "dso,symbol"];
        let report = testkit::run("perf", &report);
        assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
        let mut components = BTreeMap::<String, f64>::new();
        for (component, percent) in String::from_utf8_lossy(&report.stdout).lines().filter_map(read) {
            *components.entry(component).or_default() += percent;
        }
        let mut components: Vec<_> = components.into_iter().collect();
        components.sort_by(|one, other| other.1.total_cmp(&one.1));
        println!("\n{name}: {rate:.0} calls per second");
        let (shown, others): (Vec<_>, Vec<_>) =
            components.into_iter().partition(|(_, share)| *share >= LEAST);
        for (component, share) in &shown {
            println!("{share:>8.1}  {component}");
        }
        println!("{:>8.1}  others", others.iter().map(|(_, share)| share).sum::<f64>());
    }
}

/// The component and the share of one line of the report: `  1.23%  object  [.] symbol`.
fn read(line: &str) -> Option<(String, f64)> {
    let (percent, rest) = line.trim().split_once('%')?;
    let (object, rest) = rest.trim().split_once(char::is_whitespace)?;
    let (mode, symbol) = rest.trim().split_once(' ')?;
    Some((component(object, mode, symbol), percent.parse().ok()?))
}

/// Which part of the program a symbol belongs to: the crate, or the library in C.
fn component(object: &str, mode: &str, symbol: &str) -> String {
    const SQLITE: [&str; 8] = ["sqlite3", "pcache", "wal", "vdbe", "btree", "getPage", "moveTo", "pager"];
    let named = match symbol {
        _ if mode == "[k]" => "kernel",
        _ if object.contains("libc.so") => "libc",
        _ if object.contains("vdso") => "clock",
        _ if symbol.starts_with("aws_lc") => "aws-lc",
        _ if symbol.contains("mi_") && !symbol.contains("::") => "allocator",
        _ if SQLITE.iter().any(|prefix| symbol.starts_with(prefix)) => "sqlite",
        _ => {
            let path = symbol.trim_start_matches(['<', '&', '(', '[']).trim_start_matches("mut ");
            path.split_once("::").map_or("other", |(first, _)| first)
        }
    };
    let is_name =
        |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter));
    if is_name(named) { named.to_owned() } else { "generic".to_owned() }
}
