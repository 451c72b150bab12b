//! Consents.

use domain::{
    Consent, ConsentId, CustomerId, Decision, Grant, Interface, ListPlace, SecretHash, Tenant, Timestamp,
    Token, TppId,
};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::grants::{GRANT, TOKEN, read_grant, read_token};
use crate::row::{Cursor, json};
use crate::{Changes, Store, StoreError};

const CONSENT: Columns = Columns::of(
    "consents",
    "id, tpp, tenant, access, granted, recurring, valid_until, frequency_per_day, created_at, customer, \
     approved_at, decision, last_action_at, interface, version",
);

const LAST_USE: Columns = Columns::of("consents", "last_used_at");

impl Store {
    /// The consent with this id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn consent(&self, id: &ConsentId) -> Result<Option<Consent>, StoreError> {
        self.find(select!(CONSENT; "FROM consents WHERE id = $1"), &[id.as_str().into()], read).await
    }
}

impl Store {
    /// Consents that a customer decided about, the newest first, at most 1000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn consents_of(&self, customer: &CustomerId) -> Result<Vec<Consent>, StoreError> {
        self.list(
            select!(CONSENT; "FROM consents WHERE customer = $1 ORDER BY created_at DESC, id LIMIT 1000"),
            &[customer.as_str().into()],
            read,
        )
        .await
    }

    /// Consents that a customer decided about, the newest first, with when each was last used: those after a place, at
    /// most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn given_consents(
        &self,
        customer: &CustomerId,
        (after, limit): (&ListPlace, i64),
    ) -> Result<Vec<(Consent, Option<Timestamp>)>, StoreError> {
        self.list(
            select!(CONSENT, LAST_USE; "FROM consents WHERE customer = $1 AND created_at <= $2 \
             AND (created_at < $2 OR id > $3) ORDER BY created_at DESC, id LIMIT $4"),
            &[customer.as_str().into(), after.at.into(), after.id.as_str().into(), limit.into()],
            |row| Ok((read(row)?, row.optional_time()?)),
        )
        .await
    }

    /// The consent with this id, and when it was last used.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn given_consent(
        &self,
        id: &ConsentId,
    ) -> Result<Option<(Consent, Option<Timestamp>)>, StoreError> {
        self.find(select!(CONSENT, LAST_USE; "FROM consents WHERE id = $1"), &[id.as_str().into()], |row| {
            Ok((read(row)?, row.optional_time()?))
        })
        .await
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
        self.find(
            select!(CONSENT as "c.", TOKEN as "t.", GRANT as "g."; "FROM consents c \
             LEFT JOIN tokens t ON t.hash = $1 \
             LEFT JOIN grants g ON g.id = t.grant_id WHERE c.id = $2"),
            &[token.as_hex().into(), id.as_str().into()],
            |row| {
                let consent = read(row)?;
                let token = row.joined(read_token)?;
                Ok((consent, token.zip(row.joined(read_grant)?)))
            },
        )
        .await
    }

    /// Consents with ids before one, the greatest id first, at most `limit`: of all third parties, or of one those about which a customer decided. Ids begin with
    /// the time at which they were made.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn consents_before(
        &self,
        tpp: Option<&TppId>,
        id: &str,
        limit: i64,
    ) -> Result<Vec<Consent>, StoreError> {
        let Some(tpp) = tpp else {
            let all = select!(CONSENT; "FROM consents WHERE id < $1 ORDER BY id DESC LIMIT $2");
            return self.list(all, &[id.into(), limit.into()], read).await;
        };
        let of_one = select!(CONSENT; "FROM consents WHERE tpp = $1 AND id < $2 AND customer IS NOT NULL \
                                  ORDER BY id DESC LIMIT $3");
        self.list(of_one, &[tpp.as_str().into(), id.into(), limit.into()], read).await
    }

    /// Consents that a third party asked for at a branch, and about which no customer decided, at most `limit`: of those that are
    /// forgotten from one time on until another. There is no index by the third party, which each new consent would pay for.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn undecided_consents(
        &self,
        (tenant, tpp): (&Tenant, &TppId),
        (from, until): (Timestamp, Timestamp),
        limit: i64,
    ) -> Result<Vec<Consent>, StoreError> {
        let undecided = select!(CONSENT; "FROM consents WHERE tenant = $1 AND forget_at >= $2 AND forget_at < $3 \
                                          AND tpp = $4 AND customer IS NULL ORDER BY forget_at LIMIT $5");
        let params = [tenant.as_str().into(), from.into(), until.into(), tpp.as_str().into(), limit.into()];
        self.list(undecided, &params, read).await
    }
}

impl Changes {
    /// Writes down when a consent was used last, unless another process knows of a later use.
    pub fn note_use_of_consent(self, consent: &ConsentId, at: Timestamp) -> Self {
        self.push(
            "UPDATE consents SET last_used_at = $1 \
             WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
            vec![at.into(), consent.as_str().into()],
            Rows::Any,
        )
    }

    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_consent(self, consent: &Consent) -> Self {
        self.push(
            "INSERT INTO consents (id, tpp, tenant, access, granted, recurring, valid_until, frequency_per_day, \
             created_at, customer, decision, last_action_at, version, needs_confirmation, interface, forget_at, \
             approved_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 + 1, $14, $15, $16, $17) \
             ON CONFLICT (id) DO UPDATE SET granted = excluded.granted, customer = excluded.customer, \
             approved_at = excluded.approved_at, decision = excluded.decision, last_action_at = excluded.last_action_at, \
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
                consent.approved_at.into(),
            ],
            Rows::One,
        )
    }
}

fn read(row: &mut Cursor<'_>) -> Result<Consent, StoreError> {
    Ok(Consent {
        id: ConsentId::new(row.text()?),
        tpp: TppId::new(row.text()?),
        tenant: row.tenant()?,
        access: row.json()?,
        granted: row.json()?,
        recurring: row.truth()?,
        valid_until: row.date()?,
        frequency_per_day: row.integer()?,
        created_at: row.time()?,
        customer: row.optional_text()?.map(CustomerId::new),
        approved_at: row.optional_time()?,
        decision: row.parsed(Decision::from_name)?,
        last_action_at: row.time()?,
        interface: row.parsed(Interface::from_name)?,
        version: row.integer()?,
    })
}
