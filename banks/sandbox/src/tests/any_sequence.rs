//! Whatever happens in whatever order, at both doors: money is neither made nor lost, and a payment is made once or not at
//! all.

use gateway::domain::{Frequency, Transaction};
use proptest::prelude::*;

use super::*;
use crate::execution::entry;
use crate::forcing::{Unforced, force, refund};
use crate::ledger::{Order, Step};

#[derive(Debug, Clone)]
enum Operation {
    /// Terms, who pays, to whom, and how much.
    Submit(usize, usize, Vec<(usize, i64)>),
    /// The same payment comes to the bank a second time.
    SubmitAgain(usize),
    /// A customer pays in person.
    Pay(usize, usize, i64),
    Advance(i64),
    Stop(usize),
    Force(usize, usize),
    Refund(usize),
    /// An account is blocked, closed, or open.
    SetStatus(usize, usize),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let transfers = proptest::collection::vec((0_usize..6, 1_i64..2_500), 1..4);
    let one = prop_oneof![
        6 => (0_usize..7, 0_usize..3, transfers).prop_map(|(terms, from, to)| Operation::Submit(terms, from, to)),
        1 => (0_usize..40).prop_map(Operation::SubmitAgain),
        2 => (0_usize..3, 0_usize..6, 1_i64..2_500).prop_map(|(from, to, minor)| Operation::Pay(from, to, minor)),
        5 => prop_oneof![Just(61), Just(25_200), Just(86_400), Just(5 * 86_400), Just(40 * 86_400)]
            .prop_map(Operation::Advance),
        1 => (0_usize..40).prop_map(Operation::Stop),
        4 => (0_usize..40, 0_usize..14).prop_map(|(which, status)| Operation::Force(which, status)),
        2 => (0_usize..40).prop_map(Operation::Refund),
        1 => (0_usize..3, 0_usize..6).prop_map(|(which, status)| Operation::SetStatus(which, status)),
    ];
    proptest::collection::vec(one, 1..40)
}

struct Books {
    scene: Scene,
    holders: Vec<Held>,
    /// What was asked for, whatever the bank said.
    asked: Vec<(PaymentId, usize, PaymentTerms, Vec<Transfer>)>,
    /// Payments at the other door.
    paid: Vec<PaymentId>,
    /// What each account's history was, oldest first.
    histories: Vec<Vec<Transaction>>,
    total: i64,
}

impl Books {
    async fn open(tenant: &str, (other, ahead): (&str, i64)) -> Self {
        let scene = Scene::beside(tenant, &[other]).await;
        let branch = Tenant::parse(other).unwrap();
        scene.bank.clock.advance(&branch, jiff::Span::new().hours(ahead)).await.unwrap();
        let holders =
            vec![scene.holder(9_000).await, scene.holder(1_000).await, scene.holder_at(other, 0).await];
        Self {
            scene,
            holders,
            asked: Vec::new(),
            paid: Vec::new(),
            histories: vec![Vec::new(); 3],
            total: 10_000,
        }
    }

    fn terms(&self, number: usize) -> PaymentTerms {
        let today = self.scene.tenant.date_at(self.scene.now);
        let later = |days: i64| today.saturating_add(jiff::Span::new().days(days));
        let repetition = Repetition {
            start: later(1),
            end: Some(later(60)),
            frequency: Frequency::Weekly,
            rule: None,
            day: None,
            months: Vec::new(),
        };
        match number {
            0 => sepa(),
            1 => uk(),
            2 => single(PaymentProduct::CrossBorderCreditTransfers, Execution::AtOnce),
            3 => single(PaymentProduct::SepaCreditTransfers, Execution::On(later(3))),
            4 => periodic(repetition),
            5 => bulk(PaymentProduct::SepaCreditTransfers),
            _ => bulk(PaymentProduct::UkDomesticTransfers),
        }
    }

