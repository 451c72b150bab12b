//! Consents.

use domain::{Consent, ConsentId, CustomerId, Decision, TppId};

use crate::changes::Rows;
use crate::row::{Row, json};
use crate::{Changes, Store, StoreError};

impl Store {
    /// The consent with this id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn consent(&self, id: &ConsentId) -> Result<Option<Consent>, StoreError> {
        self.fetch_optional(
            "SELECT id, tpp, tenant, access, granted, recurring, valid_until, frequency_per_day, created_at, \
             customer, decision, last_action_at, version FROM consents WHERE id = $1",
            &[id.as_str().into()],
            read,
        )
    }
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_consent(self, consent: &Consent) -> Self {
        self.push(
            "INSERT INTO consents (id, tpp, tenant, access, granted, recurring, valid_until, frequency_per_day, \
             created_at, customer, decision, last_action_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 + 1) \
             ON CONFLICT (id) DO UPDATE SET granted = excluded.granted, customer = excluded.customer, \
             decision = excluded.decision, last_action_at = excluded.last_action_at, \
             version = excluded.version WHERE consents.version = excluded.version - 1",
            vec![
                consent.id.as_str().into(),
                consent.tpp.as_str().into(),
                consent.tenant.as_str().into(),
                json(&consent.access),
                json(&consent.granted),
                consent.recurring.into(),
                consent.valid_until.into(),
                consent.frequency_per_day.into(),
                consent.created_at.into(),
                consent.customer.as_ref().map(CustomerId::as_str).into(),
                consent.decision.name().into(),
                consent.last_action_at.into(),
                consent.version.into(),
            ],
            Rows::One,
        )
    }
}

fn read(row: &Row<'_>) -> Result<Consent, StoreError> {
    Ok(Consent {
        id: ConsentId::new(row.text(0, "consents.id")?),
        tpp: TppId::new(row.text(1, "consents.tpp")?),
        tenant: row.tenant(2, "consents.tenant")?,
        access: row.json(3, "consents.access")?,
        granted: row.json(4, "consents.granted")?,
        recurring: row.truth(5, "consents.recurring")?,
        valid_until: row.date(6, "consents.valid_until")?,
        frequency_per_day: row.integer(7, "consents.frequency_per_day")?,
        created_at: row.time(8, "consents.created_at")?,
        customer: row.optional_text(9, "consents.customer")?.map(CustomerId::new),
        decision: Decision::from_name(&row.text(10, "consents.decision")?)
            .ok_or(StoreError::Corrupt("consents.decision"))?,
        last_action_at: row.time(11, "consents.last_action_at")?,
        version: row.integer(12, "consents.version")?,
    })
}
