//! PEM (RFC 7468) as people send it: text around the blocks, indentation, a byte order mark, any line ends or none,
//! `\n` written out, attributes of a key store.
//!
//! What is read may be secret, so no error repeats any of it: errors name what was found and what was expected.

mod kind;

use std::borrow::Cow;

use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};

pub use kind::Kind;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// What a text holds in place of what was expected.
///
/// ```
/// use pem_text::{Kind, PemError, certificates, to_pem};
///
/// let request = to_pem(Kind::CertificateRequest, &[0x30, 0]);
/// let error = certificates(request.as_bytes()).unwrap_err();
/// assert!(matches!(error, PemError::Other { found: Kind::CertificateRequest, .. }));
/// assert_eq!(
///     error.to_string(),
///     "it is a certificate request (CSR); expected a certificate, which begins with -----BEGIN CERTIFICATE-----"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// Nothing, or nothing but blanks.
    #[error("it is empty: no {} in it", expected.noun())]
    Empty {
        /// What should be there.
        expected: Kind,
    },
    /// No block at all.
    #[error("it is not PEM: no line {}", begin(*expected))]
    NotPem {
        /// What should be there.
        expected: Kind,
    },
    /// Binary.
    #[error("it is {found} in DER; expected PEM, which this makes of it: openssl {} -in FILE -out FILE.pem", found.command())]
    Der {
        /// What it is.
        found: Kind,
    },
    /// Base64 without its boundaries.
    #[error("it is the base64 of {found} without {}", boundaries(*found))]
    Bare {
        /// What it is.
        found: Kind,
    },
    /// Another thing in PEM.
    #[error("it is {found}; expected {expected}, which begins with {}", begin(*expected))]
    Other {
        /// What should be there.
        expected: Kind,
        /// What is there.
        found: Kind,
    },
    /// A private key under a pass phrase.
    #[error(
        "it is an encrypted private key; expected one without a pass phrase, which this makes of it: \
         openssl pkey -in FILE -out KEY.pem"
    )]
    Encrypted,
    /// A block without its end.
    #[error("the line {} is missing", end(*.0))]
    NoEnd(Kind),
    /// Something else than base64 in a block.
    #[error("what stands between BEGIN and END of {0} is not base64")]
    NotBase64(Kind),
    /// More than one where one is expected.
    #[error("it holds {found} times {expected}; expected one")]
    Several {
        /// What should be there once.
        expected: Kind,
        /// How often it is there.
        found: usize,
    },
}

/// The line before a block, for messages.
fn begin(kind: Kind) -> String {
    kind.label().map_or_else(|| "that begins a block".to_owned(), |label| format!("{BEGIN}{label}{DASHES}"))
}

/// The line after a block, for messages.
fn end(kind: Kind) -> String {
    kind.label().map_or_else(|| "that ends the block".to_owned(), |label| format!("-----END {label}{DASHES}"))
}

/// The lines around a block, or the command that makes PEM of what has none.
fn boundaries(kind: Kind) -> String {
    match kind.label() {
        Some(_) => format!("the lines {} and {}", begin(kind), end(kind)),
        None => format!(
            "PEM around it; decode the base64, and this makes PEM of it: openssl {} -in FILE -out FILE.pem",
            kind.command()
        ),
    }
}

/// A private key without pass phrase.
///
/// ```
/// use pem_text::{Kind, private_key, to_pem};
///
/// let pem = to_pem(Kind::PrivateKey, &[0x30, 0x08, 2, 1, 0, 0x30, 0, 4, 1, 7]);
/// let key = private_key(pem.replace('\n', " ").as_bytes())?;
/// assert_eq!((key.kind, key.to_pem()), (Kind::PrivateKey, pem));
/// assert_eq!(format!("{key:?}"), "PrivateKey(a private key)");
/// # Ok::<(), pem_text::PemError>(())
/// ```
pub struct PrivateKey {
    /// PKCS #8, PKCS #1 or SEC 1.
    pub kind: Kind,
    /// The key in DER.
    pub der: Vec<u8>,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({})", self.kind)
    }
}

impl PrivateKey {
    /// The key in PEM with lines of 64 characters.
    pub fn to_pem(&self) -> String {
        to_pem(self.kind, &self.der)
    }
}

/// One block, decoded or not.
struct Block {
    kind: Kind,
    content: Result<Vec<u8>, PemError>,
}