    fn transfer(&self, to: usize, minor: i64) -> Transfer {
        match to {
            0..3 => self.scene.to(&self.holders[to], minor),
            3 => self.scene.outside(minor),
            4 => self.scene.magic(minor),
            _ => self.scene.nobody(minor),
        }
    }

    async fn run(&mut self, operation: &Operation) {
        let which = |number: usize| self.asked.get(number % self.asked.len().max(1)).cloned();
        match operation {
            Operation::Submit(terms, from, to) => {
                let terms = self.terms(*terms);
                let many = if terms.service == PaymentService::Bulk { to.len() } else { 1 };
                let transfers: Vec<_> =
                    to.iter().take(many).map(|(to, minor)| self.transfer(*to, *minor)).collect();
                let id = PaymentId::new(self.scene.bank.randomness.id());
                let _ = self.scene.submit_as(&id, &self.holders[*from], &terms, &transfers).await;
                self.asked.push((id, *from, terms, transfers));
            }
            Operation::SubmitAgain(number) => {
                let Some((id, from, terms, transfers)) = which(*number) else { return };
                let _ = self.scene.submit_as(&id, &self.holders[from], &terms, &transfers).await;
            }
            Operation::Pay(from, to, minor) => {
                let transfers = vec![self.transfer(*to, *minor)];
                let by = (&self.holders[*from].customer, &self.holders[*from].account.id);
                let ctx = self.scene.ctx_at(&self.holders[*from].tenant);
                let paid = self.scene.pay(&ctx, by, transfers).await;
                self.paid.extend(paid);
            }
            Operation::Advance(seconds) => {
                self.scene.now += jiff::SignedDuration::from_secs(*seconds);
                self.scene.do_due().await;
            }
            Operation::Stop(number) => {
                let Some((id, ..)) = which(*number) else { return };
                let _ = self.scene.stop(&id).await;
            }
            Operation::Force(number, status) => {
                let (Some((id, from, ..)), (status, _)) = (which(*number), TransactionStatus::NAMES[*status])
                else {
                    return;
                };
                let now = self.scene.now_at(&self.holders[from].tenant);
                none_failed(force(&self.scene.bank.books(), &id, (status, None), now).await);
            }
            Operation::Refund(number) => {
                let Some((id, from, ..)) = which(*number) else { return };
                let now = self.scene.now_at(&self.holders[from].tenant);
                none_failed(refund(&self.scene.bank.books(), &id, now).await);
            }
            Operation::SetStatus(which, status) => {
                let status = match status {
                    0 => AccountStatus::Blocked,
                    1 => AccountStatus::Deleted,
                    _ => AccountStatus::Enabled,
                };
                self.scene.set(&self.holders[*which], status).await;
            }
        }
    }

    /// What holds at any time.
    async fn check(&mut self) {
        let store = self.scene.store();
        assert_eq!(store.unbalanced_entries().await.unwrap(), Vec::<String>::new());
        let (mut outside, mut held) = (0, 0);
        for (place, holder) in self.holders.iter().enumerate() {
            let id = &holder.account.id;
            let (balance, available) = self.scene.money(holder).await;
            let reserved =
                store.reserved_orders(id).await.unwrap().iter().map(|order| order.reserved).sum::<i64>();
            assert_eq!(store.account(id).await.unwrap().unwrap().reserved, reserved);
            assert_eq!(available, balance - reserved);
            assert!(available >= 0, "nobody pays what is not there");
            held += balance;
            let mut history = store.history_up_to(id, holder.account.currency, (9_999, 9_999)).await.unwrap();
            history.reverse();
            let places: Vec<i64> = history.iter().map(|(place, _)| *place).collect();
            assert_eq!(places, (1..).take(history.len()).collect::<Vec<i64>>());
            let history: Vec<_> = history.into_iter().map(|(_, transaction)| transaction).collect();
            assert_eq!(history.iter().map(|one| one.amount.minor).sum::<i64>(), balance);
            let before = &self.histories[place];
            assert_eq!(&history[..before.len()], &before[..], "histories grow at their end alone");
            self.histories[place] = history;
        }
        for (id, _, _, transfers) in &self.asked {
            match store.order(id).await.unwrap() {
                Some(order) => outside += self.check_order(&order).await,
                None => {
                    for index in 0..transfers.len() {
                        let none = store.legs(&gateway::entry_of(id, index)).await.unwrap();
                        assert_eq!(none, [], "what was declined moved nothing");
                    }
                }
            }
        }
        for id in &self.paid {
            outside += self.moved(&gateway::entry_of(id, 0)).await.unwrap();
        }
        assert_eq!(held + outside, self.total);
    }

