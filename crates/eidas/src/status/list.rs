//! What a revocation list says of one certificate (RFC 5280, 5 and 6.3).

use der::asn1::AnyRef;
use der::{Decode, Encode, Sequence};
use jiff::Timestamp;
use x509_cert::time::Time;

use super::ocsp::check_time;
use super::{Standing, Status, StatusError};
use crate::certificate::Certificate;
use crate::path::{ListError, RevocationList, TrustStore};

#[derive(Sequence)]
struct WireList<'a> {
    tbs: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: AnyRef<'a>,
}

/// Reads what the revocation list of an issuer says of a certificate that is valid at `now`. Lists for some certificates
/// only, or by somebody else than the issuer, are taken where rustls-webpki takes them; lists of changes are not.
///
/// # Errors
/// [`StatusError`] if it does not tell how the certificate stands at `now`.
pub fn by_list(
    list: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    now: Timestamp,
) -> Result<Status, StatusError> {
    let malformed = || StatusError::Malformed("revocation list");
    let (this_update, next_update) = times_of_list(list).ok_or_else(malformed)?;
    // Every list has it (RFC 5280, 5.1.2.5).
    let next_update = Some(next_update.ok_or_else(malformed)?);
    check_time(this_update, next_update, now)?;
    let list = RevocationList::from_der(list).map_err(|_| malformed())?;
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
