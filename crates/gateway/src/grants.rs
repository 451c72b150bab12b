//! Grants: a code becomes tokens, tokens become new ones, tokens end.

use domain::{
    AuthorizationCode, CustomerId, Grant, GrantId, GrantRefusal, Interface, Timestamp, Token, TokenKind,
};
use subtle::ConstantTimeEq;

use crate::error::retry;
use crate::profile::TokenForm;
use crate::{ActingTpp, Changes, Ctx, Error, Gateway, secrets};

/// Tokens that were just issued.
pub struct IssuedTokens {
    /// The access token; only its hash is kept.
    pub access_token: String,
    /// Seconds until it expires.
    pub expires_in: i64,
    /// The refresh token, if one was asked for; only its hash is kept.
    pub refresh_token: Option<String>,
    /// What they belong to.
    pub grant: Grant,
    /// Who the customer is for this client.
    pub subject: String,
    /// The certificate they are bound to.
    pub certificate: Option<String>,
    /// `nonce` of the authorization request; absent when refreshing.
    pub nonce: Option<String>,
    /// `state` of the authorization request; absent when refreshing.
    pub state: Option<String>,
}

/// What a client sends to redeem a code.
#[derive(Clone, Copy)]
pub struct CodeExchange<'a> {
    /// The code.
    pub code: &'a str,
    /// `redirect_uri` of the authorization request.
    pub redirect_uri: &'a str,
    /// The verifier of its challenge; none where the interface has no PKCE.
    pub code_verifier: Option<&'a str>,
}

/// Secrets of tokens that are about to be issued.
struct TokenSecrets {
    access: String,
    /// Of the refresh token, if the grant has one.
    refresh: String,
    /// Whether the access token lasts as long as its subject.
    lasting: bool,
    /// Whether they come from a refresh.
    fresh: bool,
}

impl Gateway {
    /// Redeems a code. A code that comes a second time ends everything that came from the first.
    ///
    /// # Errors
    /// [`GrantRefusal`]
    pub async fn redeem_code(
        &self,
        ctx: &Ctx,
        client: &ActingTpp,
        exchange: CodeExchange<'_>,
        certificate: Option<&str>,
    ) -> Result<IssuedTokens, Error> {
        retry(|| async {
            let code = self.0.store.authorization_code(&secrets::hash(exchange.code)).await?;
            let code = code.ok_or(GrantRefusal::CodeUnknown)?;
            if let (Some(grant), true) = (&code.grant, code.request.client == *client.id()) {
                self.end_grant(ctx, grant).await?;
                return Err(GrantRefusal::CodeUsed.into());
            }
            code.check((client.id(), &ctx.tenant), exchange.redirect_uri, exchange.code_verifier, ctx.now)?;
            check_verifier(&code, exchange.code_verifier)?;
            let subject = &code.request.subject;
            let matter = self.open_matter(ctx, subject).await?;
            let matter = matter.ok_or_else(|| GrantRefusal::SubjectEnded(subject.clone()))?;
            if code.request.interface != client.interface() {
                return Err(GrantRefusal::CodeUnknown.into());
            }
            let grant = Grant {
                id: GrantId::new(self.0.randomness.id()),
                client: client.id().clone(),
                tenant: ctx.tenant.clone(),
                interface: client.interface(),
                subject: subject.clone(),
                authorisation: code.authorisation.clone(),
                customer: code.customer.clone(),
                offline_access: code.request.offline_access && matter.is_recurring(),
                authenticated_at: code.authenticated_at,
                ended_at: None,
                version: 0,
            };
            let used = AuthorizationCode { grant: Some(grant.id.clone()), ..code.clone() };
            let changes = Changes::new().put_authorization_code(&used).put_grant(&grant);
            let secrets = self.token_secrets(code.request.interface);
            let ends_at = matter.tokens_end_at(ctx.now, self.profiles());
            let issued = self.issue((ctx, client), changes, (grant, ends_at), (certificate, secrets)).await?;
            Ok(IssuedTokens { nonce: code.request.nonce, state: code.request.state, ..issued })
        })
        .await
    }

