//! The audit trail: groups of entries, and the end of their chain.

use domain::Timestamp;
use domain::audit::{Entry, Head};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::Cursor;
use crate::{Changes, Store, StoreError};

const HEAD: Columns = Columns::of("audit_head", "name, number, hash, written_at");
const GROUP: Columns = Columns::of("audit", "first_number, previous_hash, entries");
const TAKEN: Columns = Columns::of("audit", "spool_until");
const OLD: Columns = Columns::of("audit", "first_number, written_at");

/// What a group of entries tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditKind {
    /// Calls, and what was forgotten.
    Calls,
    /// Acts of the bank's staff.
    Acts,
}

/// Where entries stood before they were written: octets of a file that a process keeps. Each is written once, however often it is
/// taken out of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPlace {
    /// The file.
    pub spool: String,
    /// The first octet.
    pub from: i64,
    /// The one behind the last.
    pub until: i64,
}

/// Entries that were written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditGroup {
    /// What the first one follows.
    pub before: Head,
    /// The entries.
    pub entries: Vec<Entry>,
}

impl Store {
    /// The end of the audit trail, and when it was written last.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn audit_head(&self) -> Result<(Head, Timestamp), StoreError> {
        let head = self
            .find(select!(HEAD; "FROM audit_head WHERE name = 'audit'"), &[], |row| {
                row.skip();
                Ok((Head { number: row.integer()?, hash: row.text()? }, row.time()?))
            })
            .await?;
        Ok(head.unwrap_or((Head::default(), Timestamp::UNIX_EPOCH)))
    }

    /// Groups of the audit trail whose first entry comes after a number, the oldest first, at most `limit`; of one kind, if one is
    /// named.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn audit_groups(
        &self,
        after: i64,
        kind: Option<AuditKind>,
        limit: i64,
    ) -> Result<Vec<AuditGroup>, StoreError> {
        let all = select!(GROUP; "FROM audit WHERE first_number > $1 ORDER BY first_number LIMIT $2");
        let acts = select!(GROUP; "FROM audit WHERE first_number > $1 AND kind = 'acts' \
                                   ORDER BY first_number LIMIT $2");
        let calls = select!(GROUP; "FROM audit WHERE first_number > $1 AND kind = 'calls' \
                                    ORDER BY first_number LIMIT $2");
        let select = match kind {
            None => all,
            Some(AuditKind::Acts) => acts,
            Some(AuditKind::Calls) => calls,
        };
        self.list(select, &[digits(after).into(), limit.into()], read).await
    }
}

/// A group to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldGroup {
    /// The number of its first entry.
    pub first: i64,
    /// When it was written.
    pub written_at: Timestamp,
}

impl Store {
    /// Up to which octet a spool was taken.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn audit_taken(&self, spool: &str) -> Result<i64, StoreError> {
        let select = select!(TAKEN; "FROM audit WHERE spool = $1 ORDER BY spool_from DESC LIMIT 1");
        Ok(self.find(select, &[spool.into()], |row| row.integer()).await?.unwrap_or(0))
    }

    /// The oldest groups of the audit trail, if they were written before a time, at most `limit`: a part of the chain from its
    /// beginning on, since what comes later in it was never written earlier.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn audit_before(&self, time: Timestamp, limit: i64) -> Result<Vec<OldGroup>, StoreError> {
        let select =
            select!(OLD; "FROM audit WHERE written_at < $1 ORDER BY written_at, first_number LIMIT $2");
        self.list(select, &[time.into(), limit.into()], |row| {
            Ok(OldGroup { first: row.parsed(|text| text.parse().ok())?, written_at: row.time()? })
        })
        .await
    }
}

impl Changes {
    /// Forgets a group of the audit trail; [`StoreError::Conflict`] if somebody did before.
    pub fn forget_audit(self, group: &OldGroup) -> Self {
        self.push("DELETE FROM audit WHERE first_number = $1", vec![digits(group.first).into()], Rows::One)
    }

    /// Adds entries at the end of the audit trail, out of a place in a spool if they stood there; [`StoreError::Conflict`] if others
    /// did meanwhile, or these were added before.
    pub fn add_audit(
        self,
        (kind, at, place): (AuditKind, Timestamp, Option<&AuditPlace>),
        before: &Head,
        (entries, head): (&[Entry], &Head),
    ) -> Self {
        let lines: String = entries.iter().map(|entry| format!("{} {}\n", entry.hash, entry.text)).collect();
        let kind = match kind {
            AuditKind::Calls => "calls",
            AuditKind::Acts => "acts",
        };
        self.push(
            "UPDATE audit_head SET number = $1, hash = $2, written_at = $3 \
             WHERE name = 'audit' AND number = $4 AND hash = $5",
            vec![
                head.number.into(),
                head.hash.as_str().into(),
                at.into(),
                before.number.into(),
                before.hash.as_str().into(),
            ],
            Rows::One,
        )
        .push(
            "INSERT INTO audit (first_number, kind, written_at, previous_hash, entries, spool, spool_from, spool_until) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            vec![
                digits(before.number + 1).into(),
                kind.into(),
                at.into(),
                before.hash.as_str().into(),
                lines.into(),
                place.map(|place| place.spool.as_str()).into(),
                place.map(|place| place.from).into(),
                place.map(|place| place.until).into(),
            ],
            Rows::One,
        )
    }
}

/// A number whose text sorts as it does.
fn digits(number: i64) -> String {
    format!("{number:016}")
}

fn read(row: &mut Cursor<'_>) -> Result<AuditGroup, StoreError> {
    let first: i64 = row.parsed(|text| text.parse().ok())?;
    let before = Head { number: first - 1, hash: row.text()? };
    let lines = row.text()?;
    // What somebody else wrote is for whoever verifies to tell, and no reason to read nothing.
    let entries = lines.lines().zip(first..).map(|(line, number)| {
        let (hash, text) = line.split_once(' ').unwrap_or((line, ""));
        Entry { number, hash: hash.to_owned(), text: text.to_owned() }
    });
    Ok(AuditGroup { before, entries: entries.collect() })
}
