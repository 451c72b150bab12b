//! Certificates with a fault that has a name, each for a test of whoever has to tell it.

use eidas::issue::CertificateRequest;
use eidas::{OrganizationIdentifier, Role};
use jiff::SignedDuration;

use crate::management::Error;

/// An RSA key of 1024 bits, which everybody knows: it is here to be refused.
pub(crate) const WEAK_KEY: (&str, &str) = (include_str!("weak_key.pem"), include_str!("weak_key_public.pem"));

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertificateFault {
    /// Its time was over yesterday.
    Expired,
    /// Its time begins in thirty days.
    NotYetValid,
    /// Its authority revoked it.
    Revoked,
    /// It is for a bank (PSP_AS), and for no service of third parties.
    WrongRole,
    /// Its organisation is known by a VAT number and not by that of an authorisation.
    WrongOrganisation,
    /// Its authority is none that the bank trusts.
    UnknownCa,
    /// Its key has 1024 bits.
    WeakKey,
    /// Between it and the root there is an authority whose certificate nobody has.
    MissingChain,
}

impl CertificateFault {
    const NAMES: [(&'static str, Self); 8] = [
        ("expired", Self::Expired),
        ("not-yet-valid", Self::NotYetValid),
        ("revoked", Self::Revoked),
        ("wrong-role", Self::WrongRole),
        ("wrong-organisation", Self::WrongOrganisation),
        ("unknown-ca", Self::UnknownCa),
        ("weak-key", Self::WeakKey),
        ("missing-chain", Self::MissingChain),
    ];

    /// The fault with this name.
    pub(crate) fn parse(name: &str) -> Result<Self, Error> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault);
        found.ok_or_else(|| {
            let names = Self::NAMES.map(|(name, _)| name).join(", ");
            Error::bad("unknown_fault", format!("fault \"{name}\" is not one of {names}"))
        })
    }

    /// Puts the fault into what is asked for, as far as it stands there.
    pub(crate) fn spoil(self, request: &mut CertificateRequest) {
        let day = SignedDuration::from_hours(24);
        match self {
            Self::Expired => {
                request.not_before =
                    request.not_before.saturating_sub(day * 60).unwrap_or(request.not_before);
                request.not_after = request.not_before.saturating_add(day * 59).unwrap_or(request.not_before);
            }
            Self::NotYetValid => {
                request.not_before =
                    request.not_before.saturating_add(day * 30).unwrap_or(request.not_before);
            }
            Self::WrongRole => request.roles = vec![Role::AccountServicing],
            Self::WrongOrganisation => {
                if let Ok(other) = OrganizationIdentifier::parse("VATNL-123456789B01") {
                    request.organization_identifier = other;
                }
            }
            Self::Revoked | Self::UnknownCa | Self::WeakKey | Self::MissingChain => {}
        }
    }
}
