//! International bank account numbers (ISO 13616).

use serde::{Deserialize, Serialize};

/// A valid IBAN in its electronic form: no blanks, upper case, right length and check digits for its country. What
/// is stored was checked before; what callers send goes through [`Iban::parse`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Iban(String);

/// Characters of an IBAN by country (registry of ISO 13616).
const LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 \
    EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 \
    KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PL28 \
    PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 \
    VG24 XK20 YE30";

/// Why a text is no IBAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Form,
    Characters,
    Country,
    Length(&'static str),
    CheckDigits,
    Structure,
}

/// A text is no IBAN. `Display` says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IbanError {
    /// The text, shortened.
    text: String,
    fault: Fault,
}

impl std::error::Error for IbanError {}

impl std::fmt::Display for IbanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Invalid iban: {}", self.text)?;
        match self.fault {
            Fault::Form => f.write_str(" (it begins with a country and two check digits, for example NL91)"),
            Fault::Characters => f.write_str(" (it has letters and digits alone)"),
            Fault::Country => f.write_str(" (its country has no IBANs)"),
            Fault::Length(length) => {
                write!(f, " (those of its country have {length} characters)")
            }
            Fault::CheckDigits => f.write_str(" (its check digits do not fit: a character is wrong)"),
            Fault::Structure => f.write_str(" (it has letters where its country has digits, or the reverse)"),
        }
    }
}

impl IbanError {
    fn of(text: &str, electronic: &str) -> Self {
        let (country, check) = (electronic.get(..2), electronic.get(2..4));
        let length = country.and_then(|country| LENGTHS.split(' ').find_map(|one| one.strip_prefix(country)));
        let begins = country.is_some_and(|country| country.bytes().all(|b| b.is_ascii_uppercase()))
            && check.is_some_and(|check| check.bytes().all(|b| b.is_ascii_digit()));
        let fault = match length {
            _ if !electronic.bytes().all(|b| b.is_ascii_alphanumeric()) => Fault::Characters,
            _ if !begins => Fault::Form,
            None => Fault::Country,
            Some(length) if length.parse() != Ok(electronic.len()) => Fault::Length(length),
            Some(_) => match electronic.parse::<iban::Iban>() {
                Err(iban::ParseIbanError::InvalidBaseIban { .. }) => Fault::CheckDigits,
                _ => Fault::Structure,
            },
        };
        Self { text: text.chars().take(40).collect(), fault }
    }
}

impl Iban {
    /// Reads an IBAN; blanks and lower case are taken.
    ///
    /// # Errors
    /// [`IbanError`]
    pub fn parse(text: &str) -> Result<Self, IbanError> {
        let electronic: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
        if text.len() <= 64 && electronic.parse::<iban::Iban>().is_ok() {
            return Ok(Self(electronic));
        }
        Err(IbanError::of(text, &electronic))
    }

