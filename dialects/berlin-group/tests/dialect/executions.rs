//! What the bank makes of payments as time goes by, and what whoever tests makes of them.

use gateway::Changes;
use gateway::domain::{Payment, PaymentId};
use serde_json::{Value, json};
use testkit::bunq::BunqClient;
use testkit::{TestServer, TestTpp, euro_payment};

use crate::ID;

const SEPA: &str = "payments/sepa-credit-transfers";

/// A customer with an amount and nothing else.
async fn holder(server: &TestServer, tenant: &str, balance: &str) -> Value {
    let body = json!({"tenant": tenant, "persona": "empty", "balance": balance});
    let (status, made) = server.manage("POST", "/test-accounts", body).await;
    assert_eq!(status, 201, "{made}");
    made
}

fn iban(customer: &Value) -> &str {
    customer["iban"].as_str().unwrap()
}

/// The day so many days from today at a branch.
async fn day(server: &TestServer, tenant: &str, days: i64) -> String {
    let (_, clocks) = server.manage("GET", "/clock", Value::Null).await;
    let clocks = clocks["clocks"].as_array().unwrap().clone();
    let clock = clocks.iter().find(|clock| clock["tenant"] == tenant).unwrap();
    let now: jiff::Timestamp = clock["now"].as_str().unwrap().parse().unwrap();
    let today = now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    today.checked_add(jiff::Span::new().days(days)).unwrap().to_string()
}

async fn set_clock(server: &TestServer, tenant: &str, now: &str) {
    let (status, body) = server.manage("PUT", "/clock", json!({"tenant": tenant, "now": now})).await;
    assert_eq!(status, 200, "{body}");
}

/// A payment as the bank sees it.
async fn seen(server: &TestServer, path: &str) -> Value {
    let (status, body) = server.manage("GET", &managed(path), Value::Null).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// The path of a payment at the management API.
fn managed(path: &str) -> String {
    format!("/payments/{}", path.rsplit('/').next().unwrap())
}

fn on(day: &str, payment: &Value) -> Value {
    let mut payment = payment.clone();
    payment["requestedExecutionDate"] = json!(day);
    payment
}

fn to_magic(amount: &str) -> Value {
    let mut payment = euro_payment(amount, "NL91ABNA0417164300");
    payment["creditorName"] = json!("Vestibule Magic");
    payment
}

/// The path of a payment that the bank has.
async fn submitted(tpp: &TestTpp, server: &TestServer, (body, payer): (&Value, &Value)) -> String {
    tpp.submitted_payment(server, (SEPA, body), iban(payer)).await.path
}

#[tokio::test]
async fn a_payment_is_made_when_its_day_begins_and_both_doors_show_it() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (holder(&server, "nl", "100.00").await, holder(&server, "nl", "5.00").await);
    let third = day(&server, "nl", 3).await;
    let payment = on(&third, &euro_payment("12.50", iban(&payee)));
    let path = submitted(&tpp, &server, (&payment, &payer)).await;
    assert_eq!(tpp.payment_status(&server, &path).await, "ACTC");
    let due = seen(&server, &path).await["dueAt"].as_str().unwrap().to_owned();
    assert!(due.ends_with("22:00:00Z") || due.ends_with("23:00:00Z"), "midnight in the Netherlands: {due}");
    let second_before: jiff::Timestamp =
        due.parse::<jiff::Timestamp>().unwrap() - jiff::SignedDuration::from_mins(1);
    set_clock(&server, "nl", &second_before.to_string()).await;
    assert_eq!(tpp.payment_status(&server, &path).await, "ACTC");
    set_clock(&server, "nl", &due).await;
    assert_eq!(tpp.payment_status(&server, &path).await, "ACSC");
    let own = BunqClient::customer(&server, &payee).await;
    let account = own.account().await;
    assert_eq!(own.balance(account).await, 1750);
    let entries = own.list(&own.below(account, "/payment")).await;
    assert_eq!(entries[0]["amount"]["value"], "12.50", "{}", entries[0]);
    let own = BunqClient::customer(&server, &payer).await;
    let account = own.account().await;
    assert_eq!(own.balance(account).await, 8750);
    let entries = own.list(&own.below(account, "/payment")).await;
    assert_eq!(entries[0]["amount"]["value"], "-12.50", "{}", entries[0]);
}

