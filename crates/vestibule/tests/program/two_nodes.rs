//! Two servers on one PostgreSQL database are one bank: what a customer and a third party began at one goes on at the
//! other, and what may happen once happens once.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use testkit::{Program, Request, TestServer, ValidConsent, database, detailed, free_port, parameter};
use vestibule::DataLocation;

use crate::BINARY;

/// Two nodes behind one public address, as a load balancer would have them.
async fn nodes() -> (TestServer, TestServer) {
    let address = database::make().await;
    let node = async |public_url: Option<String>| {
        let listen = format!("127.0.0.1:{}", free_port());
        let mut server = TestServer::with(|config| {
            config.data = DataLocation::Database(address.clone().into());
            config.listen = listen.clone();
            config.public_url = public_url;
        })
        .await;
        server.running.addresses.public = format!("http://{listen}");
        server
    };
    let one = node(None).await;
    let other = node(Some(one.url().to_owned())).await;
    (one, other)
}

#[tokio::test]
async fn a_customers_calls_may_reach_either_node() {
    if !database::is_there() {
        return;
    }
    let (one, other) = nodes().await;
    // The third party gets its certificate and token at one and registers at the other.
    let signer = one.tpp("PSDNL-DNB-TWO").await;
    let token = one.initial_access_token("nl", &signer).await;
    let registration = Request::registration("nl", &token, &[testkit::CALLBACK]).certificate(&signer);
    let registered = other.send(&registration).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    let secret = registered.json()["client_secret"].as_str().unwrap().to_owned();
    let tpp = testkit::TestTpp { signer, tenant: "nl".to_owned(), secret };
    let again = Request::registration("nl", &token, &["https://other.example"]).certificate(&tpp.signer);
    assert_eq!(one.send(&again).await.status, 401, "an initial access token is used once");

    let customer = other.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap().to_owned();
    // The same request again makes nothing new, wherever it arrives.
    let request = tpp.consent_request(&detailed(&iban, true));
    let (asked, repeated) = (one.send(&request).await, other.send(&request).await);
    assert_eq!((asked.status, repeated.status), (201, 201), "{} {}", asked.body, repeated.body);
    let asked = asked.json();
    assert_eq!(asked["consentId"], repeated.json()["consentId"]);

    let location = other.decide(&tpp.authorization_url(&asked), &iban, "approve").await;
    let code = parameter(&location, "code").unwrap();
    let tokens = one.send(&tpp.token_request(&testkit::TestTpp::code_form(&code))).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let consent = ValidConsent {
        id: text(&asked["consentId"]),
        authorisation: text(&asked["authorisationId"]),
        access_token: text(&tokens.json()["access_token"]),
        refresh_token: text(&tokens.json()["refresh_token"]),
    };
    assert_eq!(tpp.confirm(&other, &consent).await.status, 200);

    let accounts = one.send(&tpp.attended("/v1/accounts", &consent)).await;
    assert_eq!(accounts.status, 200, "{}", accounts.body);
    let id = text(&accounts.json()["accounts"][0]["resourceId"]);
    // Four reads a day without the customer, counted together.
    let path = format!("/v1/accounts/{id}/balances");
    for (number, node) in [&one, &other, &one, &other, &one, &other].into_iter().enumerate() {
        let answer = node.send(&tpp.read(&path, &consent)).await;
        assert_eq!(answer.status, if number < 4 { 200 } else { 429 }, "{number}: {}", answer.body);
    }

    let refreshed = tpp.refreshed(&other, &consent).await;
    let attended = async |node: &TestServer, consent: &ValidConsent| {
        node.send(&tpp.attended(&path, consent)).await.status
    };
    assert_eq!((attended(&one, &refreshed).await, attended(&other, &refreshed).await), (200, 200));
    let end = tpp.request("DELETE", &format!("/v1/consents/{}", consent.id)).signed(&tpp.signer);
    assert_eq!(one.send(&end).await.status, 204);
    assert_ne!(attended(&other, &refreshed).await, 200, "what ended at one has ended at the other");
}

