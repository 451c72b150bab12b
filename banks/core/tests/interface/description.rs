//! The description of the interface against the server: paths, and what is answered.

use std::collections::BTreeSet;

use core_bank::DESCRIPTION;
use core_bank::server::OPERATIONS;
use serde_json::{Value, json};

use crate::scene::Scene;

fn description() -> Value {
    serde_json::from_str(DESCRIPTION).unwrap()
}

#[test]
fn the_description_has_each_path_of_the_server_and_no_other() {
    let description = description();
    let mut described = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let served = OPERATIONS.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
    assert_eq!(described, served.collect());
}

/// Whether a value is what a schema says, as far as the schemas of the description go: each member is described, those that are
/// required are there.
fn fits(value: &Value, schema: &Value, at: &str) {
    let description = description();
    if let Some(name) = schema["$ref"].as_str() {
        return fits(value, description.pointer(name.trim_start_matches('#')).unwrap(), at);
    }
    match schema["type"].as_str().unwrap() {
        "object" => {
            let value = value.as_object().unwrap_or_else(|| panic!("{at}: {value} is no object"));
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(value.contains_key(name.as_str().unwrap()), "{at}: {name} is missing");
            }
            if let Some(properties) = schema["properties"].as_object() {
                for (name, value) in value {
                    let schema =
                        properties.get(name).unwrap_or_else(|| panic!("{at}: {name} is not described"));
                    fits(value, schema, &format!("{at}/{name}"));
                }
            }
        }
        "array" => {
            let all = value.as_array().unwrap_or_else(|| panic!("{at}: {value} is no array"));
            for one in all {
                fits(one, &schema["items"], at);
            }
            let each_once: BTreeSet<_> = all.iter().map(Value::to_string).collect();
            assert!(schema["uniqueItems"] != true || each_once.len() == all.len(), "{at}: one twice");
        }
        "string" => {
            let text = value.as_str().unwrap_or_else(|| panic!("{at}: {value} is no text"));
            let allowed = schema["enum"].as_array();
            assert!(allowed.is_none_or(|allowed| allowed.iter().any(|one| one == text)), "{at}: {text}");
        }
        "boolean" => assert!(value.is_boolean(), "{at}: {value}"),
        "integer" => assert!(value.is_i64(), "{at}: {value}"),
        other => panic!("{at}: {other}"),
    }
}

/// A call: method and path of the description, the path that is called, the body, the status of the answer.
type Call = (&'static str, &'static str, String, Option<Value>, u16);

