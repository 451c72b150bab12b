//! What attribute types and extensions are called.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;

use crate::oid;

/// Short names of attribute types, as certificates' readers know them.
pub(super) const SHORT_NAMES: &[(&str, &str)] = &[
    ("CN", "2.5.4.3"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("T", "2.5.4.12"),
    ("POSTALCODE", "2.5.4.17"),
    ("GIVENNAME", "2.5.4.42"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
];

/// Other spellings that text forms use; read, never written.
pub(super) const ALIASES: &[(&str, &str)] = &[
    ("S", "2.5.4.8"),
    ("E", "1.2.840.113549.1.9.1"),
    ("EMAIL", "1.2.840.113549.1.9.1"),
    ("TITLE", "2.5.4.12"),
    ("SURNAME", "2.5.4.4"),
    ("SN", "2.5.4.4"),
    ("BUSINESSCATEGORY", "2.5.4.15"),
    ("ORGANIZATIONIDENTIFIER", "2.5.4.97"),
    ("JURISDICTIONCOUNTRYNAME", "1.3.6.1.4.1.311.60.2.1.3"),
];

/// The short name of a type, or its identifier.
pub(super) fn type_name(oid: ObjectIdentifier) -> Cow<'static, str> {
    short_name(oid).map_or_else(|| Cow::Owned(oid.to_string()), Cow::Borrowed)
}

/// The usual short name of an attribute type, for example `CN`.
pub fn short_name(oid: ObjectIdentifier) -> Option<&'static str> {
    let dotted = oid.to_string();
    SHORT_NAMES.iter().find(|(_, known)| *known == dotted).map(|(name, _)| *name)
}

/// The name that people read: `organizationIdentifier` for the attribute all of this is about.
pub fn display_name(oid: ObjectIdentifier) -> String {
    if oid == oid::ORGANIZATION_IDENTIFIER {
        return "organizationIdentifier".to_owned();
    }
    short_name(oid).map_or_else(|| oid.to_string(), str::to_owned)
}

/// The name of an extension for messages, with its identifier.
pub(crate) fn extension_name(oid: ObjectIdentifier) -> String {
    let known = [
        (oid::QC_STATEMENTS, "qcStatements"),
        (oid::KEY_USAGE, "keyUsage"),
        (oid::SUBJECT_ALT_NAME, "subjectAltName"),
        (oid::BASIC_CONSTRAINTS, "basicConstraints"),
        (oid::NAME_CONSTRAINTS, "nameConstraints"),
        (oid::CRL_DISTRIBUTION_POINTS, "cRLDistributionPoints"),
        (oid::EXTENDED_KEY_USAGE, "extKeyUsage"),
        (oid::AUTHORITY_KEY_IDENTIFIER, "authorityKeyIdentifier"),
        (oid::SUBJECT_KEY_IDENTIFIER, "subjectKeyIdentifier"),
        (oid::CERTIFICATE_POLICIES, "certificatePolicies"),
        (oid::POLICY_MAPPINGS, "policyMappings"),
        (oid::POLICY_CONSTRAINTS, "policyConstraints"),
        (oid::INHIBIT_ANY_POLICY, "inhibitAnyPolicy"),
        (oid::AUTHORITY_INFO_ACCESS, "authorityInfoAccess"),
    ];
    let name = known.iter().find(|(known, _)| *known == oid);
    name.map_or_else(|| oid.to_string(), |(_, name)| format!("{name} ({oid})"))
}