/// It is for the bank to say what became of it, and nothing that the gateway did wrong.
#[tokio::test]
async fn a_payment_that_the_bank_does_not_know_any_more_is_no_fault_of_the_gateway() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (holder(&server, "nl", "100.00").await, holder(&server, "nl", "5.00").await);
    let path = submitted(&tpp, &server, (&euro_payment("12.50", iban(&payee)), &payer)).await;
    // What the gateway has is of a later moment than what the bank has.
    let (folder, id) = path.rsplit_once('/').unwrap();
    let known = server.store().payment(&PaymentId::new(id)).await.unwrap().unwrap();
    let other = "01890000-0000-7000-8000-000000000001";
    let forgotten = Payment { id: PaymentId::new(other), version: 0, ..known };
    server.store().save(Changes::new().put_payment(&forgotten)).await.unwrap();
    for path in [format!("{folder}/{other}"), format!("{folder}/{other}/status")] {
        let answer = server.send(&tpp.get(&path)).await;
        assert_eq!(answer.status, 503, "{path}: {}", answer.body);
    }
}

/// A bank that was not there for days (`--data` and `--now`) makes what came due meanwhile as if it had been.
#[tokio::test]
async fn what_came_due_while_the_bank_was_down_is_booked_on_its_own_day() {
    let (_guard, folder) = testkit::free_folder();
    let start = async |begin: jiff::Timestamp| {
        let server = TestServer::with(|config| {
            config.data = vestibule::DataLocation::Folder(folder.clone());
            config.begin = Some(begin);
        });
        server.await
    };
    let server = start(testkit::now()).await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (holder(&server, "nl", "100.00").await, holder(&server, "nl", "5.00").await);
    let days = [testkit::day(3), testkit::day(5), testkit::day(7)];
    let mut paths = Vec::new();
    for (day, amount) in [(&days[2], "5.00"), (&days[1], "90.00"), (&days[0], "10.00")] {
        let payment = on(day, &euro_payment(amount, iban(&payee)));
        paths.push(submitted(&tpp, &server, (&payment, &payer)).await);
    }
    server.stop().await;

    let server = start(testkit::in_days(14)).await;
    // It begins as soon as it runs.
    while tpp.payment_status(&server, &paths[0]).await == "ACTC" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut statuses = Vec::new();
    for path in &paths {
        statuses.push(tpp.payment_status(&server, path).await);
    }
    assert_eq!(statuses, ["RJCT", "ACSC", "ACSC"], "each finds what its day left");
    let consent = tpp.valid(&server, &testkit::detailed(iban(&payee), true), iban(&payee)).await;
    let accounts = server.send(&tpp.attended("/v1/accounts", &consent)).await.json();
    let path = tpp.path_of(&accounts["accounts"][0]["_links"]["transactions"]);
    let booked = server.send(&tpp.attended(&format!("{path}?bookingStatus=booked"), &consent)).await.json();
    let booked = booked["transactions"]["booked"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let seen = booked.map(|one| (text(&one["bookingDate"]), text(&one["transactionAmount"]["amount"])));
    let seen: Vec<_> = seen.take(2).collect();
    assert_eq!(seen, [(days[1].clone(), "90.00".to_owned()), (days[0].clone(), "10.00".to_owned())]);
}

/// Customers of another branch are customers of the same bank: either side has the entry on the day that it is there.
#[tokio::test]
async fn customers_of_other_branches_are_paid_and_pay() {
    let server = TestServer::start().await;
    server.advance("be_nl", "P3D").await;
    let tpp = server.registered("nl", ID).await;
    let belgian = server.registered("be_nl", "PSDNL-DNB-R999999").await;
    let (payer, payee) = (holder(&server, "nl", "100.00").await, holder(&server, "be_nl", "5.00").await);
    let path = submitted(&tpp, &server, (&euro_payment("12.50", iban(&payee)), &payer)).await;
    assert_eq!(tpp.payment_status(&server, &path).await, "ACSC", "the payee has it");
    assert_eq!(tpp.expected_balance(&server, iban(&payer)).await, 8_750);
    assert_eq!(belgian.expected_balance(&server, iban(&payee)).await, 1_750);
    let path = submitted(&belgian, &server, (&euro_payment("2.50", iban(&payer)), &payee)).await;
    assert_eq!(belgian.payment_status(&server, &path).await, "ACSC");
    assert_eq!(tpp.expected_balance(&server, iban(&payer)).await, 9_000);
    assert_eq!(belgian.expected_balance(&server, iban(&payee)).await, 1_500);
    // One that is closed, and one that is kept in pounds.
    let closed = holder(&server, "be_nl", "0.00").await;
    let (status, body) = server
        .manage("PUT", &format!("/test-accounts/{}", iban(&closed)), json!({"status": "deleted"}))
        .await;
    assert_eq!(status, 200, "{body}");
    let british = holder(&server, "uk", "0.00").await;
    for (payee, said) in [
        (&closed, "the account that is to be paid is closed (AC04)"),
        (&british, "the account that is to be paid takes no such payments (AG01)"),
    ] {
        let body = euro_payment("1.00", iban(payee));
        let asked = tpp.approved_payment(&server, (SEPA, &body), iban(&payer)).await;
        let declined = tpp.confirm_payment_at(&server, &asked.authorisation, &asked.access_token).await;
        assert_eq!((declined.status, declined.error().0.as_str()), (400, "PAYMENT_FAILED"));
        assert!(declined.body.contains(said), "{}", declined.body);
    }
    assert_eq!(tpp.expected_balance(&server, iban(&payer)).await, 9_000);
}

/// A clock that is moved far stops where something is due: each payment finds what the accounts hold on its own day.
#[tokio::test]
async fn a_clock_that_jumps_leaves_nothing_out() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let tpp = server.registered("nl", ID).await;
    let (one, other) = (holder(&server, "nl", "50.00").await, holder(&server, "nl", "0.00").await);
    let [first, second, third] =
        [day(&server, "nl", 1).await, day(&server, "nl", 2).await, day(&server, "nl", 3).await];
    let back = on(&second, &euro_payment("40.00", iban(&one)));
    let back = submitted(&tpp, &server, (&back, &other)).await;
    let there = on(&first, &euro_payment("45.00", iban(&other)));
    let there = submitted(&tpp, &server, (&there, &one)).await;
    let too_much = on(&third, &euro_payment("46.00", iban(&other)));
    let too_much = submitted(&tpp, &server, (&too_much, &one)).await;
    let mut due = Vec::new();
    for path in [&there, &back, &too_much] {
        due.push(seen(&server, path).await["dueAt"].clone());
    }
    server.advance("nl", "P30D").await;
    for (path, status, due) in
        [(&there, "ACSC", &due[0]), (&back, "ACSC", &due[1]), (&too_much, "RJCT", &due[2])]
    {
        assert_eq!(tpp.payment_status(&server, path).await, status);
        assert_eq!(&seen(&server, path).await["since"].as_str().unwrap()[..10], &due.as_str().unwrap()[..10]);
    }
    assert_eq!(seen(&server, &too_much).await["reason"], "AM04");
}

