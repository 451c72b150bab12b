//! What is refused about consents, authorisations and account data: status, code, and a text that says what would
//! be right.

use serde_json::{Value, json};
use testkit::{CALLBACK, Request, TestServer, TestTpp, ValidConsent, bank_offered, detailed, is_served};

use crate::ID;
use crate::refusals::check;

const UNKNOWN: &str = "6f0b0f0e-2a2f-4f3e-9b53-0f1f4b6c7d11";

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    iban: String,
    consent: ValidConsent,
    account: String,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", "household").await;
        let iban = customer["iban"].as_str().unwrap().to_owned();
        let consent = tpp.valid(&server, &detailed(&iban, true), &iban).await;
        let accounts = server.send(&tpp.read("/v1/accounts", &consent)).await.json();
        let account = accounts["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
        Self { server, tpp, iban, consent, account }
    }

    /// A consent request with one member changed.
    fn with(&self, pointer: &str, value: Value) -> Request {
        let mut body = detailed(&self.iban, true);
        *body.pointer_mut(pointer).unwrap() = value;
        self.tpp.consent_request(&body)
    }

    /// A consent request without one member.
    fn without(&self, member: &str) -> Request {
        let mut body = detailed(&self.iban, true);
        body.as_object_mut().unwrap().remove(member);
        self.tpp.consent_request(&body)
    }

    /// A consent request with this text as its body.
    fn raw(&self, kind: &str, body: &str) -> Request {
        self.tpp
            .request("POST", "/v1/consents")
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", CALLBACK)
            .body(kind, body)
            .signed(&self.tpp.signer)
    }

    fn signed(&self, method: &str, path: &str) -> Request {
        self.tpp.request(method, path).signed(&self.tpp.signer)
    }

    fn read(&self, path: &str) -> Request {
        self.tpp.read(&format!("/v1/accounts/{}{path}", self.account), &self.consent)
    }
}

