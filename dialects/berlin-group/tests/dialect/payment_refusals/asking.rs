//! Of requests for payments: what they say, and who may send them.

use serde_json::{Value, json};
use testkit::{ApprovedPayment, CALLBACK, Request, TestServer, day, detailed, euro_payment, monthly_payment};

use super::{SEPA, Scene, UNKNOWN, text};
use crate::ID;
use crate::refusals::check;

#[tokio::test]
async fn asking_for_a_payment() {
    let scene = Scene::new().await;
    let Scene { server, tpp, payee, .. } = &scene;
    let right = || tpp.payment_request(SEPA, &euro_payment("1.00", payee));
    let signed = |request: Request| request.signed(&tpp.signer);
    let to = |pp: &str| tpp.payment_request(pp, &euro_payment("1.00", payee));
    let accounts_only = json!({"organizationIdentifier": "PSDNL-DNB-R111111", "roles": ["PSP_AI"]});
    let accounts_only = server.certificate(accounts_only).await;
    server.register("nl", &accounts_only, &[CALLBACK]).await;
    let unreached = "NL02ABNA0123456789";
    let saver = server.customer("nl", "saver").await;
    let savings = saver["accounts"].as_array().unwrap().iter().find(|one| one["cashAccountType"] == "SVGS");
    let savings = text(&savings.unwrap()["iban"]).to_owned();
    let blocked = text(&server.customer("nl", "household").await["iban"]).to_owned();
    let (status, body) =
        server.manage("PUT", &format!("/test-accounts/{blocked}"), json!({"status": "blocked"})).await;
    assert_eq!(status, 200, "{body}");
    let from = |iban: &str| {
        let iban = iban.to_owned();
        scene.changed(move |body| body["debtorAccount"] = json!({"iban": iban}))
    };
    let pounds = json!({
        "instructedAmount": {"currency": "GBP", "amount": "1.00"}, "creditorName": "A",
        "creditorAccount": {"ukSortCode": "123456", "ukAccountNumber": "12345678"},
    });
    let rows = vec![
        (
            "without the role",
            right().signed(&accounts_only),
            401,
            "ROLE_INVALID",
            "this service needs PSP_PI",
        ),
        (
            "a consent beside it",
            signed(right().set("consent-id", UNKNOWN)),
            400,
            "SESSIONS_NOT_SUPPORTED",
            "leave the Consent-ID header out",
        ),
        (
            "no address of the customer",
            signed(right().without("psu-ip-address")),
            400,
            "FORMAT_ERROR",
            "PSU-IP-Address header is missing",
        ),
        (
            "an address that is none",
            signed(right().set("psu-ip-address", "x")),
            400,
            "FORMAT_ERROR",
            "PSU-IP-Address is no IP address",
        ),
        (
            "no redirect URI",
            signed(right().without("tpp-redirect-uri")),
            400,
            "FORMAT_ERROR",
            "TPP-Redirect-URI header is missing",
        ),
        (
            "a redirect URI that is not registered",
            signed(right().set("tpp-redirect-uri", "https://tpp.example/else")),
            400,
            "FORMAT_ERROR",
            "TPP-Redirect-URI",
        ),
        (
            "an explicit start that is neither",
            signed(right().set("tpp-explicit-authorisation-preferred", "yes")),
            400,
            "FORMAT_ERROR",
            "neither true nor false",
        ),
        ("no request id", right().without("x-request-id"), 400, "FORMAT_ERROR", "X-Request-ID"),
        (
            "XML for one transfer",
            signed(right().body("application/xml", "<a/>")),
            415,
            "FORMAT_ERROR",
            "application/json",
        ),
        ("no body", signed(right().body("application/json", "")), 400, "FORMAT_ERROR", "the body is missing"),
        ("no JSON", signed(right().body("application/json", "{")), 400, "FORMAT_ERROR", "the body"),
        (
            "no amount",
            scene.changed(|body| body["instructedAmount"] = Value::Null),
            400,
            "FORMAT_ERROR",
            "instructedAmount",
        ),
        (
            "nothing",
            scene.changed(|body| body["instructedAmount"]["amount"] = "0.00".into()),
            400,
            "FORMAT_ERROR",
            "greater than 0",
        ),
        (
            "less than nothing",
            scene.changed(|body| body["instructedAmount"]["amount"] = "-1.00".into()),
            400,
            "FORMAT_ERROR",
            "amount",
        ),
        (
            "a tenth of a cent",
            scene.changed(|body| body["instructedAmount"]["amount"] = "1.001".into()),
            400,
            "FORMAT_ERROR",
            "at most two places",
        ),
        (
            "another currency",
            scene.changed(|body| body["instructedAmount"]["currency"] = "USD".into()),
            400,
            "FORMAT_ERROR",
            "SEPA transfers are in EUR",
        ),
        (
            "no currency",
            scene.changed(|body| body["instructedAmount"]["currency"] = "euro".into()),
            400,
            "FORMAT_ERROR",
            "ISO 4217",
        ),
        (
            "an IBAN that is none",
            scene.changed(|body| body["creditorAccount"]["iban"] = "NL00".into()),
            400,
            "FORMAT_ERROR",
            "iban",
        ),
        (
            "no payee",
            scene.changed(|body| body["creditorName"] = Value::Null),
            400,
            "FORMAT_ERROR",
            "creditorName",
        ),
        (
            "a long text",
            scene.changed(|body| body["remittanceInformationUnstructured"] = "x".repeat(141).into()),
            400,
            "FORMAT_ERROR",
            "141 characters; send at most 140",
        ),
        (
            "a long reference",
            scene.changed(|body| body["endToEndIdentification"] = "x".repeat(36).into()),
            400,
            "FORMAT_ERROR",
            "at most 35",
        ),
        (
            "a day that is past",
            scene.changed(|body| body["requestedExecutionDate"] = day(-3).into()),
            400,
            "EXECUTION_DATE_INVALID",
            "requestedExecutionDate",
        ),
        (
            "no day",
            scene.changed(|body| body["requestedExecutionDate"] = "2027-02-30".into()),
            400,
            "FORMAT_ERROR",
            "requestedExecutionDate",
        ),
        (
            "repeated in one transfer",
            tpp.payment_request(SEPA, &monthly_payment("1.00", payee)),
            400,
            "FORMAT_ERROR",
            "post them to periodic-payments",
        ),
        (
            "periodic without a start",
            to("periodic-payments/sepa-credit-transfers"),
            400,
            "FORMAT_ERROR",
            "startDate",
        ),
        (
            "an account of another bank pays",
            from(unreached),
            404,
            "RESOURCE_UNKNOWN",
            "not an account of this bank",
        ),
        ("a savings account pays", from(&savings), 403, "PRODUCT_INVALID", "pay from a current account"),
        ("a blocked account pays", from(&blocked), 403, "PRODUCT_INVALID", "blocked"),
        (
            "pounds at a Dutch branch",
            tpp.payment_request("payments/uk-domestic-transfers", &pounds),
            403,
            "PRODUCT_INVALID",
            "uk-domestic-transfers are not available at nl",
        ),
        (
            "euros as a British transfer",
            to("payments/uk-domestic-transfers"),
            403,
            "PRODUCT_INVALID",
            "in GBP, not in EUR",
        ),
        (
            "across borders",
            to("payments/cross-border-credit-transfers"),
            501,
            "SERVICE_INVALID",
            "not supported at present",
        ),
        (
            "a product that there is not",
            to("payments/target-2-payments"),
            404,
            "PRODUCT_UNKNOWN",
            "payments has sepa-credit-transfers, uk-domestic-transfers",
        ),
        (
            "a product of another service",
            to("periodic-payments/cross-border-credit-transfers"),
            404,
            "PRODUCT_UNKNOWN",
            "periodic-payments has sepa-credit-transfers, uk-domestic-transfers",
        ),
        (
            "one payment in bulk",
            to("bulk-payments/sepa-credit-transfers"),
            400,
            "FORMAT_ERROR",
            "debtorAccount",
        ),
        ("no bulk", tpp.bulk_request("text/xml", ""), 400, "FORMAT_ERROR", "send a document of pain.001"),
        ("a service that there is not", to("instant-payments/sepa-credit-transfers"), 404, "", "Not Found"),
        ("no id", tpp.get(&format!("/v1/{SEPA}/")), 404, "", "Not Found"),
        ("no id before status", tpp.get(&format!("/v1/{SEPA}//status")), 404, "", "Not Found"),
        ("deleting them all", signed(tpp.request("DELETE", &format!("/v1/{SEPA}"))), 404, "", "Not Found"),
        (
            "another method",
            signed(tpp.request("PUT", &format!("/v1/{SEPA}/{UNKNOWN}"))),
            405,
            "SERVICE_INVALID",
            "PUT",
        ),
    ];
    check(server, rows).await;
}

