//! Consents.

use domain::{Consent, ConsentId, CustomerId, Decision, Grant, Interface, SecretHash, Token, TppId};

use crate::changes::Rows;
use crate::grants::{read_grant, read_token};
use crate::row::{Row, corrupt, json};
use crate::{Changes, Store, StoreError};

impl Store {
    /// The consent with this id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn consent(&self, id: &ConsentId) -> Result<Option<Consent>, StoreError> {
        self.fetch_optional(
            "SELECT id, tpp, tenant, access, granted, recurring, valid_until, frequency_per_day, created_at, \
             customer, decision, last_action_at, interface, version FROM consents WHERE id = $1",
            &[id.as_str().into()],
            read,
        )
    }
}

impl Store {
    /// Consents that a customer decided about, the newest first, at most 1000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn consents_of(&self, customer: &CustomerId) -> Result<Vec<Consent>, StoreError> {
        self.fetch_all(
            "SELECT id, tpp, tenant, access, granted, recurring, valid_until, frequency_per_day, created_at, \
             customer, decision, last_action_at, interface, version FROM consents WHERE customer = $1 \
             ORDER BY created_at DESC, id LIMIT 1000",
            &[customer.as_str().into()],
            read,
        )
    }

    /// The consent with this id, and the token with this hash with the grant that it belongs to, in one read.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn consent_and_token(
        &self,
        id: &ConsentId,
        token: &SecretHash,
    ) -> Result<Option<(Consent, Option<(Token, Grant)>)>, StoreError> {
        self.fetch_optional(
            "SELECT c.id, c.tpp, c.tenant, c.access, c.granted, c.recurring, c.valid_until, c.frequency_per_day, \
             c.created_at, c.customer, c.decision, c.last_action_at, c.interface, c.version, \
             t.hash, t.grant_id, t.kind, t.certificate, t.issued_at, t.expires_at, t.used_at, t.fresh, \
             t.version, \
             g.id, g.client, g.tenant, g.subject_kind, g.subject_id, g.authorisation, g.customer, \
             g.offline_access, g.authenticated_at, g.ended_at, g.interface, g.version \
             FROM consents c LEFT JOIN tokens t ON t.hash = $1 LEFT JOIN grants g ON g.id = t.grant_id \
             WHERE c.id = $2",
            &[token.as_hex().into(), id.as_str().into()],
            |row| {
                let token = match row.optional_text(23, "grants.id")? {
                    Some(_) => Some((read_token(row, 14)?, read_grant(row, 23)?)),
                    None => None,
                };
                Ok((read(row)?, token))
            },
        )
    }
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_consent(self, consent: &Consent) -> Self {
        self.push(
            "INSERT INTO consents (id, tpp, tenant, access, granted, recurring, valid_until, frequency_per_day, \
             created_at, customer, decision, last_action_at, version, needs_confirmation, interface, forget_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 + 1, $14, $15, $16) \
             ON CONFLICT (id) DO UPDATE SET granted = excluded.granted, customer = excluded.customer, \
             decision = excluded.decision, last_action_at = excluded.last_action_at, \
             forget_at = excluded.forget_at, version = excluded.version \
             WHERE consents.version = excluded.version - 1",
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
                consent.access.is_confirmed_by_tpp().into(),
                consent.interface.name().into(),
                consent.forget_at().into(),
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
            .ok_or(corrupt("consents.decision"))?,
        last_action_at: row.time(11, "consents.last_action_at")?,
        interface: Interface::from_name(&row.text(12, "consents.interface")?)
            .ok_or(corrupt("consents.interface"))?,
        version: row.integer(13, "consents.version")?,
    })
}
