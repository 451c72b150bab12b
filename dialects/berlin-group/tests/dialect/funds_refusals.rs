//! What is refused about confirmation of funds: status, code, and a text that says what would be right.

use serde_json::{Value, json};
use testkit::{CALLBACK, FUNDS_CONSENTS, Request, TestServer, TestTpp, ValidConsent, detailed, in_euro};

use crate::ID;
use crate::refusals::check;

const UNKNOWN: &str = "6f0b0f0e-2a2f-4f3e-9b53-0f1f4b6c7d11";

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    /// Of a saver: a current account and savings accounts.
    iban: String,
    savings: String,
    /// Valid.
    consent: ValidConsent,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", "saver").await;
        let number = |at: usize| customer["accounts"][at]["iban"].as_str().unwrap().to_owned();
        let (iban, savings) = (number(0), number(1));
        let consent = tpp.valid_funds(&server, &iban).await;
        Self { server, tpp, iban, savings, consent }
    }

    fn signed(&self, method: &str, path: &str) -> Request {
        self.tpp.request(method, path).signed(&self.tpp.signer)
    }

    /// A question with a member changed, or one more.
    fn with(&self, pointer: &str, value: Value) -> Request {
        self.tpp.ask(&self.consent, &changed(in_euro(&self.iban, "1.00"), pointer, value))
    }

    /// A question with another header.
    fn with_header(&self, name: &str, value: &str) -> Request {
        self.tpp.ask(&self.consent, &in_euro(&self.iban, "1.00")).set(name, value)
    }
}

/// The body with what is at a path replaced or added, or taken away for null.
fn changed(mut body: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let members = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    body
}

