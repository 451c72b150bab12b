//! The days of a periodic payment: those that its rule names, and the business days that stand in for them.

use gateway::domain::{Date, ExecutionRule, Frequency, Repetition};
use jiff::Span;

use crate::calendar::{following, is_business_day, preceding};

/// The day of an execution, the first one being number 0; none if the payment has ended by then.
///
/// A day that is no business day is replaced by the one after it, or the one before it where the rule says so; by the
/// other one if that lies outside of the first and the last day. Several executions can come to one day so: each is made.
pub(crate) fn day_of(repetition: &Repetition, number: i64) -> Option<Date> {
    let named = named_day(repetition, number)?;
    let is_within = |day: Date| day >= repetition.start && repetition.end.is_none_or(|end| day <= end);
    // The days rise: after the first one beyond the end there is none.
    if repetition.end.is_some_and(|end| named > end) {
        return None;
    }
    if is_business_day(named) {
        return Some(named);
    }
    let (before, after) = (preceding(named), following(named));
    let [first, second] = match repetition.rule {
        Some(ExecutionRule::Preceding) => [before, after],
        Some(ExecutionRule::Following) | None => [after, before],
    };
    // A span without any business day is made on the day that it names.
    Some([first, second].into_iter().find(|day| is_within(*day)).unwrap_or(named))
}

/// The day that the rule names, business day or not.
fn named_day(repetition: &Repetition, number: i64) -> Option<Date> {
    let start = repetition.start;
    let days = |each: i64| start.checked_add(Span::new().try_days(each.checked_mul(number)?).ok()?).ok();
    match repetition.frequency {
        Frequency::Daily => days(1),
        Frequency::Weekly => days(7),
        Frequency::EveryTwoWeeks => days(14),
        Frequency::Monthly => of_month(repetition, number),
        Frequency::EveryTwoMonths => of_month(repetition, number.checked_mul(2)?),
        Frequency::Quarterly => of_month(repetition, number.checked_mul(3)?),
        Frequency::SemiAnnual => of_month(repetition, number.checked_mul(6)?),
        Frequency::Annual => of_month(repetition, number.checked_mul(12)?),
        Frequency::MonthlyVariable => of_named_month(repetition, number),
    }
}

/// The payment's day in the month that is so many months after the first one. The first month is that of the start, or
/// the next one if the day has passed there.
fn of_month(repetition: &Repetition, months: i64) -> Option<Date> {
    in_month(repetition, first_month(repetition).checked_add(months)?)
}

/// The payment's day in the so-manieth of the months that are named.
fn of_named_month(repetition: &Repetition, number: i64) -> Option<Date> {
    let first = first_month(repetition);
    let mut months: Vec<i64> = repetition.months.iter().map(|month| i64::from(*month) - 1).collect();
    months.sort_unstable();
    months.dedup();
    let Some(count) = i64::try_from(months.len()).ok().filter(|count| *count > 0) else {
        return in_month(repetition, first.checked_add(number)?);
    };
    // Those of the first year that have passed are counted, too.
    let passed = months.iter().filter(|month| **month < first.rem_euclid(12)).count();
    let place = i64::try_from(passed).ok()?.checked_add(number)?;
    let month = months.get(usize::try_from(place % count).ok()?)?;
    in_month(repetition, first.div_euclid(12).checked_add(place / count)? * 12 + month)
}

/// The first month with a day of the payment, counted from the year 0 on.
fn first_month(repetition: &Repetition) -> i64 {
    let start = repetition.start;
    let month = i64::from(start.year()) * 12 + i64::from(start.month()) - 1;
    if in_month(repetition, month).is_some_and(|day| day >= start) { month } else { month + 1 }
}

