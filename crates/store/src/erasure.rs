//! Erasing what is held of a customer before it would be forgotten.

use domain::{Consent, CustomerId, FundsConsent, Tenant};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::{Changes, Perishable, Store, StoreError};

/// A column that sessions and codes have: it is enough to know that there are some.
const BRANCH: Columns = Columns::of("sessions", "tenant");

impl Store {
    /// Whether [`Changes::erase_sessions`] would find something of a customer.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn has_sessions_of(&self, tenant: &Tenant, customer: &CustomerId) -> Result<bool, StoreError> {
        let params = [customer.as_str().into(), tenant.as_str().into()];
        let found = self.find(
            select!(BRANCH; "FROM sessions WHERE customer = $1 AND tenant = $2 \
             UNION ALL SELECT tenant FROM customer_sessions WHERE customer = $1 AND tenant = $2 \
             UNION ALL SELECT tenant FROM authorization_codes WHERE customer = $1 AND tenant = $2 LIMIT 1"),
            &params,
            |row| row.text(),
        );
        Ok(found.await?.is_some())
    }
}

impl Changes {
    /// Erases a consent with its authorisations, grants, counts of reads and first reads, if it is as it was loaded.
    pub fn erase_consent(self, consent: &Consent) -> Self {
        self.with_belongings(Perishable::Consent, consent.id.as_str()).push(
            "DELETE FROM consents WHERE id = $1 AND version = $2",
            vec![consent.id.as_str().into(), consent.version.into()],
            Rows::One,
        )
    }

    /// Erases a consent for confirmation of funds with its authorisations and grants, if it is as it was loaded.
    pub fn erase_funds_consent(self, consent: &FundsConsent) -> Self {
        self.with_belongings(Perishable::FundsConsent, consent.id.as_str()).push(
            "DELETE FROM funds_consents WHERE id = $1 AND version = $2",
            vec![consent.id.as_str().into(), consent.version.into()],
            Rows::One,
        )
    }

    /// Erases a customer's sessions at the bank's pages and in the bank's own pages, and codes that no third party redeemed.
    pub fn erase_sessions(self, tenant: &Tenant, customer: &CustomerId) -> Self {
        let params = || vec![customer.as_str().into(), tenant.as_str().into()];
        self.push("DELETE FROM sessions WHERE customer = $1 AND tenant = $2", params(), Rows::Any)
            .push("DELETE FROM customer_sessions WHERE customer = $1 AND tenant = $2", params(), Rows::Any)
            .push("DELETE FROM authorization_codes WHERE customer = $1 AND tenant = $2", params(), Rows::Any)
    }

    fn with_belongings(self, kind: Perishable, id: &str) -> Self {
        let belongings = kind.belongings().iter();
        belongings.fold(self, |changes, sql| changes.push(sql, vec![id.into()], Rows::Any))
    }
}