fn reads(scene: &Scene) -> Vec<Call> {
    let (account, customer, day) = (&scene.payer.1, &scene.payer.0, "2026-11-26");
    let reference = json!({"branch": "nl", "iban": account.iban.as_str()});
    let booked =
        format!("/accounts/{}/transactions/booked?day={day}&from=2026-01-01&to={day}&limit=5", account.id);
    let on = |part: &str| format!("/accounts/{}{part}?day={day}", account.id);
    // On a day on which a payment is to be made.
    let of_payment = format!("/accounts/{}/funds?day=2027-11-26", account.id);
    let shown = json!({"challenge": "1", "answer": "2"});
    vec![
        ("GET", "/openapi.json", "/openapi.json".into(), None, 200),
        ("POST", "/accounts/find", "/accounts/find".into(), Some(reference.clone()), 200),
        ("POST", "/accounts/find", "/accounts/find".into(), Some(json!({"branch": "nl"})), 400),
        ("POST", "/accounts/find", "/accounts/find".into(), Some(json!({"branch": "fr", "iban": "x"})), 400),
        ("POST", "/accounts/find", "/accounts/find".into(), Some(json!([])), 400),
        ("GET", "/accounts/{account}", format!("/accounts/{}", account.id), None, 200),
        ("GET", "/accounts/{account}", "/accounts/none".into(), None, 404),
        ("GET", "/accounts/{account}", "/accounts/%ff".into(), None, 400),
        ("GET", "/accounts/{account}/balances", on("/balances"), None, 200),
        ("GET", "/accounts/{account}/balances", format!("/accounts/{}/balances", account.id), None, 400),
        ("GET", "/accounts/{account}/transactions/booked", booked, None, 200),
        ("GET", "/accounts/{account}/transactions/pending", on("/transactions/pending"), None, 200),
        ("GET", "/accounts/{account}/funds", on("/funds"), None, 200),
        ("GET", "/accounts/{account}/funds", of_payment, None, 200),
        ("GET", "/accounts/{account}/holders", on("/holders"), None, 200),
        ("GET", "/accounts/{account}/approvals-needed", on("/approvals-needed"), None, 200),
        ("GET", "/parts", "/parts".into(), None, 200),
        ("GET", "/accounts/{account}/entries", on("/entries") + "&limit=5&newest=1", None, 200),
        ("GET", "/accounts/{account}/entries", on("/entries") + "&limit=-1", None, 400),
        (
            "GET",
            "/accounts/{account}/entries",
            format!("/accounts/none/entries?day={day}&limit=1"),
            None,
            404,
        ),
        ("GET", "/accounts/{account}/entry-number", on("/entry-number") + "&entry=none", None, 200),
        ("GET", "/accounts/{account}/entry-number", on("/entry-number"), None, 400),
        (
            "POST",
            "/funds-checks",
            "/funds-checks".into(),
            Some(json!({"account": reference, "amount": {"amount": "1.00", "currency": "EUR"}, "day": day})),
            200,
        ),
        ("POST", "/customers/find", "/customers/find".into(), Some(reference.clone()), 200),
        (
            "POST",
            "/log-ins",
            "/log-ins".into(),
            Some(json!({"customerIds": [customer.as_str()], "challenge": "1", "answer": "2"})),
            200,
        ),
        ("GET", "/customers/{customer}", format!("/customers/{customer}"), None, 200),
        ("GET", "/customers/{customer}", format!("/customers/{customer}?branch=nl"), None, 200),
        ("GET", "/customers/{customer}", format!("/customers/{customer}?branch=uk"), None, 404),
        ("GET", "/customers/{customer}", "/customers/none?branch=nl".into(), None, 404),
        ("GET", "/customers/{customer}", "/customers/none".into(), None, 404),
        ("GET", "/customers/{customer}", "/customers/n%ffm".into(), None, 400),
        ("GET", "/customers/{customer}/accounts", format!("/customers/{customer}/accounts"), None, 200),
        (
            "POST",
            "/customers/{customer}/approvals",
            format!("/customers/{customer}/approvals"),
            Some(shown),
            200,
        ),
    ]
}

/// An order for one payment.
fn order(scene: &Scene, id: &str, amount: &str, day: Value) -> Value {
    let creditor = json!({"iban": scene.payee.iban.as_str(), "name": "P"});
    let mut payment = json!({
        "id": id, "branch": "nl", "account": scene.payer.1.id.as_str(), "settlement": "scheme",
        "service": "payments", "product": "sepa-credit-transfers",
        "transfers": [{"creditor": creditor, "amount": {"amount": amount, "currency": "EUR"}}],
    });
    if !day.is_null() {
        payment["requestedDay"] = day;
    }
    json!({"at": scene.now.to_string(), "payments": [payment]})
}

fn payments(scene: &Scene) -> Vec<Call> {
    let payment = |id: &str, amount: &str, day: Value| order(scene, id, amount, day);
    let at = format!("?at={}", scene.now);
    let stop = json!({"at": scene.now.to_string()});
    vec![
        ("POST", "/payment-checks", "/payment-checks".into(), Some(payment("p", "1.00", Value::Null)), 200),
        ("GET", "/payments/{payment}", format!("/payments/p{at}"), None, 404),
        ("POST", "/payment-checks", "/payment-checks".into(), Some(payment("p", "99.00", Value::Null)), 422),
        ("POST", "/payments", "/payments".into(), Some(payment("d", "99.00", Value::Null)), 422),
        // What was declined stays so, whatever could be made now.
        ("POST", "/payments", "/payments".into(), Some(payment("d", "1.00", Value::Null)), 422),
        ("POST", "/payment-checks", "/payment-checks".into(), Some(payment("d", "1.00", Value::Null)), 422),
        ("GET", "/payments/{payment}", format!("/payments/d{at}"), None, 404),
        ("POST", "/payments", "/payments".into(), Some(payment("p", "1.001", Value::Null)), 400),
        ("POST", "/payments", "/payments".into(), Some(payment("p", "1.00", Value::Null)), 200),
        ("POST", "/payments", "/payments".into(), Some(payment("q", "1.00", "2026-12-01".into())), 200),
        ("GET", "/payments/{payment}", format!("/payments/p{at}"), None, 200),
        ("GET", "/payments/{payment}", format!("/payments/q{at}"), None, 200),
        ("GET", "/payments/{payment}", format!("/payments/%ff{at}"), None, 400),
        ("POST", "/payments/{payment}/stop", "/payments/q/stop".into(), Some(stop.clone()), 200),
        ("POST", "/payments/{payment}/stop", "/payments/q/stop".into(), Some(stop), 409),
        ("GET", "/events", "/events?limit=5".into(), None, 200),
        ("GET", "/events", "/events?limit=0".into(), None, 400),
        ("GET", "/events", "/events?limit=1&wait=31".into(), None, 400),
        ("GET", "/events", "/events?limit=1&after=none".into(), None, 404),
    ]
}

