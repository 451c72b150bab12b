//! Whether the certificates that calls present were revoked, as their issuers tell: asked by OCSP, else by revocation list, and
//! remembered as long as the answer holds.
//!
//! No call waits longer for an issuer than [`Rules::patience`]: what was begun goes on, and the next call finds the answer.
//! However many calls come with one certificate, its issuer is asked once. In the second half of its time an answer is still
//! taken while the next one is fetched.

mod asking;
mod lists;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use domain::{CertificateStatus, Refusal, Timestamp};
use eidas::status::Standing;
use eidas::{Certificate, Fingerprint, TrustStore};
use jiff::SignedDuration;
use quick_cache::sync::Cache;
use tokio::sync::watch;

use crate::{Error, Gateway, Noun, Place, PresentedCertificate, Randomness};

/// Certificates of which it is remembered how they stand.
const KNOWN: usize = 4096;

/// Certificates that are asked about at one time.
const AT_ONCE: usize = 64;

/// Longest that an answer is taken without asking again.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// How long it is believed that a certificate was revoked, or is unknown: those that were suspended or are new become good
/// ones.
const NEGATIVE: SignedDuration = SignedDuration::from_secs(60);

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

/// Whom to ask about which certificates.
#[derive(Debug, Default)]
pub struct Issuers {
    /// Those that are asked.
    pub asked: Vec<Certificate>,
    /// Those whose revocations the bank keeps itself, as a bank for tests does those of its own authority.
    pub kept: Vec<Certificate>,
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
    issuers: RwLock<Arc<Issuers>>,
    fetch: Arc<dyn Fetch>,
    randomness: Randomness,
    known: Cache<Fingerprint, Known>,
    lists: lists::Lists,
    /// The certificates that are asked about now; whoever waits is told by the end of the sender.
    asking: Mutex<HashMap<Fingerprint, watch::Receiver<()>>>,
    counts: Mutex<Counts>,
    remembered: AtomicU64,
}

/// What is known of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// The bank itself knows how it stands.
    Kept,
    Asked {
        /// What the issuer said last, if it holds; or said when it was revoked, whatever came later.
        standing: Option<Standing>,
        /// When the issuer last said that it is good.
        good_at: Option<Timestamp>,
        /// When it is asked again beside the calls.
        again: Timestamp,
        /// When no call is answered any more before it was asked.
        end: Timestamp,
    },
}

/// How a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its issuer says that it is good, or the bank itself knows.
    Good,
    /// Its issuer revoked it.
    Revoked {
        /// Since when.
        at: Timestamp,
    },
    /// Its issuer does not know it: it never issued it, or has not heard of it yet.
    Unknown,
    /// Nobody tells.
    Unanswered {
        /// When its issuer last said that it is good.
        good_at: Option<Timestamp>,
    },
}

impl Revocation {
    /// Asks these issuers.
    pub fn new(issuers: Issuers, fetch: Arc<dyn Fetch>, rules: Rules) -> Self {
        Self(Arc::new(Watch {
            rules,
            issuers: RwLock::new(Arc::new(issuers)),
            fetch,
            randomness: Randomness::from_system(),
            known: Cache::new(KNOWN),
            lists: lists::Lists::default(),
            asking: Mutex::default(),
            counts: Mutex::default(),
            remembered: AtomicU64::default(),
        }))
    }

    /// Asks these issuers from now on, and no others.
    pub fn ask_these(&self, issuers: Issuers) {
        *self.0.issuers.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(issuers);
    }

    /// What was asked and answered since the start.
    pub fn counts(&self) -> Counts {
        let counts = *self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        Counts { remembered: self.0.remembered.load(Ordering::Relaxed), ..counts }
    }

