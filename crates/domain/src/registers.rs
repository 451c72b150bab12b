//! Registers of payment institutions, European and national: whether a third party is still authorised, and which services it may
//! offer in which country (its passport). A certificate says what held when it was issued; a register, what holds today.
//!
//! A register is extra care and has no legal weight by itself: the certificate is the primary means, and whoever is not found in it
//! is let in unless the bank wants it otherwise.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use eidas::{AuthorizationNumber, OrganizationIdentifier, Role};
use jiff::{SignedDuration, Timestamp};

use crate::TppId;
use crate::standing::StandingRefusal;

/// How old what a register says may be: what is older is not looked at.
pub const OLDEST_REGISTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Third parties and certificates that the bank's staff stopped: each stands alone on a line, and what stands behind a # is for
/// people. A third party is compared as it is written, and an authority may give any number: so that a slip of the pen is not taken for
/// one, capital letters, digits and . - / : stand as they are, and an identifier with anything else stands in quotation marks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StopList {
    third_parties: HashSet<TppId>,
    /// By their fingerprint: SHA-256 in lower-case hexadecimal.
    certificates: HashSet<String>,
}

/// A line of a stop list would stop nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopListError {
    /// The line of this number is neither.
    #[error(
        "line {0} is neither an organizationIdentifier, such as PSDNL-DNB-R123456, nor the SHA-256 fingerprint of a certificate in \
         hexadecimal"
    )]
    Neither(usize),
    /// The line of this number begins as an identifier does, and has what those seldom have.
    #[error(
        "line {0} is more than an organizationIdentifier, or has small letters: write each alone on a line as in PSDNL-DNB-R123456, \
         and what is for people behind a #; an identifier whose number has small letters, spaces or other signs stands in quotation \
         marks"
    )]
    More(usize),
}

impl StopList {
    /// Reads one.
    ///
    /// # Errors
    /// [`StopListError`]
    pub fn parse(text: &str) -> Result<Self, StopListError> {
        let mut list = Self::default();
        for (number, line) in text.lines().enumerate() {
            let said = line.split('#').next().unwrap_or_default().trim();
            let plain = said.replace(':', "").to_ascii_lowercase();
            let quoted = said.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let identifier = quoted.unwrap_or(said);
            if said.is_empty() {
                continue;
            } else if plain.len() == 64 && plain.bytes().all(|octet| octet.is_ascii_hexdigit()) {
                list.certificates.insert(plain);
            } else if OrganizationIdentifier::parse(identifier).is_err() {
                return Err(StopListError::Neither(number + 1));
            } else if quoted.is_none() && !is_plain(said) {
                return Err(StopListError::More(number + 1));
            } else {
                list.third_parties.insert(TppId::new(identifier));
            }
        }
        Ok(list)
    }

    /// Whether nobody is on it.
    pub fn is_empty(&self) -> bool {
        self.third_parties.is_empty() && self.certificates.is_empty()
    }

    /// Whether somebody may go on who acts on the word of a certificate, as far as that is known.
    ///
    /// # Errors
    /// [`StandingRefusal::Stopped`]
    pub fn check(&self, tpp: &TppId, fingerprint: Option<&str>) -> Result<(), StandingRefusal> {
        let is_stopped = self.third_parties.contains(tpp)
            || fingerprint.is_some_and(|fingerprint| self.certificates.contains(fingerprint));
        if is_stopped { Err(StandingRefusal::Stopped(tpp.clone())) } else { Ok(()) }
    }
}

/// Whether an identifier has nothing in it that points to a slip of the pen.
fn is_plain(identifier: &str) -> bool {
    let is_sign = |octet: u8| octet.is_ascii_uppercase() || octet.is_ascii_digit();
    identifier.bytes().all(|octet| is_sign(octet) || b".-/:".contains(&octet))
        && identifier.bytes().next_back().is_some_and(is_sign)
}

/// Whether an institution is authorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterStatus {
    /// It is.
    Active,
    /// It was once.
    Withdrawn,
    /// The register does not say.
    Unknown,
}

/// What a register says about an institution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterEntry {
    /// Whether it is authorised.
    pub status: RegisterStatus,
    /// The country of its authority.
    pub home: String,
    /// What it may do, by country.
    pub services: BTreeMap<String, BTreeSet<Role>>,
}

/// What is asked about a third party.
#[derive(Debug, Clone, Copy)]
pub struct RegisterQuestion<'q> {
    /// Who it is.
    pub tpp: &'q TppId,
    /// Of which services it has to be allowed one; none if any will do.
    pub roles: &'q [Role],
    /// In which country.
    pub country: &'q str,
}

