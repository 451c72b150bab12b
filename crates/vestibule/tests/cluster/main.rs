//! What a cluster does while its machines die: signed consents and payments at full rate, a failure after the other, and afterwards what
//! callers were told against what there is. `examples/cluster/test` runs it; it is no part of `cargo test`.
//!
//! Nothing is known of a call that was not answered, so it is sent again as it is, as a third party does, and counts once.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may stop anywhere"
)]

mod books;
mod callers;
mod customers;
mod failures;

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, exit};
use std::sync::Arc;
use std::time::Duration;

use callers::{Callers, consents, payments};
use failures::{Kind, Window, happen, rest};

/// The script that makes and breaks the cluster.
const CLUSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/cluster/cluster");

/// Who asks for consents, and who pays, at the same time.
const CONSENTING: usize = 6;
const PAYING: usize = 6;

const USAGE: &str = "examples/cluster/test [--times NUMBER] [--only KIND]… [--direct], where a kind is postgres, machine, node or network";

struct Wish {
    times: usize,
    kinds: Vec<Kind>,
    /// Whether the nodes find the primary, without HAProxy.
    is_direct: bool,
}

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_inside = arguments.first().is_some_and(|first| first == "--inside");
    if is_inside {
        arguments.remove(0);
    }
    let wish = read(&arguments).unwrap_or_else(|| {
        eprintln!("usage: {USAGE}");
        exit(2)
    });
    if !is_inside {
        // The program comes again where the cluster is.
        let mut command = Command::new(CLUSTER);
        command.env(
            "VESTIBULE",
            std::env::var("VESTIBULE").unwrap_or(env!("CARGO_BIN_EXE_vestibule").to_owned()),
        );
        if wish.is_direct {
            command.env("DIRECT", "1");
        }
        command.arg("run").arg(std::env::current_exe().unwrap()).arg("--inside").args(arguments);
        panic!("{CLUSTER}: {}", command.exec());
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if !runtime.block_on(run(wish)) {
        exit(1);
    }
}

fn read(arguments: &[String]) -> Option<Wish> {
    let mut wish = Wish { times: 2, kinds: Vec::new(), is_direct: false };
    let mut arguments = arguments.iter();
    while let Some(name) = arguments.next() {
        if name == "--direct" {
            wish.is_direct = true;
            continue;
        }
        let value = arguments.next()?;
        match name.as_str() {
            "--times" => wish.times = value.parse().ok().filter(|times| *times > 0)?,
            "--only" => wish.kinds.push(Kind::parse(value)?),
            _ => return None,
        }
    }
    if wish.kinds.is_empty() {
        wish.kinds = Kind::ALL.to_vec();
    }
    Some(wish)
}

/// Whether nothing was lost and nothing was done twice.
async fn run(wish: Wish) -> bool {
    let folder = std::env::var("CLUSTER").unwrap();
    let callers = Arc::new(Callers::new(Path::new(&folder)).await);
    let mut work = Vec::new();
    for _ in 0..CONSENTING {
        work.push(tokio::spawn(consents(Arc::clone(&callers))));
    }
    for _ in 0..PAYING {
        work.push(tokio::spawn(payments(Arc::clone(&callers))));
    }
    // The first calls are those of connections that are made.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = rest(Duration::from_secs(5)).await;
    println!(
        "Without failures: {:.0} writes acknowledged each second, at most {:.2} s apart.\n",
        before.rate(&callers),
        before.pause(&callers)
    );
    println!("| Failure | | Time without service | Longest call | 503 | No answer |");
    println!("|---|---|---|---|---|---|");
    let mut windows: Vec<Window> = Vec::new();
    for kind in &wish.kinds {
        for number in 1..=wish.times {
            let window = happen(&callers, *kind, number).await;
            println!("{}", window.line(&callers, number));
            windows.push(window);
        }
    }
    callers.stop();
    for one in work {
        one.await.unwrap();
    }
    println!();
    for kind in &wish.kinds {
        println!("{}", failures::summary(&callers, *kind, &windows));
    }
    books::compare(&callers).await
}