/// The DER of every certificate in a text, in its order. Keys beside them are passed over.
///
/// # Errors
/// [`PemError`] if there is none, or one cannot be decoded.
pub fn certificates(octets: &[u8]) -> Result<Vec<Vec<u8>>, PemError> {
    all(octets, Kind::Certificate, |kind| kind == Kind::Certificate)
        .and_then(|found| found.into_iter().map(|block| block.content).collect())
}

/// The one private key in a text. Certificates beside it are passed over.
///
/// # Errors
/// [`PemError`] if there is none, several, or one with a pass phrase.
pub fn private_key(octets: &[u8]) -> Result<PrivateKey, PemError> {
    let found = all(octets, Kind::PrivateKey, Kind::is_private_key)?;
    let Block { kind, content } = one(found, Kind::PrivateKey)?;
    Ok(PrivateKey { kind, der: content? })
}

/// The DER of the one public key (SubjectPublicKeyInfo) in a text.
///
/// # Errors
/// [`PemError`] if there is none, or several. A private key is refused even beside one.
pub fn public_key(octets: &[u8]) -> Result<Vec<u8>, PemError> {
    let found = all(octets, Kind::PublicKey, |kind| kind == Kind::PublicKey || kind.is_secret())?;
    if let Some(secret) = found.iter().find(|block| block.kind.is_secret()) {
        return Err(PemError::Other { expected: Kind::PublicKey, found: secret.kind });
    }
    one(found, Kind::PublicKey)?.content
}

/// Whether a text holds a private key, with a pass phrase or without, in PEM.
pub fn holds_private_key(octets: &[u8]) -> bool {
    blocks(&text(octets)).is_ok_and(|found| found.iter().any(|block| block.kind.is_secret()))
}

/// PEM with lines of 64 characters and line feeds.
pub fn to_pem(kind: Kind, der: &[u8]) -> String {
    // Only a label that is not ASCII or a length beyond memory could fail.
    der::pem::encode_string(kind.label().unwrap_or_default(), der::pem::LineEnding::LF, der)
        .unwrap_or_default()
}

fn one(mut found: Vec<Block>, expected: Kind) -> Result<Block, PemError> {
    match found.len() {
        1 => Ok(found.remove(0)),
        found => Err(PemError::Several { expected, found }),
    }
}

/// The blocks that are wanted; never empty.
fn all(octets: &[u8], expected: Kind, is_wanted: impl Fn(Kind) -> bool) -> Result<Vec<Block>, PemError> {
    let text = text(octets);
    let found = blocks(&text)?;
    // A private key is what matters, wherever it stands; the parameters of one stand before it.
    let kinds = || found.iter().map(|block| block.kind);
    let is_telling = |kind: &Kind| !matches!(kind, Kind::EcParameters | Kind::Other);
    let telling = kinds().find(|kind| kind.is_secret()).or_else(|| kinds().find(is_telling));
    let Some(telling) = telling.or_else(|| kinds().next()) else {
        return Err(without_blocks(octets, &text, expected));
    };
    let wanted: Vec<_> = found.into_iter().filter(|block| is_wanted(block.kind)).collect();
    if wanted.is_empty() {
        return Err(match telling {
            Kind::EncryptedPrivateKey if expected == Kind::PrivateKey => PemError::Encrypted,
            found => PemError::Other { expected, found },
        });
    }
    if expected == Kind::PrivateKey && wanted.iter().any(|block| block.content == Err(PemError::Encrypted)) {
        return Err(PemError::Encrypted);
    }
    Ok(wanted)
}

/// What a text without any block is.
fn without_blocks(octets: &[u8], text: &str, expected: Kind) -> PemError {
    if text.trim().is_empty() {
        return PemError::Empty { expected };
    }
    if let Some(found) = Kind::of_der(octets) {
        return PemError::Der { found };
    }
    match decode(text).and_then(|der| Kind::of_der(&der)) {
        Some(found) => PemError::Bare { found },
        None => PemError::NotPem { expected },
    }
}

/// Text in UTF-8 or, with a byte order mark, UTF-16. Octets outside it are in comments if anywhere.
fn text(octets: &[u8]) -> Cow<'_, str> {
    let utf_16 = |octets: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = octets.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match octets {
        [0xff, 0xfe, rest @ ..] if rest.len().is_multiple_of(2) => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] if rest.len().is_multiple_of(2) => utf_16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(octets),
    }
}

