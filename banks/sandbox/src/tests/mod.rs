//! The bank behind its ports: what becomes of payments, by any clock.

mod any_sequence;
mod executions;
mod forced;
mod magic_payees;

use gateway::bank::Payments;
use gateway::domain::{
    Account, AccountId, AccountStatus, Counterparty, Currency, CustomerId, Execution, Iban, Interface, Money,
    Payment, PaymentDecision, PaymentId, PaymentProduct, PaymentRefusal, PaymentService, PaymentTerms,
    Refusal, RejectReason, Repetition, Tenant, Timestamp, TransactionStatus, Transfer,
};
use gateway::{Ctx, Error, PaymentProgress, Store};
use store::Changes;
use vestibule::profiles::{RateLimits, Strictness, of_sandbox};

use crate::bank::SandboxBank;
use crate::books;
use crate::due_orders;
use crate::ledger::{AccountChanges, Ledger};
use crate::magic;
use crate::numbers::{OwnCode, Sequence, foreign_iban, own_iban};
use crate::personas::find;
use crate::test_accounts::{Wish, make};
use crate::{Sandbox, SandboxSettings};

/// When the tests begin: a Thursday in winter.
const BEGIN: &str = "2026-11-26T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A customer with one account.
#[derive(Debug, Clone)]
struct Held {
    tenant: Tenant,
    customer: CustomerId,
    account: Account,
}

/// A bank, a branch, and a clock that stands still until it is told the time.
struct Scene {
    bank: Sandbox,
    tenant: Tenant,
    now: Timestamp,
    /// Where payments are asked for.
    interface: Interface,
}

impl Scene {
    async fn at(tenant: &str) -> Self {
        Self::beside(tenant, &[]).await
    }

    /// A branch beside others.
    async fn beside(tenant: &str, others: &[&str]) -> Self {
        let tenant = Tenant::parse(tenant).unwrap();
        let others = others.iter().map(|other| Tenant::parse(other).unwrap());
        let mut profiles = of_sandbox(Strictness::Lenient, RateLimits::Off);
        profiles.berlin_group.cross_border_payments = true;
        let settings = SandboxSettings {
            tenants: std::iter::once(tenant.clone()).chain(others).collect(),
            profiles,
            seed: Some(7),
            begin: Some(at(BEGIN)),
            public_url: "http://127.0.0.1:1".to_owned(),
            trusted: Vec::new(),
            revocation: None,
            misbehaves: 0,
            provider: None,
        };
        let bank = Sandbox::start(Store::in_memory().unwrap(), settings).await.unwrap();
        Self { bank, tenant, now: at(BEGIN), interface: Interface::BerlinGroup }
    }

    fn store(&self) -> &Ledger {
        &self.bank.store
    }

    fn port(&self) -> SandboxBank {
        SandboxBank::new(
            self.store().clone(),
            std::sync::Arc::clone(&self.bank.randomness),
            std::sync::Arc::clone(&self.bank.clock),
        )
    }

    /// A customer with money and nothing else.
    async fn holder(&self, minor: i64) -> Held {
        self.holder_at(self.tenant.as_str(), minor).await
    }

    /// The same at another branch.
    async fn holder_at(&self, tenant: &str, minor: i64) -> Held {
        let tenant = Tenant::parse(tenant).unwrap();
        let currency = tenant.currency();
        let wish = Wish {
            tenant: tenant.clone(),
            persona: find("empty").unwrap(),
            name: None,
            on_demand: false,
            currency: None,
            balance: Some(Money { minor, currency }),
        };
        let made = make(self.store(), &self.bank.randomness, &self.bank.clock, &wish).await.unwrap();
        Held { tenant, customer: made.holders[0].id.clone(), account: made.accounts[0].clone() }
    }

    /// What time it is at a branch.
    fn now_at(&self, tenant: &Tenant) -> Timestamp {
        self.bank.clock.elsewhere((self.now, &self.tenant), tenant)
    }

    /// A customer pays at the interface where they come in person.
    async fn pay(
        &self,
        ctx: &Ctx,
        by: (&CustomerId, &AccountId),
        transfers: Vec<Transfer>,
    ) -> Result<PaymentId, Error> {
        self.bank.gateway.pay(ctx, Interface::Bunq, by, transfers).await
    }

    fn ctx(&self) -> Ctx {
        self.ctx_at(&self.tenant)
    }

    fn ctx_at(&self, tenant: &Tenant) -> Ctx {
        let ctx = self.bank.gateway.context(tenant.as_str(), self.bank.gateway.new_request_id());
        Ctx { now: self.now_at(tenant), ..ctx.unwrap() }
    }

    /// A payment that its customer approves: its id, whatever the bank says of it.
    async fn submit(
        &self,
        from: &Held,
        terms: &PaymentTerms,
        transfers: &[Transfer],
    ) -> Result<PaymentId, PaymentRefusal> {
        let id = PaymentId::new(self.bank.randomness.id());
        self.submit_as(&id, from, terms, transfers).await.map(|()| id)
    }

