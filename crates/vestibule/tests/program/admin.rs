//! The interface of the bank's staff: who is let in, what they find, what they do, and that third parties notice.

use std::fs;

use reqwest::Client;
use serde_json::{Value, json};
use testkit::{Answer, Request, Signer, TestCa, euro_payment};

use crate::admin_erasure::columns;
use crate::audit::{entries_with, tamper};
use crate::configuration::Files;
use crate::serve::{NO_CORE, Scene, configuration, consented, error, registered};
use crate::{BINARY, vestibule};

pub(crate) const ID: &str = "PSDNL-DNB-R654321";

/// The people of a bank.
pub(crate) struct People {
    pub(crate) reader: Signer,
    pub(crate) operator: Signer,
    pub(crate) auditor: Signer,
    /// Somebody with a certificate and without a role.
    nobody: Signer,
}

impl People {
    pub(crate) fn of(ca: &TestCa) -> Self {
        let person = |name: &str| ca.issue(&TestCa::subject(name), &[], |_| {});
        Self {
            reader: person("STAFF-1"),
            operator: person("STAFF-2"),
            auditor: person("STAFF-3"),
            nobody: person("STAFF-4"),
        }
    }

    /// The section of the configuration. The operator is named by their certificate.
    pub(crate) fn section(&self) -> String {
        let operator = fingerprint(&self.operator).to_ascii_uppercase();
        self.section_with(&format!("sha256:{operator}"))
    }

    fn section_with(&self, operator: &str) -> String {
        format!(
            "[admin]\nlisten = \"127.0.0.1:0\"\ncertificate_file = \"admin.pem\"\nkey_file = \"admin.key\"\n\
             trust_files = [\"staff-authority.pem\"]\nreaders = ['{}']\noperators = [\"{operator}\"]\nauditors = ['{}']\n",
            self.reader.certificate.subject, self.auditor.certificate.subject
        )
    }
}

