//! Data of one's own: `vestibule data`, `POST /data` and `POST /test-accounts/{iban}/transactions`.

use serde_json::{Value, json};
use testkit::{TestServer, free_folder, now};

use crate::third_party::{Setting, json as read};
use crate::vestibule;

/// Runs the command at the sandbox.
fn data(setting: &Setting, arguments: &[&str]) -> (i32, String, String) {
    vestibule(&[&["data"], arguments, &["--management", &setting.bank.url("management")]].concat())
}

/// The day so many days from today.
fn day(days: i64) -> String {
    let today = now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    today.saturating_add(jiff::Span::new().days(days)).to_string()
}

/// Two customers; one pays the other.
fn two_customers() -> String {
    format!(
        "# Data of a test
customers:
  - name: Ada Visser
    digipassNumber: '1234567890'
    accounts:
      - iban: NL52 VSTB 0000 0000 01
        balance: 1000.00
        creditLimit: 50
        transactions:
          - {{date: {}, amount: -12.50, name: Bakery, text: Bread}}
          - {{date: {}, amount: 250, name: Employer, iban: NL91ABNA0417164300, endToEndId: E-1}}
          - amount: -3.20
            status: pending
            name: Café
      - kind: savings
  - name: Bo
    tenant: be_fr
    accounts: [{{currency: USD, balance: 7}}]
",
        day(-30),
        day(-40)
    )
}

/// Check digits are computed here, so that the text above need not be right by chance.
fn own_iban() -> String {
    (2..=98)
        .map(|check| format!("NL{check:02}VSTB0000000001"))
        .find(|text| gateway::domain::Iban::parse(text).is_ok())
        .unwrap()
}

#[test]
fn a_file_becomes_customers_that_third_parties_read() {
    let setting = Setting::ephemeral();
    let (_guard, folder) = free_folder();
    let file = folder.join("bank.yaml");
    let iban = own_iban();
    std::fs::write(&file, two_customers().replace("NL52 VSTB 0000 0000 01", &iban)).unwrap();
    let file = file.to_str().unwrap();
    let begun = std::time::Instant::now();
    let (code, out, error) = data(&setting, &["load", file, "--json"]);
    assert_eq!(code, 0, "{error}");
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    let loaded = read(&out);
    let ada = &loaded["testAccounts"][0];
    assert_eq!((&ada["iban"], &ada["digipassNumber"]), (&json!(iban), &json!("1234567890")), "{loaded}");
    assert_eq!(ada["accounts"][1]["cashAccountType"], "SVGS", "{loaded}");
    assert_eq!((&loaded["testAccounts"][1]["tenant"], &loaded["transactions"]), (&json!("be_fr"), &json!(3)));
    let (_, out, _) = data(&setting, &["load", file]);
    assert!(out.is_empty(), "the same again is refused: {out}");
    let listed = setting.account(&["list"]);
    assert!(listed.contains("Ada Visser") && listed.contains(&iban), "{listed}");

    // One more by command, from long ago, and one that is a transfer between the two accounts of the bank.
    let savings = ada["accounts"][1]["iban"].as_str().unwrap();
    let long_ago = day(-35);
    let add = ["add", &iban, "-100", "--date", &long_ago, "--iban", savings, "--text", "Put aside"];
    let (code, out, error) = data(&setting, &add);
    assert!(
        code == 0 && out.contains(&format!("-100.00 EUR on {iban}: booked on {long_ago}")),
        "{out}{error}"
    );
    let (code, out, _) = data(&setting, &["add", &iban, "5", "--name", "Bo", "--json"]);
    assert_eq!((code, &read(&out)["status"]), (0, &json!("booked")), "{out}");

    let arguments = ["flow", "ais", "--headless", "approve", "--customer-iban", &iban, "--json"];
    let flow = read(&setting.ok(&arguments));
    let balances: Vec<_> = flow["balances"].as_array().unwrap().iter().map(Value::to_string).collect();
    let all = balances.concat();
    // 1000 - 12.50 + 250 - 100 at the end of yesterday; today 5 more, 3.20 that are pending, and the credit limit.
    assert!(all.contains("1137.50") && all.contains("1189.30"), "{all}");
    let csv = setting.ok(&["transactions", "--csv", "--psu-ip-address", "192.0.2.1"]);
    for text in ["Bread", "Café", "Put aside", "NL91ABNA0417164300", "250.00", "-3.20", "pending"] {
        assert!(csv.contains(text), "{text}: {csv}");
    }
}

