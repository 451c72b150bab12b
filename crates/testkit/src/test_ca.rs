//! An authority that issues whatever a test wants, right or wrong.

use der::Encode;
use der::asn1::{BitString, ObjectIdentifier, Uint};
use eidas::issue::{KeyType, generate_key};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    PublicKeyData, SerialNumber,
};

use crate::Signer;

/// The authority.
#[derive(Debug)]
pub struct TestCa {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A public key without a private one: good enough to be refused.
#[derive(Debug)]
pub struct FakeKey {
    spki: Vec<u8>,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl FakeKey {
    /// An RSA key of so many bits.
    pub fn rsa(bits: usize) -> Self {
        let mut modulus = vec![0xa5; bits.div_ceil(8)];
        modulus[0] = 1 << ((bits - 1) % 8);
        *modulus.last_mut().unwrap() |= 1;
        let (modulus, exponent) = (Uint::new(&modulus).unwrap(), Uint::new(&[1, 0, 1]).unwrap());
        let key = [modulus.to_der().unwrap(), exponent.to_der().unwrap()].concat();
        Self {
            spki: BitString::from_bytes(&sequence(&key)).unwrap().to_der().unwrap(),
            algorithm: &rcgen::PKCS_RSA_SHA256,
        }
    }

    fn spki_der(&self) -> Vec<u8> {
        let oid = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1").to_der().unwrap();
        let algorithm = sequence(&[oid, der::asn1::Null.to_der().unwrap()].concat());
        sequence(&[algorithm, self.spki.clone()].concat())
    }
}

impl PublicKeyData for FakeKey {
    fn der_bytes(&self) -> &[u8] {
        // The bit string without tag, length and the count of unused bits, which the library writes itself.
        let header = self.spki.windows(2).position(|pair| pair == [0x00, 0x30]).unwrap();
        &self.spki[header + 1..]
    }

    fn subject_public_key_info(&self) -> Vec<u8> {
        self.spki_der()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

fn sequence(content: &[u8]) -> Vec<u8> {
    let any = der::asn1::Any::new(der::Tag::Sequence, content).unwrap();
    any.to_der().unwrap()
}

impl TestCa {
    /// An authority with an organisation name of its own.
    pub fn new(organization: &str) -> Self {
        Self::named(name(&[
            (DnType::CountryName, "ES"),
            (DnType::OrganizationName, organization),
            (DnType::CommonName, "Test CA"),
        ]))
    }

    /// An authority with a name of its own.
    pub fn named(name: DistinguishedName) -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// The authority's certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate with these attributes and roles, changed by `change`.
    pub fn issue(
        &self,
        attributes: &[(DnType, &str)],
        roles: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Signer {
        crate::keys::draw();
        let (key_pem, _) = generate_key(KeyType::Rsa2048).unwrap();
        self.issue_with(&KeyPair::from_pem(&key_pem).unwrap(), (attributes, roles), change)
    }

    /// The same for a key of another kind.
    pub fn issue_with(
        &self,
        key: &KeyPair,
        (attributes, roles): (&[(DnType, &str)], &[&str]),
        change: impl FnOnce(&mut CertificateParams),
    ) -> Signer {
        let certificate = params(attributes, roles, change).signed_by(key, &self.issuer).unwrap();
        Signer::from_pem(&certificate.pem(), &key.serialize_pem(), None)
    }

    /// A certificate of a server with these names, or addresses.
    pub fn issue_server(&self, names: &[&str]) -> Signer {
        let names = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let names = names.unwrap().subject_alt_names;
        self.issue(&[(DnType::CommonName, "server")], &[], |params| params.subject_alt_names = names)
    }

    /// A certificate for a key that nobody has, in DER.
    pub fn issue_for(&self, key: &FakeKey, attributes: &[(DnType, &str)], roles: &[&str]) -> Vec<u8> {
        params(attributes, roles, |_| {}).signed_by(key, &self.issuer).unwrap().der().to_vec()
    }

    /// The attribute type organizationIdentifier.
    pub fn organization_identifier() -> DnType {
        DnType::CustomDnType(vec![2, 5, 4, 97])
    }

    /// The usual attributes of a third party.
    pub fn subject(organization_identifier: &str) -> Vec<(DnType, &str)> {
        vec![
            (DnType::CountryName, "NL"),
            (DnType::OrganizationName, "Third Party"),
            (Self::organization_identifier(), organization_identifier),
            (DnType::CommonName, "third-party.example.com"),
        ]
    }
}

fn params(
    attributes: &[(DnType, &str)],
    roles: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(attributes);
    params.serial_number = Some(SerialNumber::from(0x1f2e_3d4c_u64));
    params.not_before = time::OffsetDateTime::from_unix_timestamp(1_577_836_800).unwrap();
    params.not_after = time::OffsetDateTime::from_unix_timestamp(4_000_000_000).unwrap();
    params.is_ca = IsCa::ExplicitNoCa;
    if !roles.is_empty() {
        params.custom_extensions =
            vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 3], statements(roles))];
    }
    change(&mut params);
    params
}

fn name(attributes: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, value) in attributes {
        name.push(kind.clone(), *value);
    }
    name
}

/// A PSD2 statement, written independently of the library under test.
fn statements(roles: &[&str]) -> Vec<u8> {
    let text = |text: &str| der::asn1::Utf8StringRef::new(text).unwrap().to_der().unwrap();
    let oid = |dotted: &str| ObjectIdentifier::new_unwrap(dotted).to_der().unwrap();
    let role = |name: &&str| {
        let number =
            ["", "PSP_AS", "PSP_PI", "PSP_AI", "PSP_IC"].iter().position(|known| known == name).unwrap();
        sequence(&[oid(&format!("0.4.0.19495.1.{number}")), text(name)].concat())
    };
    let roles: Vec<u8> = roles.iter().flat_map(role).collect();
    let info = sequence(&[sequence(&roles), text("Authority"), text("NL-DNB")].concat());
    sequence(&sequence(&[oid("0.4.0.19495.2"), info].concat()))
}
