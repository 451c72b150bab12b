//! A sandbox on its data: what is set up at the start, and anew when the bank goes on with other data. Addresses, tokens of pages
//! and recorded calls are the same for all of them.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Json, Router};
use edge::outbound::Loopback;
use edge::{Dialect, Edge, FailingInterface, Mounted, Observer, Recorder, Surroundings};
use gateway::domain::{Tenant, Timestamp};
use gateway::{Clock, Drawer, Store};
use oauth::{IdTokenAlgorithm, SigningKeys};
use sandbox::{FaultLayer, GoingBack, Interfaces, PortalPages, Sandbox, SandboxSettings, Snapshots, strike};
use tpp::announcement::{self, AnnouncedTenant, Announcement};

use crate::addresses::Addresses;
use web::Looks;

use crate::app::Bank;
use crate::assemble::Observers;
use crate::dialects::DIALECTS;
use crate::front::{Front, Routes};
use crate::gate::Fronts;
use crate::start_error::StartError;
use crate::tasks::Work;
use crate::{portal, tasks};

/// All that a sandbox is set up with, whatever its data.
pub(crate) struct Plan {
    pub(crate) settings: SandboxSettings,
    pub(crate) id_token_algorithm: IdTokenAlgorithm,
    pub(crate) require_mtls: bool,
    pub(crate) explain: bool,
    /// Where it is reached; the seed is what was asked for.
    pub(crate) addresses: Addresses,
    pub(crate) loopback: Loopback,
    pub(crate) pages: PortalPages,
    /// Origins of the portal's pages and the token that stands in them.
    pub(crate) portal: (Vec<String>, String),
    pub(crate) observers: Observers,
    pub(crate) recorder: Option<Arc<Recorder>>,
    pub(crate) snapshots: Arc<Snapshots>,
}

/// A sandbox that can be served.
pub(crate) struct House {
    pub(crate) sandbox: Sandbox,
    pub(crate) addresses: Addresses,
    pub(crate) fronts: Fronts,
    pub(crate) work: Work,
}

impl Plan {
    /// Sets the bank up on a store. With `begin`, its time begins at that moment; `exchange` lets it go on with other data.
    ///
    /// # Errors
    /// [`StartError`]
    pub(crate) async fn set_up(
        &self,
        store: Store,
        begin: Option<Timestamp>,
        exchange: sandbox::Exchange,
    ) -> Result<House, StartError> {
        let key = {
            let (drawer, algorithm) = (Drawer::new(&store, "oauth"), self.id_token_algorithm);
            tokio::spawn(async move { SigningKeys::load_or_make(drawer, algorithm).await })
        };
        let settings = SandboxSettings { begin, ..self.settings.clone() };
        let sandbox = Sandbox::start(store, settings).await?;
        let key = match key.await {
            Ok(key) => key?,
            Err(error) => return Err(oauth::KeyError::Key(error.to_string()).into()),
        };
        let addresses = Addresses { seed: sandbox.seed, ..self.addresses.clone() };
        let edge = self.edge(&sandbox);
        let portal = portal::pages(&sandbox, &addresses, self.portal.clone(), self.recorder.clone());
        let own = publication(&sandbox, &addresses).merge(portal);
        let mut bank = Bank::new(&edge, key.clone(), (own, &Looks::default()), DIALECTS);
        bank.due = bank.due.with(sandbox::due(&sandbox));
        let callers = bank.dialects.iter().filter_map(|(_, mounted)| mounted.caller.clone()).collect();
        let layer = FaultLayer::new(&sandbox, callers, failing());
        bank.public = bank
            .public
            .switched(Arc::new(layer.switch()), |routes| routes.layer(from_fn_with_state(layer, strike)));
        let back = GoingBack { snapshots: Arc::clone(&self.snapshots), exchange };
        let news = sandbox.gateway.shares_its_store().then(|| tasks::news_of_others(&sandbox, key.clone()));
        let known = (&sandbox, self.recorder.clone());
        let management = management(&edge, key, known, &bank, (self.pages.clone(), back));
        let front = |routes: Routes, observer: &Arc<dyn Observer>| Front {
            routes,
            gateway: sandbox.gateway.clone(),
            observer: Arc::clone(observer),
        };
        let fronts = Fronts {
            public: front(bank.public, &self.observers.public),
            management: front(management.into(), &self.observers.management),
        };
        tasks::catch_up(&sandbox.gateway, &bank.due).await;
        let work = Work { gateway: sandbox.gateway.clone(), due: bank.due, news, upkeep: None };
        Ok(House { sandbox, addresses, fronts, work })
    }

