//! Every operation of the interface, as its description tells them: which token it takes and whether it has to be signed.
//! An operation without a row here fails, and so does a row without an operation.

use serde_json::json;
use testkit::bunq::{BUNQ, BunqClient, client_keys, sign};
use testkit::{Answer, Request, TestServer};
use vestibule::profiles::RateLimits;

/// Anybody may call these, with no token and unsigned. A signature says nothing here.
const FOR_ANYBODY: &[&str] = &[
    "POST /v1/installation",
    "GET PUT /v1/payment-service-provider-issuer-transaction-public/{uuid}",
    "GET PUT /v1/user/{user}/payment-service-provider-issuer-transaction-public/{uuid}",
    "POST /v1/sandbox-user-person",
    "POST /v1/sandbox-user",
    "POST /v1/sandbox-user-company",
    "GET /v1/health-check",
];

/// Not in the table of operations: the clients' token request, what browsers open, and the description.
const BESIDE: &[&str] = &["POST /v1/token", "GET /auth", "GET /psp", "GET /openapi.json"];

/// With the token of an installation.
const WITH_INSTALLATION: &[&str] =
    &["POST /v1/payment-service-provider-credential", "POST /v1/device-server"];

/// With the token of an installation, and signed.
const WITH_INSTALLATION_SIGNED: &[&str] = &["POST /v1/session-server"];

/// With the token of a session, and signed: whatever moves money without another word of the customer.
const WITH_SESSION_SIGNED: &[&str] = &[
    "POST /v1/user/{user}/monetary-account/{account}/payment",
    "POST /v1/user/{user}/monetary-account/{account}/payment-batch",
    "POST /v1/user/{user}/monetary-account/{account}/schedule-payment",
    "PUT /v1/user/{user}/monetary-account/{account}/schedule-payment/{id}",
];

/// With the token of a session.
const WITH_SESSION: &[&str] = &[
    "GET /v1/installation",
    "GET /v1/installation/{id}",
    "GET /v1/installation/{id}/server-public-key",
    "GET /v1/payment-service-provider-credential/{id}",
    "GET /v1/device-server",
    "GET /v1/device-server/{id}",
    "GET /v1/device",
    "GET /v1/device/{id}",
    "GET /v1/user/{user}/credential-password-ip",
    "GET /v1/user/{user}/credential-password-ip/{id}",
    "POST GET /v1/user/{user}/credential-password-ip/{credential}/ip",
    "GET PUT /v1/user/{user}/credential-password-ip/{credential}/ip/{id}",
    "POST GET /v1/user/{user}/oauth-client",
    "GET PUT /v1/user/{user}/oauth-client/{id}",
    "POST GET /v1/user/{user}/oauth-client/{client}/callback-url",
    "GET PUT DELETE /v1/user/{user}/oauth-client/{client}/callback-url/{id}",
    "GET /v1/user",
    "GET /v1/user/{user}",
    "GET PUT /v1/user-person/{user}",
    "GET PUT /v1/user-company/{user}",
    "GET /v1/user-payment-service-provider/{user}",
    "GET /v1/user/{user}/legal-name",
    "GET /v1/user/{user}/limit",
    "GET /v1/user/{user}/monetary-account",
    "GET /v1/user/{user}/monetary-account/{account}",
    "POST GET /v1/user/{user}/monetary-account-bank",
    "GET PUT /v1/user/{user}/monetary-account-bank/{account}",
    "POST GET /v1/user/{user}/monetary-account-joint",
    "GET PUT /v1/user/{user}/monetary-account-joint/{account}",
    "POST GET /v1/user/{user}/monetary-account-savings",
    "GET PUT /v1/user/{user}/monetary-account-savings/{account}",
    "POST GET /v1/user/{user}/monetary-account-external",
    "GET PUT /v1/user/{user}/monetary-account-external/{account}",
    "POST GET /v1/user/{user}/monetary-account-external-savings",
    "GET PUT /v1/user/{user}/monetary-account-external-savings/{account}",
    "GET /v1/user/{user}/monetary-account-card",
    "GET PUT /v1/user/{user}/monetary-account-card/{account}",
    "GET /v1/user/{user}/monetary-account/{account}/payment",
    "GET /v1/user/{user}/monetary-account/{account}/payment/{id}",
    "GET /v1/user/{user}/event",
    "GET /v1/user/{user}/event/{id}",
    "GET /v1/user/{user}/monetary-account/{account}/mastercard-action",
    "GET /v1/user/{user}/monetary-account/{account}/mastercard-action/{id}",
    "GET /v1/user/{user}/monetary-account/{account}/mastercard-action/{id}/payment",
    "GET /v1/user/{user}/card",
    "GET /v1/user/{user}/card/{id}",
    "POST GET /v1/user/{user}/monetary-account/{account}/customer-statement",
    "GET DELETE /v1/user/{user}/monetary-account/{account}/customer-statement/{id}",
    "GET /v1/user/{user}/monetary-account/{account}/customer-statement/{id}/content",
    "POST /v1/user/{user}/monetary-account/{account}/event/{event}/statement",
    "GET /v1/user/{user}/monetary-account/{account}/event/{event}/statement/{id}",
    "GET /v1/user/{user}/monetary-account/{account}/event/{event}/statement/{id}/content",
    "POST /v1/user/{user}/confirmation-of-funds",
    "POST GET /v1/user/{user}/payment-service-provider-draft-payment",
    "GET PUT /v1/user/{user}/payment-service-provider-draft-payment/{id}",
    "POST GET /v1/user/{user}/payment-service-provider-issuer-transaction",
    "GET PUT /v1/user/{user}/payment-service-provider-issuer-transaction/{id}",
    "POST GET /v1/user/{user}/monetary-account/{account}/draft-payment",
    "GET PUT /v1/user/{user}/monetary-account/{account}/draft-payment/{id}",
    "GET /v1/user/{user}/monetary-account/{account}/payment-batch",
    "GET PUT /v1/user/{user}/monetary-account/{account}/payment-batch/{id}",
    "GET /v1/user/{user}/monetary-account/{account}/schedule-payment",
    "GET DELETE /v1/user/{user}/monetary-account/{account}/schedule-payment/{id}",
    "GET /v1/user/{user}/schedule",
    "GET /v1/user/{user}/monetary-account/{account}/schedule",
    "GET /v1/user/{user}/monetary-account/{account}/schedule/{id}",
    "GET /v1/user/{user}/monetary-account/{account}/schedule/{schedule}/schedule-instance",
    "GET /v1/user/{user}/monetary-account/{account}/schedule/{schedule}/schedule-instance/{id}",
    "POST GET /v1/user/{user}/monetary-account/{account}/request-inquiry",
    "GET PUT /v1/user/{user}/monetary-account/{account}/request-inquiry/{id}",
    "GET /v1/user/{user}/monetary-account/{account}/request-response",
    "GET PUT /v1/user/{user}/monetary-account/{account}/request-response/{id}",
    "POST /v1/attachment-public",
    "GET /v1/attachment-public/{uuid}",
    "GET /v1/attachment-public/{uuid}/content",
    "POST /v1/avatar",
    "GET /v1/avatar/{uuid}",
    "POST GET /v1/user/{user}/notification-filter-url",
    "POST GET /v1/user/{user}/monetary-account/{account}/notification-filter-url",
    "GET POST /v1/user/{user}/notification-filter-failure",
    "POST GET /v1/user/{user}/certificate-pinned",
    "GET DELETE /v1/user/{user}/certificate-pinned/{id}",
    // Whatever its id: the session ends that calls. No row comes after it.
    "DELETE /v1/session/{id}",
];