fn bearer(request: Request, token: &str) -> Request {
    request.set("authorization", format!("Bearer {token}"))
}

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
async fn consents_and_their_authorisations() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, consent, .. } = &scene;
    let stranger = server.registered("nl", "PSDNL-DNB-R999999").await;
    let access = tpp.valid(server, &detailed(iban, true), iban).await;
    let other = tpp.valid_funds(server, iban).await;
    let waiting = tpp.funds_consent(server, iban).await;
    let own = format!("{FUNDS_CONSENTS}/{}", consent.id);
    let unknown = format!("{FUNDS_CONSENTS}/{UNKNOWN}");
    let for_access = format!("{FUNDS_CONSENTS}/{}", access.id);
    let get = |path: &str| scene.signed("GET", path);
    let foreign = |method: &str, path: &str| stranger.request(method, path).signed(&stranger.signer);
    let authorisation = format!("{own}/authorisations/{}", consent.authorisation);
    let confirm = |path: &str| scene.signed("PUT", path);
    let of_waiting = format!(
        "{FUNDS_CONSENTS}/{}/authorisations/{}",
        waiting["consentId"].as_str().unwrap(),
        waiting["authorisationId"].as_str().unwrap()
    );
    let begin = |path: &str| scene.signed("POST", &format!("{path}/authorisations"));
    let (format, foreigner) = ("FORMAT_ERROR", "CONSENT_UNKNOWN");
    check(
        server,
        vec![
            (
                "an id that is none",
                get(&format!("{FUNDS_CONSENTS}/1")),
                400,
                format,
                "the consent id in the path is no UUID",
            ),
            ("its status", get(&format!("{FUNDS_CONSENTS}/1/status")), 400, format, "no UUID"),
            (
                "its authorisations",
                get(&format!("{FUNDS_CONSENTS}/1/authorisations")),
                400,
                format,
                "no UUID",
            ),
            ("deleting it", scene.signed("DELETE", &format!("{FUNDS_CONSENTS}/1")), 400, format, "no UUID"),
            ("an unknown one", get(&unknown), 403, foreigner, "not known here"),
            (
                "the status of an unknown one",
                get(&format!("{unknown}/status")),
                403,
                foreigner,
                "not known here",
            ),
            (
                "authorisations of an unknown one",
                get(&format!("{unknown}/authorisations")),
                403,
                foreigner,
                "",
            ),
            ("deleting an unknown one", scene.signed("DELETE", &unknown), 403, foreigner, ""),
            (
                "authorising an unknown one",
                begin(&unknown).set("tpp-redirect-uri", CALLBACK),
                403,
                foreigner,
                "",
            ),
            ("another third party's", foreign("GET", &own), 403, foreigner, "this third party"),
            ("its status for another", foreign("GET", &format!("{own}/status")), 403, foreigner, ""),
            ("its authorisation for another", foreign("GET", &authorisation), 403, foreigner, ""),
            ("deleting another's", foreign("DELETE", &own), 403, foreigner, ""),
            (
                "at another tenant",
                Request::new("GET", &format!("/xs2a-bg/uk{own}"))
                    .set("x-request-id", "id")
                    .signed(&tpp.signer),
                403,
                foreigner,
                "",
            ),
            ("a consent to access", get(&for_access), 403, foreigner, ""),
            ("the status of a consent to access", get(&format!("{for_access}/status")), 403, foreigner, ""),
            ("deleting a consent to access", scene.signed("DELETE", &for_access), 403, foreigner, ""),
            (
                "confirming a consent to access",
                bearer(
                    confirm(&format!("{for_access}/authorisations/{}", access.authorisation)),
                    &access.access_token,
                ),
                403,
                foreigner,
                "",
            ),
            ("as a consent to access", get(&format!("/v1/consents/{}", consent.id)), 403, foreigner, ""),
            (
                "deleting it as such",
                scene.signed("DELETE", &format!("/v1/consents/{}", consent.id)),
                403,
                foreigner,
                "",
            ),
            (
                "confirming it as such",
                bearer(
                    confirm(&format!("/v1/consents/{}/authorisations/{}", consent.id, consent.authorisation)),
                    &consent.access_token,
                ),
                403,
                foreigner,
                "",
            ),
            ("accounts with it", tpp.read("/v1/accounts", consent), 403, foreigner, ""),
            (
                "accounts with its token",
                bearer(tpp.read("/v1/accounts", &access), &consent.access_token),
                401,
                "CONSENT_INVALID",
                "was not issued for consent",
            ),
            (
                "deleting with the token of another",
                bearer(scene.signed("DELETE", &own), &other.access_token),
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
                "authorising without a redirect URI",
                begin(&own),
                400,
                format,
                "TPP-Redirect-URI header is missing",
            ),
            (
                "authorising with another redirect URI",
                begin(&own).set("tpp-redirect-uri", "https://evil.example/"),
                400,
                format,
                "not registered",
            ),
            (
                "authorising what is valid",
                begin(&own).set("tpp-redirect-uri", CALLBACK),
                400,
                "STATUS_INVALID",
                "has status valid",
            ),
            (
                "an authorisation that is none",
                get(&format!("{own}/authorisations/x")),
                400,
                format,
                "no UUID",
            ),
            (
                "an unknown authorisation",
                get(&format!("{own}/authorisations/{UNKNOWN}")),
                403,
                "RESOURCE_UNKNOWN",
                "belongs to another consent",
            ),
            (
                "an authorisation of another consent",
                get(&format!("{own}/authorisations/{}", other.authorisation)),
                403,
                "RESOURCE_UNKNOWN",
                "belongs to another consent",
            ),
            (
                "confirming without a token",
                confirm(&authorisation),
                401,
                "TOKEN_UNKNOWN",
                "Authorization: Bearer",
            ),
            (
                "confirming with an unknown token",
                bearer(confirm(&authorisation), "0123456789"),
                401,
                "TOKEN_INVALID",
                "Access token 01234567… is invalid or expired",
            ),
            (
                "confirming with the token of another consent",
                bearer(confirm(&authorisation), &other.access_token),
                401,
                "CONSENT_INVALID",
                "was not issued for consent",
            ),
            (
                "confirming with the token of a consent to access",
                bearer(confirm(&authorisation), &access.access_token),
                401,
                "CONSENT_INVALID",
                "was not issued for consent",
            ),
            (
                "confirming what nobody approved",
                bearer(confirm(&of_waiting), &other.access_token),
                401,
                "CONSENT_INVALID",
                "was not issued for consent",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn questions() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, savings, consent } = &scene;
    let question = || in_euro(iban, "1.00");
    let stranger = server.registered("nl", "PSDNL-DNB-R999999").await;
    let access = tpp.valid(server, &detailed(iban, true), iban).await;
    let other = tpp.valid_funds(server, iban).await;
    let waiting = tpp.approved_funds(server, iban).await;
    let student = server.customer("nl", "student").await["iban"].as_str().unwrap().to_owned();
    let card = tpp.funds_consent_request(&json!({"account": {"iban": iban}, "cardNumber": "5409"}));
    let card = tpp.approve(server, &server.send(&card).await.json(), iban).await;
    assert_eq!(tpp.confirm_funds_consent(server, &card).await.status, 200);
    let amount = |text: &str| scene.with("/instructedAmount/amount", json!(text));
    let account = |value: Value| scene.with("/account", value);
    let named = |consent: &ValidConsent| tpp.ask(consent, &question());
    let raw = |kind: &str, body: &str| {
        tpp.request("POST", "/v1/funds-confirmations")
            .set("consent-id", &consent.id)
            .set("authorization", format!("Bearer {}", consent.access_token))
            .body(kind, body)
            .signed(&tpp.signer)
    };
    let format = "FORMAT_ERROR";
    let (invalid, product) = ("CONSENT_INVALID", "PRODUCT_INVALID");
    let an_amount = "an amount in EUR is a decimal number";
    check(
        server,
        vec![
            (
                "no Consent-ID",
                named(consent).without("consent-id"),
                400,
                format,
                "the Consent-ID header is missing",
            ),
            (
                "a Consent-ID that is none",
                scene.with_header("consent-id", "1"),
                400,
                format,
                "Consent-ID header is no UUID",
            ),
            (
                "no X-Request-ID",
                named(consent).without("x-request-id"),
                400,
                format,
                "X-Request-ID header is missing",
            ),
            ("no body", raw("application/json", ""), 400, format, "the body is missing"),
            ("no JSON", raw("application/json", "{"), 400, format, "the body: EOF"),
            ("a form", raw("application/x-www-form-urlencoded", "a=b"), 415, format, "send application/json"),
            ("no account", account(Value::Null), 400, format, "missing field `account`"),
            ("an empty account", account(json!({})), 400, format, "identified by iban alone"),
            ("an IBAN that is none", account(json!({"iban": "NL12"})), 400, format, "Invalid iban: NL12"),
            (
                "a currency of the account that is none",
                account(json!({"iban": iban, "currency": "XYZ1"})),
                400,
                format,
                "currency \"XYZ1\" is no code of ISO 4217",
            ),
            (
                "no instructedAmount",
                scene.with("/instructedAmount", Value::Null),
                400,
                format,
                "missing field `instructedAmount`",
            ),
            (
                "no amount",
                scene.with("/instructedAmount/amount", Value::Null),
                400,
                format,
                "missing field `amount`",
            ),
            (
                "no currency",
                scene.with("/instructedAmount/currency", Value::Null),
                400,
                format,
                "missing field `currency`",
            ),
            (
                "a currency that is none",
                scene.with("/instructedAmount/currency", json!("EURO")),
                400,
                format,
                "currency \"EURO\" is no code of ISO 4217",
            ),
            ("nothing", amount("0.00"), 400, format, "instructedAmount must be greater than 0"),
            ("less than nothing", amount("-1.00"), 400, format, "instructedAmount must be greater than 0"),
            ("no number", amount("ten"), 400, format, an_amount),
            ("an empty amount", amount(""), 400, format, an_amount),
            ("a comma", amount("1,00"), 400, format, an_amount),
            ("an exponent", amount("1e3"), 400, format, an_amount),
            ("a fraction of a cent", amount("1.001"), 400, format, "with at most two places"),
            ("fifteen digits", amount("100000000000000"), 400, format, "up to 14 digits"),
            (
                "amount is a list",
                scene.with("/instructedAmount/amount", json!([1])),
                400,
                format,
                "the body: ",
            ),
            (
                "a long payee",
                scene.with("/payee", json!("é".repeat(71))),
                400,
                format,
                "characters; send at most 70",
            ),
            (
                "a long cardNumber",
                scene.with("/cardNumber", json!("1".repeat(36))),
                400,
                format,
                "characters; send at most 35",
            ),
            (
                "another card",
                tpp.ask(&card, &changed(question(), "/cardNumber", json!("5410"))),
                400,
                "CARD_INVALID",
                "not that of the card that the consent is for",
            ),
            (
                "no token",
                named(consent).without("authorization"),
                401,
                "TOKEN_UNKNOWN",
                "Authorization: Bearer",
            ),
            (
                "Basic",
                scene.with_header("authorization", &tpp.basic()),
                401,
                "TOKEN_INVALID",
                "not Bearer and a token",
            ),
            (
                "an unknown token",
                bearer(named(consent), "0123456789"),
                401,
                "TOKEN_INVALID",
                "invalid or expired",
            ),
            (
                "the token of another consent",
                bearer(named(consent), &other.access_token),
                401,
                invalid,
                "was not issued for consent",
            ),
            (
                "the token of a consent to access",
                bearer(named(consent), &access.access_token),
                401,
                invalid,
                "was not issued for consent",
            ),
            ("not confirmed", named(&waiting), 401, invalid, "with status received"),
            ("a consent to access", named(&access), 403, "CONSENT_UNKNOWN", "not known here"),
            (
                "an unknown consent",
                scene.with_header("consent-id", UNKNOWN),
                403,
                "CONSENT_UNKNOWN",
                "not known here",
            ),
            (
                "another third party's consent",
                stranger.ask(consent, &question()),
                403,
                "CONSENT_UNKNOWN",
                "this third party",
            ),
            (
                "a consent about a savings account",
                tpp.funds_consent_request(&json!({"account": {"iban": savings}})),
                403,
                product,
                "nobody pays from a savings account; ask about a current account",
            ),
            (
                "a number with too many digits",
                raw(
                    "application/json",
                    &question().to_string().replace("\"1.00\"", "1.00000000000000000000001"),
                ),
                400,
                format,
                "an amount in EUR is a decimal number",
            ),
            (
                "another charset",
                raw("application/json; charset=utf-16", "{}"),
                415,
                format,
                "the charset \"utf-16\" in Content-Type is not taken; send the body in UTF-8",
            ),
            (
                "another account of the customer",
                account(json!({"iban": savings})),
                403,
                product,
                "the consent is about another account",
            ),
            (
                "somebody else's account",
                account(json!({"iban": student})),
                403,
                product,
                "the consent is about another account",
            ),
            (
                "another currency",
                scene.with("/instructedAmount/currency", json!("USD")),
                403,
                product,
                "the account is kept in EUR, not in USD",
            ),
            (
                "two currencies",
                account(json!({"iban": iban, "currency": "USD"})),
                403,
                product,
                "name the same currency in both",
            ),
            (
                "an account of another bank",
                account(json!({"iban": "NL91ABNA0417164300"})),
                404,
                "RESOURCE_UNKNOWN",
                "no account of this bank has IBAN [NL91ABNA0417164300]",
            ),
            (
                "GET",
                scene.signed("GET", "/v1/funds-confirmations"),
                405,
                "SERVICE_INVALID",
                "method GET is not supported",
            ),
        ],
    )
    .await;
    let right = changed(question(), "/cardNumber", json!("5409"));
    let answer = server.send(&tpp.ask(&card, &changed(right, "/payee", json!("é".repeat(70))))).await;
    assert_eq!((answer.status, answer.json()["fundsAvailable"].is_boolean()), (200, true), "{}", answer.body);
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
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "invalid_scope"), "{}", refused.body);
}

