//! Consents for confirmation of funds.

use domain::{
    CustomerId, Decision, FundsConsent, FundsConsentId, Grant, Interface, ListPlace, SecretHash, Tenant,
    Timestamp, Token, TppId,
};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::grants::{GRANT, TOKEN, read_grant, read_token};
use crate::row::{Cursor, json};
use crate::{Changes, Store, StoreError};

const FUNDS_CONSENT: Columns = Columns::of(
    "funds_consents",
    "id, tpp, tenant, interface, account, card, created_at, expires_at, customer, approved_at, decision, \
     last_action_at, version",
);

const LAST_USE: Columns = Columns::of("funds_consents", "last_used_at");

impl Store {
    /// The consent with this id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn funds_consent(&self, id: &FundsConsentId) -> Result<Option<FundsConsent>, StoreError> {
        self.find(select!(FUNDS_CONSENT; "FROM funds_consents WHERE id = $1"), &[id.as_str().into()], read)
            .await
    }

    /// Consents that a customer decided about, the newest first, at most 1000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn funds_consents_of(&self, customer: &CustomerId) -> Result<Vec<FundsConsent>, StoreError> {
        self.list(
            select!(FUNDS_CONSENT; "FROM funds_consents WHERE customer = $1 ORDER BY created_at DESC, id LIMIT 1000"),
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
    pub async fn given_funds_consents(
        &self,
        customer: &CustomerId,
        (after, limit): (&ListPlace, i64),
    ) -> Result<Vec<(FundsConsent, Option<Timestamp>)>, StoreError> {
        self.list(
            select!(FUNDS_CONSENT, LAST_USE; "FROM funds_consents WHERE customer = $1 AND created_at <= $2 \
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
    pub async fn given_funds_consent(
        &self,
        id: &FundsConsentId,
    ) -> Result<Option<(FundsConsent, Option<Timestamp>)>, StoreError> {
        self.find(
            select!(FUNDS_CONSENT, LAST_USE; "FROM funds_consents WHERE id = $1"),
            &[id.as_str().into()],
            |row| Ok((read(row)?, row.optional_time()?)),
        )
        .await
    }

    /// The consent with this id, and the token with this hash with the grant that it belongs to, in one read.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn funds_consent_and_token(
        &self,
        id: &FundsConsentId,
        token: &SecretHash,
    ) -> Result<Option<(FundsConsent, Option<(Token, Grant)>)>, StoreError> {
        self.find(
            select!(FUNDS_CONSENT as "f.", TOKEN as "t.", GRANT as "g."; "FROM funds_consents f \
             LEFT JOIN tokens t ON t.hash = $1 \
             LEFT JOIN grants g ON g.id = t.grant_id WHERE f.id = $2"),
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
    pub async fn funds_consents_before(
        &self,
        tpp: Option<&TppId>,
        id: &str,
        limit: i64,
    ) -> Result<Vec<FundsConsent>, StoreError> {
        let Some(tpp) = tpp else {
            let all = select!(FUNDS_CONSENT; "FROM funds_consents WHERE id < $1 ORDER BY id DESC LIMIT $2");
            return self.list(all, &[id.into(), limit.into()], read).await;
        };
        let of_one = select!(FUNDS_CONSENT; "FROM funds_consents WHERE tpp = $1 AND id < $2 AND customer IS NOT NULL \
                                  ORDER BY id DESC LIMIT $3");
        self.list(of_one, &[tpp.as_str().into(), id.into(), limit.into()], read).await
    }

    /// Consents that a third party asked for at a branch, and about which no customer decided, at most `limit`: of those that are
    /// forgotten from one time on until another.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn undecided_funds_consents(
        &self,
        (tenant, tpp): (&Tenant, &TppId),
        (from, until): (Timestamp, Timestamp),
        limit: i64,
    ) -> Result<Vec<FundsConsent>, StoreError> {
        let undecided = select!(FUNDS_CONSENT; "FROM funds_consents WHERE tenant = $1 AND forget_at >= $2 AND forget_at < $3 \
                                                AND tpp = $4 AND customer IS NULL ORDER BY forget_at LIMIT $5");
        let params = [tenant.as_str().into(), from.into(), until.into(), tpp.as_str().into(), limit.into()];
        self.list(undecided, &params, read).await
    }
}

impl Changes {
    /// Writes down when a consent was used last, unless another process knows of a later use.
    pub fn note_use_of_funds_consent(self, consent: &FundsConsentId, at: Timestamp) -> Self {
        self.push(
            "UPDATE funds_consents SET last_used_at = $1 \
             WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
            vec![at.into(), consent.as_str().into()],
            Rows::Any,
        )
    }

    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_funds_consent(self, consent: &FundsConsent) -> Self {
        self.push(
            "INSERT INTO funds_consents (id, tpp, tenant, interface, account, card, created_at, expires_at, customer, \
             decision, last_action_at, forget_at, version, approved_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 + 1, $14) \
             ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, approved_at = excluded.approved_at, decision = excluded.decision, \
             last_action_at = excluded.last_action_at, forget_at = excluded.forget_at, version = excluded.version \
             WHERE funds_consents.version = excluded.version - 1",
            vec![
                consent.id.as_str().into(),
                consent.tpp.as_str().into(),
                consent.tenant.as_str().into(),
                consent.interface.name().into(),
                json(&consent.account),
                json(&consent.card),
                consent.created_at.into(),
                consent.expires_at.into(),
                consent.customer.as_ref().map(CustomerId::as_str).into(),
                consent.decision.name().into(),
                consent.last_action_at.into(),
                consent.forget_at().into(),
                consent.version.into(),
                consent.approved_at.into(),
            ],
            Rows::One,
        )
    }
}

fn read(row: &mut Cursor<'_>) -> Result<FundsConsent, StoreError> {
    Ok(FundsConsent {
        id: FundsConsentId::new(row.text()?),
        tpp: TppId::new(row.text()?),
        tenant: row.tenant()?,
        interface: row.parsed(Interface::from_name)?,
        account: row.json()?,
        card: row.json()?,
        created_at: row.time()?,
        expires_at: row.time()?,
        customer: row.optional_text()?.map(CustomerId::new),
        approved_at: row.optional_time()?,
        decision: row.parsed(Decision::from_name)?,
        last_action_at: row.time()?,
        version: row.integer()?,
    })
}