    /// Trades a refresh token for new tokens. One that comes a second time gets the same tokens again, since the
    /// answer may have been lost; once they were used, or later, it ends the whole family: either the client or a thief
    /// holds the newer one, and nobody can tell which (RFC 9700, 4.14.2).
    ///
    /// # Errors
    /// [`GrantRefusal`]
    pub async fn refresh(
        &self,
        ctx: &Ctx,
        client: &ActingTpp,
        (refresh_token, scope): (&str, Option<&str>),
        certificate: Option<&str>,
    ) -> Result<IssuedTokens, Error> {
        retry(|| async {
            let known = self.known_token(refresh_token).await?;
            let (token, grant) = known.ok_or(GrantRefusal::RefreshTokenUnknown)?;
            let is_ours =
                token.kind == TokenKind::Refresh && is_of(ctx, client, &grant) && grant.ended_at.is_none();
            let matter = self.open_matter(ctx, &grant.subject).await?;
            let matter = matter.filter(|_| is_ours && ctx.now < token.expires_at);
            let matter = matter.ok_or(GrantRefusal::RefreshTokenUnknown)?;
            let ends_at = matter.tokens_end_at(ctx.now, self.profiles());
            scope.map_or(Ok(()), |scope| grant.check_scope(scope))?;
            if token.used_at.is_some() {
                return self.refresh_again((ctx, client), (refresh_token, &token), grant, certificate).await;
            }
            // A renewed certificate of the same organisation is fine, none at all is not (RFC 8705, 7.1).
            if token.certificate.is_some() && certificate.is_none() {
                return Err(GrantRefusal::RefreshTokenCertificate.into());
            }
            let used = Token { used_at: Some(ctx.now), ..token };
            let changes = Changes::new().put_token(&ctx.tenant, &used);
            let secrets = self.successors(refresh_token);
            self.issue((ctx, client), changes, (grant, ends_at), (certificate, secrets)).await
        })
        .await
    }

    /// A refresh token that was traded before.
    async fn refresh_again(
        &self,
        (ctx, client): (&Ctx, &ActingTpp),
        (refresh_token, traded): (&str, &Token),
        grant: Grant,
        certificate: Option<&str>,
    ) -> Result<IssuedTokens, Error> {
        let next = self.successors(refresh_token);
        let repeatable = self.profile(client.interface()).lifetimes.refresh_answer;
        let pair = (self.known_token(&next.access).await?, self.known_token(&next.refresh).await?);
        let access = match &pair {
            (Some((access, _)), Some((refresh, _)))
                if traded.may_be_repeated([access, refresh], ctx.now, repeatable) =>
            {
                access
            }
            _ => {
                self.end_grant(ctx, &grant.id).await?;
                return Err(GrantRefusal::RefreshTokenUsed.into());
            }
        };
        if access.certificate.as_deref() != certificate {
            return Err(GrantRefusal::RefreshTokenCertificate.into());
        }
        Ok(self.issued((ctx, client), grant, next, access))
    }

    /// The tokens that a refresh token is traded for. They follow from it, so that the same answer can be given again
    /// although only hashes are kept.
    fn successors(&self, refresh_token: &str) -> TokenSecrets {
        let derived = |purpose| self.0.keys.derived_secret(purpose, &[refresh_token]);
        TokenSecrets {
            access: derived("access-token"),
            refresh: derived("refresh-token"),
            lasting: false,
            fresh: true,
        }
    }

