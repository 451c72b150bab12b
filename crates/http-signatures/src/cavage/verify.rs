//! Checking the header: algorithm, covered list, time, value, in this order.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{SignatureHeader, signing_string};
use crate::digest::shorten;
use crate::key::{Algorithm, KeyKind, PublicKey};
use crate::{Message, Refusal};

/// What a bank demands and what it puts up with.
///
/// ```
/// use http_signatures::cavage::{Hs2019, Rules};
///
/// let rules = Rules { algorithm_optional: true, hs2019: Hs2019::Draft12, ..Rules::BERLIN_GROUP };
/// assert_eq!(rules.required, ["digest", "x-request-id"]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Headers that must be signed.
    pub required: &'static [&'static str],
    /// Headers that must be signed if the request has them.
    pub required_if_present: &'static [&'static str],
    /// `algorithm` may be absent; the key decides.
    pub algorithm_optional: bool,
    /// JCA and JOSE names such as `SHA256withRSA` and `RS256`.
    pub algorithm_aliases: bool,
    /// ECDSA values may be r‖s besides DER.
    pub ecdsa_raw: bool,
    /// What `hs2019` means.
    pub hs2019: Hs2019,
    /// Seconds that a signed `Date` may be off.
    pub date_window: i64,
    /// Seconds that `created` may lie in the future.
    pub skew: i64,
}

/// What `algorithm="hs2019"` means.
///
/// ```
/// use http_signatures::cavage::{Hs2019, Rules};
///
/// assert_eq!(Rules::BERLIN_GROUP.hs2019, Hs2019::Refused);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hs2019 {
    /// It is refused.
    Refused,
    /// As the last drafts say: RSASSA-PSS with SHA-512 for RSA keys.
    Draft12,
    /// What a key of its kind usually does: RSASSA-PKCS1-v1_5 with SHA-256 for RSA keys.
    Natural,
}

impl Rules {
    /// NextGenPSD2 1.3.x to the letter.
    pub const BERLIN_GROUP: Self = Self {
        required: &["digest", "x-request-id"],
        required_if_present: &["psu-id", "psu-corporate-id", "tpp-redirect-uri"],
        algorithm_optional: false,
        algorithm_aliases: false,
        ecdsa_raw: false,
        hs2019: Hs2019::Refused,
        date_window: 300,
        skew: 60,
    };
}

const ALLOWED: &str = "rsa-sha256 or rsa-sha512 (ecdsa-sha256 with an EC P-256 key)";

/// Verifies a signature and returns the signing string.
///
/// # Errors
/// The first rule that is broken.
pub fn verify(
    message: &Message<'_>,
    header: &SignatureHeader,
    key: &PublicKey,
    rules: &Rules,
    now: Timestamp,
) -> Result<Vec<u8>, Refusal> {
    let algorithm = choose_algorithm(header, key, rules)?;
    check_covered(message, header, rules)?;
    check_time(message, header, rules, now)?;
    let text = signing_string(&header.headers, message, header.created, header.expires)?;
    if key.verifies(algorithm, &text, &header.signature) {
        return Ok(text);
    }
    Err(Refusal::SignatureMismatch {
        algorithm: algorithm.name(),
        signing_string: String::from_utf8_lossy(&text).into_owned(),
    })
}

/// The algorithm that label and key agree on. The key decides; the label is only compared.
///
/// # Errors
/// [`Refusal::AlgorithmNotAllowed`], [`Refusal::AlgorithmKeyMismatch`],
/// [`Refusal::CreatedNotAllowedWithAlgorithm`]
pub fn choose_algorithm(
    header: &SignatureHeader,
    key: &PublicKey,
    rules: &Rules,
) -> Result<Algorithm, Refusal> {
    let label = header.algorithm.as_deref().unwrap_or_default();
    let lower = label.to_ascii_lowercase();
    let not_allowed = || Refusal::AlgorithmNotAllowed { got: label.to_owned(), allowed: ALLOWED };
    let dates_forbidden = ["rsa", "hmac", "ecdsa"].iter().any(|start| lower.starts_with(start));
    let covers_dates = header.headers.iter().any(|name| matches!(name.as_str(), "(created)" | "(expires)"));
    let algorithm = match lower.as_str() {
        "rsa-sha256" => Algorithm::RsaPkcs1Sha256,
        "rsa-sha512" => Algorithm::RsaPkcs1Sha512,
        "sha256withrsa" | "rs256" | "sha-256" if rules.algorithm_aliases => Algorithm::RsaPkcs1Sha256,
        "sha512withrsa" | "rs512" | "sha-512" if rules.algorithm_aliases => Algorithm::RsaPkcs1Sha512,
        "ecdsa-sha256" => ecdsa_encoding(header, rules),
        "hs2019" => match rules.hs2019 {
            Hs2019::Refused => return Err(not_allowed()),
            Hs2019::Draft12 if key.kind() == KeyKind::Rsa => Algorithm::RsaPssSha512,
            _ => natural(key.kind(), header, rules),
        },
        "" if rules.algorithm_optional => natural(key.kind(), header, rules),
        _ => return Err(not_allowed()),
    };
    if algorithm.key_kind() != key.kind() {
        return Err(Refusal::AlgorithmKeyMismatch { algorithm: label.to_owned(), key: key.kind().name() });
    }
    if dates_forbidden && covers_dates {
        return Err(Refusal::CreatedNotAllowedWithAlgorithm(label.to_owned()));
    }
    Ok(algorithm)
}