    /// How a certificate stands that was traced to a trusted authority.
    pub async fn verdict(&self, certificate: &Certificate, now: Timestamp) -> Verdict {
        match self.0.known.get(&certificate.fingerprint) {
            Some(known) if known.holds_at(now) => {
                self.0.remembered.fetch_add(1, Ordering::Relaxed);
                if known.is_asked_again_at(now) {
                    self.ask(certificate, now);
                }
                known.verdict()
            }
            before => {
                let Some(mut answered) = self.ask(certificate, now) else {
                    return before
                        .map_or(Verdict::Unanswered { good_at: None }, |known| known.without_answer());
                };
                // It is an error when the sender is gone, and then there is an answer.
                let _ = tokio::time::timeout(self.0.rules.patience, answered.changed()).await;
                match self.0.known.get(&certificate.fingerprint) {
                    Some(known) if known.holds_at(now) => known.verdict(),
                    _ => before.map_or(Verdict::Unanswered { good_at: None }, |known| known.without_answer()),
                }
            }
        }
    }

    /// Begins to ask about a certificate, unless somebody does. None if too many are asked about at once.
    fn ask(&self, certificate: &Certificate, now: Timestamp) -> Option<watch::Receiver<()>> {
        let fingerprint = certificate.fingerprint;
        let mut asking = self.0.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answered) = asking.get(&fingerprint) {
            return Some(answered.clone());
        }
        if asking.len() >= AT_ONCE {
            return None;
        }
        let (done, answered) = watch::channel(());
        asking.insert(fingerprint, answered.clone());
        let (watch, certificate) = (Arc::clone(&self.0), certificate.clone());
        tokio::spawn(async move {
            // Whatever becomes of the task, the certificate can be asked about again, and whoever waits goes on.
            let _end = End { watch: &watch, fingerprint, done };
            let known = watch.find_out(&certificate, now).await;
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

    async fn find_out(&self, certificate: &Certificate, now: Timestamp) -> Known {
        let issuers = Arc::clone(&self.issuers.read().unwrap_or_else(PoisonError::into_inner));
        if issuer_of(certificate, &issuers.kept).is_some() {
            return Known::Kept;
        }
        let later = |by: SignedDuration| now.saturating_add(by).unwrap_or(now);
        let answer = match issuer_of(certificate, &issuers.asked) {
            Some(issuer) => self.ask_issuer(certificate, issuer, now).await,
            None => Err("nobody here knows its issuer".to_owned()),
        };
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
        let before = self.known.peek(&certificate.fingerprint);
        let good_before = match before {
            Some(Known::Asked { good_at, .. }) => good_at,
            _ => None,
        };
        match answer {
            Ok(status) if status.standing == Standing::Good => {
                let end = status.next_update.unwrap_or(Timestamp::MAX).min(later(LONGEST));
                let half = later(end.duration_since(now) / 2);
                Known::Asked { standing: Some(Standing::Good), good_at: Some(now), again: half, end }
            }
            Ok(status) => {
                let end = later(NEGATIVE);
                Known::Asked { standing: Some(status.standing), good_at: None, again: end, end }
            }
            Err(why) => {
                let serial = certificate.serial_hex();
                tracing::warn!(serial, why, "nobody tells whether a certificate was revoked");
                let again = later(AGAIN);
                match before {
                    // What was said still holds.
                    Some(Known::Asked {
                        standing: standing @ Some(Standing::Good), good_at, end, ..
                    }) if now < end => Known::Asked { standing, good_at, again: again.min(end), end },
                    // What was revoked stays so until its issuer says something else.
                    Some(Known::Asked { standing: standing @ Some(Standing::Revoked { .. }), .. }) => {
                        Known::Asked { standing, good_at: None, again, end: again }
                    }
                    _ => Known::Asked { standing: None, good_at: good_before, again, end: again },
                }
            }
        }
    }
}

/// The issuer among authorities that signed a certificate: by its name first, since that costs nothing.
fn issuer_of<'a>(certificate: &Certificate, authorities: &'a [Certificate]) -> Option<&'a Certificate> {
    authorities.iter().filter(|authority| authority.subject == certificate.issuer).find(|authority| {
        let mut trust = TrustStore::default();
        let at = certificate.not_before;
        trust.add_anchor(&authority.der).is_ok() && trust.verify(certificate, &[], at, &[]).is_ok()
    })
}

