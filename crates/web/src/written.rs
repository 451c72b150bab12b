//! Money, days and schedules as people write them in the language of a page.

use domain::{Currency, Date, Execution, ExecutionRule, Frequency, Language, Money, Repetition};

use crate::language::texts;
use crate::payment_texts::payment_texts;

/// No line is broken here.
const NO_BREAK: char = '\u{a0}';

/// Between groups of digits in French (Unicode CLDR).
const NARROW_NO_BREAK: char = '\u{202f}';

/// An amount: £1,234.50, € 1.234,50, 1 234,50 €. Currencies whose sign several countries use have their code.
pub fn money(language: Language, money: Money) -> String {
    let sign = match money.currency {
        Currency::EUR => "€",
        Currency::GBP => "£",
        other => other.code(),
    };
    let number = number(language, &money.abs().to_decimal());
    let minus = if money.minor < 0 { "-" } else { "" };
    match language {
        Language::English if sign.len() == 3 && sign.is_ascii() => {
            format!("{minus}{sign}{NO_BREAK}{number}")
        }
        Language::English => format!("{minus}{sign}{number}"),
        Language::Dutch => format!("{sign}{NO_BREAK}{minus}{number}"),
        Language::French | Language::German => format!("{minus}{number}{NO_BREAK}{sign}"),
    }
}

/// A decimal number with groups of three digits.
fn number(language: Language, decimal: &str) -> String {
    let (group, point) = match language {
        Language::English => (',', '.'),
        Language::Dutch | Language::German => ('.', ','),
        Language::French => (NARROW_NO_BREAK, ','),
    };
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let mut written = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            written.push(group);
        }
        written.push(digit);
    }
    if !fraction.is_empty() {
        written.push(point);
        written.push_str(fraction);
    }
    written
}

/// A day, for example 3 March 2026.
pub fn day(language: Language, day: Date) -> String {
    texts(language).day(day.year(), day.month(), day.day())
}

/// A moment at the bank, for example 3 March 2026, 14:05.
pub fn moment(language: Language, day: Date, (hour, minute): (i8, i8)) -> String {
    format!("{}, {hour:02}:{minute:02}", self::day(language, day))
}

/// When a payment is made, in one line or several.
pub(crate) fn when(language: Language, execution: &Execution) -> Vec<String> {
    let texts = payment_texts(language);
    match execution {
        Execution::AtOnce => vec![texts.at_once.to_owned()],
        Execution::On(on) => vec![texts.on.replace("{day}", &day(language, *on))],
        Execution::Repeated(repetition) => schedule(language, repetition),
    }
}

fn schedule(language: Language, repetition: &Repetition) -> Vec<String> {
    let texts = payment_texts(language);
    let months = || {
        let name = |month: &i8| crate::language::texts(language).month(*month);
        repetition.months.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let mut often = match repetition.frequency {
        Frequency::Daily => texts.daily.to_owned(),
        Frequency::Weekly => texts.weekly.to_owned(),
        Frequency::EveryTwoWeeks => texts.every_two_weeks.to_owned(),
        Frequency::Monthly => texts.monthly.to_owned(),
        Frequency::EveryTwoMonths => texts.every_two_months.to_owned(),
        Frequency::Quarterly => texts.quarterly.to_owned(),
        Frequency::SemiAnnual => texts.semi_annual.to_owned(),
        Frequency::Annual => texts.annual.to_owned(),
        Frequency::MonthlyVariable => texts.in_months.replace("{months}", &months()),
    };
    if let Some(number) = repetition.day {
        often.push_str(&texts.on_day_of_month.replace("{n}", &number.to_string()));
    }
    let mut lines = vec![often, texts.from_day.replace("{day}", &day(language, repetition.start))];
    lines.push(match repetition.end {
        Some(end) => texts.until_day.replace("{day}", &day(language, end)),
        None => texts.until_stopped.to_owned(),
    });
    lines.push(match repetition.rule {
        Some(ExecutionRule::Preceding) => texts.business_day_before.to_owned(),
        Some(ExecutionRule::Following) | None => texts.business_day_after.to_owned(),
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_people_do() {
        for (minor, currency, english, dutch, french) in [
            (123_450, Currency::EUR, "€1,234.50", "€\u{a0}1.234,50", "1\u{202f}234,50\u{a0}€"),
            (1, Currency::GBP, "£0.01", "£\u{a0}0,01", "0,01\u{a0}£"),
            (
                99_999_999_999,
                Currency::SEK,
                "SEK\u{a0}999,999,999.99",
                "SEK\u{a0}999.999.999,99",
                "999\u{202f}999\u{202f}999,99\u{a0}SEK",
            ),
            (1000, Currency::JPY, "JPY\u{a0}1,000", "JPY\u{a0}1.000", "1\u{202f}000\u{a0}JPY"),
            (-1250, Currency::EUR, "-€12.50", "€\u{a0}-12,50", "-12,50\u{a0}€"),
        ] {
            let written = |language| money(language, Money { minor, currency });
            assert_eq!(written(Language::English), english);
            assert_eq!(written(Language::Dutch), dutch);
            assert_eq!(written(Language::French), french);
            assert_eq!(written(Language::German), french.replace('\u{202f}', "."));
        }
    }

    #[test]
    fn moments_have_a_time_of_day() {
        let day = "2027-03-01".parse().unwrap();
        assert_eq!(moment(Language::French, day, (9, 5)), "1er mars 2027, 09:05");
        assert_eq!(moment(Language::German, day, (9, 5)), "1. März 2027, 09:05");
        assert_eq!(super::day(Language::German, "2027-03-12".parse().unwrap()), "12. März 2027");
    }

    #[test]
    fn schedules_are_told_in_full() {
        let on = Execution::On("2027-03-01".parse().unwrap());
        assert_eq!(when(Language::French, &on), ["Le 1er mars 2027"]);
        assert_eq!(when(Language::Dutch, &Execution::AtOnce), ["Zo snel mogelijk"]);
        let repetition = Repetition {
            start: "2027-01-31".parse().unwrap(),
            end: None,
            frequency: Frequency::Monthly,
            rule: Some(ExecutionRule::Preceding),
            day: Some(31),
            months: Vec::new(),
        };
        assert_eq!(
            when(Language::English, &Execution::Repeated(repetition.clone())),
            [
                "Every month, on day 31",
                "From 31 January 2027",
                "Until you stop it",
                "If that is no business day: on the last one before it",
            ]
        );
        let varied = Repetition {
            frequency: Frequency::MonthlyVariable,
            months: vec![1, 7],
            day: None,
            end: "2027-12-31".parse().ok(),
            rule: None,
            ..repetition
        };
        assert_eq!(
            when(Language::Dutch, &Execution::Repeated(varied)),
            [
                "In januari, juli",
                "Vanaf 31 januari 2027",
                "Tot en met 31 december 2027",
                "Is dat geen werkdag: op de eerstvolgende",
            ]
        );
    }
}
