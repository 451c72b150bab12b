//! What a block or an octet string is.

use der::asn1::AnyRef;
use der::{Decode, Tag, Tagged};

/// A kind of thing that comes in PEM or DER.
///
/// ```
/// use pem_text::Kind;
///
/// let pkcs8 = [0x30, 0x0e, 2, 1, 0, 0x30, 3, 6, 1, 0x2a, 4, 4, 0xde, 0xad, 0xbe, 0xef];
/// assert_eq!(Kind::of_der(&pkcs8), Some(Kind::PrivateKey));
/// assert!(Kind::PrivateKey.is_secret() && !Kind::Certificate.is_secret());
/// assert_eq!(Kind::CertificateRequest.to_string(), "a certificate request (CSR)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// X.509 certificate.
    Certificate,
    /// X.509 certificate with OpenSSL's own settings of trust behind it.
    TrustedCertificate,
    /// PKCS #10 request.
    CertificateRequest,
    /// X.509 revocation list.
    RevocationList,
    /// SubjectPublicKeyInfo.
    PublicKey,
    /// PKCS #1.
    RsaPublicKey,
    /// PKCS #8.
    PrivateKey,
    /// PKCS #1.
    RsaPrivateKey,
    /// SEC 1 (RFC 5915).
    EcPrivateKey,
    /// PKCS #8 under a pass phrase.
    EncryptedPrivateKey,
    /// OpenSSH's own form.
    OpensshPrivateKey,
    /// The curve of a key (RFC 5480, 2.1.1), which OpenSSL writes before the key.
    EcParameters,
    /// PKCS #7.
    Pkcs7,
    /// PKCS #12.
    Pkcs12,
    /// Anything else.
    Other,
}

impl Kind {
    /// By the label of a block.
    pub(crate) fn of_label(label: &str) -> Self {
        match label {
            "CERTIFICATE" | "X509 CERTIFICATE" => Self::Certificate,
            "TRUSTED CERTIFICATE" => Self::TrustedCertificate,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::CertificateRequest,
            "X509 CRL" => Self::RevocationList,
            "PUBLIC KEY" => Self::PublicKey,
            "RSA PUBLIC KEY" => Self::RsaPublicKey,
            "PRIVATE KEY" => Self::PrivateKey,
            "RSA PRIVATE KEY" => Self::RsaPrivateKey,
            "EC PRIVATE KEY" => Self::EcPrivateKey,
            "ENCRYPTED PRIVATE KEY" => Self::EncryptedPrivateKey,
            "OPENSSH PRIVATE KEY" => Self::OpensshPrivateKey,
            "EC PARAMETERS" => Self::EcParameters,
            "PKCS7" | "CMS" => Self::Pkcs7,
            _ => Self::Other,
        }
    }

    /// By the types of the first members of its SEQUENCE.
    pub fn of_der(der: &[u8]) -> Option<Self> {
        let members = Vec::<AnyRef<'_>>::from_der(der).ok()?;
        let tags: Vec<_> = members.iter().map(Tagged::tag).collect();
        // A version of 3 begins PKCS #12.
        let is_pkcs12 = members.first().is_some_and(|version| version.value() == [3]);
        let is_certificate = || {
            let members = Vec::<AnyRef<'_>>::from_der(&encoded(members.first()?)?).ok()?.len();
            Some(members > 4)
        };
        match tags[..] {
            [Tag::Sequence, Tag::Sequence, Tag::BitString] if is_certificate()? => Some(Self::Certificate),
            [Tag::Sequence, Tag::Sequence, Tag::BitString] => Some(Self::CertificateRequest),
            [Tag::Sequence, Tag::BitString] => Some(Self::PublicKey),
            [Tag::Sequence, Tag::OctetString] => Some(Self::EncryptedPrivateKey),
            [Tag::Integer, Tag::Sequence, ..] if is_pkcs12 => Some(Self::Pkcs12),
            [Tag::Integer, Tag::Sequence, Tag::OctetString, ..] => Some(Self::PrivateKey),
            [Tag::Integer, Tag::Integer, Tag::Integer, Tag::Integer, ..] => Some(Self::RsaPrivateKey),
            [Tag::Integer, Tag::OctetString, ..] => Some(Self::EcPrivateKey),
            [Tag::ObjectIdentifier, Tag::ContextSpecific { .. }] => Some(Self::Pkcs7),
            _ => None,
        }
    }

