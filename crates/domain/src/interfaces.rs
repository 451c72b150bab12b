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

/// What an interface is to the layers below it. A new one says it here, and nowhere else.
struct Facts {
    /// The stable name that is stored and shown.
    name: &'static str,
    /// What people know it by.
    title: &'static str,
    /// Whether third parties register with it, and are clients of an authorization server that keeps to OpenID Connect;
    /// otherwise they are recognised by a certificate.
    registers: bool,
    /// Whether each consent and each payment has authorisations of its own, which the third party confirms.
    confirms: bool,
    /// How messages call the certificate on whose word a third party acts here.
    certificate: &'static str,
    /// What a third party does to act on the word of another certificate.
    remedy: &'static str,
}

impl Interface {
    /// Every interface.
    pub const ALL: [Self; 2] = [Self::BerlinGroup, Self::Bunq];

    /// The one whose third parties are the clients of the authorization server.
    pub const OF_CLIENTS: Self = Self::BerlinGroup;

    const fn facts(self) -> Facts {
        match self {
            Self::BerlinGroup => Facts {
                name: "berlin-group",
                title: "NextGenPSD2",
                registers: true,
                confirms: true,
                certificate: "the certificate of the registration of",
                remedy: "register again with a certificate that is in use",
            },
            Self::Bunq => Facts {
                name: "bunq",
                title: "bunq",
                registers: false,
                confirms: false,
                certificate: "the certificate behind the API key of",
                remedy: "trade a certificate that is in use for a new API key",
            },
        }
    }

    /// The stable name that is stored and shown.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// What people know it by.
    pub const fn title(self) -> &'static str {
        self.facts().title
    }

    /// The interface with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interface| interface.name() == name)
    }

    /// Whether third parties register with it, and are clients of an authorization server that keeps to OpenID Connect;
    /// otherwise they are recognised by a certificate.
    pub fn registers(self) -> bool {
        self.facts().registers
    }

    /// Whether each consent and each payment has authorisations of its own, which the third party confirms.
    pub fn confirms(self) -> bool {
        self.facts().confirms
    }

    /// How messages call the certificate on whose word a third party acts here.
    pub(crate) fn certificate(self) -> &'static str {
        self.facts().certificate
    }

    /// What a third party does to act on the word of another certificate.
    pub(crate) fn remedy(self) -> &'static str {
        self.facts().remedy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_have_stable_names() {
        assert_eq!(Interface::ALL.map(Interface::name), ["berlin-group", "bunq"]);
        assert_eq!(Interface::ALL.into_iter().find(|one| one.registers()), Some(Interface::OF_CLIENTS));
        for interface in Interface::ALL {
            let name = interface.name();
            assert_eq!(Interface::from_name(name), Some(interface));
            assert_eq!(serde_json::to_value(interface).unwrap(), name);
        }
        assert_eq!(Interface::from_name("stet"), None);
    }
}
