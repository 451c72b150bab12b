//! What comes due at one bank is done in the order of its moments, whoever does it: schedules of this interface, and payments
//! with a day of the other one, in several branches.

use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro};
use testkit::{TestServer, TestTpp, euro_payment};

/// How time goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// All clocks jump.
    Jump,
    /// The bank is stopped, and started again later.
    Restart,
    /// Day after day.
    Steps,
}

/// Who pays: at this interface those of the first branch alone.
const BRANCHES: [&str; 3] = ["nl", "nl", "be_fr"];

/// A payment of a day: after how many days, from whom, to whom, how much, and whether a schedule of this interface makes it.
type Planned = (i64, usize, usize, i64, bool);

/// A bank and three of its customers; the first has 50.00.
struct World {
    server: TestServer,
    folder: std::path::PathBuf,
    /// Removes it.
    _guard: Box<dyn std::any::Any>,
    held: Vec<Value>,
    tpps: Vec<TestTpp>,
    /// What was asked for, in turn: the path of a payment, or an account and its schedule.
    asked: Vec<Result<String, (usize, i64)>>,
}

async fn start(folder: &std::path::Path, ahead: i64) -> TestServer {
    let data = vestibule::DataLocation::Folder(folder.to_owned());
    let begin = Some(testkit::in_days(ahead));
    TestServer::with(|config| (config.data, config.begin) = (data, begin)).await
}

impl World {
    async fn open() -> Self {
        let (guard, folder) = testkit::free_folder();
        let server = start(&folder, 0).await;
        let (mut held, mut tpps) = (Vec::new(), Vec::new());
        for (tenant, balance) in BRANCHES.into_iter().zip(["50.00", "0.00", "0.00"]) {
            server.at_ten(tenant).await;
            let wish = json!({"tenant": tenant, "persona": "empty", "balance": balance});
            held.push(server.manage("POST", "/test-accounts", wish).await.1);
        }
        for (tenant, id) in [("nl", "PSDNL-DNB-R000001"), ("be_fr", "PSDNL-DNB-R999999")] {
            tpps.push(server.registered(tenant, id).await);
        }
        Self { server, folder, _guard: Box::new(guard), held, tpps, asked: Vec::new() }
    }

    fn iban(&self, who: usize) -> &str {
        self.held[who]["iban"].as_str().unwrap()
    }

    fn tpp(&self, who: usize) -> &TestTpp {
        &self.tpps[usize::from(BRANCHES[who] != "nl")]
    }

    async fn customer(&self, who: usize) -> (BunqClient, i64) {
        let own = BunqClient::customer(&self.server, &self.held[who]).await;
        let account = own.account().await;
        (own, account)
    }

    async fn ask(&mut self, (days, from, to, minor, is_schedule): Planned) {
        let (day, amount) = (testkit::day(days + 1), format!("{}.{:02}", minor / 100, minor % 100));
        let asked = if is_schedule && from < 2 {
            let (own, account) = self.customer(from).await;
            let payee = json!({"type": "IBAN", "value": self.iban(to), "name": "Payee"});
            let body = json!({
                "payment": {"amount": euro(&amount), "counterparty_alias": payee, "description": "Planned"},
                "schedule": {"time_start": format!("{day} 12:00:00"), "recurrence_unit": "ONCE"},
            });
            Err((from, own.make(&own.below(account, "/schedule-payment"), &body).await))
        } else {
            let mut body = euro_payment(&amount, self.iban(to));
            body["requestedExecutionDate"] = json!(day);
            let what = ("payments/sepa-credit-transfers", &body);
            let made = self.tpp(from).submitted_payment(&self.server, what, self.iban(from)).await;
            Ok(made.path)
        };
        self.asked.push(asked);
    }

    async fn go_on(self, days: i64, way: Way) -> Self {
        let advance = async |days: i64| {
            let (status, body) =
                self.server.manage("PUT", "/clock", json!({"advance": format!("P{days}D")})).await;
            assert_eq!(status, 200, "{body}");
        };
        match way {
            Way::Jump => advance(days).await,
            Way::Steps => {
                for _ in 0..days {
                    advance(1).await;
                }
            }
            Way::Restart => {
                self.server.stop().await;
                let server = start(&self.folder, days).await;
                return Self { server, ..self };
            }
        }
        self
    }

