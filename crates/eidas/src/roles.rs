//! The roles a payment service provider can hold (ETSI TS 119 495, 5.2.2 and Annex A).
//!
//! One table maps object identifier, registered name and meaning, so that a new role is one row.

use der::asn1::ObjectIdentifier;
use serde::{Deserialize, Serialize};

/// A role of a payment service provider, as its authority granted it.
///
/// ```
/// use eidas::Role;
///
/// assert_eq!(Role::from_name("PSP_AI"), Some(Role::AccountInformation));
/// assert_eq!(Role::AccountInformation.oid().to_string(), "0.4.0.19495.1.3");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Role {
    /// No role is said; it stands alone and grants nothing.
    Unspecified,
    /// Account servicing: the bank itself.
    #[serde(rename = "PSP_AS")]
    AccountServicing,
    /// Payment initiation (PISP).
    #[serde(rename = "PSP_PI")]
    PaymentInitiation,
    /// Account information (AISP).
    #[serde(rename = "PSP_AI")]
    AccountInformation,
    /// Issuing of card-based payment instruments (CBPII): may ask for confirmation of funds.
    #[serde(rename = "PSP_IC")]
    CardIssuing,
    /// International central bank (since V1.8.1).
    #[serde(rename = "PSP_CB")]
    CentralBank,
    /// Public authority (since V1.8.1).
    #[serde(rename = "PSP_PA")]
    PublicAuthority,
    /// Verification of payee, first role (since V1.8.1).
    #[serde(rename = "VOP_RS")]
    VerificationOfPayeeRs,
    /// Verification of payee, second role (since V1.8.1).
    #[serde(rename = "VOP_VS")]
    VerificationOfPayeeVs,
}

const TABLE: &[(Role, &str, ObjectIdentifier)] = &[
    (Role::Unspecified, "Unspecified", ObjectIdentifier::new_unwrap("0.4.0.19495.1.0")),
    (Role::AccountServicing, "PSP_AS", ObjectIdentifier::new_unwrap("0.4.0.19495.1.1")),
    (Role::PaymentInitiation, "PSP_PI", ObjectIdentifier::new_unwrap("0.4.0.19495.1.2")),
    (Role::AccountInformation, "PSP_AI", ObjectIdentifier::new_unwrap("0.4.0.19495.1.3")),
    (Role::CardIssuing, "PSP_IC", ObjectIdentifier::new_unwrap("0.4.0.19495.1.4")),
    (Role::CentralBank, "PSP_CB", ObjectIdentifier::new_unwrap("0.4.0.19495.1.5")),
    (Role::PublicAuthority, "PSP_PA", ObjectIdentifier::new_unwrap("0.4.0.19495.1.6")),
    (Role::VerificationOfPayeeRs, "VOP_RS", ObjectIdentifier::new_unwrap("0.4.0.19495.1.51")),
    (Role::VerificationOfPayeeVs, "VOP_VS", ObjectIdentifier::new_unwrap("0.4.0.19495.1.52")),
];

impl Role {
    /// The three roles under which a third party may call a bank.
    pub const THIRD_PARTY: [Role; 3] = [Role::PaymentInitiation, Role::AccountInformation, Role::CardIssuing];

    /// The registered name, for example `PSP_AI`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The registered object identifier, for example 0.4.0.19495.1.3.
    pub fn oid(self) -> ObjectIdentifier {
        self.row().2
    }

    /// The role with this object identifier, if it is a registered one.
    pub fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        TABLE.iter().find(|row| row.2 == oid).map(|row| row.0)
    }

    /// The role with exactly this registered name.
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Every registered name, for messages that say what would have been right.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.1)
    }

    fn row(self) -> &'static (Role, &'static str, ObjectIdentifier) {
        // The table has a row for each variant; the test below holds it to that.
        TABLE.iter().find(|row| row.0 == self).unwrap_or(&TABLE[0])
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_finds_its_own_row() {
        for (role, name, oid) in TABLE {
            assert_eq!((role.name(), role.oid()), (*name, *oid));
            assert_eq!(Role::from_oid(*oid), Some(*role));
            assert_eq!(Role::from_name(name), Some(*role));
            assert_eq!(serde_json::to_value(role).unwrap(), *name);
        }
        let mut roles: Vec<_> = TABLE.iter().map(|row| row.0).collect();
        roles.sort();
        roles.dedup();
        assert_eq!(roles.len(), TABLE.len());
        assert_eq!(roles.last(), Some(&Role::VerificationOfPayeeVs), "a variant is missing from the table");
    }
}
