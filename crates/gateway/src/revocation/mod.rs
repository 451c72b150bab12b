//! Whether the certificates that calls present were revoked, or one of an authority above them, as their issuers tell: asked by OCSP,
//! else by revocation list, and remembered as long as the answer holds.
//!
//! No call waits longer for an issuer than [`Rules::patience`]: what was begun goes on, and the next call finds the answer.
//! However many calls come with one certificate, its issuer is asked once. In the second half of its time an answer is still
//! taken while the next one is fetched. An issuer that does not answer holds up its own certificates alone.

mod asking;
mod calls;
mod known;
mod lists;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use eidas::status::Standing;
use eidas::{Certificate, Fingerprint};
use jiff::SignedDuration;
use quick_cache::sync::Cache;
use tokio::sync::watch;
use tokio::time::Instant;

pub use self::known::Verdict;
use self::known::{Known, not_replayed};
use crate::Randomness;

/// Certificates of which it is remembered how they stand.
const KNOWN: usize = 4096;

/// Certificates that are asked about at one time.
const AT_ONCE: usize = 64;

/// Certificates of one issuer that are asked about at one time.
const OF_ONE_ISSUER: usize = 16;

/// Longest that one question takes: whatever is at the addresses of a certificate, others are asked about then.
const QUESTION: Duration = Duration::from_secs(30);

/// Longest that an answer is taken without asking again.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// When an issuer that did not answer is asked again.
const AGAIN: SignedDuration = SignedDuration::from_secs(20);

/// What fetching gives: what was answered, or why there is nothing, for the log.
pub type Fetched<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>>;

/// Fetches from addresses that stand in certificates, within limits of its own: nobody knows beforehand what is there.
pub trait Fetch: std::fmt::Debug + Send + Sync {
    /// Posts a question to a responder (RFC 6960, A.1).
    fn ask<'a>(&'a self, url: &'a str, question: &'a [u8]) -> Fetched<'a>;

    /// Fetches a revocation list.
    fn list<'a>(&'a self, url: &'a str) -> Fetched<'a>;
}

/// How long is waited and what is taken without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long a call waits for an issuer.
    pub patience: Duration,
    /// How long after the last good answer calls that only read are let through without one.
    pub reads_without_answer: SignedDuration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { patience: Duration::from_secs(4), reads_without_answer: SignedDuration::from_hours(6) }
    }
}

/// What was asked and answered since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Times that an issuer was asked.
    pub asked: u64,
    /// Of those, without any answer that could be used.
    pub unanswered: u64,
    /// Of those, with the answer that the certificate is revoked, or unknown.
    pub bad: u64,
    /// Calls about a certificate of which it was known how it stands.
    pub remembered: u64,
    /// Calls that were let through without an answer, because they only read.
    pub let_through: u64,
    /// When an issuer last answered.
    pub last_answer: Option<Timestamp>,
}

/// Asks issuers about certificates. Cloning is cheap and shares it.
#[derive(Debug, Clone)]
pub struct Revocation(Arc<Watch>);

#[derive(Debug)]
struct Watch {
    rules: Rules,
    /// Whether issuers are asked.
    is_on: AtomicBool,
    /// Authorities whose revocations the bank keeps itself.
    kept: Vec<Fingerprint>,
    fetch: Arc<dyn Fetch>,
    randomness: Randomness,
    known: Cache<Fingerprint, Known>,
    lists: lists::Lists,
    /// The certificates that are asked about now, with their issuers; whoever waits is told by the end of the sender.
    asking: Mutex<HashMap<Fingerprint, (Fingerprint, watch::Receiver<()>)>>,
    counts: Mutex<Counts>,
    remembered: AtomicU64,
}

impl Revocation {
    /// Asks every issuer but those whose revocations the bank keeps itself, as a bank for tests does those of its own authority.
    pub fn new(kept: &[Certificate], fetch: Arc<dyn Fetch>, rules: Rules) -> Self {
        Self(Arc::new(Watch {
            rules,
            is_on: AtomicBool::new(true),
            kept: kept.iter().map(|authority| authority.fingerprint).collect(),
            fetch,
            randomness: Randomness::from_system(),
            known: Cache::new(KNOWN),
            lists: lists::Lists::default(),
            asking: Mutex::default(),
            counts: Mutex::default(),
            remembered: AtomicU64::default(),
        }))
    }

    /// Asks from now on, or asks nobody.
    pub fn turn(&self, is_on: bool) {
        self.0.is_on.store(is_on, Ordering::Relaxed);
    }

    /// Whether issuers are asked.
    pub fn is_on(&self) -> bool {
        self.0.is_on.load(Ordering::Relaxed)
    }

