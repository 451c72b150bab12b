//! `vestibule snapshot` and `vestibule reset`.

use std::process::ExitCode;

use http::Method;
use serde_json::Value;

use super::management::{ask, hints, text};
use super::{Failure, Hints, Next};
use crate::cli::{ResetArgs, SnapshotArgs, SnapshotCommand};
use crate::output;

pub(crate) async fn run(args: SnapshotArgs) -> Result<ExitCode, Failure> {
    let to = &args.to;
    let (method, path) = match &args.command {
        SnapshotCommand::Save { name } => (Method::PUT, format!("/snapshots/{}", segment(name)?)),
        SnapshotCommand::List => (Method::GET, "/snapshots".to_owned()),
        SnapshotCommand::Restore { name } => (Method::POST, format!("/snapshots/{}/restore", segment(name)?)),
        SnapshotCommand::Remove { name } => (Method::DELETE, format!("/snapshots/{}", segment(name)?)),
    };
    let answer = ask(to, method, &path, None).await?;
    let hints = hints(to);
    if to.json {
        output::json(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    match args.command {
        SnapshotCommand::Save { name } => {
            let next = Next::new("snapshot restore").and(name).after(" Go back to it with: ");
            output::line(&format!("Saved.{}", hints.tail(&next)));
        }
        SnapshotCommand::List => list(&answer, &hints),
        SnapshotCommand::Restore { name } => {
            output::line(&format!("The bank is as it was when \"{name}\" was saved."));
        }
        SnapshotCommand::Remove { name } => output::line(&format!("Removed \"{name}\".")),
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn reset(args: ResetArgs) -> Result<ExitCode, Failure> {
    let answer = ask(&args.to, Method::POST, "/reset", None).await?;
    if args.to.json {
        output::json(&answer);
    } else {
        output::line(
            "The bank is as at its first start. Its test authority and certificates of it are good as before.",
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A name as a part of a path, whatever it is: what is no name is for the bank to refuse, but for one that would be no part at all.
fn segment(name: &str) -> Result<String, Failure> {
    if name.is_empty() {
        let text = "the name of the snapshot is empty; expected is one such as before-payment";
        return Err(Failure { kind: "refused", ..Failure::new(text) });
    }
    let kept = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    let one = |octet: u8| match kept(octet) {
        true => char::from(octet).to_string(),
        false => format!("%{octet:02X}"),
    };
    Ok(name.bytes().map(one).collect())
}

fn list(answer: &Value, hints: &Hints) {
    let all = answer["snapshots"].as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        let save = Next::new("snapshot save NAME").after(" Save the bank as it is with: ");
        output::line(&format!("There is no snapshot.{}", hints.tail(&save)));
        return;
    }
    output::line(&format!("{:<24} {:<20} {:>9}", "NAME", "SAVED", "SIZE"));
    for snapshot in all {
        let saved = text(snapshot, "savedAt").get(..19).unwrap_or_default();
        let kilobytes = snapshot["octets"].as_u64().unwrap_or_default().div_ceil(1000);
        let line = format!("{:<24} {saved}Z {kilobytes:>6} kB", text(snapshot, "name"));
        output::line(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_part_of_a_path() {
        assert_eq!(segment("before-payment_2").unwrap(), "before-payment_2");
        assert_eq!(segment("../a b/ä").unwrap(), "%2E%2E%2Fa%20b%2F%C3%A4");
    }
}
