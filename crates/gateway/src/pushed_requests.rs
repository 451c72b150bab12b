//! Pushed authorization requests (RFC 9126): parameters that a client leaves here before it sends the browser.

use domain::{SecretHash, TppId};
use store::PushedRequest;

use crate::{ActingTpp, Changes, Ctx, Error, Gateway, secrets};

/// The form of a reference (RFC 9126, 2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// A reference that was just given out.
#[derive(Debug)]
pub struct PushedReference {
    /// `request_uri`
    pub request_uri: String,
    /// Seconds until it expires.
    pub expires_in: i64,
}

impl Gateway {
    /// Keeps the parameters of an authorization request that has passed every check.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn push_request(
        &self,
        ctx: &Ctx,
        client: &ActingTpp,
        parameters: String,
    ) -> Result<PushedReference, Error> {
        let lifetime = self.profile(client.interface()).lifetimes.pushed_request;
        let secret = self.0.randomness.secret();
        let request = PushedRequest {
            hash: secrets::hash(&secret),
            tenant: ctx.tenant.clone(),
            client: client.id().clone(),
            parameters,
            expires_at: ctx.now.saturating_add(lifetime).unwrap_or(ctx.now),
            used: false,
            version: 0,
        };
        self.0.store.save(Changes::new().put_pushed_request(&request)).await?;
        Ok(PushedReference { request_uri: format!("{PREFIX}{secret}"), expires_in: lifetime.as_secs() })
    }

    /// The pushed request behind a reference. Absent if it is unknown, expired, used, or another client's. It is used
    /// when its customer logs in: a page that is loaded again, or by a program that shows previews of links, takes
    /// nothing away (RFC 9126, 7.3).
    ///
    /// # Errors
    /// [`Error`]
    pub async fn pushed_request(
        &self,
        ctx: &Ctx,
        client: &str,
        request_uri: &str,
    ) -> Result<Option<PushedRequest>, Error> {
        let Some(secret) = request_uri.strip_prefix(PREFIX) else { return Ok(None) };
        let request = self.0.store.pushed_request(&secrets::hash(secret)).await?;
        Ok(request.filter(|request| {
            !request.used
                && ctx.now < request.expires_at
                && request.tenant == ctx.tenant
                && request.client == TppId::new(client)
        }))
    }

    /// Adds to `changes` that the customer of a pushed request logged in. Absent if another browser was faster.
    pub(crate) async fn use_pushed_request(
        &self,
        changes: Changes,
        hash: &SecretHash,
    ) -> Result<Option<Changes>, Error> {
        let request = self.0.store.pushed_request(hash).await?.filter(|request| !request.used);
        Ok(request.map(|request| changes.put_pushed_request(&PushedRequest { used: true, ..request })))
    }
}
