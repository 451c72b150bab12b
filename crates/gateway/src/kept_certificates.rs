//! Certificates that were shown once and stand behind a key from then on: what was shown is kept, so that it can be asked with each
//! call by the key whether an authority that the bank trusts still vouches for it, and whether its issuer revoked it.
//!
//! Both are remembered as they are of certificates that are shown: a call by a key costs no read and asks nobody, but where what is
//! known is over.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Interface, Refusal, StandingRefusal, Timestamp, TppId};
use eidas::CertificateDer;
use jiff::SignedDuration;
use quick_cache::sync::Cache;

use crate::{Changes, Ctx, Error, Gateway, Place, PresentedCertificate, Sent};

/// Certificates whose paths are kept in memory; each takes some kilobytes.
const CACHED: usize = 1024;

/// How long a path that was read is taken for the one that is kept: another process may have kept one meanwhile.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// What is done on the word of a certificate, whether it is shown or stands behind a key: how much has to be known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// It only reads what a customer granted before: for some hours it need not be known whether the certificate was revoked.
    Reads,
    /// Anything else: it has to be known.
    Changes,
    /// The bank tells it something by itself, beside the calls: as for reading, and nobody is waited for.
    IsTold,
}

/// A certificate and the authorities above it, from the certificate upwards.
type Path = Arc<[CertificateDer<'static>]>;

/// What was read of a certificate, and when.
#[derive(Debug, Clone)]
struct Looked {
    path: Option<Path>,
    at: Timestamp,
}

/// Paths that were read, by the fingerprints of their certificates.
#[derive(Debug)]
pub(crate) struct KeptPaths(Cache<Box<str>, Looked>);

impl Default for KeptPaths {
    fn default() -> Self {
        Self(Cache::new(CACHED))
    }
}

impl Gateway {
    /// Adds to changes that record a certificate that its path is kept, unless it is.
    pub(crate) async fn keep_path(
        &self,
        changes: Changes,
        presented: &PresentedCertificate,
    ) -> Result<Changes, Error> {
        let fingerprint = presented.holder.fingerprint.as_str();
        let above = presented.above.iter().map(|authority| &authority.der);
        let path = std::iter::once(&presented.certificate.der).chain(above);
        let path: Vec<String> = path.map(|der| STANDARD.encode(der)).collect();
        if self.0.store.certificate_path(fingerprint).await?.as_ref() == Some(&path) {
            return Ok(changes);
        }
        self.0.kept_paths.0.remove(fingerprint);
        Ok(changes.keep_path(fingerprint, &path))
    }

    /// Checks that an authority that the bank trusts vouches for a certificate which was shown before, and that its issuers did not
    /// revoke it. One of which nothing was kept, as at a bank for tests that takes some for which nobody vouches, passes.
    ///
    /// # Errors
    /// [`StandingRefusal::CertificateUntrusted`], [`StandingRefusal::CertificateRevoked`], [`Refusal::CertificateUnchecked`]
    pub(crate) async fn check_vouched_for(
        &self,
        ctx: &Ctx,
        (interface, tpp): (Interface, &TppId),
        fingerprint: &str,
        usage: Usage,
    ) -> Result<(), Error> {
        let Some(path) = self.kept_path(fingerprint).await? else { return Ok(()) };
        let checked = self.check_path(ctx, (interface, tpp), &path, usage).await;
        if !matches!(checked, Err(Error::Refused(Refusal::Standing(_)))) {
            return checked;
        }
        // A better one may have been kept since that was read, here or by another process.
        match self.read_path(fingerprint).await? {
            Some(newer) if newer != path => self.check_path(ctx, (interface, tpp), &newer, usage).await,
            _ => checked,
        }
    }

    async fn check_path(
        &self,
        ctx: &Ctx,
        (interface, tpp): (Interface, &TppId),
        path: &Path,
        usage: Usage,
    ) -> Result<(), Error> {
        let (tpp, place) = (|| tpp.clone(), Place::SEAL);
        let read = path.split_first().and_then(|(certificate, above)| {
            let sent = Sent { octets: certificate, above };
            self.read_certificate(sent, (interface, place), ctx.now).ok()
        });
        let Some(presented) = read else {
            return Err(StandingRefusal::CertificateUntrusted { tpp: tpp(), interface }.into());
        };
        match self.check_revocation(&[(&*presented, place)], usage).await {
            Err(Error::Refused(Refusal::CertificateRevoked { at, .. })) => {
                Err(StandingRefusal::CertificateRevoked { tpp: tpp(), interface, at }.into())
            }
            checked => checked,
        }
    }

    /// What was kept of a certificate, if anything was.
    async fn kept_path(&self, fingerprint: &str) -> Result<Option<Path>, Error> {
        let (kept, now) = (&self.0.kept_paths.0, self.system_time());
        if let Some(looked) = kept.get(fingerprint)
            && now.duration_since(looked.at) < FRESH
        {
            return Ok(looked.path);
        }
        self.read_path(fingerprint).await
    }

    async fn read_path(&self, fingerprint: &str) -> Result<Option<Path>, Error> {
        let path = self.0.store.certificate_path(fingerprint).await?;
        let path = path.as_deref().map(decoded);
        let looked = Looked { path: path.clone(), at: self.system_time() };
        self.0.kept_paths.0.insert(fingerprint.into(), looked);
        Ok(path)
    }
}

/// A path as it is stored; nobody vouches for one that cannot be read.
fn decoded(path: &[String]) -> Path {
    let path: Option<Path> =
        path.iter().map(|one| STANDARD.decode(one).ok().map(CertificateDer::from)).collect();
    path.unwrap_or_default()
}
