//! The subject attribute organizationIdentifier and the authorisation number inside it
//! (ETSI TS 119 495, 5.2.1; EN 319 412-1, 5.1.4).
//!
//! The text itself is the identity of an organisation: it is compared byte for byte and never normalised.

use crate::country;

/// Longest identifier taken, in bytes. The standards set no limit; subjects in the field stay below 100.
const MAX_BYTES: usize = 256;

/// An organizationIdentifier that follows the grammar of EN 319 412-1, 5.1.4.
///
/// ```
/// use eidas::{OrganizationIdentifier, Scheme};
///
/// let identifier = OrganizationIdentifier::parse("VATEL-123456789")?;
/// assert!(matches!(identifier.scheme(), Scheme::Vat { country, .. } if country == "EL"));
/// assert!(identifier.authorization_number().is_none());
/// # Ok::<(), eidas::OrganizationIdentifierError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrganizationIdentifier {
    text: String,
    scheme: Scheme,
}

/// Which register the identifier comes from.
///
/// ```
/// use eidas::{OrganizationIdentifier, Scheme};
///
/// let identifier = OrganizationIdentifier::parse("NTRNL-30124")?;
/// assert_eq!(identifier.scheme(), &Scheme::Ntr { country: "NL".to_owned(), number: "30124".to_owned() });
/// # Ok::<(), eidas::OrganizationIdentifierError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `PSD`: the authorisation number given by a competent authority.
    Psd(AuthorizationNumber),
    /// `VAT`: a value added tax number.
    Vat {
        /// Country code; `EL` (Greece) and `XI` (Northern Ireland) are allowed here.
        country: String,
        /// The number as the register writes it.
        number: String,
    },
    /// `NTR`: a number of a national trade register.
    Ntr {
        /// ISO 3166-1 country code.
        country: String,
        /// The number as the register writes it.
        number: String,
    },
    /// `LEI`: a legal entity identifier (ISO 17442), 20 characters with correct check digits.
    Lei(String),
    /// Two letters and a colon: a scheme that only one country knows.
    National {
        /// The two letters.
        scheme: String,
        /// ISO 3166-1 country code.
        country: String,
        /// The number as the register writes it.
        number: String,
    },
}

/// The authorisation number of a payment service provider.
///
/// ```
/// let identifier = eidas::OrganizationIdentifier::parse("PSDDE-BAFIN-1234.5-6")?;
/// let number = identifier.authorization_number().unwrap();
/// assert_eq!((number.nca_id().as_str(), number.number.as_str()), ("DE-BAFIN", "1234.5-6"));
/// # Ok::<(), eidas::OrganizationIdentifierError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuthorizationNumber {
    /// Country of the competent authority, two upper-case letters.
    pub country: String,
    /// The authority's short name, 2 to 8 upper-case letters, for example `BAFIN`.
    pub authority: String,
    /// The provider's number as the authority writes it: any characters.
    pub number: String,
}

impl AuthorizationNumber {
    /// The authority's identifier in the form of the PSD2 statement, for example `DE-BAFIN`.
    pub fn nca_id(&self) -> String {
        format!("{}-{}", self.country, self.authority)
    }
}

/// The rule of the grammar that an organizationIdentifier breaks.
///
/// ```
/// use eidas::{OrganizationIdentifier, OrganizationIdentifierError};
///
/// assert_eq!(OrganizationIdentifier::parse(""), Err(OrganizationIdentifierError::Empty));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrganizationIdentifierError {
    /// Nothing is there.
    #[error("it is empty; expected for example PSDNL-DNB-R123456")]
    Empty,
    /// Longer than 256 bytes.
    #[error("it is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// A control character, direction mark or character without width, which no register writes.
    #[error("it contains a control character or one that cannot be seen")]
    ControlCharacter,
    /// The first letters name no known scheme.
    #[error("it must begin with PSD, VAT, NTR or LEI, or with two letters and a colon (EN 319 412-1, 5.1.4)")]
    UnknownScheme,
    /// Not two upper-case letters followed by a hyphen where the country stands.
    #[error("after {0} comes the country, two upper-case letters, then a hyphen (TS 119 495, 5.2.1)")]
    Country(String),
    /// The country code is not assigned by ISO 3166-1.
    #[error("country {0} is not assigned by ISO 3166-1")]
    CountryNotAssigned(String),
    /// The authority is not 2 to 8 upper-case letters followed by a hyphen.
    #[error(
        "the competent authority must be 2 to 8 upper-case letters followed by a hyphen, got \"{0}\" (TS 119 495, 5.2.1)"
    )]
    Authority(String),
    /// Nothing after the last hyphen.
    #[error("the number after the last hyphen is missing (TS 119 495, 5.2.1)")]
    NumberMissing,
    /// Not 20 upper-case letters and digits, or wrong check digits.
    #[error("a legal entity identifier is LEIXG- and 20 characters with ISO 17442 check digits")]
    Lei,
}

