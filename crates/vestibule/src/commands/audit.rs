//! `vestibule audit`: the audit trail of a gateway.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;

use gateway::domain::Timestamp;
use gateway::domain::audit::{Anchor, Audited, Entry, Forgotten, Head, Judge};
use http::Method;
use serde_json::{Value, json};

use super::admin::ask;
use super::logs::visible;
use super::{Failure, unreadable};
use crate::cli::{AuditArgs, AuditCommand, StaffArgs};
use crate::output;

pub(crate) async fn run(args: AuditArgs) -> Result<ExitCode, Failure> {
    let AuditArgs { to, command } = args;
    match command {
        AuditCommand::Verify { file, anchors, days } => {
            let judge = Judge { now: tpp::clock::now(), days };
            let mut verification = Verification { anchors, judge, ..Verification::default() };
            let mut take = |piece| verification.take(piece);
            match &file {
                Some(file) => exported(file, &mut take)?,
                None => walk(&to, &mut take).await?,
            }
            verification.tell(to.json)
        }
        AuditCommand::Export => {
            walk(&to, &mut |piece| output::json(&piece.line())).await?;
            Ok(ExitCode::SUCCESS)
        }
        AuditCommand::Acts => acts(&to).await,
    }
}

/// A part of a trail, in the order in which they come: a beginning, entries, an end.
enum Piece {
    /// What the oldest entry that is kept follows.
    Before(Head),
    Entry(Entry),
    /// The end of the chain.
    Head(Head),
}

impl Piece {
    /// As a line of an exported trail.
    fn line(&self) -> Value {
        match self {
            Self::Before(head) => json!({"before": tell(head)}),
            Self::Entry(Entry { number, hash, text }) => {
                json!({"number": number, "hash": hash, "text": text})
            }
            Self::Head(head) => json!({"head": tell(head)}),
        }
    }

    fn from_line(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let before = head(&value["before"]).map(Self::Before);
        let end = || head(&value["head"]).map(Self::Head);
        before.or_else(end).or_else(|| entry(&value).map(Self::Entry))
    }
}

/// Goes through the trail of a gateway, to the end that it tells.
async fn walk(to: &StaffArgs, take: &mut impl FnMut(Piece)) -> Result<(), Failure> {
    let strange = || Failure::new("this is no audit trail; --admin names the interface of a gateway's staff");
    let (mut after, mut is_begun) = (0, false);
    loop {
        let page = ask(to, Method::GET, &format!("/audit?after={after}"), None).await?;
        let new = page["entries"].as_array().ok_or_else(strange)?;
        let new = new.iter().map(entry).collect::<Option<Vec<_>>>().ok_or_else(strange)?;
        let end = head(&page["head"]).ok_or_else(strange)?;
        if !is_begun {
            take(Piece::Before(head(&page["before"]).unwrap_or_else(|| end.clone())));
            is_begun = true;
        }
        let last = new.last().map_or(after, |entry| entry.number);
        new.into_iter().for_each(|entry| take(Piece::Entry(entry)));
        // What does not go on would be asked for again without an end.
        let next = page["next"].as_i64().filter(|next| *next > after);
        let Some(next) = next.filter(|_| last != end.number) else {
            take(Piece::Head(end));
            return Ok(());
        };
        after = next;
    }
}

/// Goes through a trail in a file.
fn exported(path: &Path, take: &mut impl FnMut(Piece)) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| unreadable(path, &error))?;
        let piece = Piece::from_line(&line).ok_or_else(|| {
            let text = "this is no line of a trail that vestibule audit export wrote";
            Failure::new(format!("{}:{}: {text}", path.display(), number + 1))
        })?;
        take(piece);
    }
    Ok(())
}

fn entry(value: &Value) -> Option<Entry> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    Some(Entry { number: value["number"].as_i64()?, hash: text("hash")?, text: text("text")? })
}

fn head(value: &Value) -> Option<Head> {
    Some(Head { number: value["number"].as_i64()?, hash: value["hash"].as_str()?.to_owned() })
}

fn tell(head: &Head) -> Value {
    json!({"number": head.number, "hash": head.hash})
}

