//! Every operation of the interface, as its description tells them: certificate, signature, and the token of those that
//! take one. An operation without a row here fails, and so does a row without an operation.

use testkit::{
    ApprovedPayment, CALLBACK, Request, TestServer, TestTpp, ValidConsent, day, detailed, euro_payment,
    in_euro, monthly_payment, pain001,
};

use crate::ID;

/// Anybody may call these.
const FOR_ANYBODY: &[&str] = &["GET /version", "GET /openapi.json"];

/// Signed by any third party.
const SIGNED: &[&str] = &[
    "GET /{tenant}/onboarding/v1",
    "GET /{tenant}/v1/onboarding",
    "POST /{tenant}/v1/consents",
    "GET /{tenant}/v1/consents/{consent}",
    "GET /{tenant}/v1/consents/{consent}/status",
    "GET /{tenant}/v1/consents/{consent}/authorisations",
    "POST /{tenant}/v1/consents/{consent}/authorisations",
    "GET /{tenant}/v1/consents/{consent}/authorisations/{authorisation}",
    "DELETE /{tenant}/v1/consents/{consent}",
    "POST /{tenant}/v2/consents/confirmation-of-funds",
    "GET /{tenant}/v2/consents/confirmation-of-funds/{consent}",
    "GET /{tenant}/v2/consents/confirmation-of-funds/{consent}/status",
    "GET /{tenant}/v2/consents/confirmation-of-funds/{consent}/authorisations",
    "POST /{tenant}/v2/consents/confirmation-of-funds/{consent}/authorisations",
    "GET /{tenant}/v2/consents/confirmation-of-funds/{consent}/authorisations/{authorisation}",
    "DELETE /{tenant}/v2/consents/confirmation-of-funds/{consent}",
];

/// Signed, and with the token of the consent.
const WITH_TOKEN: &[&str] = &[
    "PUT /{tenant}/v1/consents/{consent}/authorisations/{authorisation}",
    "GET /{tenant}/v1/accounts",
    "GET /{tenant}/v1/accounts/{account}",
    "GET /{tenant}/v1/accounts/{account}/balances",
    "GET /{tenant}/v1/accounts/{account}/transactions",
    "GET /{tenant}/v1/accounts/{account}/transactions/page",
    "GET /{tenant}/v2/savings",
    "GET /{tenant}/v2/savings/{account}",
    "GET /{tenant}/v2/savings/{account}/balances",
    "GET /{tenant}/v2/savings/{account}/transactions",
    "PUT /{tenant}/v2/consents/confirmation-of-funds/{consent}/authorisations/{authorisation}",
    "POST /{tenant}/v1/funds-confirmations",
];

/// Services of payments, each of which has the operations below.
const PAYMENT_SERVICES: &[&str] = &["payments", "periodic-payments", "bulk-payments"];

/// Signed by a third party that initiates payments.
const PAYMENTS: &[&str] = &[
    "POST /{tenant}/v1/{service}/{product}",
    "GET /{tenant}/v1/{service}/{product}/{payment}",
    "GET /{tenant}/v1/{service}/{product}/{payment}/status",
    "DELETE /{tenant}/v1/{service}/{product}/{payment}",
    "GET /{tenant}/v1/{service}/{product}/{payment}/authorisations",
    "POST /{tenant}/v1/{service}/{product}/{payment}/authorisations",
    "GET /{tenant}/v1/{service}/{product}/{payment}/authorisations/{authorisation}",
    "GET /{tenant}/v1/{service}/{product}/{payment}/cancellation-authorisations",
    "POST /{tenant}/v1/{service}/{product}/{payment}/cancellation-authorisations",
    "GET /{tenant}/v1/{service}/{product}/{payment}/cancellation-authorisations/{authorisation}",
    "PUT /{tenant}/v1/{service}/{product}/{payment}/cancellation-authorisations/{authorisation}",
];

/// Signed, and with the token of the payment.
const PAYMENTS_WITH_TOKEN: &[&str] =
    &["PUT /{tenant}/v1/{service}/{product}/{payment}/authorisations/{authorisation}"];

