//! Sessions: an API key for a token (section 10).

use gateway::Ctx;
use gateway::domain::{SecretHash, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::credentials::{self, Credential, Usable, resolve};
use crate::devices;
use crate::due_payments;
use crate::error::Error;
use crate::fields::Fields;
use crate::lives::{IN_USE, until};
use crate::records::{Record, index_until, look_up, stamped};
use crate::reply::Reply;
use crate::state::Bunq;
use crate::user_objects;
use crate::users::{self, User};
use crate::wire::objects::Object;
use crate::wire::{Id, Token};

const KIND: &str = "session";

/// The longest time that is reported. A client multiplies it by 1000 in 32 bits, another waits for so many
/// milliseconds; above this, both begin again with every call. The session itself lives on.
const MAX_REPORTED: i64 = 2_147_483;

/// A session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: i64,
    /// Hash of the installation's token.
    pub(crate) installation: String,
    /// Number of its user.
    pub(crate) user: i64,
    /// Number of the credential that opened it.
    pub(crate) credential: i64,
    created: Timestamp,
    expires_at: Timestamp,
}

impl Session {
    /// For what the bank does by itself: nobody opened it, and it has no token.
    pub(crate) fn of_bank(user: i64, now: Timestamp) -> Self {
        Self { id: 0, installation: String::new(), user, credential: 0, created: now, expires_at: now }
    }

    /// The lifetime as users report it, in seconds.
    pub(crate) fn timeout(&self) -> i64 {
        self.expires_at.duration_since(self.created).as_secs().min(MAX_REPORTED)
    }
}

/// The session with this token, while it lasts.
pub(crate) async fn find(
    bunq: &Bunq,
    ctx: &Ctx,
    token: &SecretHash,
) -> Result<Option<Session>, gateway::Error> {
    let session: Option<Session> = look_up(&bunq.drawer, KIND, token.as_hex()).await?;
    Ok(session.filter(|session| ctx.now < session.expires_at))
}

/// `POST /session-server`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let secret = Fields::of(&body).text("secret")?;
    let usable = resolve(&call, secret).await?;
    let (credential, user) = (usable.credential(), usable.user().clone());
    // A key is bound to the addresses of a device; an access token needs none.
    if !credential.value.has_device() && !matches!(user.value, User::Key { .. }) {
        return Err(Error::bad(
            "User credentials are incorrect. Incorrect API key or IP address: register a device with this key first \
             (POST /device-server).",
        ));
    }
    if let User::Customer { customer } = &user.value {
        due_payments::adopt(&call.bunq, customer).await?;
    }
    let lifetime = match &user.value {
        User::Provider { .. } if !credential.value.has_session => call.bunq.rules().first_session,
        User::Provider { .. } | User::Key { .. } => call.bunq.rules().session,
        User::Customer { .. } => users::session_lifetime(&call.bunq, credential.owner).await?,
    };
    let used = keys(&call, secret, usable.credential()).await?;
    let installation = call.installation()?.token.as_hex().to_owned();
    let opened = open(&call, installation, usable, lifetime).await?;
    let (token, session) = opened;
    // Whatever was needed to open it lives on from here.
    if let Some(until) = until(session.expires_at, IN_USE) {
        call.bunq.drawer.keep(&used, until).await?;
    }
    let rendered = user_objects::render(&call.bunq, &call.ctx, &user, session.timeout()).await?;
    let token = stamped(session.id, (session.created, session.created), Token { token });
    Ok(Reply::all(vec![Object::Id(Id { id: session.id }), Object::Token(token), rendered]))
}

/// Under what everything is kept that a session needs: installation, device, credential.
async fn keys(
    call: &Call,
    secret: &str,
    credential: &Record<Credential>,
) -> Result<Vec<(&'static str, String)>, gateway::Error> {
    let Ok(installation) = call.installation() else { return Ok(Vec::new()) };
    let named = (credential.owner, credential.id);
    let mut keys = devices::keys(&call.bunq, installation.id, named).await?;
    keys.extend(installation.keys());
    // What stands for an approval ends with it.
    if credential.value.grant.is_none() {
        keys.extend(credentials::keys(secret, named));
    }
    Ok(keys)
}

async fn open(
    call: &Call,
    installation: String,
    usable: Usable,
    lifetime: SignedDuration,
) -> Result<(String, Session), gateway::Error> {
    let mut credential = usable.into_credential();
    let (bunq, now) = (&call.bunq, call.ctx.now);
    let token = bunq.edge.gateway.new_secret();
    let session = Session {
        id: bunq.number().await?,
        installation,
        user: credential.owner,
        credential: credential.id,
        created: now,
        expires_at: now.saturating_add(lifetime).unwrap_or(Timestamp::MAX),
    };
    let hash = gateway::secret_hash(&token);
    let mut entries = vec![index_until(KIND, hash.as_hex(), &session, Some(session.expires_at))];
    if !credential.value.has_session {
        credential.value.has_session = true;
        entries.push(credential.entry());
    }
    match bunq.drawer.save(&entries).await {
        // Another session was the first one at the same moment; this one is kept all the same.
        Err(gateway::Error::Conflict) => bunq.drawer.save(&entries[..1]).await?,
        done => done?,
    }
    Ok((token, session))
}

/// `DELETE /session/{id}`: the session of the token, whatever the number says.
pub(crate) async fn delete(call: Call) -> Result<Reply, Error> {
    let token = call.session_token()?.as_hex().to_owned();
    call.bunq.drawer.delete(&[(KIND, token)]).await?;
    Ok(Reply::empty())
}
