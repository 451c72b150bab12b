//! Authorisations.

use domain::{Authorisation, AuthorisationId, CustomerId, Progress, Purpose, Subject};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::Cursor;
use crate::{Changes, Store, StoreError};

const AUTHORISATION: Columns = Columns::of(
    "authorisations",
    "id, subject_kind, subject_id, purpose, number, redirect_uri, created_at, customer, progress, wrong_answers, \
     version",
);

const NUMBER: Columns = Columns::of("authorisations", "number");

impl Store {
    /// The authorisation with this id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn authorisation(&self, id: &AuthorisationId) -> Result<Option<Authorisation>, StoreError> {
        self.find(select!(AUTHORISATION; "FROM authorisations WHERE id = $1"), &[id.as_str().into()], read)
            .await
    }

    /// Every authorisation of a subject, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn authorisations(&self, subject: &Subject) -> Result<Vec<Authorisation>, StoreError> {
        self.list(
            select!(AUTHORISATION; "FROM authorisations WHERE subject_id = $1 AND subject_kind = $2 ORDER BY number"),
            &[subject.id().into(), subject.kind().name().into()],
            read,
        )
        .await
    }

    /// The number of a subject's newest authorisation, 0 if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn last_authorisation(&self, subject: &Subject) -> Result<i64, StoreError> {
        let last = self
            .find(
                select!(NUMBER; "FROM authorisations WHERE subject_id = $1 AND subject_kind = $2 \
                 ORDER BY number DESC LIMIT 1"),
                &[subject.id().into(), subject.kind().name().into()],
                |row| row.integer(),
            )
            .await?;
        Ok(last.unwrap_or(0))
    }
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_authorisation(self, authorisation: &Authorisation) -> Self {
        self.push(
            "INSERT INTO authorisations (id, subject_kind, subject_id, purpose, number, redirect_uri, created_at, \
             progress, customer, wrong_answers, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 + 1) \
             ON CONFLICT (id) DO UPDATE SET progress = excluded.progress, customer = excluded.customer, \
             wrong_answers = excluded.wrong_answers, version = excluded.version \
             WHERE authorisations.version = excluded.version - 1",
            vec![
                authorisation.id.as_str().into(),
                authorisation.subject.kind().name().into(),
                authorisation.subject.id().into(),
                authorisation.purpose.name().into(),
                authorisation.number.into(),
                authorisation.redirect_uri.as_str().into(),
                authorisation.created_at.into(),
                authorisation.progress.name().into(),
                authorisation.progress.customer().map(CustomerId::as_str).into(),
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
        subject: row.subject()?,
        purpose: row.parsed(Purpose::from_name)?,
        number: row.integer()?,
        redirect_uri: row.text()?,
        created_at: row.time()?,
        progress: {
            let customer = row.optional_text()?.map(CustomerId::new);
            row.parsed(|name| Progress::from_stored(name, customer))?
        },
        wrong_answers: row.integer()?,
        version: row.integer()?,
    })
}
