//! What a bank remembers about a third party's certificate.

use eidas::Role;

use crate::{CertificateState, Timestamp, TppId};

/// What a certificate says about its holder: all that a registration takes over from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateHolder {
    /// SHA-256 over the certificate's DER, lower-case hexadecimal.
    pub fingerprint: String,
    /// Serial number in hexadecimal.
    pub serial: String,
    /// Who it is.
    pub tpp: TppId,
    /// Name of the organisation.
    pub name: String,
    /// Roles it grants.
    pub roles: Vec<Role>,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// Its key, SubjectPublicKeyInfo in PEM on one line, if clients can prove themselves with one of its kind.
    pub signing_key: Option<String>,
}

/// How long a certificate is remembered after its last second: longer than anything that was given for it lasts.
const REMEMBERED: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 500);

impl CertificateHolder {
    /// When the certificate may be forgotten, if no third party is known by it.
    pub fn forget_at(&self) -> Timestamp {
        self.not_after.saturating_add(REMEMBERED).unwrap_or(Timestamp::MAX)
    }
}

/// A certificate that was issued here, or seen in an onboarding call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRecord {
    /// What it says about its holder.
    pub holder: CertificateHolder,
    /// What it is for.
    pub kind: CertificateKind,
    /// When it was issued or first seen.
    pub recorded_at: Timestamp,
    /// Whether it may be used.
    pub status: CertificateStatus,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

impl CertificateRecord {
    /// Whether it can be in use, and when.
    pub fn state(&self) -> CertificateState {
        let CertificateHolder { not_before, not_after, .. } = self.holder;
        CertificateState { status: self.status, not_before, not_after }
    }

    /// Whether a newer certificate of its holder takes it out of use: a test certificate that is in use. What became of one
    /// from elsewhere is for whoever issued it to say.
    pub fn is_replaced_by_newer(&self) -> bool {
        self.status == CertificateStatus::Active && self.kind != CertificateKind::External
    }

    /// The record of a certificate from elsewhere that is seen for the first time.
    pub fn first_seen(holder: CertificateHolder, now: Timestamp) -> Self {
        Self {
            holder,
            kind: CertificateKind::External,
            recorded_at: now,
            status: CertificateStatus::Active,
            version: 0,
        }
    }
}

/// What a certificate is for. A new test certificate replaces the older one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateKind {
    /// Handed out by the sandbox's test client: signs messages and stands in for TLS.
    TestClient,
    /// Authenticates TLS.
    Qwac,
    /// Signs messages.
    QSeal,
    /// Issued elsewhere.
    External,
}

impl CertificateKind {
    /// Every kind with its name.
    pub const NAMES: [(Self, &'static str); 4] = [
        (Self::TestClient, "test-client"),
        (Self::Qwac, "qwac"),
        (Self::QSeal, "qseal"),
        (Self::External, "external"),
    ];

    /// The stable name that is stored and shown.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("external", |(_, name)| name)
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// Whether a certificate may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateStatus {
    /// It may.
    Active,
    /// It was replaced or revoked.
    Revoked {
        /// Since when.
        at: Timestamp,
    },
    /// The bank blocks it.
    Blocked {
        /// Since when.
        at: Timestamp,
    },
}

impl CertificateStatus {
    /// The stable name that is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked { .. } => "revoked",
            Self::Blocked { .. } => "blocked",
        }
    }

    /// Since when it may not be used.
    pub fn since(self) -> Option<Timestamp> {
        match self {
            Self::Active => None,
            Self::Revoked { at } | Self::Blocked { at } => Some(at),
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str, at: Timestamp) -> Option<Self> {
        match name {
            "active" => Some(Self::Active),
            "revoked" => Some(Self::Revoked { at }),
            "blocked" => Some(Self::Blocked { at }),
            _ => None,
        }
    }
}
