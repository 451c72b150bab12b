//! What a gateway keeps secret in its database, sealed by the keys of the configuration.

use gateway::domain::Timestamp;
use gateway::{Drawer, Keys, SealedAnew, Sealing, Store};
use oauth::SigningKeys;

use super::{Served, open, signing_keys};
use crate::configuration::Configuration;
use crate::start_error::StartError;

/// Owners and kinds of the entries that are secret. What else the database has of secrets are hashes.
const SECRET: [(&str, &str); 4] = [
    ("gateway", Keys::KIND),
    ("oauth", SigningKeys::KINDS[0]),
    ("oauth", SigningKeys::KINDS[1]),
    (bunq::DIALECT.name, bunq::SERVER_KEY),
];

/// What seals at a configuration; nothing is sealed without [sealing].
fn of(configuration: &Configuration) -> Result<Sealing, StartError> {
    match &configuration.sealing {
        Some(sealing) => sealing.keys().map_err(|error| StartError::Sealing(error.to_string())),
        None => Ok(Sealing::default()),
    }
}

/// What seals at a configuration, once all that is there opens with it.
pub(super) async fn begin(configuration: &Configuration, store: &Store) -> Result<Sealing, StartError> {
    let sealing = of(configuration)?;
    anew(&sealing, store, false).await?;
    Ok(sealing)
}

/// Opens all that is secret, and seals anew what another key sealed.
async fn anew(sealing: &Sealing, store: &Store, also_plain: bool) -> Result<SealedAnew, StartError> {
    sealing.seal_anew(store, &SECRET, also_plain).await.map_err(|error| match error {
        gateway::Error::Internal(fault) => StartError::Sealing(fault.to_string()),
        other => other.into(),
    })
}

impl Served {
    /// Takes up the keys that seal what is kept secret, and seals anew what another key sealed. Returns how much that was.
    ///
    /// # Errors
    /// [`StartError::Sealing`] if something does not open with the new keys; then the old ones stay.
    pub async fn seal_anew(&self, new: &Configuration) -> Result<usize, StartError> {
        let sealing = of(new)?;
        let done = anew(&sealing, &self.store, false).await?;
        self.sealing.take_keys_of(&sealing);
        Ok(done.anew)
    }
}

/// What [`seal_keys`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKeys {
    /// The id of the key that sealed.
    pub key: String,
    /// How many secrets there are.
    pub kept: usize,
    /// How many of them were sealed anew.
    pub anew: usize,
}

/// Seals what the database of a gateway keeps secret by the key of its configuration, also what is not sealed yet. Beside gateways that
/// run, if they share their database.
///
/// # Errors
/// [`StartError`]
pub async fn seal_keys(configuration: &Configuration) -> Result<SealedKeys, StartError> {
    let sealing = of(configuration)?;
    let key = sealing.key_id().ok_or_else(|| {
        StartError::Sealing("the configuration has no section [sealing] with a key".to_owned())
    })?;
    let (store, _lock) = open(configuration).await?;
    let SealedAnew { kept, anew } = anew(&sealing, &store, true).await?;
    // What stood there before is in no part of the file any more.
    store.compact().map_err(StartError::ServedDatabase)?;
    Ok(SealedKeys { key, kept, anew })
}

/// What [`rotate_keys`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedKey {
    /// The id of the key that signs ID tokens from now on.
    pub key: String,
    /// Its algorithm (RFC 7518, 3.1).
    pub algorithm: &'static str,
}

/// Lets a gateway sign ID tokens with a new key from now on, `now` by the system's clock. Beside gateways that run, if they share their
/// database. What keys before have signed is good for a day more, unless they leaked.
///
/// # Errors
/// [`StartError`]
pub async fn rotate_keys(
    configuration: &Configuration,
    now: Timestamp,
    has_leaked: bool,
) -> Result<RotatedKey, StartError> {
    let (store, _lock) = open(configuration).await?;
    let sealing = begin(configuration, &store).await?;
    let keys = signing_keys(configuration, Drawer::new(&store, "oauth").sealed_by(&sealing)).await?;
    if has_leaked {
        keys.replace_leaked().await?;
    } else {
        keys.rotate(now).await?;
    }
    // The private key before is in no part of the file any more.
    store.compact().map_err(StartError::ServedDatabase)?;
    Ok(RotatedKey { key: keys.key_id(), algorithm: keys.algorithm_name() })
}
