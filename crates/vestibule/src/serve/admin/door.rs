//! The listener of the bank's staff, and what of it can be read anew.

use std::net::SocketAddr;
use std::sync::Arc;

use edge::CallLog;
use gateway::Gateway;

use super::super::trail::Notes;
use super::{Admin, StaffList, StaffVerifier, routes, server_config};
use crate::assemble::{Serving, Socket};
use crate::configuration::{Admin as Section, Configuration};
use crate::front::Front;
use crate::gate::{Fronts, Gate, Side};
use crate::start_error::StartError;
use crate::tls::Replaceable;

/// The listener, while it serves.
#[derive(Debug)]
pub(in crate::serve) struct StaffDoor {
    address: SocketAddr,
    certificate: Arc<Replaceable>,
    verifier: Arc<StaffVerifier>,
    list: Arc<StaffList>,
    serving: Serving,
}

/// The listener before it serves.
pub(in crate::serve) struct ClosedDoor<'c> {
    socket: Socket,
    section: &'c Section,
    bank: &'c str,
}

impl StaffDoor {
    /// Listens where the configuration says so.
    ///
    /// # Errors
    /// [`StartError::Listen`]
    pub(in crate::serve) async fn bind(
        configuration: &Configuration,
    ) -> Result<Option<ClosedDoor<'_>>, StartError> {
        let Some(section) = &configuration.admin else { return Ok(None) };
        let socket = Socket::bind(&section.listen.to_string(), "[admin] listen").await?;
        Ok(Some(ClosedDoor { socket, section, bank: &configuration.bank.name }))
    }

    pub(in crate::serve) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes up certificate, authorities and roles: all of it, or nothing.
    ///
    /// # Errors
    /// [`rustls::Error`]
    pub(in crate::serve) fn replace(&self, section: &Section) -> Result<(), rustls::Error> {
        let key = section.certified_key()?;
        self.verifier.replace(section)?;
        self.certificate.replace(key);
        self.list.replace(section);
        Ok(())
    }

    /// Lets running requests end.
    pub(in crate::serve) async fn stop(&mut self) {
        self.serving.stop().await;
    }
}

impl ClosedDoor<'_> {
    /// Begins to serve.
    ///
    /// # Errors
    /// [`StartError::Tls`]
    pub(in crate::serve) fn open(self, gateway: &Gateway, notes: &Notes) -> Result<StaffDoor, StartError> {
        let Self { socket, section, bank } = self;
        let certificate = Arc::new(Replaceable::new(section.certified_key()?));
        let verifier = Arc::new(StaffVerifier::new(section)?);
        let list = Arc::new(StaffList::new(section));
        let config = server_config(certificate.clone(), Arc::clone(&verifier))?;
        let admin = Admin {
            gateway: gateway.clone(),
            staff: Arc::clone(&list),
            verifier: Arc::clone(&verifier),
            spool: notes.spool(),
            statistics: notes.statistics(),
            bank: bank.into(),
        };
        // There is nothing that anybody may call, and what staff began is done to its end.
        let routes = routes(&admin).into();
        let front = Front { routes, gateway: gateway.clone(), observer: Arc::new(CallLog) };
        let gate = Arc::new(Gate::new(Fronts { public: front.clone(), management: front }));
        let (mut serving, address) = (Serving::new(), socket.address);
        let origin = format!("https://{address}");
        serving.listen(socket, (Some(config), None), (&gate, Side::Management), &origin);
        Ok(StaffDoor { address, certificate, verifier, list, serving })
    }
}
