//! What every call of the dialect shares.

use std::sync::Arc;

use edge::Edge;
use gateway::domain::{Interface, Tenant, Timestamp};
use gateway::profile::KeyRules;
use gateway::{Ctx, Drawer};
use quick_cache::sync::Cache;
use tokio::sync::OnceCell;

use crate::callback_jobs::Callbacks;
use crate::error::Error;
use crate::installations::Installation;
use crate::limits::Limiter;
use crate::lives::Quota;
use crate::numbers::Numbers;
use crate::records::{Kept, Record};
use crate::routes::Routes;
use crate::signatures::ServerKey;

/// Name under which the dialect keeps its state.
const OWNER: &str = "bunq";

/// Installations whose keys are kept parsed.
const CACHED: usize = 4096;

/// The dialect's state: one for a server, whichever way a call comes in, so that limits and numbers are the same.
#[derive(Debug)]
pub(crate) struct Bunq {
    pub(crate) edge: Edge,
    pub(crate) drawer: Drawer,
    pub(crate) limiter: Limiter,
    /// By the hash of their token.
    pub(crate) installations: Cache<String, Arc<Installation>>,
    /// What somebody without credentials can make.
    pub(crate) new_installations: Quota,
    pub(crate) new_customers: Quota,
    pub(crate) new_providers: Quota,
    pub(crate) callbacks: Callbacks,
    pub(crate) routes: Routes,
    numbers: Numbers,
    key: OnceCell<Arc<ServerKey>>,
    pub(crate) tenant: Tenant,
}

impl Bunq {
    pub(crate) fn new(edge: Edge) -> Self {
        // The interface has no tenants in its paths, and its accounts are Dutch.
        let tenants = &edge.gateway.settings().tenants;
        let dutch = tenants.iter().find(|tenant| tenant.country() == "NL");
        let tenant = dutch.or(tenants.first()).cloned();
        // A bank without any branch has no customers either.
        let tenant = tenant.or_else(|| Tenant::parse("nl").ok()).unwrap_or_else(|| unreachable!());
        let newcomers = edge.gateway.profile(Interface::Bunq).keys.newcomers;
        Self {
            drawer: edge.gateway.drawer(OWNER).by_clock_of(&tenant),
            new_installations: Quota::new("installations", newcomers.installations),
            new_customers: Quota::new("customers", newcomers.customers),
            new_providers: Quota::new("payment service providers", newcomers.third_parties),
            limiter: Limiter::default(),
            installations: Cache::new(CACHED),
            callbacks: Callbacks::default(),
            routes: Routes::new(edge.gateway.is_for_tests()),
            numbers: Numbers::default(),
            key: OnceCell::new(),
            tenant,
            edge,
        }
    }

    /// What the bank does with API keys.
    pub(crate) fn rules(&self) -> &KeyRules {
        &self.edge.gateway.profile(Interface::Bunq).keys
    }

    /// Begins a call.
    pub(crate) fn context(&self, request: gateway::domain::RequestId) -> Result<Ctx, Error> {
        let context = self.edge.gateway.context(self.tenant.as_str(), request);
        context.ok_or_else(|| Error::from(edge::Rejected::NotFound))
    }

    /// The key that answers are signed with.
    pub(crate) async fn key(&self) -> Result<&Arc<ServerKey>, gateway::Error> {
        let drawer = self.edge.gateway.sealed_drawer(OWNER);
        self.key.get_or_try_init(async || ServerKey::load_or_make(&drawer).await).await
    }

    /// Now, by the clock of the branch.
    pub(crate) fn now(&self) -> Timestamp {
        self.edge.gateway.now(&self.tenant)
    }

    /// A fresh number.
    pub(crate) async fn number(&self) -> Result<i64, gateway::Error> {
        self.numbers.take(&self.drawer, 1).await
    }

    /// The first of several fresh numbers in a row.
    pub(crate) async fn numbers(&self, count: i64) -> Result<i64, gateway::Error> {
        self.numbers.take(&self.drawer, count).await
    }

    /// Makes and writes a record.
    pub(crate) async fn add<T: Kept>(
        &self,
        ctx: &Ctx,
        owner: i64,
        value: T,
    ) -> Result<Record<T>, gateway::Error> {
        let mut record = Record::new(self.number().await?, owner, ctx.now, value);
        record.save(&self.drawer).await?;
        Ok(record)
    }
}