#[test]
fn a_table_becomes_customers_and_movements() {
    let setting = Setting::ephemeral();
    let (_guard, folder) = free_folder();
    let household = setting.customer("newcomer");
    let file = folder.join("bank.csv");
    let (yesterday, today) = (day(-1), day(0));
    let rows = format!(
        "customer,account,balance,date,amount,name,text,status
Ada,main,500.00,{yesterday},-20,Shop,\"Shoes, red\",booked
Ada,main,,{today},-1.05,Café,,booked
Ada,spare,,,,,,
,{household},,,9.99,Ada,Thanks,pending
"
    );
    std::fs::write(&file, rows).unwrap();
    let (code, out, error) = data(&setting, &["load", file.to_str().unwrap()]);
    assert!(code == 0 && out.contains("Loaded 1 customers and 3 transactions."), "{out}{error}");
    assert_eq!(out.matches("Ada").count(), 2, "two accounts: {out}");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one row a refusal")]
async fn what_is_wrong_is_told_by_line_and_member() {
    let server = TestServer::start().await;
    let (status, made) = server.manage("POST", "/test-accounts", json!({"persona": "empty"})).await;
    assert_eq!(status, 201, "{made}");
    let iban = made["iban"].as_str().unwrap().to_owned();
    let url = format!("{}/data", server.running.addresses.management);
    let load = async |kind: &str, body: String| {
        let answer = server.http.post(&url).header("content-type", kind).body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let customer = |more: &str| format!("customers:\n- name: A\n  accounts:\n  - kind: current\n{more}");
    let later = day(1);
    for (kind, body, text) in [
        ("application/yaml", String::new(), "line 1: nothing is there"),
        ("application/yaml", "customers: 1".to_owned(), "line 1, customers: a list is expected here"),
        ("application/yaml", "customer: []".to_owned(), "known are customers, transactions"),
        ("application/yaml", "customers: []".to_owned(), "there is no customer and no transaction"),
        (
            "application/yaml",
            "customers:\n- name: A".to_owned(),
            "line 2, accounts: a customer has at least one",
        ),
        (
            "application/yaml",
            customer("    balance: 1,5"),
            "line 5, balance: an amount in EUR is a decimal number",
        ),
        ("application/yaml", customer("    balance: -1"), "line 4: account NL"),
        ("application/yaml", customer("    iban: NL00"), "line 5, iban: Invalid iban"),
        (
            "application/yaml",
            customer("    iban: BE68539007547034"),
            "account numbers of tenant nl begin with NL",
        ),
        ("application/yaml", customer("    currency: euro"), "line 5, currency: it is no code of ISO 4217"),
        ("application/yaml", customer("    transactions:\n    - amount: 0"), "amount: nothing moves with it"),
        ("application/yaml", customer("    transactions:\n    - text: x"), "line 6, amount: it is missing"),
        (
            "application/yaml",
            customer(&format!("    transactions:\n    - amount: 1\n      date: {later}")),
            "what is booked later is pending until then",
        ),
        (
            "application/yaml",
            customer("    transactions:\n    - amount: 1\n      date: soon"),
            "line 7, date: ",
        ),
        (
            "application/yaml",
            customer("    transactions:\n    - amount: 1\n      status: done"),
            "line 7, status: it is either",
        ),
        (
            "application/yaml",
            customer("    transactions:\n    - amount: -0.01"),
            "does not hold enough: 0.01 EUR are missing",
        ),
        (
            "application/yaml",
            customer("  tenant: xx"),
            "line 5, tenant: it is not one of nl, be_fr, be_nl, uk",
        ),
        ("application/yaml", format!("transactions:\n- account: {iban}\n  amount: -1"), "line 2: account"),
        (
            "application/yaml",
            format!("transactions:\n- account: {iban}\n  amount: 1\n  iban: {iban}"),
            "this is the account itself",
        ),
        (
            "application/yaml",
            "transactions:\n- account: NL91ABNA0417164300\n  amount: 1".to_owned(),
            "no account NL91ABNA0417164300 is there",
        ),
        ("text/csv", "account,amount\nx,1\n".to_owned(), "line 2, account: Invalid iban: x"),
        ("text/csv", format!("account,amount\n{iban},1\n{iban},z\n"), "line 3, amount: an amount in EUR"),
        ("text/csv", "customer,colour\nA,red\n".to_owned(), "line 1: the column \"colour\" is not known"),
        ("application/json", "{\"customers\": [{}]}".to_owned(), "name: it is missing"),
        ("application/json", "{".to_owned(), "the body: "),
        ("text/plain", "x".to_owned(), "application/yaml, text/csv or application/json"),
    ] {
        let (status, answer) = load(kind, body.clone()).await;
        assert!((400..=415).contains(&status), "{body}: {status} {answer}");
        let message = serde_json::from_str::<Value>(&answer).unwrap()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(text), "{body}: {message}");
    }
    for (path, body, status, text) in [
        (iban.as_str(), json!({"amount": "1", "colour": "red"}), 400, "\"colour\" is not known here"),
        (&iban, json!({"amount": "-5"}), 400, "does not hold enough"),
        (&iban, json!({"amount": "5", "currency": "USD"}), 400, "no account"),
        (&iban, json!({"amount": "5", "status": "pending", "date": day(15)}), 400, "at the latest"),
        (&iban, json!([]), 400, "the body"),
        ("x", json!({"amount": "1"}), 400, "Invalid iban"),
    ] {
        let (got, answer) =
            server.manage("POST", &format!("/test-accounts/{path}/transactions"), body.clone()).await;
        assert_eq!(got, status, "{body}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains(text), "{body}: {answer}");
    }
    // Nothing of what was refused is there.
    let store = &server.running.sandbox.store;
    assert_eq!(store.unbalanced_entries().await.unwrap(), Vec::<String>::new());
    let (_, listed) = server.manage("GET", "/test-accounts", Value::Null).await;
    assert_eq!(listed["testAccounts"].as_array().unwrap().len(), 1, "{listed}");
}

/// Rows are read together: what one says of a customer or account holds for all of them, and two that say two things are wrong.
#[tokio::test]
async fn rows_that_contradict_each_other_are_refused_with_both_lines() {
    let server = TestServer::start().await;
    let iban = own_iban();
    let spaced = format!("{} {}", &iban[..4], &iban[4..]);
    let url = format!("{}/data", server.running.addresses.management);
    let load = async |body: String| {
        let answer =
            server.http.post(&url).header("content-type", "text/csv").body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap())
    };
    let top = "customer,tenant,digipassNumber,account,accountCurrency,kind,accountStatus,creditLimit,balance,amount";
    for (first, second, text) in [
        (
            format!("Ada,,,{iban},,,,,,"),
            format!("Bo,,,{spaced},,,,,,"),
            "line 3, account: line 2 has this account for Ada at tenant nl",
        ),
        (
            "Ada,be_fr,,BE68539007547034,,,,,,".to_owned(),
            "Ada,be_nl,,BE68 5390 0754 7034,,,,,,".to_owned(),
            "line 3, account: line 2 has this account for Ada at tenant be_fr",
        ),
        (
            format!("Ada,,,{iban},,,,,,"),
            format!("Ada,,,{iban},USD,,,,,"),
            "line 3, accountCurrency: line 2 is about the same account",
        ),
        (
            format!("Ada,,,{iban},USD,,,,,"),
            format!("Ada,,,{spaced},EUR,,,,,"),
            "line 3, accountCurrency: line 2",
        ),
        ("Ada,,,main,,,,,5.00,".to_owned(), "Ada,,,main,,,,,6.00,1".to_owned(), "line 3, balance: line 2"),
        ("Ada,,,main,,,,,,".to_owned(), "Ada,,,main,,,,9,,".to_owned(), "line 3, creditLimit: line 2"),
        ("Ada,,,main,,savings,,,,".to_owned(), "Ada,,,main,,current,,,,".to_owned(), "line 3, kind: line 2"),
        (
            "Ada,,,main,,,,,,".to_owned(),
            "Ada,,,main,,,blocked,,,".to_owned(),
            "line 3, accountStatus: line 2",
        ),
        (
            "Ada,,1234567890,main,,,,,,".to_owned(),
            "Ada,,1234567891,spare,,,,,,".to_owned(),
            "line 3, digipassNumber: line 2 is about the same customer",
        ),
        (
            "Ada,,,main,,,,,,".to_owned(),
            format!(",,,{iban},,,,,5,1"),
            "line 3, balance: this is said of an account that is made",
        ),
    ] {
        let (status, answer) = load(format!("{top}\n{first}\n{second}\n")).await;
        assert_eq!(status, 400, "{second}: {answer}");
        assert!(answer["message"].as_str().unwrap().starts_with(text), "{second}: {answer}");
    }
    let (status, answer) = load("customer,colour\nA,red\n".to_owned()).await;
    assert_eq!(status, 400, "{answer}");
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.starts_with("line 1: the column \"colour\" is not known; known are customer, "),
        "{message}"
    );
    // The same said twice is no contradiction, and names of accounts are each customer's own.
    let (status, made) = load(format!(
        "{top}\nAda,nl,1234567890,{iban},EUR,current,enabled,50,5.00,\nAda,nl,1234567890,{spaced},EUR,current,enabled,50.00,5,-1\n\
         Ada,,,yen,JPY,,,,500,\nAda,,,yen,,,,,500,7\nBo,,,yen,,,,,,\n"
    ))
    .await;
    assert_eq!((status, &made["transactions"]), (201, &json!(2)), "{made}");
    assert_eq!(made["testAccounts"].as_array().map(Vec::len), Some(2), "{made}");
}

