//! The audit trail: who called what and what came of it, and what the bank's staff did.
//!
//! There is one chain for all processes that share the store. Each group of entries moves its head on, guarded by the head that it
//! was made for, so that processes which write at the same time follow each other; so seldom do two meet that none waits for a lease. An
//! act of staff is written in the batch that does it. Calls are written beside them, many at once: a process that ends without warning loses
//! those of the last second.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use domain::audit::Head;
use domain::{Subject, Timestamp};
use serde::Serialize;
use store::{AuditGroup, AuditKind, Changes};

use crate::error::retry;
use crate::{Error, Gateway};

/// Most calls that wait to be written. While the store is away, more are not kept, and the trail says how many.
const MOST_WAITING: usize = 20_000;

/// Most calls of one group, which is one row.
const GROUP: usize = 500;

/// A call that was answered. It holds nothing of what a caller sent but method, request id, and what they said who they are.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditedCall {
    /// When it was answered.
    pub at: Timestamp,
    /// The interface; none for pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<&'static str>,
    /// The method.
    pub method: String,
    /// The pattern of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// The code with which it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// How long the answer took.
    pub microseconds: u64,
    /// The third party that called, or said that it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub third_party: Option<String>,
    /// The person of the staff that called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff: Option<String>,
    /// Kind and id of what it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl AuditedCall {
    /// The same about a subject.
    pub fn about(self, subject: Option<&Subject>) -> Self {
        let subject = subject.map(|subject| format!("{} {}", subject.kind().name(), subject.id()));
        Self { subject, ..self }
    }
}

/// Something that a person of the staff does.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Act<'a> {
    /// Who: the subject of their certificate.
    pub by: &'a str,
    /// SHA-256 of their certificate.
    pub certificate: &'a str,
    /// What.
    pub act: &'static str,
    /// To what: its id.
    pub to: &'a str,
    /// Why, as they say.
    pub reason: &'a str,
    /// Until when, if it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// An entry as it is written. The order of its members is the order in which they stand here.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
enum Written<'a> {
    Call {
        node: &'a str,
        #[serde(flatten)]
        call: &'a AuditedCall,
    },
    Act {
        at: Timestamp,
        #[serde(flatten)]
        act: &'a Act<'a>,
    },
    /// Calls of which nothing more is known.
    Lost { at: Timestamp, node: &'a str, calls: u64 },
}

/// The calls of this process that wait to be written.
#[derive(Debug)]
pub struct Trail {
    /// What the trail calls this process.
    node: String,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    calls: VecDeque<AuditedCall>,
    lost: u64,
}

impl Trail {
    /// Nothing waits yet.
    pub fn new(node: String) -> Self {
        Self { node, waiting: Mutex::default() }
    }

    /// Notes a call. Nobody waits for it to be written.
    pub fn note(&self, call: AuditedCall) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.calls.len() < MOST_WAITING {
            waiting.calls.push_back(call);
        } else {
            waiting.lost += 1;
        }
    }

    /// The next group, and how many calls were lost before it was made.
    fn take(&self) -> (Vec<AuditedCall>, u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.calls.len().min(GROUP);
        let calls = waiting.calls.drain(..count).collect();
        if waiting.calls.is_empty() {
            waiting.calls.shrink_to(GROUP);
        }
        (calls, std::mem::take(&mut waiting.lost))
    }

    /// Keeps what could not be written for the next time.
    fn put_back(&self, (calls, lost): (Vec<AuditedCall>, u64)) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.lost += lost;
        calls.into_iter().rev().for_each(|call| waiting.calls.push_front(call));
    }

    fn texts(&self, (calls, lost): &(Vec<AuditedCall>, u64), now: Timestamp) -> Result<Vec<String>, Error> {
        let node = self.node.as_str();
        let lost = (*lost > 0).then_some(Written::Lost { at: now, node, calls: *lost });
        let calls = calls.iter().map(|call| Written::Call { node, call });
        calls.chain(lost).map(|entry| text(&entry)).collect()
    }
}

fn text(entry: &Written<'_>) -> Result<String, Error> {
    serde_json::to_string(entry).map_err(Error::internal)
}

impl Gateway {
    /// Writes the calls that wait.
    ///
    /// # Errors
    /// [`Error`]; what is not written waits on then
    pub async fn write_trail(&self, trail: &Trail) -> Result<(), Error> {
        loop {
            let taken = trail.take();
            if taken.0.is_empty() && taken.1 == 0 {
                return Ok(());
            }
            let texts = trail.texts(&taken, self.system_time())?;
            let written = retry(|| async {
                let changes = self.audited(Changes::new(), AuditKind::Calls, texts.clone()).await?;
                Ok(self.0.store.save(changes).await?)
            });
            if let Err(error) = written.await {
                trail.put_back(taken);
                return Err(error);
            }
        }
    }

    /// Adds an act of staff to the changes that are it.
    pub(crate) async fn acted(&self, changes: Changes, act: &Act<'_>) -> Result<Changes, Error> {
        let entry = text(&Written::Act { at: self.system_time(), act })?;
        self.audited(changes, AuditKind::Acts, vec![entry]).await
    }

    async fn audited(&self, changes: Changes, kind: AuditKind, texts: Vec<String>) -> Result<Changes, Error> {
        let (before, written_at) = self.0.store.audit_head().await?;
        let (entries, head) = before.followed_by(texts);
        // Clocks of processes differ: what comes later in the chain is never forgotten earlier.
        let at = self.system_time().max(written_at);
        Ok(changes.add_audit((kind, at), &before, (&entries, &head)))
    }

    /// Groups of the audit trail whose first entry comes after a number, and its end.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn read_trail(
        &self,
        after: i64,
        acts_alone: bool,
        limit: i64,
    ) -> Result<(Vec<AuditGroup>, Head), Error> {
        // The head first: what is written meanwhile is no damage.
        let (head, _) = self.0.store.audit_head().await?;
        let kind = acts_alone.then_some(AuditKind::Acts);
        Ok((self.0.store.audit_groups(after, kind, limit).await?, head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(status: u16) -> AuditedCall {
        AuditedCall { method: "GET".to_owned(), status, ..AuditedCall::default() }
    }

    #[test]
    fn what_waits_is_bounded_and_what_was_lost_is_told() {
        let trail = Trail::new("n".to_owned());
        for _ in 0..MOST_WAITING + 3 {
            trail.note(call(200));
        }
        let taken = trail.take();
        assert_eq!((taken.0.len(), taken.1), (GROUP, 3));
        let texts = trail.texts(&taken, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(texts[GROUP], r#"{"kind":"lost","at":"1970-01-01T00:00:00Z","node":"n","calls":3}"#);
        assert_eq!(
            texts[0],
            r#"{"kind":"call","node":"n","at":"1970-01-01T00:00:00Z","method":"GET","status":200,"microseconds":0}"#
        );
        trail.put_back(taken);
        let mut count = 0;
        loop {
            let (calls, lost) = trail.take();
            count += calls.len() + usize::try_from(lost).unwrap();
            if calls.is_empty() {
                break;
            }
        }
        assert_eq!(count, MOST_WAITING + 3);
    }
}