impl RegisterEntry {
    /// Checks that the institution is authorised, and for one of the services in the country, by a register of a moment. Where
    /// nothing is listed for the country of its own authority, the certificate's roles hold there.
    ///
    /// # Errors
    /// [`StandingRefusal::Withdrawn`], [`StandingRefusal::ServiceNotRegistered`]
    pub fn check(&self, question: RegisterQuestion<'_>, as_of: Timestamp) -> Result<(), StandingRefusal> {
        let RegisterQuestion { tpp, roles, country } = question;
        if self.status == RegisterStatus::Withdrawn {
            return Err(StandingRefusal::Withdrawn { tpp: tpp.clone(), as_of });
        }
        let offers = match self.services.get(country) {
            Some(services) if roles.is_empty() => !services.is_empty(),
            Some(services) => roles.iter().any(|role| services.contains(role)),
            None => self.home == country,
        };
        if offers {
            return Ok(());
        }
        let (tpp, country) = (tpp.clone(), country.to_owned());
        Err(StandingRefusal::ServiceNotRegistered { tpp, needed: roles.to_vec(), country, as_of })
    }
}

/// A register, or a part of it, as it was at a moment.
#[derive(Debug, Clone)]
pub struct RegisterCopy {
    as_of: Timestamp,
    /// By authority and number as they are written.
    exact: HashMap<(String, String), Found>,
    /// By authority and number without what some write and others do not.
    loose: HashMap<(String, String), Found>,
    entries: Vec<RegisterEntry>,
}

/// The entry under a number, if it is the only one.
#[derive(Debug, Clone, Copy)]
enum Found {
    One(usize),
    Several,
}

impl RegisterCopy {
    /// Of entries by the authority's identifier and the number that it gave.
    pub fn new(as_of: Timestamp, all: Vec<(String, String, RegisterEntry)>) -> Self {
        let mut copy = Self {
            as_of,
            exact: HashMap::new(),
            loose: HashMap::new(),
            entries: Vec::with_capacity(all.len()),
        };
        for (authority, number, entry) in all {
            let (authority, at) = (eidas::authority::normal(&authority), copy.entries.len());
            let loose = loosened(&number);
            for (map, number) in [(&mut copy.exact, number), (&mut copy.loose, loose)] {
                map.entry((authority.clone(), number))
                    .and_modify(|found| *found = Found::Several)
                    .or_insert(Found::One(at));
            }
            copy.entries.push(entry);
        }
        copy
    }

    /// Of when it is.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// How many institutions are in it.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The institution with this number, if there is one and not several.
    pub fn find(&self, number: &AuthorizationNumber) -> Option<&RegisterEntry> {
        let authority = eidas::authority::normal(&number.nca_id());
        let key = (authority, number.number.clone());
        let found = self.exact.get(&key).or_else(|| self.loose.get(&(key.0, loosened(&number.number))));
        match found {
            Some(Found::One(at)) => self.entries.get(*at),
            Some(Found::Several) | None => None,
        }
    }
}

