//! What monitoring sees of a gateway: numbers by the names that the dashboard asks for, and which part is not ready.

use std::collections::BTreeSet;
use std::fs;

use rcgen::DnType;
use serde_json::{Value, json};
use testkit::Request;

use crate::configuration::Files;
use crate::registers;
use crate::serve::{NO_CORE, Scene, configuration, consented, registered};
use crate::serve_command::{scene, start};

const DASHBOARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/grafana/vestibule.json");

/// What only a gateway on PostgreSQL has.
const OF_POSTGRES: [&str; 3] = [
    "vestibule_database_connections_busy",
    "vestibule_database_connections_idle",
    "vestibule_database_connections_max",
];

/// The sum of the rows of a metric that have all these parts.
fn sum(metrics: &str, name: &str, parts: &[&str]) -> f64 {
    let rows = metrics.lines().filter(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && parts.iter().all(|part| line.contains(part))
    });
    rows.map(|row| row.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// Every expression of a dashboard.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("expr").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| expressions(member, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| expressions(element, found)),
        _ => {}
    }
}

/// Names of ours in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with("vestibule_") || word.starts_with("process_"))
}

/// The dashboard asks for what there is, and all that there is has its place on it.
fn assert_dashboard(metrics: &str) {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(DASHBOARD).unwrap()).unwrap();
    let mut asked = Vec::new();
    expressions(&dashboard, &mut asked);
    assert!(asked.len() > 30, "{asked:?}");
    let known: BTreeSet<&str> = metrics.lines().flat_map(names).collect();
    for expression in &asked {
        assert!(names(expression).next().is_some(), "{expression}");
        for name in names(expression).filter(|name| !OF_POSTGRES.contains(name)) {
            assert!(known.contains(name), "{name} is no metric: {expression}: {metrics}");
        }
        for by in expression.split(" by (").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            for label in by.split(',').map(str::trim) {
                assert!(metrics.contains(&format!("{label}=\"")), "{label} is no label: {expression}");
            }
        }
    }
    let all = asked.concat();
    for name in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = name.split(' ').next().unwrap();
        assert!(all.contains(name), "nothing on the dashboard is about {name}");
    }
}