/// Rows for everything and rows for each service of payments.
fn rows(all: &[&str], of_services: &[&str]) -> Vec<String> {
    let of_services = of_services
        .iter()
        .flat_map(|row| PAYMENT_SERVICES.iter().map(move |service| row.replace("{service}", service)));
    all.iter().map(|row| (*row).to_owned()).chain(of_services).collect()
}

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    consent: ValidConsent,
    /// For confirmation of funds.
    funds: ValidConsent,
    iban: String,
    account: String,
    /// One of each service.
    payments: Vec<ApprovedPayment>,
    /// Where an earlier answer says that the next page is.
    page: String,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", "saver").await;
        let iban = customer["iban"].as_str().unwrap();
        let consent = tpp.valid(&server, &detailed(iban, true), iban).await;
        let accounts = server.send(&tpp.read("/v1/accounts", &consent)).await.json();
        let account = accounts["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
        let transactions = format!("/v1/accounts/{account}/transactions");
        let first = server.send(&tpp.attended(&transactions, &consent)).await.json();
        let next = first["transactions"]["_links"]["next"].as_str().unwrap();
        let page = next.split_once('?').unwrap().1.to_owned();
        let payer = server.customer("nl", "household").await;
        let payer = payer["iban"].as_str().unwrap();
        let mut payments = Vec::new();
        for service in PAYMENT_SERVICES {
            let what = format!("{service}/sepa-credit-transfers");
            let request = match *service {
                "bulk-payments" => {
                    let bulk = pain001("09", payer, &day(7), &[(100, "A. Payee", iban, "Invoice 7")]);
                    tpp.bulk_request("application/xml", &bulk)
                }
                "periodic-payments" => tpp.payment_request(&what, &monthly_payment("1.00", iban)),
                _ => tpp.payment_request(&what, &euro_payment("1.00", iban)),
            };
            payments.push(tpp.approved_request(&server, &request, payer).await);
        }
        let funds = tpp.valid_funds(&server, iban).await;
        let iban = iban.to_owned();
        Self { server, tpp, consent, funds, iban, account, payments, page }
    }

    /// The consent that an operation is about.
    fn consent(&self, operation: &str) -> &ValidConsent {
        let is_about_funds = operation.contains("/confirmation-of-funds") || operation.contains("/funds-");
        if is_about_funds { &self.funds } else { &self.consent }
    }

    /// The payment that an operation is about.
    fn payment(&self, operation: &str) -> &ApprovedPayment {
        let is_of = |payment: &&ApprovedPayment| {
            let (service, _) = payment.path.trim_start_matches("/v1/").split_once('/').unwrap();
            operation.contains(&format!("/{service}/"))
        };
        self.payments.iter().find(is_of).unwrap()
    }

    /// A call of an operation about the consent and the account, not yet signed.
    fn call(&self, operation: &str) -> Request {
        let (method, path) = operation.split_once(" /{tenant}").unwrap();
        if let Some((_, after)) = path.split_once("/{payment}") {
            let payment = self.payment(operation);
            let (_, authorisation) = payment.authorisation.rsplit_once('/').unwrap();
            let path = format!("{}{}", payment.path, after.replace("{authorisation}", authorisation));
            return self.tpp.request(method, &path).set("tpp-redirect-uri", CALLBACK);
        }
        let consent = self.consent(operation);
        let path = path
            .replace("{product}", "sepa-credit-transfers")
            .replace("{consent}", &consent.id)
            .replace("{authorisation}", &consent.authorisation)
            .replace("{account}", &self.account)
            .replace("/page", &format!("/page?{}", self.page));
        // The customer takes part, so that nothing is counted.
        let call = self.tpp.request(method, &path).set("consent-id", &consent.id);
        let call = call.set("psu-ip-address", "192.0.2.1");
        if path.ends_with("/funds-confirmations") {
            return call.body("application/json", in_euro(&self.iban, "1.00").to_string());
        }
        call
    }

    async fn refuses(&self, operation: &str, request: Request, status: u16, code: &str) {
        let answer = self.server.send(&request).await;
        assert_eq!(
            (answer.status, answer.error().0.as_str()),
            (status, code),
            "{operation}: {}",
            answer.body
        );
    }

    /// A call without certificate, without signature, and with signatures that do not fit.
    async fn demand_signature(&self, operation: &str, call: &Request) {
        let signer = &self.tpp.signer;
        let certified = || call.clone().certificate(signer).digest();
        self.refuses(operation, call.clone(), 401, "CERTIFICATE_MISSING").await;
        self.refuses(
            operation,
            call.clone().digest().sign(signer, "digest x-request-id"),
            401,
            "CERTIFICATE_MISSING",
        )
        .await;
        self.refuses(operation, certified(), 401, "SIGNATURE_MISSING").await;
        self.refuses(operation, certified().sign(signer, "x-request-id"), 401, "SIGNATURE_INVALID").await;
        // Signed for another call, and by another key.
        let other = call.clone().set("x-request-id", "00000000-0000-4000-8000-000000000000").signed(signer);
        let moved = certified().set("signature", other.headers["signature"].as_bytes());
        self.refuses(operation, moved, 401, "SIGNATURE_INVALID").await;
        let mut stranger = self.server.tpp("PSDNL-DNB-R000001").await;
        // Keys of tests are drawn from a few.
        while stranger.key_pem == signer.key_pem {
            stranger = self.server.tpp("PSDNL-DNB-R000001").await;
        }
        stranger.key_id.clone_from(&signer.key_id);
        self.refuses(operation, certified().sign(&stranger, "digest x-request-id"), 401, "SIGNATURE_INVALID")
            .await;
    }
}

