//! A database that breaks while the bank serves: every door of the management API says so, and so does whatever else is
//! published.

use serde_json::{Value, json};
use testkit::broken::{Breakable, assert_failed};
use testkit::{Request, detailed};

/// Doors behind which there is nothing that is stored.
const WITHOUT_STORE: [&str; 9] = [
    "GET /ca.pem",
    "GET /clock",
    "GET /personas",
    "GET /tenants",
    "GET /calls",
    "GET /calls.har",
    "GET /faults",
    "GET /snapshots",
    "GET /openapi.json",
];

/// Others that ask for none: of calls, faults, status services and what a register says otherwise, which are kept in memory, and of snapshots, which are other files and copies of
/// the database as it is.
const BESIDE_STORE: [&str; 11] = [
    "GET /calls/{number}",
    "GET /calls/stream",
    "POST /faults",
    "DELETE /faults",
    "DELETE /faults/{id}",
    "GET /status-service",
    "PUT /status-service",
    "PUT /register/{organizationIdentifier}",
    "PUT /snapshots/{name}",
    "DELETE /snapshots/{name}",
    "POST /snapshots/{name}/restore",
];

#[tokio::test]
async fn every_door_says_that_the_bank_is_not_available() {
    let bank = Breakable::start().await;
    let server = &bank.server;
    let tpp = server.registered("nl", "PSDNL-DNB-R123456").await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let consent = tpp.valid(server, &detailed(iban, true), iban).await;
    let asked = tpp.consent(server, &detailed(iban, true)).await;
    let approval = json!({"url": tpp.authorization_url(&asked), "iban": iban, "decision": "approve"});
    let (_, index) = server.manage("GET", "/", Value::Null).await;
    let secrets = [consent.access_token.as_str(), &consent.id, &tpp.secret, iban];
    // As behind a gateway that is told of withdrawals.
    server.running.sandbox.telling().await.unwrap();
    bank.break_store(&[]);
    let doors = index.as_object().unwrap();
    for door in doors.keys().filter(|door| !BESIDE_STORE.contains(&door.as_str())) {
        let (method, path) = door.split_once(' ').unwrap();
        let path = path
            .replace("{fingerprint}", &tpp.signer.certificate.fingerprint_hex())
            .replace("{id}", &tpp.id())
            .replace("{organizationIdentifier}", &tpp.id())
            .replace("{iban}", iban)
            .replace("{consentId}", &consent.id)
            .replace("{tenant}", "nl")
            .replace("{paymentId}", "1");
        let body = match door.as_str() {
            "POST /test-certificates" => json!({"organizationIdentifier": "PSDNL-DNB-R123456"}),
            "PUT /test-certificates/{fingerprint}" => json!({"status": "revoked"}),
            "PUT /third-parties/{id}" => json!({"status": "blocked"}),
            "PUT /clock" => json!({"advance": "P1D"}),
            "POST /test-accounts" => json!({"tenant": "nl"}),
            "PUT /test-accounts/{iban}" => json!({"status": "blocked"}),
            "POST /test-accounts/{iban}/transactions" => json!({"amount": "1"}),
            "POST /data" => json!({"customers": [{"name": "A", "accounts": [{"kind": "current"}]}]}),
            "PUT /tenants/{tenant}" => json!({"bankName": "B"}),
            "POST /resource-servers" => json!({"id": "ledger"}),
            "PUT /payments/{paymentId}" => json!({"status": "RJCT"}),
            "POST /approvals" => approval.clone(),
            _ => json!({}),
        };
        let request = Request::new(method, &path).body("application/json", body.to_string());
        let answer = request.send(&server.http, &server.running.addresses.management).await;
        if WITHOUT_STORE.contains(&door.as_str()) {
            assert_eq!(answer.status, 200, "{door}");
            continue;
        }
        assert_failed(door, &answer, 503, &secrets);
        let message = "the service is not available; try again later";
        assert_eq!(answer.json(), json!({"error": "temporarily_unavailable", "message": message}), "{door}");
    }
    let list = server.send(&Request::new("GET", "/ca/issuing.crl")).await;
    assert_failed("the revocation list", &list, 503, &secrets);
    assert_eq!(server.send(&Request::new("GET", "/ca/root.crl")).await.status, 200);
}
