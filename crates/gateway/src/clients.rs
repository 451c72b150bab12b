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

    /// Checks that an organisation has registered.
    ///
    /// # Errors
    /// [`Refusal::NotRegistered`]
    pub async fn check_registered(&self, id: &TppId) -> Result<(), Error> {
        if self.0.registered.get(id).is_none() {
            self.registered(id).await?;
            self.0.registered.insert(id.clone(), ());
        }
        Ok(())
    }

    /// The registration of an organisation.
    ///
    /// # Errors
    /// [`Refusal::NotRegistered`]
    pub(crate) async fn registered(&self, id: &TppId) -> Result<Tpp, Error> {
        self.0.store.tpp(id).await?.ok_or_else(|| Refusal::NotRegistered(id.clone()).into())
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
