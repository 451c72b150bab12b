//! What can be wrong with the statements.

use der::asn1::ObjectIdentifier;

use super::qc_type::type_names;
use super::{PSD2, QcType};
use crate::name::visible;

/// What is wrong with a qcStatements extension.
///
/// ```
/// use eidas::{QcStatements, QcStatementsError};
///
/// let error = QcStatements::parse(b"no DER").unwrap_err();
/// assert_eq!(error, QcStatementsError::Structure);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QcStatementsError {
    /// Not the DER structure that the standard gives.
    #[error("the extension qcStatements is not a DER sequence of statements as in RFC 3739, 3.2.6")]
    Structure,
    /// One statement that is not what its definition says.
    #[error("{statement}: {fault}")]
    Statement {
        /// Its name.
        statement: &'static str,
        /// What is wrong with it and what would be right.
        fault: String,
    },
    /// A string of the wrong ASN.1 type, or one that its type does not allow.
    #[error("the PSD2 statement: {field} {fault}, and must be UTF8String (TS 119 495, Annex A)")]
    StringType {
        /// Where it is.
        field: &'static str,
        /// What it is.
        fault: String,
        /// Whether its text is known all the same.
        is_readable: bool,
    },
    /// A text of no or too many characters.
    #[error(
        "the PSD2 statement: {field} has {length} characters, and must have 1 to 256 (TS 119 495, Annex A)"
    )]
    StringLength {
        /// Where it is.
        field: &'static str,
        /// Its length in characters.
        length: usize,
    },
    /// The PSD2 statement occurs more than once.
    #[error("the PSD2 statement occurs more than once")]
    DuplicateStatement,
    /// No role at all.
    #[error("the PSD2 statement: rolesOfPSP is empty (TS 119 495, GEN-5.2.2-1)")]
    RolesEmpty,
    /// A role's name is not the one registered for its identifier.
    #[error(
        "the PSD2 statement: role {oid} must be named {expected}, not \"{}\" (TS 119 495, GEN-5.2.2-5)",
        visible(name)
    )]
    RoleName {
        /// The role's object identifier.
        oid: ObjectIdentifier,
        /// The registered name.
        expected: &'static str,
        /// The name in the certificate.
        name: String,
    },
    /// The authority's identifier is not country, hyphen, 2 to 8 upper-case letters.
    #[error(
        "the PSD2 statement: nCAId \"{}\" must be a country code, a hyphen and 2 to 8 upper-case letters \
         (TS 119 495, GEN-5.2.3-2)", visible(.0)
    )]
    NcaId(String),
    /// QcType without exactly one entry, over all its statements.
    #[error("QcType must name exactly one type; it names {} (EN 319 412-5, 4.2.3)", type_names(found))]
    QcTypeNotSingle {
        /// The types that are named.
        found: Vec<QcType>,
    },
}

impl QcStatementsError {
    /// A short stable name for programs, for example `role_name_oid_mismatch`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Structure | Self::Statement { .. } => "asn1_structure",
            Self::StringType { .. } => "asn1_type",
            Self::StringLength { .. } => "asn1_size",
            Self::DuplicateStatement => "duplicate_statement",
            Self::RolesEmpty => "roles_empty",
            Self::RoleName { .. } => "role_name_oid_mismatch",
            Self::NcaId(_) => "nca_id_format",
            Self::QcTypeNotSingle { .. } => "qc_type_not_single",
        }
    }

    /// Whether the PSD2 statement is worth nothing by this, however tolerant its reader is. A readable string of
    /// another type and an identifier of another form occur in the field.
    pub fn spoils_psd2(&self) -> bool {
        match self {
            Self::Structure | Self::DuplicateStatement | Self::RolesEmpty | Self::RoleName { .. } => true,
            Self::Statement { statement, .. } => *statement == PSD2,
            Self::StringType { is_readable, .. } => !is_readable,
            Self::StringLength { .. } => true,
            Self::NcaId(_) | Self::QcTypeNotSingle { .. } => false,
        }
    }
}
