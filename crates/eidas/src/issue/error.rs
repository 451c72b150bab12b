//! Why a certificate could not be issued.

use crate::certificate::CertificateError;

/// Why a certificate could not be issued.
///
/// ```
/// use eidas::issue::{Authority, IssueError, KeyType, generate_key};
///
/// let certificate = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/authority.pem"));
/// let certificate = eidas::Certificate::from_pem(certificate).unwrap();
/// let (another_key, _) = generate_key(KeyType::P256)?;
/// let refused = Authority::load(&certificate.der, &another_key).unwrap_err();
/// assert!(matches!(refused, IssueError::ForeignKey));
/// # Ok::<(), IssueError>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// A name that must say TEST or SANDBOX does not.
    #[error("\"{0}\" must contain TEST or SANDBOX: test authorities may not look like real ones")]
    Name(String),
    /// No role was asked for.
    #[error("at least one role is needed")]
    NoRole,
    /// The public key is not one that certificates here may hold.
    #[error("the public key cannot be used: {0}")]
    PublicKey(String),
    /// The authority's private key cannot be read.
    #[error("the authority's private key cannot be used: {0}")]
    Key(String),
    /// A private key that is not the one of the authority's certificate.
    #[error("the private key does not belong to the authority's certificate: its public key is another")]
    ForeignKey,
    /// A text that its field cannot hold.
    #[error("{0}")]
    Field(String),
}

impl From<rcgen::Error> for IssueError {
    fn from(error: rcgen::Error) -> Self {
        Self::Field(error.to_string())
    }
}

impl From<der::Error> for IssueError {
    fn from(error: der::Error) -> Self {
        Self::Field(error.to_string())
    }
}

impl From<CertificateError> for IssueError {
    fn from(error: CertificateError) -> Self {
        Self::Field(error.to_string())
    }
}
