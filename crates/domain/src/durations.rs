//! Numbers and durations in texts.

use jiff::SignedDuration;

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
}
