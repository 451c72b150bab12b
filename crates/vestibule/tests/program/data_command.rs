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
pub(crate) fn day(days: i64) -> String {
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
pub(crate) fn own_iban() -> String {
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
    let (code, out, error) = data(&setting, &["load", file, "--json"]);
    assert_eq!(code, 0, "{error}");
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