/// SHA-256 of a certificate.
pub(crate) fn fingerprint(signer: &Signer) -> String {
    use aws_lc_rs::digest::{SHA256, digest};
    digest(&SHA256, &signer.certificate.der).as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A gateway with an interface for staff.
pub(crate) async fn staffed() -> (Scene, People, String) {
    let files = Files::new();
    let people = People::of(&files.ca);
    let scene = Scene::of(files, &people.section()).await;
    let admin = format!("https://{}", scene.served.admin().unwrap());
    (scene, people, admin)
}

pub(crate) async fn get(client: &Client, admin: &str, path: &str) -> Answer {
    Request::new("GET", path).exchange(client, admin).await
}

pub(crate) async fn post(client: &Client, admin: &str, path: &str, body: &Value) -> Answer {
    Request::new("POST", path).body("application/json", body.to_string()).exchange(client, admin).await
}

fn ids(answer: &Answer, name: &str) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let items = answer.json()[name].as_array().unwrap().clone();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn refused(answer: &Answer, status: u16, parts: &[&str]) {
    let is_told = parts.iter().all(|part| answer.body.contains(part));
    assert!(answer.status == status && is_told, "{parts:?}: {} {}", answer.status, answer.body);
}

#[tokio::test]
async fn nobody_comes_in_without_a_role() {
    let (mut scene, people, admin) = staffed().await;
    let stranger = TestCa::new("Authority of others").issue(&TestCa::subject("STAFF-2"), &[], |_| {});
    for client in [scene.client(None), scene.client(Some(&stranger))] {
        assert!(client.get(format!("{admin}/third-parties")).send().await.is_err(), "the handshake ends it");
    }
    let nobody = scene.client(Some(&people.nobody));
    for path in ["/third-parties", "/openapi.json", "/none"] {
        refused(&get(&nobody, &admin, path).await, 403, &["\"no_role\"", &fingerprint(&people.nobody)]);
    }
    let [reader, operator, auditor] =
        [&people.reader, &people.operator, &people.auditor].map(|one| scene.client(Some(one)));
    let block = format!("/third-parties/{ID}/block");
    let why = json!({"reason": "x"});
    for (client, path) in [(&reader, block.as_str()), (&auditor, &block), (&reader, "/consents/c/withdraw")] {
        refused(&post(client, &admin, path, &why).await, 403, &["role_missing", "operators"]);
    }
    refused(&get(&auditor, &admin, "/consents").await, 403, &["role_missing", "readers and operators"]);
    refused(&post(&operator, &admin, &block, &why).await, 404, &["third party not found"]);
    refused(&get(&reader, &admin, "/none").await, 404, &["not_found"]);
    let odd = Request::new("DELETE", "/consents").exchange(&reader, &admin).await;
    refused(&odd, 405, &["invalid_request"]);

    // What is served is described, in the copy beside the sources too.
    let described = get(&auditor, &admin, "/openapi.json").await.json();
    let copy = include_str!("../../src/serve/admin/openapi.json");
    assert_eq!(described, serde_json::from_str::<Value>(copy).unwrap(), "vestibule admin description");
    for (path, operations) in described["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let path = path.replace("{id}", "none").replace("{branch}", "nl");
            let answer = match method.as_str() {
                "get" => get(&operator, &admin, &path).await,
                _ => post(&operator, &admin, &path, &why).await,
            };
            // Some acts need more than a reason.
            let says_what = ["not found", "missing field"].iter().any(|text| answer.body.contains(text));
            let is_there = answer.status == 200 || says_what || answer.status == 403;
            assert!(is_there, "{method} {path}: {} {}", answer.status, answer.body);
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }

    // Another operator, and then another authority, from the next call on, also over a connection that is there.
    let section = people.section_with(&format!("sha256:{}", fingerprint(&people.nobody)));
    assert!(scene.served.reload(configuration(&scene.files, NO_CORE, &section)).unwrap().is_empty());
    refused(&get(&operator, &admin, "/consents").await, 403, &["no_role"]);
    let lasting = scene.lasting_client(Some(&people.nobody));
    assert_eq!(get(&lasting, &admin, "/consents").await.status, 200);
    let other = TestCa::new("Another authority of staff");
    fs::write(scene.files.path("staff-authority.pem"), other.pem()).unwrap();
    assert!(scene.served.reload(configuration(&scene.files, NO_CORE, &section)).unwrap().is_empty());
    let fresh = scene.client(Some(&people.nobody));
    assert!(fresh.get(format!("{admin}/consents")).send().await.is_err(), "no longer an authority of staff");
    refused(
        &get(&lasting, &admin, "/consents").await,
        401,
        &["certificate_unknown", "trust_files", "connect anew"],
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "tables of queries and refusals, at one gateway")]
async fn staff_finds_blocks_and_withdraws() {
    let (scene, people, admin) = staffed().await;
    let [reader, operator] = [&people.reader, &people.operator].map(|one| scene.client(Some(one)));
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let read = async || tpp.read("/v1/accounts", &consent).exchange(&client, &scene.interface()).await;
    assert_eq!(read().await.status, 200);
    let asked = tpp.payment_request("payments/sepa-credit-transfers", &{
        let mut body = euro_payment("12.50", "NL91ABNA0417164300");
        body["debtorAccount"] = json!({"iban": customer["iban"]});
        body
    });
    let asked = asked.exchange(&client, &scene.interface()).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    let payment = asked.json()["paymentId"].as_str().unwrap().to_owned();

    // Found.
    let name = get(&reader, &admin, &format!("/third-parties/{ID}")).await.json();
    let beginning = name["name"].as_str().unwrap()[..3].to_ascii_lowercase().replace(' ', "+");
    for query in [
        "",
        "?number=R654321",
        "?number=PSDNL-DNB-R654321",
        "?state=active",
        &format!("?name={beginning}&state=active&limit=1"),
    ] {
        let found = get(&reader, &admin, &format!("/third-parties{query}")).await;
        assert_eq!(ids(&found, "thirdParties"), [ID], "{query}");
    }
    for query in ["?name=zz", "?number=R65432", "?state=blocked", "?name=zz&number=R654321"] {
        let found = get(&reader, &admin, &format!("/third-parties{query}")).await;
        assert_eq!(ids(&found, "thirdParties"), [""; 0], "{query}");
    }
    for (list, id) in [("consents", &consent.id), ("payments", &payment)] {
        let state = if list == "consents" { "valid" } else { "pending" };
        let found = get(&reader, &admin, &format!("/{list}?state={state}&limit=1")).await;
        assert_eq!(ids(&found, list), [id.as_str()]);
        let found = get(&reader, &admin, &format!("/{list}?state=rejected")).await;
        assert_eq!(ids(&found, list), [""; 0]);
        let one = get(&reader, &admin, &format!("/{list}/{id}")).await.json();
        assert_eq!((&one["state"], &one["thirdParty"]), (&json!(state), &json!(ID)));
        refused(&get(&reader, &admin, &format!("/{list}?third_party=x&state=good")).await, 400, &["one of"]);
        let others = get(&reader, &admin, &format!("/{list}?third_party=x")).await;
        assert_eq!(ids(&others, list), [""; 0]);
    }
    // Nobody decided about it, so that it would be in no list of one third party.
    let never = get(&reader, &admin, &format!("/payments?third_party={ID}&state=pending")).await;
    refused(&never, 400, &["cannot be asked for together with third_party", "by its id"]);
    let of_one = get(&reader, &admin, &format!("/consents?third_party={ID}")).await;
    assert_eq!(ids(&of_one, "consents"), [consent.id.as_str()]);
    for (query, text) in [
        ("?who=x", "there is no parameter \\\"who\\\"; there are name, number, state, after, limit"),
        ("?limit=0", "is not a number from 1 to 200"),
        ("?limit=x", "is not a number from 1 to 200"),
        ("?state=%22%3Cb%3E", "is not one of active, blocked"),
        ("?name=a&name=b", "more than once"),
        ("?after=nobody", "take next of the page before"),
        (&format!("?after={ID}"), "take next of the page before"),
    ] {
        refused(&get(&reader, &admin, &format!("/third-parties{query}")).await, 400, &[text]);
    }
    for (path, text) in [
        ("/consents?after=x", "is no place in this list"),
        ("/funds-consents?after=nonsense", "is no place in this list"),
        ("/payments?after=nonsense", "is no place in this list"),
        ("/payments?after=%00", "is no place in this list"),
        (&format!("/payments?after={payment}"), "is no place in this list"),
        ("/consents?third_party=", "third_party is empty; give it a value, or leave it out"),
        ("/payments?state=", "state is empty"),
        ("/third-parties?state=&name=a", "state is empty"),
        ("/consents?after=", "after is empty"),
        ("/third-parties/%ff%fe", "the path is not valid UTF-8"),
        ("/consents/%C3/", "the path is not valid UTF-8"),
    ] {
        let answer = get(&reader, &admin, path).await;
        refused(&answer, 400, &["{\"error\":\"invalid_request\"", text]);
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
    }
    let odd = post(&operator, &admin, "/customers/n%ff/a/erase", &json!({"reason": "x"})).await;
    refused(&odd, 400, &["{\"error\":\"invalid_request\"", "the path is not valid UTF-8"]);

    // Blocked for five minutes: the third party learns until when, and not why. What it was given is good again afterwards.
    let (block, unblock) = (format!("/third-parties/{ID}/block"), format!("/third-parties/{ID}/unblock"));
    let until = testkit::now() + jiff_minutes(5);
    for (body, text) in [
        (json!({}), "reason"),
        (json!({"reason": " "}), "a text of 1 to 500 characters"),
        (json!({"reason": "a\u{202e}b"}), "none of them hidden"),
        (json!({"reason": "x", "until": "soon"}), "until: "),
        (json!({"reason": "x", "until": "2001-01-01T00:00:00Z"}), "until has to be later than now"),
        (json!({"reason": "x", "till": "2001-01-01T00:00:00Z"}), "till"),
    ] {
        refused(&post(&operator, &admin, &block, &body).await, 400, &[text]);
    }
    let form = Request::new("POST", &block).form("reason=x").exchange(&operator, &admin).await;
    assert_eq!(form.status, 415, "{}", form.body);
    refused(&post(&operator, &admin, &unblock, &json!({"reason": "x"})).await, 409, &["is not blocked"]);
    let secret = "Suspected of a leak.";
    let blocked =
        post(&operator, &admin, &block, &json!({"reason": secret, "until": until.to_string()})).await;
    assert_eq!((blocked.status, &blocked.json()["state"]), (200, &json!("blocked")), "{}", blocked.body);
    assert_eq!(ids(&get(&reader, &admin, "/third-parties?state=blocked").await, "thirdParties"), [ID]);
    let answer = read().await;
    assert_eq!((answer.status, error(&answer).as_str()), (401, "CERTIFICATE_BLOCKED"), "{}", answer.body);
    let is_told = answer.body.contains(&format!("it may act again from {}", whole_second(until)));
    assert!(is_told && !answer.body.contains("leak"), "{}", answer.body);
    let token = tpp.token_request("grant_type=refresh_token&refresh_token=x");
    let token = token.exchange(&client, &scene.interface()).await;
    assert!(token.status == 401 && token.body.contains("CERTIFICATE_BLOCKED"), "{}", token.body);
    scene.core.advance("nl", "PT6M").await;
    let answer = read().await;
    assert_eq!(answer.status, 200, "{}", answer.body);

    // Blocked until it is lifted: what customers gave ends.
    let blocked = post(&operator, &admin, &block, &json!({"reason": secret})).await;
    assert_eq!(blocked.json()["blocked"]["until"], Value::Null);
    assert_eq!(error(&read().await), "CERTIFICATE_BLOCKED");
    let lifted = post(&operator, &admin, &unblock, &json!({"reason": "Mended."})).await;
    assert_eq!((lifted.status, &lifted.json()["state"]), (200, &json!("active")), "{}", lifted.body);
    assert!(read().await.status >= 400, "the consent has ended");
    let ended = get(&reader, &admin, &format!("/consents/{}", consent.id)).await.json();
    assert_eq!((&ended["state"], &ended["decision"]), (&json!("expired"), &json!("endedByBank")));

    // Withdrawn, once.
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let withdraw = format!("/consents/{}/withdraw", consent.id);
    let done = post(&operator, &admin, &withdraw, &json!({"reason": "Asked for."})).await;
    assert_eq!((done.status, &done.json()["state"]), (200, &json!("expired")), "{}", done.body);
    let answer = tpp.read("/v1/accounts", &consent).exchange(&client, &scene.interface()).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
    let again = post(&operator, &admin, &withdraw, &json!({"reason": "Asked for."})).await;
    refused(&again, 409, &["it has ended before: it is expired"]);
    let odd =
        post(&operator, &admin, &format!("/funds-consents/{}/withdraw", consent.id), &json!({"reason": "x"}))
            .await;
    refused(&odd, 404, &["consent not found"]);
}

/// Lists of what third parties asked for go on by the place that a page names, each list by its own.
#[tokio::test]
async fn lists_of_consents_and_payments_go_on_by_their_own_places() {
    let (scene, people, admin) = staffed().await;
    let reader = scene.client(Some(&people.reader));
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let mut wanted = [const { Vec::new() }; 3];
    for _ in 0..3 {
        let iban = customer["iban"].as_str().unwrap();
        let asked = [
            tpp.consent_request(&testkit::detailed(iban, true)),
            tpp.funds_consent_request(&json!({"account": {"iban": iban}})),
            tpp.payment_request(
                "payments/sepa-credit-transfers",
                &euro_payment("12.50", "NL91ABNA0417164300"),
            ),
        ];
        for ((request, member), wanted) in
            asked.iter().zip(["consentId", "consentId", "paymentId"]).zip(&mut wanted)
        {
            let answer = request.clone().exchange(&client, &scene.interface()).await;
            assert_eq!(answer.status, 201, "{}", answer.body);
            wanted.insert(0, answer.json()[member].as_str().unwrap().to_owned());
        }
    }
    let lists = [("consents", "consents"), ("funds-consents", "fundsConsents"), ("payments", "payments")];
    let mut places = Vec::new();
    for ((path, name), wanted) in lists.iter().zip(&wanted) {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = get(&reader, &admin, &format!("/{path}?limit=1{after}")).await;
            found.extend(ids(&page, name));
            let Some(next) = page.json()["next"].as_str().map(str::to_owned) else { break };
            after = format!("&after={next}");
            places.push((*path, next));
        }
        assert_eq!(found, *wanted, "{path}");
    }
    for (list, place) in &places {
        for (path, _) in lists.iter().filter(|(path, _)| path != list) {
            let odd = get(&reader, &admin, &format!("/{path}?after={place}")).await;
            refused(&odd, 400, &["is no place in this list; take next of the page before"]);
        }
    }
}

