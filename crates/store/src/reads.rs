//! How often account data were read without the customer, and whether for the first time.

use domain::{AccountId, ConsentId, ReadCount, ReadKind, Timestamp};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::{Changes, Store, StoreError};

const COUNT: Columns = Columns::of("read_counts", "consent, day, count");
const FIRST_READ: Columns = Columns::of("first_reads", "consent");

impl Store {
    /// How many unattended reads of a kind were counted last.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn read_count(
        &self,
        consent: &ConsentId,
        account: &AccountId,
        kind: ReadKind,
    ) -> Result<Option<ReadCount>, StoreError> {
        self.find(
            select!(COUNT; "FROM read_counts WHERE consent = $1 AND account = $2 AND kind = $3"),
            &[consent.as_str().into(), account.as_str().into(), kind.name().into()],
            |row| {
                row.skip();
                Ok(ReadCount { day: row.date()?, count: row.integer()? })
            },
        )
        .await
    }

    /// Whether transactions of an account were read with a consent before.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn was_read(&self, consent: &ConsentId, account: &AccountId) -> Result<bool, StoreError> {
        let read = self
            .find(
                select!(FIRST_READ; "FROM first_reads WHERE consent = $1 AND account = $2"),
                &[consent.as_str().into(), account.as_str().into()],
                |row| row.text(),
            )
            .await?;
        Ok(read.is_some())
    }
}

impl Changes {
    /// Counts unattended reads, unless others were counted since the last count was loaded.
    pub fn count_read(
        self,
        (consent, account): (&ConsentId, &AccountId),
        kind: ReadKind,
        (last, next): (Option<ReadCount>, ReadCount),
    ) -> Self {
        self.push(
            "INSERT INTO read_counts (consent, account, kind, day, count) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (consent, account, kind) DO UPDATE SET day = excluded.day, count = excluded.count \
             WHERE read_counts.day = $6 AND read_counts.count = $7",
            vec![
                consent.as_str().into(),
                account.as_str().into(),
                kind.name().into(),
                next.day.into(),
                next.count.into(),
                last.map_or_else(|| "".into(), |last| last.day.into()),
                last.map_or(0, |last| last.count).into(),
            ],
            Rows::One,
        )
    }

    /// Remembers the first read of an account's transactions; a second first one is [`StoreError::Conflict`].
    pub fn add_first_read(self, consent: &ConsentId, account: &AccountId, at: Timestamp) -> Self {
        self.push(
            "INSERT INTO first_reads (consent, account, read_at) VALUES ($1, $2, $3)",
            vec![consent.as_str().into(), account.as_str().into(), at.into()],
            Rows::One,
        )
    }
}
