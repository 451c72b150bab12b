//! Certificates of third parties.

use domain::{
    CertificateHolder, CertificateKind, CertificateRecord, CertificateState, CertificateStatus, RegisteredBy,
    Standing, Timestamp, TppId,
};

use crate::changes::Rows;
use crate::columns::{Columns, select};
use crate::row::{Cursor, list};
use crate::tpps::read_block;
use crate::{Changes, Store, StoreError};

/// Most rows that a list returns.
const LIST_LIMIT: i64 = 1000;

const CERTIFICATE: Columns = Columns::of(
    "certificates",
    "fingerprint, serial, tpp, name, roles, not_before, not_after, signing_key, kind, recorded_at, \
     status_since, status, version",
);

const STATUS: Columns = Columns::of("certificates", "fingerprint, recorded_at, status_since, status");
const KEY: Columns = Columns::of("certificates", "signing_key");
const STATE: Columns =
    Columns::of("certificates", "fingerprint, recorded_at, status_since, status, not_before, not_after");
const BLOCKED: Columns = Columns::of("tpps", "id, blocked_at, blocked_until");
const REGISTERED: Columns = Columns::of("tpps", "certificate");
const PATH: Columns = Columns::of("certificates", "path");

impl Store {
    /// The certificate with this fingerprint.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn certificate(&self, fingerprint: &str) -> Result<Option<CertificateRecord>, StoreError> {
        self.find(
            select!(CERTIFICATE; "FROM certificates WHERE fingerprint = $1"),
            &[fingerprint.into()],
            read,
        )
        .await
    }

    /// Whether the certificate with this fingerprint may be used, if it is known.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn certificate_status(
        &self,
        fingerprint: &str,
    ) -> Result<Option<CertificateStatus>, StoreError> {
        self.find(
            select!(STATUS; "FROM certificates \
         WHERE fingerprint = $1"),
            &[fingerprint.into()],
            |row| {
                row.skip();
                Ok(read_status(row)?.1)
            },
        )
        .await
    }

    /// Whether the key of the certificate with this fingerprint is known, if the certificate is.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn has_signing_key(&self, fingerprint: &str) -> Result<Option<bool>, StoreError> {
        self.find(select!(KEY; "FROM certificates WHERE fingerprint = $1"), &[fingerprint.into()], |row| {
            Ok(row.optional_text()?.is_some())
        })
        .await
    }

    /// What is remembered about a third party and a certificate of it, in one read. Both may be unknown.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn standing(&self, tpp: &TppId, fingerprint: &str) -> Result<Standing, StoreError> {
        Ok(self.standing_with(tpp, [fingerprint, ""]).await?.0)
    }

    /// The same, and in the same read whether another certificate may be used, if it is known.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn standing_with(
        &self,
        tpp: &TppId,
        [fingerprint, other]: [&str; 2],
    ) -> Result<(Standing, Option<CertificateStatus>), StoreError> {
        let standing = self.find(
            select!(BLOCKED as "t.", REGISTERED as "r.", STATE as "b.", STATUS as "o.", STATE as "c."; "FROM \
             (SELECT $1 AS tpp, $2 AS fingerprint, $3 AS other) asked \
             LEFT JOIN tpps t ON t.id = asked.tpp \
             LEFT JOIN tpps r ON r.id = asked.tpp AND r.redirect_uris <> '[]' \
             LEFT JOIN certificates b ON b.fingerprint = r.certificate LEFT JOIN certificates c ON c.fingerprint = asked.fingerprint \
             LEFT JOIN certificates o ON o.fingerprint = asked.other"),
            &[tpp.as_str().into(), fingerprint.into(), other.into()],
            |row| {
                row.skip();
                let blocked = read_block(row)?;
                let registered_by = row.joined(|row| row.text())?;
                let state = row.joined(read_state)?;
                let registered_by = registered_by.map(|certificate| RegisteredBy { certificate, state });
                let other = row.joined(|row| {
                    row.skip();
                    Ok(read_status(row)?.1)
                })?;
                let certificate = row.joined(read_state)?;
                Ok((Standing { blocked, registered_by, certificate }, other))
            },
        ).await?;
        Ok(standing.unwrap_or_default())
    }

    /// The certificate with this fingerprint and the authorities above it, each DER in base64, from the certificate upwards; none
    /// if they were not kept.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn certificate_path(&self, fingerprint: &str) -> Result<Option<Vec<String>>, StoreError> {
        self.find(
            select!(PATH; "FROM certificates WHERE fingerprint = $1 AND path IS NOT NULL"),
            &[fingerprint.into()],
            |row| row.json(),
        )
        .await
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
        self.list(
            select!(CERTIFICATE; "FROM certificates WHERE tpp = $1 AND kind = $2 AND status = 'active'"),
            &[tpp.as_str().into(), kind.name().into()],
            read,
        )
        .await
    }

    /// Every revoked certificate of the kinds that revocation lists speak about.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn revoked_certificates(&self) -> Result<Vec<CertificateRecord>, StoreError> {
        self.list(
            select!(CERTIFICATE; "FROM certificates WHERE status = 'revoked' \
             AND kind IN ('qwac', 'qseal') ORDER BY fingerprint"),
            &[],
            read,
        )
        .await
    }

    /// The certificate with this serial number of the kinds that an authority tells the status of.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn certificate_with_serial(
        &self,
        serial: &str,
    ) -> Result<Option<CertificateRecord>, StoreError> {
        self.find(
            select!(CERTIFICATE; "FROM certificates WHERE serial = $1 AND kind IN ('qwac', 'qseal') \
             ORDER BY fingerprint LIMIT 1"),
            &[serial.into()],
            read,
        )
        .await
    }

    /// The certificates that were recorded last, at most 1000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn certificates(&self) -> Result<Vec<CertificateRecord>, StoreError> {
        self.list(
            select!(CERTIFICATE; "FROM certificates ORDER BY recorded_at DESC, fingerprint LIMIT $1 \
             /* the whole table */"),
            &[LIST_LIMIT.into()],
            read,
        )
        .await
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
    /// Keeps a certificate that is recorded and the authorities above it, as [`Store::certificate_path`] reads them.
    pub fn keep_path(self, fingerprint: &str, path: &[String]) -> Self {
        self.push(
            "UPDATE certificates SET path = $1 WHERE fingerprint = $2",
            vec![list(path), fingerprint.into()],
            Rows::One,
        )
    }

    /// Adds the key of a certificate that was recorded without it.
    pub fn set_signing_key(self, holder: &CertificateHolder) -> Self {
        self.push(
            "UPDATE certificates SET signing_key = $1 WHERE fingerprint = $2 AND signing_key IS NULL",
            vec![holder.signing_key.as_deref().into(), holder.fingerprint.as_str().into()],
            Rows::Any,
        )
    }
}

