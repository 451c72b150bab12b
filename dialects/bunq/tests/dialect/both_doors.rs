//! One bank, two interfaces: the same customers, accounts, money and third parties.

use serde_json::json;
use testkit::bunq::{BunqClient, cents, element, euro, shop};
use testkit::{CALLBACK, Request, TestServer, TestTpp, detailed, parameter};

#[tokio::test]
async fn both_interfaces_tell_the_same_about_an_account() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R000001").await;
    let consent = tpp.valid(&server, &detailed(iban, true), iban).await;
    let accounts = server.send(&tpp.attended("/v1/accounts", &consent)).await.json();
    let id = accounts["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
    let expected = async || {
        let answer =
            server.send(&tpp.attended(&format!("/v1/accounts/{id}/balances"), &consent)).await.json();
        let balances = answer["balances"].as_array().unwrap().clone();
        let expected = balances.iter().find(|one| one["balanceType"] == "expected").unwrap();
        cents(expected["balanceAmount"]["amount"].as_str().unwrap())
    };
    let (there, here) = (expected().await, own.balance(account).await);
    let payment =
        json!({"amount": euro("12.34"), "counterparty_alias": shop(), "description": "Both see it"});
    let paid = own.make(&own.below(account, "/payment"), &payment).await;
    assert_eq!((expected().await, own.balance(account).await), (there - 1234, here - 1234));
    let path = format!("/v1/accounts/{id}/transactions?bookingStatus=booked");
    let booked = server.send(&tpp.attended(&path, &consent)).await.json();
    let newest = &booked["transactions"]["booked"][0];
    assert_eq!(
        (
            newest["transactionAmount"]["amount"].as_str(),
            newest["remittanceInformationUnstructured"].as_str()
        ),
        (Some("12.34"), Some("Both see it"))
    );
    assert!(own.list(&own.below(account, &format!("/payment/{paid}"))).await[0]["id"] == paid);
}

/// Whoever is a customer at another branch is paid from here, and pays back at the other door.
#[tokio::test]
async fn customers_of_other_branches_are_paid_too() {
    let server = TestServer::start().await;
    let (customer, other) =
        (server.customer("nl", "household").await, server.customer("be_nl", "student").await);
    let belgian = server.registered("be_nl", "PSDNL-DNB-R999999").await;
    let iban = other["iban"].as_str().unwrap();
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let (there, here) = (belgian.expected_balance(&server, iban).await, own.balance(account).await);
    let payee = json!({"type": "IBAN", "value": iban, "name": "A. Belgian"});
    let payment = json!({"amount": euro("12.34"), "counterparty_alias": payee, "description": "Fries"});
    own.make(&own.below(account, "/payment"), &payment).await;
    assert_eq!(belgian.expected_balance(&server, iban).await, there + 1234);
    assert_eq!(own.balance(account).await, here - 1234);
    let back = testkit::euro_payment("2.34", customer["iban"].as_str().unwrap());
    belgian.submitted_payment(&server, ("payments/sepa-credit-transfers", &back), iban).await;
    assert_eq!(own.balance(account).await, here - 1000);
    let newest = own.list(&own.below(account, "/payment")).await.remove(0);
    assert_eq!(
        (&newest["amount"]["value"], &newest["counterparty_alias"]["iban"]),
        (&json!("2.34"), &json!(iban))
    );
    // One that is kept in pounds, and a number that is nobody's.
    let british = server.customer("uk", "student").await["iban"].clone();
    let payment = json!({"amount": euro("1.00"), "description": "x",
        "counterparty_alias": {"type": "IBAN", "value": british, "name": "A. Briton"}});
    let refused = own.post(&own.below(account, "/payment"), &payment).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(refused.body.contains("he account that is to be paid is in GBP"), "{}", refused.body);
    assert_eq!(own.balance(account).await, here - 1000);
}