/// Each operation of a list by itself: method and path.
fn operations(rows: &'static [&'static str]) -> impl Iterator<Item = (&'static str, &'static str)> {
    rows.iter().flat_map(|row| {
        let (methods, path) = row.rsplit_once(' ').unwrap();
        methods.split(' ').map(move |method| (method, path))
    })
}

/// The text of a refusal, which is empty in a success.
fn text(answer: &Answer) -> String {
    answer.json()["Error"][0]["error_description"].as_str().unwrap_or_default().to_owned()
}

const UNKNOWN: (u16, &str) = (403, "Insufficient authentication.");
const OTHER_KIND: (u16, &str) = (401, "Insufficient authorisation.");
const UNSIGNED: (u16, &str) = (466, "For this operation a request signature is required.");
const WRONGLY_SIGNED: (u16, &str) = (400, "The request signature is invalid.");

struct Scene {
    server: TestServer,
    installation: String,
    session: String,
    user: i64,
    account: i64,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::with(|config| config.rate_limits = RateLimits::Off).await;
        let customer = server.customer("nl", "student").await;
        let client = BunqClient::customer(&server, &customer).await;
        let account = client.account().await;
        let session = client.session.clone().unwrap();
        // A device of its own would end the one that the session was made with.
        let installation = BunqClient::install(&server).await.installation;
        Self { server, installation, session, user: client.user, account }
    }

    /// A call of an operation about the customer and the account, with no more than that.
    fn call(&self, (method, path): (&str, &str)) -> Request {
        let path = path
            .replace("{user}", &self.user.to_string())
            .replace("{account}", &self.account.to_string())
            .replace("{uuid}", "6f0b0f0e-2a2f-4f3e-9b53-0f1f4b6c7d11");
        let parts: Vec<_> =
            path.split('/').map(|part| if part.starts_with('{') { "7" } else { part }).collect();
        Request::new(method, &format!("/bunq{}", parts.join("/")))
    }

    async fn refuses(&self, request: Request, (status, beginning): (u16, &str)) {
        let answer = self.server.send(&request).await;
        let is_right = answer.status == status && text(&answer).starts_with(beginning);
        assert!(is_right, "{} {}: {} {}", request.method, request.target, answer.status, answer.body);
    }

    /// What follows the checks of token and signature may refuse the call, and says something else then.
    async fn lets_pass(&self, request: Request) {
        let answer = self.server.send(&request).await;
        let told = text(&answer);
        let is_refused =
            [UNKNOWN, OTHER_KIND, UNSIGNED, WRONGLY_SIGNED].iter().any(|(_, no)| told.starts_with(no));
        let is_served = answer.status < 500 && answer.status != 405 && told != "Route not found.";
        assert!(!is_refused && is_served, "{} {}: {}", request.method, request.target, answer.body);
    }

    /// A token that is the right one, one of the other kind, and none, for each operation of a list.
    async fn demand_token(
        &self,
        rows: &'static [&'static str],
        (right, wrong): (&str, &str),
        is_signed: bool,
    ) {
        const TOKEN: &str = "x-bunq-client-authentication";
        const SIGNATURE: &str = "x-bunq-client-signature";
        let (private, _) = client_keys();
        for operation in operations(rows) {
            let bare = self.call(operation);
            let signed = bare.clone().set(SIGNATURE, sign(private, b""));
            self.refuses(signed.clone(), UNKNOWN).await;
            self.refuses(signed.clone().set(TOKEN, ""), UNKNOWN).await;
            self.refuses(signed.clone().set(TOKEN, "0".repeat(64)), UNKNOWN).await;
            self.refuses(signed.clone().set(TOKEN, wrong), OTHER_KIND).await;
            self.refuses(bare.clone().set(TOKEN, right).set(SIGNATURE, sign(private, b"{}")), WRONGLY_SIGNED)
                .await;
            self.refuses(bare.clone().set(TOKEN, right).set(SIGNATURE, "AAAA"), WRONGLY_SIGNED).await;
            if is_signed {
                self.refuses(bare.set(TOKEN, right), UNSIGNED).await;
                self.lets_pass(signed.set(TOKEN, right)).await;
            } else {
                self.lets_pass(bare.set(TOKEN, right)).await;
            }
        }
    }
}

