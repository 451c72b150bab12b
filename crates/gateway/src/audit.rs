//! The audit trail: who called what and what came of it, and what the bank's staff did.
//!
//! There is one chain for all processes that share the store. Each group of entries moves its head on, guarded by the head that it
//! was made for, so that processes which write at the same time follow each other; so seldom do two meet that none waits for a lease. An
//! act of staff is written in the batch that does it. Calls are written beside them, many at once: until then they stand in a file of the
//! process that answered them, a spool, and where in which file is part of their group, so that each is written once.

use domain::audit::{Forgotten, Head};
use domain::{Subject, Timestamp};
use serde::Serialize;
pub use store::AuditPlace;
use store::{AuditGroup, AuditKind, Changes};

use crate::error::retry;
use crate::{Error, Gateway};

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
    /// Whether it was proved who called.
    #[serde(skip_serializing_if = "is_not")]
    pub authenticated: bool,
    /// Whether a browser called that has a session that not anybody gets. It is no proof, and not in the entry.
    #[serde(skip)]
    pub has_session: bool,
    /// Whether a signature over the call was verified.
    #[serde(skip_serializing_if = "is_not")]
    pub signed: bool,
    /// SHA-256 of the certificate that came to verify a signature with, or that the API key was given for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_certificate: Option<String>,
    /// SHA-256 of the certificate of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<String>,
    /// To whom it was proved that the caller holds the key of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_verified_by: Option<TlsVerifiedBy>,
    /// Kind and id of what it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The same of what a list showed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
}

/// Who did a TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsVerifiedBy {
    /// The gateway.
    Gateway,
    /// A proxy in front of it.
    Proxy,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_not(value: &bool) -> bool {
    !value
}

/// A subject as the trail has it.
fn written_subject(subject: &Subject) -> String {
    format!("{} {}", subject.kind().name(), subject.id())
}

impl AuditedCall {
    /// The same about a subject.
    pub fn about(self, subject: Option<&Subject>) -> Self {
        Self { subject: subject.map(written_subject), ..self }
    }

    /// The same, which showed a list of them.
    pub fn showing(self, subjects: &[Subject]) -> Self {
        Self { subjects: subjects.iter().map(written_subject).collect(), ..self }
    }

    /// The text of its entry. `node` is what the trail calls the process that answered it.
    ///
    /// # Errors
    /// [`Error::Internal`]
    pub fn written(&self, node: &str) -> Result<String, Error> {
        text(&Written::Call { node, call: self })
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
    /// How many of the things that were there before it put others in the place of, if it puts things there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<usize>,
    /// SHA-256 of what it put there, in lower-case hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<&'a str>,
    /// How many consents it erased, if it erases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consents: Option<usize>,
    /// The request id of the call in which it was done.
    pub request: &'a str,
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
    /// What was forgotten at the beginning of the trail.
    Forgotten(&'a Forgotten),
}

/// The text of an entry about calls of which nothing more is known than how many there were.
///
/// # Errors
/// [`Error::Internal`]
pub fn lost_calls(node: &str, at: Timestamp, calls: u64) -> Result<String, Error> {
    text(&Written::Lost { at, node, calls })
}

fn text(entry: &Written<'_>) -> Result<String, Error> {
    serde_json::to_string(entry).map_err(Error::internal)
}

impl Gateway {
    /// Up to which octet a spool was taken.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn taken_of_spool(&self, spool: &str) -> Result<i64, Error> {
        Ok(self.0.store.audit_taken(spool).await?)
    }

    /// Writes entries about calls ([`AuditedCall::written`], [`lost_calls`]), out of a place in a spool if they stood in one. Returns up to
    /// which octet that is taken then: where it was taken before, nothing is written.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn write_calls(&self, place: Option<&AuditPlace>, texts: &[String]) -> Result<i64, Error> {
        retry(|| async {
            if let Some(place) = place {
                let taken = self.0.store.audit_taken(&place.spool).await?;
                if taken > place.from {
                    return Ok(taken);
                }
            }
            let changes = self.audited(Changes::new(), (AuditKind::Calls, place), texts.to_vec()).await?;
            self.0.store.save(changes).await?;
            Ok(place.map_or(0, |place| place.until))
        })
        .await
    }