impl OrganizationIdentifier {
    /// Reads an identifier by the grammar. Whether the country exists is a question of its own, see
    /// [`Self::check_country`]: sandboxes hand out numbers of authorities that do not exist.
    ///
    /// # Errors
    /// The first rule of the grammar that is broken.
    pub fn parse(text: &str) -> Result<Self, OrganizationIdentifierError> {
        use OrganizationIdentifierError as E;
        if text.is_empty() {
            return Err(E::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(E::TooLong);
        }
        if text.contains(crate::name::is_hidden) {
            return Err(E::ControlCharacter);
        }
        let scheme = match (text.get(..3), text.get(3..)) {
            (Some("PSD"), Some(rest)) => parse_psd(rest)?,
            (Some("VAT"), Some(rest)) => {
                let (country, number) = country_and_number("VAT", rest)?;
                Scheme::Vat { country, number }
            }
            (Some("NTR"), Some(rest)) => {
                let (country, number) = country_and_number("NTR", rest)?;
                Scheme::Ntr { country, number }
            }
            (Some("LEI"), Some(rest)) => parse_lei(rest)?,
            (Some(start), Some(rest)) if is_national(start) => {
                let (country, number) = country_and_number(start, rest)?;
                Scheme::National { scheme: start[..2].to_owned(), country, number }
            }
            _ => return Err(E::UnknownScheme),
        };
        Ok(Self { text: text.to_owned(), scheme })
    }

    /// The identifier as written; this is what is stored and compared.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The register and the parts.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The authorisation number, if the identifier is in PSD form.
    pub fn authorization_number(&self) -> Option<&AuthorizationNumber> {
        match &self.scheme {
            Scheme::Psd(number) => Some(number),
            _ => None,
        }
    }

    /// Checks that the country is assigned by ISO 3166-1, or one of the transnational codes that
    /// EN 319 412-1, 5.1.4 allows.
    ///
    /// # Errors
    /// [`OrganizationIdentifierError::CountryNotAssigned`]
    pub fn check_country(&self) -> Result<(), OrganizationIdentifierError> {
        let (country, also): (&str, &[&str]) = match &self.scheme {
            Scheme::Psd(number) => (&number.country, &["EU", "EZ", "UN", "SU"]),
            Scheme::Vat { country, .. } => (country, &["EL", "XI", "EU", "EZ", "UN", "SU"]),
            Scheme::Ntr { country, .. } | Scheme::National { country, .. } => {
                (country, &["EU", "EZ", "UN", "SU"])
            }
            Scheme::Lei(_) => return Ok(()),
        };
        if country::is_assigned(country) || also.contains(&country) {
            Ok(())
        } else {
            Err(OrganizationIdentifierError::CountryNotAssigned(country.to_owned()))
        }
    }
}

impl std::fmt::Display for OrganizationIdentifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn parse_psd(rest: &str) -> Result<Scheme, OrganizationIdentifierError> {
    use OrganizationIdentifierError as E;
    let (country, rest) = split_country("PSD", rest)?;
    // Split at the first hyphen only: the provider's number may contain more of them.
    let Some((authority, number)) = rest.split_once('-') else {
        return Err(E::Authority(rest.to_owned()));
    };
    if !(2..=8).contains(&authority.len()) || !authority.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(E::Authority(authority.to_owned()));
    }
    if number.is_empty() {
        return Err(E::NumberMissing);
    }
    Ok(Scheme::Psd(AuthorizationNumber {
        country: country.to_owned(),
        authority: authority.to_owned(),
        number: number.to_owned(),
    }))
}

fn parse_lei(rest: &str) -> Result<Scheme, OrganizationIdentifierError> {
    let Some(lei) = rest.strip_prefix("XG-") else {
        return Err(OrganizationIdentifierError::Lei);
    };
    let form = lei.len() == 20
        && lei.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && lei[18..].bytes().all(|b| b.is_ascii_digit());
    if !form || mod_97(lei) != 1 {
        return Err(OrganizationIdentifierError::Lei);
    }
    Ok(Scheme::Lei(lei.to_owned()))
}

fn country_and_number(start: &str, rest: &str) -> Result<(String, String), OrganizationIdentifierError> {
    let (country, number) = split_country(start, rest)?;
    if number.is_empty() {
        return Err(OrganizationIdentifierError::NumberMissing);
    }
    Ok((country.to_owned(), number.to_owned()))
}

fn split_country<'t>(start: &str, rest: &'t str) -> Result<(&'t str, &'t str), OrganizationIdentifierError> {
    match (rest.get(..2), rest.get(2..).and_then(|rest| rest.strip_prefix('-'))) {
        (Some(country), Some(rest)) if country.bytes().all(|b| b.is_ascii_uppercase()) => Ok((country, rest)),
        _ => Err(OrganizationIdentifierError::Country(start.to_owned())),
    }
}

