//! Certificates inside HTTP header values: the forms that TPPs and TLS-terminating proxies send.

use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};

use crate::certificate::fingerprint;
use crate::pem::{self, Kind, PemError};

/// Largest header value taken, in bytes, of one certificate.
pub const MAX_BYTES: usize = 16 * 1024;

/// The same of a chain.
pub const MAX_CHAIN_BYTES: usize = 32 * 1024;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Which shape a header has.
///
/// ```
/// use eidas::header::{HeaderForm, certificate_der, to_header_value};
///
/// let value = to_header_value(&[0x30, 0x03, 0x02, 0x01, 0x07]);
/// assert_eq!(value, "MAMCAQc=");
/// assert_eq!(certificate_der(value.as_bytes(), HeaderForm::Any)?, [0x30, 0x03, 0x02, 0x01, 0x07]);
/// assert_eq!(certificate_der(b":MAMCAQc=:", HeaderForm::Rfc9440)?, [0x30, 0x03, 0x02, 0x01, 0x07]);
/// # Ok::<(), eidas::header::HeaderError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderForm {
    /// Base64 of the DER on one line (also base64url), PEM with line breaks turned into blanks or dropped,
    /// percent-encoded PEM, or base64 of a whole PEM text: told apart by their look.
    /// `TPP-Signature-Certificate`, `SSL-Certificate`, nginx, HAProxy, AWS.
    Any,
    /// `Client-Cert: :<base64>:` (RFC 9440).
    Rfc9440,
    /// `X-Forwarded-Client-Cert` of Envoy: the `Cert` member of the last element, of which `Hash` there is the SHA-256.
    Envoy,
}

/// Why a header value gives no certificate.
///
/// ```
/// use eidas::header::{HeaderError, HeaderForm, certificate_der};
///
/// assert_eq!(certificate_der(b"(null)", HeaderForm::Any), Err(HeaderError::Missing));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Empty, or what proxies write for nothing: `-` and `(null)`.
    #[error("no certificate in the header")]
    Missing,
    /// More than so many bytes.
    #[error("the header is larger than {} KiB", .0 / 1024)]
    TooLarge(usize),
    /// Not ASCII text.
    #[error("the header contains octets outside ASCII")]
    NotAscii,
    /// More than one certificate.
    #[error("the header holds more than one certificate; send the signing certificate alone")]
    SeveralCertificates,
    /// What Envoy says to be the SHA-256 of a certificate is that of another one.
    #[error("Hash in the header is not the SHA-256 of the certificate in it")]
    OtherHash,
    /// Something else than a certificate.
    #[error("the header holds {0}; expected a certificate")]
    Other(Kind),
    /// A private key, which somebody sent by mistake.
    #[error("the header holds {0}, which must never be sent to anyone; expected a certificate")]
    Secret(Kind),
    /// Not one of the forms.
    #[error(
        "the header is neither base64 of a DER certificate on one line nor PEM (line breaks may be blanks or %0A)"
    )]
    Malformed,
}

impl HeaderError {
    fn other(kind: Kind) -> Self {
        if kind.is_secret() { Self::Secret(kind) } else { Self::Other(kind) }
    }
}

/// The DER octets in a header value; whether they are a certificate is for
/// [`crate::Certificate::from_der`] to say.
///
/// # Errors
/// [`HeaderError`]
pub fn certificate_der(value: &[u8], form: HeaderForm) -> Result<Vec<u8>, HeaderError> {
    let text = text_of(value, MAX_BYTES)?;
    match form {
        HeaderForm::Any => one(any(text)?),
        HeaderForm::Rfc9440 => {
            let inner = text.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
            base64_der(inner.ok_or(HeaderError::Malformed)?)
        }
        HeaderForm::Envoy => envoy_der(text),
    }
}

/// The DER octets of every certificate in a header value of the form [`HeaderForm::Any`], in its order and at least one: some proxies
/// hand the client's whole chain on in one header, its own certificate first.
///
/// ```
/// use eidas::header::chain_der;
///
/// let value = "-----BEGIN%20CERTIFICATE-----%0AMAMCAQc=%0A-----END%20CERTIFICATE-----%0A".repeat(2);
/// assert_eq!(chain_der(value.as_bytes())?, vec![[0x30, 0x03, 0x02, 0x01, 0x07]; 2]);
/// # Ok::<(), eidas::header::HeaderError>(())
/// ```
///
/// # Errors
/// [`HeaderError`]
pub fn chain_der(value: &[u8]) -> Result<Vec<Vec<u8>>, HeaderError> {
    any(text_of(value, MAX_CHAIN_BYTES)?)
}

fn text_of(value: &[u8], most: usize) -> Result<&str, HeaderError> {
    if value.len() > most {
        return Err(HeaderError::TooLarge(most));
    }
    let text = std::str::from_utf8(value).ok().filter(|text| text.is_ascii()).ok_or(HeaderError::NotAscii)?;
    let text = text.trim();
    if matches!(text, "" | "-" | "(null)") { Err(HeaderError::Missing) } else { Ok(text) }
}