#[tokio::test]
async fn requests_for_consents() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, .. } = &scene;
    let good = || tpp.consent_request(&detailed(iban, true));
    let access = |value: Value| scene.with("/access", value);
    let account = |value: Value| access(json!({"accounts": [value]}));
    let closed = server.customer("nl", "closed").await["iban"].as_str().unwrap().to_owned();
    let belgian = server.customer("be_nl", "student").await["iban"].as_str().unwrap().to_owned();
    let many = vec![json!({"iban": iban}); 101];
    let format = "FORMAT_ERROR";
    let rows = vec![
        (
            "no PSU-IP-Address",
            good().without("psu-ip-address"),
            400,
            format,
            "PSU-IP-Address header is missing",
        ),
        ("PSU-IP-Address is none", good().set("psu-ip-address", "customer"), 400, format, "no IP address"),
        (
            "no TPP-Redirect-URI",
            good().without("tpp-redirect-uri"),
            400,
            format,
            "TPP-Redirect-URI header is missing",
        ),
        (
            "a redirect URI that is not registered",
            good().set("tpp-redirect-uri", "https://tpp.example/callback/"),
            400,
            format,
            "character by character",
        ),
        ("no X-Request-ID", good().without("x-request-id"), 400, format, "X-Request-ID header is missing"),
        ("no body", scene.raw("application/json", ""), 400, format, "the body is missing"),
        ("no JSON", scene.raw("application/json", "{"), 400, format, "the body: EOF"),
        ("an array", scene.raw("application/json", "[]"), 400, format, "the body: "),
        ("XML", scene.raw("application/xml", "<a/>"), 415, format, "send application/json"),
        ("deep nesting", scene.raw("application/json", &"[".repeat(5000)), 400, format, "the body: "),
        (
            "a member twice",
            scene.raw("application/json", r#"{"access":{},"access":{}}"#),
            400,
            format,
            "duplicate field `access`",
        ),
        ("no access", scene.without("access"), 400, format, "missing field `access`"),
        (
            "no recurringIndicator",
            scene.without("recurringIndicator"),
            400,
            format,
            "missing field `recurringIndicator`",
        ),
        ("no validUntil", scene.without("validUntil"), 400, format, "missing field `validUntil`"),
        (
            "no frequencyPerDay",
            scene.without("frequencyPerDay"),
            400,
            format,
            "missing field `frequencyPerDay`",
        ),
        (
            "no combinedServiceIndicator",
            scene.without("combinedServiceIndicator"),
            400,
            format,
            "missing field `combinedServiceIndicator`",
        ),
        (
            "recurringIndicator is a number",
            scene.with("/recurringIndicator", json!(1)),
            400,
            format,
            "expected true or false",
        ),
        (
            "frequencyPerDay is a fraction",
            scene.with("/frequencyPerDay", json!(1.5)),
            400,
            format,
            "expected a whole number",
        ),
        (
            "frequencyPerDay is a word",
            scene.with("/frequencyPerDay", json!("often")),
            400,
            format,
            "expected a whole number",
        ),
        ("frequencyPerDay is 5", scene.with("/frequencyPerDay", json!(5)), 400, format, "from 1 to 4"),
        ("frequencyPerDay is 0", scene.with("/frequencyPerDay", json!(0)), 400, format, "from 1 to 4"),
        (
            "frequencyPerDay is huge",
            scene.with("/frequencyPerDay", json!(u64::MAX)),
            400,
            format,
            "expected a whole number",
        ),
        (
            "a one-off consent four times a day",
            scene.with("/recurringIndicator", json!(false)),
            400,
            format,
            "must be 1 when recurringIndicator is false",
        ),
        (
            "combined with a payment",
            scene.with("/combinedServiceIndicator", json!(true)),
            400,
            "SESSIONS_NOT_SUPPORTED",
            "must be false",
        ),
        (
            "validUntil in the past",
            scene.with("/validUntil", json!("2020-01-01")),
            400,
            format,
            "is in the past; today is",
        ),
        (
            "validUntil is no date",
            scene.with("/validUntil", json!("31-12-2026")),
            400,
            format,
            "expected YYYY-MM-DD",
        ),
        (
            "validUntil does not exist",
            scene.with("/validUntil", json!("2027-02-30")),
            400,
            format,
            "is no date",
        ),
        (
            "validUntil is a number",
            scene.with("/validUntil", json!(20270101)),
            400,
            format,
            "expected a string",
        ),
        ("access is empty", access(json!({})), 400, format, "holds none of accounts, balances, transactions"),
        ("access is a text", access(json!("allAccounts")), 400, format, "the body: "),
        (
            "empty and filled arrays",
            access(json!({"accounts": [{"iban": iban}], "balances": []})),
            400,
            format,
            "mixes empty and filled arrays",
        ),
        ("more than 100 accounts", access(json!({"accounts": many})), 400, format, "more than 100 accounts"),
        (
            "available accounts",
            access(json!({"availableAccounts": "allAccounts"})),
            400,
            "PARAMETER_NOT_SUPPORTED",
            "availableAccounts is not supported",
        ),
        (
            "all accounts with balances",
            access(json!({"availableAccountsWithBalances": "allAccounts"})),
            400,
            "PARAMETER_NOT_SUPPORTED",
            "not supported",
        ),
        (
            "global",
            access(json!({"allPsd2": "allAccounts"})),
            400,
            "PARAMETER_NOT_SUPPORTED",
            "allPsd2 is not supported",
        ),
        (
            "global and arrays",
            access(json!({"allPsd2": "allAccounts", "accounts": []})),
            400,
            format,
            "mixes allPsd2 with arrays",
        ),
        (
            "restricted to what is unknown",
            access(json!({"accounts": [], "restrictedTo": ["LOAN"]})),
            400,
            format,
            "not one of CACC, SVGS",
        ),
        (
            "wrong check digits",
            account(json!({"iban": "NL00TRIO0320564487"})),
            400,
            format,
            "Invalid iban: NL00TRIO0320564487",
        ),
        ("an IBAN too long", account(json!({"iban": format!("{iban}0")})), 400, format, "Invalid iban: "),
        ("no number", account(json!({})), 400, format, "identified by iban alone"),
        (
            "two numbers",
            account(json!({"iban": iban, "ukSortCode": "123456", "ukAccountNumber": "12345678"})),
            400,
            format,
            "identified by iban alone",
        ),
        (
            "half a British number",
            account(json!({"ukSortCode": "123456"})),
            400,
            format,
            "ukSortCode (6 digits) and ukAccountNumber (8 digits)",
        ),
        (
            "a British number of letters",
            account(json!({"ukSortCode": "12345x", "ukAccountNumber": "12345678"})),
            400,
            format,
            "6 digits",
        ),
        ("a card", account(json!({"maskedPan": "1234xxxxxx1234"})), 400, format, "identified by iban alone"),
        (
            "a currency that is none",
            account(json!({"iban": iban, "currency": "euro"})),
            400,
            format,
            "no code of ISO 4217",
        ),
        (
            "an account in a currency it has not",
            account(json!({"iban": iban, "currency": "USD"})),
            400,
            "PRODUCT_INVALID",
            "in USD is not allowed: the account is kept in EUR; name that currency, or leave currency out",
        ),
        (
            "an account of another bank",
            account(json!({"iban": "NL91ABNA0417164300"})),
            400,
            "PRODUCT_INVALID",
            "Access to IBAN [NL91ABNA0417164300] is not allowed",
        ),
        (
            "an account of another tenant",
            account(json!({"iban": belgian})),
            400,
            "PRODUCT_INVALID",
            "is not allowed",
        ),
        ("a closed account", account(json!({"iban": closed})), 400, "PRODUCT_INVALID", "is not allowed"),
        (
            "a British account in Holland",
            account(json!({"ukSortCode": "009900", "ukAccountNumber": "12345678"})),
            400,
            "PRODUCT_INVALID",
            "is not allowed",
        ),
        ("a wrong method", scene.signed("PATCH", "/v1/consents"), 405, "SERVICE_INVALID", "method PATCH"),
    ];
    assert!(rows.len() >= 50);
    check(server, rows).await;
}