#[tokio::test]
async fn across_borders_where_the_bank_does_that() {
    let server = TestServer::with(|config| config.cross_border_payments = true).await;
    let tpp = server.registered("nl", ID).await;
    let euros = euro_payment("1.00", "US00");
    let rows = vec![(
        "euros across borders",
        tpp.payment_request("payments/cross-border-credit-transfers", &euros),
        400,
        "FORMAT_ERROR",
        "sepa-credit-transfers",
    )];
    check(&server, rows).await;
    let body = json!({
        "instructedAmount": {"currency": "USD", "amount": "20.00"},
        "creditorAccount": {"foreignAccountNumber": "12345678"},
        "creditorName": "A. Payee", "creditorAgent": "BOFAUS3N", "chargeBearer": "SHAR",
        "creditorAddress": {"streetName": "Main Street", "townName": "Springfield", "country": "US"},
    });
    let asked = tpp.payment(&server, "payments/cross-border-credit-transfers", &body).await;
    assert_eq!(asked["transactionStatus"], "RCVD");
}

/// Bodies that say what they are not, at each operation that takes one.
#[tokio::test]
async fn bodies_of_another_kind_or_charset() {
    let scene = Scene::new().await;
    let Scene { server, tpp, .. } = &scene;
    let ApprovedPayment { path, authorisation, access_token } = scene.approved().await;
    let consent = tpp.consent(server, &detailed(&scene.payer, true)).await;
    let consent = tpp.path_of(&consent["_links"]["self"]);
    let mut rows = Vec::new();
    for (method, path) in [
        ("POST", format!("/v1/{SEPA}")),
        ("POST", "/v1/periodic-payments/sepa-credit-transfers".to_owned()),
        ("POST", format!("{path}/authorisations")),
        ("PUT", authorisation.clone()),
        ("POST", format!("{path}/cancellation-authorisations")),
        ("POST", "/v1/consents".to_owned()),
        ("POST", format!("{consent}/authorisations")),
        ("PUT", format!("{consent}/authorisations/{UNKNOWN}")),
    ] {
        for (kind, said) in [
            ("application/xml", "Content-Type \"application/xml\" is not supported; send application/json"),
            (
                "application/json; charset=ISO-8859-1",
                "the charset \"ISO-8859-1\" in Content-Type is not taken; send the body in UTF-8",
            ),
        ] {
            let request = tpp
                .request(method, &path)
                .set("psu-ip-address", "192.0.2.1")
                .set("tpp-redirect-uri", CALLBACK)
                .set("authorization", format!("Bearer {access_token}"))
                .body(kind, "{}")
                .signed(&tpp.signer);
            rows.push(("another kind of body", request, 415, "FORMAT_ERROR", said));
        }
    }
    check(server, rows).await;
}

