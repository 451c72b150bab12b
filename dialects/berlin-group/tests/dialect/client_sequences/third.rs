//! The third client.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway::domain::Tenant;
use serde_json::{Value, json};
use testkit::{Request, Signer, TestServer, VERIFIER, challenge, parameter};

use super::{CALLBACK, Ids, encode, ok, text};
use crate::ID;

/// The third client: signs every call, to the authorization server too, with the digest of a fixed word where
/// there is no body, and sends its certificate twice.
fn third(signer: &Signer, ids: &mut Ids, method: &str, target: &str) -> Request {
    let request = Request::new(method, target)
        .set("content-type", "application/json")
        .set("accept", "application/json")
        .set("x-request-id", ids.next())
        .set("digest", "SHA-256=uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=")
        .set("ssl-certificate", signer.header());
    request.certificate(signer).sign(signer, "digest x-request-id")
}

#[tokio::test]
async fn the_third_client() {
    let server = TestServer::start().await;
    let signer = server.tpp(ID).await;
    let mut ids = Ids(0);
    let onboarding = third(&signer, &mut ids, "GET", "/xs2a-bg/nl/onboarding/v1");
    let token = text(&ok(&server, &onboarding, 200).await["access_token"]);
    let registration = third(&signer, &mut ids, "POST", "/auth/nl/v1/registration")
        .set("authorization", format!("Bearer {token}"))
        .form(&format!(
            "redirect_uris={}&redirect_uris={}&sector_identifier_uri=",
            encode(CALLBACK),
            encode("http://example.com")
        ));
    let registered = ok(&server, &registration, 201).await;
    let configuration = third(&signer, &mut ids, "GET", "/auth/nl/.well-known/openid-configuration");
    assert!(ok(&server, &configuration, 200).await["issuer"].is_string());

    let body = json!({
        "access": {"accounts": [], "balances": [], "transactions": []}, "recurringIndicator": true,
        "validUntil": "9999-12-31", "frequencyPerDay": 4, "combinedServiceIndicator": false,
    });
    let asked = third(&signer, &mut ids, "POST", "/xs2a-bg/nl/v1/consents")
        .set("psu-ip-address", "192.0.2.7")
        .set("tpp-redirect-uri", CALLBACK)
        .body("application/json", body.to_string())
        .signed(&signer);
    let asked = ok(&server, &asked, 201).await;
    assert_eq!(asked["consentStatus"], "received");
    let id = text(&asked["consentId"]);

    // The challenge is padded standard base64.
    let padded = challenge(VERIFIER).replace('-', "+").replace('_', "/") + "=";
    let redirect = text(&asked["_links"]["scaRedirect"]);
    let url = format!("{redirect}&code_challenge={}&code_challenge_method=S256&state=x", encode(&padded));
    let target = url.strip_prefix(server.url()).unwrap();
    let page = server.send(&third(&signer, &mut ids, "GET", target)).await;
    assert_eq!(page.status, 302, "{}", page.body);
    assert!(page.header("location").contains("authorise.html"));

    let customer = server.customer("nl", "student").await;
    let location = server.decide(&url, &text(&customer["iban"]), "approve").await;
    let basic = STANDARD.encode(format!("{ID}:{}", text(&registered["client_secret"])));
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={VERIFIER}",
        parameter(&location, "code").unwrap(),
        encode(CALLBACK)
    );
    let tokens = third(&signer, &mut ids, "POST", "/auth/nl/v1/token")
        .set("authorization", format!("Basic {basic}"))
        .form(&form);
    let access = text(&ok(&server, &tokens, 200).await["access_token"]);
    let link = format!("/xs2a-bg{}", text(&asked["_links"]["confirmation"]));
    let confirm = third(&signer, &mut ids, "PUT", &link).set("authorization", format!("Bearer {access}"));
    assert_eq!(ok(&server, &confirm, 200).await["scaStatus"], "finalised");
    let status = third(&signer, &mut ids, "GET", &format!("/xs2a-bg/nl/v1/consents/{id}/status"));
    assert_eq!(ok(&server, &status, 200).await["consentStatus"], "valid");
    let mut read = |target: &str| {
        third(&signer, &mut ids, "GET", target)
            .set("authorization", format!("Bearer {access}"))
            .set("consent-id", &id)
    };
    let accounts = ok(&server, &read("/xs2a-bg/nl/v1/accounts"), 200).await;
    let resource = text(&accounts["accounts"][0]["resourceId"]);
    let balances = read(&format!("/xs2a-bg/nl/v1/accounts/{resource}/balances"));
    assert_eq!(ok(&server, &balances, 200).await["balances"].as_array().unwrap().len(), 2);
    let nowhere = server.send(&read("/xs2a-bg/nl/v1/nothing")).await;
    assert_eq!((nowhere.status, &nowhere.json()["tppMessages"][0]["text"]), (404, &json!("Not Found")));
    let iban = json!([{"iban": "NL00TRIO0320564487"}]);
    let wrong = json!({
        "access": {"accounts": iban, "balances": iban}, "recurringIndicator": true,
        "validUntil": "9999-12-31", "frequencyPerDay": 4, "combinedServiceIndicator": false,
    });
    let wrong = third(&signer, &mut ids, "POST", "/xs2a-bg/nl/v1/consents")
        .set("psu-ip-address", "192.0.2.7")
        .set("tpp-redirect-uri", CALLBACK)
        .body("application/json", wrong.to_string())
        .signed(&signer);
    let refused = server.send(&wrong).await;
    let (code, text) = refused.error();
    assert!(code == "FORMAT_ERROR" && text.starts_with("Invalid iban: NL00TRIO0320564487"), "{code} {text}");
}

