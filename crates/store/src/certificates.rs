//! Certificates of third parties.

use domain::{
    CertificateHolder, CertificateKind, CertificateRecord, CertificateState, CertificateStatus, Standing,
    TppId,
};

use crate::changes::Rows;
use crate::row::{Row, corrupt, list};
use crate::{Changes, Store, StoreError};

/// Most rows that a list returns.
const LIST_LIMIT: i64 = 1000;

impl Store {
    /// The certificate with this fingerprint.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn certificate(&self, fingerprint: &str) -> Result<Option<CertificateRecord>, StoreError> {
        self.fetch_optional(
            "SELECT fingerprint, serial, tpp, name, roles, kind, recorded_at, status, status_since, \
             not_before, not_after, signing_key, version FROM certificates WHERE fingerprint = $1",
            &[fingerprint.into()],
            read,
        )
    }

    /// Whether the certificate with this fingerprint may be used, if it is known.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn certificate_status(
        &self,
        fingerprint: &str,
    ) -> Result<Option<CertificateStatus>, StoreError> {
        self.fetch_optional(
            "SELECT status, status_since, recorded_at FROM certificates WHERE fingerprint = $1",
            &[fingerprint.into()],
            |row| read_status(row, 0, 1, 2),
        )
    }

    /// Whether the key of the certificate with this fingerprint is known, if the certificate is.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn has_signing_key(&self, fingerprint: &str) -> Result<Option<bool>, StoreError> {
        self.fetch_optional(
            "SELECT CASE WHEN signing_key IS NULL THEN 0 ELSE 1 END FROM certificates WHERE fingerprint = $1",
            &[fingerprint.into()],
            |row| row.truth(0, "certificates.signing_key"),
        )
    }

    /// What is remembered about a third party and a certificate of it, in one read. Both may be unknown.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn standing(&self, tpp: &TppId, fingerprint: &str) -> Result<Standing, StoreError> {
        let standing = self.fetch_optional(
            "SELECT t.blocked_at, c.status, c.status_since, c.recorded_at, c.not_before, c.not_after \
             FROM (SELECT $1 AS tpp, $2 AS fingerprint) asked LEFT JOIN tpps t ON t.id = asked.tpp \
             LEFT JOIN certificates c ON c.fingerprint = asked.fingerprint",
            &[tpp.as_str().into(), fingerprint.into()],
            |row| {
                let certificate = match row.optional_text(1, "certificates.status")? {
                    Some(_) => Some(CertificateState {
                        status: read_status(row, 1, 2, 3)?,
                        not_before: row.time(4, "certificates.not_before")?,
                        not_after: row.time(5, "certificates.not_after")?,
                    }),
                    None => None,
                };
                Ok(Standing { blocked_at: row.optional_time(0, "tpps.blocked_at")?, certificate })
            },
        )?;
        Ok(standing.unwrap_or_default())
    }

    /// The active certificates of one third party and kind.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn active_certificates(
        &self,
        tpp: &TppId,
        kind: CertificateKind,
    ) -> Result<Vec<CertificateRecord>, StoreError> {
        self.fetch_all(
            "SELECT fingerprint, serial, tpp, name, roles, kind, recorded_at, status, status_since, \
             not_before, not_after, signing_key, version FROM certificates WHERE tpp = $1 AND kind = $2 AND status = 'active'",
            &[tpp.as_str().into(), kind.name().into()],
            read,
        )
    }

    /// Every revoked certificate of the kinds that revocation lists speak about.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn revoked_certificates(&self) -> Result<Vec<CertificateRecord>, StoreError> {
        self.fetch_all(
            "SELECT fingerprint, serial, tpp, name, roles, kind, recorded_at, status, status_since, \
             not_before, not_after, signing_key, version FROM certificates WHERE status = 'revoked' AND kind IN ('qwac', 'qseal') ORDER BY fingerprint",
            &[],
            read,
        )
    }

    /// The certificates that were recorded last, at most 1000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn certificates(&self) -> Result<Vec<CertificateRecord>, StoreError> {
        self.fetch_all(
            "SELECT fingerprint, serial, tpp, name, roles, kind, recorded_at, status, status_since, \
             not_before, not_after, signing_key, version FROM certificates ORDER BY recorded_at DESC, fingerprint LIMIT $1",
            &[LIST_LIMIT.into()],
            read,
        )
    }
}