#[tokio::test]
async fn callers_of_the_account_interface() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, .. } = &scene;
    let payments_only = json!({"organizationIdentifier": "PSDNL-DNB-R111111", "roles": ["PSP_PI"]});
    let payments_only = server.certificate(payments_only).await;
    server.register("nl", &payments_only, &[CALLBACK]).await;
    let stranger = server.tpp("PSDNL-DNB-R222222").await;
    let body = detailed(iban, true).to_string();
    let from = |signer| {
        tpp.request("POST", "/v1/consents")
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", CALLBACK)
            .body("application/json", body.clone())
            .signed(signer)
    };
    let tampered = tpp.consent_request(&detailed(iban, true)).body("application/json", "{}");
    let digest_only = from(&tpp.signer).sign(&tpp.signer, "digest");
    let rows = vec![
        ("without the role", from(&payments_only), 401, "ROLE_INVALID", "this service needs PSP_AI"),
        ("not registered", from(&stranger), 401, "CERTIFICATE_INVALID", "is not registered at this bank"),
        (
            "no signature",
            from(&tpp.signer).without("signature"),
            401,
            "SIGNATURE_MISSING",
            "digest x-request-id",
        ),
        (
            "no digest",
            from(&tpp.signer).without("digest"),
            401,
            "SIGNATURE_INVALID",
            "Digest header is missing",
        ),
        ("a tampered body", tampered, 401, "SIGNATURE_INVALID", "digest"),
        ("the request id not signed", digest_only, 401, "SIGNATURE_INVALID", "x-request-id"),
        (
            "no certificate",
            from(&tpp.signer).without("tpp-signature-certificate"),
            401,
            "CERTIFICATE_MISSING",
            "TPP-Signature-Certificate",
        ),
        (
            "an unknown tenant",
            Request { target: "/xs2a-bg/xx/v1/consents".into(), ..from(&tpp.signer) },
            404,
            "",
            "Not Found",
        ),
        ("an unknown path", scene.signed("GET", "/v1/card-accounts"), 404, "", "Not Found"),
    ];
    check(server, rows).await;
}