    /// Whether somebody who was asked for something else wrote an account number, with a mistake or not: blanks, full stops and
    /// hyphens may stand in it. Small letters are in many ids, so that an account number written with them is known by its check
    /// digits alone.
    pub fn is_meant(text: &str) -> bool {
        let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != '.' && *c != '-').collect();
        match Self::parse(&plain) {
            Ok(_) => true,
            Err(error) => {
                matches!(error.fault, Fault::CheckDigits | Fault::Structure)
                    && !plain.bytes().any(|octet| octet.is_ascii_lowercase())
            }
        }
    }

    /// Takes an IBAN that was checked before it was stored.
    pub fn from_stored(electronic: String) -> Self {
        Self(electronic)
    }

    /// The IBAN of an account number as its country writes it, with the check digits that make it valid. Absent
    /// if the country has no IBANs or other ones.
    pub fn from_account_number(country: &str, bban: &str) -> Option<Self> {
        let check = 98 - remainder(&format!("{bban}{country}00"))?;
        Self::parse(&format!("{country}{check:02}{bban}")).ok()
    }

    /// Whether there are account numbers of a country that have this behind their check digits: what is left is filled up with digits,
    /// and with letters where some countries have them at the end.
    pub fn can_begin(country: &str, bank_code: &str) -> bool {
        let length = LENGTHS.split(' ').find_map(|one| one.strip_prefix(country)?.parse::<usize>().ok());
        let Some(rest) = length.and_then(|length| length.checked_sub(4 + bank_code.len())) else {
            return false;
        };
        (0..=rest.min(3)).any(|letters| {
            let filled = format!("{bank_code}{}{}", "0".repeat(rest - letters), "A".repeat(letters));
            Self::from_account_number(country, &filled).is_some()
        })
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

/// The remainder of division by 97, with letters as 10 to 35 (ISO 7064, MOD 97-10); `None` with another character.
fn remainder(text: &str) -> Option<u32> {
    text.chars().try_fold(0, |so_far, character| {
        let value = character.to_digit(36)?;
        Some((so_far * if value < 10 { 10 } else { 100 } + value) % 97)
    })
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
        for (wrong, why) in [
            ("", "it begins with a country and two check digits, for example NL91"),
            ("9191ABNA0417164300", "it begins with a country and two check digits, for example NL91"),
            ("NL91ABNA0417164301", "its check digits do not fit: a character is wrong"),
            ("NL91ABNA041716430", "those of its country have 18 characters"),
            ("nl91 abna 0417 1643 000", "those of its country have 18 characters"),
            ("XX00", "its country has no IBANs"),
            ("NL15ABNAABNA164300", "it has letters where its country has digits, or the reverse"),
            ("NL91-ABNA-0417-1643-00", "it has letters and digits alone"),
            ("ÄL91ABNA0417164300", "it has letters and digits alone"),
        ] {
            let said = Iban::parse(wrong).unwrap_err().to_string();
            assert_eq!(said, format!("Invalid iban: {wrong} ({why})"));
        }
        let long = Iban::parse(&"1".repeat(100)).unwrap_err().to_string();
        assert!(long.starts_with(&format!("Invalid iban: {} (", "1".repeat(40))), "{long}");
    }

    #[test]
    fn account_numbers_are_told_from_ids() {
        for number in [
            "NL91ABNA0417164300",
            "nl91 abna 0417 1643 00",
            "NL91-ABNA-0417.1643.00",
            "NL92ABNA0417164300",
            "DE89ABNA044053201300XX",
        ] {
            assert!(Iban::is_meant(number), "{number}");
        }
        for id in [
            "C1000001",
            "NL91",
            "NL",
            "",
            "019bf2a4-8f5c-7d2e-9d63-2f1d8c1f0a11",
            "be12f0a3b4c5d6e7",
            "NL91ABNA04171643",
        ] {
            assert!(!Iban::is_meant(id), "{id}");
        }
    }

    #[test]
    fn bank_codes_are_those_of_their_country() {
        for right in [
            "NLTRIO",
            "BE999",
            "GBVSTB",
            "GB VSTB401234",
            "DE70051540",
            "MTMALT01100",
            "MUBOMM",
            "BR00360305",
            "FR30006",
        ] {
            let right = right.replace(' ', "");
            assert!(Iban::can_begin(&right[..2], &right[2..]), "{right}");
        }
        for wrong in ["NL69VSTB", "NLBUN", "XXBUNQ", "DEBUNQ", "NLBUNQ00000000000", "USBUNQ", "BEX99"] {
            assert!(!Iban::can_begin(&wrong[..2], &wrong[2..]), "{wrong}");
        }
        // Each country has some.
        for country in LENGTHS.split(' ') {
            let codes = ["0", "A", "A0", "AA", "AAAA"];
            assert!(codes.iter().any(|code| Iban::can_begin(&country[..2], code)), "{country}");
        }
    }

    #[test]
    fn check_digits_are_found() {
        let iban = Iban::from_account_number("NL", "ABNA0417164300").unwrap();
        assert_eq!(iban.as_str(), "NL91ABNA0417164300");
        for (country, bban) in [
            ("GB", "WEST12345698765432"),
            ("DE", "370400440532013000"),
            ("MT", "MALT011000012345MTLCAST001S"),
        ] {
            let iban = Iban::from_account_number(country, bban).unwrap();
            assert!(Iban::parse(iban.as_str()).is_ok(), "{iban:?}");
        }
        for (country, bban) in
            [("NL", "1"), ("NL", "ABNA-417164300"), ("XX", "ABNA0417164300"), ("N", "LABNA0417164300")]
        {
            assert_eq!(Iban::from_account_number(country, bban), None, "{country}{bban}");
        }
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
