//! QcType: what a certificate is qualified for.

use der::asn1::ObjectIdentifier;
use serde::Serialize;

use crate::oid;

/// What a certificate is qualified for (EN 319 412-5, 4.2.3).
///
/// ```
/// use eidas::{Purpose, QcType};
///
/// assert_eq!(Purpose::of(Some(QcType::Web)), Some(Purpose::Qwac));
/// assert_eq!(Purpose::of(Some(QcType::Esign)), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum QcType {
    /// Electronic signatures of a natural person.
    Esign,
    /// Electronic seals: a QSealC.
    Eseal,
    /// Website authentication: a QWAC.
    Web,
    /// A type that is not registered.
    Unknown,
}

impl QcType {
    /// Its name in messages.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Esign => "esign",
            Self::Eseal => "eseal",
            Self::Web => "web",
            Self::Unknown => "one that is not registered",
        }
    }

    pub(super) fn from_oid(oid: ObjectIdentifier) -> Self {
        match oid {
            oid::QC_TYPE_ESIGN => Self::Esign,
            oid::QC_TYPE_ESEAL => Self::Eseal,
            oid::QC_TYPE_WEB => Self::Web,
            _ => Self::Unknown,
        }
    }

    pub(super) fn oid(self) -> Option<ObjectIdentifier> {
        match self {
            Self::Esign => Some(oid::QC_TYPE_ESIGN),
            Self::Eseal => Some(oid::QC_TYPE_ESEAL),
            Self::Web => Some(oid::QC_TYPE_WEB),
            Self::Unknown => None,
        }
    }
}

/// Types in a list, for messages.
pub(super) fn type_names(types: &[QcType]) -> String {
    let names: Vec<_> = types.iter().map(|one| one.text()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