#[tokio::test]
async fn consents_and_authorisations() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, consent, .. } = &scene;
    let other = server.registered("nl", "PSDNL-DNB-R999999").await;
    let mine = |path: &str| scene.signed("GET", path);
    let foreign = |method: &str, path: &str| other.request(method, path).signed(&other.signer);
    let own = format!("/v1/consents/{}", consent.id);
    let unknown = format!("/v1/consents/{UNKNOWN}");
    let authorisation = format!("{own}/authorisations/{}", consent.authorisation);
    let british = Request { target: format!("/xs2a-bg/uk{own}"), ..mine(&own) };
    let second = tpp.approved(server, &detailed(iban, true), iban).await;
    let waiting = tpp.consent(server, &detailed(iban, true)).await;
    let waiting = format!(
        "/v1/consents/{}/authorisations/{}",
        waiting["consentId"].as_str().unwrap(),
        waiting["authorisationId"].as_str().unwrap()
    );
    let bearer = |request: Request, token: &str| request.set("authorization", format!("Bearer {token}"));
    let confirm = |path: &str| scene.signed("PUT", path);
    let again = scene.signed("POST", &format!("{own}/authorisations"));
    let unknown_consent =
        (403, "CONSENT_UNKNOWN", "not known here, or was not requested by this third party");
    let rows = vec![
        ("an id that is none", mine("/v1/consents/7"), 400, "FORMAT_ERROR", "no UUID"),
        (
            "an id without dashes",
            mine(&format!("/v1/consents/{}", UNKNOWN.replace('-', ""))),
            400,
            "FORMAT_ERROR",
            "no UUID",
        ),
        ("an unknown consent", mine(&unknown), unknown_consent.0, unknown_consent.1, unknown_consent.2),
        (
            "its status",
            mine(&format!("{unknown}/status")),
            unknown_consent.0,
            unknown_consent.1,
            unknown_consent.2,
        ),
        (
            "its authorisations",
            mine(&format!("{unknown}/authorisations")),
            unknown_consent.0,
            unknown_consent.1,
            unknown_consent.2,
        ),
        (
            "deleting it",
            scene.signed("DELETE", &unknown),
            unknown_consent.0,
            unknown_consent.1,
            unknown_consent.2,
        ),
        ("another third party's consent", foreign("GET", &own), 403, "CONSENT_UNKNOWN", "this third party"),
        ("its status for another", foreign("GET", &format!("{own}/status")), 403, "CONSENT_UNKNOWN", ""),
        ("deleting another's", foreign("DELETE", &own), 403, "CONSENT_UNKNOWN", ""),
        (
            "authorising another's",
            foreign("POST", &format!("{own}/authorisations")).set("tpp-redirect-uri", CALLBACK),
            403,
            "CONSENT_UNKNOWN",
            "",
        ),
        ("at another tenant", british, 403, "CONSENT_UNKNOWN", ""),
        (
            "deleting with the token of another consent",
            bearer(scene.signed("DELETE", &own), &second.access_token),
            401,
            "CONSENT_INVALID",
            "was not issued for consent",
        ),
        (
            "deleting with a token that is none",
            bearer(scene.signed("DELETE", &own), "nonsense"),
            401,
            "CONSENT_INVALID",
            "was not issued for consent",
        ),
        (
            "authorising what is valid",
            again.clone().set("tpp-redirect-uri", CALLBACK),
            400,
            "STATUS_INVALID",
            "has status valid",
        ),
        (
            "authorising without a redirect URI",
            again.clone(),
            400,
            "FORMAT_ERROR",
            "TPP-Redirect-URI header is missing",
        ),
        (
            "authorising with another redirect URI",
            again.set("tpp-redirect-uri", "https://evil.example/"),
            400,
            "FORMAT_ERROR",
            "not registered",
        ),
        (
            "an authorisation that is none",
            mine(&format!("{own}/authorisations/x")),
            400,
            "FORMAT_ERROR",
            "no UUID",
        ),
        (
            "an unknown authorisation",
            mine(&format!("{own}/authorisations/{UNKNOWN}")),
            403,
            "RESOURCE_UNKNOWN",
            "belongs to another consent",
        ),
        (
            "an authorisation of another consent",
            mine(&format!("/v1/consents/{}/authorisations/{}", second.id, consent.authorisation)),
            403,
            "RESOURCE_UNKNOWN",
            "belongs to another consent",
        ),
        (
            "confirming without a token",
            confirm(&authorisation),
            401,
            "TOKEN_UNKNOWN",
            "send it as Authorization: Bearer",
        ),
        (
            "confirming with Basic",
            confirm(&authorisation).set("authorization", tpp.basic()),
            401,
            "TOKEN_INVALID",
            "not Bearer and a token",
        ),
        (
            "confirming with an unknown token",
            bearer(confirm(&authorisation), "0123456789"),
            401,
            "TOKEN_INVALID",
            "Access token 01234567… is invalid or expired",
        ),
        (
            "confirming with a refresh token",
            bearer(confirm(&authorisation), &consent.refresh_token),
            401,
            "TOKEN_INVALID",
            "invalid or expired",
        ),
        (
            "confirming with the token of another consent",
            bearer(confirm(&authorisation), &second.access_token),
            401,
            "CONSENT_INVALID",
            "was not issued for consent",
        ),
        (
            "confirming what nobody approved",
            bearer(confirm(&waiting), &second.access_token),
            401,
            "CONSENT_INVALID",
            "",
        ),
    ];
    check(server, rows).await;
}

