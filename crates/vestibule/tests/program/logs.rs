//! Logs never hold what is secret, however much is logged.

use serde_json::{Value, json};
use testkit::bunq::{BunqClient, euro, pseudo_certificate, shop};
use testkit::{CALLBACK, Program, Request, Signer, VERIFIER, challenge, detailed, parameter};

use crate::BINARY;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_secret_key_or_body_reaches_the_log() {
    let (program, log) = Program::logging(BINARY, "trace");
    let (origin, management) = (program.url("public"), program.url("management"));
    let (origin, management) = (origin.as_str(), management.as_str());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({"organizationIdentifier": "PSDNL-DNB-CANARY"}).to_string();
    let made =
        client.post(format!("{management}/test-certificates")).header("content-type", "application/json");
    let made: Value =
        serde_json::from_slice(&made.body(body).send().await.unwrap().bytes().await.unwrap()).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let tpp = Signer::from_pem(&text("certificate"), &text("privateKey"), None);
    let answer = Request::onboarding("nl").signed(&tpp).send(&client, origin).await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let canary = "https://canary-in-the-body.example/cb";
    let registered = Request::registration("nl", &token, &[canary]).send(&client, origin).await;
    let secret = registered.json()["client_secret"].as_str().unwrap().to_owned();
    for request in [
        Request::registration("nl", "canary-token", &[canary]),
        Request::onboarding("nl").signed(&tpp).set("signature", "canary-signature"),
        Request::new("POST", "/auth/nl/v1/token").form(&format!("grant_type=refresh_token&refresh_token=canary-refresh&client_id=PSDNL-DNB-CANARY&client_secret={secret}")),
        Request::new("POST", "/auth/nl/v1/token").form("client_assertion=canary-assertion&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"),
        Request::new("GET", "/auth/nl/v1/userinfo").set("authorization", "Bearer canary-access"),
        Request::new("GET", "/auth/nl/v1/auth?code_challenge=canary-challenge&state=canary-state"),
        Request::new("GET", "/xs2a-bg/nl;access_token=canary-path/v1/accounts;token=canary-path"),
        Request::new("GET", "/auth/nl/v1/auth?client_id=PSDNL-DNB-CANARY&redirect_uri=https%3A%2F%2Fuser%3Acanary-user%40tpp.example%2Fcb"),
        Request::onboarding("nl").signed(&tpp).set("signature", "").set("tpp-redirect-uri", "https://user:canary-user@tpp.example/cb"),
    ] {
        let answer = request.send(&client, origin).await;
        assert!((400..500).contains(&answer.status), "{}", answer.body);
    }
    let answer = Request::onboarding("nl").signed(&tpp).send(&client, origin).await;
    let another = answer.json()["access_token"].as_str().unwrap().to_owned();
    let (mut seen, iban) = read_accounts(&client, origin, management, &tpp, &another).await;
    seen.push(another);
    seen.extend(pay(&client, origin, management).await);
    program.kill();
    let log = log.join().unwrap();
    assert!(log.contains("code=\"SIGNATURE_INVALID\""), "something is logged: {log}");
    let key_line = tpp.key_pem.lines().nth(1).unwrap().to_owned();
    for secret in [token.as_str(), secret.as_str(), &key_line[..60], "canary-", canary] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
    for secret in seen.iter().chain([&iban]) {
        assert!(secret.len() > 5 && !log.contains(secret), "the log holds {secret}");
    }
}