/// Checks that the list has no name twice and holds everything that must be signed.
///
/// # Errors
/// [`Refusal::DuplicateCoveredHeader`], [`Refusal::RequiredHeaderNotCovered`]
pub fn check_covered(message: &Message<'_>, header: &SignatureHeader, rules: &Rules) -> Result<(), Refusal> {
    let covered: Vec<String> = header.headers.iter().map(|name| name.to_ascii_lowercase()).collect();
    let mut seen = HashSet::new();
    if let Some(twice) = covered.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(Refusal::DuplicateCoveredHeader(twice.clone()));
    }
    let present = rules.required_if_present.iter().filter(|name| message.headers.contains_key(**name));
    for name in rules.required.iter().chain(present) {
        if !covered.iter().any(|known| known == name) {
            return Err(Refusal::RequiredHeaderNotCovered { missing: (*name).to_owned(), covered });
        }
    }
    Ok(())
}

fn check_time(
    message: &Message<'_>,
    header: &SignatureHeader,
    rules: &Rules,
    now: Timestamp,
) -> Result<(), Refusal> {
    let moment = |seconds| {
        Timestamp::from_second(seconds)
            .map_err(|_| Refusal::SignatureHeaderMalformed("created or expires is no date".to_owned()))
    };
    if let Some(created) = header.created.filter(|created| *created > now.as_second() + rules.skew) {
        return Err(Refusal::NotYetValid(moment(created)?));
    }
    if let Some(expires) = header.expires.filter(|expires| *expires < now.as_second()) {
        return Err(Refusal::Expired(moment(expires)?));
    }
    if header.headers.iter().any(|name| name.eq_ignore_ascii_case("date")) {
        let got = String::from_utf8_lossy(&message.field("date")?).into_owned();
        // The obsolete forms too: whoever reads must take all three (RFC 9110, 5.6.7).
        let date = httpdate::parse_http_date(got.trim()).ok().and_then(|date| Timestamp::try_from(date).ok());
        let Some(date) = date else {
            return Err(Refusal::DateMalformed { got: shorten(&got) });
        };
        if (date.as_second() - now.as_second()).abs() > rules.date_window {
            return Err(Refusal::DateOutOfWindow { got: shorten(&got), now, window: rules.date_window });
        }
    }
    Ok(())
}

fn natural(kind: KeyKind, header: &SignatureHeader, rules: &Rules) -> Algorithm {
    match kind {
        KeyKind::Rsa => Algorithm::RsaPkcs1Sha256,
        KeyKind::P256 => ecdsa_encoding(header, rules),
        KeyKind::P384 => Algorithm::EcdsaP384Sha384Asn1,
        KeyKind::P521 => Algorithm::EcdsaP521Sha512Asn1,
        KeyKind::Ed25519 => Algorithm::Ed25519,
    }
}

fn ecdsa_encoding(header: &SignatureHeader, rules: &Rules) -> Algorithm {
    // A DER value of 64 octets would need both numbers shorter than 30 octets.
    if rules.ecdsa_raw && header.signature.len() == 64 {
        Algorithm::EcdsaP256Sha256Fixed
    } else {
        Algorithm::EcdsaP256Sha256Asn1
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;

    #[test]
    fn a_signed_date_comes_in_the_three_forms_of_http() {
        let header = SignatureHeader::parse(
            "keyId=\"k\",algorithm=\"rsa-sha256\",headers=\"date\",signature=\"AAAA\"",
        )
        .unwrap();
        let now: Timestamp = "2026-11-26T12:50:00Z".parse().unwrap();
        let check = |date: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("date", HeaderValue::from_str(date).unwrap());
            let message = Message { method: &Method::GET, target: "/", base_uri: "", headers: &headers };
            check_time(&message, &header, &Rules::BERLIN_GROUP, now).map_err(|refusal| refusal.reason())
        };
        for right in
            ["Thu, 26 Nov 2026 12:49:46 GMT", "Thursday, 26-Nov-26 12:49:46 GMT", "Thu Nov 26 12:49:46 2026"]
        {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        for late in ["Thursday, 26-Nov-26 12:39:46 GMT", "Thu Nov 26 12:39:46 2026"] {
            assert_eq!(check(late), Err("date_out_of_window"), "{late}");
        }
        for wrong in ["Thu, 26 Nov 2026 12:49:46 UTC", "2026-11-26T12:49:46Z", "now"] {
            assert_eq!(check(wrong), Err("date_malformed"), "{wrong}");
        }
    }
}
