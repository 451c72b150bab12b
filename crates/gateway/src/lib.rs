//! The use cases: what a bank does for third parties, one file per noun.
//!
//! A use case loads (plain reads), decides (pure rules in `domain`) and saves (one batch of guarded writes).
//! This crate alone calls the store. It knows neither HTTP nor any dialect's words.

pub mod certificates;
mod clients;
mod clock;
mod context;
mod error;
mod onboarding;
mod private_state;
mod randomness;
mod registration;
mod secrets;

use std::sync::Arc;

pub use certificates::{Place, PresentedCertificate};
pub use clock::{Clock, SystemClock};
pub use context::Ctx;
pub use domain;
use domain::{RedirectUriRules, RequestId, Tenant};
pub use error::{Error, Noun};
pub use onboarding::IssuedToken;
pub use private_state::Drawer;
pub use randomness::Randomness;
pub use registration::{Registered, RegistrationRequest};
use store::Changes;
pub use store::{Store, StoreError};

/// How a bank is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The bank's branches.
    pub tenants: Vec<Tenant>,
    /// How much it puts up with.
    pub strictness: Strictness,
}

/// How much a bank puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// What working clients send is taken.
    Lenient,
    /// The standards to the letter.
    Strict,
}

/// The bank's access gateway. Cloning is cheap and shares it.
#[derive(Debug, Clone)]
pub struct Gateway(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    store: Store,
    clock: Arc<dyn Clock>,
    randomness: Arc<Randomness>,
    trust: certificates::Trust,
}

impl Gateway {
    /// Puts the parts together. `trust` holds the authorities whose certificates are taken.
    pub fn new(
        settings: Settings,
        store: Store,
        clock: Arc<dyn Clock>,
        randomness: Arc<Randomness>,
        trust: eidas::TrustStore,
    ) -> Self {
        let trust = certificates::Trust::new(trust);
        Self(Arc::new(Inner { settings, store, clock, randomness, trust }))
    }

    /// How the bank is set up.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Begins a call: reads the clock once. Absent for a tenant that the bank does not have.
    pub fn context(&self, tenant: &str, request: RequestId) -> Option<Ctx> {
        let tenant = self.0.settings.tenants.iter().find(|known| known.as_str() == tenant)?;
        Some(Ctx { now: self.0.clock.now(Some(tenant)), tenant: tenant.clone(), request })
    }

    /// A fresh id for a call that brought none.
    pub fn new_request_id(&self) -> RequestId {
        RequestId::new(self.0.randomness.id())
    }

    fn redirect_uri_rules(&self) -> RedirectUriRules {
        match self.0.settings.strictness {
            Strictness::Lenient => RedirectUriRules::Lenient,
            Strictness::Strict => RedirectUriRules::Strict,
        }
    }
}
