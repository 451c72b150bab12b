//! Payments that a third party asks for at the Berlin Group dialect, and the steps it takes with a customer.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Answer, CALLBACK, Request, TestServer, TestTpp, day, detailed, parameter};

/// A payment that was asked for, with the token of the customer's approval.
#[derive(Debug, Clone)]
pub struct ApprovedPayment {
    /// Its path below the tenant.
    pub path: String,
    /// Id of its authorisation.
    pub authorisation: String,
    /// Access token.
    pub access_token: String,
}

/// A request for a SEPA credit transfer of which the customer chooses the account that pays.
pub fn euro_payment(amount: &str, creditor: &str) -> Value {
    json!({
        "instructedAmount": {"currency": "EUR", "amount": amount},
        "creditorAccount": {"iban": creditor},
        "creditorName": "A. Payee",
        "remittanceInformationUnstructured": "Invoice 7",
    })
}

/// A request for the same each month, from the day after tomorrow on.
pub fn monthly_payment(amount: &str, creditor: &str) -> Value {
    let mut body = euro_payment(amount, creditor);
    body["startDate"] = day(2).into();
    body["frequency"] = "Monthly".into();
    body
}

impl TestTpp {
    /// A signed request for a payment of a service and product, for example `payments/sepa-credit-transfers`.
    pub fn payment_request(&self, service_and_product: &str, body: &Value) -> Request {
        self.request("POST", &format!("/v1/{service_and_product}"))
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", CALLBACK)
            .body("application/json", body.to_string())
            .signed(&self.signer)
    }

    /// Asks for a payment.
    pub async fn payment(&self, server: &TestServer, service_and_product: &str, body: &Value) -> Value {
        let answer = server.send(&self.payment_request(service_and_product, body)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }

    /// A signed call that takes a payment back, or begins an authorisation.
    pub fn redirecting(&self, method: &str, path: &str) -> Request {
        self.request(method, path).set("tpp-redirect-uri", CALLBACK).signed(&self.signer)
    }

    /// The path below the tenant that a link leads to.
    pub fn path_of(&self, link: &Value) -> String {
        let link = link.as_str().unwrap_or_else(|| panic!("no link: {link}"));
        link.strip_prefix(&format!("/{}", self.tenant)).unwrap().to_owned()
    }

    /// A customer approves what an answer's links lead to; returns the access token that comes of it.
    pub async fn token_of(&self, server: &TestServer, answer: &Value, iban: &str) -> String {
        let location = server.decide(&self.authorization_url(answer), iban, "approve").await;
        let code = parameter(&location, "code").unwrap_or_else(|| panic!("{location}"));
        let tokens = self.redeem(server, &code).await;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        tokens.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A signed request for a bulk payment in pain.001.
    pub fn bulk_request(&self, kind: &str, document: &str) -> Request {
        self.request("POST", "/v1/bulk-payments/sepa-credit-transfers")
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", CALLBACK)
            .body(kind, document)
            .signed(&self.signer)
    }

    /// A payment that a customer approved, not yet confirmed.
    pub async fn approved_payment(
        &self,
        server: &TestServer,
        (service_and_product, body): (&str, &Value),
        iban: &str,
    ) -> ApprovedPayment {
        self.approved_request(server, &self.payment_request(service_and_product, body), iban).await
    }

    /// What is asked for by a request for a payment and approved by a customer, not yet confirmed.
    pub async fn approved_request(
        &self,
        server: &TestServer,
        request: &Request,
        iban: &str,
    ) -> ApprovedPayment {
        let answer = server.send(request).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        self.approved_of(server, &answer.json(), iban).await
    }

    /// The payment of an answer, once a customer has approved it.
    pub async fn approved_of(&self, server: &TestServer, asked: &Value, iban: &str) -> ApprovedPayment {
        ApprovedPayment {
            path: self.path_of(&asked["_links"]["self"]),
            authorisation: self.path_of(&asked["_links"]["scaStatus"]),
            access_token: self.token_of(server, asked, iban).await,
        }
    }

    /// Confirms an authorisation at its path with a token.
    pub async fn confirm_payment_at(&self, server: &TestServer, path: &str, token: &str) -> Answer {
        let request = self
            .request("PUT", path)
            .set("content-type", "application/json")
            .set("authorization", format!("Bearer {token}"))
            .signed(&self.signer);
        server.send(&request).await
    }

    /// A payment that a customer approved and the bank has.
    pub async fn submitted_payment(
        &self,
        server: &TestServer,
        what: (&str, &Value),
        iban: &str,
    ) -> ApprovedPayment {
        let payment = self.approved_payment(server, what, iban).await;
        let confirmed = self.confirm_payment_at(server, &payment.authorisation, &payment.access_token).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.body);
        payment
    }

    /// What an account will hold once all that is known is booked, in cents, as account information tells it.
    pub async fn expected_balance(&self, server: &TestServer, iban: &str) -> i64 {
        let consent = self.valid(server, &detailed(iban, false), iban).await;
        let accounts = server.send(&self.attended("/v1/accounts", &consent)).await.json();
        let path = self.path_of(&accounts["accounts"][0]["_links"]["balances"]);
        let balances = server.send(&self.attended(&path, &consent)).await.json();
        let expected = balances["balances"].as_array().unwrap().iter();
        let mut expected = expected.filter(|one| one["balanceType"] == "expected");
        expected.next().unwrap()["balanceAmount"]["amount"]
            .as_str()
            .unwrap()
            .replace('.', "")
            .parse()
            .unwrap()
    }

    /// The status of a payment at its path.
    pub async fn payment_status(&self, server: &TestServer, path: &str) -> String {
        let answer = server.send(&self.get(&format!("{path}/status"))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["transactionStatus"].as_str().unwrap().to_owned()
    }

    /// Waits until a payment has a status that the bank gave it after what was the end of it: `vestibule serve` asks about no payment whose
    /// end it was told, and learns of another one by the bank's next event.
    pub async fn payment_becomes(&self, server: &TestServer, path: &str, status: &str) {
        let began = Instant::now();
        loop {
            let is = self.payment_status(server, path).await;
            if is == status {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{is} has not become {status}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