/// Of certificates of one subject the end of the first is told, whichever was read last: also of those that the bank is told from others by.
#[tokio::test]
async fn of_certificates_of_one_subject_the_first_end_is_told() {
    const NAME: &str = "Authority of the tests";
    let files = Files::new();
    let named =
        [(DnType::CountryName, "ES"), (DnType::OrganizationName, NAME), (DnType::CommonName, "Test CA")];
    let sooner = eidas::certificate::to_pem(&files.ca.issue(&named, &[], |_| {}).certificate.der);
    let other = files.ca.issue(&[(DnType::CommonName, "another")], &[], |_| {});
    let other = eidas::certificate::to_pem(&other.certificate.der);
    let later = files.ca.pem().to_owned();
    fs::write(files.path("core-authority.pem"), [&*sooner, &*later].concat()).unwrap();
    let mut scene = Scene::of(files, "").await;
    let end = async |scene: &Scene, section: &str, whose: &str| {
        let metrics = scene.managed("/metrics").await.1;
        let row = format!("vestibule_certificate_expiry_timestamp_seconds{{section=\"{section}\"");
        let rows = metrics.lines().filter(|line| line.starts_with(&row) && line.contains(whose));
        rows.map(|row| row.rsplit(' ').next().unwrap().parse::<i64>().unwrap()).collect::<Vec<_>>()
    };
    let ends = 4_000_000_000;
    assert_eq!(end(&scene, "core_bank", NAME).await, [ends]);
    assert_eq!(end(&scene, "core_bank", "server").await, [ends], "its own certificate");
    for (all, expected) in [([&*later, &*sooner], 1), ([&*later, &*other], 0), ([&*sooner, &*later], 1)] {
        fs::write(scene.files.path("intermediates.pem"), all.concat()).unwrap();
        scene.served.reload(configuration(&scene.files, NO_CORE, "")).unwrap();
        let found = end(&scene, "trust", NAME).await;
        assert!(found.len() == 1 && usize::from(found[0] == ends) == expected, "{found:?}");
        let gone = end(&scene, "trust", "another").await;
        assert_eq!(gone.len(), 1 - expected, "whoever is not named any more is not told of");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_names_what_there_is() {
    let (scene, bank) = scene().await;
    let customer = scene.core.customer("nl", "saver").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    let tpp = registered(&scene, &client).await;
    let consent = consented(&scene, &tpp, &client, &customer).await;
    let accounts = || tpp.read("/v1/accounts", &consent);
    let read = accounts().exchange(&client, &scene.interface()).await;
    assert_eq!(read.status, 200, "{}", read.body);
    assert_eq!(scene.managed("/health/ready").await, (200, json!({"status": "ready"}).to_string()));

    let metrics = scene.managed("/metrics").await.1;
    let answered =
        sum(&metrics, "vestibule_core_bank_calls_total", &["operation=\"account\"", "outcome=\"answered\""]);
    assert!(answered >= 1.0, "{metrics}");
    let timed =
        sum(&metrics, "vestibule_core_bank_call_duration_seconds_count", &["operation=\"findAccounts\""]);
    assert!(timed >= 1.0, "{metrics}");
    let done = |operation: &str| {
        let operation = format!("operation=\"{operation}\"");
        (
            sum(&metrics, "vestibule_database_operations_total", &[&operation, "outcome=\"done\""]),
            sum(&metrics, "vestibule_database_operation_duration_seconds_count", &[&operation]),
        )
    };
    assert!(done("read").0 > 20.0 && done("read").1 >= done("read").0, "{metrics}");
    assert!(done("batch").0 > 5.0 && done("batch").1 >= done("batch").0, "{metrics}");
    let of_process = |name: &str| sum(&metrics, &format!("process_{name}"), &[]);
    let of_process = ["resident_memory_bytes", "open_fds", "cpu_seconds_total"].map(of_process);
    assert!(of_process[0] > 1e6 && of_process[1] > 5.0 && of_process[2] > 0.0, "{metrics}");

    // Another one beside it, which asks authorities, a register and trusted lists.
    let text = fs::read_to_string(scene.files.path("vestibule.toml")).unwrap();
    let text = text.replace("check_revocation = false", "check_revocation = true");
    let management = &scene.core.running.addresses.management;
    let text = text.replace("vestibule.db", "beside.db")
        + &format!(
            "[register]\nfile = \"register.json\"\n[trusted_lists]\nurl = \"{management}/trusted-lists/list-of-lists.xml\"\n\
             signer_files = [\"list-signers.pem\"]\n"
        );
    fs::write(scene.files.path("list-signers.pem"), scene.core.running.sandbox.authorities.root_pem())
        .unwrap();
    registers::write(&scene.files, &scene.core.manage("GET", "/register", Value::Null).await.1, 1);
    fs::write(scene.files.path("vestibule.toml"), text).unwrap();
    let (_beside, listeners) = start(&scene.files);
    let beside = Request::new("GET", "/metrics");
    let beside = beside.exchange(&scene.core.http, &format!("http://{}", listeners.management)).await.body;
    let questions = ["good", "revoked", "unanswered"]
        .map(|outcome| format!("vestibule_revocation_questions_total{{outcome=\"{outcome}\"}} 0\n"));
    assert!(questions.iter().all(|row| beside.contains(row)), "{beside}");
    for row in ["register_calls_total{outcome=\"refused\"} 0\n", "trusted_list_holds{list=\"NL\"} 1\n"] {
        assert!(beside.contains(&format!("vestibule_{row}")), "{row}: {beside}");
    }
    assert!(["revocation", "register", "trusted"].iter().all(|name| !metrics.contains(name)), "{metrics}");
    assert_dashboard(&(metrics + &beside));

    // The bank is away, and is left in peace after a few calls.
    bank.abort();
    let _ = bank.await;
    for _ in 0..6 {
        assert_eq!(accounts().exchange(&client, &scene.interface()).await.status, 503);
    }
    let ready = scene.managed("/health/ready").await;
    assert!(ready.0 == 200 && ready.1.contains("\"core_bank\":"), "{ready:?}");
    let metrics = scene.managed("/metrics").await.1;
    assert!(
        sum(&metrics, "vestibule_core_bank_calls_total", &["outcome=\"unanswered\""]) >= 1.0,
        "{metrics}"
    );
    assert!(sum(&metrics, "vestibule_core_bank_circuit_open", &[]) > 0.0, "{metrics}");

    // The database is not what it was.
    let database = rusqlite::Connection::open(scene.files.path("vestibule.db")).unwrap();
    database.execute_batch("ALTER TABLE private_state RENAME TO elsewhere").unwrap();
    let ready = scene.managed("/health/ready").await;
    assert!(ready.0 == 503 && ready.1.contains("\"database\":\"it does not answer"), "{ready:?}");
    assert_eq!(sum(&scene.managed("/metrics").await.1, "vestibule_database_up", &[]), 0.0);
}