fn read(row: &mut Cursor<'_>) -> Result<CertificateRecord, StoreError> {
    let holder = CertificateHolder {
        fingerprint: row.text()?,
        serial: row.text()?,
        tpp: TppId::new(row.text()?),
        name: row.text()?,
        roles: row.roles()?,
        not_before: row.time()?,
        not_after: row.time()?,
        signing_key: row.optional_text()?,
    };
    let kind = row.parsed(CertificateKind::from_name)?;
    let (recorded_at, status) = read_status(row)?;
    Ok(CertificateRecord { holder, kind, recorded_at, status, version: row.integer()? })
}

/// Whether it can be in use, after its fingerprint.
fn read_state(row: &mut Cursor<'_>) -> Result<CertificateState, StoreError> {
    row.skip();
    let (_, status) = read_status(row)?;
    Ok(CertificateState { status, not_before: row.time()?, not_after: row.time()? })
}

/// When it was recorded, and its status, which it has since then if nothing else is said.
fn read_status(row: &mut Cursor<'_>) -> Result<(Timestamp, CertificateStatus), StoreError> {
    let recorded_at = row.time()?;
    let since = row.optional_time()?.unwrap_or(recorded_at);
    Ok((recorded_at, row.parsed(|name| CertificateStatus::from_name(name, since))?))
}