    /// What became of each payment: whether it was made and, if it came due at all, on which day.
    async fn outcomes(&self) -> Vec<(bool, String)> {
        let mut outcomes = Vec::new();
        for asked in &self.asked {
            outcomes.push(match asked {
                Ok(path) => {
                    let path = format!("/payments/{}", path.rsplit('/').next().unwrap());
                    let seen = self.server.manage("GET", &path, Value::Null).await.1;
                    let status = seen["transactionStatus"].as_str().unwrap();
                    assert!(["ACCC", "RJCT"].contains(&status), "{seen}");
                    (status == "ACCC", seen["since"].as_str().unwrap()[..10].to_owned())
                }
                Err((who, schedule)) => {
                    let (own, account) = self.customer(*who).await;
                    let path = own.below(account, &format!("/schedule/{schedule}/schedule-instance"));
                    let instances = own.list(&path).await;
                    assert_eq!(instances.len(), 1, "{instances:?}");
                    let state = instances[0]["state"].as_str().unwrap();
                    (
                        state == "FINISHED_SUCCESSFULLY",
                        instances[0]["time_start"].as_str().unwrap()[..10].to_owned(),
                    )
                }
            });
        }
        outcomes
    }

    async fn balances(&self) -> [i64; 3] {
        let (one, other) = (self.customer(0).await, self.customer(1).await);
        let third = self.tpp(2).expected_balance(&self.server, self.iban(2)).await;
        [one.0.balance(one.1).await, other.0.balance(other.1).await, third]
    }
}

/// The money goes round: schedules need what orders bring, orders need what schedules bring, and nobody pays before the money is
/// there.
#[tokio::test]
async fn schedules_and_orders_of_all_branches_wait_for_each_other() {
    for way in [Way::Jump, Way::Restart] {
        let mut world = World::open().await;
        for planned in [
            (29, 1, 2, 5_000, false),
            (22, 0, 1, 5_000, true),
            (15, 2, 0, 5_000, false),
            (8, 1, 2, 5_000, false),
            (4, 1, 0, 6_000, true),
            (1, 0, 1, 5_000, true),
        ] {
            world.ask(planned).await;
        }
        let mut world = world.go_on(45, way).await;
        let outcomes = world.outcomes().await;
        let made: Vec<bool> = outcomes.iter().map(|(is_made, _)| *is_made).collect();
        assert_eq!(made, [true, true, true, true, false, true], "{way:?}: {outcomes:?}");
        let schedules = [&outcomes[5].1, &outcomes[4].1, &outcomes[1].1];
        let days = [testkit::day(2), testkit::day(5), testkit::day(23)];
        assert!(schedules.into_iter().eq(&days), "{way:?}: {outcomes:?}");
        assert_eq!(world.balances().await, [0, 0, 5_000], "{way:?}");
        // The books tell the same days.
        let (own, account) = world.customer(1).await;
        let mut entries = own.list(&own.below(account, "/payment")).await;
        entries.reverse();
        let booked: Vec<&str> = entries.iter().map(|one| &one["created"].as_str().unwrap()[..10]).collect();
        let [first, second] = [&outcomes[5].1, &outcomes[3].1];
        assert_eq!(booked, [first, second, &outcomes[1].1, &outcomes[0].1], "{way:?}");
        world.asked.clear();
    }
}

fn plans() -> impl Strategy<Value = Vec<Planned>> {
    let one = (1_i64..9, 0_usize..3, 1_usize..3, 1_i64..6_000, any::<bool>());
    proptest::collection::vec(
        one.prop_map(|(day, from, on, minor, is)| (day, from, (from + on) % 3, minor, is)),
        8,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 0, ..ProptestConfig::default() })]

    /// Whether clocks jump, go on day after day, or the bank was away, the same becomes of everything.
    #[test]
    fn any_way_through_time_ends_the_same(plan in plans()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut ends = Vec::new();
            for way in [Way::Steps, Way::Jump, Way::Restart] {
                let mut world = World::open().await;
                for planned in &plan {
                    world.ask(*planned).await;
                }
                let world = world.go_on(20, way).await;
                ends.push((world.outcomes().await, world.balances().await));
            }
            assert_eq!(ends[1], ends[0], "a jump ends as days do");
            assert_eq!(ends[2], ends[0], "a bank that was away makes it good");
            assert_eq!(ends[0].1.iter().sum::<i64>(), 5_000);
        });
    }
}
