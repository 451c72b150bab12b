//! Tenants: the branches of one bank, each with its own paths, country, language and (in a sandbox) clock.
//!
//! A tenant's name says where it is: its first part is a country, its second a language, for example `be_fr`.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::{Language, PaymentProduct};

static BRITISH_TIME: LazyLock<TimeZone> = LazyLock::new(|| zone("GMT0BST,M3.5.0/1,M10.5.0"));
static CENTRAL_TIME: LazyLock<TimeZone> = LazyLock::new(|| zone("CET-1CEST,M3.5.0,M10.5.0/3"));

/// A zone by the rules in force; no database of zones is needed for that.
fn zone(rules: &str) -> TimeZone {
    TimeZone::posix(rules).unwrap_or(TimeZone::UTC)
}

/// Name of a tenant as it stands in paths, for example `be_fr`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(String);

/// A text is no tenant name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no tenant name: use 1 to 32 lower-case letters, digits and underscores, for example be_fr"
)]
pub struct TenantError(String);

impl Tenant {
    /// Reads a tenant name.
    ///
    /// # Errors
    /// [`TenantError`]
    pub fn parse(text: &str) -> Result<Self, TenantError> {
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if fits { Ok(Self(text.to_owned())) } else { Err(TenantError(text.chars().take(40).collect())) }
    }

    /// The country of its accounts (ISO 3166-1). A name that begins with no country known here is Dutch.
    pub fn country(&self) -> &'static str {
        match self.0.split('_').next().unwrap_or_default() {
            "uk" | "gb" => "GB",
            "be" => "BE",
            "de" => "DE",
            _ => "NL",
        }
    }

    /// The currency of its accounts, unless a customer wants another.
    pub fn currency(&self) -> crate::Currency {
        if self.country() == "GB" { crate::Currency::GBP } else { crate::Currency::EUR }
    }

    /// Whether euros go from its accounts by instant transfer: every day, at any time (EPC004-16).
    pub fn pays_instantly(&self) -> bool {
        matches!(self.country(), "NL" | "BE")
    }

    /// Whether payments of a product can be made from its accounts: British ones are for British accounts.
    pub fn offers(&self, product: PaymentProduct) -> bool {
        product != PaymentProduct::UkDomesticTransfers || self.country() == "GB"
    }

    /// The language in which its pages open.
    pub fn language(&self) -> Language {
        match (self.0.split('_').nth(1), self.country()) {
            (Some("fr"), _) => Language::French,
            (Some("de"), _) | (None, "DE") => Language::German,
            (Some("nl"), _) | (None, "NL" | "BE") => Language::Dutch,
            _ => Language::English,
        }
    }

    /// The day that a moment belongs to at the bank: quotas and consents change at local midnight.
    pub fn date_at(&self, moment: Timestamp) -> Date {
        moment.to_zoned_datetime(self.time_zone()).date()
    }

    /// The time of day that a moment is at the bank.
    pub fn time_at(&self, moment: Timestamp) -> Time {
        moment.to_zoned_datetime(self.time_zone()).time()
    }

    /// The moment when a day begins at the bank.
    pub fn start_of(&self, day: Date) -> Timestamp {
        // Only the last day of all times could overflow.
        day.to_datetime(Time::midnight())
            .to_zoned_datetime(self.time_zone())
            .map_or(Timestamp::MAX, |at| at.timestamp())
    }

    fn time_zone(&self) -> TimeZone {
        if self.country() == "GB" { BRITISH_TIME.clone() } else { CENTRAL_TIME.clone() }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_where_the_branch_is() {
        for (name, country, language, currency) in [
            ("nl", "NL", "nl", "EUR"),
            ("be_fr", "BE", "fr", "EUR"),
            ("be_nl", "BE", "nl", "EUR"),
            ("uk", "GB", "en", "GBP"),
            ("bank2", "NL", "nl", "EUR"),
            ("de", "DE", "de", "EUR"),
            ("be_de", "BE", "de", "EUR"),
            ("de_en", "DE", "en", "EUR"),
        ] {
            let tenant = Tenant::parse(name).unwrap();
            assert_eq!(
                (tenant.country(), tenant.language().code(), tenant.currency().code()),
                (country, language, currency)
            );
            assert_eq!(tenant.offers(PaymentProduct::UkDomesticTransfers), country == "GB");
            assert!(tenant.offers(PaymentProduct::SepaCreditTransfers));
            assert_eq!(tenant.pays_instantly(), matches!(country, "NL" | "BE"));
        }
    }

    #[test]
    fn days_begin_at_local_midnight_in_summer_and_winter() {
        for (tenant, moment, day) in [
            ("nl", "2026-01-31T22:59:59Z", "2026-01-31"),
            ("nl", "2026-01-31T23:00:00Z", "2026-02-01"),
            ("nl", "2026-07-31T22:00:00Z", "2026-08-01"),
            ("uk", "2026-01-31T23:59:59Z", "2026-01-31"),
            ("uk", "2026-07-31T23:00:00Z", "2026-08-01"),
        ] {
            let tenant = Tenant::parse(tenant).unwrap();
            assert_eq!(tenant.date_at(moment.parse().unwrap()).to_string(), day);
        }
        let nl = Tenant::parse("nl").unwrap();
        assert_eq!(nl.start_of("2026-08-01".parse().unwrap()).to_string(), "2026-07-31T22:00:00Z");
    }

    #[test]
    fn names_fit_into_paths() {
        for good in ["nl", "be_fr", "uk", "bank2"] {
            assert_eq!(Tenant::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "NL", "be-fr", "a/b", "é", &"x".repeat(33)] {
            assert!(Tenant::parse(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        /// From 2020 to 2090, the nights among them in which clocks change.
        #[test]
        fn every_moment_lies_in_its_day(second in 1_577_836_800_i64..3_786_912_000, name in "nl|be_fr|uk") {
            let (tenant, moment) = (Tenant::parse(&name).unwrap(), Timestamp::from_second(second).unwrap());
            let day = tenant.date_at(moment);
            let (begin, end) = (tenant.start_of(day), tenant.start_of(day.tomorrow().unwrap()));
            proptest::prop_assert!(begin <= moment && moment < end, "{begin} {moment} {end}");
            proptest::prop_assert!((23..=25).contains(&((end.as_second() - begin.as_second()) / 3600)));
            proptest::prop_assert_eq!((tenant.date_at(begin), tenant.date_at(end)), (day, day.tomorrow().unwrap()));
        }
    }
}
