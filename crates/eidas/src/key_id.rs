//! The key id of Berlin Group signatures: `SN=<serial>,CA=<issuer>` (NextGenPSD2 1.3, section 12.2).
//!
//! It selects nothing: the key comes from the certificate that travels with the message, and the key id must
//! fit that certificate.

use crate::certificate::Certificate;
use crate::name::{DistinguishedName, Spelling};

/// A key id, taken apart but not yet compared.
///
/// ```
/// use eidas::{Certificate, KeyId, KeyIdError, KeyIdRules};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let certificate = Certificate::from_pem(pem).unwrap();
/// KeyId::parse(&certificate.key_id())?.check(&certificate, KeyIdRules::INTEROP)?;
///
/// let other = KeyId::parse("SN=1,CA=CN=Somebody")?.check(&certificate, KeyIdRules::STRICT);
/// assert!(matches!(other, Err(KeyIdError::Serial { .. })));
/// # Ok::<(), KeyIdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId {
    serial: String,
    issuer: String,
}

/// What a reader of key ids puts up with beyond the standard's text.
///
/// ```
/// use eidas::{KeyIdRules, Spelling};
///
/// let rules = KeyIdRules { spelling: Spelling::Any, ..KeyIdRules::STRICT };
/// assert!(!rules.decimal_serial);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyIdRules {
    /// Spelling of the issuer's name.
    pub spelling: Spelling,
    /// The serial number may be written in decimal.
    pub decimal_serial: bool,
    /// A different issuer name is let pass if the serial number fits.
    pub issuer_may_differ: bool,
}

impl KeyIdRules {
    /// The standard's text and nothing else.
    pub const STRICT: Self =
        Self { spelling: Spelling::Rfc4514, decimal_serial: false, issuer_may_differ: false };
    /// What working clients send.
    pub const INTEROP: Self =
        Self { spelling: Spelling::Any, decimal_serial: true, issuer_may_differ: false };
}

/// Why a key id does not fit a certificate.
///
/// ```
/// use eidas::{KeyId, KeyIdError};
///
/// assert_eq!(KeyId::parse("key-1"), Err(KeyIdError::Form));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyIdError {
    /// Not of the form `SN=…,CA=…`.
    #[error("keyId must have the form SN=<serial in hexadecimal>,CA=<issuer name>")]
    Form,
    /// The serial number is another one.
    #[error("keyId names serial number {got}, the certificate has {expected}")]
    Serial {
        /// The certificate's serial number in hexadecimal.
        expected: String,
        /// The serial number in the key id.
        got: String,
    },
    /// The issuer is another one.
    #[error("keyId names issuer \"{got}\", the certificate was issued by \"{expected}\"")]
    Issuer {
        /// The certificate's issuer.
        expected: String,
        /// The issuer in the key id.
        got: String,
    },
}

impl KeyId {
    /// Splits at the first `,CA=`.
    ///
    /// # Errors
    /// [`KeyIdError::Form`]
    pub fn parse(text: &str) -> Result<Self, KeyIdError> {
        let is_serial = |start: &str| start.len() >= 3 && start[..3].eq_ignore_ascii_case("SN=");
        let comma = text
            .match_indices(',')
            .find(|(at, _)| {
                text[at + 1..].trim_start().get(..3).is_some_and(|t| t.eq_ignore_ascii_case("CA="))
            })
            .map(|(at, _)| at)
            .ok_or(KeyIdError::Form)?;
        let (start, rest) = (text[..comma].trim(), text[comma + 1..].trim_start());
        if !start.is_char_boundary(3.min(start.len())) || !is_serial(start) || start.len() == 3 {
            return Err(KeyIdError::Form);
        }
        Ok(Self { serial: start[3..].trim().to_owned(), issuer: rest[3..].to_owned() })
    }

    /// Compares serial number and issuer with those of `certificate`.
    ///
    /// # Errors
    /// [`KeyIdError::Serial`] or [`KeyIdError::Issuer`] with both values.
    pub fn check(&self, certificate: &Certificate, rules: KeyIdRules) -> Result<(), KeyIdError> {
        if !same_serial(&self.serial, &certificate.serial, rules.decimal_serial) {
            return Err(KeyIdError::Serial { expected: certificate.serial_hex(), got: self.serial.clone() });
        }
        let fits = DistinguishedName::parse(&self.issuer, rules.spelling)
            .is_ok_and(|name| name.same_attributes(&certificate.issuer, rules.spelling));
        if fits || rules.issuer_may_differ {
            return Ok(());
        }
        Err(KeyIdError::Issuer { expected: certificate.issuer.to_string(), got: self.issuer.clone() })
    }
}

/// Compares as numbers: case, leading zeros and `0x` do not matter.
fn same_serial(text: &str, serial: &[u8], decimal_allowed: bool) -> bool {
    let magnitude = strip_zeros(serial);
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let number = |radix: u32| -> Option<Vec<u8>> {
        // 20 octets are 49 decimal digits; anything longer cannot be a serial number.
        if digits.is_empty() || digits.len() > 64 {
            return None;
        }
        digits.chars().try_fold(Vec::new(), |number, c| Some(multiply_add(number, radix, c.to_digit(radix)?)))
    };
    let fits = |radix| number(radix).is_some_and(|number| strip_zeros(&number) == magnitude);
    fits(16) || (decimal_allowed && fits(10))
}

/// `number * radix + digit`, big-endian.
fn multiply_add(mut number: Vec<u8>, radix: u32, digit: u32) -> Vec<u8> {
    let mut carry = digit;
    for byte in number.iter_mut().rev() {
        let product = u32::from(*byte) * radix + carry;
        *byte = (product & 0xff) as u8;
        carry = product >> 8;
    }
    if carry > 0 {
        number.insert(0, (carry & 0xff) as u8);
    }
    number
}

fn strip_zeros(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    &bytes[first..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_compared_as_numbers() {
        let serial = [0x00, 0x9f, 0xa1, 0xc0];
        for same in ["9FA1C0", "9fa1c0", "009FA1C0", "0x9fa1c0"] {
            assert!(same_serial(same, &serial, false), "{same}");
        }
        assert!(same_serial("10461632", &serial, true) && !same_serial("10461632", &serial, false));
        for other in ["9FA1C1", "", "0x", "xyz", "9FA1C0 ", &"1".repeat(100)] {
            assert!(!same_serial(other, &serial, true), "{other}");
        }
        assert!(same_serial("1", &[1], false) && same_serial("0", &[0], false));
    }

    #[test]
    fn a_key_id_splits_at_the_first_ca() {
        let key_id = KeyId::parse("SN=1,CA=CN=x,CA=y").unwrap();
        assert_eq!((key_id.serial.as_str(), key_id.issuer.as_str()), ("1", "CN=x,CA=y"));
        assert_eq!(KeyId::parse("sn=1, ca=CN=x").unwrap().issuer, "CN=x");
        for wrong in ["", "SN=1", "CA=x", "SN=,CA=x", "é,CA=x", "https://tpp.example/cert.pem"] {
            assert_eq!(KeyId::parse(wrong), Err(KeyIdError::Form), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,60}|(SN|sn)=[0-9a-fx]{0,30},(CA|ca)=\\PC{0,30}") {
            let _ = KeyId::parse(&text);
        }

        #[test]
        fn decimal_equals_hexadecimal(number in proptest::num::u128::ANY) {
            let (serial, hexadecimal) = (number.to_be_bytes(), format!("{number:x}"));
            proptest::prop_assert!(same_serial(&hexadecimal, &serial, false));
            proptest::prop_assert!(same_serial(&number.to_string(), &serial, true));
        }
    }
}
