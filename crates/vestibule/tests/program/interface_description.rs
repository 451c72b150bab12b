//! Answers held against the compatible bank's own interface description.

use serde_json::{Value, json};
use testkit::{CALLBACK, Request, TestServer, TestTpp, bank_offered, detailed};

use crate::python;

/// Calls, each with its answer.
struct Recorder<'a> {
    server: &'a TestServer,
    exchanges: Vec<Value>,
}

impl Recorder<'_> {
    async fn send(&mut self, request: &Request) -> Value {
        let answer = self.server.send(request).await;
        let path = request.target.strip_prefix("/xs2a-bg").unwrap().split('?').next().unwrap();
        self.exchanges.push(json!({
            "method": request.method.as_str(), "path": path, "status": answer.status, "body": answer.json(),
        }));
        answer.json()
    }
}

async fn record(server: &TestServer, tenant: &str) -> Vec<Value> {
    let tpp: TestTpp = server.registered(tenant, "PSDNL-DNB-R000000").await;
    let mut recorder = Recorder { server, exchanges: Vec::new() };
    for persona in ["household", "saver", "international", "business", "empty"] {
        let customer = server.customer(tenant, persona).await;
        let iban = customer["iban"].as_str().unwrap();
        let asked = recorder.send(&tpp.consent_request(&bank_offered("9999-12-31"))).await;
        let unconfirmed = asked["consentId"].as_str().unwrap().to_owned();
        let consent = tpp.approved(server, &detailed(iban, true), iban).await;
        let own = format!("/v1/consents/{}", consent.id);
        let authorisation = format!("{own}/authorisations/{}", consent.authorisation);
        let confirm = tpp
            .request("PUT", &authorisation)
            .set("content-type", "application/json")
            .set("authorization", format!("Bearer {}", consent.access_token));
        recorder.send(&confirm.signed(&tpp.signer)).await;
        let start = tpp.request("POST", &format!("/v1/consents/{unconfirmed}/authorisations"));
        recorder.send(&start.set("tpp-redirect-uri", CALLBACK).signed(&tpp.signer)).await;
        for path in [own.clone(), format!("{own}/status"), format!("{own}/authorisations"), authorisation] {
            recorder.send(&tpp.get(&path)).await;
        }
        let mut body = bank_offered("9999-12-31");
        body["access"]["restrictedTo"] = json!(["SVGS"]);
        let has_savings = customer["accounts"].to_string().contains("SVGS");
        let mut kinds = vec![("/v1/accounts", consent.clone())];
        if has_savings {
            kinds.push(("/v2/savings", tpp.valid(server, &body, iban).await));
        }
        for (list, consent) in kinds {
            let accounts = recorder.send(&tpp.read(list, &consent)).await;
            let id = accounts["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
            recorder.send(&tpp.read(&format!("{list}/{id}"), &consent)).await;
            for _ in 0..5 {
                recorder.send(&tpp.read(&format!("{list}/{id}/balances"), &consent)).await;
            }
            let page = recorder.send(&tpp.read(&format!("{list}/{id}/transactions"), &consent)).await;
            if let (Some(next), "/v1/accounts") = (page["transactions"]["_links"]["next"].as_str(), list) {
                let old = next.strip_prefix(&format!("/{tenant}")).unwrap().replace("?edge", "/page?edge");
                recorder.send(&tpp.read(&old, &consent)).await;
            }
            recorder.send(&tpp.read(&format!("{list}/{unconfirmed}/balances"), &consent)).await;
        }
        recorder.send(&tpp.get(&format!("/v1/consents/{}", "0".repeat(8)))).await;
        recorder.send(&tpp.get("/v1/consents/6f0b0f0e-2a2f-4f3e-9b53-0f1f4b6c7d11/status")).await;
        recorder.send(&tpp.request("DELETE", &own).signed(&tpp.signer)).await;
        recorder.send(&tpp.read("/v1/accounts", &consent)).await;
    }
    recorder.exchanges
}

/// A description of the folder, or none where it is not there.
pub(crate) fn description(name: &str) -> Option<String> {
    Some(testkit::specification(&format!("openapi/{name}"))?.to_str().unwrap().to_owned())
}

/// Holds exchanges against a bank's own description, in which amounts are numbers that the standard has as texts.
pub(crate) async fn validate(interpreter: String, description: String, exchanges: Vec<Value>) -> Value {
    run(interpreter, vec!["--amounts-as-strings".to_owned(), description], exchanges).await
}

/// Holds exchanges against a description as it is.
pub(crate) async fn validate_exactly(
    interpreter: String,
    description: String,
    exchanges: Vec<Value>,
) -> Value {
    run(interpreter, vec![description], exchanges).await
}

async fn run(interpreter: String, arguments: Vec<String>, exchanges: Vec<Value>) -> Value {
    let validated = tokio::task::spawn_blocking(move || {
        let script = python::script("validate_openapi.py");
        let arguments: Vec<&str> =
            std::iter::once(script.as_str()).chain(arguments.iter().map(String::as_str)).collect();
        python::run_script(&interpreter, &arguments, &Value::Array(exchanges))
    });
    validated.await.unwrap()
}

/// The schemas of the other endpoints of the authorization server describe classes of the bank's own program.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_of_the_authorization_server_fits() {
    let Some(description) = description("triodos-bank-uk-auth-openapi.json") else { return };
    let Some(interpreter) = python::program("python") else { return };
    let server = TestServer::start().await;
    let path = "/nl/.well-known/openid-configuration";
    let answer = server.send(&Request::new("GET", &format!("/auth{path}"))).await;
    let exchange = json!({"method": "GET", "path": path, "status": answer.status, "body": answer.json()});
    let validated = validate(interpreter, description, vec![exchange]).await;
    assert_eq!(validated["problems"], json!([]));
    assert_eq!(validated["operations"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_about_accounts_fits() {
    let Some(description) = description("triodos-bank-uk-xs2a-openapi.json") else { return };
    let Some(interpreter) = python::program("python") else { return };
    let server = TestServer::start().await;
    let mut exchanges = record(&server, "nl").await;
    exchanges.extend(record(&server, "uk").await);
    let validated = validate(interpreter, description, exchanges).await;
    // The description leaves 401 out of some calls, although every signed call can fail so.
    let problems: Vec<_> = validated["problems"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|problem| problem["kind"] != "undeclared status")
        .collect();
    assert!(problems.is_empty(), "{problems:#?}");
    for operation in [
        "POST /{tenant}/v1/consents",
        "GET /{tenant}/v1/consents/{resource-id}",
        "DELETE /{tenant}/v1/consents/{resource-id}",
        "GET /{tenant}/v1/consents/{resource-id}/status",
        "GET /{tenant}/v1/consents/{resource-id}/authorisations",
        "POST /{tenant}/v1/consents/{resource-id}/authorisations",
        "GET /{tenant}/v1/consents/{resource-id}/authorisations/{authorisation-id}",
        "PUT /{tenant}/v1/consents/{resource-id}/authorisations/{authorisation-id}",
        "GET /{tenant}/v1/accounts",
        "GET /{tenant}/v1/accounts/{account-id}",
        "GET /{tenant}/v1/accounts/{account-id}/balances",
        "GET /{tenant}/v1/accounts/{account-id}/transactions",
        "GET /{tenant}/v1/accounts/{account-id}/transactions/page",
        "GET /{tenant}/v2/savings",
        "GET /{tenant}/v2/savings/{account-id}",
        "GET /{tenant}/v2/savings/{account-id}/balances",
        "GET /{tenant}/v2/savings/{account-id}/transactions",
    ] {
        let covered = validated["operations"].as_array().unwrap();
        assert!(covered.contains(&json!(operation)), "{operation} is not among {covered:?}");
    }
}