#[tokio::test]
async fn account_data() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, consent, account } = &scene;
    let other_tpp = server.registered("nl", "PSDNL-DNB-R999999").await;
    let other = other_tpp.valid(server, &detailed(iban, true), iban).await;
    let second = tpp.valid(server, &bank_offered("9999-12-31"), iban).await;
    let mut narrow = detailed(iban, true);
    narrow["access"] = json!({"accounts": [{"iban": iban}]});
    let narrow = tpp.valid(server, &narrow, iban).await;
    let read = |path: &str| scene.read(path);
    let first = server.send(&read("/transactions")).await.json();
    let next = first["transactions"]["_links"]["next"].as_str().unwrap().split_once("edgeToken=").unwrap().1;
    let with = |request: Request, consent: &str| request.set("consent-id", consent);
    let bearer = |request: Request, token: &str| request.set("authorization", format!("Bearer {token}"));
    let narrowly = |path: &str| tpp.read(&format!("/v1/accounts/{account}{path}"), &narrow);
    let uk = Request { target: format!("/xs2a-bg/uk/v1/accounts/{account}/balances"), ..read("/balances") };
    let elsewhere = format!("/v1/accounts/{account}/transactions?edgeToken={next}");
    let deleted = tpp.valid(server, &detailed(iban, true), iban).await;
    let delete = scene.signed("DELETE", &format!("/v1/consents/{}", deleted.id));
    assert_eq!(server.send(&delete).await.status, 204);
    let unknown = |path: &str| tpp.read(&format!("/v1/accounts/{UNKNOWN}{path}"), consent);
    let rows = vec![
        (
            "no token",
            read("/balances").without("authorization"),
            401,
            "TOKEN_UNKNOWN",
            "Authorization: Bearer",
        ),
        (
            "an empty token",
            read("/balances").set("authorization", "Bearer "),
            401,
            "TOKEN_INVALID",
            "not Bearer and a token",
        ),
        (
            "a token in the query",
            read(&format!("/balances?access_token={}", consent.access_token)).without("authorization"),
            401,
            "TOKEN_UNKNOWN",
            "missing",
        ),
        (
            "an unknown token",
            bearer(read("/balances"), "unknown-token"),
            401,
            "TOKEN_INVALID",
            "Access token unknown-… is invalid or expired",
        ),
        (
            "a refresh token",
            bearer(read("/balances"), &consent.refresh_token),
            401,
            "TOKEN_INVALID",
            "invalid or expired",
        ),
        (
            "a token of another consent",
            bearer(read("/balances"), &second.access_token),
            401,
            "CONSENT_INVALID",
            "was not issued for consent",
        ),
        (
            "a token of another third party",
            bearer(read("/balances"), &other.access_token),
            401,
            // Where callers connect with certificates, tokens are bound to them.
            if is_served() { "TOKEN_INVALID" } else { "CONSENT_INVALID" },
            if is_served() { "bound to the TLS client certificate" } else { "was not issued for consent" },
        ),
        (
            "no Consent-ID",
            read("/balances").without("consent-id"),
            400,
            "FORMAT_ERROR",
            "Consent-ID header is missing",
        ),
        (
            "a Consent-ID that is none",
            with(read("/balances"), "7"),
            400,
            "FORMAT_ERROR",
            "Consent-ID header is no UUID",
        ),
        (
            "two Consent-IDs",
            read("/balances").append("consent-id", UNKNOWN),
            400,
            "FORMAT_ERROR",
            "Consent-ID header occurs more than once",
        ),
        ("an unknown consent", with(read("/balances"), UNKNOWN), 403, "CONSENT_UNKNOWN", ""),
        ("another third party's consent", with(read("/balances"), &other.id), 403, "CONSENT_UNKNOWN", ""),
        (
            "another third party with our consent",
            other_tpp.read(&format!("/v1/accounts/{account}/balances"), consent),
            403,
            "CONSENT_UNKNOWN",
            "",
        ),
        ("at another tenant", uk, 403, "CONSENT_UNKNOWN", ""),
        (
            "a consent that was ended",
            tpp.read("/v1/accounts", &deleted),
            401,
            "CONSENT_INVALID",
            "with status terminatedByTpp",
        ),
        (
            "an account id that is none",
            tpp.read("/v1/accounts/7/balances", consent),
            400,
            "FORMAT_ERROR",
            "account id in the path is no UUID",
        ),
        ("an unknown account", unknown(""), 404, "RESOURCE_UNKNOWN", "not part of the consent"),
        ("its balances", unknown("/balances"), 404, "RESOURCE_UNKNOWN", ""),
        ("its transactions", unknown("/transactions"), 404, "RESOURCE_UNKNOWN", ""),
        (
            "balances without the right",
            narrowly("/balances"),
            401,
            "CONSENT_INVALID",
            "does not cover balances",
        ),
        (
            "transactions without the right",
            narrowly("/transactions"),
            401,
            "CONSENT_INVALID",
            "does not cover transactions",
        ),
        (
            "a current account as savings",
            tpp.read(&format!("/v2/savings/{account}"), consent),
            403,
            "PRODUCT_INVALID",
            "current accounts are under /v1/accounts",
        ),
        (
            "PSU-IP-Address is none",
            read("/balances").set("psu-ip-address", "300.1.1.1"),
            400,
            "FORMAT_ERROR",
            "no IP address",
        ),
        (
            "dateFrom is none",
            read("/transactions?dateFrom=yesterday"),
            400,
            "FORMAT_ERROR",
            "dateFrom \"yesterday\" is no date",
        ),
        (
            "dateTo is none",
            read("/transactions?dateTo=2026-13-01"),
            400,
            "FORMAT_ERROR",
            "expected YYYY-MM-DD",
        ),
        (
            "dateTo before dateFrom",
            read("/transactions?dateFrom=2026-02-01&dateTo=2026-01-01"),
            400,
            "PERIOD_INVALID",
            "dateTo 2026-01-01 is before dateFrom 2026-02-01",
        ),
        (
            "an unknown booking status",
            read("/transactions?bookingStatus=maybe"),
            400,
            "FORMAT_ERROR",
            "not one of booked, pending, both",
        ),
        (
            "standing orders",
            read("/transactions?bookingStatus=information"),
            400,
            "PARAMETER_NOT_SUPPORTED",
            "information is not supported",
        ),
        (
            "a date that is no text",
            read("/transactions?dateFrom=%ff"),
            400,
            "FORMAT_ERROR",
            "not valid UTF-8",
        ),
        (
            "a page token that is none",
            read("/transactions?edgeToken=xyz"),
            400,
            "FORMAT_ERROR",
            "follow the next link as it is",
        ),
        (
            "a page token with a letter changed",
            read(&format!(
                "/transactions?edgeToken={}{}",
                if next.starts_with('A') { "B" } else { "A" },
                &next[1..]
            )),
            400,
            "FORMAT_ERROR",
            "follow the next link",
        ),
        (
            "a page token of another consent",
            tpp.read(&elsewhere, &second),
            400,
            "FORMAT_ERROR",
            "for this account and consent",
        ),
        ("a page without a token", read("/transactions/page"), 400, "FORMAT_ERROR", "edgeToken is missing"),
        (
            "a wrong method",
            tpp.request("POST", &format!("/v1/accounts/{account}/balances")).signed(&tpp.signer),
            405,
            "SERVICE_INVALID",
            "method POST",
        ),
    ];
    assert!(rows.len() >= 30);
    check(server, rows).await;
}

