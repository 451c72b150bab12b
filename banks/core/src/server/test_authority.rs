//! A certification authority for trying the interface out: it lives as long as the process, and issues one certificate for the
//! bank and one for the gateway.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// Everything in PEM.
#[derive(Clone)]
pub struct TestCertificates {
    /// The authority of both.
    pub authority: String,
    /// The bank's certificate.
    pub server: String,
    /// The bank's private key.
    pub server_key: String,
    /// The gateway's certificate.
    pub client: String,
    /// The gateway's private key.
    pub client_key: String,
}

impl std::fmt::Debug for TestCertificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestCertificates(…)")
    }
}

/// Makes them, the bank's for some names and addresses.
///
/// # Errors
/// Names that no certificate can have
pub fn make(names: &[String]) -> Result<TestCertificates, rcgen::Error> {
    let named = |names: &[String], name: &str| {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, name);
        Ok::<_, rcgen::Error>(params)
    };
    let mut params = named(&[], "Vestibule core bank (TEST)")?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let issue = |names: &[String], name: &str, usage: ExtendedKeyUsagePurpose| {
        let mut params = named(names, name)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        Ok::<_, rcgen::Error>((params.signed_by(&key, &authority)?.pem(), key.serialize_pem()))
    };
    let (server, server_key) = issue(names, "core bank", ExtendedKeyUsagePurpose::ServerAuth)?;
    let (client, client_key) = issue(&[], "gateway", ExtendedKeyUsagePurpose::ClientAuth)?;
    Ok(TestCertificates { authority: authority.pem(), server, server_key, client, client_key })
}