/// Clocks that jump together go side by side: what one branch pays to another one is there when that one pays.
#[tokio::test]
async fn clocks_that_jump_together_stop_for_each_other() {
    let server = TestServer::start().await;
    let branches = ["be_fr", "nl", "be_nl"];
    for tenant in branches {
        server.at_ten(tenant).await;
    }
    let mut held = Vec::new();
    for (tenant, balance) in branches.into_iter().zip(["50.00", "0.00", "0.00"]) {
        held.push(holder(&server, tenant, balance).await);
    }
    let mut made = Vec::new();
    for (place, tenant) in branches.into_iter().enumerate() {
        let tpp = server.registered(tenant, &format!("PSDNL-DNB-R{place}99999")).await;
        let day = day(&server, tenant, 2 + i64::try_from(place).unwrap()).await;
        let payment = on(&day, &euro_payment("50.00", iban(&held[(place + 1) % 3])));
        let path = submitted(&tpp, &server, (&payment, &held[place])).await;
        let due = seen(&server, &path).await["dueAt"].clone();
        made.push((tpp, path, due));
    }
    let (status, body) = server.manage("PUT", "/clock", json!({"advance": "P8D"})).await;
    assert_eq!(status, 200, "{body}");
    for (tpp, path, due) in &made {
        assert_eq!(tpp.payment_status(&server, path).await, "ACSC");
        assert_eq!(&seen(&server, path).await["since"].as_str().unwrap()[..10], &due.as_str().unwrap()[..10]);
    }
    // The payee has it on the day on which it was paid.
    let own = BunqClient::customer(&server, &held[1]).await;
    let entries = own.list(&own.below(own.account().await, "/payment")).await;
    let got = entries.iter().find(|entry| entry["amount"]["value"] == "50.00").unwrap();
    assert_eq!(&got["created"].as_str().unwrap()[..10], &made[0].2.as_str().unwrap()[..10]);
}

