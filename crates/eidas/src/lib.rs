//! Parse, explain, check and issue eIDAS PSD2 certificates: QWACs and QSealCs by ETSI TS 119 495.
//!
//! - [`Certificate`] reads one certificate; [`describe()`] puts it in words, [`check()`] names each rule it
//!   breaks with the clause.
//! - [`TrustStore`] finds a path to a trusted authority; anchors come from the caller.
//! - [`pem`] reads certificates and keys as people send them.
//! - [`header`] takes certificates out of HTTP headers in the forms that TPPs and proxies send.
//! - [`KeyId`] compares the key id of a Berlin Group signature with a certificate.
//! - [`status`] asks an issuer by OCSP whether it revoked a certificate, and reads its answers and lists.
//! - [`issue`] makes test certificates.
//!
//! The library does no input or output, reads no clock and logs nothing: time arrives as an argument, errors
//! leave as values.
//!
//! ```
//! use eidas::OrganizationIdentifier;
//!
//! let identifier = OrganizationIdentifier::parse("PSDNL-DNB-R123456")?;
//! assert_eq!(identifier.authorization_number().map(|n| n.nca_id()).as_deref(), Some("NL-DNB"));
//! # Ok::<(), eidas::OrganizationIdentifierError>(())
//! ```

pub mod authority;
pub mod certificate;
mod chain;
pub mod check;
pub mod country;
mod critical;
pub mod describe;
mod extensions;
pub mod header;
pub mod issue;
pub mod key_id;
pub mod name;
pub mod oid;
pub mod organization_identifier;
pub mod path;
mod policies;
pub mod public_key;
pub mod qc_statements;
pub mod roles;
pub mod status;

pub use pem_text as pem;

pub use certificate::{Certificate, CertificateError, Fingerprint, IdentityError};
pub use check::{Finding, Purpose, Severity, check, verify_purpose};
pub use describe::{Description, describe};
pub use key_id::{KeyId, KeyIdError, KeyIdRules};
pub use name::{DistinguishedName, Spelling, visible};
pub use organization_identifier::{
    AuthorizationNumber, OrganizationIdentifier, OrganizationIdentifierError, Scheme,
};
pub use path::{PathError, RevocationList, TrustStore};
pub use public_key::{KeyError, KeyKind, PublicKey};
pub use qc_statements::{QcStatements, QcStatementsError, QcType};
pub use roles::Role;
/// The type of the certificates that come along with one.
pub use rustls_pki_types::CertificateDer;
