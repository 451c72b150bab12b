//! Authorisations of consents.

use domain::{Authorisation, AuthorisationId, ConsentId, CustomerId, Progress};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::Cursor;
use crate::{Changes, Store, StoreError};

const AUTHORISATION: Columns = Columns::of(
    "authorisations",
    "id, consent, number, redirect_uri, created_at, progress, customer, wrong_answers, version",
);

impl Store {
    /// The authorisation with this id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn authorisation(&self, id: &AuthorisationId) -> Result<Option<Authorisation>, StoreError> {
        self.find(select!(AUTHORISATION; "FROM authorisations WHERE id = $1"), &[id.as_str().into()], read)
            .await
    }

    /// Every authorisation of a consent, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn authorisations(&self, consent: &ConsentId) -> Result<Vec<Authorisation>, StoreError> {
        self.list(
            select!(AUTHORISATION; "FROM authorisations WHERE consent = $1 ORDER BY number"),
            &[consent.as_str().into()],
            read,
        )
        .await
    }
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_authorisation(self, authorisation: &Authorisation) -> Self {
        self.push(
            "INSERT INTO authorisations (id, consent, number, redirect_uri, created_at, progress, \
             customer, wrong_answers, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9 + 1) \
             ON CONFLICT (id) DO UPDATE SET progress = excluded.progress, customer = excluded.customer, \
             wrong_answers = excluded.wrong_answers, version = excluded.version \
             WHERE authorisations.version = excluded.version - 1",
            vec![
                authorisation.id.as_str().into(),
                authorisation.consent.as_str().into(),
                authorisation.number.into(),
                authorisation.redirect_uri.as_str().into(),
                authorisation.created_at.into(),
                authorisation.progress.name().into(),
                authorisation.customer.as_ref().map(CustomerId::as_str).into(),
                authorisation.wrong_answers.into(),
                authorisation.version.into(),
            ],
            Rows::One,
        )
    }
}

fn read(row: &mut Cursor<'_>) -> Result<Authorisation, StoreError> {
    Ok(Authorisation {
        id: AuthorisationId::new(row.text()?),
        consent: ConsentId::new(row.text()?),
        number: row.integer()?,
        redirect_uri: row.text()?,
        created_at: row.time()?,
        progress: row.parsed(Progress::from_name)?,
        customer: row.optional_text()?.map(CustomerId::new),
        wrong_answers: row.integer()?,
        version: row.integer()?,
    })
}
