//! Identifiers and hashes, each a type of its own so that one cannot stand for another.

/// Identity of a third party: the organizationIdentifier of its certificate, byte for byte. It is also its
/// OAuth client id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct TppId(String);

impl TppId {
    /// Takes an identifier that was read from a certificate or stored before.
    pub fn new(organization_identifier: impl Into<String>) -> Self {
        Self(organization_identifier.into())
    }

    /// The identifier's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&eidas::OrganizationIdentifier> for TppId {
    fn from(identifier: &eidas::OrganizationIdentifier) -> Self {
        Self(identifier.as_str().to_owned())
    }
}

impl std::fmt::Display for TppId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The `X-Request-ID` of a call: what the caller sent, or one made here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// Takes an id as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes an id that was made or stored before.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A consent: a UUID in lower case.
    ConsentId
);
id!(
    /// An authorisation: a UUID in lower case.
    AuthorisationId
);
id!(
    /// An account, as the bank itself names it.
    AccountId
);
id!(
    /// A customer of the bank (PSU), as the bank itself names them.
    CustomerId
);
id!(
    /// A payment: a UUID in lower case, or what an interface made of its own names for one that is to be made once.
    PaymentId
);
id!(
    /// A consent for confirmation of funds: a UUID in lower case.
    FundsConsentId
);
id!(
    /// What a customer authorised at the authorization server: the family of tokens from one code.
    GrantId
);

/// SHA-256 of a secret of at least 122 random bits, in lower-case hexadecimal. Secrets with so much entropy
/// need no slow hash; secrets themselves are never stored.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct SecretHash(String);

impl SecretHash {
    /// Takes a hash in lower-case hexadecimal.
    pub fn from_hex(hex: impl Into<String>) -> Self {
        Self(hex.into())
    }

    /// The hash in lower-case hexadecimal.
    pub fn as_hex(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash(…)")
    }
}
