//! What a revocation list says of one certificate (RFC 5280, 5 and 6.3).

use der::asn1::AnyRef;
use der::{Decode, Encode};
use jiff::Timestamp;
use webpki::{BorrowedCertRevocationList, CertRevocationList};
use x509_cert::time::Time;

use super::ocsp::{check_time, is_signed_by};
use super::scope::check_scope;
use super::{Standing, Status, StatusError};
use crate::certificate::Certificate;
use crate::critical::{Softened, WireSigned};
use crate::path::{ListError, Revoked, TrustStore};

/// Reads what the revocation list of an issuer says of a certificate that is valid at `now`. A list for users or authorities alone
/// tells of those; lists by somebody else than the issuer, of changes, and for some reasons alone are not used.
///
/// # Errors
/// [`StatusError`] if it does not tell how the certificate stands at `now`.
pub fn by_list(
    der: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    now: Timestamp,
) -> Result<Status, StatusError> {
    let malformed = || StatusError::Malformed("revocation list");
    let (this_update, next_update) = times_of_list(der).ok_or_else(malformed)?;
    // Every list has it (RFC 5280, 5.1.2.5).
    let next_update = Some(next_update.ok_or_else(malformed)?);
    check_time(this_update, next_update, now)?;
    match read_list(der, certificate, issuer, now) {
        // Nobody has looked at its signature where it is about others.
        Err(StatusError::OtherCertificate) if !is_list_of(der, issuer) => Err(StatusError::Signer),
        Err(error) => Err(error),
        Ok(standing) => Ok(Status { standing, this_update, next_update }),
    }
}

fn read_list(
    der: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    now: Timestamp,
) -> Result<Standing, StatusError> {
    // Looked through as it came: lists of large authorities have millions of entries, and several may be looked at at once.
    let scoped = check_scope(der, certificate)?.then(|| Softened::without_scope(der));
    let list = BorrowedCertRevocationList::from_der(scoped.as_ref().map_or(der, Softened::der));
    let list = list.map_err(unreadable)?;
    for entry in &list {
        entry.map_err(unreadable)?;
    }
    let list = CertRevocationList::from(list);
    let mut trust = TrustStore::default();
    trust.add_anchor(&issuer.der).map_err(|error| StatusError::Unusable(error.to_string()))?;
    // The library knows of no certificate that may be used before its time.
    let at = if certificate.may_be_used_at(now) { now.max(certificate.not_before) } else { now };
    match trust.verify_by_list(certificate, at, (&list, scoped.as_ref())) {
        Ok(None) => Ok(Standing::Good),
        Ok(Some(Revoked { at, is_hold: true })) => Ok(Standing::Suspended { at }),
        Ok(Some(Revoked { at, is_hold: false })) => Ok(Standing::Revoked { at }),
        Err(ListError::Signer) => Err(StatusError::Signer),
        Err(ListError::OtherCertificate) => Err(StatusError::OtherCertificate),
        Err(ListError::Path(error)) => Err(StatusError::Unusable(error.to_string())),
    }
}

/// Whether an issuer signed a list.
fn is_list_of(list: &[u8], issuer: &Certificate) -> bool {
    let Ok(list) = WireSigned::from_der(list) else { return false };
    let (Ok(signed), Some((0, signature))) = (list.tbs.to_der(), list.signature.value().split_first()) else {
        return false;
    };
    is_signed_by(&issuer.public_key, (list.algorithm.value(), signature), &signed)
}

/// When a revocation list was made, and when the next one is. None if it is none; what else is in it stays unread.
pub fn times_of_list(list: &[u8]) -> Option<(Timestamp, Option<Timestamp>)> {
    let list = WireSigned::from_der(list).ok()?;
    let tbs = list.tbs.to_der().ok()?;
    let members = Vec::<AnyRef<'_>>::from_der(&tbs).ok()?;
    let mut times = members.iter().filter_map(|member| member.decode_as::<Time>().ok()).map(|time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
        Timestamp::from_second(seconds).ok()
    });
    Some((times.next()??, times.next().flatten()))
}

/// Why a list is not read by the library.
fn unreadable(error: webpki::Error) -> StatusError {
    use webpki::Error as E;
    let why = match error {
        E::UnsupportedDeltaCrl => "it lists what changed since another list alone (a delta list)",
        E::UnsupportedIndirectCrl => "it is about certificates of other issuers too (an indirect list)",
        E::UnsupportedCriticalExtension => "it has a critical extension that is not understood here",
        E::UnsupportedCrlVersion => "it is not of version 2",
        _ => return StatusError::Malformed("revocation list"),
    };
    StatusError::Unusable(why.to_owned())
}