/// What is due at the moment at which a clock is moved is made before time goes on, whether its task has come by or not.
#[tokio::test]
async fn what_is_due_already_is_made_before_a_clock_moves() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (holder(&server, "nl", "20.00").await, holder(&server, "nl", "0.00").await);
    let today = day(&server, "nl", 0).await;
    let mut once = euro_payment("12.50", iban(&payee));
    for (name, value) in [("startDate", today.as_str()), ("endDate", &today), ("frequency", "Daily")] {
        once[name] = json!(value);
    }
    let product = "periodic-payments/sepa-credit-transfers";
    tpp.submitted_payment(&server, (product, &once), iban(&payer)).await;
    server.advance("nl", "P40D").await;
    let own = BunqClient::customer(&server, &payee).await;
    let entries = own.list(&own.below(own.account().await, "/payment")).await;
    assert!(entries[0]["created"].as_str().unwrap().starts_with(&today), "{today}: {}", entries[0]);
}

/// Moves of one clock that come at once all count, although each stops where something is due.
#[tokio::test]
async fn a_clock_is_moved_by_one_at_a_time() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (holder(&server, "nl", "50.00").await, holder(&server, "nl", "0.00").await);
    let mut daily = euro_payment("1.00", iban(&payee));
    daily["startDate"] = json!(day(&server, "nl", 1).await);
    daily["frequency"] = json!("Daily");
    let product = "periodic-payments/sepa-credit-transfers";
    tpp.submitted_payment(&server, (product, &daily), iban(&payer)).await;
    let until = day(&server, "nl", 16).await;
    let advance = || server.advance("nl", "P4D");
    tokio::join!(advance(), advance(), advance(), advance());
    assert_eq!(day(&server, "nl", 0).await, until);
}

