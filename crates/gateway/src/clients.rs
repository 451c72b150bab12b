//! OAuth clients: registered third parties that come back with id and secret.

use domain::{Refusal, SecretHash, Tpp, TppId};

use crate::{Error, Gateway, secrets};

impl Gateway {
    /// The registered third party with this client id.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn client(&self, id: &str) -> Result<Option<Tpp>, Error> {
        Ok(self.0.store.tpp(&TppId::new(id)).await?)
    }

    /// The client that proves itself by its secret.
    ///
    /// # Errors
    /// [`Refusal::ClientCredentials`], the same for an unknown id and for a wrong secret.
    pub async fn authenticate_client(&self, id: &str, secret: &str) -> Result<Tpp, Error> {
        let client = self.client(id).await?;
        // An unknown client costs the same comparison as a known one.
        let stored =
            client.as_ref().map_or_else(|| SecretHash::from_hex("0".repeat(64)), |c| c.secret.clone());
        let fits = secrets::matches(secret, &stored);
        client.filter(|_| fits).ok_or(Error::Refused(Refusal::ClientCredentials))
    }
}