/// A list goes on where its page ended, whatever became of what stood there.
#[tokio::test]
async fn lists_of_third_parties_go_on_where_they_were() {
    let (scene, people, admin) = staffed().await;
    let operator = scene.client(Some(&people.operator));
    let qwac = scene.certificate("qwac").await;
    registered(&scene, &scene.client(Some(&qwac))).await;
    let why = json!({"reason": "Leaks."});
    let blocked = post(&operator, &admin, &format!("/third-parties/{ID}/block"), &why).await;
    assert_eq!(blocked.status, 200, "{}", blocked.body);
    let others = |name: &str, at: &str| {
        let columns = columns(&scene, "tpps").replacen("id", &format!("id || '-{name}'"), 1);
        columns.replacen("name", &format!("'{name}'"), 1).replacen("blocked_at", at, 1)
    };
    let rows = [("b", "blocked_at - 1"), ("c", "blocked_at - 2"), ("d", "blocked_at - 3")];
    for (name, at) in rows {
        tamper(&scene, &format!("INSERT INTO tpps SELECT {} FROM tpps WHERE id = '{ID}'", others(name, at)));
    }
    tamper(&scene, &format!("UPDATE tpps SET name = 'a' WHERE id = '{ID}'"));
    let page = async |query: &str| {
        let page = get(&operator, &admin, &format!("/third-parties?limit=1{query}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let page = page.json();
        let name = page["thirdParties"][0]["name"].as_str().map(str::to_owned);
        (name.unwrap_or_default(), page["next"].as_str().unwrap_or_default().to_owned())
    };
    for (state, change) in [
        ("", "UPDATE tpps SET name = '0' WHERE name = 'b'"),
        ("&state=blocked", "UPDATE tpps SET blocked_at = NULL WHERE name = 'b'"),
    ] {
        tamper(&scene, "UPDATE tpps SET name = 'b' WHERE name = '0'");
        let (first, next) = page(state).await;
        let (second, next) = page(&format!("{state}&after={next}")).await;
        assert_eq!((first.as_str(), second.as_str()), ("a", "b"), "{state}");
        tamper(&scene, change);
        let (third, next) = page(&format!("{state}&after={next}")).await;
        let (fourth, _) = page(&format!("{state}&after={next}")).await;
        assert_eq!((third.as_str(), fourth.as_str()), ("c", "d"), "{state}");
    }
    // A place is one of a list in one order.
    let (_, next) = page("").await;
    let odd = get(&operator, &admin, &format!("/third-parties?state=blocked&after={next}")).await;
    refused(&odd, 400, &["is no place in this list"]);
}

pub(crate) fn jiff_minutes(minutes: u64) -> std::time::Duration {
    std::time::Duration::from_secs(minutes * 60)
}

/// As moments are stored.
fn whole_second(moment: gateway::domain::Timestamp) -> gateway::domain::Timestamp {
    gateway::domain::Timestamp::from_second(moment.as_second()).unwrap()
}

/// Runs a command as a person of the staff.
pub(crate) fn as_staff<S>(
    scene: &Scene<S>,
    admin: &str,
    person: (&str, &Signer),
    arguments: &[&str],
) -> (i32, String, String) {
    let output = staff_command(scene, admin, person, arguments).output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A command of somebody of the staff.
pub(crate) fn staff_command<S>(
    scene: &Scene<S>,
    admin: &str,
    (name, person): (&str, &Signer),
    arguments: &[&str],
) -> std::process::Command {
    scene.files.pair(name, person);
    fs::write(scene.files.path("ca.pem"), scene.files.ca.pem()).unwrap();
    let mut command = testkit::command(BINARY);
    command.args(arguments).env("VESTIBULE_ADMIN", admin);
    for (variable, file) in [
        ("VESTIBULE_ADMIN_CA", "ca.pem".to_owned()),
        ("VESTIBULE_ADMIN_CERTIFICATE", format!("{name}.pem")),
        ("VESTIBULE_ADMIN_PRIVATE_KEY", format!("{name}.key")),
    ] {
        command.env(variable, scene.files.path(&file));
    }
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_do_the_same() {
    let (scene, people, admin) = staffed().await;
    let qwac = scene.certificate("qwac").await;
    registered(&scene, &scene.client(Some(&qwac))).await;
    let run = |person, arguments: &[&str]| as_staff(&scene, &admin, person, arguments);
    let (reader, operator) = (("reader", &people.reader), ("operator", &people.operator));
    let (code, out, error) = run(reader, &["admin", "third-parties", "--number", "R654321"]);
    assert!(code == 0 && out.starts_with("PSDNL-DNB-R654321  active  "), "{out}{error}");
    let (code, out, _) = run(reader, &["admin", "third-parties", "--name", "zz"]);
    assert_eq!((code, out.as_str()), (0, "Nothing was found.\n"));
    let (code, out, error) = run(reader, &["admin", "block", ID, "--reason", "x"]);
    assert!(code == 1 && out.is_empty() && error.contains("this is for operators"), "{out}{error}");
    let (code, out, error) =
        run(operator, &["admin", "block", ID, "--reason", "x", "--until", "2001-01-01T00:00:00Z"]);
    assert!(code == 1 && error.contains("until has to be later than now"), "{out}{error}");
    let (code, out, error) = run(operator, &["admin", "block", ID, "--reason", "Leaks.", "--json"]);
    let blocked: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{error}"));
    assert_eq!((code, &blocked["blocked"]["reason"]), (0, &json!("Leaks.")));
    let (code, out, _) = run(operator, &["admin", "third-party", ID]);
    assert!(code == 0 && out.contains("state            blocked"), "{out}");
    let (code, _, error) = run(operator, &["admin", "unblock", ID, "--reason", "Mended."]);
    assert_eq!(code, 0, "{error}");
    let (code, _, error) = run(operator, &["admin", "consent", "../third-parties", "--funds"]);
    assert!(code == 1 && error.contains("not found"), "{error}");
    let (code, out, error) = run(operator, &["admin", "payments", "--state", "good", "--json"]);
    assert!(code == 1 && out.contains("is not one of pending") && error.contains("error: "), "{out}{error}");

    // What a script did not set asks for nothing.
    for (arguments, text) in [
        (&["admin", "third-party", ""][..], "it is empty; give it a value"),
        (&["admin", "third-party", "."], "this is no id"),
        (&["admin", "consents", "--third-party", ""], "it is empty"),
        (&["admin", "payments", "--state", ""], "it is empty"),
        (&["admin", "erase-customer", "nl", "", "--reason", "x"], "it is empty"),
    ] {
        let (code, out, error) = run(operator, arguments);
        assert!(code == 2 && out.is_empty() && error.contains(text), "{arguments:?}: {out}{error}");
    }

    let (code, _, error) = vestibule(&["admin", "consents", "--admin", &admin]);
    assert!(code == 1 && error.contains("name yours with --certificate and --private-key"), "{error}");
    let (code, out, _) = vestibule(&["admin", "description"]);
    assert_eq!((code, out.as_str()), (0, include_str!("../../src/serve/admin/openapi.json")));
}

/// What does not come about names the option that is behind it, and none of a sandbox.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_does_not_get_through_names_its_own_options() {
    let (scene, people, admin) = staffed().await;
    let at = |name: &str| scene.files.path(name).display().to_string();
    scene.files.pair("other", &people.auditor);
    fs::write(scene.files.path("other-ca.pem"), TestCa::new("Authority of others").pem()).unwrap();
    let (key, ca, interface) = (at("other.key"), at("other-ca.pem"), scene.interface());
    for (option, value, text) in [
        ("--private-key", &key, "other.key is not the private key of the certificate in"),
        ("--ca", &ca, "name the authority of the interface's certificate with --ca"),
        ("--admin", &interface, "is not the address of the interface of a gateway's staff"),
        ("--admin", &interface, "name with --admin where [admin] of the gateway's configuration listens"),
    ] {
        let arguments = ["admin", "consents", option, value];
        let (code, out, error) = as_staff(&scene, &admin, ("reader", &people.reader), &arguments);
        assert!(code == 1 && out.is_empty() && error.contains(text), "{option}: {out}{error}");
        assert!(!error.contains("sandbox") && !error.contains("--management"), "{option}: {error}");
    }
}

#[tokio::test]
async fn what_staff_looks_at_is_in_the_trail() {
    let (scene, people, admin) = staffed().await;
    let reader = scene.client(Some(&people.reader));
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    assert_eq!(get(&reader, &admin, &format!("/consents/{}", consent.id)).await.status, 200);
    // What is not there is nobody's, and might be anything that somebody typed.
    assert_eq!(get(&reader, &admin, "/consents/NL91ABNA0417164300").await.status, 404);
    let looked = |entry: &Value| entry["staff"].is_string() && entry["route"] == "/consents/{id}";
    let all = entries_with(&scene, &people, &admin, |entry| looked(entry) && entry["status"] == 404).await;
    let looks: Vec<_> = all.iter().filter(|entry| looked(entry)).collect();
    assert_eq!(looks.len(), 2, "{looks:?}");
    assert_eq!(looks[0]["subject"], format!("consent {}", consent.id));
    assert_eq!(looks[0]["staff"], people.reader.certificate.subject.to_string());
    assert!(looks[1]["subject"].is_null() && !looks[1].to_string().contains("NL91"), "{}", looks[1]);
    // And whose data a list showed, with the certificate of the person.
    assert_eq!(get(&reader, &admin, "/consents?state=valid").await.status, 200);
    assert_eq!(get(&reader, &admin, "/consents?state=rejected").await.status, 200);
    let listed = |entry: &Value| entry["staff"].is_string() && entry["route"] == "/consents";
    let all =
        entries_with(&scene, &people, &admin, |entry| listed(entry) && entry["subjects"].is_null()).await;
    let lists: Vec<_> = all.iter().filter(|entry| listed(entry)).collect();
    assert_eq!(lists[0]["subjects"], json!([format!("consent {}", consent.id)]));
    assert!(lists[1]["subjects"].is_null(), "{}", lists[1]);
    assert_eq!(lists[0]["tlsCertificate"], fingerprint(&people.reader));
    assert_eq!((&lists[0]["tlsVerifiedBy"], &lists[0]["authenticated"]), (&json!("gateway"), &json!(true)));
}

/// A handshake looks at a certificate once, and a connection may last.
#[tokio::test]
async fn a_certificate_that_expires_is_of_no_use_on_a_connection_that_lasts() {
    let (scene, people, admin) = staffed().await;
    let reader = scene.lasting_client(Some(&people.reader));
    assert_eq!(get(&reader, &admin, "/consents").await.status, 200);
    let left = people.reader.certificate.not_after.duration_since(testkit::now());
    scene.clock.as_ref().unwrap().by_more(left.as_mins() + 1);
    refused(&get(&reader, &admin, "/consents").await, 401, &["certificate_expired", "valid from"]);
}