#[tokio::test]
async fn payees_of_a_name_come_to_any_end() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let tpp = server.registered("nl", ID).await;
    let payer = holder(&server, "nl", "500.00").await;
    let asked = tpp.approved_payment(&server, (SEPA, &to_magic("1.04")), iban(&payer)).await;
    let declined = tpp.confirm_payment_at(&server, &asked.authorisation, &asked.access_token).await;
    assert_eq!(declined.status, 400, "{}", declined.body);
    assert!(declined.body.contains("PAYMENT_FAILED") && declined.body.contains("AG01"), "{}", declined.body);
    assert_eq!(tpp.payment_status(&server, &asked.path).await, "RJCT");
    let rejected = submitted(&tpp, &server, (&to_magic("1.18"), &payer)).await;
    assert_eq!(tpp.payment_status(&server, &rejected).await, "ACSP");
    assert_eq!(tpp.expected_balance(&server, iban(&payer)).await, 49_882, "it is set aside");
    let slow = submitted(&tpp, &server, (&to_magic("2.20"), &payer)).await;
    let mut statuses = vec![tpp.payment_status(&server, &slow).await];
    for _ in 0..4 {
        server.advance("nl", "PT1M").await;
        statuses.push(tpp.payment_status(&server, &slow).await);
    }
    // The interface has no word for what the payee's bank does at the end; the bank for tests has.
    assert_eq!(statuses, ["PDNG", "ACSP", "ACWP", "ACSC", "ACSC"]);
    assert_eq!(seen(&server, &slow).await["transactionStatus"], "ACCC");
    assert_eq!(tpp.payment_status(&server, &rejected).await, "RJCT");
    assert_eq!(seen(&server, &rejected).await["reason"], "RR04");
    assert_eq!(tpp.expected_balance(&server, iban(&payer)).await, 49_780);
}

#[tokio::test]
async fn whoever_tests_makes_a_payment_what_it_is_to_be() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (holder(&server, "nl", "100.00").await, holder(&server, "nl", "0.00").await);
    let path = submitted(&tpp, &server, (&euro_payment("30.00", iban(&payee)), &payer)).await;
    let at = managed(&path);
    let (status, refunded) = server.manage("POST", &format!("{at}/refund"), Value::Null).await;
    assert_eq!((status, &refunded["transactionStatus"]), (200, &json!("ACCC")), "{refunded}");
    assert_eq!(tpp.expected_balance(&server, iban(&payer)).await, 10_000);
    let (status, again) = server.manage("POST", &format!("{at}/refund"), Value::Null).await;
    assert_eq!((status, &again["error"]), (409, &json!("invalid_status")), "{again}");
    let stuck = submitted(&tpp, &server, (&to_magic("1.22"), &payer)).await;
    let at = managed(&stuck);
    for (body, status, what) in [
        (json!({"status": "PDNG"}), 200, "PDNG"),
        (json!({"status": "pdng"}), 400, "is not one of RCVD, PDNG"),
        (json!({"status": "RJCT", "reason": "XX99"}), 400, "is not one of AC01, AC04"),
        (json!({"status": "ACSC", "reason": "AC01"}), 400, "a reason goes with RJCT and PART"),
        (json!({"status": "PART"}), 409, "PART is for bulk payments"),
        (json!({"status": "RJCT", "when": "now"}), 400, "unknown"),
        (json!({"status": "ACSC"}), 200, "ACSC"),
        (json!({"status": "ACTC"}), 409, "ACTC would say that it has not"),
        (json!({"status": "RJCT", "reason": "AC06"}), 200, "AC06"),
        (json!({"status": "ACSC"}), 409, "has ended as RJCT"),
    ] {
        let (got, answer) = server.manage("PUT", &at, body.clone()).await;
        assert_eq!(got, status, "{body}: {answer}");
        assert!(answer.to_string().contains(what), "{body}: {answer}");
    }
    tpp.payment_becomes(&server, &stuck, "RJCT").await;
    assert_eq!(tpp.expected_balance(&server, iban(&payer)).await, 10_000);
    for (method, path) in
        [("GET", "/payments/none"), ("POST", "/payments/none/refund"), ("PUT", "/payments/none")]
    {
        let (status, answer) = server.manage(method, path, json!({"status": "ACSC"})).await;
        assert_eq!((status, &answer["error"]), (404, &json!("not_found")), "{method} {path}");
    }
    if testkit::is_served() {
        // A bank behind a gateway knows nothing of what nobody has approved.
        return;
    }
    let asked = tpp.payment(&server, SEPA, &euro_payment("1.00", iban(&payee))).await;
    let at = managed(&tpp.path_of(&asked["_links"]["self"]));
    let (status, answer) = server.manage("PUT", &at, json!({"status": "ACSC"})).await;
    assert_eq!((status, &answer["error"]), (409, &json!("invalid_status")), "{answer}");
}

