//! What a bank publishes of its availability and speed: counted of real calls, and of a core bank that goes away.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Request, euro_payment};

use crate::admin::{People, as_staff, get};
use crate::configuration::Files;
use crate::serve::{consented, registered};
use crate::serve_command::scene_of;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one day, published in every form")]
async fn calls_and_failures_of_a_day_are_published() {
    let files = Files::new();
    let people = People::of(&files.ca);
    let (scene, bank) = scene_of(files, &people.section()).await;
    let admin = format!("https://{}", scene.listeners.admin.clone().unwrap());
    let auditor = scene.client(Some(&people.auditor));
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let accounts = tpp.read("/v1/accounts", &consent).exchange(&client, &scene.interface()).await;
    let account = accounts.json()["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
    let balances = format!("/v1/accounts/{account}/balances");
    for _ in 0..3 {
        let read = tpp.read(&balances, &consent).exchange(&client, &scene.interface()).await;
        assert_eq!(read.status, 200, "{}", read.body);
    }
    let mut body = euro_payment("12.50", "NL91ABNA0417164300");
    body["debtorAccount"] = json!({"iban": customer["iban"]});
    let asked = tpp.payment_request("payments/sepa-credit-transfers", &body);
    assert_eq!(asked.exchange(&client, &scene.interface()).await.status, 201);
    // What is refused for a reason of its own is no error of the bank. It counts if it is known who asked, and not of anybody at all.
    let strange =
        tpp.read("/v1/accounts/none/balances", &consent).exchange(&client, &scene.interface()).await;
    assert!((400..500).contains(&strange.status), "{}", strange.body);
    let unsigned = Request::new("GET", "/xs2a-bg/nl/v1/accounts").exchange(&client, &scene.interface()).await;
    assert!((400..500).contains(&unsigned.status));

    let published = async || -> Value {
        let told = get(&auditor, &admin, "/statistics").await;
        assert_eq!(told.status, 200, "{}", told.body);
        let told = told.json();
        assert_eq!(told["days"].as_array().unwrap().len(), 1, "nothing is known of the days before: {told}");
        told["days"][0].clone()
    };
    let today = published().await;
    let (ais, pis) = (&today["services"]["ais"], &today["services"]["pis"]);
    assert_eq!(
        (&ais["requests"], &ais["errors"], &pis["requests"]),
        (&json!(5), &json!(0), &json!(1)),
        "{today}"
    );
    for name in ["meanMilliseconds", "medianMilliseconds", "p90Milliseconds", "p99Milliseconds"] {
        assert!(ais[name].as_f64().unwrap() > 0.0 && pis[name].as_f64().unwrap() > 0.0, "{name}: {today}");
        assert!(today["services"]["cbpii"][name].is_null(), "{today}");
    }
    assert_eq!((&today["errorRatePercent"], &today["downSeconds"]), (&json!(0.0), &json!(0)), "{today}");

    // The core bank is away: five in a row, and the interface is down until one is answered.
    bank.abort();
    let _ = bank.await;
    let (nobody, copied) = (scene.client(None), scene.client(Some(&people.reader)));
    for number in 0..5 {
        let away = tpp.read(&balances, &consent).exchange(&client, &scene.interface()).await;
        assert_eq!(away.status, 503, "{}", away.body);
        // Whoever has no certificate, or copied what others signed with, ends no row of these by being refused.
        let client = if number % 2 == 0 { &nobody } else { &copied };
        let refused = tpp.read(&balances, &consent).exchange(client, &scene.interface()).await;
        assert_eq!(refused.status, 401, "{}", refused.body);
    }
    let mut today = published().await;
    for _ in 0..100 {
        if today["downSeconds"] != 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        today = published().await;
    }
    assert!(today["downSeconds"].as_i64().unwrap() > 0, "{today}");
    assert!(today["uptimePercent"].as_f64().unwrap() < 100.0, "{today}");
    assert_eq!(today["services"]["ais"]["errors"], 5);
    assert!(today["errorRatePercent"].as_f64().unwrap() > 40.0, "{today}");

    let csv = get(&auditor, &admin, "/statistics?format=csv").await;
    assert!(csv.header("content-type").starts_with("text/csv"));
    let lines: Vec<_> = csv.body.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("day,uptime_percent,"), "{}", csv.body);
    let (names, values) = (lines[0].split(','), lines[1].split(','));
    assert_eq!(names.clone().count(), values.clone().count());
    let errors = names.zip(values).find(|(name, _)| *name == "ais_errors");
    assert_eq!(errors, Some(("ais_errors", "5")));
    assert!(
        lines[0].ends_with(",seconds,down_seconds,is_over") && lines[1].ends_with(",false"),
        "{}",
        csv.body
    );
    assert_eq!(today["isOver"], false, "{today}");
    let html = get(&auditor, &admin, "/statistics?format=html").await;
    assert!(html.header("content-security-policy").contains("default-src 'none'"));
    assert!(
        html.body.contains("Bank of the tests") && html.body.contains("Account information"),
        "{}",
        html.body
    );
    let day = today["day"].as_str().unwrap().to_owned();
    for (query, text) in [
        ("format=xml", "is not one of json, csv, html"),
        ("from=2027-02-30", "from: "),
        ("from=2027-02-02&to=2027-02-01", "is not a time of 1 to 366 days"),
        ("from=2020-01-01&to=2027-02-01", "is not a time of 1 to 366 days"),
    ] {
        let refused = get(&auditor, &admin, &format!("/statistics?{query}")).await;
        assert!(refused.status == 400 && refused.body.contains(text), "{query}: {}", refused.body);
    }
    let before = get(&auditor, &admin, "/statistics?from=2020-01-01&to=2020-01-31").await;
    assert_eq!(before.json()["days"], json!([]));

    let run = |arguments: &[&str]| as_staff(&scene, &admin, ("auditor", &people.auditor), arguments);
    let (code, out, error) = run(&["statistics", "--from", &day]);
    assert!(code == 0 && out.starts_with("day,uptime_percent"), "{out}{error}");
    let (code, out, error) = run(&["statistics", "--format", "html", "--to", &day]);
    assert!(code == 0 && out.starts_with("<!doctype html>"), "{out}{error}");
    let (code, _, error) = run(&["statistics", "--from", "soon"]);
    assert!(code == 1 && error.contains("from: "), "{error}");
}
