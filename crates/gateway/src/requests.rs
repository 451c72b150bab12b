//! The same request again makes nothing new: a third party that lost an answer may repeat its call.

use aws_lc_rs::digest::{SHA256, digest};
use domain::Refusal;
use jiff::SignedDuration;
use store::StoredRequest;

use crate::{ActingTpp, Ctx, Error, Gateway, secrets};

/// A request that makes something, as its caller can repeat it.
#[derive(Debug, Clone)]
pub struct RequestKey {
    key: String,
    body_digest: String,
    /// How long it is remembered.
    remembered: SignedDuration,
}

/// What is known about a request.
pub(crate) enum Seen {
    /// It made these things.
    Before(Vec<String>),
    /// It is new; this is how to remember it.
    New(StoredRequest),
}

impl Seen {
    /// How to remember a new request together with what it made.
    pub(crate) fn made(request: StoredRequest, ids: &[&str]) -> StoredRequest {
        StoredRequest { made: ids.iter().map(|id| (*id).to_owned()).collect(), ..request }
    }
}

impl Gateway {
    /// The same caller, method, path and request id are the same request.
    pub fn request_key(
        &self,
        ctx: &Ctx,
        tpp: &ActingTpp,
        (method, path): (&str, &str),
        body: &[u8],
    ) -> RequestKey {
        let parts = [tpp.id().as_str(), method, path.trim_end_matches('/'), ctx.request.as_str()];
        let key = parts.map(|part| format!("{}:{part}", part.len())).concat();
        RequestKey {
            key: secrets::hex(digest(&SHA256, key.as_bytes()).as_ref()),
            body_digest: secrets::hex(digest(&SHA256, body).as_ref()),
            remembered: self.profile(tpp.interface()).lifetimes.request_id,
        }
    }

    /// Looks a request up.
    ///
    /// # Errors
    /// [`Refusal::RequestIdReused`] if another body came with the same id.
    pub(crate) async fn seen(&self, ctx: &Ctx, request: &RequestKey) -> Result<Seen, Error> {
        let known = self.0.store.request(&request.key).await?;
        let version = known.as_ref().map_or(0, |known| known.version);
        match known.filter(|known| ctx.now < known.expires_at) {
            Some(known) if known.body_digest == request.body_digest => Ok(Seen::Before(known.made)),
            Some(_) => Err(Refusal::RequestIdReused { remembered: request.remembered }.into()),
            None => Ok(Seen::New(StoredRequest {
                key: request.key.clone(),
                tenant: ctx.tenant.clone(),
                body_digest: request.body_digest.clone(),
                made: Vec::new(),
                expires_at: ctx.now.saturating_add(request.remembered).unwrap_or(ctx.now),
                version,
            })),
        }
    }
}
