//! Erasure by the bank's staff: what goes of a customer and of a third party, and what the law has the bank keep.

use serde_json::{Value, json};
use testkit::detailed;

use crate::admin::{ID, as_staff, get, jiff_minutes, post, refused, staffed};
use crate::audit::tamper;
use crate::serve::{Scene, approve, consented, registered};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one customer, from the first consent to the last word about them")]
async fn what_no_law_keeps_of_a_customer_is_erased() {
    let (scene, people, admin) = staffed().await;
    let operator = scene.client(Some(&people.operator));
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let good = consented(&scene, &tpp, &client, &customer).await;
    let asked = tpp.consent_request(&detailed(customer["iban"].as_str().unwrap(), true));
    let asked = asked.exchange(&client, &scene.interface()).await.json();
    let unconfirmed = asked["consentId"].as_str().unwrap().to_owned();
    // Approved, and never confirmed.
    approve(&scene, &asked, &customer).await;
    let read = async |id: &str| get(&operator, &admin, &format!("/consents/{id}")).await;
    let who = read(&good.id).await.json()["customer"].as_str().unwrap().to_owned();
    assert_eq!(read(&unconfirmed).await.json()["state"], "received");

    let erase = format!("/customers/nl/{}/erase", who.replace('/', "%2F"));
    let why = json!({"reason": "Asked for in writing."});
    refused(&post(&operator, &admin, &erase, &why).await, 409, &["withdraw first", &good.id]);
    refused(&post(&operator, &admin, "/customers/xx/a/erase", &why).await, 400, &["it has nl, uk"]);
    refused(&post(&operator, &admin, &erase, &json!({})).await, 400, &["reason"]);
    assert_eq!(read(&unconfirmed).await.status, 200, "nothing is erased by what was refused");
    let withdrawn = post(&operator, &admin, &format!("/consents/{}/withdraw", good.id), &why).await;
    assert_eq!(withdrawn.status, 200, "{}", withdrawn.body);
    refused(&post(&operator, &admin, &erase, &why).await, 409, &["withdraw first", &unconfirmed]);
    scene.core.advance("nl", "PT25H").await;
    assert_eq!(read(&unconfirmed).await.json()["state"], "rejected", "it was never good");
    let erased = post(&operator, &admin, &erase, &why).await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    let erased = erased.json();
    let had_customer = erased["erasedConsents"] == json!([unconfirmed]);
    assert!(had_customer, "{erased}");
    assert_eq!(erased["kept"][0]["consent"], good.id, "{erased}");
    let until: gateway::domain::Timestamp = erased["kept"][0]["until"].as_str().unwrap().parse().unwrap();
    assert!(until > testkit::now() + std::time::Duration::from_secs(395 * 24 * 3600), "13 months: {erased}");
    refused(&read(&unconfirmed).await, 404, &["consent not found"]);
    assert_eq!(read(&good.id).await.status, 200);
    // However many there are, all of them are looked at.
    tamper(
        &scene,
        &format!(
            "CREATE TABLE more AS SELECT * FROM consents WHERE id = '{}';
             UPDATE more SET decision = 'rejected', created_at = created_at - 10;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1150)
             INSERT INTO consents SELECT {} FROM more, n;
             DROP TABLE more",
            good.id,
            columns(&scene, "consents").replacen("id", "'more-' || i", 1)
        ),
    );
    let all = post(&operator, &admin, &erase, &why).await.json();
    let count = |name: &str| all[name].as_array().unwrap().len();
    assert_eq!((count("erasedConsents"), count("kept"), &all["isMore"]), (1000, 1, &json!(true)), "{all}");
    refused(&read("more-1").await, 404, &["consent not found"]);
    refused(&read("more-1150").await, 404, &["consent not found"]);
    // Nothing is left to erase, and the act is on record.
    let again = post(&operator, &admin, &erase, &why).await.json();
    assert_eq!(again["erasedConsents"], json!([]));
    let odd = format!("/customers/nl/{}/erase", "a".repeat(300));
    refused(&post(&operator, &admin, &odd, &why).await, 400, &["a customer's id has 1 to 200 characters"]);
    refused(
        &post(&operator, &admin, "/customers/nl/a%E2%80%AEb/erase", &why).await,
        400,
        &["none of them hidden"],
    );
    // An account number is no id, and stands nowhere afterwards.
    for number in ["NL91ABNA0417164300", "nl91%20abna%200417%201643%2000", "NL92ABNA0417164300"] {
        let answer = post(&operator, &admin, &format!("/customers/nl/{number}/erase"), &why).await;
        refused(&answer, 400, &["this is an account number; give the customer's id as the core bank has it"]);
        assert!(!answer.body.to_ascii_uppercase().contains("ABNA"), "{}", answer.body);
    }
    // Nobody of whom nothing is held is taken for somebody of whom all was erased.
    assert!(erased["message"].is_null() && again["message"].is_null(), "{erased} {again}");
    let unknown = post(&operator, &admin, "/customers/nl/none/erase", &why).await;
    refused(&unknown, 200, &["\"erasedConsents\":[]", "nothing was kept of a customer of this id"]);
    let run = |arguments: &[&str]| as_staff(&scene, &admin, ("operator", &people.operator), arguments);
    let (code, out, error) = run(&["admin", "erase-customer", "nl", "none", "--reason", "Asked for."]);
    assert!(code == 0 && out.contains("nothing was kept of a customer of this id"), "{out}{error}");
    let (code, out, error) =
        run(&["admin", "erase-customer", "nl", "NL91ABNA0417164300", "--reason", "Asked for."]);
    assert!(code == 1 && out.is_empty() && error.contains("this is an account number"), "{out}{error}");
    let auditor = scene.client(Some(&people.auditor));
    let acts = get(&auditor, &admin, "/audit?kind=acts").await;
    assert!(acts.body.contains("erase") && acts.body.contains("Asked for in writing."), "{}", acts.body);
    assert!(acts.body.contains("none") && !acts.body.to_ascii_uppercase().contains("ABNA"), "{}", acts.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_law_keeps_of_a_third_party_is_erased() {
    let (scene, people, admin) = staffed().await;
    let operator = scene.client(Some(&people.operator));
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let good = consented(&scene, &tpp, &client, &customer).await;
    let (erase, why) = (format!("/third-parties/{ID}/erase"), json!({"reason": "Asked for in writing."}));
    let nobody = post(&operator, &admin, "/third-parties/none/erase", &why).await;
    refused(&nobody, 404, &["third party not found"]);
    refused(&post(&operator, &admin, &erase, &json!({})).await, 400, &["reason"]);
    let reader = scene.client(Some(&people.reader));
    refused(&post(&reader, &admin, &erase, &why).await, 403, &["role_missing"]);
    refused(&post(&operator, &admin, &erase, &why).await, 409, &["withdraw first", &good.id]);
    assert_eq!(tpp.read("/v1/accounts", &good).exchange(&client, &scene.interface()).await.status, 200);
    // Approved and never confirmed, and so never good once a day is over.
    let iban = customer["iban"].as_str().unwrap();
    let asked = tpp.consent_request(&detailed(iban, true));
    let asked = asked.exchange(&client, &scene.interface()).await.json();
    let unconfirmed = asked["consentId"].as_str().unwrap().to_owned();
    approve(&scene, &asked, &customer).await;
    // What nobody decided about: whatever it says of a customer is there, and is nobody's but the third party's.
    let undecided = async || {
        let asked = tpp.consent_request(&detailed(iban, true)).exchange(&client, &scene.interface()).await;
        let funds = tpp.funds_consent_request(&json!({"account": {"iban": iban}}));
        let funds = funds.exchange(&client, &scene.interface()).await;
        assert_eq!((asked.status, funds.status), (201, 201), "{} {}", asked.body, funds.body);
        [asked, funds].map(|answer| answer.json()["consentId"].as_str().unwrap().to_owned())
    };
    let before = undecided().await;
    scene.core.advance("nl", "PT25H").await;
    let after = undecided().await;
    let withdrawn = post(&operator, &admin, &format!("/consents/{}/withdraw", good.id), &why).await;
    assert_eq!(withdrawn.status, 200, "{}", withdrawn.body);
    // A block without an end would end what nobody confirmed, too, and nobody could tell it from what was good.
    let until = (testkit::now() + jiff_minutes(60)).to_string();
    let body = json!({"reason": "Leaks.", "until": until});
    let block = post(&operator, &admin, &format!("/third-parties/{ID}/block"), &body).await;
    assert_eq!(block.status, 200, "{}", block.body);

    let person = ("operator", &people.operator);
    let run = |arguments: &[&str]| as_staff(&scene, &admin, person, arguments);
    let (code, out, error) = run(&["admin", "erase-third-party", ID, "--reason", "Asked for.", "--json"]);
    let erased: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
    let all = [&unconfirmed, &before[0], &after[0], &before[1], &after[1]];
    assert_eq!((code, &erased["erasedConsents"], &erased["isMore"]), (0, &json!(all), &json!(false)));
    for [consent, funds] in [&before, &after] {
        refused(&get(&operator, &admin, &format!("/consents/{consent}")).await, 404, &["consent not found"]);
        let funds = get(&operator, &admin, &format!("/funds-consents/{funds}")).await;
        refused(&funds, 404, &["consent not found"]);
    }
    assert_eq!(erased["kept"][0]["consent"], good.id, "{erased}");
    refused(&get(&operator, &admin, &format!("/consents/{unconfirmed}")).await, 404, &["consent not found"]);
    // Who it is stays, and that it is blocked.
    let left = get(&operator, &admin, &format!("/third-parties/{ID}")).await.json();
    assert_eq!((&left["hasRegistered"], &left["state"]), (&json!(false), &json!("blocked")), "{left}");
    let acts = get(&scene.client(Some(&people.auditor)), &admin, "/audit?kind=acts").await;
    assert!(acts.body.contains("erase") && acts.body.contains("Asked for."), "{}", acts.body);
    // Its secret is worth nothing, also once it may act again; it may register anew.
    let lifted = post(&operator, &admin, &format!("/third-parties/{ID}/unblock"), &why).await;
    assert_eq!(lifted.status, 200, "{}", lifted.body);
    let token = tpp.token_request("grant_type=refresh_token&refresh_token=x");
    let token = token.exchange(&client, &scene.interface()).await;
    assert!(token.status == 401 && token.body.contains("invalid_client"), "{}", token.body);
    // A node that answered it before does not take it for registered any more, whatever it asks for.
    for request in
        [tpp.consent_request(&detailed(iban, true)), tpp.get(&format!("/v1/consents/{}/status", good.id))]
    {
        let answer = request.exchange(&client, &scene.interface()).await;
        assert_eq!((answer.status, crate::serve::error(&answer).as_str()), (401, "CERTIFICATE_INVALID"));
    }
    let tpp = registered(&scene, &client).await;
    consented(&scene, &tpp, &client, &customer).await;
}

/// The columns of a table, as a statement has them.
pub(crate) fn columns<S>(scene: &Scene<S>, table: &str) -> String {
    let database = rusqlite::Connection::open(scene.files.path("vestibule.db")).unwrap();
    let mut statement = database.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
    let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    names.map(Result::unwrap).collect::<Vec<_>>().join(", ")
}
