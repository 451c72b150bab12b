//! Installations: a client's public key for a token and the server's key (section 7).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway::domain::{SecretHash, Timestamp};
use http_signatures::key::PublicKey;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::error::Error;
use crate::fields::Fields;
use crate::lives::{UNUSED, until};
use crate::records::{Record, find, index_until, key_of, look_up, stamped};
use crate::reply::Reply;
use crate::signatures::{canonical_pem, read_client_key};
use crate::state::Bunq;
use crate::wire::objects::Object;
use crate::wire::{Id, ServerPublicKey, Token};

/// From the hash of a token to the number of the installation.
const BY_TOKEN: &str = "installation-by-token";

/// Longest text of a key that is kept as it came, where it differs from the canonical one: what some clients sign for
/// their credential. Lines of any usual length fit.
const MAX_RECEIVED: usize = 1024;

/// An installation as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptInstallation {
    /// The client's key: SubjectPublicKeyInfo in DER, as base64. Absent in those that are older than this form.
    spki: Option<String>,
    /// The key as it was sent, where its lines are not the canonical ones.
    received: Option<String>,
}

impl KeptInstallation {
    fn new(der: &[u8], received: &str) -> Self {
        let is_canonical = received.trim() == canonical_pem(der).trim();
        let received = (!is_canonical && received.len() <= MAX_RECEIVED).then(|| received.to_owned());
        Self { spki: Some(STANDARD.encode(der)), received }
    }

    /// The key's DER, the key, and the text that was sent.
    fn read(self) -> Option<(Vec<u8>, PublicKey, String)> {
        let (der, key) = match (&self.spki, &self.received) {
            (Some(spki), _) => {
                let der = STANDARD.decode(spki).ok()?;
                let key = PublicKey::from_spki_der(&der).ok()?;
                (der, key)
            }
            (None, received) => read_client_key(received.as_deref()?).ok()?,
        };
        let received = self.received.unwrap_or_else(|| canonical_pem(&der).trim_end().to_owned());
        Some((der, key, received))
    }
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
    /// Until when it is certain to be there.
    known_until: Timestamp,
}

impl Installation {
    /// The installation with this token.
    pub(crate) async fn find(bunq: &Bunq, token: &SecretHash) -> Result<Option<Arc<Self>>, gateway::Error> {
        let known = bunq.installations.get(token.as_hex());
        if let Some(known) = known.filter(|known| bunq.now() < known.known_until) {
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

    /// Under what it is kept.
    pub(crate) fn keys(&self) -> [(&'static str, String); 2] {
        [key_of::<KeptInstallation>(0, self.id), (BY_TOKEN, self.token.as_hex().to_owned())]
    }

    fn read(kept: Record<KeptInstallation>, token: SecretHash) -> Option<Self> {
        let known_until = kept.forget_at.unwrap_or(Timestamp::MAX);
        let (id, (der, key, received)) = (kept.id, kept.value.read()?);
        Some(Self { id, token, key, canonical: canonical_pem(&der), received, known_until })
    }
}

/// `POST /installation`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let received = Fields::of(&body).armoured("client_public_key")?.to_owned();
    // Text of a field is trimmed; what was signed may end in a line feed.
    let received = body["client_public_key"].as_str().map_or(received, str::to_owned);
    let (der, _) = read_client_key(&received)?;
    let bunq = &call.bunq;
    bunq.new_installations.take(call.ctx.now, call.address)?;
    let token = bunq.edge.gateway.new_secret();
    let hash = gateway::secret_hash(&token);
    let first = bunq.numbers(2).await?;
    let (id, token_id) = (first, first + 1);
    let forget_at = until(call.ctx.now, UNUSED);
    let record = Record::new(id, 0, call.ctx.now, KeptInstallation::new(&der, &received)).until(forget_at);
    let entries = [record.entry(), index_until(BY_TOKEN, hash.as_hex(), &id, forget_at)];
    bunq.drawer.save(&entries).await?;
    let token = stamped(token_id, (call.ctx.now, call.ctx.now), Token { token });
    Ok(Reply::all(vec![Object::Id(Id { id }), Object::Token(token), public_key(bunq).await?]))
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
    Ok(Reply::one(public_key(&call.bunq).await?))
}

/// The key that answers are signed with.
async fn public_key(bunq: &Bunq) -> Result<Object, gateway::Error> {
    let server_public_key = bunq.key().await?.public_pem.clone();
    Ok(Object::ServerPublicKey(ServerPublicKey { server_public_key }))
}

fn check(call: &Call) -> Result<(), Error> {
    if call.names.id.get()? == call.installation()?.id { Ok(()) } else { Err(Error::not_found()) }
}
