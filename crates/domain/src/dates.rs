//! Days and moments as callers write them. The library that counts with them reads much more than is meant here:
//! `20260131`, `+002026-01-31`, times after a day, zones in brackets.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// Years that a caller can mean.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=9999;

/// A text is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected YYYY-MM-DD, a day in a year from 1900 to 9999")]
pub struct DateError;

/// A text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a moment as in RFC 3339, in a year from 1900 to 9999, for example 2027-01-31T12:00:00Z")]
pub struct MomentError;

/// Reads a day: `YYYY-MM-DD` and nothing else, years 1900 to 9999 (RFC 3339, full-date).
///
/// # Errors
/// [`DateError`]
pub fn parse_day(text: &str) -> Result<Date, DateError> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return Err(DateError) };
    let [y1, y2, y3, y4] = year else { return Err(DateError) };
    let year = number(&[*y1, *y2, *y3, *y4]).filter(|year| YEARS.contains(year)).ok_or(DateError)?;
    let (month, day) = (number(&[*m1, *m2]).ok_or(DateError)?, number(&[*d1, *d2]).ok_or(DateError)?);
    let small = |number: i16| i8::try_from(number).map_err(|_| DateError);
    Date::new(year, small(month)?, small(day)?).map_err(|_| DateError)
}

/// Reads a moment: a day, `T` or a blank, a time of day with or without a fraction of a second, and `Z` or an offset
/// such as `+01:00` (RFC 3339, date-time). Without an offset, `default` is taken if there is one.
///
/// # Errors
/// [`MomentError`]
pub fn parse_moment(text: &str, default: Option<Offset>) -> Result<Timestamp, MomentError> {
    let (day, rest) = text.split_at_checked(10).ok_or(MomentError)?;
    let day = parse_day(day).map_err(|_| MomentError)?;
    let rest = rest.strip_prefix(['T', 't', ' ']).ok_or(MomentError)?;
    let (time, offset) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
    let time = time_of_day(time).ok_or(MomentError)?;
    let offset = match offset {
        "" => default.ok_or(MomentError)?,
        "Z" | "z" => Offset::UTC,
        other => offset_of(other).ok_or(MomentError)?,
    };
    offset.to_timestamp(DateTime::from_parts(day, time)).map_err(|_| MomentError)
}

/// `hh:mm:ss` with up to nine digits of a fraction.
fn time_of_day(text: &str) -> Option<Time> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let [h1, h2, b':', m1, m2, b':', s1, s2] = whole.as_bytes() else { return None };
    let nanoseconds = match fraction {
        None => 0,
        Some(digits) if (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{digits:0<9}").parse().ok()?
        }
        Some(_) => return None,
    };
    let small = |pair: [u8; 2]| i8::try_from(number(&pair)?).ok();
    Time::new(small([*h1, *h2])?, small([*m1, *m2])?, small([*s1, *s2])?, nanoseconds).ok()
}

/// `+hh:mm` or `-hh:mm`.
fn offset_of(text: &str) -> Option<Offset> {
    let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = text.as_bytes() else { return None };
    let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
    Offset::from_seconds(if *sign == b'-' { -seconds } else { seconds }).ok()
}

/// The number that digits, and nothing but digits, stand for.
fn number(digits: &[u8]) -> Option<i16> {
    let digit = |b: &u8| b.is_ascii_digit().then(|| i16::from(b - b'0'));
    digits.iter().try_fold(0_i16, |number, b| number.checked_mul(10)?.checked_add(digit(b)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_one_form() {
        for right in ["1900-01-01", "2026-01-31", "2028-02-29", "9999-12-31"] {
            assert_eq!(parse_day(right).unwrap().to_string(), right);
        }
        for wrong in [
            "",
            "2026-1-31",
            "2026-01-3",
            "20260131",
            "2026-0131",
            "+002026-01-31",
            "-002026-01-31",
            "002026-01-31",
            "1899-12-31",
            "0000-01-01",
            "10000-01-01",
            "2026-02-29",
            "2026-00-10",
            "2026-13-01",
            "2026-01-00",
            "2026-04-31",
            "2026-01-31T00:00:00",
            "2026-01-31 12:00",
            "2026-01-31T00:00:00Z",
            "2026-01-31[Europe/Amsterdam]",
            "2026-01-31Z",
            "2026-W05-6",
            "2026-031",
            " 2026-01-31",
            "2026-01-31 ",
            "2026-01-31\n",
            "2026/01/31",
            "31-01-2026",
            "2026\u{2010}01\u{2010}31",
            "２０２６-01-31",
            "٢٠٢٦-01-31",
            "today",
        ] {
            assert_eq!(parse_day(wrong), Err(DateError), "{wrong}");
        }
    }

    #[test]
    fn moments_are_those_of_rfc_3339() {
        for (right, utc) in [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31 12:00:00.5z", "2026-01-31T12:00:00.5Z"),
            ("2026-01-31t00:30:00.000001+01:00", "2026-01-30T23:30:00.000001Z"),
            ("2026-01-31T12:00:00-00:30", "2026-01-31T12:30:00Z"),
        ] {
            assert_eq!(parse_moment(right, None).unwrap().to_string(), utc);
        }
        let plain = parse_moment("2026-01-31 12:00:00.000000", Some(Offset::UTC)).unwrap();
        assert_eq!(plain.to_string(), "2026-01-31T12:00:00Z");
        for wrong in [
            "",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00Z",
            "2026-01-31T12Z",
            "2026-01-31T120000Z",
            "20260131T120000Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z",
            "2026-01-31T12:00:61Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00,5Z",
            "2026-01-31T12:00:00.1234567890Z",
            "2026-01-31T12:00:00+0100",
            "2026-01-31T12:00:00+01",
            "2026-01-31T12:00:00+24:00",
            "2026-01-31T12:00:00Z[UTC]",
            "2026-01-31T12:00:00+01:00[Europe/Amsterdam]",
            "2026-01-31_12:00:00Z",
            "1899-12-31T12:00:00Z",
            "+002026-01-31T12:00:00Z",
            " 2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00Z ",
            "2026-01-3éT12:00:00Z",
        ] {
            assert_eq!(parse_moment(wrong, None), Err(MomentError), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?[0-9:.]{0,18}[Z+-]?[0-9:]{0,5}") {
            let _ = (parse_day(&text), parse_moment(&text, None), parse_moment(&text, Some(Offset::UTC)));
        }

        #[test]
        fn every_day_is_read_back(year in 1900_i16..=9999, of_year in 1_i16..=365) {
            let day = Date::new(year, 1, 1).unwrap().with().day_of_year(of_year).build().unwrap();
            proptest::prop_assert_eq!(parse_day(&day.to_string()), Ok(day));
        }
    }
}