#[tokio::test]
async fn a_periodic_payment_is_made_each_time_until_it_is_cancelled() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (holder(&server, "nl", "30.00").await, holder(&server, "nl", "0.00").await);
    let mut body = euro_payment("12.50", iban(&payee));
    body["startDate"] = json!(day(&server, "nl", 1).await);
    body["frequency"] = json!("Weekly");
    let what = ("periodic-payments/sepa-credit-transfers", &body);
    let path = tpp.submitted_payment(&server, what, iban(&payer)).await.path;
    assert_eq!(tpp.payment_status(&server, &path).await, "ACCP");
    assert_eq!(tpp.expected_balance(&server, iban(&payee)).await, 0);
    // Of three times, there is no money for the third one; that does not end it.
    server.advance("nl", "P20D").await;
    assert_eq!(tpp.payment_status(&server, &path).await, "ACCP");
    let made = seen(&server, &path).await;
    assert_eq!((&made["executions"], &made["reason"]), (&json!(3), &json!("AM04")), "{made}");
    assert_eq!(tpp.expected_balance(&server, iban(&payee)).await, 2_500);
    let more = holder(&server, "nl", "100.00").await;
    submitted(&tpp, &server, (&euro_payment("20.00", iban(&payer)), &more)).await;
    server.advance("nl", "P7D").await;
    assert_eq!(tpp.expected_balance(&server, iban(&payee)).await, 3_750);
    let asked = server.send(&tpp.redirecting("DELETE", &path)).await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    let asked = asked.json();
    let token = tpp.token_of(&server, &asked, iban(&payer)).await;
    let cancelled =
        tpp.confirm_payment_at(&server, &tpp.path_of(&asked["_links"]["scaStatus"]), &token).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    assert_eq!(tpp.payment_status(&server, &path).await, "CANC");
    server.advance("nl", "P60D").await;
    assert_eq!(tpp.expected_balance(&server, iban(&payer)).await, 1_250);
}

/// What is set aside until the business day is pending in the list of transactions.
#[tokio::test]
async fn a_british_payment_is_pending_until_it_settles() {
    let server = TestServer::start().await;
    server.at_ten("uk").await;
    let tpp = server.registered("uk", ID).await;
    let (payer, payee) = (holder(&server, "uk", "100.00").await, holder(&server, "uk", "0.00").await);
    let mut body = euro_payment("25.00", iban(&payee));
    body["instructedAmount"]["currency"] = json!("GBP");
    let what = ("payments/uk-domestic-transfers", &body);
    let path = tpp.submitted_payment(&server, what, iban(&payer)).await.path;
    assert_eq!(tpp.payment_status(&server, &path).await, "ACSP");
    assert_eq!(tpp.expected_balance(&server, iban(&payer)).await, 7_500);
    let listed = async |kind: &str| {
        // Tokens do not last until then.
        let consent = tpp.valid(&server, &testkit::detailed(iban(&payer), true), iban(&payer)).await;
        let accounts = server.send(&tpp.attended("/v1/accounts", &consent)).await.json();
        let transactions = tpp.path_of(&accounts["accounts"][0]["_links"]["transactions"]);
        let from = day(&server, "uk", -5).await;
        let list = format!("{transactions}?bookingStatus={kind}&dateFrom={from}");
        let answer = server.send(&tpp.attended(&list, &consent)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let of = answer.json()["transactions"][kind].as_array().cloned().unwrap_or_default();
        of.iter()
            .map(|one| one["transactionAmount"]["amount"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed("pending").await, ["25.00"]);
    assert!(!listed("booked").await.contains(&"25.00".to_owned()));
    let due = seen(&server, &path).await["dueAt"].as_str().unwrap().to_owned();
    set_clock(&server, "uk", &due).await;
    assert_eq!(tpp.payment_status(&server, &path).await, "ACSC");
    assert_eq!(listed("pending").await, Vec::<String>::new());
    assert!(listed("booked").await.contains(&"25.00".to_owned()));
}
