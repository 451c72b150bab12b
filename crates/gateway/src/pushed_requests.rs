//! Pushed authorization requests (RFC 9126): parameters that a client leaves here before it sends the browser.

use domain::TppId;
use jiff::SignedDuration;
use store::PushedRequest;

use crate::error::retry;
use crate::{ActingTpp, Changes, Ctx, Error, Gateway, secrets};

/// How long a pushed request waits for its browser.
const LIFETIME: SignedDuration = SignedDuration::from_secs(90);

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
        let secret = self.0.randomness.secret();
        let request = PushedRequest {
            hash: secrets::hash(&secret),
            tenant: ctx.tenant.clone(),
            client: client.id().clone(),
            parameters,
            expires_at: ctx.now.saturating_add(LIFETIME).unwrap_or(ctx.now),
            used: false,
            version: 0,
        };
        self.0.store.save(Changes::new().put_pushed_request(&request)).await?;
        Ok(PushedReference { request_uri: format!("{PREFIX}{secret}"), expires_in: LIFETIME.as_secs() })
    }

    /// The parameters behind a reference, once. Absent if it is unknown, expired, used, or another client's.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn take_pushed_request(
        &self,
        ctx: &Ctx,
        client: &str,
        request_uri: &str,
    ) -> Result<Option<String>, Error> {
        let Some(secret) = request_uri.strip_prefix(PREFIX) else { return Ok(None) };
        retry(|| async {
            let request = self.0.store.pushed_request(&secrets::hash(secret)).await?;
            let usable = request.filter(|request| {
                !request.used
                    && ctx.now < request.expires_at
                    && request.tenant == ctx.tenant
                    && request.client == TppId::new(client)
            });
            let Some(request) = usable else { return Ok(None) };
            let used = PushedRequest { used: true, ..request };
            self.0.store.save(Changes::new().put_pushed_request(&used)).await?;
            Ok(Some(used.parameters))
        })
        .await
    }
}