fn account_keeping(scene: &Scene) -> Vec<Call> {
    let (open, close) = ("/customers/{customer}/accounts/open", "/accounts/{account}/close");
    let opened = format!("/customers/{}/accounts/open", scene.payer.0);
    let of = |account: &str| format!("/accounts/{account}/close");
    let at = json!({"at": scene.now.to_string()});
    vec![
        ("POST", open, opened.clone(), Some(json!({"product": "SVGS"})), 200),
        ("POST", open, opened, Some(json!({"product": "gold"})), 400),
        ("POST", open, "/customers/none/accounts/open".into(), Some(json!({"product": "SVGS"})), 404),
        ("POST", close, of(scene.payee.id.as_str()), Some(at.clone()), 409),
        ("POST", close, of(scene.empty.id.as_str()), Some(at.clone()), 200),
        ("POST", close, of("none"), Some(at), 404),
        ("POST", close, of(scene.payee.id.as_str()), Some(json!({})), 400),
    ]
}

/// Whoever shows the gateway's certificate.
fn client(scene: &Scene) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_certs_only(reqwest::Certificate::from_pem_bundle(&scene.settings.authorities).unwrap())
        .identity(reqwest::Identity::from_pem(&scene.settings.identity).unwrap())
        .build()
        .unwrap()
}

/// One that cannot be made and one that can, under the same id at the same moment: both are told the same, and that stays.
#[tokio::test(flavor = "multi_thread")]
async fn orders_under_one_id_have_one_answer() {
    let scene = Scene::at("nl").await;
    let (http, url) = (client(&scene), format!("{}/core/v1/payments", scene.settings.url));
    for number in 0..20 {
        let send = |amount: &str| {
            let body = order(&scene, &format!("o{number}"), amount, Value::Null).to_string();
            let call = http.post(&url).header("content-type", "application/json").body(body);
            tokio::spawn(async move { call.send().await.unwrap().status().as_u16() })
        };
        let (large, small) = (send("99.00"), send("1.00"));
        let (large, small) = (large.await.unwrap(), small.await.unwrap());
        assert!(large == small && [200, 422].contains(&large), "{number}: {large} and {small}");
        assert_eq!(send("1.00").await.unwrap(), large, "{number}");
    }
}

#[tokio::test]
async fn each_answer_is_as_described() {
    let scene = Scene::at("nl").await;
    let http = client(&scene);
    let description = description();
    let mut tried = BTreeSet::new();
    for (method, path, url, body, status) in
        reads(&scene).into_iter().chain(payments(&scene)).chain(account_keeping(&scene))
    {
        let url = format!("{}/core/v1{url}", scene.settings.url);
        let mut call = http.request(method.parse().unwrap(), &url);
        if let Some(body) = &body {
            call = call.header("content-type", "application/json").body(body.to_string());
        }
        let answer = call.send().await.unwrap();
        let answered = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert_eq!(answered, status, "{method} {url}: {text}");
        let operation = &description["paths"][path][method.to_lowercase()];
        let schema = &operation["responses"][status.to_string()]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {path}: {status} is not described");
        fits(&serde_json::from_str(&text).unwrap(), schema, path);
        if let (Some(body), 200) = (&body, status) {
            fits(body, &operation["requestBody"]["content"]["application/json"]["schema"], path);
        }
        if status == 200 {
            tried.insert((method, path));
        }
    }
    assert_eq!(tried, OPERATIONS.into_iter().collect(), "each operation was tried");
    let nothing = http.get(format!("{}/core/v2/openapi.json", scene.settings.url)).send().await.unwrap();
    assert_eq!(nothing.status().as_u16(), 404);
    fits(
        &serde_json::from_str(&nothing.text().await.unwrap()).unwrap(),
        &json!({"$ref": "#/components/schemas/Problem"}),
        "nothing",
    );
}
