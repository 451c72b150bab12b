//! What the answers of issuers mean for a call.

use domain::{CertificateStatus, Refusal, Timestamp};
use eidas::Certificate;
use tokio::time::Instant;

use super::{AGAIN, Revocation, Verdict};
use crate::{Error, Gateway, Noun, Place, PresentedCertificate, Usage};

/// What an authority above a certificate is called.
const AUTHORITY: &str = "the certificate of the authority that issued it";

impl Gateway {
    /// Asks the issuers of certificates whether they revoked one, at a bank that asks. What only reads that which was granted
    /// before, or is told of it, is let through for some hours when nobody answers.
    ///
    /// # Errors
    /// [`Refusal::CertificateRevoked`], [`Refusal::CertificateUnknown`], [`Refusal::CertificateUnchecked`]
    pub(crate) async fn check_revocation(
        &self,
        shown: &[(&PresentedCertificate, Place)],
        usage: Usage,
    ) -> Result<(), Error> {
        let Some(revocation) = self.0.revocation.as_ref().filter(|revocation| revocation.is_on()) else {
            return Ok(());
        };
        // Issuers live in the system's time, whatever the clock of a tenant shows.
        let now = self.system_time();
        // What the bank tells by itself is no call: what is begun now is known when it looks next, twice a second.
        let is_call = usage != Usage::IsTold;
        let deadline = if is_call { revocation.deadline() } else { Instant::now() };
        let pairs = asked_about(shown, now);
        for (certificate, issuer, _) in &pairs {
            revocation.begin(certificate, issuer, now);
        }
        for (certificate, issuer, what) in pairs {
            let verdict = revocation.verdict_by((deadline, is_call), (certificate, issuer), now).await;
            self.take_verdict(revocation, (certificate, what, verdict), (usage, now)).await?;
        }
        Ok(())
    }

    async fn take_verdict(
        &self,
        revocation: &Revocation,
        (certificate, what, verdict): (&Certificate, &'static str, Verdict),
        (usage, now): (Usage, Timestamp),
    ) -> Result<(), Error> {
        match verdict {
            Verdict::Good => Ok(()),
            Verdict::Revoked { at } => {
                self.note_revoked(&certificate.fingerprint_hex(), at).await?;
                Err(Refusal::CertificateRevoked { what, at }.into())
            }
            // Its issuer may make it a good one again, so that nothing is kept in mind.
            Verdict::Suspended { at } => Err(Refusal::CertificateRevoked { what, at }.into()),
            Verdict::Unknown => Err(Refusal::CertificateUnknown { what }.into()),
            Verdict::Unanswered { good_at } => {
                let rules = &revocation.0.rules;
                let is_taken = |good_at| now.duration_since(good_at) <= rules.reads_without_answer;
                if usage == Usage::Changes || !good_at.is_some_and(is_taken) {
                    let retry_after = AGAIN.as_secs();
                    return Err(Refusal::CertificateUnchecked { what, retry_after }.into());
                }
                revocation.0.count(|counts| counts.let_through += u64::from(usage == Usage::Reads));
                Ok(())
            }
        }
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

/// What is asked: about a certificate, its issuer, what the certificate is called.
pub(super) type Pair<'c> = (&'c Certificate, &'c Certificate, &'static str);

/// What is asked about the certificates of a call. Nobody has to know anything of one that is out of its time: the check of that
/// refuses it. An authority is asked about whatever its time, since another clock than this one may have found its way.
pub(super) fn asked_about<'c>(shown: &[(&'c PresentedCertificate, Place)], now: Timestamp) -> Vec<Pair<'c>> {
    let within = shown.iter().filter(|(presented, _)| presented.certificate.may_be_used_at(now));
    within.flat_map(|(presented, place)| pairs(presented, *place)).collect()
}

/// Each certificate of a path below the trusted authority, with its issuer and what it is called.
fn pairs(presented: &PresentedCertificate, place: Place) -> impl Iterator<Item = Pair<'_>> {
    let above = || presented.above.iter().map(AsRef::as_ref);
    let below = std::iter::once((&presented.certificate, place.what));
    let below = below.chain(above().map(|authority| (authority, AUTHORITY)));
    below.zip(above()).map(|((certificate, what), issuer)| (certificate, issuer, what))
}
