//! A third party's renewed certificate takes the place of the one that it registered with.
//!
//! In front of a real bank a registration is its organisation's, and any of its certificates that is good signs its calls. What a
//! registration has of its certificate is needed where none is shown: roles and key. Once that certificate is out of use, those of
//! the next one that signs a call take their place, in one guarded write, whichever process is called.

use domain::{CertificateRecord, CertificateStatus};

use crate::error::retry;
use crate::{Changes, Ctx, Error, Gateway, Party};

impl Gateway {
    /// Takes up the certificate of a call that was signed by it, if that of the registration is out of use: over, revoked or stopped. For
    /// when the signature is known to be good. A call by the certificate of the registration costs nothing here, any other one read.
    /// At a bank for tests whoever has another certificate registers again.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn take_up_certificate(&self, ctx: &Ctx, party: &Party) -> Result<(), Error> {
        let Some(before) = party.registered_by().filter(|_| !self.is_for_tests()) else { return Ok(()) };
        if !self.is_out_of_use(ctx, party, before).await? {
            return Ok(());
        }
        retry(|| async {
            let tpp = self.registered(party.acting().id()).await?;
            // Another call was faster, perhaps at another process.
            if tpp.certificate != before {
                return Ok(());
            }
            let holder = &party.signer().holder;
            let mut changes = Changes::new();
            if self.0.store.certificate_status(&holder.fingerprint).await?.is_none() {
                changes = changes.put_certificate(&CertificateRecord::first_seen(holder.clone(), ctx.now));
            }
            let changes = self.keep_path(changes, party.signer()).await?;
            Ok(self.0.store.save(changes.put_tpp(&tpp.renewed(holder.clone()))).await?)
        })
        .await
    }

    async fn is_out_of_use(&self, ctx: &Ctx, party: &Party, fingerprint: &str) -> Result<bool, Error> {
        if self.check_not_stopped(party.acting().id(), fingerprint).is_err() {
            return Ok(true);
        }
        let record = self.0.store.certificate(fingerprint).await?;
        Ok(record.is_some_and(|record| match record.status {
            CertificateStatus::Active => record.holder.not_after < ctx.now,
            CertificateStatus::Revoked { .. } => true,
            // What the bank blocked stays so until it lifts that.
            CertificateStatus::Blocked { .. } => false,
        }))
    }
}