    /// What was asked and answered since the start.
    pub fn counts(&self) -> Counts {
        let counts = *self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        Counts { remembered: self.0.remembered.load(Ordering::Relaxed), ..counts }
    }

    /// How a certificate stands that an issuer issued, as is known of both.
    pub async fn verdict(&self, certificate: &Certificate, issuer: &Certificate, now: Timestamp) -> Verdict {
        self.verdict_by((self.deadline(), true), (certificate, issuer), now).await
    }

    /// Until when a call waits for all that it asks now.
    fn deadline(&self) -> Instant {
        Instant::now() + self.0.rules.patience
    }

    /// Begins to ask what a call will want to know, so that it waits for all of it at once.
    fn begin(&self, certificate: &Certificate, issuer: &Certificate, now: Timestamp) {
        let known = self.0.known.peek(&certificate.fingerprint);
        if !known.is_some_and(|known| known.holds_at(now)) {
            self.ask(certificate, issuer, now);
        }
    }

    /// The same, waiting until `deadline`; whoever asks for no call is not counted.
    async fn verdict_by(
        &self,
        (deadline, is_call): (Instant, bool),
        (certificate, issuer): (&Certificate, &Certificate),
        now: Timestamp,
    ) -> Verdict {
        match self.0.known.get(&certificate.fingerprint) {
            Some(known) if known.holds_at(now) => {
                self.0.remembered.fetch_add(u64::from(is_call), Ordering::Relaxed);
                if known.is_asked_again_at(now) {
                    self.ask(certificate, issuer, now);
                }
                known.verdict()
            }
            before => {
                let Some(mut answered) = self.ask(certificate, issuer, now) else {
                    return before
                        .map_or(Verdict::Unanswered { good_at: None }, |known| known.without_answer());
                };
                // It is an error when the sender is gone, and then there is an answer.
                let _ = tokio::time::timeout_at(deadline, answered.changed()).await;
                match self.0.known.get(&certificate.fingerprint) {
                    Some(known) if known.holds_at(now) => known.verdict(),
                    _ => before.map_or(Verdict::Unanswered { good_at: None }, |known| known.without_answer()),
                }
            }
        }
    }

    /// Begins to ask about a certificate, unless somebody does. None if too many are asked about at once.
    fn ask(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Option<watch::Receiver<()>> {
        let fingerprint = certificate.fingerprint;
        let mut asking = self.0.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answered)) = asking.get(&fingerprint) {
            return Some(answered.clone());
        }
        let of_this = asking.values().filter(|(of, _)| *of == issuer.fingerprint).count();
        if asking.len() >= AT_ONCE || of_this >= OF_ONE_ISSUER {
            return None;
        }
        let (done, answered) = watch::channel(());
        asking.insert(fingerprint, (issuer.fingerprint, answered.clone()));
        let (watch, certificate, issuer) = (Arc::clone(&self.0), certificate.clone(), issuer.clone());
        tokio::spawn(async move {
            // Whatever becomes of the task, the certificate can be asked about again, and whoever waits goes on.
            let _end = End { watch: &watch, fingerprint, done };
            let known = watch.find_out(&certificate, &issuer, now).await;
            watch.known.insert(fingerprint, known);
        });
        Some(answered)
    }
}

/// The end of a question.
struct End<'w> {
    watch: &'w Watch,
    fingerprint: Fingerprint,
    #[expect(dead_code, reason = "its end is what it tells")]
    done: watch::Sender<()>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.watch.asking.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.fingerprint);
    }
}

impl Watch {
    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn find_out(&self, certificate: &Certificate, issuer: &Certificate, now: Timestamp) -> Known {
        if self.kept.contains(&issuer.fingerprint) {
            return Known::Kept;
        }
        let answer = tokio::time::timeout(QUESTION, self.ask_issuer(certificate, issuer, now)).await;
        let answer = answer.unwrap_or_else(|_| Err("there was no answer in 30 seconds".to_owned()));
        let before = self.known.peek(&certificate.fingerprint);
        let answer = answer.and_then(|status| not_replayed(status, before));
        self.count(|counts| {
            counts.asked += 1;
            match &answer {
                Ok(status) => {
                    counts.bad += u64::from(status.standing != Standing::Good);
                    counts.last_answer = counts.last_answer.max(Some(now));
                }
                Err(_) => counts.unanswered += 1,
            }
        });
        match answer {
            Ok(status) => Known::said(status, now),
            Err(why) => {
                let serial = certificate.serial_hex();
                tracing::warn!(serial, why, "nobody tells whether a certificate was revoked");
                Known::unanswered(before, now)
            }
        }
    }
}

#[cfg(test)]
mod tests;
