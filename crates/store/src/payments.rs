//! Payments that third parties ask for.

use domain::{
    AccountId, Iban, Interface, ListPlace, Payment, PaymentDecision, PaymentId, RejectReason, Tenant,
    Timestamp, TppId,
};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::{Cursor, json};
use crate::{Changes, Store, StoreError};

const PAYMENT: Columns = Columns::of(
    "payments",
    "id, tpp, tenant, interface, terms, debtor, transfers, created_at, expires_at, approved_by, account, \
     reason, decision, last_action_at, version",
);

const ACCOUNT: Columns = Columns::of("payments", "account");

impl Store {
    /// The payment with this id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<Payment>, StoreError> {
        self.find(select!(PAYMENT; "FROM payments WHERE id = $1"), &[id.as_str().into()], read).await
    }

    /// Payments that a third party asked for at an interface, from an account, about which nobody has decided and still
    /// can, the oldest first, at most 100.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pending_payments(
        &self,
        (tpp, interface): (&TppId, Interface),
        (tenant, debtor): (&Tenant, &Iban),
        now: Timestamp,
    ) -> Result<Vec<Payment>, StoreError> {
        self.list(
            select!(PAYMENT; "FROM payments WHERE debtor = $1 AND tpp = $2 AND tenant = $3 \
             AND decision = 'pending' AND expires_at > $4 AND interface = $5 ORDER BY created_at, id LIMIT 100"),
            &[
                debtor.as_str().into(),
                tpp.as_str().into(),
                tenant.as_str().into(),
                now.into(),
                interface.name().into(),
            ],
            read,
        )
        .await
    }

    /// The account that a payment was to be made from, also when nothing says any more who approved it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn account_of_payment(&self, id: &PaymentId) -> Result<Option<AccountId>, StoreError> {
        let select = select!(ACCOUNT; "FROM payments WHERE id = $1");
        let found = self.find(select, &[id.as_str().into()], |row| row.optional_text()).await?;
        Ok(found.flatten().map(AccountId::new))
    }

    /// Payments that an account pays or was to pay, those with which something was done last first: those after a
    /// place, at most `limit`. Those that [`Store::undecided_payments`] finds are not among them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn payments_from(
        &self,
        account: &AccountId,
        (after, limit): (&ListPlace, i64),
    ) -> Result<Vec<Payment>, StoreError> {
        self.list(
            select!(PAYMENT; "FROM payments WHERE account = $1 AND last_action_at <= $2 \
             AND (last_action_at < $2 OR id > $3) AND (decision <> 'pending' OR debtor IS NULL) \
             ORDER BY last_action_at DESC, id LIMIT $4"),
            &[account.as_str().into(), after.at.into(), after.id.as_str().into(), limit.into()],
            read,
        )
        .await
    }

    /// Payments for which an account number was named, about which nobody has decided and somebody could after a moment,
    /// those that can be decided longest first: those after a place, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn undecided_payments(
        &self,
        (tenant, debtor): (&Tenant, &Iban),
        since: Timestamp,
        (after, limit): (&ListPlace, i64),
    ) -> Result<Vec<Payment>, StoreError> {
        self.list(
            select!(PAYMENT; "FROM payments WHERE debtor = $1 AND tenant = $2 AND expires_at > $3 AND expires_at <= $4 \
             AND (expires_at < $4 OR id > $5) AND decision = 'pending' ORDER BY expires_at DESC, id LIMIT $6"),
            &[
                debtor.as_str().into(),
                tenant.as_str().into(),
                since.into(),
                after.at.into(),
                after.id.as_str().into(),
                limit.into(),
            ],
            read,
        )
        .await
    }

    /// Payments for which an account number was named, and that somebody decided about, the last decision first: those
    /// after a place, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn decided_payments(
        &self,
        (tenant, debtor): (&Tenant, &Iban),
        (after, limit): (&ListPlace, i64),
    ) -> Result<Vec<Payment>, StoreError> {
        self.list(
            select!(PAYMENT; "FROM payments WHERE debtor = $1 AND tenant = $2 AND decision <> 'pending' \
             AND last_action_at <= $3 AND (last_action_at < $3 OR id > $4) \
             ORDER BY last_action_at DESC, id LIMIT $5"),
            &[
                debtor.as_str().into(),
                tenant.as_str().into(),
                after.at.into(),
                after.id.as_str().into(),
                limit.into(),
            ],
            read,
        )
        .await
    }

    /// Payments with ids before one, the greatest id first, at most `limit`: of all third parties, or of one those about which somebody decided. Ids begin with
    /// the time at which they were made.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn payments_before(
        &self,
        tpp: Option<&TppId>,
        id: &str,
        limit: i64,
    ) -> Result<Vec<Payment>, StoreError> {
        let Some(tpp) = tpp else {
            let all = select!(PAYMENT; "FROM payments WHERE id < $1 ORDER BY id DESC LIMIT $2");
            return self.list(all, &[id.into(), limit.into()], read).await;
        };
        let of_one = select!(PAYMENT; "FROM payments WHERE tpp = $1 AND id < $2 AND decision <> 'pending' \
                                  ORDER BY id DESC LIMIT $3");
        self.list(of_one, &[tpp.as_str().into(), id.into(), limit.into()], read).await
    }
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`]. The account that was to pay stays, for its holders to see what became of the payment.
    pub fn put_payment(self, payment: &Payment) -> Self {
        self.push(
            "INSERT INTO payments (id, tpp, tenant, interface, terms, debtor, transfers, created_at, expires_at, \
             decision, approved_by, account, reason, last_action_at, version, forget_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 + 1, $16) \
             ON CONFLICT (id) DO UPDATE SET decision = excluded.decision, approved_by = excluded.approved_by, \
             account = COALESCE(excluded.account, payments.account), reason = excluded.reason, last_action_at = excluded.last_action_at, \
             forget_at = excluded.forget_at, version = excluded.version \
             WHERE payments.version = excluded.version - 1",
            vec![
                payment.id.as_str().into(),
                payment.tpp.as_ref().map(TppId::as_str).into(),
                payment.tenant.as_str().into(),
                payment.interface.name().into(),
                json(&payment.terms),
                payment.debtor.as_ref().map(Iban::as_str).into(),
                json(&payment.transfers),
                payment.created_at.into(),
                payment.expires_at.into(),
                payment.decision.name().into(),
                payment.decision.payer().map_or_else(|| None::<&str>.into(), |(by, _)| json(&by)),
                payment.decision.payer().map(|(_, account)| account.as_str()).into(),
                payment.decision.reason().map(RejectReason::name).into(),
                payment.last_action_at.into(),
                payment.version.into(),
                payment.forget_at().into(),
            ],
            Rows::One,
        )
    }
}

fn read(row: &mut Cursor<'_>) -> Result<Payment, StoreError> {
    Ok(Payment {
        id: PaymentId::new(row.text()?),
        tpp: row.optional_text()?.map(TppId::new),
        tenant: row.tenant()?,
        interface: row.parsed(Interface::from_name)?,
        terms: row.json()?,
        debtor: row.optional_text()?.map(Iban::from_stored),
        transfers: row.json()?,
        created_at: row.time()?,
        expires_at: row.time()?,
        decision: {
            let by = row.optional_parsed(|text| serde_json::from_str(text).ok())?;
            let account = row.optional_text()?.map(AccountId::new);
            let reason = row.optional_parsed(RejectReason::from_stored)?;
            row.parsed(|name| PaymentDecision::from_stored(name, by.zip(account), reason))?
        },
        last_action_at: row.time()?,
        version: row.integer()?,
    })
}