    /// Forgets groups that were written before a time, from the oldest on, and says so in the trail. Returns how many there were.
    pub(crate) async fn forget_trail(
        &self,
        now: Timestamp,
        before: Timestamp,
        limit: i64,
    ) -> Result<usize, Error> {
        let store = &self.0.store;
        let old = store.audit_before(before, limit).await?;
        let Some(newest) = old.last() else { return Ok(0) };
        // What the oldest group that stays follows.
        let next = store.audit_groups(newest.first, None, 1).await?.into_iter().next();
        let last = match next {
            Some(group) => group.before,
            None => store.audit_head().await?.0,
        };
        let forgotten = Forgotten {
            at: now,
            number: last.number,
            hash: last.hash,
            written_at: newest.written_at,
            days: self.settings().kept.audit.as_hours() / 24,
        };
        let entry = text(&Written::Forgotten(&forgotten))?;
        let changes = old.iter().fold(Changes::new(), Changes::forget_audit);
        store.save(self.audited(changes, (AuditKind::Calls, None), vec![entry]).await?).await?;
        Ok(old.len())
    }

    /// Adds an act of staff to the changes that are it.
    pub(crate) async fn acted(&self, changes: Changes, act: &Act<'_>) -> Result<Changes, Error> {
        let entry = text(&Written::Act { at: self.system_time(), act })?;
        self.audited(changes, (AuditKind::Acts, None), vec![entry]).await
    }

    async fn audited(
        &self,
        changes: Changes,
        (kind, place): (AuditKind, Option<&AuditPlace>),
        texts: Vec<String>,
    ) -> Result<Changes, Error> {
        let (before, written_at) = self.0.store.audit_head().await?;
        let (entries, head) = before.followed_by(texts);
        // Clocks of processes differ: what comes later in the chain is never forgotten earlier.
        let at = self.system_time().max(written_at);
        // The head first: whoever has its row keeps others waiting, and nobody learns after all of their work that the head moved on.
        Ok(Changes::new().add_audit((kind, at, place), &before, (&entries, &head)).and(changes))
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
    use domain::audit::Entry;

    use super::*;

    #[test]
    fn entries_are_written_as_documented() {
        let call = AuditedCall { method: "GET".to_owned(), status: 200, ..AuditedCall::default() };
        assert_eq!(
            call.written("n").unwrap(),
            r#"{"kind":"call","node":"n","at":"1970-01-01T00:00:00Z","method":"GET","status":200,"microseconds":0}"#
        );
        let call = AuditedCall {
            authenticated: true,
            signed: true,
            signing_certificate: Some("ab".to_owned()),
            tls_certificate: Some("cd".to_owned()),
            tls_verified_by: Some(TlsVerifiedBy::Proxy),
            ..call.showing(&[Subject::Consent(domain::ConsentId::new("a"))])
        };
        assert_eq!(
            call.written("n").unwrap(),
            r#"{"kind":"call","node":"n","at":"1970-01-01T00:00:00Z","method":"GET","status":200,"microseconds":0,"authenticated":true,"signed":true,"signingCertificate":"ab","tlsCertificate":"cd","tlsVerifiedBy":"proxy","subjects":["consent a"]}"#
        );
        assert_eq!(
            lost_calls("n", Timestamp::UNIX_EPOCH, 3).unwrap(),
            r#"{"kind":"lost","at":"1970-01-01T00:00:00Z","node":"n","calls":3}"#
        );
        let forgotten = Forgotten {
            at: Timestamp::UNIX_EPOCH,
            number: 4,
            hash: "ab".to_owned(),
            written_at: Timestamp::UNIX_EPOCH,
            days: 400,
        };
        // Whoever verifies the trail finds it again.
        let text = text(&Written::Forgotten(&forgotten)).unwrap();
        let entry = Entry { number: 9, hash: String::new(), text };
        assert_eq!(entry.forgotten(), Some(forgotten), "{}", entry.text);
    }
}
