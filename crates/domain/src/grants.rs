//! Grants: authorization codes, and the tokens that come from them (RFC 6749, RFC 9700).
//!
//! A grant is what one customer authorised for one client: a single subject. Every token belongs to one grant, and
//! ends with it.

use jiff::{SignedDuration, Timestamp};

use crate::{
    AuthorisationId, AuthorizationRequest, CustomerId, GrantId, Interface, Scope, SecretHash, Subject,
    Tenant, TppId,
};

/// Length of a code verifier (RFC 7636, 4.1).
const VERIFIER_LENGTH: std::ops::RangeInclusive<usize> = 43..=128;

/// An authorization code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// Hash of the code.
    pub hash: SecretHash,
    /// Where it was given out.
    pub tenant: Tenant,
    /// What was approved.
    pub authorisation: AuthorisationId,
    /// The request that it answers.
    pub request: AuthorizationRequest,
    /// Who approved.
    pub customer: CustomerId,
    /// When the customer logged in.
    pub authenticated_at: Timestamp,
    /// Until when it may be redeemed.
    pub expires_at: Timestamp,
    /// The grant that it became; a code is used once.
    pub grant: Option<GrantId>,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

impl AuthorizationCode {
    /// Checks everything about the code but its verifier's hash and whether it was used.
    ///
    /// # Errors
    /// [`GrantRefusal`]
    pub fn check(
        &self,
        (client, tenant): (&TppId, &Tenant),
        redirect_uri: &str,
        verifier: Option<&str>,
        now: Timestamp,
    ) -> Result<(), GrantRefusal> {
        if self.request.client != *client {
            return Err(GrantRefusal::CodeOfAnotherClient(client.clone()));
        }
        if self.tenant != *tenant {
            return Err(GrantRefusal::CodeUnknown);
        }
        if now >= self.expires_at {
            return Err(GrantRefusal::CodeExpired { at: self.expires_at });
        }
        if self.request.redirect_uri != redirect_uri {
            return Err(GrantRefusal::RedirectUri);
        }
        let is_fitting = match verifier {
            Some(verifier) => VERIFIER_LENGTH.contains(&verifier.len()),
            None => self.request.code_challenge.is_none(),
        };
        if !is_fitting {
            return Err(GrantRefusal::Verifier);
        }
        Ok(())
    }
}

/// What a customer authorised for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// For whom.
    pub client: TppId,
    /// At which branch.
    pub tenant: Tenant,
    /// At which interface: its audience. At another, its tokens are nothing.
    pub interface: Interface,
    /// What.
    pub subject: Subject,
    /// In which attempt.
    pub authorisation: AuthorisationId,
    /// By whom.
    pub customer: CustomerId,
    /// Whether the client may refresh.
    pub offline_access: bool,
    /// When the customer logged in.
    pub authenticated_at: Timestamp,
    /// Since when none of its tokens may be used.
    pub ended_at: Option<Timestamp>,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

impl Grant {
    /// The scope of its tokens.
    pub fn scope(&self) -> Scope {
        Scope { subject: self.subject.clone(), offline_access: self.offline_access }
    }

    /// Checks that a scope asks for nothing more (RFC 6749, 6).
    ///
    /// # Errors
    /// [`GrantRefusal::Scope`]
    pub fn check_scope(&self, asked: &str) -> Result<(), GrantRefusal> {
        let granted = self.scope().to_string();
        let is_granted = |scope: &str| granted.split(' ').any(|known| known == scope);
        if asked.split_whitespace().all(is_granted) { Ok(()) } else { Err(GrantRefusal::Scope(granted)) }
    }

    /// Ends it. What has ended stays ended.
    pub fn end(self, now: Timestamp) -> Self {
        Self { ended_at: self.ended_at.or(Some(now)), ..self }
    }
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Hash of the token.
    pub hash: SecretHash,
    /// What it belongs to.
    pub grant: GrantId,
    /// What it is for.
    pub kind: TokenKind,
    /// SHA-256 of the TLS client certificate that it is bound to, lower-case hexadecimal (RFC 8705, 3).
    pub certificate: Option<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Until when it may be used.
    pub expires_at: Timestamp,
    /// Since when it was replaced or revoked.
    pub used_at: Option<Timestamp>,
    /// Whether it came from a refresh and nobody has used it yet: the answer may have been lost.
    pub fresh: bool,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Reads data.
    Access,
    /// Gets new tokens, once.
    Refresh,
}

impl TokenKind {
    /// The stable name that is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Access, Self::Refresh].into_iter().find(|kind| kind.name() == name)
    }
}

impl Token {
    /// Whether the token may be used at `now`.
    pub fn is_active_at(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }

    /// Whether this refresh token, which was traded for `pair`, may be traded once more for the same tokens: neither
    /// of them was used, and the first time is no longer ago than `repeatable` (FAPI 2.0 Security Profile, 5.3.2.1).
    pub fn may_be_repeated(&self, pair: [&Self; 2], now: Timestamp, repeatable: SignedDuration) -> bool {
        let last = self.used_at.and_then(|at| at.saturating_add(repeatable).ok());
        last.is_some_and(|last| now < last) && pair.iter().all(|token| token.fresh && token.used_at.is_none())
    }
}