fn blocks(text: &str) -> Result<Vec<Block>, PemError> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        rest = after;
        let Some((label, after)) = after.split_once(DASHES).filter(|(label, _)| is_label(label)) else {
            continue;
        };
        let kind = Kind::of_label(label);
        let next = after.find(BEGIN);
        let (own, _) = after.split_at(next.unwrap_or(after.len()));
        if let Some((body, _)) = own.split_once(&format!("-----END {label}{DASHES}")) {
            found.push(Block { kind, content: content(kind, body) });
            rest = &after[body.len()..];
        } else if kind != Kind::Other && (next.is_none() || holds_content(own)) {
            return Err(PemError::NoEnd(kind));
        }
        // Else it is a remark that names a boundary, before the block itself.
    }
    Ok(found)
}

/// Whether it can be the label of a block (RFC 7468, 3); other words after BEGIN belong to the text around it.
fn is_label(text: &str) -> bool {
    let is_in_label = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ';
    !text.is_empty() && text.trim() == text && text.chars().all(is_in_label)
}

/// Whether what follows a boundary is longer than words are: lines of base64 have 64 characters (RFC 7468, 2).
fn holds_content(text: &str) -> bool {
    text.split_whitespace().any(|word| word.len() > 32)
}

fn content(kind: Kind, body: &str) -> Result<Vec<u8>, PemError> {
    // RFC 1421, 4.6.1.1: how keys under a pass phrase are marked without PKCS #8.
    if body.contains("ENCRYPTED") && body.contains("Proc-Type") {
        return Err(PemError::Encrypted);
    }
    // Line ends that went through a variable of the environment or twice through JSON.
    let body = body.replace("\\r", "\n").replace("\\n", "\n");
    let base64: String = body.lines().filter(|line| !line.contains(':')).collect();
    match decode(&base64) {
        Some(der) if !der.is_empty() => Ok(der),
        _ => Err(PemError::NotBase64(kind)),
    }
}