/// The payment's day in a month that is counted from the year 0 on; the month's last day if it is shorter.
fn in_month(repetition: &Repetition, month: i64) -> Option<Date> {
    let year = i16::try_from(month.div_euclid(12)).ok()?;
    let first = Date::new(year, i8::try_from(month.rem_euclid(12) + 1).ok()?, 1).ok()?;
    let day = repetition.day.unwrap_or_else(|| repetition.start.day()).clamp(1, first.days_in_month());
    Date::new(year, first.month(), day).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn from(start: &str, frequency: Frequency) -> Repetition {
        Repetition { start: day(start), end: None, frequency, rule: None, day: None, months: Vec::new() }
    }

    fn days(repetition: &Repetition, count: i64) -> Vec<String> {
        (0..count).map_while(|number| day_of(repetition, number)).map(|day| day.to_string()).collect()
    }

    #[test]
    fn every_frequency_has_its_days() {
        use Frequency as F;
        for (frequency, expected) in [
            (F::Daily, ["2026-11-30", "2026-12-01", "2026-12-02"]),
            (F::Weekly, ["2026-11-30", "2026-12-07", "2026-12-14"]),
            (F::EveryTwoWeeks, ["2026-11-30", "2026-12-14", "2026-12-28"]),
            (F::Monthly, ["2026-11-30", "2026-12-30", "2027-02-01"]),
            (F::EveryTwoMonths, ["2026-11-30", "2027-02-01", "2027-03-30"]),
            (F::Quarterly, ["2026-11-30", "2027-03-01", "2027-05-31"]),
            (F::SemiAnnual, ["2026-11-30", "2027-05-31", "2027-11-30"]),
            (F::Annual, ["2026-11-30", "2027-11-30", "2028-11-30"]),
            (F::MonthlyVariable, ["2026-11-30", "2026-12-30", "2027-02-01"]),
        ] {
            assert_eq!(days(&from("2026-11-30", frequency), 3), expected, "{}", frequency.name());
        }
    }

    #[test]
    fn a_day_that_a_month_does_not_have_is_its_last_one() {
        let last = Repetition {
            day: Some(31),
            rule: Some(ExecutionRule::Preceding),
            ..from("2027-10-15", Frequency::Monthly)
        };
        let expected = ["2027-10-29", "2027-11-30", "2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"];
        assert_eq!(days(&last, 6), expected);
        let leap = from("2028-02-29", Frequency::Annual);
        assert_eq!(days(&leap, 5), ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-03-01"]);
        let passed = Repetition { day: Some(1), ..from("2026-06-02", Frequency::Quarterly) };
        assert_eq!(days(&passed, 2), ["2026-07-01", "2026-10-01"]);
    }

    #[test]
    fn another_business_day_stands_in_on_the_side_that_the_rule_names() {
        // Good Friday is on 3 April 2026, and 1 May a Friday.
        let easter = |rule| Repetition { rule, day: Some(3), ..from("2026-04-01", Frequency::Monthly) };
        assert_eq!(days(&easter(Some(ExecutionRule::Following)), 2), ["2026-04-07", "2026-05-04"]);
        assert_eq!(days(&easter(Some(ExecutionRule::Preceding)), 2), ["2026-04-02", "2026-04-30"]);
        assert_eq!(days(&easter(None), 2), ["2026-04-07", "2026-05-04"]);
        // Within the first and the last day.
        let short = Repetition { end: Some(day("2026-05-03")), ..easter(None) };
        assert_eq!(days(&short, 9), ["2026-04-07", "2026-04-30"]);
        let begun =
            Repetition { rule: Some(ExecutionRule::Preceding), ..from("2026-05-01", Frequency::Annual) };
        assert_eq!(days(&begun, 2), ["2026-05-04", "2027-04-30"]);
        let nothing = Repetition { end: Some(day("2026-05-03")), ..from("2026-05-02", Frequency::Weekly) };
        assert_eq!(days(&nothing, 9), ["2026-05-02"]);
        let past = Repetition { end: Some(day("2026-05-01")), ..from("2026-05-02", Frequency::Weekly) };
        assert_eq!(days(&past, 9), Vec::<String>::new());
    }

    #[test]
    fn months_that_are_named() {
        let named = Repetition {
            months: vec![12, 2, 6],
            day: Some(31),
            ..from("2027-03-01", Frequency::MonthlyVariable)
        };
        let named = Repetition { rule: Some(ExecutionRule::Preceding), ..named };
        assert_eq!(days(&named, 4), ["2027-06-30", "2027-12-31", "2028-02-29", "2028-06-30"]);
        let passed =
            Repetition { months: vec![3], day: Some(1), ..from("2027-03-02", Frequency::MonthlyVariable) };
        assert_eq!(days(&passed, 2), ["2028-03-01", "2029-03-01"]);
    }

    fn repetitions() -> impl Strategy<Value = Repetition> {
        let frequencies: Vec<Frequency> = Frequency::NAMES.iter().map(|(frequency, _)| *frequency).collect();
        (
            (1900_i16..2190, 1_i8..=12, 1_i8..=28),
            proptest::option::of(0_i64..4000),
            proptest::sample::select(frequencies),
            proptest::sample::select(vec![
                None,
                Some(ExecutionRule::Following),
                Some(ExecutionRule::Preceding),
            ]),
            proptest::option::of(1_i8..=31),
            proptest::collection::vec(1_i8..=12, 0..11),
        )
            .prop_map(|((year, month, of_month), lasting, frequency, rule, day, months)| {
                let start = Date::new(year, month, of_month).unwrap();
                let end = lasting.map(|days| start.saturating_add(Span::new().days(days)));
                Repetition { start, end, frequency, rule, day, months }
            })
    }

    proptest! {
        #[test]
        fn days_rise_within_the_first_and_the_last_one(repetition in repetitions()) {
            let days: Vec<Date> = (0..60).map_while(|number| day_of(&repetition, number)).collect();
            for pair in days.windows(2) {
                prop_assert!(pair[0] <= pair[1], "{:?}", days);
            }
            for number in (0..60).take(days.len()) {
                let named = named_day(&repetition, number).unwrap();
                let made = days[usize::try_from(number).unwrap()];
                prop_assert!(made >= repetition.start && repetition.end.is_none_or(|end| made <= end));
                prop_assert!(is_business_day(made) || made == named);
                prop_assert!((made - named).get_days().abs() <= 6);
                prop_assert!(number == 0 || named > named_day(&repetition, number - 1).unwrap());
                if let (Frequency::MonthlyVariable, [_, ..]) = (repetition.frequency, &repetition.months[..]) {
                    prop_assert!(repetition.months.contains(&named.month()));
                }
            }
            if days.len() < 60 {
                prop_assert!(repetition.end.is_some());
                prop_assert_eq!(day_of(&repetition, 60), None);
            }
        }
    }
}
