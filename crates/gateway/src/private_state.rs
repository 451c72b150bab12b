//! State that one dialect or bank keeps for itself: text under a kind and a key, under its owner's name.

use store::{Changes, PrivateState, Store};

use crate::Error;
use crate::error::retry;

/// The private state of one owner.
#[derive(Debug, Clone)]
pub struct Drawer {
    store: Store,
    owner: &'static str,
}

impl Drawer {
    /// The state of `owner`, the name of a dialect or bank.
    pub fn new(store: &Store, owner: &'static str) -> Self {
        Self { store: store.clone(), owner }
    }

    /// The value under a kind and a key.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn get(&self, kind: &'static str, key: &str) -> Result<Option<String>, Error> {
        Ok(self.store.private_state(self.owner, kind, key).await?.map(|state| state.value))
    }

    /// Every key and value of a kind.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn all(&self, kind: &'static str) -> Result<Vec<(String, String)>, Error> {
        let states = self.store.private_states(self.owner, kind).await?;
        Ok(states.into_iter().map(|state| (state.key, state.value)).collect())
    }

    /// Writes a value, whatever was there before.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn put(&self, kind: &'static str, key: &str, value: &str) -> Result<(), Error> {
        retry(|| async {
            let version =
                self.store.private_state(self.owner, kind, key).await?.map_or(0, |state| state.version);
            let state = PrivateState {
                owner: self.owner,
                kind,
                key: key.to_owned(),
                value: value.to_owned(),
                version,
            };
            Ok(self.store.save(Changes::new().put_private_state(&state)).await?)
        })
        .await
    }
}
