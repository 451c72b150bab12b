//! Numbers and durations in texts.

use jiff::{SignedDuration, Span};

/// A number as texts have it: in a word up to ten.
pub fn number_in_words(number: i64) -> String {
    const WORDS: [&str; 11] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let word = usize::try_from(number).ok().and_then(|number| WORDS.get(number));
    word.map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

/// A duration as texts have it: in the largest of hours, minutes and seconds of which it is a whole number.
pub fn duration_in_words(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (number, unit) = match seconds {
        _ if seconds % 3600 == 0 => (seconds / 3600, "hour"),
        _ if seconds % 60 == 0 => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    match (number, unit) {
        (1, "hour") => "an hour".to_owned(),
        (1, _) => format!("a {unit}"),
        _ => format!("{} {unit}s", number_in_words(number)),
    }
}

/// Whether a text would be a span of time if its numbers were smaller: what is wrong with it is how long it is.
pub fn is_too_long_a_span(text: &str) -> bool {
    let mut small = String::with_capacity(text.len());
    for letter in text.chars() {
        // Each number becomes a 1.
        let (letter, is_digit) = if letter.is_ascii_digit() { ('1', true) } else { (letter, false) };
        if !(is_digit && small.ends_with('1')) {
            small.push(letter);
        }
    }
    text.parse::<Span>().is_err() && small.parse::<Span>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_the_largest_unit() {
        for (seconds, words) in [
            (24 * 3600, "24 hours"),
            (3600, "an hour"),
            (5400, "90 minutes"),
            (300, "five minutes"),
            (60, "a minute"),
            (90, "90 seconds"),
        ] {
            assert_eq!(duration_in_words(SignedDuration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn a_span_that_is_too_long_is_told_from_what_is_none() {
        for (text, is_too_long) in [
            ("P99999Y", true),
            ("-P99999999999999999999D", true),
            ("P1Y99999999M", true),
            ("P1Y", false),
            ("P90D", false),
            ("soon", false),
            ("", false),
            ("99999", false),
            ("P99999X", false),
        ] {
            assert_eq!(is_too_long_a_span(text), is_too_long, "{text}");
        }
    }
}
