//! Initial access tokens: what a third party gets for a signed call and trades for a registration
//! (RFC 7591, 3; OpenID Connect Dynamic Client Registration 1.0, 3).

use jiff::SignedDuration;

use crate::{Refusal, SecretHash, Tenant, Timestamp};

/// A token as the bank remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialAccessToken {
    /// Hash of the token.
    pub hash: SecretHash,
    /// Fingerprint of the certificate that signed the call.
    pub certificate: String,
    /// The tenant where it was given out, whose clock decides when it expires.
    pub tenant: Tenant,
    /// Until when it may be used.
    pub expires_at: Timestamp,
    /// The registration that it was used for, as a hash of the request.
    pub used_by: Option<SecretHash>,
}

impl InitialAccessToken {
    /// A token given out at `now`, for one registration.
    pub fn issue(
        hash: SecretHash,
        certificate: String,
        tenant: Tenant,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> Self {
        // Only a moment at the very end of time could overflow.
        let expires_at = now.saturating_add(lifetime).unwrap_or(now);
        Self { hash, certificate, tenant, expires_at, used_by: None }
    }

    /// Checks that the token may be used at `now`, by the clock of its tenant.
    ///
    /// # Errors
    /// [`Refusal::InitialAccessTokenExpired`]
    pub fn check_at(&self, now: Timestamp) -> Result<(), Refusal> {
        if now < self.expires_at {
            Ok(())
        } else {
            Err(Refusal::InitialAccessTokenExpired { at: self.expires_at })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

    #[test]
    fn a_token_lives_a_day() {
        let now = Timestamp::UNIX_EPOCH;
        let (hash, tenant) = (SecretHash::from_hex("00"), Tenant::parse("nl").unwrap());
        let token = InitialAccessToken::issue(hash, "ff".into(), tenant, now, LIFETIME);
        let end = now + LIFETIME;
        assert_eq!(token.check_at(end - SignedDuration::from_secs(1)), Ok(()));
        assert_eq!(token.check_at(end), Err(Refusal::InitialAccessTokenExpired { at: end }));
    }
}
