//! A third party's renewed certificate takes the place of the one that it registered with.
//!
//! In front of a real bank a registration is its organisation's, and any of its certificates that is good signs its calls. What a
//! registration has of its certificate is needed where none is shown: roles and key. Once that certificate is out of use, those of
//! the next one that signs a call take their place, in one guarded write, whichever process is called.

use domain::{CertificateRecord, CertificateStatus, RegisteredBy};

use crate::error::retry;
use crate::{Changes, Ctx, Error, Gateway, Party};

impl Gateway {
    /// Takes up the certificate of a call that was signed by it, if that of the registration is out of use: over, revoked or stopped. For
    /// when the signature is known to be good. It costs nothing where there is nothing to take up. At a bank for tests whoever has another
    /// certificate registers again.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn take_up_certificate(&self, ctx: &Ctx, party: &Party) -> Result<(), Error> {
        let Some(before) = party.registered_by().filter(|_| !self.is_for_tests()) else { return Ok(()) };
        if !self.is_out_of_use(ctx, party, before) {
            return Ok(());
        }
        retry(|| async {
            let tpp = self.registered(party.acting().id()).await?;
            let holder = &party.signer().holder;
            // Another call was faster, perhaps at another process.
            if tpp.certificate != before.certificate || !tpp.may_go_on_with(holder) {
                return Ok(());
            }
            let mut changes = Changes::new();
            if self.0.store.certificate_status(&holder.fingerprint).await?.is_none() {
                changes = changes.put_certificate(&CertificateRecord::first_seen(holder.clone(), ctx.now));
            }
            let changes = self.keep_path(changes, party.signer()).await?;
            Ok(self.0.store.save(changes.put_tpp(&tpp.renewed(holder.clone()))).await?)
        })
        .await
    }

    fn is_out_of_use(&self, ctx: &Ctx, party: &Party, before: &RegisteredBy) -> bool {
        if self.check_not_stopped(party.acting().id(), &before.certificate).is_err() {
            return true;
        }
        before.state.is_some_and(|state| match state.status {
            CertificateStatus::Active => state.not_after < ctx.now,
            CertificateStatus::Revoked { .. } => true,
            // What the bank blocked stays so until it lifts that.
            CertificateStatus::Blocked { .. } => false,
        })
    }
}
