//! What keys can hold.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use eidas::country::is_assigned;
use eidas::{DistinguishedName, Spelling};
use gateway::domain::{Iban, Tenant};
use jiff::SignedDuration;
use toml::Spanned;
use toml::de::DeValue;
use url::{Host, Url};

use super::secrecy;
use super::section::{Fault, Place, Value};

/// The longest time that a key can say.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Reads a text.
pub(super) fn text<'a>(value: &'a Spanned<DeValue<'_>>, what: &str) -> Result<&'a str, Vec<Fault>> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text),
        _ => Err(Fault::at(value, format!("expected {what}, in quotation marks"))),
    }
}

/// Reads a text that becomes something.
pub(super) fn parsed<T>(
    value: &Spanned<DeValue<'_>>,
    what: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Vec<Fault>> {
    let text = text(value, what)?;
    parse(text).ok_or_else(|| {
        let shown = match secrecy::may_hold_a_secret(text) {
            true => secrecy::NOT_REPEATED.to_owned(),
            false => format!("\"{}\"", text.escape_debug()),
        };
        Fault::at(value, format!("{shown} is not {what}"))
    })
}

impl Value for String {
    fn what() -> String {
        "a text".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let fits = |text: &str| {
            (!text.trim().is_empty() && text.len() <= 100 && !text.chars().any(char::is_control))
                .then(|| text.to_owned())
        };
        parsed(value, "a text of 1 to 100 octets without control characters", fits)
    }
}

impl Value for bool {
    fn what() -> String {
        "true or false".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        match value.get_ref() {
            DeValue::Boolean(truth) => Ok(*truth),
            _ => Err(Fault::at(value, "expected true or false, without quotation marks")),
        }
    }
}

impl Value for SocketAddr {
    fn what() -> String {
        "an address of this machine with a port".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        parsed(value, "an address with a port, such as 127.0.0.1:8443 or [::]:8443", |text| text.parse().ok())
    }
}

impl Value for IpAddr {
    fn what() -> String {
        "an address without a port".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        parsed(value, "an address without a port, such as 192.0.2.10", |text| text.parse().ok())
    }
}

impl Value for Duration {
    fn what() -> String {
        "a time of at most an hour".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        parsed(value, "a time of at most an hour, such as 500ms, 5s or 2m", |text| {
            let time = Self::try_from(text.parse::<SignedDuration>().ok()?).ok()?;
            (time <= LONGEST).then_some(time)
        })
    }
}

/// How long something may take: longer than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline(pub(crate) Duration);

impl Value for Deadline {
    fn what() -> String {
        "a time longer than nothing and at most an hour".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        match Duration::read(value, place)? {
            Duration::ZERO => Err(Fault::at(value, "nothing can be done in no time; write for example 5s")),
            time => Ok(Self(time)),
        }
    }
}

impl Value for Tenant {
    fn what() -> String {
        "a name of a branch".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let name = text(value, "a name of a branch, such as nl")?;
        Self::parse(name).map_err(|error| Fault::at(value, error.to_string()))
    }
}

impl<V: Value> Value for Option<V> {
    const IS_SECRET: bool = V::IS_SECRET;

    fn what() -> String {
        V::what()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        V::read(value, place).map(Some)
    }

    fn read_file(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        V::read_file(value, place).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<V: Value> Value for Vec<V> {
    fn what() -> String {
        format!("a list, each {}", V::what())
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let DeValue::Array(elements) = value.get_ref() else {
            return Err(Fault::at(value, format!("expected {}, in square brackets", Self::what())));
        };
        let (mut all, mut faults) = (Self::new(), Vec::new());
        for element in elements {
            match V::read(element, place) {
                Ok(element) => all.push(element),
                Err(wrong) => faults.extend(wrong),
            }
        }
        if faults.is_empty() { Ok(all) } else { Err(faults) }
    }
}

/// Scheme, host and port under which others reach something, without anything behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(pub(crate) Url);

impl Origin {
    /// As it is written, without a trailing slash.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }
}

impl Value for Origin {
    fn what() -> String {
        "https:// with a host, a port if it is not 443, and nothing after it".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        parsed(value, &Self::what(), |text| {
            let url = Url::parse(text).ok()?;
            let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            let anonymous = url.username().is_empty() && url.password().is_none();
            (url.scheme() == "https" && url.has_host() && plain && anonymous).then_some(Self(url))
        })
    }
}

/// Where a service of staff's own answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceAddress(pub(crate) Url);

impl Value for ServiceAddress {
    fn what() -> String {
        "https:// with a host and a path, or http:// with an address of this machine".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        parsed(value, &Self::what(), |text| {
            let url = Url::parse(text).ok()?;
            let plain = url.query().is_none() && url.fragment().is_none();
            let anonymous = url.username().is_empty() && url.password().is_none();
            let is_own = match url.host()? {
                Host::Domain(name) => name == "localhost",
                Host::Ipv4(address) => address.is_loopback(),
                Host::Ipv6(address) => address.is_loopback(),
            };
            let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_own);
            (is_safe && plain && anonymous).then_some(Self(url))
        })
    }
}

/// A country as trusted lists write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListCountry(pub(crate) String);

impl Value for ListCountry {
    fn what() -> String {
        "a country of two capital letters, as trusted lists write it".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let what = "a country of two capital letters, such as NL, as trusted lists write it";
        let country = text(value, what)?;
        // Lists have codes of their own for two countries (TS 119 612, 5.3.10).
        let other = match country {
            "GR" => Some("EL"),
            "GB" => Some("UK"),
            _ => None,
        };
        if let Some(other) = other {
            return Err(Fault::at(
                value,
                format!("trusted lists write \"{other}\" for \"{country}\"; write that"),
            ));
        }
        let is_known = |text: &str| is_assigned(text) || matches!(text, "EL" | "UK");
        parsed(value, what, |text| is_known(text).then(|| Self(text.to_owned())))
    }
}

/// Where traces are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collector(pub(crate) Url);

impl Value for Collector {
    fn what() -> String {
        "http:// or https:// with a host and a path, without name, password or query".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        parsed(value, &Self::what(), |text| {
            let url = Url::parse(text).ok()?;
            let plain = url.query().is_none() && url.fragment().is_none();
            let anonymous = url.username().is_empty() && url.password().is_none();
            (matches!(url.scheme(), "http" | "https") && url.has_host() && plain && anonymous)
                .then_some(Self(url))
        })
    }
}

/// A part of a hundred, and not none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Percent(pub(crate) u8);

impl Value for Percent {
    fn what() -> String {
        "a whole number from 1 to 100".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let wrong = || Fault::at(value, format!("expected {}, without quotation marks", Self::what()));
        let Count(percent) = Count::read(value, place).map_err(|_| wrong())?;
        u8::try_from(percent).ok().filter(|percent| *percent <= 100).map(Self).ok_or_else(wrong)
    }
}

/// A file or folder. Paths begin at the folder of the configuration.
impl Value for PathBuf {
    fn what() -> String {
        "a path, which begins at the folder of this file".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let path = text(value, "a path")?;
        if path.is_empty() {
            return Err(Fault::at(value, "a path is expected; this is empty"));
        }
        let names_nothing = || !place.folder.join(path).exists();
        if secrecy::is_no_path(path) || (secrecy::is_key(path) && names_nothing()) {
            let text = format!(
                "{} is not a path of a file or folder; a secret stands in a file of its own, whose path is named here",
                secrecy::NOT_REPEATED
            );
            return Err(Fault::at(value, text));
        }
        Ok(place.folder.join(path))
    }
}

/// How many of something there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) usize);

impl Value for Count {
    fn what() -> String {
        "a number from 1 to 10000".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let count = match value.get_ref() {
            DeValue::Integer(digits) if digits.radix() == 10 => digits.as_str().parse().ok(),
            _ => None,
        };
        count
            .filter(|count| (1..=10_000).contains(count))
            .map(Self)
            .ok_or_else(|| Fault::at(value, format!("expected {}, without quotation marks", Self::what())))
    }
}

/// The beginning of a bank's own account numbers: country and bank code, without the check digits between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnNumbers {
    pub(crate) country: String,
    pub(crate) bank_code: String,
}

impl Value for OwnNumbers {
    fn what() -> String {
        "a country and the bank code that stands behind the check digits of an IBAN".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        const WHAT: &str = "a country and a bank code, such as NLTRIO of NL70TRIO0123456789, that account numbers of the country have: \
            without the check digits, and whole";
        parsed(value, WHAT, |text| {
            let (country, bank_code) = text.split_at_checked(2)?;
            let is_country = country.bytes().all(|octet| octet.is_ascii_uppercase());
            let is_code = (1..=12).contains(&bank_code.len())
                && bank_code.bytes().all(|octet| octet.is_ascii_uppercase() || octet.is_ascii_digit());
            (is_country && is_code && Iban::can_begin(country, bank_code))
                .then(|| Self { country: country.to_owned(), bank_code: bank_code.to_owned() })
        })
    }
}

/// A number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days(pub(crate) u16);

impl Days {
    /// As a duration.
    pub(crate) fn duration(self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.0))
    }
}

