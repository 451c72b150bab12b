//! A sandbox's bank, served over mutual TLS behind a way that can be spoiled, and the adapter.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use core_bank::server::tls::{Listener, TlsSettings};
use core_bank::server::{router, test_authority};
use core_bank::{CoreBank, CoreBankSettings, Limits};
use gateway::bank_contract::Parties;
use gateway::bank_end::{access, approved};
use gateway::domain::{
    Account, Counterparty, CustomerId, CustomerKind, Execution, Iban, Interface, Money, Payment,
    PaymentDecision, PaymentId, PaymentStatus, PaymentTerms, Tenant, Timestamp, Transfer,
};
use gateway::{ApprovedPayment, Bank, Changes, Drawer, Entry, Store};
use http::StatusCode;
use sandbox::{Sandbox, SandboxSettings};
use vestibule::profiles::{RateLimits, Strictness, of_sandbox};

/// When the tests are: a Thursday in winter.
const BEGIN: &str = "2026-11-26T09:00:00Z";

/// What goes wrong with calls of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bank answers with this status, and does nothing.
    Status(u16),
    /// What it answers is no answer; it does nothing.
    Rubbish,
    /// It answers this, and does nothing.
    Says(&'static str),
    /// It refuses with this status and problem, and does nothing.
    Problem(u16, &'static str),
    /// It declines, for want of money.
    Declines,
    /// The same of the first call, after which there is money.
    DeclinesOnce,
    /// It does not know the payment at the first call, and knows it at the next one.
    UnknownOnce,
    /// It does what it was asked for, and the answer does not come in time.
    LostAnswer,
    /// The answer comes late, and in time.
    Slow,
}

/// The way to the bank.
#[derive(Debug, Clone, Default)]
pub(crate) struct Way {
    faults: Arc<Mutex<Vec<(&'static str, Fault)>>>,
    calls: Arc<AtomicU32>,
    query: Arc<Mutex<String>>,
}

impl Way {
    /// From now on calls whose path ends like this go wrong.
    pub(crate) fn spoil(&self, path: &'static str, fault: Fault) {
        self.faults.lock().unwrap().push((path, fault));
    }

    pub(crate) fn mend(&self) {
        self.faults.lock().unwrap().clear();
    }

    /// How many calls arrived at the bank.
    pub(crate) fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The parameters of the last one.
    pub(crate) fn query(&self) -> String {
        self.query.lock().unwrap().clone()
    }
}

async fn spoil(State(way): State<Way>, request: Request, next: Next) -> Response {
    way.calls.fetch_add(1, Ordering::Relaxed);
    *way.query.lock().unwrap() = request.uri().query().unwrap_or_default().to_owned();
    let faults = way.faults.lock().unwrap().clone();
    let fault = faults.iter().find(|(path, _)| request.uri().path().ends_with(path)).map(|(_, fault)| *fault);
    if let Some(once @ (Fault::DeclinesOnce | Fault::UnknownOnce)) = fault {
        way.faults.lock().unwrap().retain(|(_, fault)| *fault != once);
    }
    match fault {
        None => next.run(request).await,
        Some(Fault::Status(status)) => (StatusCode::from_u16(status).unwrap(), "<html>").into_response(),
        Some(Fault::Rubbish) => "{\"payments\":[{\"outcome\":\"perhaps\"}],".into_response(),
        Some(Fault::Says(text)) => text.into_response(),
        Some(Fault::Problem(status, text)) => (StatusCode::from_u16(status).unwrap(), text).into_response(),
        Some(Fault::UnknownOnce) => (StatusCode::NOT_FOUND, "{\"code\":\"not-found\"}").into_response(),
        Some(Fault::Declines | Fault::DeclinesOnce) => {
            let problem = "{\"code\":\"declined\",\"reason\":\"AM04\"}";
            (StatusCode::UNPROCESSABLE_ENTITY, problem).into_response()
        }
        Some(Fault::LostAnswer) => {
            next.run(request).await;
            std::future::pending().await
        }
        Some(Fault::Slow) => {
            tokio::time::sleep(Duration::from_millis(300)).await;
            next.run(request).await
        }
    }
}

pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    pub(crate) tenant: Tenant,
    pub(crate) now: Timestamp,
    pub(crate) way: Way,
    /// Where the gateway keeps its own.
    pub(crate) store: Store,
    pub(crate) core: CoreBank,
    pub(crate) bank: Bank,
    pub(crate) payer: (CustomerId, Account),
    pub(crate) payee: Account,
    /// An account of somebody else, with nothing on it.
    pub(crate) empty: Account,
    pub(crate) elsewhere: Iban,
    pub(crate) settings: CoreBankSettings,
}

impl Scene {
    pub(crate) async fn at(branch: &str) -> Self {
        let tenant = Tenant::parse(branch).unwrap();
        let now: Timestamp = BEGIN.parse().unwrap();
        let settings = SandboxSettings {
            tenants: vec![tenant.clone()],
            profiles: of_sandbox(Strictness::Lenient, RateLimits::Off),
            seed: Some(7),
            begin: Some(now),
            public_url: "http://127.0.0.1:1".to_owned(),
            trusted: Vec::new(),
            revocation: None,
            misbehaves: 0,
            provider: None,
        };
        let sandbox = Sandbox::start(Store::in_memory().unwrap(), settings).await.unwrap();
        let payer = holder(&sandbox, &tenant, 5_000, now).await;
        let payee = holder(&sandbox, &tenant, 0, now).await.1;
        let empty = holder(&sandbox, &tenant, 0, now).await.1;
        let way = Way::default();
        let certificates = test_authority::make(&["127.0.0.1".to_owned()]).unwrap();
        let tls = TlsSettings {
            certificate: certificates.server.clone().into_bytes(),
            private_key: certificates.server_key.clone().into_bytes(),
            client_authorities: certificates.authority.clone().into_bytes(),
        };
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", tcp.local_addr().unwrap());
        let routes =
            router(sandbox.telling().await.unwrap(), Store::clone(&sandbox.store), vec![tenant.clone()]);
        let routes = routes.layer(from_fn_with_state(way.clone(), spoil));
        let listener = Listener::begin(tcp, &tls).unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let iban = payer.1.iban.as_str();
        let settings = CoreBankSettings {
            url,
            authorities: certificates.authority.into_bytes(),
            identity: (certificates.client + &certificates.client_key).into_bytes(),
            limits: Limits { failures: 1_000, ..Limits::default() },
            name: "The Bank".to_owned(),
            own_numbers: vec![(iban[..2].to_owned(), iban[4..8].to_owned())],
        };
        let store = Store::in_memory().unwrap();
        let core = CoreBank::new(&settings, &store).unwrap();
        let elsewhere = if branch == "uk" { "GB82WEST12345698765432" } else { "NL91ABNA0417164300" };
        let elsewhere = Iban::parse(elsewhere).unwrap();
        let bank = core.ports();
        Self { sandbox, tenant, now, way, store, core, bank, payer, payee, empty, elsewhere, settings }
    }

    pub(crate) fn parties<'a>(&'a self, run: &'a str) -> Parties<'a> {
        Parties {
            bank: &self.bank,
            store: &self.store,
            tenant: &self.tenant,
            payer: (&self.payer.0, &self.payer.1),
            payee: &self.payee,
            elsewhere: &self.elsewhere,
            now: self.now,
            run,
        }
    }

    /// A payment to the payee that was approved.
    pub(crate) fn payment(&self, id: &str, minor: i64, execution: Execution) -> [ApprovedPayment; 1] {
        let interface = if execution == Execution::AtOnce { Interface::Bunq } else { Interface::BerlinGroup };
        let transfer = Transfer {
            creditor: Counterparty {
                name: Some(self.payee.name.clone()),
                iban: Some(self.payee.iban.clone()),
            },
            amount: Money { minor, currency: self.payee.currency },
            remittance: None,
            end_to_end_id: None,
            routing: None,
        };
        let terms = PaymentTerms { execution, ..PaymentTerms::AT_ONCE };
        let which = (PaymentId::new(id), self.tenant.clone(), interface);
        [approved(which, self.payer.1.id.clone(), (terms, vec![transfer]))]
    }

    /// A payment of the payer, as the gateway keeps it from when the bank has it.
    pub(crate) fn kept(&self, id: &str, interface: Interface) -> Payment {
        let (by, account) = (vec![self.payer.0.clone()], self.payer.1.id.clone());
        Payment {
            id: PaymentId::new(id),
            tpp: None,
            tenant: self.tenant.clone(),
            interface,
            terms: PaymentTerms::AT_ONCE,
            debtor: None,
            transfers: self.payment(id, 100, Execution::AtOnce)[0].transfers().to_vec(),
            created_at: self.now,
            expires_at: self.now,
            decision: PaymentDecision::Submitted { by, account },
            last_action_at: self.now,
            version: 0,
        }
    }

    /// What a payment that the gateway keeps is now.
    pub(crate) async fn status_of(&self, id: &str) -> PaymentStatus {
        self.store.payment(&PaymentId::new(id)).await.unwrap().unwrap().status_at(self.now)
    }

    /// What the gateway saves with a payment.
    pub(crate) fn note(&self, key: &str) -> Changes {
        let (key, value) = (key.to_owned(), String::new());
        Drawer::new(&self.store, "test").changes(&[Entry {
            kind: "note",
            key,
            value,
            forget_at: None,
            version: 0,
        }])
    }

    pub(crate) async fn is_noted(&self, key: &str) -> bool {
        Drawer::new(&self.store, "test").get("note", key).await.unwrap().is_some()
    }

    /// What the payee has, in the bank's own books.
    pub(crate) async fn received(&self) -> i64 {
        let day = self.tenant.date_at(self.now);
        let funds = self.sandbox.bank.accounts.funds(&access(self.payee.id.clone()), day).await.unwrap();
        funds.booked.minor
    }

    /// How many payments there are of which the gateway does not know whether the bank has them.
    pub(crate) async fn open_rows(&self) -> usize {
        Drawer::new(&self.store, "core-bank").all("open").await.unwrap().len()
    }

    /// A gateway that was started anew on the same store, with other limits.
    pub(crate) fn restarted(&self, limits: Limits) -> CoreBank {
        CoreBank::new(&CoreBankSettings { limits, ..self.settings.clone() }, &self.store).unwrap()
    }
}

async fn holder(sandbox: &Sandbox, tenant: &Tenant, minor: i64, now: Timestamp) -> (CustomerId, Account) {
    let doors = sandbox.bank.test_doors.clone().unwrap();
    let customer = doors.make_customer(tenant, CustomerKind::Person).await.unwrap();
    let accounts = sandbox.bank.customers.accounts_of(&customer).await.unwrap();
    let account = accounts[0].clone();
    if minor > 0 {
        let amount = Money { minor, currency: account.currency };
        let what = (account.id.as_str(), amount, "Employer", "salary");
        doors.give_money(&account.id, what, now).await.unwrap();
    }
    (customer, account)
}
