//! What a text about a file may repeat of it. Whatever was written in the wrong place may be a secret: an address with its password where
//! a path belongs, a key itself where its file does. Texts go to a terminal, and at SIGHUP to the log.

/// What an address is told as that may hold a password.
pub(super) const NOT_REPEATED: &str = "what stands here, which is not repeated since it may hold a secret,";

/// Longest name of a section or a key that is repeated. All real ones are shorter, and keys that seal are longer.
const LONGEST_NAME: usize = 32;

/// From how many characters on what looks random is taken for a key or a token.
const RANDOM: usize = 20;

/// How many characters 32 octets are in base64 without what fills them up.
const UNPADDED: usize = 43;

/// Whether a value that is wrong may be a secret, or have one in it: a password or a query in an address, a key.
pub(super) fn may_hold_a_secret(text: &str) -> bool {
    let has_password = text.find(':').is_some_and(|colon| text[colon..].contains('@'));
    let has_query = text.find("://").is_some_and(|scheme| text[scheme..].contains('?'));
    has_password || has_query || text.contains("-----BEGIN") || is_key(text)
}

/// Whether a value is certainly no path: an address, or a key as PEM.
pub(super) fn is_no_path(text: &str) -> bool {
    text.contains("://") || text.contains("-----BEGIN") || text.chars().any(char::is_control)
}

/// Whether a value that names nothing that is there may be repeated as the path that it is perhaps. In the place of a secret's file a
/// word alone may be the secret itself.
pub(super) fn is_plausible_path(text: &str, names_a_secret: bool) -> bool {
    let is_word = !text.contains(['.', '/']) || text.contains(char::is_whitespace);
    !(may_hold_a_secret(text) || text.split(['/', '.']).any(is_random) || names_a_secret && is_word)
}

/// Whether a name of a section or a key that no file has may be repeated.
pub(super) fn is_name(text: &str) -> bool {
    let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-');
    text.len() <= LONGEST_NAME && text.bytes().all(is_letter) && !is_random(text)
}

/// Whether a text has the form of a key of 32 octets in base64.
pub(super) fn is_key(text: &str) -> bool {
    let text = text.trim();
    let is_long = text.len() >= RANDOM && text.bytes().all(is_base64);
    is_long && (text.ends_with('=') || text.len() == UNPADDED && is_random(text))
}

fn is_base64(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'-' | b'_' | b'=')
}

/// Whether a word is long, and of letters of both kinds and digits.
fn is_random(text: &str) -> bool {
    let has = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    text.len() >= RANDOM
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_told_from_paths_and_names() {
        for secret in [
            "https://user:pw@core.example.com",
            "user:pw@host",
            "https://c.example.com/v1/traces?token=x",
            "-----BEGIN PRIVATE KEY-----",
            "U3dvcmRmaXNoU3dvcmRmaXNoU3dvcmRmaXNoU3dvcmQ=",
        ] {
            assert!(may_hold_a_secret(secret), "{secret}");
            assert!(!is_plausible_path(secret, false) && !is_name(secret), "{secret}");
        }
        for value in ["ftp://core.bank.example.com", "CN=Jane Doe, E=jane@example.com", "[::1]:x", "teal"] {
            assert!(!may_hold_a_secret(value), "{value}");
        }
        assert!(["postgres://host/name", "a\nb"].into_iter().all(is_no_path));
        for path in ["sealing.key", "/etc/vestibule/keys/sealing.key", "../database.address"] {
            assert!(is_plausible_path(path, true) && !is_no_path(path), "{path}");
        }
        for word in ["swordfish", "Bearer sword.fish", "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.e30.x"] {
            assert!(!is_plausible_path(word, true), "{word}");
        }
        assert!(is_plausible_path("none", false));
        assert!(is_name("certificate_file") && !is_name(&"M".repeat(64)));
    }
}