#[tokio::test]
async fn the_same_request_again_makes_nothing_new() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, .. } = &scene;
    let body = detailed(iban, true);
    let request = tpp.consent_request(&body);
    let first = server.send(&request).await;
    let again = server.send(&request).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(first.headers.get("location"), again.headers.get("location"));
    // Also after the consent has gone on, and at the same moment.
    let location = server.decide(&tpp.authorization_url(&first.json()), iban, "reject").await;
    assert!(location.contains("consent_required"));
    assert_eq!(server.send(&request).await.body, first.body, "the answer of that time");
    let at_once = tpp.consent_request(&body);
    let (one, other) = tokio::join!(server.send(&at_once), server.send(&at_once));
    assert_eq!(one.body, other.body);
    // The same id for another body is a mistake, for another third party it is another request.
    let id = request.headers["x-request-id"].to_str().unwrap().to_owned();
    let other_body = tpp
        .consent_request(&detailed(iban, false))
        .set("x-request-id", &id)
        .sign(&tpp.signer, "digest x-request-id");
    let refused = server.send(&other_body).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "FORMAT_ERROR"));
    assert!(refused.error().1.contains("use a new UUID for each request"));
    let other = server.registered("nl", "PSDNL-DNB-R999999").await;
    let theirs =
        other.consent_request(&body).set("x-request-id", &id).sign(&other.signer, "digest x-request-id");
    assert_ne!(server.send(&theirs).await.json()["consentId"], first.json()["consentId"]);
    // Authorisations are begun once too, and after a day the id is free again.
    let path = format!("/v1/consents/{}/authorisations", one.json()["consentId"].as_str().unwrap());
    let start = tpp.request("POST", &path).set("tpp-redirect-uri", CALLBACK).signed(&tpp.signer);
    let begun = server.send(&start).await;
    assert_eq!((begun.status, &begun.json()["scaStatus"]), (201, &json!("received")));
    assert_eq!(server.send(&start).await.body, begun.body);
    let ids = server.send(&tpp.get(&path)).await.json()["authorisationIds"].clone();
    assert_eq!(ids.as_array().unwrap().len(), 2);
    server.advance("nl", "P1D").await;
    assert_ne!(server.send(&request).await.json()["consentId"], first.json()["consentId"]);
}