/// A number without separators and leading zeros.
fn loosened(number: &str) -> String {
    let plain: String = number.chars().filter(|c| ![' ', '.', '-', '/'].contains(c)).collect();
    plain.trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AI: Role = Role::AccountInformation;
    const PI: Role = Role::PaymentInitiation;

    fn passported(services: &[(&str, &[Role])]) -> RegisterEntry {
        let services =
            services.iter().map(|(country, roles)| ((*country).to_owned(), roles.iter().copied().collect()));
        RegisterEntry { status: RegisterStatus::Active, home: "NL".to_owned(), services: services.collect() }
    }

    #[test]
    fn a_passport_is_by_service_and_country() {
        let tpp = TppId::new("PSDNL-DNB-1");
        let code = |entry: &RegisterEntry, roles: &[Role], country: &str| {
            let question = RegisterQuestion { tpp: &tpp, roles, country };
            entry.check(question, Timestamp::UNIX_EPOCH).map_err(|refusal| refusal.code())
        };
        let abroad = passported(&[("DE", &[AI]), ("BE", &[])]);
        for (roles, country, expected) in [
            (&[AI][..], "DE", Ok(())),
            (&[AI, PI], "DE", Ok(())),
            (&[PI], "DE", Err("ROLE_INVALID")),
            (&[AI], "BE", Err("ROLE_INVALID")),
            (&[AI], "GB", Err("ROLE_INVALID")),
            (&[], "GB", Err("ROLE_INVALID")),
            (&[], "DE", Ok(())),
            (&[], "BE", Err("ROLE_INVALID")),
            // Nothing is listed for its own country.
            (&[PI], "NL", Ok(())),
        ] {
            assert_eq!(code(&abroad, roles, country), expected, "{roles:?} {country}");
        }
        let at_home = passported(&[("NL", &[PI])]);
        assert_eq!(code(&at_home, &[AI], "NL"), Err("ROLE_INVALID"));
        let withdrawn = RegisterEntry { status: RegisterStatus::Withdrawn, ..at_home };
        assert_eq!(code(&withdrawn, &[PI], "NL"), Err("CERTIFICATE_BLOCKED"));
    }

    #[test]
    fn a_stop_list_names_third_parties_and_certificates() {
        let fingerprint = "ab".repeat(32);
        let text = format!("# stopped\n\n PSDNL-DNB-1 # insolvent\n{}\n", fingerprint.to_uppercase());
        let list = StopList::parse(&text).unwrap();
        let is_stopped = |tpp: &str, fingerprint| list.check(&TppId::new(tpp), fingerprint).is_err();
        assert!(is_stopped("PSDNL-DNB-1", None) && is_stopped("PSDNL-DNB-2", Some(&*fingerprint)));
        assert!(!list.is_empty() && StopList::parse("# nobody\n").unwrap().is_empty());
        assert!(!is_stopped("PSDNL-DNB-2", None) && !is_stopped("PSDNL-DNB-2", Some("00")));
        for (wrong, line) in [
            ("DNB-1", 1),
            ("PSDNL-DNB-1\nab12", 2),
            ("PSDNL-DNB-1, PSDNL-DNB-2,x\u{0}", 1),
            ("psdnl-dnb-1", 1),
            ("\"PSDNL-DNB-1", 1),
            ("\"\"", 1),
        ] {
            assert_eq!(StopList::parse(wrong), Err(StopListError::Neither(line)), "{wrong}");
        }
    }

    #[test]
    fn a_line_of_a_stop_list_that_would_stop_nobody_is_refused() {
        for wrong in [
            "PSDNL-DNB-R654321 stopped by Jane",
            "PSDNL-DNB-R654321, PSDNL-DNB-R2",
            "PSDNL-DNB-R654321;",
            "PSDNL-DNB-R654321.",
            "PSDNL-DNB-r654321",
            "VATNL-1 // insolvent",
        ] {
            assert_eq!(
                StopList::parse(&format!("# stopped\n{wrong}")),
                Err(StopListError::More(2)),
                "{wrong}"
            );
        }
        // Whoever has such a number is stopped all the same.
        for right in ["PSDBE-NBB-1234.567.890", "PSDFI-FINFSA-1234567-8", "HR:HR-77", "PSDNL-DNB-12/3"] {
            let list = StopList::parse(right).unwrap();
            assert!(list.check(&TppId::new(right), None).is_err(), "{right}");
        }
        let list = StopList::parse("\"PSDMT-MFSA-A 12345\" # by us\n\"PSDNL-DNB-r1.\"").unwrap();
        for id in ["PSDMT-MFSA-A 12345", "PSDNL-DNB-r1."] {
            assert!(list.check(&TppId::new(id), None).is_err(), "{id}");
        }
    }

    #[test]
    fn numbers_are_found_as_they_are_written_and_then_without_separators() {
        let named = |authority: &str, number: &str, country: &str| {
            let entry = RegisterEntry { home: country.to_owned(), ..passported(&[]) };
            (authority.to_owned(), number.to_owned(), entry)
        };
        let copy = RegisterCopy::new(
            Timestamp::UNIX_EPOCH,
            vec![
                named("NL_DNB", "R123456", "exact"),
                named("NL_DNB", "R-123456", "other spelling"),
                named("DE_BAFIN", "0012 34/5", "zeros"),
                named("FI_FIN-FSA", "7", "alias"),
                named("BE_NBB", "12.3", "one"),
                named("BE_NBB", "12-3", "two"),
                named("FR_ACPR", "9", "twice"),
                named("FR_ACPR", "9", "twice"),
            ],
        );
        for (id, expected) in [
            ("PSDNL-DNB-R123456", Some("exact")),
            ("PSDNL-DNB-R-123456", Some("other spelling")),
            ("PSDNL-DNB-R123-456", None),
            ("PSDDE-BAFIN-12345", Some("zeros")),
            ("PSDNL-BAFIN-12345", None),
            ("PSDFI-FINFSA-7", Some("alias")),
            ("PSDBE-NBB-12.3", Some("one")),
            ("PSDBE-NBB-123", None),
            ("PSDFR-ACPR-9", None),
        ] {
            let id = OrganizationIdentifier::parse(id).unwrap();
            let found = copy.find(id.authorization_number().unwrap());
            assert_eq!(found.map(|entry| entry.home.as_str()), expected, "{id}");
        }
        assert_eq!((copy.len(), copy.is_empty()), (8, false));
    }
}