#[tokio::test]
async fn a_clock_that_is_moved_at_one_node_is_soon_moved_at_the_other() {
    if !database::is_there() {
        return;
    }
    let (one, other) = nodes().await;
    let nl = gateway::domain::Tenant::parse("nl").unwrap();
    let now = |node: &TestServer| node.running.sandbox.gateway.now(&nl);
    let before = now(&other);
    one.advance("nl", "P40D").await;
    // Nobody says when; that it comes is what counts.
    while now(&other).duration_since(before).as_hours() < 24 * 40 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Who moves a clock at one node waits for whoever does so at the other, and goes on from there.
#[tokio::test]
async fn clocks_that_are_moved_at_both_nodes_at_once_are_moved_by_both() {
    if !database::is_there() {
        return;
    }
    let (one, other) = nodes().await;
    let nl = gateway::domain::Tenant::parse("nl").unwrap();
    let uk = gateway::domain::Tenant::parse("uk").unwrap();
    let moved = |node: &TestServer| {
        let gateway = &node.running.sandbox.gateway;
        // The two are read one after the other.
        (gateway.now(&nl).duration_since(gateway.now(&uk)).as_secs() + 1800) / 3600
    };
    let advance = async |node: &TestServer| node.advance("nl", "P10D").await;
    tokio::join!(advance(&one), advance(&other), advance(&one), advance(&other), advance(&other));
    for node in [&one, &other] {
        while moved(node) < 24 * 50 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(moved(node), 24 * 50, "each move counts once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_keeps_its_bank_in_the_database_and_the_password_to_itself() {
    if !database::is_there() {
        return;
    }
    let address = format!("{} password=s3cret", database::make().await);
    let program = Program::sandbox(BINARY, &["--database", &address]);
    assert!(program.ready["data"].is_null() && !program.ready.to_string().contains("s3cret"));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let make = |program: &Program| {
        let url = format!("{}/test-accounts", program.url("management"));
        let wish = json!({"tenant": "nl", "persona": "household"}).to_string();
        http.post(url).header("content-type", "application/json").body(wish).send()
    };
    assert_eq!(make(&program).await.unwrap().status(), 201);
    let (code, log) = program.signal("TERM");
    assert_eq!((code, log.as_str()), (Some(0), ""));
    let program = Program::sandbox(BINARY, &["--database", &address]);
    let url = format!("{}/test-accounts", program.url("management"));
    let kept = http.get(url).send().await.unwrap().text().await.unwrap();
    assert!(kept.contains("household"), "{kept}");
}

#[test]
fn a_database_that_cannot_be_reached_is_said_without_its_password() {
    let free = ["--listen", "127.0.0.1:0", "--tls-listen", "off", "--management-listen", "127.0.0.1:0"];
    for address in ["postgres://vestibule:s3cret@127.0.0.1:1/bank", "s3cret"] {
        let arguments = [&["sandbox", "--database", address], &free[..]].concat();
        let (code, out, error) = crate::vestibule(&arguments);
        assert_eq!((code, out.as_str()), (1, ""), "{error}");
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        assert!(
            error.starts_with("error: --database cannot be used: ") && !error.contains("s3cret"),
            "{error}"
        );
    }
}

/// With TLS, the certificate of the database has to be one that is trusted.
#[test]
fn a_database_with_tls_is_used_if_its_certificate_is_trusted() {
    if !database::is_there() {
        return;
    }
    let variable = |name: &str| std::env::var(name).unwrap();
    let address = variable("VESTIBULE_TEST_POSTGRES_TLS");
    let start = |authorities: Option<String>| {
        let mut command = testkit::command(BINARY);
        command.args(["sandbox", "--json", "--database", &address, "--tls-listen", "off"]);
        command.args(["--listen", "127.0.0.1:0", "--management-listen", "127.0.0.1:0"]);
        command.envs(authorities.map(|file| ("SSL_CERT_FILE", file)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let refused = start(None).wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains("--database cannot be used") && error.contains("certificate"), "{error}");
    let mut trusted = start(Some(variable("VESTIBULE_TEST_POSTGRES_CA")));
    let mut line = String::new();
    BufReader::new(trusted.stdout.take().unwrap()).read_line(&mut line).unwrap();
    trusted.kill().unwrap();
    let ended = trusted.wait_with_output().unwrap();
    assert!(line.contains("\"ready\":true"), "{line}{}", String::from_utf8_lossy(&ended.stderr));
}