/// Goes the whole way to account data; returns what must not be logged: codes, tokens, cookies, names.
async fn read_accounts(
    client: &reqwest::Client,
    origin: &str,
    management: &str,
    tpp: &Signer,
    token: &str,
) -> (Vec<String>, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let manage = async |path: &str, body: Value| -> Value {
        Request::new("POST", path)
            .body("application/json", body.to_string())
            .send(client, management)
            .await
            .json()
    };
    let registered = Request::registration("nl", token, &[CALLBACK]).send(client, origin).await.json();
    let secret = text(&registered["client_secret"]);
    let customer = manage("/test-accounts", json!({"tenant": "nl", "name": "Canary Name"})).await;
    let (iban, number) = (text(&customer["iban"]), text(&customer["digipassNumber"]));
    let asked = Request::new("POST", "/xs2a-bg/nl/v1/consents")
        .set("x-request-id", "canary")
        .set("psu-ip-address", "192.0.2.1")
        .set("tpp-redirect-uri", CALLBACK)
        .body("application/json", detailed(&iban, true).to_string())
        .signed(tpp);
    let asked = asked.send(client, origin).await.json();
    let link = text(&asked["_links"]["scaRedirect"]);
    let url = format!("{link}&code_challenge={}&code_challenge_method=S256&state=s", challenge(VERIFIER));
    // The page, with a wrong answer and a forged cookie.
    let no_redirects =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let page = Request::new("GET", url.strip_prefix(origin).unwrap()).send(&no_redirects, origin).await;
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let form = format!("csrf=canary-csrf&action=log-in&iban={iban}&answer={number}");
    let log_in = Request::new("POST", "/auth/internalonly/authorise.html").set("cookie", &cookie).form(&form);
    assert_eq!(log_in.send(&no_redirects, origin).await.status, 403);
    let decided = manage("/approvals", json!({"url": url, "iban": iban, "decision": "approve"})).await;
    let code = parameter(&text(&decided["location"]), "code").unwrap();
    let form = format!(
        "grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&redirect_uri={CALLBACK}\
         &client_id=PSDNL-DNB-CANARY&client_secret={secret}"
    );
    let tokens = Request::new("POST", "/auth/nl/v1/token").form(&form).send(client, origin).await.json();
    let (access, refresh) = (text(&tokens["access_token"]), text(&tokens["refresh_token"]));
    let id = text(&asked["consentId"]);
    let read = Request::new("GET", "/xs2a-bg/nl/v1/accounts")
        .set("x-request-id", "canary")
        .set("consent-id", &id)
        .set("authorization", format!("Bearer {access}"))
        .signed(tpp);
    assert_eq!(read.send(client, origin).await.status, 401, "not confirmed yet");
    let confirm = format!("/xs2a-bg{}", text(&asked["_links"]["confirmation"]));
    let confirm = Request::new("PUT", &confirm)
        .set("x-request-id", "canary 2")
        .set("authorization", format!("Bearer {access}"))
        .signed(tpp);
    assert_eq!(confirm.send(client, origin).await.status, 200);
    let accounts = read.send(client, origin).await;
    assert!(accounts.body.contains("Canary Name"), "{}", accounts.body);
    let cookie = cookie.split_once('=').unwrap().1.to_owned();
    let id_token = text(&tokens["id_token"]);
    let seen =
        vec![secret, number, cookie, code, access, refresh, id_token, VERIFIER.into(), "Canary Name".into()];
    (seen, iban)
}

/// The same at the bunq interface: keys, tokens, account numbers, texts of payments.
async fn pay(http: &reqwest::Client, origin: &str, management: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let manage = async |path: &str, body: Value| -> Value {
        let request = Request::new("POST", path).body("application/json", body.to_string());
        request.send(http, management).await.json()
    };
    let customer = manage("/test-accounts", json!({"tenant": "nl", "persona": "saver"})).await;
    let provider = BunqClient::install_at(http, origin).await;
    let (certificate, key) = pseudo_certificate("Log AISP PISP", |_| {});
    let api_key = provider.trade(&certificate, &certificate, &key).await;
    let provider = provider.open(&api_key).await;
    let url = provider.authorization_url().await;
    let decided =
        manage("/approvals", json!({"url": url, "iban": customer["iban"], "decision": "approve"})).await;
    let code = parameter(&text(&decided["location"]), "code").unwrap();
    let token = text(&provider.exchange(&code).await.json()["access_token"]);
    let secret = text(&provider.oauth_client().await["secret"]);
    assert_eq!(provider.exchange("canary-code").await.status, 400);
    let own = BunqClient::install_at(http, origin).await.open(&text(&customer["bunq"]["apiKey"])).await;
    let body =
        json!({"amount": euro("1.00"), "counterparty_alias": shop(), "description": "canary-description"});
    let account = own.account().await;
    own.make(&own.below(account, "/payment"), &body).await;
    let refused = own.post(&own.below(account, "/payment"), &json!({"description": "canary-refused"})).await;
    assert_eq!(refused.status, 400);
    let customer_key = text(&customer["bunq"]["apiKey"]);
    let (installation, session) = (own.installation.clone(), own.session.clone().unwrap());
    let iban = text(&customer["iban"]);
    vec![api_key, code, token, secret, customer_key, installation, session, iban, "NL91ABNA0417164300".into()]
}