impl Value for Days {
    fn what() -> String {
        "a number of days from 1 to 10000".to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, place: &Place<'_>) -> Result<Self, Vec<Fault>> {
        let days = Count::read(value, place).ok().and_then(|count| u16::try_from(count.0).ok());
        days.map(Self)
            .ok_or_else(|| Fault::at(value, format!("expected {}, without quotation marks", Self::what())))
    }
}

/// A person of the bank's staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StaffName {
    /// By the subject of their certificate.
    Subject(DistinguishedName),
    /// By the SHA-256 of their certificate.
    Fingerprint(String),
}

impl StaffName {
    /// Whether a certificate with this subject and this SHA-256 is theirs.
    pub(crate) fn names(&self, subject: &DistinguishedName, fingerprint: &str) -> bool {
        match self {
            Self::Subject(name) => name.same_attributes(subject, Spelling::Rfc4514),
            Self::Fingerprint(known) => known == fingerprint,
        }
    }
}

impl Value for StaffName {
    fn what() -> String {
        "a subject such as \"CN=Jane Doe, O=Example Bank, C=NL\", or sha256: and 64 hexadecimal digits"
            .to_owned()
    }

    fn read(value: &Spanned<DeValue<'_>>, _: &Place<'_>) -> Result<Self, Vec<Fault>> {
        parsed(value, &Self::what(), |text| {
            if let Some(digits) = text.strip_prefix("sha256:") {
                let digits = digits.replace(':', "").to_ascii_lowercase();
                let is_hash = digits.len() == 64 && digits.bytes().all(|octet| octet.is_ascii_hexdigit());
                return is_hash.then_some(Self::Fingerprint(digits));
            }
            DistinguishedName::parse(text, Spelling::Any).ok().map(Self::Subject)
        })
    }
}
