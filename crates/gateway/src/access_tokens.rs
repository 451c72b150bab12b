//! Access tokens: who may use one where, and whose data it is about.

use domain::{Grant, GrantRefusal, Interface, Token, TokenKind};
use store::StoreError;

use crate::grants::is_of;
use crate::{ActingTpp, Changes, Ctx, Error, Gateway};

/// A token that may be used, and all that the bank's own services need to know about it.
#[derive(Debug)]
pub struct ActiveToken {
    /// The token.
    pub token: Token,
    /// What it belongs to.
    pub grant: Grant,
    /// Who the customer is for this client.
    pub subject: String,
}

impl Gateway {
    /// A token that may be used at the tenant and the interface that are called, by a client that may act, or nothing
    /// (RFC 7662).
    ///
    /// # Errors
    /// [`Error`]
    pub async fn introspect(
        &self,
        ctx: &Ctx,
        interface: Interface,
        token: &str,
    ) -> Result<Option<ActiveToken>, Error> {
        let Some((token, grant)) = self.known_token(token).await? else { return Ok(None) };
        let client = match self.may_act(ctx, interface, &grant.client).await {
            Err(Error::Refused(_)) => return Ok(None),
            client => client?,
        };
        if let Some(certificate) = &token.certificate {
            match self.check_bound(ctx, &client, certificate).await {
                Err(Error::Refused(_)) => return Ok(None),
                checked => checked?,
            }
        }
        let is_active = token.is_active_at(ctx.now)
            && grant.ended_at.is_none()
            && is_of(ctx, &client, &grant)
            && self.open_matter(ctx, &grant.subject).await?.is_some();
        if !is_active {
            return Ok(None);
        }
        self.note_use((&token, &grant)).await?;
        Ok(Some(ActiveToken { subject: self.subject(&client, &grant.customer), token, grant }))
    }

    /// The client and the grant of an access token that may be used at an interface.
    ///
    /// # Errors
    /// [`GrantRefusal::AccessTokenInvalid`], [`GrantRefusal::AccessTokenCertificate`], [`domain::StandingRefusal`]
    pub async fn access_token(
        &self,
        ctx: &Ctx,
        interface: Interface,
        token: &str,
        certificate: Option<&str>,
    ) -> Result<(ActingTpp, Grant), Error> {
        let known = self.known_token(token).await?.filter(|(_, grant)| grant.interface == interface);
        let Some((_, grant)) = &known else { return Err(invalid(token).into()) };
        // Whoever is blocked has no grants any more, and is told why all the same.
        let client = self.may_act(ctx, interface, &grant.client).await?;
        if let Some(certificate) = certificate {
            self.check_bound(ctx, &client, certificate).await?;
        }
        let (token, grant) = check_access_token(ctx, interface, (token, known), certificate)?;
        self.note_use((&token, &grant)).await?;
        Ok((client, grant))
    }

    /// Who the customer behind an access token is, while its subject lasts.
    ///
    /// # Errors
    /// [`GrantRefusal`]
    pub async fn user_info(
        &self,
        ctx: &Ctx,
        interface: Interface,
        token: &str,
        certificate: Option<&str>,
    ) -> Result<String, Error> {
        let (client, grant) = self.access_token(ctx, interface, token, certificate).await?;
        match self.open_matter(ctx, &grant.subject).await? {
            Some(_) => Ok(self.subject(&client, &grant.customer)),
            None => Err(GrantRefusal::SubjectEnded(grant.subject).into()),
        }
    }

    /// A token that another third party shows than the one that it was given to was stolen: whatever came of the same approval
    /// is worth nothing from now on, and its client asks the customer anew. The call itself is refused as any with a wrong token.
    pub(crate) async fn end_if_stolen(
        &self,
        ctx: &Ctx,
        caller: &ActingTpp,
        known: Option<&(Token, Grant)>,
    ) -> Result<(), Error> {
        let is_stolen =
            |(_, grant): &&(Token, Grant)| grant.client != *caller.id() && grant.ended_at.is_none();
        let Some((_, grant)) = known.filter(is_stolen) else { return Ok(()) };
        let (client, caller) = (&grant.client, caller.id());
        tracing::warn!(%client, %caller, "a token was shown by somebody else; its grant has ended");
        self.end_grant(ctx, &grant.id).await
    }

    /// The first use of a token shows that the answer of its refresh arrived: from now on the refresh token before it
    /// is a stolen one.
    pub(crate) async fn note_use(&self, (token, grant): (&Token, &Grant)) -> Result<(), Error> {
        if !token.fresh {
            return Ok(());
        }
        let seen = Token { fresh: false, ..token.clone() };
        match self.0.store.save(Changes::new().put_token(&grant.tenant, &seen)).await {
            // Another use of the same token was faster.
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn invalid(token: &str) -> GrantRefusal {
    GrantRefusal::AccessTokenInvalid(token.chars().take(8).collect())
}

/// An access token and its grant, if the token may be used at the tenant and the interface that are called.
pub(crate) fn check_access_token(
    ctx: &Ctx,
    interface: Interface,
    (token, known): (&str, Option<(Token, Grant)>),
    certificate: Option<&str>,
) -> Result<(Token, Grant), GrantRefusal> {
    let (found, grant) = known.ok_or_else(|| invalid(token))?;
    let is_good = found.kind == TokenKind::Access
        && found.is_active_at(ctx.now)
        && grant.ended_at.is_none()
        && grant.tenant == ctx.tenant
        && grant.interface == interface;
    if !is_good {
        return Err(invalid(token));
    }
    if found.certificate.is_some() && found.certificate.as_deref() != certificate {
        return Err(GrantRefusal::AccessTokenCertificate);
    }
    Ok((found, grant))
}