/// At level `info`, each call is one line whatever the caller wrote, without colours.
#[test]
fn each_call_is_one_line() {
    let (program, log) = Program::logging(BINARY, "info");
    let public = program.url("public");
    let (_guard, folder) = testkit::free_folder();
    let flow = |name: &str| {
        let state = folder.to_str().unwrap();
        let arguments =
            ["tpp", "flow", name, "--headless", "approve", "--bank", &public, "--state", state, "--json"];
        let (code, out, error) = crate::vestibule(&arguments);
        assert_eq!(code, 0, "{error}");
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let (ais, bunq) = (flow("ais"), flow("bunq"));
    let forged = "x-request-id: a\" status=200";
    let curl = |arguments: &[&str]| testkit::run("curl", &[&["-s", "-o", "/dev/null"], arguments].concat());
    curl(&["-H", forged, &format!("{public}/xs2a-bg/nl/v1/consents/secret-id/status?secret=1")]);
    curl(&[
        "-H",
        "x-request-id: b status=200 code=x",
        &format!("{public}/bunq/v1/user/1/monetary-account/2"),
    ]);
    curl(&["-X", "DELETE", &format!("{public}/auth/nl/v1/token")]);
    curl(&[&format!("{public}/nothing/secret-id")]);
    program.kill();
    let log = log.join().unwrap();
    let calls: Vec<&str> = log.lines().collect();
    for call in &calls {
        assert!(call.contains(" INFO ") && !call.contains('\u{1b}'), "{call}");
        let mut rest = *call;
        for field in ["method=", "route=", "status=", "code=", "milliseconds=", "third_party=", "request="] {
            rest = rest.split_once(&format!(" {field}")).unwrap_or_else(|| panic!("{field}: {call}")).1;
        }
    }
    let has = |parts: &[&str]| {
        assert!(calls.iter().any(|call| parts.iter().all(|part| call.contains(part))), "{parts:?}: {log}");
    };
    has(&["method=\"POST\" route=\"/xs2a-bg/{tenant}/v1/consents\" status=201", "third_party=\"PSD"]);
    has(&["method=\"GET\" route=\"/xs2a-bg/{tenant}/v1/accounts/{account}/balances\" status=200"]);
    has(&["method=\"POST\" route=\"/auth/{tenant}/v1/token\" status=200", "third_party=\"PSD"]);
    has(&[
        "route=\"/bunq/v1/user/{user}/monetary-account/{account}/draft-payment\" status=200",
        "third_party=\"",
    ]);
    has(&["route=\"/test-accounts\" status=201"]);
    has(&[
        "route=\"/xs2a-bg/{tenant}/v1/consents/{consent}/status\" status=401 code=\"CERTIFICATE_MISSING\"",
        "request=\"a\\\" status=200\"",
    ]);
    has(&["status=403 code=\"403\"", "request=\"b status=200 code=x\""]);
    has(&["method=\"POST\" route=\"/bunq/v1/token\" status=200"]);
    has(&["method=\"DELETE\" route=\"/auth/{tenant}/v1/token\" status=405 code=\"invalid_request\""]);
    has(&["route=\"-\" status=404 code=\"not_found\""]);
    let ids = [&ais["consentId"], &ais["customer"]["iban"], &bunq["customer"]["iban"]];
    for secret in ids.map(|id| id.as_str().unwrap()).into_iter().chain(["secret"]) {
        assert!(!log.contains(secret), "{secret}");
    }
}
