//! What a revocation list says of one certificate (RFC 5280, 5 and 6.3).

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Sequence, Tag, TagNumber, Tagged};
use jiff::Timestamp;
use webpki::{BorrowedCertRevocationList, CertRevocationList};
use x509_cert::time::Time;

use super::ocsp::check_time;
use super::{Standing, Status, StatusError};
use crate::certificate::Certificate;
use crate::critical::WireExtension;
use crate::path::{ListError, TrustStore};

#[derive(Sequence)]
struct WireList<'a> {
    tbs: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: AnyRef<'a>,
}

/// Extension issuingDistributionPoint (RFC 5280, 5.2.5).
const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");

/// Reads what the revocation list of an issuer says of a certificate that is valid at `now`. Lists for some certificates
/// only, or by somebody else than the issuer, are taken where rustls-webpki takes them; lists of changes are not.
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
    // Looked through as it came: lists of large authorities have millions of entries, and several may be looked at at once.
    let list = BorrowedCertRevocationList::from_der(der).map_err(|_| malformed())?;
    for entry in &list {
        entry.map_err(|_| malformed())?;
    }
    let list = CertRevocationList::from(list);
    if certificate.is_ca == Some(true) && is_for_users_alone(der).ok_or_else(malformed)? {
        return Err(StatusError::OtherCertificate);
    }
    let mut trust = TrustStore::default();
    trust.add_anchor(&issuer.der).map_err(|error| StatusError::Unusable(error.to_string()))?;
    let standing = match trust.verify_by_list(certificate, now, &list) {
        Ok(None) => Standing::Good,
        Ok(Some(at)) => Standing::Revoked { at },
        Err(ListError::Signer) => return Err(StatusError::Signer),
        Err(ListError::OtherCertificate) => return Err(StatusError::OtherCertificate),
        Err(ListError::Path(error)) => return Err(StatusError::Unusable(error.to_string())),
    };
    Ok(Status { standing, this_update, next_update })
}

/// When a revocation list was made, and when the next one is. None if it is none; what else is in it stays unread.
pub fn times_of_list(list: &[u8]) -> Option<(Timestamp, Option<Timestamp>)> {
    let list = WireList::from_der(list).ok()?;
    let tbs = list.tbs.to_der().ok()?;
    let members = Vec::<AnyRef<'_>>::from_der(&tbs).ok()?;
    let mut times = members.iter().filter_map(|member| member.decode_as::<Time>().ok()).map(|time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
        Timestamp::from_second(seconds).ok()
    });
    Some((times.next()??, times.next().flatten()))
}

/// Whether a list has no certificates of authorities, so that it says nothing of them. None if it cannot be read.
fn is_for_users_alone(list: &[u8]) -> Option<bool> {
    /// Tag of the extensions in TBSCertList (RFC 5280, 5.1).
    const EXTENSIONS: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    /// Tag of onlyContainsUserCerts.
    const USERS_ALONE: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber(1) };
    let list = WireList::from_der(list).ok()?;
    let tbs = list.tbs.to_der().ok()?;
    let members = Vec::<AnyRef<'_>>::from_der(&tbs).ok()?;
    let Some(last) = members.last().filter(|last| last.tag() == EXTENSIONS) else { return Some(false) };
    let extensions = Vec::<WireExtension<'_>>::from_der(last.value()).ok()?;
    let Some(point) = extensions.iter().find(|one| one.id == ISSUING_DISTRIBUTION_POINT) else {
        return Some(false);
    };
    let point = Vec::<AnyRef<'_>>::from_der(point.value.value()).ok()?;
    Some(point.iter().any(|member| member.tag() == USERS_ALONE && member.value() != [0]))
}