fn one(mut found: Vec<Vec<u8>>) -> Result<Vec<u8>, HeaderError> {
    if found.len() > 1 {
        return Err(HeaderError::SeveralCertificates);
    }
    found.pop().ok_or(HeaderError::Missing)
}

fn any(text: &str) -> Result<Vec<Vec<u8>>, HeaderError> {
    // A plus sign is a digit of base64 and never stands for a blank here.
    let decoded =
        percent_encoding::percent_decode_str(text).decode_utf8().map_err(|_| HeaderError::Malformed)?;
    if decoded.contains("-----") {
        return pem_der(&decoded);
    }
    let octets = base64_der(&decoded)?;
    match (std::str::from_utf8(&octets), Kind::of_der(&octets)) {
        (Ok(inner), _) if inner.contains("-----") => pem_der(inner),
        (_, Some(kind)) if kind != Kind::Certificate => Err(HeaderError::other(kind)),
        _ => Ok(vec![octets]),
    }
}

/// PEM in which line breaks may have become blanks, tabs or nothing.
fn pem_der(text: &str) -> Result<Vec<Vec<u8>>, HeaderError> {
    if pem::holds_private_key(text.as_bytes()) {
        return Err(HeaderError::Secret(Kind::PrivateKey));
    }
    match pem::certificates(text.as_bytes()) {
        Ok(found) => Ok(found),
        Err(PemError::Other { found, .. }) => Err(HeaderError::other(found)),
        Err(PemError::NotBase64(_)) if text.trim_matches('-').contains("----------") => {
            Err(HeaderError::Missing)
        }
        Err(_) => Err(HeaderError::Malformed),
    }
}

fn base64_der(text: &str) -> Result<Vec<u8>, HeaderError> {
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let engine = if digits.contains(['-', '_']) { &BASE64_URL } else { &BASE64 };
    let octets = engine.decode(digits).map_err(|_| HeaderError::Malformed)?;
    if octets.is_empty() { Err(HeaderError::Missing) } else { Ok(octets) }
}