/// Base64 in either alphabet, with blanks anywhere.
fn decode(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let engine = if digits.contains(['-', '_']) { &BASE64_URL } else { &BASE64 };
    engine.decode(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A SEQUENCE of INTEGER 0, SEQUENCE and OCTET STRING, as PKCS #8 begins.
    const KEY: &[u8] =
        &[0x30, 0x0e, 0x02, 0x01, 0x00, 0x30, 0x03, 0x06, 0x01, 0x2a, 0x04, 0x04, 0xde, 0xad, 0xbe, 0xef];

    fn pem(kind: Kind) -> String {
        to_pem(kind, KEY)
    }

    #[test]
    fn one_key_in_every_dress() {
        let plain = pem(Kind::PrivateKey);
        let utf_16 = |text: &str, write: fn(u16) -> [u8; 2]| {
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(write).collect::<Vec<u8>>()
        };
        let attributes = "Bag Attributes\n    friendlyName: Müller\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\n";
        for (what, octets) in [
            ("plain", plain.clone().into_bytes()),
            ("one line", plain.replace('\n', "").into_bytes()),
            ("blanks for line ends", plain.replace('\n', " ").into_bytes()),
            ("CRLF", plain.replace('\n', "\r\n").into_bytes()),
            ("written out", plain.replace('\n', "\\n").into_bytes()),
            ("written out twice", plain.replace('\n', "\\r\\n").into_bytes()),
            ("indented", plain.replace("\n", "\n    ").into_bytes()),
            ("byte order mark", format!("\u{feff}{plain}").into_bytes()),
            ("UTF-16 little", utf_16(&plain, u16::to_le_bytes)),
            ("UTF-16 big", utf_16(&plain, u16::to_be_bytes)),
            ("attributes", format!("{attributes}{plain}").into_bytes()),
            ("Latin-1 before", [b"M\xfcller\n", plain.as_bytes()].concat()),
            ("text after", format!("{plain}and so on\n").into_bytes()),
            ("certificate before", format!("{}{plain}", pem(Kind::Certificate)).into_bytes()),
        ] {
            assert_eq!(private_key(&octets).map(|key| key.der).as_deref(), Ok(KEY), "{what}");
        }
        assert_eq!(private_key(pem(Kind::RsaPrivateKey).as_bytes()).unwrap().kind, Kind::RsaPrivateKey);
    }

    #[test]
    fn what_it_is_instead_is_named_and_nothing_of_it_repeated() {
        let encrypted = pem(Kind::RsaPrivateKey)
            .replace("KEY-----\nMA", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMA");
        let cases: Vec<(Vec<u8>, &str)> = vec![
            (b" \n".to_vec(), "it is empty: no private key in it"),
            (b"hello".to_vec(), "it is not PEM: no line -----BEGIN PRIVATE KEY-----"),
            (
                KEY.to_vec(),
                "it is a private key in DER; expected PEM, which this makes of it: openssl pkey -inform DER -in FILE",
            ),
            (BASE64.encode(KEY).into(), "it is the base64 of a private key without the lines"),
            (pem(Kind::Certificate).into(), "it is a certificate; expected a private key"),
            (pem(Kind::PublicKey).into(), "it is a public key; expected a private key"),
            (pem(Kind::EncryptedPrivateKey).into(), "it is an encrypted private key"),
            (encrypted.into(), "it is an encrypted private key"),
            (pem(Kind::PrivateKey)[..40].into(), "the line -----END PRIVATE KEY----- is missing"),
            (pem(Kind::PrivateKey).replace("MA", "M*").into(), "not base64"),
            (pem(Kind::PrivateKey).repeat(2).into(), "it holds 2 times a private key; expected one"),
        ];
        for (octets, expected) in cases {
            let text = private_key(&octets).unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
            assert!(!text.contains(&BASE64.encode(KEY)[..12]) && !text.contains("3q2+7w"), "{text}");
        }
        let key = pem(Kind::PrivateKey);
        let text = certificates(key.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            text,
            "it is a private key; expected a certificate, which begins with -----BEGIN CERTIFICATE-----"
        );
        let both = format!("{}{key}", pem(Kind::PublicKey));
        assert!(matches!(public_key(both.as_bytes()), Err(PemError::Other { found: Kind::PrivateKey, .. })));
        assert!(holds_private_key(both.as_bytes()) && !holds_private_key(pem(Kind::Certificate).as_bytes()));
        assert_eq!(format!("{:?}", private_key(key.as_bytes()).unwrap()), "PrivateKey(a private key)");
    }

    #[test]
    fn words_before_the_boundary_are_passed_over() {
        let key = pem(Kind::PrivateKey);
        for before in [
            "# my key -----BEGIN of it\n",
            "note: -----BEGIN NOTE\n",
            "-----BEGIN NOTE-----\n",
            "# below is -----BEGIN PRIVATE KEY-----\n",
            "# from -----BEGIN PRIVATE KEY----- to its end\n",
            "-----BEGIN \n",
            "-----BEGIN -----\n",
        ] {
            for key in [key.clone(), key.replace('\n', "")] {
                let text = format!("{before}{key}");
                assert_eq!(private_key(text.as_bytes()).map(|key| key.der).as_deref(), Ok(KEY), "{text}");
            }
            let text = certificates(before.as_bytes()).unwrap_err().to_string();
            assert!(!text.contains('…'), "{before}: {text}");
        }
        let long = to_pem(Kind::PrivateKey, &[&[0x30, 0x40][..], &[7; 0x40]].concat());
        let cut = format!("{}{long}", &long[..long.len() - 30]);
        assert_eq!(private_key(cut.as_bytes()).unwrap_err(), PemError::NoEnd(Kind::PrivateKey));
    }

    #[test]
    fn what_openssl_writes_is_named() {
        let key = pem(Kind::EcPrivateKey);
        let parameters = to_pem(Kind::EcParameters, &[6, 3, 0x2a, 3, 4]);
        let both = format!("{parameters}{key}");
        let text = |pem: &str| certificates(pem.as_bytes()).unwrap_err().to_string();
        assert!(text(&both).starts_with("it is a private key; expected a certificate"), "{}", text(&both));
        assert_eq!(private_key(both.as_bytes()).map(|key| key.der).as_deref(), Ok(KEY));
        let alone = text(&parameters);
        assert!(alone.starts_with("it is the parameters of an elliptic curve without a key"), "{alone}");
        let trusted = text(&to_pem(Kind::TrustedCertificate, KEY));
        assert!(
            trusted.starts_with("it is a trusted certificate of OpenSSL (TRUSTED CERTIFICATE)"),
            "{trusted}"
        );
        let pkcs12 = text(&BASE64.encode([0x30, 0x05, 2, 1, 3, 0x30, 0]));
        assert!(
            pkcs12.contains("base64 of a PKCS #12 file") && pkcs12.contains("openssl pkcs12 -nodes"),
            "{pkcs12}"
        );
        assert!(!pkcs12.contains('…'), "{pkcs12}");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(
            octets in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
            text in "(-----BEGIN (CERTIFICATE|PRIVATE KEY)-----|[A-Za-z0-9+/=:\\\\\n ]{0,40}|-----END CERTIFICATE-----){0,6}",
        ) {
            for octets in [&octets[..], text.as_bytes()] {
                let _ = (certificates(octets), private_key(octets), public_key(octets));
            }
        }
    }
}
