//! The bank's own services, which may ask what a token is worth (RFC 7662).

use domain::SecretHash;

use crate::{Drawer, Error, Gateway, secrets};

const KIND: &str = "resource-server";

impl Gateway {
    /// Lets a service ask, or gives it a new secret. Returns the secret; only its hash is kept.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn put_resource_server(&self, id: &str) -> Result<String, Error> {
        let secret = self.0.randomness.secret();
        self.resource_servers().put(KIND, id, secrets::hash(&secret).as_hex()).await?;
        Ok(secret)
    }

    /// Whether a service proves itself by its secret.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn is_resource_server(&self, id: &str, secret: &str) -> Result<bool, Error> {
        let kept = self.resource_servers().get(KIND, id).await?;
        let known = kept.is_some();
        let stored = SecretHash::from_hex(kept.unwrap_or_else(|| "0".repeat(64)));
        Ok(secrets::matches(secret, &stored) & known)
    }

    fn resource_servers(&self) -> Drawer {
        Drawer::new(&self.0.store, "gateway")
    }
}
