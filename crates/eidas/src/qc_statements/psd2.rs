//! The PSD2 statement: read in the order of its members, each breach noted.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Tag, Tagged};

use super::wire::{OwnedStatement, article, members_of, shape};
use super::{PSD2, QcStatements, QcStatementsError};
use crate::{Role, name};

/// Longest text in the PSD2 statement, in characters (TS 119 495, Annex A).
const MAX_CHARACTERS: usize = 256;

/// The PSD2 statement (TS 119 495, 5.1): what the authority allows and who the authority is.
///
/// ```
/// use eidas::{Certificate, Role};
///
/// let pem = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seal.pem"));
/// let statements = Certificate::from_pem(pem)?.qc_statements.unwrap()?;
/// assert!(statements.psd2_fault().is_none(), "what it says counts");
/// let psd2 = statements.psd2.unwrap();
/// assert_eq!(psd2.roles, [Role::PaymentInitiation, Role::AccountInformation]);
/// assert_eq!(psd2.nca_id, "NL-DNB");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Psd2Statement {
    /// Roles with a registered identifier and its own name.
    pub roles: Vec<Role>,
    /// Roles whose identifier is not registered; they grant nothing.
    pub unknown_roles: Vec<(ObjectIdentifier, String)>,
    /// Name of the competent authority, for display only.
    pub nca_name: String,
    /// Identifier of the competent authority, for example `DE-BAFIN`.
    pub nca_id: String,
}

impl QcStatements {
    /// What the statement says; none where a breach leaves nothing to say.
    pub(super) fn read_psd2(&mut self, statement: &OwnedStatement) -> Option<Psd2Statement> {
        let expected = "a SEQUENCE of rolesOfPSP, nCAName and nCAId in this order (TS 119 495, Annex A)";
        let members: Vec<AnyRef<'_>> = self.info(statement, PSD2, expected)?;
        let [wire_roles, nca_name, nca_id] = members[..] else {
            let texts: Vec<_> = members.iter().map(|member| article(member.tag())).collect();
            self.fault(PSD2, format!("it holds {}, and must be {expected}", texts.join(", ")));
            return None;
        };
        let roles = wire_roles.to_der().ok().and_then(|der| members_of(&der));
        let Some(wire_roles) = roles else {
            let found = article(wire_roles.tag());
            self.fault(
                PSD2,
                format!("rolesOfPSP is {found}, and must be a SEQUENCE; the content must be {expected}"),
            );
            return None;
        };
        if wire_roles.is_empty() {
            self.breaches.push(QcStatementsError::RolesEmpty);
        }
        let (mut roles, mut unknown_roles) = (Vec::new(), Vec::new());
        for (at, role) in (1..).zip(&wire_roles) {
            let Some((oid, name)) = self.read_role(at, role) else { continue };
            match Role::from_oid(oid) {
                Some(role) if role.name() == name => roles.push(role),
                // A role under another name grants nothing: which of the two was meant cannot be known.
                Some(role) => {
                    self.breaches.push(QcStatementsError::RoleName { oid, expected: role.name(), name });
                }
                None => unknown_roles.push((oid, name)),
            }
        }
        // A name in another encoding than it claims is shown all the same.
        let shown_name = nca_name.value().iter().map(|octet| char::from(*octet)).collect();
        let nca_name = self.read_string("nCAName", nca_name);
        let nca_id = self.read_string("nCAId", nca_id);
        if nca_id.as_deref().is_some_and(|nca_id| !nca_id_is_well_formed(nca_id, &roles)) {
            self.breaches.push(QcStatementsError::NcaId(nca_id.clone().unwrap_or_default()));
        }
        let (nca_name, nca_id) = (nca_name.unwrap_or(shown_name), nca_id.unwrap_or_default());
        Some(Psd2Statement { roles, unknown_roles, nca_name, nca_id })
    }

    /// One role, the `at`th: its identifier and name.
    fn read_role(&mut self, at: usize, der: &[u8]) -> Option<(ObjectIdentifier, String)> {
        let members = members_of(der).unwrap_or_default();
        let pair = match &members[..] {
            [oid, name] => ObjectIdentifier::from_der(oid).ok().zip(AnyRef::from_der(name).ok()),
            _ => None,
        };
        let Some((oid, name)) = pair else {
            let found = match members.len() {
                0 | 2 => shape(der),
                more => format!("a SEQUENCE of {more} members"),
            };
            let expected = "a SEQUENCE of its own with roleOfPspOid (OBJECT IDENTIFIER) and roleOfPspName \
                            (UTF8String) (TS 119 495, Annex A)";
            self.fault(PSD2, format!("role {at} of rolesOfPSP is {found}, and must be {expected}"));
            return None;
        };
        Some((oid, self.read_string("roleOfPspName", name)?))
    }

    /// A text. Known types of the wrong kind are read and noted.
    fn read_string(&mut self, field: &'static str, value: AnyRef<'_>) -> Option<String> {
        let read = name::text(value.tag().number().value(), value.value());
        if value.tag() != Tag::Utf8String || read.is_none() {
            let fault = if value.tag() == Tag::Utf8String {
                "is not UTF-8 (its octets look like Latin-1)".to_owned()
            } else {
                format!("is {}", article(value.tag()))
            };
            let is_readable = read.is_some();
            self.breaches.push(QcStatementsError::StringType { field, fault, is_readable });
        }
        let length = read.as_ref().map(|text| text.chars().count())?;
        if !(1..=MAX_CHARACTERS).contains(&length) {
            self.breaches.push(QcStatementsError::StringLength { field, length });
        }
        read
    }
}

/// `NA` is right for the roles whose holder has no competent authority (TS 119 495 V1.8.1).
fn nca_id_is_well_formed(nca_id: &str, roles: &[Role]) -> bool {
    if nca_id == "NA" {
        return roles.iter().any(|role| matches!(role, Role::CentralBank | Role::PublicAuthority));
    }
    let Some((country, authority)) = nca_id.split_once('-') else { return false };
    crate::country::is_assigned(country)
        && (2..=8).contains(&authority.len())
        && authority.bytes().all(|b| b.is_ascii_uppercase())
}
