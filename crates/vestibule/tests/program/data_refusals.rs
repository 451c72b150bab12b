//! Data of one's own that cannot be: what is said, by line and member.

use serde_json::{Value, json};
use testkit::TestServer;

use crate::data_command::{day, own_iban};

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
    // Late in the evening tomorrow has begun at the branch.
    let later = day(2);
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
        (&iban, json!({"amount": "5", "status": "pending", "date": day(16)}), 400, "at the latest"),
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