/// Whether a trail is whole.
#[derive(Default)]
struct Verification {
    anchors: Vec<Anchor>,
    judge: Judge,
    audited: Option<Audited>,
    first: i64,
    head: Option<Head>,
    /// Whether there is more than one beginning, or anything behind the end.
    is_more_than_one: bool,
    /// When the last entry that says so was written.
    written_at: Option<Timestamp>,
}

impl Verification {
    fn take(&mut self, piece: Piece) {
        self.is_more_than_one |= self.head.is_some();
        match piece {
            Piece::Before(_) if self.audited.is_some() => self.is_more_than_one = true,
            Piece::Before(before) => {
                self.first = before.number + 1;
                let anchors = std::mem::take(&mut self.anchors);
                let audited = Audited::from(before).judged_by(self.judge);
                self.audited = Some(anchors.into_iter().fold(audited, Audited::anchored));
            }
            Piece::Entry(entry) => {
                self.written_at = entry.moment().max(self.written_at);
                self.audited.iter_mut().for_each(|audited| audited.take(&entry));
            }
            Piece::Head(head) => self.head = Some(head),
        }
    }

    /// Says what is wrong, for the exit code too.
    fn tell(self, is_json: bool) -> Result<ExitCode, Failure> {
        let (Some(audited), Some(head)) = (self.audited, self.head) else {
            let text = "the trail has no beginning or no end; vestibule audit export writes both";
            return Err(Failure::new(text));
        };
        if self.is_more_than_one {
            let text = "there is more than one trail, or something behind its end; vestibule audit export writes one";
            return Err(Failure::new(text));
        }
        let (first, count) = (self.first, audited.count());
        let forgotten = audited.forgotten().cloned();
        let damages = audited.damages(&head);
        let anchor = Anchor { head: head.clone(), at: self.written_at };
        if is_json {
            let damages: Vec<_> = damages.iter().map(ToString::to_string).collect();
            output::json(&json!({
                "isWhole": damages.is_empty(),
                "entries": count,
                "first": first,
                "forgotten": forgotten,
                "head": tell(&head),
                "anchor": anchor.to_string(),
                "damages": damages,
            }));
        } else {
            damages.iter().for_each(|damage| output::line(&format!("DAMAGED  {damage}")));
            if let Some(Forgotten { at, number, days, .. }) = &forgotten {
                output::line(&format!(
                    "Entries up to {number} were forgotten, the last of them at {at}; each was to be kept for {days} days."
                ));
            }
            if damages.is_empty() {
                output::line(&format!(
                    "{count} entries from {first} on are whole. Keep the end of the trail elsewhere, for --anchor: {anchor}"
                ));
            }
        }
        Ok(if damages.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// What staff did.
async fn acts(to: &StaffArgs) -> Result<ExitCode, Failure> {
    let mut after = 0;
    loop {
        let page = ask(to, Method::GET, &format!("/audit?kind=acts&after={after}"), None).await?;
        let new = page["entries"].as_array().map_or(&[][..], Vec::as_slice);
        for value in new {
            let Entry { text, .. } = entry(value).ok_or_else(|| Failure::new("this is no audit trail"))?;
            let act: Value = serde_json::from_str(&text).unwrap_or_default();
            if to.json {
                output::json(&act);
            } else {
                output::line(&visible(&act_in_short(&act)));
            }
        }
        match page["next"].as_i64().filter(|next| *next > after) {
            Some(next) => after = next,
            None => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// An act on one line. What it was besides stands at the end, behind what somebody wrote.
fn act_in_short(act: &Value) -> String {
    let text = |name: &str| act[name].as_str();
    let mut parts: Vec<_> =
        ["at", "act", "to", "by", "reason"].iter().map(|name| text(name).unwrap_or("-").to_owned()).collect();
    match text("until") {
        Some(until) => parts.push(format!("until {until}")),
        None if act["act"] == "block" => parts.push("without an end".to_owned()),
        None => {}
    }
    if let Some(replaced) = act["replaced"].as_u64() {
        let days = if replaced == 1 { "day" } else { "days" };
        parts.push(format!("{replaced} {days} replaced"));
    }
    parts.extend(text("sha256").map(|sha256| format!("SHA-256 {sha256}")));
    if let Some(consents) = act["consents"].as_u64() {
        let noun = if consents == 1 { "consent" } else { "consents" };
        parts.push(format!("{consents} {noun} erased"));
    }
    parts.join("  ")
}