/// A rule about codes and tokens that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefusal {
    /// No such code.
    #[error("Unknown authorization code")]
    CodeUnknown,
    /// The code was given to somebody else. Clients know these words.
    #[error("Authorization code not issued to client: {0}")]
    CodeOfAnotherClient(TppId),
    /// Too late.
    #[error("the authorization code expired at {at}; redeem a code as soon as it comes")]
    CodeExpired {
        /// Since when.
        at: Timestamp,
    },
    /// A second time: whatever came from the first is ended.
    #[error("the authorization code was used before; all tokens that came from it are revoked")]
    CodeUsed,
    /// Another redirect URI than that of the authorization request.
    #[error("redirect_uri differs from that of the authorization request")]
    RedirectUri,
    /// Wrong length, or not what the challenge was made from.
    #[error("code_verifier does not fit the code_challenge: expected 43 to 128 characters with that SHA-256")]
    Verifier,
    /// No such refresh token, or it has ended. Clients know these words.
    #[error("Unknown refresh token")]
    RefreshTokenUnknown,
    /// A refresh token that was replaced came back after the tokens that replaced it were used, or too late; all
    /// tokens of the authorisation are revoked. Clients know these words.
    #[error("Unknown refresh token")]
    RefreshTokenUsed,
    /// What was authorised has ended.
    #[error("{0} has ended; ask the customer for a new one")]
    SubjectEnded(Subject),
    /// More than was authorised.
    #[error("the scope of this authorisation is {0}; ask for that or leave scope out")]
    Scope(String),
    /// The refresh token is bound to a certificate and none was presented, or another one than the first time.
    #[error(
        "the refresh token is bound to a TLS client certificate; present one of the same organisation, and the same \
         one to repeat a refresh"
    )]
    RefreshTokenCertificate,
    /// The access token is bound to another certificate.
    #[error(
        "the token is bound to the TLS client certificate with which it was issued; present that certificate"
    )]
    AccessTokenCertificate,
    /// No access token came along.
    #[error("the access token is missing; send it as Authorization: Bearer")]
    AccessTokenMissing,
    /// No such access token, or it has ended.
    #[error("Access token {0}… is invalid or expired")]
    AccessTokenInvalid(String),
    /// The access token is for something else.
    #[error("the access token was not issued for {0}")]
    AccessTokenOfAnotherSubject(Subject),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SubjectKind;

    const REPEAT_TIME: SignedDuration = SignedDuration::from_mins(5);

    #[test]
    fn a_code_is_checked_from_client_to_verifier() {
        use GrantRefusal as R;
        let now = Timestamp::UNIX_EPOCH;
        let (client, tenant) = (TppId::new("PSDNL-DNB-1"), Tenant::parse("nl").unwrap());
        let code = AuthorizationCode {
            hash: SecretHash::from_hex("00"),
            tenant: tenant.clone(),
            authorisation: AuthorisationId::new("a"),
            request: AuthorizationRequest {
                client: client.clone(),
                interface: Interface::BerlinGroup,
                subject: SubjectKind::Payment.with_id("p"),
                redirect_uri: "https://tpp.example/cb".into(),
                state: None,
                nonce: None,
                code_challenge: Some(String::new()),
                pushed: None,
                offline_access: true,
            },
            customer: CustomerId::new("p"),
            authenticated_at: now,
            expires_at: now + SignedDuration::from_mins(5),
            grant: None,
            version: 1,
        };
        let (verifier, uri) = ("v".repeat(43), "https://tpp.example/cb");
        let other = (TppId::new("PSDNL-DNB-2"), Tenant::parse("uk").unwrap());
        let us = (&client, &tenant);
        let end = code.expires_at;
        assert_eq!(code.check(us, uri, Some(&verifier), now), Ok(()));
        assert_eq!(code.check(us, uri, None, now), Err(R::Verifier));
        for (who, uri, verifier, at, refusal) in [
            ((&other.0, &tenant), uri, &verifier, now, R::CodeOfAnotherClient(other.0.clone())),
            ((&client, &other.1), uri, &verifier, now, R::CodeUnknown),
            (us, uri, &verifier, end, R::CodeExpired { at: end }),
            (us, "https://tpp.example/cb/", &verifier, now, R::RedirectUri),
            (us, uri, &"v".repeat(42), now, R::Verifier),
            (us, uri, &"v".repeat(129), now, R::Verifier),
        ] {
            assert_eq!(code.check(who, uri, Some(verifier), at), Err(refusal));
        }
    }

    #[test]
    fn a_refresh_is_repeated_until_its_answer_is_used() {
        let now = Timestamp::UNIX_EPOCH;
        let token = |kind| Token {
            hash: SecretHash::from_hex("00"),
            grant: GrantId::new("g"),
            kind,
            certificate: None,
            issued_at: now,
            expires_at: now + SignedDuration::from_mins(10),
            used_at: None,
            fresh: true,
            version: 1,
        };
        let (access, refresh) = (token(TokenKind::Access), token(TokenKind::Refresh));
        let traded = Token { used_at: Some(now), ..refresh.clone() };
        let end = now + REPEAT_TIME;
        assert!(traded.may_be_repeated([&access, &refresh], end - SignedDuration::from_secs(1), REPEAT_TIME));
        assert!(!traded.may_be_repeated([&access, &refresh], end, REPEAT_TIME));
        let seen = Token { fresh: false, ..access.clone() };
        assert!(!traded.may_be_repeated([&seen, &refresh], now, REPEAT_TIME));
        let next = Token { used_at: Some(now), ..refresh.clone() };
        assert!(!traded.may_be_repeated([&access, &next], now, REPEAT_TIME));
        assert!(!refresh.may_be_repeated([&access, &refresh], now, REPEAT_TIME), "it was never traded");
    }
}
