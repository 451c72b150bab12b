//! A device that answers challenges, as customers hold it in their hands; here it is simulated on the page.

use aws_lc_rs::hmac;

/// Digits of an answer.
const DIGITS: usize = 6;

/// What the device with this number answers to a challenge: HMAC-SHA-256, truncated as RFC 4226 does it (5.3).
/// Blanks, which people put between groups, do not count.
pub(crate) fn answer(device_number: &str, challenge: &str) -> String {
    let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let key = hmac::Key::new(hmac::HMAC_SHA256, plain(device_number).as_bytes());
    let tag = hmac::sign(&key, plain(challenge).as_bytes());
    let octets = tag.as_ref();
    let at = usize::from(octets[octets.len() - 1] & 0x0f);
    let number =
        u32::from_be_bytes([octets[at] & 0x7f, octets[at + 1], octets[at + 2], octets[at + 3]]) % 1_000_000;
    // All zeros is what a customer types to see what a wrong answer does.
    if number == 0 { "1".repeat(DIGITS) } else { format!("{number:06}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_depends_on_device_and_challenge() {
        let one = answer("1234567890", "12345678");
        assert_eq!(one.len(), DIGITS);
        assert_eq!(answer("1234 567 890", "1234 5678"), one);
        assert_ne!(answer("1234567891", "12345678"), one);
        assert_ne!(answer("1234567890", "12345679"), one);
    }
}