    /// Whether it is a private key that can be used as it is.
    pub(crate) fn is_private_key(self) -> bool {
        matches!(self, Self::PrivateKey | Self::RsaPrivateKey | Self::EcPrivateKey)
    }

    /// Whether it must never be shown or sent.
    pub fn is_secret(self) -> bool {
        self.is_private_key()
            || matches!(self, Self::EncryptedPrivateKey | Self::OpensshPrivateKey | Self::Pkcs12)
    }

    /// For messages, without its article.
    pub(crate) fn noun(self) -> &'static str {
        let text = self.text();
        text.split_once(' ').map_or(text, |(_, noun)| noun)
    }

    fn text(self) -> &'static str {
        match self {
            Self::Certificate => "a certificate",
            Self::TrustedCertificate => "a trusted certificate of OpenSSL (TRUSTED CERTIFICATE)",
            Self::CertificateRequest => "a certificate request (CSR)",
            Self::RevocationList => "a revocation list (CRL)",
            Self::PublicKey => "a public key",
            Self::RsaPublicKey => "a public key in PKCS #1",
            Self::PrivateKey | Self::RsaPrivateKey | Self::EcPrivateKey => "a private key",
            Self::EncryptedPrivateKey => "an encrypted private key",
            Self::OpensshPrivateKey => "a private key of OpenSSH",
            Self::EcParameters => "the parameters of an elliptic curve without a key",
            Self::Pkcs7 => "a PKCS #7 file",
            Self::Pkcs12 => "a PKCS #12 file",
            Self::Other => "something else",
        }
    }

    /// What stands after BEGIN; none for what comes in DER alone and what is not known.
    pub(crate) fn label(self) -> Option<&'static str> {
        Some(match self {
            Self::Certificate => "CERTIFICATE",
            Self::TrustedCertificate => "TRUSTED CERTIFICATE",
            Self::CertificateRequest => "CERTIFICATE REQUEST",
            Self::RevocationList => "X509 CRL",
            Self::PublicKey => "PUBLIC KEY",
            Self::RsaPublicKey => "RSA PUBLIC KEY",
            Self::PrivateKey => "PRIVATE KEY",
            Self::RsaPrivateKey => "RSA PRIVATE KEY",
            Self::EcPrivateKey => "EC PRIVATE KEY",
            Self::EncryptedPrivateKey => "ENCRYPTED PRIVATE KEY",
            Self::OpensshPrivateKey => "OPENSSH PRIVATE KEY",
            Self::Pkcs7 => "PKCS7",
            Self::EcParameters => "EC PARAMETERS",
            Self::Pkcs12 | Self::Other => return None,
        })
    }

    /// The command of OpenSSL that converts it.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Certificate | Self::TrustedCertificate => "x509 -inform DER",
            Self::CertificateRequest => "req -inform DER",
            Self::RevocationList => "crl -inform DER",
            Self::PublicKey => "pkey -pubin -inform DER",
            Self::Pkcs7 => "pkcs7 -print_certs -inform DER",
            Self::Pkcs12 => "pkcs12 -nodes",
            Self::EcParameters => "ecparam -inform DER",
            _ => "pkey -inform DER",
        }
    }
}

/// For messages, with its article.
impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

fn encoded(any: &AnyRef<'_>) -> Option<Vec<u8>> {
    der::Encode::to_der(any).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_is_known_by_its_members() {
        for (der, kind) in [
            (&[0x30, 0x05, 0x30, 0x00, 0x03, 0x01, 0x00][..], Kind::PublicKey),
            (&[0x30, 0x05, 0x30, 0x00, 0x04, 0x01, 0x00], Kind::EncryptedPrivateKey),
            (&[0x30, 0x06, 0x02, 0x01, 0x01, 0x04, 0x01, 0x07], Kind::EcPrivateKey),
            (&[0x30, 0x0c, 2, 1, 0, 2, 1, 9, 2, 1, 3, 2, 1, 5], Kind::RsaPrivateKey),
            (&[0x30, 0x05, 2, 1, 3, 0x30, 0], Kind::Pkcs12),
        ] {
            assert_eq!(Kind::of_der(der), Some(kind), "{der:?}");
        }
        assert_eq!(Kind::of_der(b"0 is text"), None);
    }
}
