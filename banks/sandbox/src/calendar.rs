//! The days on which payments settle between banks: those of TARGET, the Eurosystem's, at every branch.

use gateway::domain::{Date, Tenant, Timestamp};
use jiff::civil::Weekday;
use jiff::{SignedDuration, Span};

/// Until when a payment settles on the day on which it is taken, by the branch's clock: 16:00.
const CUT_OFF: SignedDuration = SignedDuration::from_hours(16);

/// Whether payments settle on a day: not on Saturdays and Sundays, 1 January, Good Friday, Easter Monday, 1 May, 25 and
/// 26 December.
pub(crate) fn is_business_day(day: Date) -> bool {
    let is_weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let is_fixed = matches!((day.month(), day.day()), (1, 1) | (5, 1) | (12, 25 | 26));
    // Two days before Easter Sunday, and the day after it.
    let is_of_easter = [-2, 1].into_iter().any(|days| plus_days(easter(day.year()), days) == day);
    !(is_weekend || is_fixed || is_of_easter)
}

/// The first business day from a day on.
pub(crate) fn following(day: Date) -> Date {
    nearest(day, 1)
}

/// The last business day up to a day.
pub(crate) fn preceding(day: Date) -> Date {
    nearest(day, -1)
}

/// The business day so many business days after another one.
pub(crate) fn business_days_after(day: Date, count: usize) -> Date {
    (0..count).fold(following(day), |day, _| following(plus_days(day, 1)))
}

/// The moment at which what is taken on a business day settles. Clocks change on Sundays, so no business day is longer or
/// shorter than another.
pub(crate) fn cut_off(tenant: &Tenant, business_day: Date) -> Timestamp {
    tenant.start_of(business_day).saturating_add(CUT_OFF).unwrap_or(Timestamp::MAX)
}

/// The business day of a payment that is taken at a moment: the same day before the cut-off, otherwise the next one.
pub(crate) fn day_of(tenant: &Tenant, now: Timestamp) -> Date {
    let today = following(tenant.date_at(now));
    if now < cut_off(tenant, today) { today } else { business_days_after(today, 1) }
}

fn nearest(day: Date, step: i64) -> Date {
    // No more than six days in a row are none: Good Friday to a first of May on the Tuesday after Easter Monday.
    (0..8).map(|count| plus_days(day, count * step)).find(|day| is_business_day(*day)).unwrap_or(day)
}

fn plus_days(day: Date, days: i64) -> Date {
    day.saturating_add(Span::new().days(days))
}