#[tokio::test]
async fn a_failed_attempt_is_followed_by_another() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, .. } = &scene;
    let asked = tpp.consent(server, &detailed(iban, true)).await;
    let location = server.decide(&tpp.authorization_url(&asked), iban, "wrong-answer").await;
    assert!(location.contains("error=access_denied"), "{location}");
    let status = |id: &str, aid: &str| tpp.get(&format!("/v1/consents/{id}/authorisations/{aid}"));
    let (id, first) = (asked["consentId"].as_str().unwrap(), asked["authorisationId"].as_str().unwrap());
    assert_eq!(server.send(&status(id, first)).await.json()["scaStatus"], "failed");
    let path = format!("/v1/consents/{id}/authorisations");
    let begun = tpp.request("POST", &path).set("tpp-redirect-uri", CALLBACK).signed(&tpp.signer);
    let begun = server.send(&begun).await.json();
    let location = server.decide(&tpp.authorization_url(&begun), iban, "approve").await;
    let code = testkit::parameter(&location, "code").unwrap();
    let tokens = tpp.redeem(server, &code).await.json();
    let consent = ValidConsent {
        id: id.to_owned(),
        authorisation: begun["authorisationId"].as_str().unwrap().to_owned(),
        access_token: tokens["access_token"].as_str().unwrap().to_owned(),
        refresh_token: String::new(),
    };
    assert_eq!(tpp.confirm(server, &consent).await.status, 200);
    // An authorisation that nobody finishes in a day has failed, and its consent with it.
    let asked = tpp.consent(server, &detailed(iban, true)).await;
    server.advance("nl", "P1D").await;
    let (id, aid) = (asked["consentId"].as_str().unwrap(), asked["authorisationId"].as_str().unwrap());
    assert_eq!(server.send(&status(id, aid)).await.json()["scaStatus"], "failed");
    let read = server.send(&tpp.get(&format!("/v1/consents/{id}/status"))).await;
    assert_eq!(read.json()["consentStatus"], "rejected");
}