/// The third client pays: initiates, reads details, status and the authorisation's status, confirms, and tries a payment
/// across borders. It signs a digest that is of no body.
#[tokio::test]
async fn the_third_client_pays() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let basic = tpp.basic();
    let (signer, mut ids) = (tpp.signer, Ids(0));
    let mut initiate = |product: &str, body: &Value| {
        third(&signer, &mut ids, "POST", &format!("/xs2a-bg/nl/v1/payments/{product}"))
            .set("psu-ip-address", "192.0.2.7")
            .set("tpp-redirect-uri", CALLBACK)
            .body("application/json", body.to_string())
            .signed(&signer)
    };
    // Late in the evening the bank's day may be the next one already.
    let today = Tenant::parse("nl").unwrap().date_at(testkit::now());
    let body = json!({
        "instructedAmount": {"currency": "EUR", "amount": "2.10"}, "debtorAccount": {"iban": iban},
        "creditorAccount": {"iban": creditor}, "creditorName": "A. Payee", "requestedExecutionDate": today.to_string(),
    });
    let asked = ok(&server, &initiate("sepa-credit-transfers", &body), 201).await;
    assert_eq!(asked["transactionStatus"], "RCVD");
    for member in ["paymentId", "authorisationId"] {
        assert!(!text(&asked[member]).is_empty(), "{member}");
    }
    let mut across = body.clone();
    across["instructedAmount"]["currency"] = "USD".into();
    let across = ok(&server, &initiate("cross-border-credit-transfers", &across), 501).await;
    assert!(text(&across["tppMessages"][0]["text"]).contains("not supported"), "{across}");
    let mut wrong = body.clone();
    wrong["creditorAccount"]["iban"] = "NL00TRIO0320564487".into();
    let refused = server.send(&initiate("sepa-credit-transfers", &wrong)).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "FORMAT_ERROR"), "{}", refused.body);
    assert!(refused.error().1.contains("Invalid iban: NL00TRIO0320564487"), "{}", refused.body);

    let link = |name: &str| format!("/xs2a-bg{}", text(&asked["_links"][name]));
    let get = |ids: &mut Ids, name: &str| third(&signer, ids, "GET", &link(name));
    assert_eq!(ok(&server, &get(&mut ids, "self"), 200).await["paymentId"], asked["paymentId"]);
    assert_eq!(ok(&server, &get(&mut ids, "status"), 200).await["transactionStatus"], "RCVD");
    assert_eq!(ok(&server, &get(&mut ids, "scaStatus"), 200).await["scaStatus"], "received");
    // No id in the path.
    let nowhere = third(&signer, &mut ids, "GET", "/xs2a-bg/nl/v1/payments/sepa-credit-transfers//status");
    let nowhere = server.send(&nowhere).await;
    assert_eq!((nowhere.status, &nowhere.json()["tppMessages"][0]["text"]), (404, &json!("Not Found")));

    let padded = challenge(VERIFIER).replace('-', "+").replace('_', "/") + "=";
    let redirect = text(&asked["_links"]["scaRedirect"]);
    let url = format!("{redirect}&code_challenge={}&code_challenge_method=S256&state=x", encode(&padded));
    let page = third(&signer, &mut ids, "GET", url.strip_prefix(server.url()).unwrap());
    // Opened twice: the authorisation is still there for whoever opens it.
    for _ in 0..2 {
        let page = server.send(&page).await;
        assert_eq!(page.status, 302, "{}", page.body);
        assert!(page.header("location").contains("authorise.html"));
    }
    let location = server.decide(&url, &iban, "approve").await;
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={VERIFIER}",
        parameter(&location, "code").unwrap(),
        encode(CALLBACK)
    );
    let tokens =
        third(&signer, &mut ids, "POST", "/auth/nl/v1/token").set("authorization", &basic).form(&form);
    let access = text(&ok(&server, &tokens, 200).await["access_token"]);
    assert_eq!(ok(&server, &get(&mut ids, "scaStatus"), 200).await["scaStatus"], "unconfirmed");
    let confirm = third(&signer, &mut ids, "PUT", &link("confirmation"));
    let confirm = confirm.set("authorization", format!("Bearer {access}"));
    assert_eq!(ok(&server, &confirm, 200).await["scaStatus"], "finalised");
    assert_eq!(ok(&server, &get(&mut ids, "status"), 200).await["transactionStatus"], "ACSC");
    assert_eq!(ok(&server, &get(&mut ids, "self"), 200).await["debtorAccount"]["iban"], iban);
    // The redirect has been used.
    let again = server.decide(&url, &iban, "approve").await;
    assert_eq!(parameter(&again, "error").as_deref(), Some("invalid_request"));
}
