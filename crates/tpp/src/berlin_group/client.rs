//! A third party at a bank of this dialect: what it keeps, and the branches of the bank that it speaks with.

use std::sync::Arc;

use oauth::wire::Configuration;

use super::interface::Interface;
use crate::announcement::Announcement;
use crate::kept_approvals::Matter;
use crate::kept_consents::KeptConsent;
use crate::state::{Lock, State, StateFolder};
use crate::third_party::Place;
use crate::{Error, Hint, Transport, TransportSettings, clock};

/// A client of one bank, with what is kept about the bank.
pub struct Client {
    pub(super) transport: Transport,
    pub(super) bank: String,
    pub(super) folder: StateFolder,
    pub(super) state: State,
    announced: Option<Announcement>,
    /// The branch that was spoken with last.
    branch: Option<Arc<Branch>>,
    /// The turn to ask for a payment, until what became of it is told.
    pub(super) asking: Option<Lock>,
}

/// A branch of the bank, and where its authorization server is.
pub(super) struct Branch {
    pub(super) interface: Interface,
    pub(super) server: Configuration,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("bank", &self.bank).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that goes on from what is kept.
    pub(super) fn new(place: Place) -> Result<Self, Error> {
        let Place { bank, folder, state, ca_file, observer, announced } = place;
        let is_secure = bank.starts_with("https:");
        let tls = if is_secure { folder.tls_identity(&state) } else { None };
        let transport = Transport::new(TransportSettings { ca_file, tls }, observer)?;
        Ok(Self { transport, bank, folder, state, announced, branch: None, asking: None })
    }

    /// Changes what is kept, as it is on disk at this moment.
    pub(super) fn update<T>(
        &mut self,
        change: impl FnOnce(&mut State) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (state, done) = self.folder.update(&self.state, change)?;
        self.state = state;
        Ok(done)
    }

    /// The interface of a tenant, with the certificate that is kept.
    pub(super) fn interface(&self, tenant: &str) -> Result<Interface, Error> {
        let identity = self.folder.signing_identity(&self.state)?;
        let identity = identity.ok_or(Error::missing("no certificate yet; get one", Hint::Certificate))?;
        // Sandboxes take it in a header from whoever has none for TLS.
        let ssl_certificate = !self.transport.presents_certificate();
        Interface::new(self.transport.clone(), identity, &self.bank, tenant, ssl_certificate)
    }

    /// A branch, whose authorization server is asked for its addresses once.
    pub(super) async fn branch(&mut self, tenant: &str) -> Result<Arc<Branch>, Error> {
        if let Some(branch) = self.branch.as_ref().filter(|branch| branch.interface.tenant() == tenant) {
            return Ok(Arc::clone(branch));
        }
        let interface = self.interface(tenant)?;
        let mut server = interface.configuration().await?;
        // A client with a TLS certificate presents it where the bank asks for one (RFC 8705, 5).
        if let Some(aliases) =
            server.mtls_endpoint_aliases.take().filter(|_| interface.presents_certificate())
        {
            server.token_endpoint = aliases.token_endpoint;
            server.revocation_endpoint = aliases.revocation_endpoint;
        }
        let branch = Arc::new(Branch { interface, server });
        self.branch = Some(Arc::clone(&branch));
        Ok(branch)
    }

    /// The consent with this id, or the newest one that can still be used on its day at the bank.
    pub(super) fn choose(&self, id: Option<&str>) -> Result<&KeptConsent, Error> {
        let all = &self.state.consents;
        if let Some(id) = id {
            let text = || format!("consent {id} is not kept here; those that are, are listed");
            return all
                .iter()
                .find(|kept| kept.approval.id == id)
                .ok_or_else(|| Error::missing(text(), Hint::Show));
        }
        let end = |kept: &KeptConsent| kept.end(&self.today(&kept.approval.tenant)).map(str::to_owned);
        if let Some(living) = all.iter().rev().find(|kept| end(kept).is_none()) {
            return Ok(living);
        }
        Err(match all.last() {
            Some(kept) => Error::Ended {
                matter: Matter::Consent(kept.approval.id.clone()),
                status: end(kept).unwrap_or_default(),
            },
            None => Error::missing("no consent is kept yet; ask for one", Hint::Consent),
        })
    }

    /// The day at a branch.
    pub(super) fn today(&self, tenant: &str) -> String {
        clock::day_at(self.announced.as_ref(), tenant)
    }

    /// The country of a branch, as far as the bank says it.
    pub(super) fn country(&self, tenant: &str) -> Option<&str> {
        self.announced.as_ref()?.country(tenant)
    }
}
