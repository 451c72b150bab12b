//! Payments that third parties ask for.

use domain::{AccountId, CustomerId, Iban, Payment, PaymentDecision, PaymentId, Tenant, Timestamp, TppId};

use crate::changes::Rows;
use crate::row::{Row, corrupt, json};
use crate::{Changes, Store, StoreError};

impl Store {
    /// The payment with this id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<Payment>, StoreError> {
        self.fetch_optional(
            "SELECT id, tpp, tenant, debtor, transfers, created_at, expires_at, decision, customer, account, \
             last_action_at, version FROM payments WHERE id = $1",
            &[id.as_str().into()],
            read,
        )
    }

    /// Payments of a third party from an account about which nobody has decided and still can, the oldest first, at
    /// most 100.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pending_payments(
        &self,
        tpp: &TppId,
        (tenant, debtor): (&Tenant, &Iban),
        now: Timestamp,
    ) -> Result<Vec<Payment>, StoreError> {
        self.fetch_all(
            "SELECT id, tpp, tenant, debtor, transfers, created_at, expires_at, decision, customer, account, \
             last_action_at, version FROM payments \
             WHERE debtor = $1 AND tpp = $2 AND tenant = $3 AND decision = 'pending' AND expires_at > $4 \
             ORDER BY created_at, id LIMIT 100",
            &[debtor.as_str().into(), tpp.as_str().into(), tenant.as_str().into(), now.into()],
            read,
        )
    }
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_payment(self, payment: &Payment) -> Self {
        self.push(
            "INSERT INTO payments (id, tpp, tenant, debtor, transfers, created_at, expires_at, decision, customer, \
             account, last_action_at, version, forget_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 + 1, $13) \
             ON CONFLICT (id) DO UPDATE SET decision = excluded.decision, customer = excluded.customer, \
             account = excluded.account, last_action_at = excluded.last_action_at, \
             forget_at = excluded.forget_at, version = excluded.version \
             WHERE payments.version = excluded.version - 1",
            vec![
                payment.id.as_str().into(),
                payment.tpp.as_ref().map(TppId::as_str).into(),
                payment.tenant.as_str().into(),
                payment.debtor.as_ref().map(Iban::as_str).into(),
                json(&payment.transfers),
                payment.created_at.into(),
                payment.expires_at.into(),
                payment.decision.name().into(),
                payment.decision.payer().map(|(customer, _)| customer.as_str()).into(),
                payment.decision.payer().map(|(_, account)| account.as_str()).into(),
                payment.last_action_at.into(),
                payment.version.into(),
                payment.forget_at().into(),
            ],
            Rows::One,
        )
    }
}

fn read(row: &Row<'_>) -> Result<Payment, StoreError> {
    let customer = row.optional_text(8, "payments.customer")?.map(CustomerId::new);
    let account = row.optional_text(9, "payments.account")?.map(AccountId::new);
    Ok(Payment {
        id: PaymentId::new(row.text(0, "payments.id")?),
        tpp: row.optional_text(1, "payments.tpp")?.map(TppId::new),
        tenant: row.tenant(2, "payments.tenant")?,
        debtor: row.optional_text(3, "payments.debtor")?.map(Iban::from_stored),
        transfers: row.json(4, "payments.transfers")?,
        created_at: row.time(5, "payments.created_at")?,
        expires_at: row.time(6, "payments.expires_at")?,
        decision: PaymentDecision::from_stored(&row.text(7, "payments.decision")?, customer.zip(account))
            .ok_or(corrupt("payments.decision"))?,
        last_action_at: row.time(10, "payments.last_action_at")?,
        version: row.integer(11, "payments.version")?,
    })
}
