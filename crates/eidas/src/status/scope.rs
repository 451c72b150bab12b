//! Which certificates a revocation list is about (extension issuingDistributionPoint; RFC 5280, 5.2.5 and 6.3.3).
//!
//! rustls-webpki takes such lists where they name an address, and for the certificates of users alone. So it is read here.

use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};

use super::StatusError;
use crate::certificate::Certificate;
use crate::critical::{ISSUING_DISTRIBUTION_POINT, OF_LIST, WireExtension, WireSigned};

const POINT: TagNumber = TagNumber(0);
const USERS_ALONE: TagNumber = TagNumber(1);
const AUTHORITIES_ALONE: TagNumber = TagNumber(2);
const SOME_REASONS: TagNumber = TagNumber(3);
const INDIRECT: TagNumber = TagNumber(4);
const ATTRIBUTES_ALONE: TagNumber = TagNumber(5);

/// Checks that a list is about a certificate of its issuer. Says whether it is about some of them alone.
///
/// # Errors
/// [`StatusError::OtherCertificate`], [`StatusError::Unusable`], [`StatusError::Malformed`]
pub(super) fn check_scope(list: &[u8], certificate: &Certificate) -> Result<bool, StatusError> {
    let malformed = |_| StatusError::Malformed("revocation list");
    let list = WireSigned::from_der(list).map_err(malformed)?;
    let members = parts(list.tbs.value()).map_err(malformed)?;
    let Some(last) = members.last().filter(|last| last.tag() == OF_LIST) else { return Ok(false) };
    let extensions = Vec::<WireExtension<'_>>::from_der(last.value()).map_err(malformed)?;
    let mut scopes = extensions.iter().filter(|one| one.id == ISSUING_DISTRIBUTION_POINT);
    let Some(scope) = scopes.next() else { return Ok(false) };
    if scopes.next().is_some() {
        return Err(StatusError::Malformed("revocation list"));
    }
    let scope = AnyRef::from_der(scope.value.value()).map_err(malformed)?;
    if scope.tag() != Tag::Sequence {
        return Err(StatusError::Malformed("revocation list"));
    }
    for member in parts(scope.value()).map_err(malformed)? {
        check_member(member, certificate)?;
    }
    Ok(true)
}

fn check_member(member: AnyRef<'_>, certificate: &Certificate) -> Result<(), StatusError> {
    let malformed = || StatusError::Malformed("revocation list");
    let unusable = |why: &str| Err(StatusError::Unusable(why.to_owned()));
    let is_authority = certificate.is_ca == Some(true);
    let is_about = match member.tag() {
        Tag::ContextSpecific { constructed: true, number: POINT } => {
            let name = AnyRef::from_der(member.value()).map_err(|_| malformed())?;
            return check_name(name, certificate);
        }
        Tag::ContextSpecific { constructed: false, number: SOME_REASONS } => {
            return unusable("it is about some reasons of revocation alone");
        }
        Tag::ContextSpecific { constructed: false, number } => {
            let is_said = match member.value() {
                [0] => false,
                [0xff] => true,
                _ => return Err(malformed()),
            };
            match number {
                USERS_ALONE => !(is_said && is_authority),
                AUTHORITIES_ALONE => !is_said || is_authority,
                INDIRECT if is_said => {
                    return unusable("it is about certificates of other issuers too (an indirect list)");
                }
                ATTRIBUTES_ALONE if is_said => {
                    return unusable("it is about attribute certificates alone");
                }
                INDIRECT | ATTRIBUTES_ALONE => true,
                _ => return Err(malformed()),
            }
        }
        _ => return Err(malformed()),
    };
    if is_about { Ok(()) } else { Err(StatusError::OtherCertificate) }
}

/// Checks that the place where a list is issued is one that the certificate names, if it names any.
fn check_name(name: AnyRef<'_>, certificate: &Certificate) -> Result<(), StatusError> {
    const FULL_NAME: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    const RELATIVE_NAME: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(1) };
    const URI: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber(6) };
    match name.tag() {
        FULL_NAME => {}
        RELATIVE_NAME => {
            let why = "the name of its distribution point is relative to its issuer";
            return Err(StatusError::Unusable(why.to_owned()));
        }
        _ => return Err(StatusError::Malformed("revocation list")),
    }
    let names = parts(name.value()).map_err(|_| StatusError::Malformed("revocation list"))?;
    let points = &certificate.crl_distribution_points;
    let is_named =
        |name: &AnyRef<'_>| name.tag() == URI && points.iter().any(|point| point.as_bytes() == name.value());
    if points.is_empty() || names.iter().any(is_named) { Ok(()) } else { Err(StatusError::OtherCertificate) }
}

/// What stands one behind the other.
fn parts(octets: &[u8]) -> Result<Vec<AnyRef<'_>>, der::Error> {
    let mut reader = SliceReader::new(octets)?;
    let mut parts = Vec::new();
    while !reader.is_finished() {
        parts.push(AnyRef::decode(&mut reader)?);
    }
    Ok(parts)
}