#[tokio::test]
async fn a_third_party_is_the_same_at_both_interfaces() {
    let server = TestServer::start().await;
    let id = "PSDNL-DNB-B0042";
    let tpp = server.registered("nl", id).await;
    let seal = server.certificate(json!({"organizationIdentifier": id, "profile": "qseal"})).await;
    let client = BunqClient::install(&server).await;
    let pem = eidas::certificate::to_pem(&seal.certificate.der);
    let key = client.trade(&pem, &seal.chain.concat(), &seal.key_pem).await;
    let client = client.open(&key).await;
    let customer = server.customer("nl", "student").await;
    let iban = customer["iban"].as_str().unwrap();
    // The registration is as it was: its secret still redeems codes.
    tpp.valid(&server, &detailed(iban, true), iban).await;
    client.connect(&server, &customer).await;
    let consents = server.manage("GET", &format!("/consents?iban={iban}"), json!(null)).await.1;
    let tpps: Vec<_> =
        consents["consents"].as_array().unwrap().iter().map(|one| one["tpp"].as_str().unwrap()).collect();
    assert_eq!(tpps, [id, id]);
    // A certificate that is blocked is blocked here too.
    let fingerprint = seal.certificate.fingerprint_hex();
    let (status, _) = server
        .manage("PUT", &format!("/test-certificates/{fingerprint}"), json!({"status": "blocked"}))
        .await;
    assert_eq!(status, 200);
    let again = BunqClient::install(&server).await;
    let refused = again.send(&again.credential_request(&pem, &seal.chain.concat(), &seal.key_pem)).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("blocked"), "{}", refused.body);
}

/// Whoever traded a certificate at one interface is known to the bank, and has not registered for the other one.
#[tokio::test]
async fn who_is_recognised_at_one_interface_is_not_registered_at_the_other() {
    let server = TestServer::start().await;
    let id = "PSDNL-DNB-B0043";
    let seal = server.certificate(json!({"organizationIdentifier": id, "profile": "qseal"})).await;
    let client = BunqClient::install(&server).await;
    let pem = eidas::certificate::to_pem(&seal.certificate.der);
    client.trade(&pem, &seal.chain.concat(), &seal.key_pem).await;
    let iban = server.customer("nl", "student").await["iban"].clone();
    let tpp = TestTpp { signer: seal, tenant: "nl".to_owned(), secret: String::new() };
    let consent = detailed(iban.as_str().unwrap(), true);
    let refused = server.send(&tpp.consent_request(&consent)).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    let text = testkit::told("CERTIFICATE_INVALID", "is not registered at this bank");
    assert!(refused.body.contains(text), "{}", refused.body);
    // It registers, and is let in.
    server.register("nl", &tpp.signer, &[CALLBACK]).await;
    let taken = server.send(&tpp.consent_request(&consent)).await;
    assert_eq!(taken.status, 201, "{}", taken.body);
}

#[tokio::test]
async fn a_payment_of_one_interface_cannot_be_authorised_at_the_other() {
    let server = TestServer::start().await;
    let id = "PSDNL-DNB-B0043";
    let tpp = server.registered("nl", id).await;
    let seal = server.certificate(json!({"organizationIdentifier": id, "profile": "qseal"})).await;
    let client = BunqClient::install(&server).await;
    let pem = eidas::certificate::to_pem(&seal.certificate.der);
    let key = client.trade(&pem, &seal.chain.concat(), &seal.key_pem).await;
    let client = client.open(&key).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let path = format!("/user/{}/payment-service-provider-issuer-transaction", client.user);
    let body = json!({"counterparty_alias": shop(), "amount": euro("10.00"), "description": "Order 1",
        "url_redirect": "https://shop.example/done"});
    let made = client.make(&path, &body).await;
    let seen =
        element(&client.get(&format!("{path}/{made}")).await, "PaymentServiceProviderIssuerTransaction");
    let link = format!("/bunq/psp?transactionId={}", seen["public_uuid"].as_str().unwrap());
    let left = server.decide(&format!("{}{link}", server.url()), iban, "expire").await;
    let why = parameter(&left, "error_description").unwrap();
    let payment = why.split("payment with uuid ").nth(1).unwrap().split(' ').next().unwrap();
    // Another browser is at the page of the payment, so that there is an authorisation of it.
    assert_eq!(server.send(&Request::new("GET", &link)).await.status, 302);
    let asked = tpp.consent(&server, &detailed(iban, true)).await;
    let own = format!("AIS%3A{}", asked["consentId"].as_str().unwrap());
    let url = tpp.authorization_url(&asked);
    assert!(url.contains(&own), "{url}");
    let left = server.decide(&url.replace(&own, &format!("PIS%3A{payment}")), iban, "approve").await;
    let why = parameter(&left, "error_description").unwrap();
    assert_eq!(why, format!("No pending authorisations found for payment with uuid {payment}"));
    assert_eq!(client.list(&format!("{path}/{made}")).await[0]["status"], "PENDING");
}
