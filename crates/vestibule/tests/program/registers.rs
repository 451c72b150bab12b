//! Registers of payment institutions before a gateway: the one of a sandbox at its service and as a file, and the stop list.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use testkit::{Answer, Request, Signer, TestServer};
use vestibule::configuration::Configuration;

use crate::configuration::Files;
use crate::serve::{
    NO_CORE, Scene, configuration, consented, error, registered, registered_with, write_configuration,
};
use crate::waiting::until;

const ID: &str = "PSDNL-DNB-R654321";

/// Lets the sandbox's register say something.
async fn list(core: &TestServer, listing: Value) {
    let (status, said) = core.manage("PUT", &format!("/register/{ID}"), listing).await;
    assert_eq!(status, 200, "{said}");
}

/// Onboards at a branch.
async fn onboard(scene: &Scene, branch: &str, (qwac, seal): (&Signer, &Signer)) -> Answer {
    let id = format!("register-{}", uuid());
    let request = Request::onboarding(branch).set("x-request-id", id).signed(seal);
    request.exchange(&scene.client(Some(qwac)), &scene.interface()).await
}

/// An id that no other call of this process has.
fn uuid() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn text(answer: &Answer) -> String {
    answer.json()["tppMessages"][0]["text"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

/// A gateway that asks the sandbox's register.
async fn asking(more: &str) -> (Scene, Signer, Signer) {
    let core = TestServer::start().await;
    let url = format!("{}/register", core.running.addresses.management);
    let more = format!("[register]\nurl = \"{url}\"\n{more}");
    let scene = Scene::behind(core, Files::new(), &more).await;
    let (qwac, seal) = (scene.certificate("qwac").await, scene.certificate("qseal").await);
    (scene, qwac, seal)
}

/// Sets the system's time ahead, so that what is known is asked about again.
fn later(scene: &Scene, minutes: i64) {
    scene.clock.as_ref().unwrap().by_more(minutes);
}

/// The number of a metric.
async fn number(scene: &Scene, metric: &str) -> i64 {
    let (_, metrics) = scene.managed("/metrics").await;
    let line = metrics.lines().find(|line| line.starts_with(metric));
    let line = line.unwrap_or_else(|| panic!("{metric}: {metrics}"));
    line.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{line}"))
}

/// How old the register is, as a node that is ready says.
async fn age(scene: &Scene) -> i64 {
    let (status, ready) = scene.managed("/health/ready").await;
    let ready: Value = serde_json::from_str(&ready).unwrap();
    assert_eq!((status, &ready["status"]), (200, &json!("ready")));
    ready["registerAgeSeconds"].as_i64().unwrap_or_else(|| panic!("{ready}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_register_says_is_what_a_third_party_may_do() {
    let (scene, qwac, seal) = asking("").await;
    let customer = scene.core.customer("nl", "saver").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let read = async |client: &reqwest::Client| {
        tpp.read("/v1/accounts", &consent).exchange(client, &scene.interface()).await
    };
    assert_eq!(read(&client).await.status, 200);
    // One question for all of these calls.
    assert_eq!(number(&scene, "vestibule_register_questions_total").await, 1);
    assert!(number(&scene, "vestibule_register_calls_total{outcome=\"listed\"}").await > 5);

    // Its branch in another country is another passport.
    for (listing, at_home, abroad) in [
        (json!({"status": "active", "services": {"NL": ["PSP_AI"], "GB": ["PSP_AI"]}}), 200, 200),
        (json!({"status": "active", "services": {"NL": ["PSP_AI"]}}), 200, 401),
        (json!({"status": "active", "services": {"NL": [], "GB": ["PSP_AI"]}}), 401, 200),
    ] {
        list(&scene.core, listing.clone()).await;
        later(&scene, 11);
        for (branch, expected) in [("nl", at_home), ("uk", abroad)] {
            let answer = onboard(&scene, branch, (&qwac, &seal)).await;
            assert_eq!(answer.status, expected, "{listing} {branch}: {}", answer.body);
            if expected == 401 {
                assert_eq!(error(&answer), "ROLE_INVALID");
                let country = if branch == "nl" { "NL" } else { "GB" };
                assert!(
                    text(&answer).contains(&format!("does not say that {ID} may offer"))
                        && text(&answer).contains(&format!("in {country}; ask the competent authority")),
                    "{}",
                    answer.body
                );
            }
        }
    }
    // A role that was withdrawn ends what it was for, and nothing else.
    list(&scene.core, json!({"status": "active", "services": {"NL": ["PSP_PI"]}})).await;
    later(&scene, 11);
    let refused = read(&client).await;
    assert_eq!((refused.status, error(&refused).as_str()), (401, "ROLE_INVALID"), "{}", refused.body);
    assert!(text(&refused).contains("may offer PSP_AI in NL"), "{}", refused.body);
    let payment = testkit::euro_payment("12.50", "NL91ABNA0417164300");
    let asked = tpp.payment_request("payments/sepa-credit-transfers", &payment);
    assert_eq!(asked.exchange(&client, &scene.interface()).await.status, 201);

    // An authorisation that was withdrawn ends everything, at each door.
    list(&scene.core, json!({"status": "withdrawn"})).await;
    later(&scene, 11);
    let refused = [read(&client).await, onboard(&scene, "nl", (&qwac, &seal)).await];
    for refused in refused {
        assert_eq!(
            (refused.status, error(&refused).as_str()),
            (401, "CERTIFICATE_BLOCKED"),
            "{}",
            refused.body
        );
        assert!(text(&refused).contains(&format!("says that the authorisation of {ID} was withdrawn")));
    }
    let form = "grant_type=refresh_token&refresh_token=".to_owned() + &consent.refresh_token;
    let refused = tpp.token_request(&form).exchange(&client, &scene.interface()).await;
    assert!(refused.status == 401 && refused.body.contains("CERTIFICATE_BLOCKED"), "{}", refused.body);

    // It is authorised again.
    list(&scene.core, json!({"status": "active"})).await;
    later(&scene, 2);
    let accepted = read(&client).await;
    assert_eq!(accepted.status, 200, "{}", accepted.body);
    // Whoever is not listed is let in, and counted.
    list(&scene.core, json!({"status": "absent"})).await;
    later(&scene, 11);
    assert_eq!(read(&client).await.status, 200);
    assert!(number(&scene, "vestibule_register_calls_total{outcome=\"unlisted\"}").await > 0);
    assert!(number(&scene, "vestibule_register_calls_total{outcome=\"refused\"}").await >= 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_bank_lets_nobody_in_whom_no_register_lists() {
    let (scene, qwac, seal) = asking("unlisted = \"refuse\"\n").await;
    let (qwac, seal) = (&qwac, &seal);
    assert_eq!(onboard(&scene, "nl", (qwac, seal)).await.status, 200);
    assert!((0..600).contains(&age(&scene).await));
    list(&scene.core, json!({"status": "absent"})).await;
    later(&scene, 11);
    let refused = onboard(&scene, "nl", (qwac, seal)).await;
    assert_eq!((refused.status, error(&refused).as_str()), (401, "CERTIFICATE_BLOCKED"), "{}", refused.body);
    assert!(text(&refused).contains("no register of payment institutions lists"), "{}", refused.body);
    // A bank is in a register of its own.
    let bank = json!({"organizationIdentifier": ID, "profile": "qwac", "roles": ["PSP_AS", "PSP_AI"]});
    let other = json!({"organizationIdentifier": ID, "profile": "qseal", "roles": ["PSP_AS", "PSP_AI"]});
    let (bank, other) = (scene.core.certificate(bank).await, scene.core.certificate(other).await);
    assert_eq!(onboard(&scene, "nl", (&bank, &other)).await.status, 200);

    // The service is away: nobody new is let in, and is told when to come again.
    let scene = {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let more = format!("[register]\nurl = \"http://{}/x\"\n", nobody.local_addr().unwrap());
        drop(nobody);
        Scene::behind(scene.core, Files::new(), &(more + "unlisted = \"refuse\"\n")).await
    };
    let seal = scene.certificate("qseal").await;
    let away = onboard(&scene, "nl", (&bank, &seal)).await;
    assert_eq!((away.status, away.header("retry-after")), (503, "20"), "{}", away.body);
    assert!(text(&away).contains("the register of payment institutions does not answer"), "{}", away.body);
    assert_eq!(scene.managed("/health/ready").await.1, "{\"status\":\"ready\"}");
    assert!(number(&scene, "vestibule_register_questions_unanswered_total").await > 0);
}

/// Writes a register whose copy is of so many hours before now.
pub(crate) fn write(files: &Files, register: &Value, hours: u64) {
    let path = files.path("new.json");
    fs::write(&path, register.to_string()).unwrap();
    let now = u64::try_from(testkit::now().as_second()).unwrap();
    let of = SystemTime::UNIX_EPOCH + Duration::from_secs(now - hours * 3600);
    File::options().write(true).open(&path).unwrap().set_modified(of).unwrap();
    fs::rename(path, files.path("register.json")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_read_again_and_the_stop_list_comes_first() {
    let core = TestServer::start().await;
    let both = ["qwac", "qseal"].map(|profile| json!({"organizationIdentifier": ID, "profile": profile}));
    let (qwac, seal) = (core.certificate(both[0].clone()).await, core.certificate(both[1].clone()).await);
    let (_, register) = core.manage("GET", "/register", Value::Null).await;
    assert_eq!(register[1][0]["Properties"][0]["ENT_NAT_REF_COD"], "R654321", "{register}");
    list(&core, json!({"status": "withdrawn"})).await;
    let (_, withdrawn) = core.manage("GET", "/register", Value::Null).await;
    let files = Files::new();
    write(&files, &register, 5);
    let more = "[register]\nfile = \"register.json\"\nstop_list_file = \"stop-list.txt\"\n";
    let mut scene = Scene::behind(core, files, more).await;
    assert_eq!(onboard(&scene, "nl", (&qwac, &seal)).await.status, 200);
    // The bank's clock goes on from the moment that the file is five hours older than.
    let five = 5 * 3600..6 * 3600;
    assert!(five.contains(&age(&scene).await));
    assert!(five.contains(&number(&scene, "vestibule_register_age_seconds").await));

    write(&scene.files, &withdrawn, 4);
    assert!(scene.served.reload(configuration(&scene.files, NO_CORE, more)).unwrap().is_empty());
    let refused = until(401, async || onboard(&scene, "nl", (&qwac, &seal)).await).await;
    assert_eq!(error(&refused), "CERTIFICATE_BLOCKED", "{}", refused.body);
    // What is no register changes nothing.
    for nonsense in [json!([[{}], []]), json!("nonsense"), json!([[{}], [{"CA_OwnerID": 1}]])] {
        write(&scene.files, &nonsense, 3);
        scene.served.reload(configuration(&scene.files, NO_CORE, more)).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(onboard(&scene, "nl", (&qwac, &seal)).await.status, 401);
    }
    // One that is too old is not looked at; one of now is.
    write(&scene.files, &withdrawn, 7 * 24 + 1);
    scene.served.reload(configuration(&scene.files, NO_CORE, more)).unwrap();
    until(200, async || onboard(&scene, "nl", (&qwac, &seal)).await).await;
    assert!(number(&scene, "vestibule_register_calls_total{outcome=\"untold\"}").await > 0);
    write(&scene.files, &register, 0);
    scene.served.reload(configuration(&scene.files, NO_CORE, more)).unwrap();
    assert_eq!(onboard(&scene, "nl", (&qwac, &seal)).await.status, 200);

    // Staff stops the third party, then one certificate of it, then nobody.
    let fingerprint = qwac.certificate.fingerprint_hex().to_uppercase();
    for (stopped, expected) in [(ID, 401), (fingerprint.as_str(), 401), ("# nobody", 200)] {
        fs::write(scene.files.path("stop-list.txt"), format!("{stopped} # by us\n")).unwrap();
        assert!(scene.served.reload(configuration(&scene.files, NO_CORE, more)).unwrap().is_empty());
        let answer = onboard(&scene, "nl", (&qwac, &seal)).await;
        assert_eq!(answer.status, expected, "{stopped}: {}", answer.body);
        if expected == 401 {
            assert_eq!(error(&answer), "CERTIFICATE_BLOCKED");
            assert!(text(&answer).contains(&format!("{ID} was stopped by the bank")), "{}", answer.body);
        }
    }
    // A line that would stop nobody is refused with its number; in quotation marks an identifier is taken as it stands.
    for damaged in [" stopped by Jane", ", PSDNL-DNB-R2", ";", "."] {
        fs::write(scene.files.path("stop-list.txt"), format!("# stopped\n{ID}{damaged}\n")).unwrap();
        let path = write_configuration(&scene.files, NO_CORE, more);
        let refused = format!("{:?}", Configuration::read(&path, testkit::now()).unwrap_err());
        assert!(refused.contains("line 2 is more than an organizationIdentifier"), "{damaged}: {refused}");
    }
    for (stopped, expected) in [(format!("\"{ID}\""), 401), (format!("\"{ID};\""), 200)] {
        fs::write(scene.files.path("stop-list.txt"), &stopped).unwrap();
        assert!(scene.served.reload(configuration(&scene.files, NO_CORE, more)).unwrap().is_empty());
        assert_eq!(onboard(&scene, "nl", (&qwac, &seal)).await.status, expected, "{stopped}");
    }
    let other = "[register]\nfile = \"other.json\"\n";
    fs::copy(scene.files.path("register.json"), scene.files.path("other.json")).unwrap();
    assert_eq!(
        scene.served.reload(configuration(&scene.files, NO_CORE, other)).unwrap(),
        ["register"],
        "at the next start"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_to_be_stopped_at_once_is_and_stays_so() {
    let mut scene = Scene::with("").await;
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let user_info = async |scene: &Scene| {
        let token = format!("Bearer {}", consent.access_token);
        let request = Request::new("GET", "/auth/nl/v1/userinfo").set("authorization", token);
        request.exchange(&client, &scene.interface()).await
    };
    let answer = user_info(&scene).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    // There was no section at the start.
    let more = "[register]\nstop_list_file = \"stop-list.txt\"\n";
    let fingerprint = qwac.certificate.fingerprint_hex();
    for stopped in [ID, &fingerprint] {
        fs::write(scene.files.path("stop-list.txt"), stopped).unwrap();
        assert!(scene.served.reload(configuration(&scene.files, NO_CORE, more)).unwrap().is_empty());
        let refused = onboard(&scene, "nl", (&qwac, &tpp.signer)).await;
        assert_eq!((refused.status, error(&refused).as_str()), (401, "CERTIFICATE_BLOCKED"), "{stopped}");
        // Nor does a token go on that is shown with the certificate.
        let refused = user_info(&scene).await;
        assert!(
            refused.status == 400 && refused.body.contains("was stopped by the bank"),
            "{stopped}: {} {}",
            refused.status,
            refused.body
        );
        assert!(number(&scene, "vestibule_register_calls_total{outcome=\"refused\"}").await >= 2);
        // The section goes again, and with it all that is in it.
        assert!(scene.served.reload(configuration(&scene.files, NO_CORE, "")).unwrap().is_empty());
        assert_eq!(onboard(&scene, "nl", (&qwac, &tpp.signer)).await.status, 200, "{stopped}");
        assert_eq!(user_info(&scene).await.status, 200, "{stopped}");
    }
    assert_eq!(number(&scene, "vestibule_register_calls_total{outcome=\"untold\"}").await, 0);

    // Where a register goes with the section, that is for the next start, and so is the end of the stop list.
    let (_, register) = scene.core.manage("GET", "/register", Value::Null).await;
    write(&scene.files, &register, 1);
    let Scene { core, served, files, .. } = scene;
    served.stop().await;
    fs::write(files.path("stop-list.txt"), ID).unwrap();
    let with_file = "[register]\nfile = \"register.json\"\nstop_list_file = \"stop-list.txt\"\n";
    let mut scene = Scene::behind(core, files, with_file).await;
    assert_eq!(onboard(&scene, "nl", (&qwac, &tpp.signer)).await.status, 401);
    let later = scene.served.reload(configuration(&scene.files, NO_CORE, "")).unwrap();
    assert_eq!(later, ["register"]);
    assert_eq!(onboard(&scene, "nl", (&qwac, &tpp.signer)).await.status, 401);
    // A stop list of its own is taken up.
    fs::write(scene.files.path("stop-list.txt"), "# nobody").unwrap();
    assert_eq!(scene.served.reload(configuration(&scene.files, NO_CORE, more)).unwrap(), ["register"]);
    assert_eq!(onboard(&scene, "nl", (&qwac, &tpp.signer)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_bank_asks_the_register_where_no_certificate_is_shown_too() {
    let (scene, qwac, _) = asking("unlisted = \"refuse\"\n").await;
    let customer = scene.core.customer("nl", "saver").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let refresh = async |tpp: &testkit::TestTpp, client: &reqwest::Client, token: &str| {
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        tpp.token_request(&form).exchange(client, &scene.interface()).await
    };
    // A bank is in another register: it is known by the role in its certificate.
    let bank = "PSDNL-DNB-B000001";
    let signer = async |profile: &str| {
        let asked =
            json!({"organizationIdentifier": bank, "profile": profile, "roles": ["PSP_AS", "PSP_AI"]});
        scene.core.certificate(asked).await
    };
    let (bank_qwac, bank_seal) = (signer("qwac").await, signer("qseal").await);
    let (status, said) =
        scene.core.manage("PUT", &format!("/register/{bank}"), json!({"status": "absent"})).await;
    assert_eq!(status, 200, "{said}");
    let bank_client = scene.client(Some(&bank_qwac));
    let bank = registered_with(&scene, &bank_client, bank_seal).await;
    let unknown = refresh(&bank, &bank_client, "unknown").await;
    assert!(unknown.status == 400 && unknown.body.contains("Unknown refresh token"), "{}", unknown.body);

    list(&scene.core, json!({"status": "absent"})).await;
    later(&scene, 11);
    let refused = refresh(&tpp, &client, &consent.refresh_token).await;
    assert!(
        refused.status == 401 && refused.body.contains("no register of payment institutions lists"),
        "{}",
        refused.body
    );
    // Nor is it enough to be listed for nothing that third parties do.
    list(&scene.core, json!({"status": "active", "services": {"NL": [], "BE": ["PSP_AI"]}})).await;
    later(&scene, 11);
    let refused = refresh(&tpp, &client, &consent.refresh_token).await;
    assert!(refused.status == 401 && refused.body.contains("any service in NL"), "{}", refused.body);
    list(&scene.core, json!({"status": "active"})).await;
    later(&scene, 11);
    let answer = refresh(&tpp, &client, &consent.refresh_token).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_a_time_that_is_not_yet_gets_old_all_the_same() {
    let core = TestServer::start().await;
    let both = ["qwac", "qseal"].map(|profile| json!({"organizationIdentifier": ID, "profile": profile}));
    let (qwac, seal) = (core.certificate(both[0].clone()).await, core.certificate(both[1].clone()).await);
    list(&core, json!({"status": "withdrawn"})).await;
    let (_, register) = core.manage("GET", "/register", Value::Null).await;
    let files = Files::new();
    write(&files, &register, 0);
    let of = SystemTime::UNIX_EPOCH
        + Duration::from_secs(u64::try_from(testkit::now().as_second()).unwrap() + 1000 * 24 * 3600);
    File::options().write(true).open(files.path("register.json")).unwrap().set_modified(of).unwrap();
    let scene = Scene::behind(core, files, "[register]\nfile = \"register.json\"\n").await;
    assert_eq!(onboard(&scene, "nl", (&qwac, &seal)).await.status, 401);
    assert!((0..600).contains(&age(&scene).await));
    later(&scene, 8 * 24 * 60);
    assert_eq!(onboard(&scene, "nl", (&qwac, &seal)).await.status, 200, "nobody is looked up in it");
    assert!(age(&scene).await >= 8 * 24 * 3600);
    let (_, ready) = scene.managed("/health/ready").await;
    let ready: Value = serde_json::from_str(&ready).unwrap();
    let told = ready["parts"]["register"].as_str().unwrap_or_else(|| panic!("{ready}"));
    assert!(told.starts_with("it is older than seven days"), "{ready}");
}

#[tokio::test]
async fn the_sandboxes_register_can_be_moved_and_says_why_not() {
    let core = TestServer::start().await;
    let path = format!("/register/{ID}");
    assert_eq!(core.manage("GET", &path, Value::Null).await.1[1], json!([]));
    core.certificate(json!({"organizationIdentifier": ID, "profile": "qwac", "roles": ["PSP_AI"]})).await;
    let (_, said) = core.manage("GET", &path, Value::Null).await;
    assert_eq!(said[1][0]["CA_OwnerID"], "NL_DNB");
    let services = said[1][0]["Services"].as_array().unwrap();
    assert!(services.contains(&json!({"NL": ["PS_080"]})), "{said}");
    let (status, said) = core.manage("PUT", &path, json!({"status": "withdrawn"})).await;
    assert_eq!((status, &said["services"]["NL"]), (200, &json!(["PSP_AI"])), "{said}");
    for (path, body, problem) in [
        (path.as_str(), json!({"status": "gone"}), "status"),
        (&path, json!({}), "status"),
        (&path, json!({"status": "active", "services": {"XX": []}}), "\"XX\" is no country"),
        (
            &path,
            json!({"status": "active", "services": {"NL": ["PSP_AS"]}}),
            "\"PSP_AS\" is not one of PSP_PI, PSP_AI",
        ),
        (&path, json!({"status": "active", "services": {"NL": ["PSP_XX"]}}), "\"PSP_XX\" is not one of"),
        ("/register/DNB-1", json!({"status": "active"}), "it must begin with PSD, VAT"),
        ("/register/VATNL-1", json!({"status": "active"}), "authorisation number"),
    ] {
        let (status, said) = core.manage("PUT", path, body.clone()).await;
        assert!(
            status == 400 && said.to_string().replace('\\', "").contains(problem),
            "{path} {body}: {said}"
        );
    }
}
