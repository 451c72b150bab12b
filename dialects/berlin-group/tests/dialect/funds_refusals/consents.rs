//! Of requests for consents, and of who may send them.

use serde_json::{Value, json};
use testkit::{CALLBACK, FUNDS_CONSENTS, Request, TestServer, TestTpp, detailed, in_euro};

use super::{Scene, changed};
use crate::refusals::check;

#[tokio::test]
async fn requests_for_consents() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, .. } = &scene;
    let good = || tpp.funds_consent_request(&json!({"account": {"iban": iban}}));
    let with = |name: &str, value: Value| {
        tpp.funds_consent_request(&changed(json!({"account": {"iban": iban}}), name, value))
    };
    let raw = |kind: &str, body: &str| {
        tpp.request("POST", FUNDS_CONSENTS)
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", CALLBACK)
            .body(kind, body)
            .signed(&tpp.signer)
    };
    let closed = server.customer("nl", "closed").await["iban"].as_str().unwrap().to_owned();
    let belgian = server.customer("be_nl", "student").await["iban"].as_str().unwrap().to_owned();
    let format = "FORMAT_ERROR";
    let long = |characters: usize| json!("é".repeat(characters));
    check(
        server,
        vec![
            (
                "no PSU-IP-Address",
                good().without("psu-ip-address"),
                400,
                format,
                "PSU-IP-Address header is missing",
            ),
            (
                "PSU-IP-Address is none",
                good().set("psu-ip-address", "customer"),
                400,
                format,
                "no IP address",
            ),
            (
                "no TPP-Redirect-URI",
                good().without("tpp-redirect-uri"),
                400,
                format,
                "TPP-Redirect-URI header is missing",
            ),
            (
                "a redirect URI that is not registered",
                good().set("tpp-redirect-uri", "https://tpp.example/"),
                400,
                format,
                "character by character",
            ),
            (
                "no X-Request-ID",
                good().without("x-request-id"),
                400,
                format,
                "X-Request-ID header is missing",
            ),
            ("no body", raw("application/json", ""), 400, format, "the body is missing"),
            ("no JSON", raw("application/json", "{"), 400, format, "the body: EOF"),
            ("a text", raw("application/json", "\"account\""), 400, format, "the body: "),
            ("XML", raw("application/xml", "<a/>"), 415, format, "send application/json"),
            ("no account", with("/account", Value::Null), 400, format, "missing field `account`"),
            ("an empty account", with("/account", json!({})), 400, format, "identified by iban alone"),
            ("a list of accounts", with("/account", json!([{"iban": iban}])), 400, format, "the body: "),
            (
                "an account by two numbers",
                with(
                    "/account",
                    json!({"iban": iban, "ukSortCode": "123456", "ukAccountNumber": "12345678"}),
                ),
                400,
                format,
                "identified by iban alone",
            ),
            (
                "an IBAN that is none",
                with("/account", json!({"iban": "NL00TRIO0320564487"})),
                400,
                format,
                "Invalid iban: NL00TRIO0320564487",
            ),
            (
                "a currency that is none",
                with("/account", json!({"iban": iban, "currency": "EURO"})),
                400,
                format,
                "currency \"EURO\" is no code of ISO 4217",
            ),
            (
                "an account in another currency",
                with("/account", json!({"iban": iban, "currency": "USD"})),
                400,
                "PRODUCT_INVALID",
                "in USD is not allowed: the account is kept in EUR; name that currency, or leave currency out",
            ),
            (
                "an account of another bank",
                with("/account", json!({"iban": "NL91ABNA0417164300"})),
                400,
                "PRODUCT_INVALID",
                "Access to IBAN [NL91ABNA0417164300] is not allowed",
            ),
            (
                "a closed account",
                with("/account", json!({"iban": closed})),
                400,
                "PRODUCT_INVALID",
                "is not allowed",
            ),
            (
                "of another branch",
                with("/account", json!({"iban": belgian})),
                400,
                "PRODUCT_INVALID",
                "is not allowed",
            ),
            ("a long cardNumber", with("/cardNumber", long(36)), 400, format, "characters; send at most 35"),
            ("cardNumber is a number", with("/cardNumber", json!(5)), 400, format, "the body: "),
            (
                "a cardNumber with what cannot be shown",
                with("/cardNumber", json!("54\u{202e}09")),
                400,
                format,
                "cardNumber holds the character U+202E",
            ),
            (
                "an empty cardInformation",
                with("/cardInformation", json!(" ")),
                400,
                format,
                "cardInformation is empty",
            ),
            (
                "a long cardInformation",
                with("/cardInformation", long(141)),
                400,
                format,
                "characters; send at most 140",
            ),
            (
                "a long registrationInformation",
                with("/registrationInformation", long(141)),
                400,
                format,
                "characters; send at most 140",
            ),
            (
                "a cardExpiryDate that is none",
                with("/cardExpiryDate", json!("02/28")),
                400,
                format,
                "cardExpiryDate \"02/28\" is no date",
            ),
            (
                "a day that there is not",
                with("/cardExpiryDate", json!("2027-02-29")),
                400,
                format,
                "cardExpiryDate \"2027-02-29\" is no date",
            ),
            (
                "GET",
                scene.signed("GET", FUNDS_CONSENTS),
                405,
                "SERVICE_INVALID",
                "method GET is not supported",
            ),
            (
                "at an unknown tenant",
                {
                    let request = Request::new("POST", &format!("/xs2a-bg/xx{FUNDS_CONSENTS}"));
                    request.set("x-request-id", "id").signed(&tpp.signer)
                },
                404,
                "",
                "Not Found",
            ),
        ],
    )
    .await;
    let longest = json!({
        "account": {"iban": iban}, "cardNumber": long(35), "cardInformation": long(140),
        "registrationInformation": long(140), "cardExpiryDate": "2028-02-29",
    });
    let answer = server.send(&tpp.funds_consent_request(&longest)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

#[tokio::test]
async fn roles() {
    let server = TestServer::start().await;
    let registered = async |id: &str, roles: &[&str]| {
        let signer = server.certificate(json!({"organizationIdentifier": id, "roles": roles})).await;
        let registration = server.register("nl", &signer, &[CALLBACK]).await;
        let secret = registration["client_secret"].as_str().unwrap().to_owned();
        TestTpp { signer, tenant: "nl".to_owned(), secret }
    };
    let issuer = registered("PSDNL-DNB-R000001", &["PSP_IC"]).await;
    let others = registered("PSDNL-DNB-R000002", &["PSP_AI", "PSP_PI"]).await;
    let iban = server.customer("nl", "student").await["iban"].as_str().unwrap().to_owned();
    // Whoever issues cards and does nothing else goes the whole way.
    let consent = issuer.valid_funds(&server, &iban).await;
    let answer = server.send(&issuer.ask(&consent, &in_euro(&iban, "1.00"))).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"fundsAvailable": true})), "{}", answer.body);
    let own = format!("{FUNDS_CONSENTS}/{}", consent.id);
    let signed = |method: &str, path: &str| others.request(method, path).signed(&others.signer);
    let role = "ROLE_INVALID";
    let needed = "the certificate grants PSP_AI or PSP_PI; this service needs PSP_IC";
    let body = json!({"account": {"iban": iban}});
    check(
        &server,
        vec![
            ("asking for a consent", others.funds_consent_request(&body), 401, role, needed),
            ("reading one", signed("GET", &own), 401, role, needed),
            ("its status", signed("GET", &format!("{own}/status")), 401, role, needed),
            ("its authorisations", signed("GET", &format!("{own}/authorisations")), 401, role, needed),
            ("authorising it", signed("POST", &format!("{own}/authorisations")), 401, role, needed),
            (
                "confirming it",
                signed("PUT", &format!("{own}/authorisations/{}", consent.authorisation)),
                401,
                role,
                needed,
            ),
            ("ending it", signed("DELETE", &own), 401, role, needed),
            ("asking", others.ask(&consent, &in_euro(&iban, "1.00")), 401, role, needed),
            (
                "access to accounts for whoever issues cards",
                issuer.consent_request(&detailed(&iban, true)),
                401,
                role,
                "the certificate grants PSP_IC; this service needs PSP_AI",
            ),
        ],
    )
    .await;
    // Nor does a scope help whose role the certificate lacks.
    let url = others.authorization_url(&json!({"_links": {"scaRedirect": format!(
        "{}/auth/nl/v1/auth?response_type=code&scope=openid+PIIS%3A{}&client_id={}&redirect_uri={CALLBACK}",
        server.url(), consent.id, others.id()
    )}}));
    let refused = server.send(&Request::new("GET", url.strip_prefix(server.url()).unwrap())).await;
    if testkit::is_served() {
        // Whose consent it is counts there, and not what the certificate of the registration grants.
        let back = refused.header("location");
        assert!(refused.status == 302 && back.contains("error=invalid_request"), "{} {back}", refused.body);
    } else {
        assert_eq!((refused.status, refused.error().0.as_str()), (400, "invalid_scope"), "{}", refused.body);
    }
}