/// An account holds what an amount can say, now and on every day of its history.
#[tokio::test]
async fn an_account_holds_so_much_and_no_more() {
    const MOST: &str = "99999999999999.99";
    let server = TestServer::start().await;
    let load = async |body: Value| {
        let (status, answer) = server.manage("POST", "/data", body).await;
        (status, answer.to_string())
    };
    let many = |amount: &str, count| vec![json!({"amount": amount}); count];
    let customer =
        |transactions| json!({"customers": [{"name": "B", "accounts": [{"transactions": transactions}]}]});
    let refused = |(status, answer): (u16, String), text: &str| {
        assert!(status == 400 && answer.contains("more than an account can hold"), "{status} {answer}");
        assert!(answer.contains(text), "{text}: {answer}");
    };
    refused(load(customer(many(MOST, 950))).await, "14 digits");
    let owing = json!({"name": "B", "accounts": [{"creditLimit": MOST, "transactions": many(&format!("-{MOST}"), 2)}]});
    refused(load(json!({"customers": [owing]})).await, "14 digits");
    let yaml = format!(
        "customers:\n- name: B\n  accounts:\n  - balance: {MOST}\n    transactions:\n    - amount: 0.01\n"
    );
    let url = format!("{}/data", server.running.addresses.management);
    let request = server.http.post(&url).header("content-type", "application/yaml").body(yaml);
    let answer = request.send().await.unwrap();
    refused((answer.status().as_u16(), answer.text().await.unwrap()), "line 6");

    let (status, made) =
        server.manage("POST", "/data", customer(vec![json!({"amount": MOST, "date": day(-2)})])).await;
    assert_eq!(status, 201, "{made}");
    let iban = made["testAccounts"][0]["iban"].as_str().unwrap().to_owned();
    let rows = |amount: &str, count| json!({"transactions": vec![json!({"account": iban, "amount": amount, "date": day(-9)}); count]});
    refused(load(rows(MOST, 90)).await, "14 digits");
    // Today it holds nothing any more; what it held then is carried on with what comes before that.
    let path = format!("/test-accounts/{iban}/transactions");
    for (body, expected) in [
        (json!({"amount": format!("-{MOST}")}), 201),
        (json!({"amount": "0.01", "date": day(-3)}), 400),
        (json!({"amount": "0.01", "date": day(-1)}), 400),
        (json!({"amount": "0.01"}), 201),
    ] {
        let (status, answer) = server.manage("POST", &path, body).await;
        assert_eq!(status, expected, "{answer}");
        assert!(status == 201 || answer.to_string().contains("more than an account can hold"), "{answer}");
    }
    assert_eq!(server.running.sandbox.store.unbalanced_entries().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_cannot_be_the_other_account_or_a_new_one() {
    let server = TestServer::start().await;
    let open = async |tenant: &str| {
        let body = json!({"customers": [{"name": "A", "tenant": tenant, "accounts": [{"balance": 9}]}]});
        let (status, made) = server.manage("POST", "/data", body).await;
        assert_eq!(status, 201, "{made}");
        made["testAccounts"][0]["iban"].as_str().unwrap().to_owned()
    };
    let (own, closed, belgian) = (open("nl").await, open("nl").await, open("be_fr").await);
    let (status, answer) =
        server.manage("PUT", &format!("/test-accounts/{closed}"), json!({"status": "deleted"})).await;
    assert!(status < 300, "{answer}");
    let customer = |tenant: &str, more: Value| json!({"name": "B", "tenant": tenant, "accounts": [more]});
    let pay = format!("/test-accounts/{own}/transactions");
    let both = json!({"iban": "BE68539007547034"});
    for (path, body, text) in [
        (pay.as_str(), json!({"amount": -5, "iban": closed}), "is deleted"),
        (&pay, json!({"amount": -5, "iban": belgian}), "is at this branch, tenant nl"),
        (&pay, json!({"amount": 5, "text": "a\u{202e}b"}), "text: it holds the character U+202E"),
        (&pay, json!({"amount": 5, "name": "a\u{7}b"}), "name: it holds the character U+0007"),
        (
            "/data",
            json!({"customers": [customer("be_fr", both.clone()), customer("be_nl", both.clone())]}),
            "iban: the file has this account for B at tenant be_fr",
        ),
        (
            "/data",
            json!({"customers": [
                customer("be_fr", json!({"iban": "BE68539007547034", "currency": "USD"})),
                customer("be_fr", both)
            ]}),
            "iban: the file has this account for B at tenant be_fr",
        ),
        (
            "/data",
            json!({"customers": [customer("nl", json!({"iban": own, "currency": "USD"}))]}),
            "is another customer's already",
        ),
        (
            "/data",
            json!({"customers": [customer("be_nl", json!({"iban": belgian, "currency": "USD"}))]}),
            "at tenant be_fr already",
        ),
        ("/data", json!({"customers": [customer("nl", json!({"currency": "XXX"}))]}), "such as EUR"),
    ] {
        let (status, answer) = server.manage("POST", path, body.clone()).await;
        assert_eq!(status, 400, "{body}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains(text), "{body}: {answer}");
    }
}

/// Whatever is entered at once and wherever, balances and places follow.
#[tokio::test]
async fn movements_on_any_day_at_once_keep_the_books_right() {
    let server = TestServer::start().await;
    let (_, one) = server.manage("POST", "/test-accounts", json!({"persona": "household"})).await;
    // Both can pay what they are to pay on whichever day: there are personas who have next to nothing.
    let (_, other) = server.manage("POST", "/test-accounts", json!({"persona": "household"})).await;
    let [iban, other] = [&one, &other].map(|made| made["iban"].as_str().unwrap().to_owned());
    let server = std::sync::Arc::new(server);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..24_i64 {
        let (server, iban, other) = (std::sync::Arc::clone(&server), iban.clone(), other.clone());
        calls.spawn(async move {
            let body = match number % 4 {
                0 => json!({"amount": "1.01", "date": day(-number * 9)}),
                1 => json!({"amount": "-0.50", "iban": other, "date": day(-number)}),
                2 => json!({"amount": "2", "status": "pending"}),
                _ => json!({"amount": "0.25", "iban": other}),
            };
            let path = format!("/test-accounts/{iban}/transactions");
            let (status, answer) = server.manage("POST", &path, body).await;
            assert_eq!(status, 201, "{answer}");
        });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
    let sandbox = &server.running.sandbox;
    assert_eq!(sandbox.store.unbalanced_entries().await.unwrap(), Vec::<String>::new());
    let tenant = &sandbox.gateway.settings().tenants[0];
    for iban in [iban, other] {
        let iban = gateway::domain::Iban::parse(&iban).unwrap();
        for account in sandbox.store.accounts_by_iban(tenant, &iban).await.unwrap() {
            let mut history = sandbox
                .store
                .history_up_to(&account.id, account.currency, (i64::MAX, 100_000))
                .await
                .unwrap();
            history.reverse();
            let mut balance = 0;
            for (expected, (place, transaction)) in (1..).zip(&history) {
                balance += transaction.amount.minor;
                let after = transaction.balance_after.map(|money| money.minor);
                assert_eq!((*place, after), (expected, Some(balance)), "{transaction:?}");
            }
            let ordered = |pair: &[(i64, gateway::domain::Transaction)]| {
                pair[0].1.booking_date <= pair[1].1.booking_date
            };
            assert!(history.windows(2).all(ordered));
        }
    }
}