fn envoy_der(text: &str) -> Result<Vec<u8>, HeaderError> {
    let last = split_outside_quotes(text, ',').pop().unwrap_or_default();
    let members = split_outside_quotes(&last, ';');
    let member = |name: &str| {
        members.iter().find_map(|member| {
            let (key, value) = member.split_once('=')?;
            let value = value.trim().trim_matches('"');
            (key.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then_some(value)
        })
    };
    let der = one(any(member("Cert").ok_or(HeaderError::Missing)?)?)?;
    let digits: String = fingerprint(&der).iter().map(|octet| format!("{octet:02x}")).collect();
    if member("Hash").is_some_and(|hash| !hash.eq_ignore_ascii_case(&digits)) {
        return Err(HeaderError::OtherHash);
    }
    Ok(der)
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        // Envoy writes a quote inside a value with a backslash before it, and the value may be of the sender's choice.
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && quoted && !escaped;
        if c == separator && !quoted {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

/// The form that TPPs send: base64 of the DER on one line.
pub fn to_header_value(der: &[u8]) -> String {
    BASE64.encode(der)
}

/// A PEM text with its base64 on one line between the markers.
pub fn to_single_line_pem(der: &[u8], label: &str) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate;

    const DER: &[u8] = &[0x30, 0x82, 0xfb, 0xff, 0x3e, 0x3f];

    #[test]
    fn every_form_gives_the_same_octets() {
        let base64 = to_header_value(DER);
        let pem = certificate::to_pem(DER);
        for text in [
            base64.clone(),
            BASE64_URL.encode(DER),
            base64.trim_end_matches('=').to_owned(),
            pem.replace('\n', " "),
            pem.replace('\n', "\t"),
            pem.replace('\n', ""),
            pem.replace('\n', "%0A").replace(' ', "%20"),
            pem.replace('\n', "%0A").replace(' ', "%20").replace('+', "%2B").replace('/', "%2F"),
            BASE64.encode(&pem),
        ] {
            assert_eq!(certificate_der(text.as_bytes(), HeaderForm::Any).as_deref(), Ok(DER), "{text}");
        }
        let rfc9440 = format!(":{base64}:");
        assert_eq!(certificate_der(rfc9440.as_bytes(), HeaderForm::Rfc9440).as_deref(), Ok(DER));
    }

    #[test]
    fn refuses_what_is_no_certificate() {
        let pem = certificate::to_pem(DER).replace('\n', " ");
        let case = |text: &str| certificate_der(text.as_bytes(), HeaderForm::Any);
        assert_eq!(case(&format!("{pem}{pem}")), Err(HeaderError::SeveralCertificates));
        assert_eq!(case(&pem[..40]), Err(HeaderError::Malformed));
        assert_eq!(case(&pem.replace("MI", "M*").replace("MP", "M*")), Err(HeaderError::Malformed));
        let key = pem.replace("CERTIFICATE", "PRIVATE KEY");
        assert_eq!(case(&key), Err(HeaderError::Secret(Kind::PrivateKey)));
        assert_eq!(case(&format!("{pem} {key}")), Err(HeaderError::Secret(Kind::PrivateKey)));
        let csr = pem.replace("CERTIFICATE", "CERTIFICATE REQUEST");
        assert_eq!(case(&csr), Err(HeaderError::Other(Kind::CertificateRequest)));
        let pkcs8 = BASE64.encode([0x30, 0x08, 2, 1, 0, 0x30, 0, 4, 1, 7]);
        assert_eq!(case(&pkcs8), Err(HeaderError::Secret(Kind::PrivateKey)));
        assert_eq!(case(&format!("Bag Attributes  {pem}")).as_deref(), Ok(DER));
        assert_eq!(case("not base64!"), Err(HeaderError::Malformed));
        for nothing in ["", "  ", "-", "(null)", "-----BEGIN CERTIFICATE----------END CERTIFICATE-----"] {
            assert_eq!(case(nothing), Err(HeaderError::Missing), "{nothing}");
        }
        assert_eq!(case(&"A".repeat(MAX_BYTES + 1)), Err(HeaderError::TooLarge(MAX_BYTES)));
        // A chain may be twice as long.
        let chain = |blanks| chain_der(format!("{pem}{}{pem}", " ".repeat(blanks)).as_bytes());
        assert_eq!(chain(MAX_BYTES), Ok(vec![DER.to_vec(); 2]));
        assert_eq!(chain(MAX_CHAIN_BYTES), Err(HeaderError::TooLarge(MAX_CHAIN_BYTES)));
        assert_eq!(certificate_der(&[0xff], HeaderForm::Any), Err(HeaderError::NotAscii));
        assert_eq!(certificate_der(b"MIIF", HeaderForm::Rfc9440), Err(HeaderError::Malformed));
    }

    #[test]
    fn what_a_subject_says_is_no_member_of_envoys_header() {
        let value = |subject: &str, own: &str| {
            let text = format!(r#"By=x;Subject="{subject}";Cert="{own}""#);
            certificate_der(text.as_bytes(), HeaderForm::Envoy)
        };
        let (own, foreign) = (to_header_value(DER), to_header_value(&[0x30, 3, 2, 1, 9]));
        for subject in [
            "CN=x",
            r#"CN=\";Cert=\"FOREIGN\";x=\""#,
            r#"CN=\\\";Cert=\"FOREIGN\";x=\""#,
            r#"CN=\",By=y;Cert=\"FOREIGN\""#,
            r"CN=a\\",
        ] {
            assert_eq!(value(&subject.replace("FOREIGN", &foreign), &own).as_deref(), Ok(DER), "{subject}");
        }
    }

    #[test]
    fn several_certificates_are_a_chain_where_one_is_expected_to_come() {
        let (one, two) = (certificate::to_pem(DER), certificate::to_pem(&[0x30, 0x01, 0x00]));
        let encoded = (one.clone() + &two).replace('\n', "%0A").replace(' ', "%20");
        assert_eq!(chain_der(encoded.as_bytes()), Ok(vec![DER.to_vec(), vec![0x30, 0x01, 0x00]]));
        assert_eq!(chain_der(to_header_value(DER).as_bytes()), Ok(vec![DER.to_vec()]));
        assert_eq!(chain_der(b"-"), Err(HeaderError::Missing));
        assert_eq!(
            certificate_der(encoded.as_bytes(), HeaderForm::Any),
            Err(HeaderError::SeveralCertificates)
        );
    }

    #[test]
    fn what_envoy_says_to_be_the_hash_is_that_of_the_certificate() {
        let hash: String = fingerprint(DER).iter().map(|octet| format!("{octet:02X}")).collect();
        let value = |hash: &str| {
            let text =
                format!("By=x;Hash=00;Cert=\"MAMCAQc\",By=y;Hash={hash};Cert=\"{}\"", to_header_value(DER));
            certificate_der(text.as_bytes(), HeaderForm::Envoy)
        };
        assert_eq!(value(&hash).as_deref(), Ok(DER));
        assert_eq!(value(&hash.to_lowercase()).as_deref(), Ok(DER));
        for wrong in ["00", "x", &hash[1..]] {
            assert_eq!(value(wrong), Err(HeaderError::OtherHash), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), text in "[-%A-Za-z0-9+/=:;,\" ]{0,120}") {
            for form in [HeaderForm::Any, HeaderForm::Rfc9440, HeaderForm::Envoy] {
                let _ = certificate_der(&bytes, form);
                let _ = certificate_der(text.as_bytes(), form);
            }
            let _ = (chain_der(&bytes), chain_der(text.as_bytes()));
        }
    }
}
