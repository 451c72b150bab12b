//! What not every interface offers.

/// What not every interface offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Asking for a consent.
    Consent,
    /// Asking what became of one.
    ConsentStatus,
    /// Getting new tokens.
    Refresh,
    /// Giving tokens back.
    Revoke,
    /// Looking at the OAuth client.
    OauthClient,
    /// Paying on a later day, repeatedly, many at once, or in other ways than the one that there is.
    PayOtherwise,
    /// Preparing a payment from an account of a connected customer.
    Draft,
    /// Asking what became of one.
    DraftStatus,
    /// Asking for a consent for confirmation of funds, and what comes of it.
    FundsConsent,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Consent => "consent",
            Self::ConsentStatus => "status consent",
            Self::Refresh => "refresh",
            Self::Revoke => "revoke",
            Self::OauthClient => "oauth-client",
            Self::PayOtherwise => "any payment but one of euros, at once, to an IBAN, without an end-to-end reference or the payee's bank and address",
            Self::Draft => "draft",
            Self::DraftStatus => "status draft",
            Self::FundsConsent => "funds consent",
        })
    }
}
