//! Numbers for monitoring, in the text format of Prometheus and OpenMetrics.

mod core_bank;
mod database;
mod process;
mod revocation;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use ::core_bank::CoreBank;
use edge::{Observer, Seen};
use gateway::domain::Timestamp;
use gateway::{Gateway, Revocation, Store};
use http::Method;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::register::RegisterNumbers;
use super::trusted_lists::TrustedLists;
use crate::configuration::Configuration;

/// Upper bounds of the durations that are counted, in seconds: what a call takes by itself, and with a slow bank behind it.
const BOUNDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Methods that are told by name. A caller may send any word, and each would be one more row for ever.
const METHODS: [Method; 7] =
    [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH];

/// How the names of ours begin.
const PREFIX: &str = "vestibule";

/// What calls are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    dialect: &'static str,
    route: String,
    method: &'static str,
    status: u16,
    code: String,
}

/// What durations are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endpoint {
    dialect: &'static str,
    route: String,
    method: &'static str,
}

/// Which certificate a moment is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Use {
    section: &'static str,
    subject: Cow<'static, str>,
}

/// Writes a number that is looked up when somebody asks.
fn tell(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help, unit): (&str, &str, Option<&Unit>),
    number: &impl EncodeMetric,
) -> Result<(), std::fmt::Error> {
    number.encode(encoder.encode_descriptor(name, help, unit, number.metric_type())?)
}

/// Counts calls, and tells another observer of them.
#[derive(Debug)]
pub(super) struct Metrics {
    observer: Arc<dyn Observer>,
    registry: RwLock<Registry>,
    calls: Family<Call, Counter>,
    durations: Family<Endpoint, Histogram, fn() -> Histogram>,
    ends: Family<Use, Gauge>,
    /// Of whom ends are told.
    told: Mutex<Vec<Use>>,
    database_up: Gauge,
    database_seconds: Gauge<f64, AtomicU64>,
    spool_up: Gauge,
}

impl Metrics {
    /// Those of a process that began at a moment.
    pub(super) fn new(observer: Arc<dyn Observer>, began: Timestamp) -> Self {
        let mut whole = Registry::default();
        whole.register_collector(Box::new(process::Process { began }));
        let registry = whole.sub_registry_with_prefix(PREFIX);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of the program", build);
        let calls = Family::default();
        registry.register("http_requests", "Calls that were answered", calls.clone());
        let make: fn() -> Histogram = || Histogram::new(BOUNDS);
        let durations = Family::new_with_constructor(make);
        let help = "Time until the answer was there";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, durations.clone());
        let ends = Family::default();
        let help = "Last moment at which a certificate is good, in seconds since 1970";
        registry.register_with_unit("certificate_expiry_timestamp", help, Unit::Seconds, ends.clone());
        let database_up = Gauge::default();
        registry.register("database_up", "Whether the database answered just now", database_up.clone());
        let database_seconds = Gauge::default();
        let help = "How long the database took to answer just now";
        registry.register_with_unit("database_answer", help, Unit::Seconds, database_seconds.clone());
        let spool_up = Gauge::default();
        let help = "Whether calls stand in a file until they are in the audit trail";
        registry.register("audit_spool_up", help, spool_up.clone());
        let registry = RwLock::new(whole);
        let told = Mutex::default();
        Self { observer, registry, calls, durations, ends, told, database_up, database_seconds, spool_up }
    }

    fn register<T>(&self, register: impl FnOnce(&mut Registry) -> T) -> T {
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        register(registry.sub_registry_with_prefix(PREFIX))
    }

    /// Counts what a store does from now on.
    pub(super) fn of_store(&self, store: Store) -> Store {
        self.register(|registry| database::watch(registry, store))
    }

    /// Counts the calls to a core bank from now on.
    pub(super) fn of_core_bank(&self, bank: &CoreBank) {
        self.register(|registry| core_bank::watch(registry, bank));
    }

    /// Tells what is asked about certificates.
    pub(super) fn of_revocation(&self, revocation: &Revocation) {
        self.register(|registry| revocation::watch(registry, revocation));
    }

    /// Tells how old the register of institutions is, and how calls are judged by it and by the stop list, where there is one of them.
    pub(super) fn of_register(&self, gateway: &Gateway) {
        self.register(|registry| registry.register_collector(Box::new(RegisterNumbers(gateway.clone()))));
    }

    /// Tells how old trusted lists are.
    pub(super) fn of_lists(&self, lists: &TrustedLists) {
        self.register(|registry| registry.register_collector(Box::new(lists.numbers())));
    }

    /// Takes up how long certificates are good: of those of one subject in a section, the one that ends first.
    pub(super) fn certificates(&self, configuration: &Configuration) {
        let mut ends: HashMap<Use, i64> = HashMap::new();
        for (section, certificate) in configuration.certificates() {
            let subject = Cow::Owned(certificate.subject.to_string());
            let end = certificate.not_after.as_second();
            ends.entry(Use { section, subject }).and_modify(|first| *first = end.min(*first)).or_insert(end);
        }
        for (whose, end) in &ends {
            self.ends.get_or_create(whose).set(*end);
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in told.iter().filter(|whose| !ends.contains_key(*whose)) {
            self.ends.remove(gone);
        }
        *told = ends.into_keys().collect();
    }

    /// Takes up how long the database took to answer; none if it did not.
    pub(super) fn database(&self, took: Option<Duration>) {
        self.database_up.set(took.is_some().into());
        self.database_seconds.set(took.map_or(f64::NAN, |took| took.as_secs_f64()));
    }

    /// Takes up whether calls stand in a file until they are in the audit trail.
    pub(super) fn spool(&self, is_kept: bool) {
        self.spool_up.set(is_kept.into());
    }

    /// Everything as text.
    ///
    /// # Errors
    /// [`std::fmt::Error`]
    pub(super) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry.read().unwrap_or_else(PoisonError::into_inner))?;
        Ok(text)
    }
}

impl Observer for Metrics {
    fn seen(&self, call: &Seen<'_>) {
        self.observer.seen(call);
        let dialect = call.interface.unwrap_or("none");
        let route = call.route.unwrap_or("none").to_owned();
        let known = METHODS.iter().find(|method| *method == call.method);
        let method = known.map_or("other", Method::as_str);
        let endpoint = Endpoint { dialect, route: route.clone(), method };
        self.durations.get_or_create(&endpoint).observe(call.took.as_secs_f64());
        let code = call.code.unwrap_or("none").to_owned();
        self.calls.get_or_create(&Call { dialect, route, method, status: call.status.as_u16(), code }).inc();
    }
}