    async fn submit_as(
        &self,
        id: &PaymentId,
        from: &Held,
        terms: &PaymentTerms,
        transfers: &[Transfer],
    ) -> Result<(), PaymentRefusal> {
        // Asked for anew if it is there: the gateway would not do that, and the bank has to know it all the same.
        let version = self.store().payment(id).await.unwrap().map_or(0, |known| known.version);
        let now = self.now_at(&from.tenant);
        let payment = Payment {
            id: id.clone(),
            tpp: None,
            tenant: from.tenant.clone(),
            interface: self.interface,
            terms: terms.clone(),
            debtor: None,
            transfers: transfers.to_vec(),
            created_at: now,
            expires_at: now + jiff::SignedDuration::from_hours(24),
            decision: PaymentDecision::Pending,
            last_action_at: now,
            version,
        };
        self.store().save(Changes::new().put_payment(&payment)).await.unwrap();
        let by = (&from.customer, &from.account.id);
        match self.bank.gateway.approve_payment(&self.ctx_at(&from.tenant), id, by).await {
            Ok(_) => Ok(()),
            Err(Error::Refused(Refusal::Payment(refusal))) => Err(refusal),
            Err(error) => panic!("{error}"),
        }
    }

    /// The clock goes on, and what is due is done.
    async fn go_to(&mut self, now: &str) {
        self.now = at(now);
        self.do_due().await;
    }

    async fn do_due(&self) {
        let tenants = self.bank.gateway.settings().tenants.iter();
        let branches: Vec<_> = tenants.map(|tenant| (tenant, self.now_at(tenant))).collect();
        let agenda = edge::Agenda::default().with(due_orders::due(&self.bank));
        agenda.do_due_at(&branches).await.unwrap();
    }

    async fn progress(&self, id: &PaymentId) -> PaymentProgress {
        self.port().progress(id, self.now).await.unwrap().unwrap()
    }

    async fn status(&self, id: &PaymentId) -> &'static str {
        self.progress(id).await.status.name()
    }

    async fn stop(&self, id: &PaymentId) -> Result<(), PaymentRefusal> {
        self.port().stop(id, Changes::new(), self.now).await.unwrap()
    }

    /// What is booked on an account, and what can be spent.
    async fn money(&self, held: &Held) -> (i64, i64) {
        let booked = self.store().account(&held.account.id).await.unwrap().unwrap();
        let today = held.tenant.date_at(self.now_at(&held.tenant));
        books::balance_and_available(self.store(), &booked, today).await.unwrap()
    }

    async fn set(&self, held: &Held, status: AccountStatus) {
        let changes = Changes::new().set_account_status(&held.account.id, status);
        self.store().save(changes).await.unwrap();
    }

    fn money_of(&self, minor: i64) -> Money {
        Money { minor, currency: self.tenant.currency() }
    }

    fn to(&self, held: &Held, minor: i64) -> Transfer {
        self.transfer(&held.account.name, Some(held.account.iban.clone()), minor)
    }

    fn outside(&self, minor: i64) -> Transfer {
        self.transfer("Shop", foreign_iban(self.tenant.country(), "Shop"), minor)
    }

    /// To a number of this bank that is nobody's.
    fn nobody(&self, minor: i64) -> Transfer {
        let iban = own_iban(&self.tenant, OwnCode::Plain, &mut Sequence::of("nobody"));
        self.transfer("Nobody", iban, minor)
    }

    fn magic(&self, minor: i64) -> Transfer {
        self.transfer(magic::PAYEE, foreign_iban(self.tenant.country(), "Magic"), minor)
    }

    fn transfer(&self, name: &str, iban: Option<Iban>, minor: i64) -> Transfer {
        Transfer {
            creditor: Counterparty { name: Some(name.to_owned()), iban },
            amount: self.money_of(minor),
            remittance: Some("Invoice 1".to_owned()),
            end_to_end_id: Some("E1".to_owned()),
            routing: None,
        }
    }
}

fn single(product: PaymentProduct, execution: Execution) -> PaymentTerms {
    PaymentTerms { service: PaymentService::Single, product, execution, batch_booking: None }
}

fn sepa() -> PaymentTerms {
    single(PaymentProduct::SepaCreditTransfers, Execution::AtOnce)
}

fn sepa_on(day: &str) -> PaymentTerms {
    single(PaymentProduct::SepaCreditTransfers, Execution::On(day.parse().unwrap()))
}

fn uk() -> PaymentTerms {
    single(PaymentProduct::UkDomesticTransfers, Execution::AtOnce)
}

fn bulk(product: PaymentProduct) -> PaymentTerms {
    PaymentTerms { service: PaymentService::Bulk, ..single(product, Execution::AtOnce) }
}

fn periodic(repetition: Repetition) -> PaymentTerms {
    PaymentTerms { service: PaymentService::Periodic, execution: Execution::Repeated(repetition), ..sepa() }
}
