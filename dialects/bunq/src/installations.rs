//! Installations: a client's public key for a token and the server's key (section 7).

use std::sync::Arc;

use gateway::domain::SecretHash;
use http_signatures::key::PublicKey;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::Call;
use crate::error::Error;
use crate::fields::Fields;
use crate::records::{Kept, Record, find, index, look_up};
use crate::reply::{Reply, time, wrapped};
use crate::signatures::{canonical_pem, read_client_key};
use crate::state::Bunq;

/// From the hash of a token to the number of the installation.
const BY_TOKEN: &str = "installation-by-token";

/// An installation as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptInstallation {
    /// The client's key as it was sent.
    received: String,
}

impl Kept for KeptInstallation {
    const KIND: &'static str = "installation";
}

/// An installation with its key parsed.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) id: i64,
    /// Hash of its token.
    pub(crate) token: SecretHash,
    pub(crate) key: PublicKey,
    /// The key's canonical PEM, and as it was sent.
    pub(crate) canonical: String,
    pub(crate) received: String,
}

impl Installation {
    /// The installation with this token.
    ///
    /// # Errors
    /// [`gateway::Error`]
    pub(crate) async fn find(bunq: &Bunq, token: &SecretHash) -> Result<Option<Arc<Self>>, gateway::Error> {
        if let Some(known) = bunq.installations.get(token.as_hex()) {
            return Ok(Some(known));
        }
        let Some(id) = look_up::<i64>(&bunq.drawer, BY_TOKEN, token.as_hex()).await? else { return Ok(None) };
        let kept = find::<KeptInstallation>(&bunq.drawer, 0, id).await?;
        let installation = kept.and_then(|kept| Self::read(kept, token.clone())).map(Arc::new);
        if let Some(installation) = &installation {
            bunq.installations.insert(token.as_hex().to_owned(), Arc::clone(installation));
        }
        Ok(installation)
    }

    fn read(kept: Record<KeptInstallation>, token: SecretHash) -> Option<Self> {
        let (der, key) = read_client_key(&kept.value.received).ok()?;
        let canonical = canonical_pem(&der);
        Some(Self { id: kept.id, token, key, canonical, received: kept.value.received })
    }
}

/// `POST /installation`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let received = Fields::of(&body).text("client_public_key")?.to_owned();
    // Text of a field is trimmed; what was signed may end in a line feed.
    let received = body["client_public_key"].as_str().map_or(received, str::to_owned);
    read_client_key(&received)?;
    let bunq = &call.bunq;
    let token = bunq.edge.gateway.new_secret();
    let hash = gateway::secret_hash(&token);
    let first = bunq.numbers(2).await.map_err(|error| call.failed(error))?;
    let (id, token_id) = (first, first + 1);
    let record = Record::new(id, 0, call.ctx.now, KeptInstallation { received });
    let entries = [record.entry(), index(BY_TOKEN, hash.as_hex(), &id)];
    bunq.drawer.save(&entries).await.map_err(|error| call.failed(error))?;
    let key = bunq.key(&call.ctx).await?;
    let now = time(call.ctx.now);
    Ok(Reply::all(vec![
        wrapped("Id", json!({ "id": id })),
        wrapped("Token", json!({"id": token_id, "created": now, "updated": now, "token": token})),
        wrapped("ServerPublicKey", json!({ "server_public_key": key.public_pem })),
    ]))
}

/// `GET /installation`: the one of the session.
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    Ok(Reply::id(call.installation()?.id))
}

/// `GET /installation/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    check(&call)?;
    Ok(Reply::id(call.installation()?.id))
}

/// `GET /installation/{id}/server-public-key`
pub(crate) async fn server_key(call: Call) -> Result<Reply, Error> {
    check(&call)?;
    let key = call.bunq.key(&call.ctx).await?;
    Ok(Reply::one("ServerPublicKey", json!({ "server_public_key": key.public_pem })))
}

fn check(call: &Call) -> Result<(), Error> {
    if call.id("id")? == call.installation()?.id { Ok(()) } else { Err(Error::not_found()) }
}