fn is_national(start: &str) -> bool {
    let bytes = start.as_bytes();
    bytes.len() == 3 && bytes[2] == b':' && bytes[..2].iter().all(u8::is_ascii_uppercase)
}

/// ISO 7064 MOD 97-10 over digits and letters, a letter counting as its two-digit number (A = 10).
fn mod_97(text: &str) -> u32 {
    text.bytes().fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn psd(text: &str) -> AuthorizationNumber {
        OrganizationIdentifier::parse(text).unwrap().authorization_number().unwrap().clone()
    }

    #[test]
    fn reads_psd_identifiers_as_the_standard_writes_them() {
        for (text, nca, number) in [
            ("PSDDE-BAFIN-123456", "DE-BAFIN", "123456"),
            ("PSDPL-PFSA-1234567890", "PL-PFSA", "1234567890"),
            ("PSDES-BDE-3DFD21", "ES-BDE", "3DFD21"),
            ("PSDBE-NBB-1234.567.890", "BE-NBB", "1234.567.890"),
            ("PSDFI-FINFSA-1234567-8", "FI-FINFSA", "1234567-8"),
            ("PSDMT-MFSA-A 12345", "MT-MFSA", "A 12345"),
            ("PSDFI-FIN-FSA-1234567-8", "FI-FIN", "FSA-1234567-8"),
            ("PSDGO-BES-WGXZKBYE", "GO-BES", "WGXZKBYE"),
        ] {
            let parsed = psd(text);
            assert_eq!((parsed.nca_id().as_str(), parsed.number.as_str()), (nca, number));
        }
    }

    #[test]
    fn reads_the_other_schemes() {
        for text in
            ["VATDE-123456789", "NTRFR-552120222", "LEIXG-5493001KJTIIGC8Y1R12", "HR:HR-77", "VATEL-1"]
        {
            let parsed = OrganizationIdentifier::parse(text).unwrap();
            assert_eq!(parsed.as_str(), text);
            assert!(parsed.authorization_number().is_none() && parsed.check_country().is_ok(), "{text}");
        }
    }

    #[test]
    fn refuses_with_the_rule_that_is_broken() {
        use OrganizationIdentifierError as E;
        for (text, error) in [
            ("", E::Empty),
            ("PSDDE_BAFIN_123456", E::Country("PSD".into())),
            ("PSD-DE-BAFIN-123456", E::Country("PSD".into())),
            ("PSDde-BAFIN-1", E::Country("PSD".into())),
            ("PSDDEU-BAFIN-1", E::Country("PSD".into())),
            ("PSDDE-BaFin-123456", E::Authority("BaFin".into())),
            ("PSDDE-B-1", E::Authority("B".into())),
            ("PSDDE-ABCDEFGHI-1", E::Authority("ABCDEFGHI".into())),
            ("PSDDE-BAFIN", E::Authority("BAFIN".into())),
            ("PSDDE-BAFIN-", E::NumberMissing),
            ("DE-BAFIN-123456", E::UnknownScheme),
            ("PSÐDE-BAFIN-1", E::UnknownScheme),
            ("VATDE-", E::NumberMissing),
            ("LEIXG-5493001KJTIIGC8Y1R13", E::Lei),
            ("LEIDE-5493001KJTIIGC8Y1R12", E::Lei),
            ("PSDDE-BAFIN-1\n2", E::ControlCharacter),
            ("PSDDE-BAFIN-\u{202e}21", E::ControlCharacter),
        ] {
            assert_eq!(OrganizationIdentifier::parse(text), Err(error), "{text}");
        }
        let long = format!("PSDDE-BAFIN-{}", "1".repeat(MAX_BYTES));
        assert_eq!(OrganizationIdentifier::parse(&long), Err(E::TooLong));
    }

    #[test]
    fn a_country_that_does_not_exist_is_found_when_asked() {
        let unassigned = OrganizationIdentifier::parse("PSDXX-ABC-1").unwrap();
        assert_eq!(
            unassigned.check_country(),
            Err(OrganizationIdentifierError::CountryNotAssigned("XX".into()))
        );
        assert!(OrganizationIdentifier::parse("PSDEU-ECB-1").unwrap().check_country().is_ok());
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_keeps_the_text(text in "\\PC*|PSD[A-Z]{2}-[A-Z]{1,9}-.{0,20}") {
            if let Ok(parsed) = OrganizationIdentifier::parse(&text) {
                proptest::prop_assert_eq!(parsed.as_str(), text);
            }
        }

        #[test]
        fn reads_back_what_the_grammar_writes(country in "[A-Z]{2}", authority in "[A-Z]{2,8}", number in "[0-9A-Za-z ./-]{1,30}") {
            let text = format!("PSD{country}-{authority}-{number}");
            let parsed = psd(&text);
            proptest::prop_assert_eq!(parsed, AuthorizationNumber { country, authority, number });
        }
    }
}