impl Changes {
    /// Inserts version 1, or replaces exactly the version that was loaded; anything else is
    /// [`StoreError::Conflict`].
    pub fn put_certificate(self, certificate: &CertificateRecord) -> Self {
        self.push(
            "INSERT INTO certificates (fingerprint, serial, tpp, name, roles, kind, recorded_at, status, \
             status_since, not_before, not_after, signing_key, version, forget_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 + 1, $14) \
             ON CONFLICT (fingerprint) DO UPDATE SET serial = excluded.serial, tpp = excluded.tpp, \
             name = excluded.name, roles = excluded.roles, kind = excluded.kind, \
             recorded_at = excluded.recorded_at, status = excluded.status, \
             status_since = excluded.status_since, not_before = excluded.not_before, \
             not_after = excluded.not_after, signing_key = excluded.signing_key, forget_at = excluded.forget_at, version = excluded.version \
             WHERE certificates.version = excluded.version - 1",
            vec![
                certificate.holder.fingerprint.as_str().into(),
                certificate.holder.serial.as_str().into(),
                certificate.holder.tpp.as_str().into(),
                certificate.holder.name.as_str().into(),
                list(certificate.holder.roles.iter().map(|role| role.name())),
                certificate.kind.name().into(),
                certificate.recorded_at.into(),
                certificate.status.name().into(),
                certificate.status.since().into(),
                certificate.holder.not_before.into(),
                certificate.holder.not_after.into(),
                certificate.holder.signing_key.as_deref().into(),
                certificate.version.into(),
                certificate.holder.forget_at().into(),
            ],
            Rows::One,
        )
    }
}

impl Changes {
    /// Adds the key of a certificate that was recorded without it.
    pub fn set_signing_key(self, holder: &CertificateHolder) -> Self {
        self.push(
            "UPDATE certificates SET signing_key = $1 WHERE fingerprint = $2 AND signing_key IS NULL",
            vec![holder.signing_key.as_deref().into(), holder.fingerprint.as_str().into()],
            Rows::Any,
        )
    }
}

fn read(row: &Row<'_>) -> Result<CertificateRecord, StoreError> {
    Ok(CertificateRecord {
        holder: CertificateHolder {
            fingerprint: row.text(0, "certificates.fingerprint")?,
            serial: row.text(1, "certificates.serial")?,
            tpp: TppId::new(row.text(2, "certificates.tpp")?),
            name: row.text(3, "certificates.name")?,
            roles: row.roles(4, "certificates.roles")?,
            not_before: row.time(9, "certificates.not_before")?,
            not_after: row.time(10, "certificates.not_after")?,
            signing_key: row.optional_text(11, "certificates.signing_key")?,
        },
        kind: CertificateKind::from_name(&row.text(5, "certificates.kind")?)
            .ok_or(corrupt("certificates.kind"))?,
        recorded_at: row.time(6, "certificates.recorded_at")?,
        status: read_status(row, 7, 8, 6)?,
        version: row.integer(12, "certificates.version")?,
    })
}

fn read_status(
    row: &Row<'_>,
    status: usize,
    since: usize,
    recorded_at: usize,
) -> Result<CertificateStatus, StoreError> {
    let since = match row.optional_time(since, "certificates.status_since")? {
        Some(since) => since,
        None => row.time(recorded_at, "certificates.recorded_at")?,
    };
    CertificateStatus::from_name(&row.text(status, "certificates.status")?, since)
        .ok_or(corrupt("certificates.status"))
}