/// Easter Sunday of a Gregorian year, by the algorithm of Meeus, Jones and Butcher.
fn easter(year: i16) -> Date {
    let year_number = i32::from(year);
    let (golden, century, of_century) = (year_number % 19, year_number / 100, year_number % 100);
    let correction = (8 * century + 13) / 25;
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let shift = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * shift + 114;
    let (month, day) = (days / 31, days % 31 + 1);
    let part = |number: i32| i8::try_from(number).unwrap_or(1);
    Date::new(year, part(month), part(day)).unwrap_or(Date::MIN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn easter_is_when_the_churches_say() {
        for text in [
            "1900-04-15",
            "1961-04-02",
            "1981-04-19",
            "2000-04-23",
            "2008-03-23",
            "2011-04-24",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2027-03-28",
            "2028-04-16",
            "2038-04-25",
            "2049-04-18",
            "2076-04-19",
            "2285-03-22",
        ] {
            assert_eq!(easter(day(text).year()), day(text));
        }
    }

    /// Every year that a clock can be in and more: what is no business day is a weekend or one of six days.
    #[test]
    fn every_year_has_its_holidays() {
        for year in 1900_i16..=2200 {
            let first = Date::new(year, 1, 1).unwrap();
            let length = if first.in_leap_year() { 366 } else { 365 };
            let days: Vec<Date> = (0..length).map(|count| plus_days(first, count)).collect();
            let is_weekend = |day: &&Date| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
            let off: Vec<Date> = days.iter().copied().filter(|day| !is_business_day(*day)).collect();
            let weekdays: Vec<&Date> = off.iter().filter(|day| !is_weekend(day)).collect();
            // Good Friday and Easter Monday always, and the four dates where they are no weekend.
            assert!((3..=6).contains(&weekdays.len()), "{year}: {weekdays:?}");
            assert_eq!(off.iter().filter(is_weekend).count(), days.iter().filter(is_weekend).count());
            let sunday = easter(year);
            assert_eq!(sunday.weekday(), Weekday::Sunday);
            assert!(sunday >= Date::new(year, 3, 22).unwrap() && sunday <= Date::new(year, 4, 25).unwrap());
            for count in [-2, 1] {
                assert!(off.contains(&plus_days(sunday, count)), "{year}");
            }
            for (month, of_month) in [(1, 1), (5, 1), (12, 25), (12, 26)] {
                assert!(off.contains(&Date::new(year, month, of_month).unwrap()), "{year}");
            }
            let is_free = |count: i64| days.iter().all(|day| is_business_day(plus_days(*day, count)));
            assert!(!is_free(0));
        }
    }

    #[test]
    fn what_comes_after_the_cut_off_waits_for_the_next_business_day() {
        let (nl, uk) = (Tenant::parse("nl").unwrap(), Tenant::parse("uk").unwrap());
        for (tenant, now, taken_on) in [
            (&uk, "2026-04-02T14:59:59Z", "2026-04-02"),
            // British summer time: 16:00 on the Thursday before Easter.
            (&uk, "2026-04-02T15:00:00Z", "2026-04-07"),
            (&nl, "2026-12-24T14:59:59Z", "2026-12-24"),
            (&nl, "2026-12-24T15:00:00Z", "2026-12-28"),
            (&nl, "2027-12-31T22:00:00Z", "2028-01-03"),
            (&nl, "2026-05-01T08:00:00Z", "2026-05-04"),
            // The night in which summer begins.
            (&nl, "2027-03-28T00:59:59Z", "2027-03-30"),
        ] {
            assert_eq!(day_of(tenant, now.parse().unwrap()), day(taken_on), "{now}");
        }
        assert_eq!(cut_off(&nl, day("2026-12-24")).to_string(), "2026-12-24T15:00:00Z");
        assert_eq!(cut_off(&nl, day("2026-07-01")).to_string(), "2026-07-01T14:00:00Z");
        assert_eq!(business_days_after(day("2026-12-23"), 2), day("2026-12-28"));
        assert_eq!(business_days_after(day("2026-12-26"), 0), day("2026-12-28"));
    }

    proptest! {
        #[test]
        fn the_nearest_business_days_have_none_between_them(days in 0_i64..110_000) {
            let any = plus_days(day("1900-01-01"), days);
            let (before, after) = (preceding(any), following(any));
            prop_assert!(before <= any && any <= after);
            prop_assert!(is_business_day(before) && is_business_day(after));
            prop_assert_eq!(before == any, is_business_day(any));
            prop_assert!((after - before).get_days() <= 7);
            let mut between = plus_days(before, 1);
            while between < after {
                prop_assert!(!is_business_day(between));
                between = plus_days(between, 1);
            }
            let next = business_days_after(any, 1);
            prop_assert_eq!(preceding(plus_days(next, -1)), after);
        }

        #[test]
        fn a_payment_settles_after_it_was_taken(second in 1_577_836_800_i64..3_786_912_000, name in "nl|be_fr|uk") {
            let (tenant, now) = (Tenant::parse(&name).unwrap(), Timestamp::from_second(second).unwrap());
            let taken_on = day_of(&tenant, now);
            prop_assert!(is_business_day(taken_on) && cut_off(&tenant, taken_on) > now);
            // It would have settled the business day before, had it come in time.
            let before = preceding(plus_days(taken_on, -1));
            prop_assert!(cut_off(&tenant, before) <= now);
        }
    }
}