    /// What an entry brought to the rest of the world, if it was made.
    async fn moved(&self, entry: &str) -> Option<i64> {
        let legs = self.scene.store().legs(entry).await.unwrap();
        assert!(legs.is_empty() || legs.len() == 2, "{legs:?}");
        let world = legs.iter().find(|leg| books::is_world(&leg.account));
        (!legs.is_empty()).then(|| world.map_or(0, |leg| leg.amount))
    }

    /// What an order brought to the rest of the world.
    async fn check_order(&self, order: &Order) -> i64 {
        let is_periodic = matches!(order.terms.execution, Execution::Repeated(_));
        let mut outside = 0;
        for execution in 0..order.executions + 2 {
            for index in 0..order.transfers.len() {
                let entry = entry(order, execution, index);
                let made = self.moved(&entry).await;
                let back = self.moved(&format!("{entry}-refund")).await;
                outside += made.unwrap_or(0) + back.unwrap_or(0);
                assert!(made.is_some() || back.is_none(), "given back what was not paid");
                assert!(made.is_none() || execution < order.executions, "{order:?}");
                if is_periodic || execution > 0 {
                    assert!(is_periodic || made.is_none(), "made twice: {order:?}");
                    continue;
                }
                let is_refused = order.refused.contains_key(&index);
                match order.step {
                    Step::Execute | Step::Book => assert_eq!(made, None, "{order:?}"),
                    Step::Credit | Step::Made if is_refused => assert_eq!(made.is_some(), back.is_some()),
                    Step::Credit | Step::Made => assert!(made.is_some(), "{order:?}"),
                    Step::Ended => assert_eq!(made.is_some(), back.is_some(), "{order:?}"),
                }
            }
        }
        let open: i64 = order
            .transfers
            .iter()
            .enumerate()
            .filter(|(index, _)| !order.refused.contains_key(index))
            .map(|(_, transfer)| transfer.amount.minor)
            .sum();
        assert_eq!(order.reserved, if order.step == Step::Book { open } else { 0 }, "{order:?}");
        let settled = [TransactionStatus::Acsc, TransactionStatus::Accc].contains(&order.status);
        assert!(!settled || matches!(order.step, Step::Credit | Step::Made), "{order:?}");
        let ended = [TransactionStatus::Rjct, TransactionStatus::Canc].contains(&order.status);
        assert_eq!(ended, order.step == Step::Ended, "{order:?}");
        outside
    }
}

fn none_failed(forced: Result<Order, Unforced>) {
    if let Err(Unforced::Failed(error)) = forced {
        assert!(matches!(error, Error::NotFound(_)), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn money_is_neither_made_nor_lost(
        operations in operations(),
        branches in prop_oneof![
            Just(("nl", "be_fr")), Just(("uk", "gb_2")), Just(("de", "nl")), Just(("nl", "uk"))
        ],
        ahead in prop_oneof![Just(0), Just(9 * 24), Just(-30 * 24)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut books = Books::open(branches.0, (branches.1, ahead)).await;
            books.check().await;
            for operation in &operations {
                books.run(operation).await;
                books.check().await;
            }
        });
    }
}