impl Known {
    fn holds_at(&self, now: Timestamp) -> bool {
        match self {
            Self::Kept => true,
            Self::Asked { end, .. } => now < *end,
        }
    }

    fn is_asked_again_at(&self, now: Timestamp) -> bool {
        match self {
            Self::Kept => false,
            Self::Asked { again, .. } => *again <= now,
        }
    }

    fn verdict(&self) -> Verdict {
        match *self {
            Self::Kept | Self::Asked { standing: Some(Standing::Good), .. } => Verdict::Good,
            Self::Asked { standing: Some(Standing::Revoked { at }), .. } => Verdict::Revoked { at },
            Self::Asked { standing: Some(Standing::Unknown), .. } => Verdict::Unknown,
            Self::Asked { standing: None, good_at, .. } => Verdict::Unanswered { good_at },
        }
    }

    /// What is left of it when its time is over and nobody answers.
    fn without_answer(&self) -> Verdict {
        match self.verdict() {
            Verdict::Good | Verdict::Unknown | Verdict::Unanswered { .. } => {
                let Self::Asked { good_at, .. } = *self else { return Verdict::Good };
                Verdict::Unanswered { good_at }
            }
            revoked @ Verdict::Revoked { .. } => revoked,
        }
    }
}

impl Gateway {
    /// Asks the issuers of the certificates of a call whether they revoked one, at a bank that asks. A call that only reads
    /// what was granted before is let through for some hours when nobody answers.
    ///
    /// # Errors
    /// [`Refusal::CertificateRevoked`], [`Refusal::CertificateUnchecked`]
    pub(crate) async fn check_revocation(
        &self,
        shown: &[(&PresentedCertificate, Place)],
        reads: bool,
    ) -> Result<(), Error> {
        let Some(revocation) = &self.0.revocation else { return Ok(()) };
        // Issuers live in the system's time, whatever the clock of a tenant shows.
        let now = self.system_time();
        for (presented, place) in shown {
            let certificate = &presented.certificate;
            // Nobody has to know anything of a certificate that is out of its time, and the check of that refuses it.
            if !certificate.is_valid_at(now) {
                continue;
            }
            let what = place.what;
            match revocation.verdict(certificate, now).await {
                Verdict::Good => {}
                Verdict::Revoked { at } => {
                    self.note_revoked(&presented.holder.fingerprint, at).await?;
                    return Err(Refusal::CertificateRevoked { what, at }.into());
                }
                Verdict::Unknown => return Err(Refusal::CertificateRevoked { what, at: now }.into()),
                Verdict::Unanswered { good_at } => {
                    let rules = &revocation.0.rules;
                    let is_taken = |good_at| now.duration_since(good_at) <= rules.reads_without_answer;
                    if !(reads && good_at.is_some_and(is_taken)) {
                        let retry_after = AGAIN.as_secs();
                        return Err(Refusal::CertificateUnchecked { what, retry_after }.into());
                    }
                    revocation.0.count(|counts| counts.let_through += 1);
                }
            }
        }
        Ok(())
    }

    /// Keeps in mind that an issuer revoked a certificate: then the doors know it at which its holder acts without showing
    /// it, and the other processes.
    async fn note_revoked(&self, fingerprint: &str, at: Timestamp) -> Result<(), Error> {
        let status = self.0.store.certificate_status(fingerprint).await?;
        if status != Some(CertificateStatus::Active) {
            return Ok(());
        }
        match self.set_certificate_status(fingerprint, CertificateStatus::Revoked { at }).await {
            Ok(_) | Err(Error::NotFound(Noun::Certificate)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
