//! What is asked for when a certificate is issued, and where its authority publishes.

use jiff::Timestamp;

use crate::{OrganizationIdentifier, Role};

/// Which certificate to issue.
///
/// ```
/// use eidas::issue::{Authority, AuthorityName, CertificateRequest, KeyType, Profile, PublicationPoints, generate_key};
/// use eidas::{Purpose, verify_purpose};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let validity = ("2026-01-01T00:00:00Z".parse()?, "2028-01-01T00:00:00Z".parse()?);
/// # let name = AuthorityName {
/// #     country: "NL".to_owned(),
/// #     locality: None,
/// #     organization_identifier: None,
/// #     organization: "Example (TEST)".to_owned(),
/// #     common_name: "Example CA (TEST)".to_owned(),
/// # };
/// # let authority = Authority::root(&name, KeyType::P256, &[1], validity)?;
/// # let request = CertificateRequest {
/// #     organization_identifier: eidas::OrganizationIdentifier::parse("PSDNL-DNB-R123456")?,
/// #     organization_name: "Example TPP B.V.".to_owned(),
/// #     country: "NL".to_owned(),
/// #     locality: "Utrecht".to_owned(),
/// #     roles: vec![eidas::Role::AccountInformation],
/// #     common_name: "tpp.example".to_owned(),
/// #     serial: vec![2],
/// #     not_before: validity.0,
/// #     not_after: validity.1,
/// # };
/// # let points = PublicationPoints {
/// #     ca_issuers: "http://pki.example/ca.cer".to_owned(),
/// #     crl: "http://pki.example/ca.crl".to_owned(),
/// #     ocsp: Some("http://pki.example/ocsp".to_owned()),
/// #     disclosure_statement: Some("https://pki.example/pds.pdf".to_owned()),
/// # };
/// # let (_, public_key) = generate_key(KeyType::P256)?;
/// let qwac = authority.issue(Profile::Qwac, &request, &points, &public_key)?;
/// assert_eq!(verify_purpose(&qwac, Purpose::Qwac), Ok(()));
/// assert_eq!(qwac.dns_names, ["tpp.example"]);
/// let any = authority.issue(Profile::TestClient, &request, &points, &public_key)?;
/// assert_eq!((any.serial_hex().as_str(), any.qc_type()), ("1", None));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// What the test client of a compatible bank hands out: serial number 1, critical qcStatements with the
    /// PSD2 statement alone, no purpose. Good for signing and for TLS in a sandbox.
    TestClient,
    /// A QWAC by EN 319 412-4 and TS 119 495 (policy QNCP-w-gen).
    Qwac,
    /// A QSealC by EN 319 412-3 and TS 119 495 (policy QCP-l).
    QSeal,
}

/// What goes into a third party's certificate.
///
/// ```
/// use eidas::issue::CertificateRequest;
/// use eidas::{OrganizationIdentifier, Role};
///
/// let request = CertificateRequest {
///     organization_identifier: OrganizationIdentifier::parse("PSDNL-DNB-R123456")?,
///     organization_name: "Example TPP B.V.".to_owned(),
///     country: "NL".to_owned(),
///     locality: "Utrecht".to_owned(),
///     roles: vec![Role::AccountInformation],
///     common_name: "tpp.example".to_owned(),
///     serial: eidas::issue::serial_number([7; 16]).to_vec(),
///     not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
///     not_after: "2028-01-01T00:00:00Z".parse().unwrap(),
/// };
/// let for_payments = CertificateRequest { roles: vec![Role::PaymentInitiation], ..request.clone() };
/// assert_eq!(for_payments.organization_identifier, request.organization_identifier);
/// # Ok::<(), eidas::OrganizationIdentifierError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CertificateRequest {
    /// The holder's identifier.
    pub organization_identifier: OrganizationIdentifier,
    /// The holder's name.
    pub organization_name: String,
    /// The holder's country, ISO 3166-1.
    pub country: String,
    /// The holder's town.
    pub locality: String,
    /// Roles to grant; at least one.
    pub roles: Vec<Role>,
    /// commonName, and DNS name of a QWAC.
    pub common_name: String,
    /// Serial number, big-endian; ignored by [`Profile::TestClient`], which always has 1.
    pub serial: Vec<u8>,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
}

/// Where an authority publishes what certificates point to.
///
/// ```
/// use eidas::Certificate;
/// use eidas::issue::{Authority, AuthorityName, KeyType, PublicationPoints, generate_key};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let validity = ("2026-01-01T00:00:00Z".parse()?, "2028-01-01T00:00:00Z".parse()?);
/// # let name = AuthorityName {
/// #     country: "NL".to_owned(),
/// #     locality: None,
/// #     organization_identifier: None,
/// #     organization: "Example (TEST)".to_owned(),
/// #     common_name: "Example CA (TEST)".to_owned(),
/// # };
/// # let authority = Authority::root(&name, KeyType::P256, &[1], validity)?;
/// let points = PublicationPoints {
///     ca_issuers: "http://pki.example/ca.cer".to_owned(),
///     crl: "http://pki.example/ca.crl".to_owned(),
///     ocsp: Some("http://pki.example/ocsp".to_owned()),
///     disclosure_statement: None,
/// };
/// let (_private_key, public_key) = generate_key(KeyType::P256)?;
/// let names = ["api.bank.example".to_owned()];
/// let der = authority.issue_server((&names, "Example Bank (TEST)"), &[2], validity, &points, &public_key)?;
/// assert_eq!(Certificate::from_der(&der)?.crl_distribution_points, ["http://pki.example/ca.crl"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PublicationPoints {
    /// The authority's own certificate in DER, by http.
    pub ca_issuers: String,
    /// Its revocation list, by http.
    pub crl: String,
    /// Where it tells by OCSP how certificates stand, by http, if it does.
    pub ocsp: Option<String>,
    /// Its disclosure statement, by https.
    pub disclosure_statement: Option<String>,
}
