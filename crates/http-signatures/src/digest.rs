//! Digests of bodies: `Digest` (RFC 3230) and `Content-Digest` (RFC 9530), SHA-256 and SHA-512 alone.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Refusal;

/// An allowed hash algorithm.
///
/// ```
/// use http_signatures::digest::{DigestAlgorithm, content_digest_header, digest_header};
///
/// let digest = digest_header(DigestAlgorithm::Sha256, b"");
/// assert_eq!(digest, "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
/// let digest = content_digest_header(DigestAlgorithm::Sha256, b"");
/// assert_eq!(digest, "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl DigestAlgorithm {
    /// The token of RFC 3230.
    pub fn token(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }

    fn of(token: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha512]
            .into_iter()
            .find(|algorithm| token.eq_ignore_ascii_case(algorithm.token()))
    }

    fn hash(self, body: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &SHA256,
            Self::Sha512 => &SHA512,
        };
        digest(algorithm, body).as_ref().to_vec()
    }
}

/// The value of `Digest` for a body: `SHA-256=<base64>`.
pub fn digest_header(algorithm: DigestAlgorithm, body: &[u8]) -> String {
    format!("{}={}", algorithm.token(), STANDARD.encode(algorithm.hash(body)))
}

/// The value of `Content-Digest` for a body: `sha-256=:<base64>:`.
pub fn content_digest_header(algorithm: DigestAlgorithm, body: &[u8]) -> String {
    format!("{}=:{}:", algorithm.token().to_ascii_lowercase(), STANDARD.encode(algorithm.hash(body)))
}

/// Whether a `Digest` header may leave out the algorithm.
///
/// ```
/// use http_signatures::digest::{Prefix, check_digest};
///
/// let bare = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
/// assert!(check_digest(bare, b"", Prefix::Optional).is_ok());
/// assert!(check_digest(bare, b"", Prefix::Required).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// The algorithm must be named.
    Required,
    /// Bare base64 is taken as SHA-256.
    Optional,
}

const DIGEST_FORM: &str = "SHA-256=<base64> or SHA-512=<base64>";

/// Compares a `Digest` header with a body.
///
/// # Errors
/// The `Digest…` variants of [`Refusal`].
pub fn check_digest(value: &str, body: &[u8], prefix: Prefix) -> Result<(), Refusal> {
    let value = value.trim();
    let malformed = || Refusal::DigestMalformed { header: "Digest", form: DIGEST_FORM, got: shorten(value) };
    // Padding is the only equals sign that nothing but equals signs follow.
    let named = value.split_once('=').filter(|(_, rest)| !rest.trim_matches('=').is_empty());
    let (algorithm, base64) = match (named, prefix) {
        (Some((token, rest)), _) => {
            let unknown = || Refusal::DigestAlgorithmNotAllowed(shorten(token));
            (DigestAlgorithm::of(token.trim()).ok_or_else(unknown)?, rest)
        }
        (None, Prefix::Optional) => (DigestAlgorithm::Sha256, value),
        (None, Prefix::Required) => return Err(malformed()),
    };
    let got = STANDARD.decode(base64).map_err(|_| malformed())?;
    let expected = algorithm.hash(body);
    verify_slices_are_equal(&expected, &got).map_err(|_| Refusal::DigestMismatch {
        octets: body.len(),
        expected: format!("{}={}", algorithm.token(), STANDARD.encode(&expected)),
        got: shorten(value),
    })
}

/// Compares a `Content-Digest` header with a body: every recognised digest must match, and one must be
/// recognised.
///
/// # Errors
/// The `Digest…` variants of [`Refusal`].
pub fn check_content_digest(value: &str, body: &[u8]) -> Result<(), Refusal> {
    let malformed = || Refusal::DigestMalformed {
        header: "Content-Digest",
        form: "sha-256=:<base64>: or sha-512=:<base64>:",
        got: shorten(value),
    };
    let members: sfv::Dictionary = sfv::Parser::new(value).parse().map_err(|_| malformed())?;
    let mut recognised = 0;
    for (key, entry) in &members {
        let sfv::ListEntry::Item(item) = entry else { return Err(malformed()) };
        let got = item.bare_item.as_byte_sequence().ok_or_else(malformed)?;
        let Some(algorithm) = DigestAlgorithm::of(key.as_str()) else { continue };
        recognised += 1;
        let expected = algorithm.hash(body);
        verify_slices_are_equal(&expected, got).map_err(|_| Refusal::DigestMismatch {
            octets: body.len(),
            expected: content_digest_header(algorithm, body),
            got: shorten(value),
        })?;
    }
    if recognised == 0 {
        return Err(Refusal::DigestAlgorithmNotAllowed(shorten(value)));
    }
    Ok(())
}

/// Header values go into error texts; a long one is cut.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_specification() {
        assert_eq!(
            digest_header(DigestAlgorithm::Sha256, b""),
            "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
        assert_eq!(
            digest_header(DigestAlgorithm::Sha512, b""),
            "SHA-512=z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
        );
        assert_eq!(
            digest_header(DigestAlgorithm::Sha256, br#"{"hello": "world"}"#),
            "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="
        );
    }

    #[test]
    fn the_algorithm_may_be_left_out_where_that_is_allowed() {
        let bare = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(check_digest(bare, b"", Prefix::Optional), Ok(()));
        assert_eq!(check_digest(bare, b"", Prefix::Required).unwrap_err().reason(), "digest_malformed");
        assert_eq!(check_digest(&format!("sha-256={bare}"), b"", Prefix::Required), Ok(()));
    }

    #[test]
    fn refuses_with_a_reason() {
        for (value, reason) in [
            ("", "digest_malformed"),
            ("SHA-256=", "digest_malformed"),
            ("SHA-256=not base64", "digest_malformed"),
            ("SHA-1=2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "digest_algorithm_not_allowed"),
            ("MD5=1B2M2Y8AsgTpgAmY7PhCfg==", "digest_algorithm_not_allowed"),
            ("SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=", "digest_mismatch"),
            ("SHA-256=AAAA", "digest_mismatch"),
            ("SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=,SHA-512=AAAA", "digest_malformed"),
        ] {
            assert_eq!(check_digest(value, b"", Prefix::Required).unwrap_err().reason(), reason, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(value in "\\PC{0,200}", body in proptest::collection::vec(proptest::num::u8::ANY, 0..50)) {
            for prefix in [Prefix::Optional, Prefix::Required] {
                let _ = check_digest(&value, &body, prefix);
            }
            let _ = check_content_digest(&value, &body);
        }

        #[test]
        fn one_octet_changed_is_found(mut body in proptest::collection::vec(proptest::num::u8::ANY, 1..50), at in proptest::num::usize::ANY) {
            let (digest, content) = (digest_header(DigestAlgorithm::Sha512, &body), content_digest_header(DigestAlgorithm::Sha256, &body));
            check_digest(&digest, &body, Prefix::Required).unwrap();
            check_content_digest(&content, &body).unwrap();
            let at = at % body.len();
            body[at] ^= 1;
            proptest::prop_assert!(check_digest(&digest, &body, Prefix::Required).is_err());
            proptest::prop_assert!(check_content_digest(&content, &body).is_err());
        }
    }
}
