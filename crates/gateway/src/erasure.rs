//! Erasure (GDPR, Article 17): what is held of a customer whose relation with all third parties ended goes before its time, as far as no
//! law has the bank keep it.
//!
//! Consents that were once good are evidence of what a customer agreed to while they can dispute what was done (PSD2, Articles 71 and
//! 72), payments and the audit trail have lives of their own: these stay until then, and whoever asks is told until when.

use domain::{CustomerId, Decision, Tenant, Timestamp};

use crate::error::retry;
use crate::staff::{Deed, StaffError, StaffRefusal};
use crate::{Changes, Error, Gateway};

/// Most consents of a customer that are looked at: as many as the store tells at once.
const MOST: usize = 1000;

/// What an erasure came to.
#[derive(Debug)]
pub struct Erased {
    /// Ids of consents that were erased.
    pub consents: Vec<String>,
    /// Ids of those that stay, and until when.
    pub kept: Vec<(String, Option<Timestamp>)>,
    /// Whether there are more than were looked at.
    pub is_more: bool,
}

impl Gateway {
    /// Erases what is held of a customer of a branch.
    ///
    /// # Errors
    /// [`StaffRefusal::Open`] while a third party has access
    pub async fn erase_customer(
        &self,
        tenant: &Tenant,
        customer: &CustomerId,
        deed: Deed<'_>,
    ) -> Result<Erased, StaffError> {
        let open = self.open_of(tenant, customer).await?;
        if !open.is_empty() {
            return Err(StaffRefusal::Open(open).into());
        }
        Ok(retry(|| async {
            let (erased, changes) = self.erasure(tenant, customer).await?;
            let changes = self.acted(changes, &deed.act("erase", customer.as_str(), None)).await?;
            self.0.store.save(changes).await?;
            Ok(erased)
        })
        .await?)
    }

    /// Ids of what third parties may still use.
    async fn open_of(&self, tenant: &Tenant, customer: &CustomerId) -> Result<Vec<String>, Error> {
        let now = self.now(tenant);
        let consents = self.0.store.consents_of(customer).await?.into_iter();
        let consents = consents
            .filter(|consent| consent.tenant == *tenant && !self.consent_status(consent, now).is_final())
            .map(|consent| consent.id.to_string());
        let funds = self.0.store.funds_consents_of(customer).await?.into_iter();
        let funds = funds
            .filter(|consent| consent.tenant == *tenant && !consent.status_at(now).is_final())
            .map(|consent| consent.id.to_string());
        Ok(consents.chain(funds).collect())
    }

    /// What is erased, and the changes that do so.
    async fn erasure(&self, tenant: &Tenant, customer: &CustomerId) -> Result<(Erased, Changes), Error> {
        let mut erased = Erased { consents: Vec::new(), kept: Vec::new(), is_more: false };
        let mut changes = Changes::new().erase_sessions(tenant, customer);
        let now = self.now(tenant);
        let all = self.0.store.consents_of(customer).await?;
        let consents = all.len();
        for consent in all {
            // What was opened since it was looked for stays, and is refused about the next time.
            if consent.tenant != *tenant || !self.consent_status(&consent, now).is_final() {
                continue;
            }
            let id = consent.id.to_string();
            if was_good(consent.decision) {
                erased.kept.push((id, Some(consent.forget_at())));
            } else {
                changes = changes.erase_consent(&consent);
                erased.consents.push(id);
            }
        }
        let all = self.0.store.funds_consents_of(customer).await?;
        let funds = all.len();
        for consent in all {
            if consent.tenant != *tenant || !consent.status_at(now).is_final() {
                continue;
            }
            let id = consent.id.to_string();
            if was_good(consent.decision) {
                erased.kept.push((id, consent.forget_at()));
            } else {
                changes = changes.erase_funds_consent(&consent);
                erased.consents.push(id);
            }
        }
        erased.is_more = consents >= MOST || funds >= MOST;
        Ok((erased, changes))
    }
}

/// Whether a third party could use it once. One that was ended before it was confirmed is kept as those are: nobody can tell it from
/// them.
fn was_good(decision: Decision) -> bool {
    !matches!(decision, Decision::Pending | Decision::Rejected)
}