#[tokio::test]
async fn no_operation_is_without_a_row() {
    let server = TestServer::start().await;
    let mut described = server.operations("/bunq").await;
    let lists =
        [FOR_ANYBODY, BESIDE, WITH_INSTALLATION, WITH_INSTALLATION_SIGNED, WITH_SESSION, WITH_SESSION_SIGNED];
    let rows = lists.into_iter().flat_map(operations);
    let mut rows: Vec<String> = rows.map(|(method, path)| format!("{method} {path}")).collect();
    described.sort();
    rows.sort();
    assert_eq!(rows, described);
}

#[tokio::test]
async fn what_anybody_may_call_asks_for_no_token_and_no_signature() {
    let scene = Scene::new().await;
    for operation in operations(FOR_ANYBODY) {
        let bare = scene.call(operation);
        scene.lets_pass(bare.clone()).await;
        scene.lets_pass(bare.set("x-bunq-client-signature", "AAAA")).await;
    }
}

#[tokio::test]
async fn what_an_installation_may_call_asks_for_its_token() {
    let scene = Scene::new().await;
    let tokens = (scene.installation.as_str(), scene.session.as_str());
    scene.demand_token(WITH_INSTALLATION, tokens, false).await;
    scene.demand_token(WITH_INSTALLATION_SIGNED, tokens, true).await;
}

#[tokio::test]
async fn what_a_session_may_call_asks_for_its_token() {
    let scene = Scene::new().await;
    let tokens = (scene.session.as_str(), scene.installation.as_str());
    scene.demand_token(WITH_SESSION_SIGNED, tokens, true).await;
    scene.demand_token(WITH_SESSION, tokens, false).await;
}

/// The token request has no token yet: it asks for the client's id and secret.
#[tokio::test]
async fn the_token_request_asks_for_the_client() {
    let scene = Scene::new().await;
    let query = "grant_type=authorization_code&code=7&redirect_uri=https%3A%2F%2Ftpp.example%2Fcallback";
    for (client, code) in [
        ("", "invalid_request"),
        ("&client_id=7", "invalid_request"),
        ("&client_id=7&client_secret=7", "invalid_client"),
    ] {
        let answer = scene.server.send(&Request::new("POST", &format!("{BUNQ}/token?{query}{client}"))).await;
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!(code)), "{}", answer.body);
    }
}