#[tokio::test]
async fn no_operation_is_without_a_row() {
    let server = TestServer::start().await;
    let mut described = server.operations("/xs2a-bg").await;
    let mut rows =
        [rows(FOR_ANYBODY, &[]), rows(SIGNED, PAYMENTS), rows(WITH_TOKEN, PAYMENTS_WITH_TOKEN)].concat();
    described.sort();
    rows.sort_unstable();
    assert_eq!(rows, described);
}

#[tokio::test]
async fn what_anybody_may_call_asks_for_nothing() {
    let server = TestServer::start().await;
    for operation in FOR_ANYBODY {
        let (method, path) = operation.split_once(' ').unwrap();
        let answer = server.send(&Request::new(method, &format!("/xs2a-bg{path}"))).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_is_signed_asks_for_certificate_and_signature() {
    let scene = Scene::new().await;
    for operation in &rows(SIGNED, PAYMENTS) {
        let call = scene.call(operation);
        scene.demand_signature(operation, &call).await;
        let answer = scene.server.send(&call.signed(&scene.tpp.signer)).await;
        let is_passed = answer.status < 500 && answer.status != 401 && answer.status != 405;
        assert!(is_passed, "{operation}: {} {}", answer.status, answer.body);
    }
}

#[tokio::test]
async fn what_takes_a_token_asks_for_signature_and_token() {
    let scene = Scene::new().await;
    let (server, tpp) = (&scene.server, &scene.tpp);
    let iban = server.customer("nl", "student").await["iban"].as_str().unwrap().to_owned();
    let other = tpp.valid(server, &detailed(&iban, true), &iban).await;
    for operation in &rows(WITH_TOKEN, PAYMENTS_WITH_TOKEN) {
        let token = match operation.contains("{payment}") {
            true => &scene.payment(operation).access_token,
            false => &scene.consent(operation).access_token,
        };
        let operation = operation.as_str();
        let right = format!("Bearer {token}");
        let call = scene.call(operation).set("authorization", &right);
        scene.demand_signature(operation, &call).await;
        let with = |token: &str| call.clone().set("authorization", token).signed(&tpp.signer);
        scene
            .refuses(
                operation,
                call.clone().without("authorization").signed(&tpp.signer),
                401,
                "TOKEN_UNKNOWN",
            )
            .await;
        scene.refuses(operation, with("Bearer"), 401, "TOKEN_INVALID").await;
        scene.refuses(operation, with("Basic eDp5"), 401, "TOKEN_INVALID").await;
        scene
            .refuses(operation, with("Bearer 00000000-0000-4000-8000-000000000000"), 401, "TOKEN_INVALID")
            .await;
        scene
            .refuses(operation, with(&format!("Bearer {}", other.access_token)), 401, "CONSENT_INVALID")
            .await;
        let answer = server.send(&with(&right)).await;
        let is_passed = answer.status < 500 && answer.status != 401 && answer.status != 405;
        assert!(is_passed, "{operation}: {} {}", answer.status, answer.body);
    }
}