    fn edge(&self, sandbox: &Sandbox) -> Edge {
        Edge::new(Surroundings {
            gateway: sandbox.gateway.clone(),
            public_url: Arc::from(self.addresses.public.as_str()),
            mtls_url: self.addresses.tls.as_deref().map(Arc::from),
            require_mtls: self.require_mtls,
            explain: self.explain,
            loopback: self.loopback.clone(),
        })
    }
}

/// Every interface, and how it fails where a test wants it to.
fn failing() -> Vec<FailingInterface> {
    let of = |dialect: &Dialect| FailingInterface {
        name: dialect.name,
        prefixes: std::iter::once(dialect.prefix).chain(dialect.also).collect(),
        failing: dialect.failing,
    };
    DIALECTS.iter().map(of).chain([oauth::failing()]).collect()
}

/// What a sandbox publishes beside what every bank does.
fn publication(sandbox: &Sandbox, addresses: &Addresses) -> Router {
    let (bank, addresses) = (sandbox.clone(), addresses.clone());
    let announcement = get(async move || Json(announce(&bank, &addresses)));
    sandbox::publication(sandbox.clone()).route(announcement::PATH, announcement)
}

/// What the sandbox says about itself to clients that know its address alone.
fn announce(sandbox: &Sandbox, addresses: &Addresses) -> Announcement {
    let today = |tenant: &Tenant| AnnouncedTenant {
        name: tenant.to_string(),
        today: tenant.date_at(sandbox.clock.now(Some(tenant))).to_string(),
        country: Some(tenant.country().to_owned()),
    };
    Announcement {
        authority: sandbox.authorities.root_pem(),
        management: Some(addresses.management.clone()),
        tls: addresses.tls.clone(),
        strict: addresses.strict,
        require_mtls: addresses.require_mtls,
        ephemeral: addresses.ephemeral,
        tenants: sandbox.gateway.settings().tenants.iter().map(today).collect(),
    }
}

/// The management listener: what the sandbox itself offers, approvals without a browser, and the calls that were recorded.
fn management(
    edge: &Edge,
    key: SigningKeys,
    (sandbox, recorder): (&Sandbox, Option<Arc<Recorder>>),
    bank: &Bank,
    pages: (PortalPages, GoingBack),
) -> Router {
    let books = sandbox.clone();
    let device_numbers: oauth::DeviceNumbers = Arc::new(move |tenant, iban| {
        let books = books.clone();
        Box::pin(async move { books.digipass_number(&tenant, &iban).await })
    });
    let entrances = bank.dialects.iter().flat_map(|(_, mounted)| mounted.entrances.clone()).collect();
    let others = oauth::approvals(edge.clone(), key, device_numbers, entrances);
    let others = recorder.into_iter().map(sandbox::calls).fold(others, Router::merge);
    let door = |(dialect, mounted): &(Dialect, Mounted)| Some((dialect.name, mounted.door.clone()?));
    let secret =
        |(dialect, mounted): &(Dialect, Mounted)| Some((dialect.name, mounted.client_secret.clone()?));
    let interfaces = Interfaces {
        doors: bank.dialects.iter().filter_map(door).collect(),
        client_secrets: bank.dialects.iter().filter_map(secret).collect(),
        failing: failing(),
    };
    sandbox::management(sandbox.clone(), others, interfaces, bank.due.clone(), pages)
}
