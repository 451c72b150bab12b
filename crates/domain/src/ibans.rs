//! International bank account numbers (ISO 13616).

use serde::{Deserialize, Serialize};

/// A valid IBAN in its electronic form: no blanks, upper case, right length and check digits for its country. What
/// is stored was checked before; what callers send goes through [`Iban::parse`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Iban(String);

/// A text is no IBAN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid iban: {0}")]
pub struct IbanError(pub String);

impl Iban {
    /// Reads an IBAN; blanks and lower case are taken.
    ///
    /// # Errors
    /// [`IbanError`] with the text, shortened.
    pub fn parse(text: &str) -> Result<Self, IbanError> {
        let error = || IbanError(text.chars().take(40).collect());
        if text.len() > 64 {
            return Err(error());
        }
        let electronic: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
        match electronic.parse::<iban::Iban>() {
            Ok(_) => Ok(Self(electronic)),
            Err(_) => Err(error()),
        }
    }

    /// Takes an IBAN that was checked before it was stored.
    pub fn from_stored(electronic: String) -> Self {
        Self(electronic)
    }

    /// The IBAN of an account number as its country writes it, with the check digits that make it valid. Absent
    /// if the country has no IBANs or other ones.
    pub fn from_account_number(country: &str, bban: &str) -> Option<Self> {
        (2..=98).find_map(|check| Self::parse(&format!("{country}{check:02}{bban}")).ok())
    }

    /// The electronic form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In groups of four, as people read it.
    pub fn grouped(&self) -> String {
        let groups: Vec<String> =
            self.0.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
        groups.join(" ")
    }

    /// Sort code and account number of a British account.
    pub fn sort_code_and_account_number(&self) -> Option<(&str, &str)> {
        let digits = self.0.strip_prefix("GB")?;
        Some((digits.get(6..12)?, digits.get(12..)?))
    }
}

/// Masked: logs never hold an IBAN.
impl std::fmt::Debug for Iban {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = self.0.len().saturating_sub(3);
        write!(f, "{}…{}", self.0.get(..4).unwrap_or_default(), self.0.get(end..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read() {
        for text in ["NL91ABNA0417164300", "nl91 abna 0417 1643 00", "GB82WEST12345698765432"] {
            assert!(Iban::parse(text).is_ok(), "{text}");
        }
        let iban = Iban::parse("nl91abna0417164300").unwrap();
        assert_eq!(iban.grouped(), "NL91 ABNA 0417 1643 00");
        assert_eq!(format!("{iban:?}"), "NL91…300");
        assert_eq!(iban.sort_code_and_account_number(), None);
        let british = Iban::parse("GB82WEST12345698765432").unwrap();
        assert_eq!(british.sort_code_and_account_number(), Some(("123456", "98765432")));
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_text() {
        for wrong in ["", "NL91ABNA0417164301", "NL91ABNA041716430", "XX00", "ÄL91ABNA0417164300"] {
            assert_eq!(Iban::parse(wrong), Err(IbanError(wrong.into())), "{wrong}");
        }
        assert!(Iban::parse(&"1".repeat(100)).is_err());
    }

    #[test]
    fn check_digits_are_found() {
        let iban = Iban::from_account_number("NL", "ABNA0417164300").unwrap();
        assert_eq!(iban.as_str(), "NL91ABNA0417164300");
        assert_eq!(Iban::from_account_number("NL", "1"), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}|[A-Za-z]{2}[0-9]{2}[A-Za-z0-9 ]{0,30}") {
            if let Ok(iban) = Iban::parse(&text) {
                proptest::prop_assert_eq!(Iban::parse(&iban.grouped()), Ok(iban.clone()));
                let _ = iban.sort_code_and_account_number();
            }
        }
    }
}
