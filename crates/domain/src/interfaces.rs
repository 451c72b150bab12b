//! Interfaces: the places where third parties call. What a customer approves at one is worth nothing at another.

use serde::{Deserialize, Serialize};

/// An interface of the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interface {
    /// NextGenPSD2: a third party registers with a certificate and signs each call.
    BerlinGroup,
    /// bunq: a third party trades a certificate for an API key.
    Bunq,
}

impl Interface {
    /// Every interface with its name.
    pub const NAMES: [(Self, &'static str); 2] = [(Self::BerlinGroup, "berlin-group"), (Self::Bunq, "bunq")];

    /// The stable name that is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::BerlinGroup => "berlin-group",
            Self::Bunq => "bunq",
        }
    }

    /// The interface with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(interface, _)| *interface)
    }

    /// How messages call the certificate on whose word a third party acts here.
    pub(crate) fn certificate(self) -> &'static str {
        match self {
            Self::BerlinGroup => "the certificate of the registration of",
            Self::Bunq => "the certificate behind the API key of",
        }
    }

    /// What a third party does to act on the word of another certificate.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::BerlinGroup => "register again with a certificate that is in use",
            Self::Bunq => "trade a certificate that is in use for a new API key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_have_stable_names() {
        for (interface, name) in Interface::NAMES {
            assert_eq!((interface.name(), Interface::from_name(name)), (name, Some(interface)));
            assert_eq!(serde_json::to_value(interface).unwrap(), name);
        }
        assert_eq!(Interface::from_name("stet"), None);
    }
}