/// A scope of the other kind finds nothing to authorise, and a consent is authorised once.
#[tokio::test]
async fn authorization_requests() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, .. } = &scene;
    let asked = tpp.funds_consent(server, iban).await;
    let access = tpp.consent(server, &detailed(iban, true)).await;
    let id = asked["consentId"].as_str().unwrap();
    let with_scope = |scope: String| {
        let mut spoiled = asked.clone();
        let link = asked["_links"]["scaRedirect"].as_str().unwrap();
        spoiled["_links"]["scaRedirect"] = json!(link.replace(&format!("openid+PIIS%3A{id}"), &scope));
        tpp.authorization_url(&spoiled)
    };
    for scope in [
        format!("openid+AIS%3A{id}"),
        format!("openid+PIS%3A{id}"),
        format!("openid+PIIS%3A{UNKNOWN}"),
        format!("openid+PIIS%3A{}", access["consentId"].as_str().unwrap()),
    ] {
        let location = server.decide(&with_scope(scope.clone()), iban, "approve").await;
        let words = testkit::parameter(&location, "error_description").unwrap();
        assert!(words.starts_with("No pending authorisations found for"), "{scope}: {location}");
    }
    let url = tpp.authorization_url(&asked);
    let location = server.decide(&url, iban, "approve").await;
    assert!(testkit::parameter(&location, "code").is_some(), "{location}");
    let again = server.decide(&url, iban, "approve").await;
    assert_eq!(
        testkit::parameter(&again, "error_description"),
        Some(format!("No pending authorisations found for consent with uuid {id}"))
    );
}