    /// Ends a token; with a refresh token, everything of its grant (RFC 7009, 2.1). A token that is unknown, or
    /// another client's, is left alone without a word.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn revoke_token(&self, ctx: &Ctx, client: &ActingTpp, token: &str) -> Result<(), Error> {
        retry(|| async {
            match self.known_token(token).await? {
                Some((token, grant)) if is_of(ctx, client, &grant) => match token.kind {
                    TokenKind::Refresh => self.end_grant(ctx, &grant.id).await,
                    TokenKind::Access if token.used_at.is_some() => Ok(()),
                    TokenKind::Access => {
                        let used = Token { used_at: Some(ctx.now), ..token };
                        Ok(self.0.store.save(Changes::new().put_token(&grant.tenant, &used)).await?)
                    }
                },
                _ => Ok(()),
            }
        })
        .await
    }

    /// Who a customer is for a client: the same in each consent, different for each third party (OpenID Connect Core
    /// 1.0, 8.1).
    pub(crate) fn subject(&self, client: &ActingTpp, customer: &CustomerId) -> String {
        self.0.keys.pairwise_text("subject", &[client.id().as_str(), customer.as_str()])
    }

    pub(crate) async fn known_token(&self, token: &str) -> Result<Option<(Token, Grant)>, Error> {
        Ok(self.0.store.token(&secrets::hash(token)).await?)
    }

    /// Fresh secrets for the first tokens of a grant.
    fn token_secrets(&self, interface: Interface) -> TokenSecrets {
        TokenSecrets {
            access: self.secret_for(interface),
            refresh: self.0.randomness.secret(),
            lasting: self.profile(interface).tokens.lasting,
            fresh: false,
        }
    }

    /// A code or an access token in the form that clients of an interface know.
    pub(crate) fn secret_for(&self, interface: Interface) -> String {
        match self.profile(interface).tokens.form {
            TokenForm::Base64Url => self.0.randomness.secret(),
            TokenForm::Hexadecimal => self.0.randomness.hex_secret(),
        }
    }

    /// Saves `changes` together with new tokens of a grant whose subject ends at a time.
    async fn issue(
        &self,
        (ctx, client): (&Ctx, &ActingTpp),
        changes: Changes,
        (grant, ends_at): (Grant, Timestamp),
        (certificate, secrets): (Option<&str>, TokenSecrets),
    ) -> Result<IssuedTokens, Error> {
        let token = |secret: &str, kind, expires_at: Timestamp| Token {
            hash: secrets::hash(secret),
            grant: grant.id.clone(),
            kind,
            certificate: certificate.map(str::to_owned),
            issued_at: ctx.now,
            expires_at,
            used_at: None,
            fresh: secrets.fresh,
            version: 0,
        };
        let lifetime = self.profile(client.interface()).lifetimes.access_token;
        let soon = ctx.now.saturating_add(lifetime).unwrap_or(ctx.now);
        let until = if secrets.lasting { ends_at } else { soon };
        let access = token(&secrets.access, TokenKind::Access, until);
        let mut changes = changes.put_token(&ctx.tenant, &access);
        if grant.offline_access {
            changes = changes.put_token(&ctx.tenant, &token(&secrets.refresh, TokenKind::Refresh, ends_at));
        }
        self.0.store.save(changes).await?;
        Ok(self.issued((ctx, client), grant, secrets, &access))
    }

    /// What the client is told.
    fn issued(
        &self,
        (ctx, client): (&Ctx, &ActingTpp),
        grant: Grant,
        secrets: TokenSecrets,
        access: &Token,
    ) -> IssuedTokens {
        IssuedTokens {
            access_token: secrets.access,
            expires_in: access.expires_at.duration_since(ctx.now).as_secs(),
            refresh_token: grant.offline_access.then_some(secrets.refresh),
            subject: self.subject(client, &grant.customer),
            grant,
            certificate: access.certificate.clone(),
            nonce: None,
            state: None,
        }
    }

    /// Ends what came of an approval: no token of it is good any more.
    pub(crate) async fn end_grant(&self, ctx: &Ctx, id: &GrantId) -> Result<(), Error> {
        retry(|| async {
            match self.0.store.grant(id).await? {
                Some(grant) if grant.ended_at.is_none() => {
                    Ok(self.0.store.save(Changes::new().put_grant(&grant.end(ctx.now))).await?)
                }
                _ => Ok(()),
            }
        })
        .await
    }
}

/// Both sides are base64url without padding before they are compared.
fn check_verifier(code: &AuthorizationCode, verifier: Option<&str>) -> Result<(), GrantRefusal> {
    let fits = match (verifier, &code.request.code_challenge) {
        (None, None) => true,
        (Some(verifier), Some(challenge)) => {
            secrets::challenge(verifier).as_bytes().ct_eq(challenge.as_bytes()).into()
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(GrantRefusal::Verifier) }
}

/// Whether a grant is one of a client, at the tenant and the interface that are called.
pub(crate) fn is_of(ctx: &Ctx, client: &ActingTpp, grant: &Grant) -> bool {
    grant.client == *client.id() && grant.tenant == ctx.tenant && grant.interface == client.interface()
}