/// Amounts are what was written, and a currency that an account is named with is its own.
#[tokio::test]
async fn numbers_and_currencies_are_not_bent() {
    let scene = Scene::new().await;
    let Scene { server, tpp, .. } = &scene;
    let body = euro_payment("1.10", "NL91ABNA0417164300");
    let raw = |amount: &str| {
        let mut request = tpp.payment_request(SEPA, &body);
        request.body = body.to_string().replace("\"1.10\"", amount).into_bytes();
        request.signed(&tpp.signer)
    };
    for right in ["1.1", "1.10", "7"] {
        assert_eq!(server.send(&raw(right)).await.status, 201, "{right}");
    }
    let named = |currency: &str| {
        let mut body = body.clone();
        body["debtorAccount"] = json!({"iban": scene.payer, "currency": currency});
        tpp.payment_request(SEPA, &body)
    };
    assert_eq!(server.send(&named("EUR")).await.status, 201);
    let (format, an_amount) = ("FORMAT_ERROR", "an amount in EUR is a decimal number of up to 14 digits");
    let rows = vec![
        ("too many digits", raw("1.1000000000000000000001"), 400, format, an_amount),
        ("three places", raw("1.100"), 400, format, an_amount),
        ("an exponent", raw("11e-1"), 400, format, an_amount),
        ("as many digits as none can have", raw("123456789012345678901234567890"), 400, format, an_amount),
        ("no number", raw("NaN"), 400, format, "the body: expected value at line 1, column "),
        ("half a character", raw("\"\\ud800\""), 400, format, "instructedAmount.amount is wrong: "),
        (
            "twice",
            raw("1.10, \"amount\": 2"),
            400,
            format,
            "the body: instructedAmount has a duplicate field `amount`",
        ),
        ("something after it", raw("1.10}} {\"a\": {\"b\": 1"), 400, format, "the body: "),
        (
            "a currency that the account that pays is not in",
            named("USD"),
            403,
            "PRODUCT_INVALID",
            "the account that is to pay is in EUR, and was named as one in USD",
        ),
        ("no currency", named("EURO"), 400, format, "currency \"EURO\" is no code of ISO 4217"),
    ];
    check(server, rows).await;
}
