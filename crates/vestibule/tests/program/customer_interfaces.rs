//! Days of the interfaces of the bank's own customers: imported by staff, published beside the gateway's own, removed again.

use std::collections::BTreeMap;
use std::fs;

use gateway::domain::{Date, Tenant};
use gateway::{Drawer, Store};
use reqwest::Client;
use serde_json::{Value, json};
use testkit::{Answer, Request, TestServer};

use crate::admin::{People, get, post, refused, staffed};
use crate::audit_spool::admin_of;
use crate::configuration::Files;
use crate::portal::look;
use crate::serve::{Listeners, Scene};
use crate::serve_and_its_bank::databases;
use crate::serve_command::{Program, behind, start};

const IMPORT: &str = "/statistics/customers";
const REMOVE: &str = "/statistics/customers/remove";

/// Some days later, so that there are days that are over.
pub(crate) fn later(scene: &Scene) {
    scene.clock.as_ref().unwrap().by_more(4 * 24 * 60);
}

async fn published(client: &Client, admin: &str) -> Vec<Value> {
    let told = get(client, admin, "/statistics").await;
    assert_eq!(told.status, 200, "{}", told.body);
    told.json()["days"].as_array().unwrap().clone()
}

/// The days that are over, as they are written.
pub(crate) async fn over(client: &Client, admin: &str) -> Vec<String> {
    let days = published(client, admin).await;
    let days = days.iter().filter(|day| day["isOver"] == true);
    let days: Vec<_> = days.map(|day| day["day"].as_str().unwrap().to_owned()).collect();
    assert!(days.len() >= 3, "{days:?}");
    days
}

fn import(interface: &str, days: &[Value]) -> Value {
    json!({"interface": interface, "reason": "From monitoring.", "days": days})
}

fn day(day: &str, down_seconds: i64) -> Value {
    json!({"day": day, "downSeconds": down_seconds})
}

fn message(answer: &Answer) -> String {
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_request")), "{}", answer.body);
    answer.json()["message"].as_str().unwrap().to_owned()
}

/// A line of CSV by the names of its columns.
fn cells<'l>(lines: &[&'l str], place: usize) -> BTreeMap<&'l str, &'l str> {
    let (names, values) = (lines[0].split(','), lines[place].split(','));
    assert_eq!(names.clone().count(), values.clone().count(), "{lines:?}");
    names.zip(values).collect()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "what is imported, in every form in which it is published")]
async fn imported_days_are_published_beside_the_gateways_own() {
    let (scene, people, admin) = staffed().await;
    later(&scene);
    let [reader, operator, auditor] =
        [&people.reader, &people.operator, &people.auditor].map(|one| scene.client(Some(one)));
    let days = over(&reader, &admin).await;
    assert!(published(&reader, &admin).await.iter().all(|day| day["customerInterfaces"] == json!({})));

    let first = json!({
        "day": days[0],
        "downSeconds": 864,
        "errorRatePercent": 0.25,
        "services": {"ais": {"meanMilliseconds": 210.4}, "pis": {"meanMilliseconds": "305.5"}, "cbpii": {}},
    });
    let wish = import("web", &[first, day(&days[1], 0)]);
    for client in [&reader, &auditor] {
        refused(&post(client, &admin, IMPORT, &wish).await, 403, &["role_missing", "operators"]);
        refused(&post(client, &admin, REMOVE, &json!({})).await, 403, &["role_missing", "operators"]);
    }
    let imported = post(&operator, &admin, IMPORT, &wish).await;
    let expected = json!({"interface": "web", "from": days[0], "to": days[1], "days": 2, "replaced": 0});
    assert_eq!((imported.status, imported.json()), (200, expected), "{}", imported.body);
    // The same day again takes its place, and so does nothing else.
    let again = post(&operator, &admin, IMPORT, &import("web", &[day(&days[2], 5), day(&days[1], 90)])).await;
    let expected = json!({"interface": "web", "from": days[1], "to": days[2], "days": 2, "replaced": 1});
    assert_eq!((again.status, again.json()), (200, expected), "{}", again.body);
    let app = post(&operator, &admin, IMPORT, &import("app", &[day(&days[0], 0)])).await;
    assert_eq!(app.status, 200, "{}", app.body);

    let told = published(&reader, &admin).await;
    // Days on which clocks change are shorter or longer.
    let percent = |down: f64, at: usize| {
        let (day, nl): (Date, _) = (days[at].parse().unwrap(), Tenant::parse("nl").unwrap());
        let seconds = nl.start_of(day.tomorrow().unwrap()).duration_since(nl.start_of(day)).as_secs();
        (down * 100_000.0 / seconds as f64).round() / 1000.0
    };
    let web = &told[0]["customerInterfaces"]["web"];
    assert_eq!((&web["downSeconds"], &web["errorRatePercent"]), (&json!(864), &json!(0.25)), "{web}");
    assert_eq!(web["downtimePercent"], percent(864.0, 0), "{web}");
    assert_eq!(
        web["services"],
        json!({"ais": {"meanMilliseconds": 210.4}, "pis": {"meanMilliseconds": 305.5}})
    );
    let app = &told[0]["customerInterfaces"]["app"];
    let nothing = json!({"downSeconds": 0, "uptimePercent": 100.0, "downtimePercent": 0.0, "errorRatePercent": null, "services": {}});
    assert_eq!(app, &nothing);
    assert_eq!(told[1]["customerInterfaces"]["web"]["downSeconds"], 90, "{told:?}");
    assert_eq!(told[1]["customerInterfaces"]["web"]["downtimePercent"], percent(90.0, 1), "{told:?}");
    assert_eq!(told[2]["customerInterfaces"].as_object().unwrap().len(), 1, "{told:?}");

    let csv = get(&reader, &admin, "/statistics?format=csv").await;
    let lines: Vec<_> = csv.body.lines().collect();
    assert!(
        lines[0].ends_with(
            ",is_over,app_uptime_percent,app_downtime_percent,app_error_rate_percent,app_ais_mean_ms,app_pis_mean_ms,\
             app_cbpii_mean_ms,app_down_seconds,web_uptime_percent,web_downtime_percent,web_error_rate_percent,web_ais_mean_ms,\
             web_pis_mean_ms,web_cbpii_mean_ms,web_down_seconds"
        ),
        "{}",
        lines[0]
    );
    let (one, two) = (cells(&lines, 1), cells(&lines, 2));
    for (name, value) in [
        ("app_uptime_percent", "100.000"),
        ("app_ais_mean_ms", ""),
        ("web_down_seconds", "864"),
        ("web_error_rate_percent", "0.250"),
        ("web_ais_mean_ms", "210.400"),
        ("web_pis_mean_ms", "305.500"),
        ("web_cbpii_mean_ms", ""),
    ] {
        assert_eq!(one[name], value, "{name}");
    }
    assert_eq!((two["app_uptime_percent"], two["app_down_seconds"], two["web_down_seconds"]), ("", "", "90"));

    let html = get(&reader, &admin, "/statistics?format=html").await.body;
    let web = format!("rowspan=\"2\">web</th><td rowspan=\"2\">{:.3} %", 100.0 - percent(864.0, 0));
    for part in [&web, ">app</th>", ">dedicated</th>", "own customers", "<td>305.5</td>"] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("<script"), "{html}");
    let page = scene.files.path("statistics.html");
    fs::write(&page, &html).unwrap();
    let page = json!({"url": format!("file://{}", page.display())});
    if let Some(found) = look("statistics_page.py", &scene.core, page).await {
        // Three services of each day of the gateway's, and what was imported.
        assert_eq!(found["rows"], told.len() * 3 + 2 + 1 + 1 + 1, "{found}");
        let heads: Vec<_> = found["heads"].as_array().unwrap().iter().rev().take(4).rev().collect();
        assert_eq!(heads, [&json!(days[0]), &json!("dedicated"), &json!("app"), &json!("web")], "{found}");
    }

    // What staff did is in the trail, with why.
    let trail = get(&auditor, &admin, "/audit?kind=acts").await.json();
    let acts: Vec<Value> = trail["entries"].as_array().unwrap().iter().map(text).collect();
    let about: Vec<_> = acts.iter().map(|act| act["to"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        about,
        [
            format!("web, {} to {}, 2 days", days[0], days[1]),
            format!("web, {} to {}, 2 days", days[1], days[2]),
            format!("app, {} to {}, 1 day", days[0], days[0]),
        ]
    );
    assert!(acts.iter().all(|act| act["act"] == "import-statistics" && act["reason"] == "From monitoring."));

    // Removed, as far as it was there.
    let wish =
        json!({"interface": "web", "from": days[1], "to": "2099-12-31", "reason": "Of another interface."});
    let removed = post(&operator, &admin, REMOVE, &wish).await;
    assert_eq!((removed.status, &removed.json()["days"]), (200, &json!(2)), "{}", removed.body);
    let told = published(&reader, &admin).await;
    assert_eq!(told[0]["customerInterfaces"].as_object().unwrap().len(), 2, "{told:?}");
    assert!(told[1..].iter().all(|day| day["customerInterfaces"] == json!({})), "{told:?}");
    refused(&post(&operator, &admin, REMOVE, &wish).await, 404, &["days of web from ", "not found"]);
    let trail = get(&auditor, &admin, "/audit?kind=acts").await.json();
    let last = text(trail["entries"].as_array().unwrap().last().unwrap());
    assert_eq!(
        (&last["act"], &last["reason"]),
        (&json!("remove-statistics"), &json!("Of another interface."))
    );
}

/// What an entry of the trail says.
fn text(entry: &Value) -> Value {
    serde_json::from_str(entry["text"].as_str().unwrap()).unwrap()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of refusals")]
async fn what_cannot_be_is_refused_all_at_once() {
    let (scene, people, admin) = staffed().await;
    let operator = scene.client(Some(&people.operator));
    // No day is over yet.
    let today = published(&operator, &admin).await[0]["day"].as_str().unwrap().to_owned();
    let early = post(&operator, &admin, IMPORT, &import("web", &[day(&today, 0)])).await;
    let expected = format!(
        "days[0].day: {today} is not taken: the first day of which anything is kept, {today}, is not over"
    );
    assert_eq!(message(&early), expected);

    later(&scene);
    let days = over(&operator, &admin).await;
    let (first, last) = (&days[0], days.last().unwrap());
    let now = published(&operator, &admin).await.last().unwrap()["day"].as_str().unwrap().to_owned();
    let with = |member: &str, value: Value| {
        let mut one = day(first, 0);
        one[member] = value;
        import("web", &[one])
    };
    let outside = |day: &str| {
        format!(
            "days[0].day: {day} is no day from {first}, the first of which anything is kept, to {last}, the last that is over"
        )
    };
    let mean = |service: &str, value: Value| with("services", json!({service: {"meanMilliseconds": value}}));
    let number = "from 0 to 100, in percent";
    let name = "expected 1 to 20 of the letters a to z, digits and hyphens, a letter first";
    let many: Vec<_> = (0..367).map(|_| day(first, 0)).collect();
    let long = "x".repeat(501);
    for (body, expected) in [
        (import("web", &[]), "days: expected 1 to 366 of them at a time, and not 0"),
        (import("web", &many), "days: expected 1 to 366 of them at a time, and not 367"),
        (import("Web", &[day(first, 0)]), &format!("interface: \"Web\": {name}")),
        (import("", &[day(first, 0)]), &format!("interface: \"\": {name}")),
        (import("dedicated", &[day(first, 0)]), "dedicated is what the interface of third parties is called"),
        (json!({"interface": "web", "reason": " ", "days": [day(first, 0)]}), "reason: a text of 1 to 500"),
        (json!({"interface": "web", "reason": long, "days": [day(first, 0)]}), "reason: a text of 1 to 500"),
        (json!({"interface": "web", "days": [day(first, 0)]}), "missing field `reason`"),
        (json!({"interface": "web", "reason": "x", "days": {}}), "days must be an array"),
        (import("web", &[day(&now, 0)]), &outside(&now)),
        (import("web", &[day("2001-01-01", 0)]), &outside("2001-01-01")),
        (import("web", &[day("2001-02-30", 0)]), "days[0].day: \"2001-02-30\": expected YYYY-MM-DD"),
        (import("web", &[json!({"downSeconds": 1})]), "days[0].day: it is missing"),
        (import("web", &[json!({"day": first})]), "days[0].downSeconds: it is missing"),
        (import("web", &[day(first, -1)]), "days[0].downSeconds: -1 is not from 0 to "),
        (import("web", &[day(first, 90_001)]), "days[0].downSeconds: 90001 is not from 0 to "),
        (with("downSeconds", json!(1.5)), "days[0].downSeconds: \"1.5\" is no whole number, such as 90"),
        (with("downSeconds", json!("")), "days[0].downSeconds: \"\" is no whole number"),
        (with("downSeconds", json!(true)), "days[0].downSeconds is wrong"),
        (
            with("errorRatePercent", json!(100.01)),
            &format!("days[0].errorRatePercent: expected a number {number}"),
        ),
        (
            with("errorRatePercent", json!(-0.01)),
            &format!("days[0].errorRatePercent: expected a number {number}"),
        ),
        (
            with("errorRatePercent", json!("0,5")),
            "days[0].errorRatePercent: \"0,5\" is no number, such as 0.25",
        ),
        (with("errorRatePercent", json!("NaN")), "days[0].errorRatePercent: \"NaN\" is no number"),
        (
            mean("ais", json!(0)),
            "days[0].services.ais.meanMilliseconds: expected more than 0 and at most 600000",
        ),
        (mean("cbpii", json!(600_000.1)), "days[0].services.cbpii.meanMilliseconds: expected more than 0"),
        (mean("pis", json!("inf")), "days[0].services.pis.meanMilliseconds: \"inf\" is no number"),
        (mean("cof", json!(1)), "unknown field `cof`; known are ais, pis, cbpii"),
        (with("uptimePercent", json!(100)), "unknown field `uptimePercent`"),
        (json!({"reason": "x"}), "missing field `interface`"),
    ] {
        let told = message(&post(&operator, &admin, IMPORT, &body).await);
        assert!(told.contains(expected), "{expected}: {told}");
    }
    let body = json!({
        "interface": "-",
        "reason": "",
        "days": [
            {"day": "soon", "downSeconds": 100_000, "errorRatePercent": 101},
            {"day": first, "downSeconds": "none"},
            {"day": first, "downSeconds": 0, "services": {"pis": {"meanMilliseconds": -1}}},
        ],
    });
    let told = message(&post(&operator, &admin, IMPORT, &body).await);
    let beginnings = [
        "interface: ",
        "dedicated is",
        "reason: ",
        "days[0].day: \"soon\"",
        "days[0].downSeconds: 100000 is not",
        "days[0].errorRatePercent: ",
        "days[1].downSeconds: \"none\"",
        &format!("days[2].day: {first} stands here more than once"),
        "give each day once",
        "days[2].services.pis.meanMilliseconds: ",
        "leave it out",
    ];
    let parts: Vec<_> = told.split("; ").collect();
    assert_eq!(parts.len(), beginnings.len(), "{told}");
    for (part, beginning) in parts.iter().zip(beginnings) {
        assert!(part.starts_with(beginning), "{beginning}: {part}");
    }
    let wrong: Vec<_> = (0..60).map(|_| json!({"day": first, "downSeconds": "x"})).collect();
    let told = message(&post(&operator, &admin, IMPORT, &import("web", &wrong)).await);
    assert!(told.ends_with("; and 69 more"), "{told}");
    let form = Request::new("POST", IMPORT).form("reason=x").exchange(&operator, &admin).await;
    assert_eq!(form.status, 415, "{}", form.body);
    let big = import("web", &[json!({"day": "x".repeat(1024 * 1024), "downSeconds": 0})]);
    assert_eq!(post(&operator, &admin, IMPORT, &big).await.status, 413);

    let removal = |interface: &str, from: &str, to: &str, reason: &str| json!({"interface": interface, "from": from, "to": to, "reason": reason});
    for (body, expected) in [
        (removal("Web", first, last, "x"), name),
        (removal("web", "soon", last, "x"), "from: \"soon\": expected YYYY-MM-DD"),
        (removal("web", first, "2027-02-30", "x"), "to: \"2027-02-30\": expected YYYY-MM-DD"),
        (removal("web", last, first, "x"), &format!("to: {first} is before {last}")),
        (removal("web", first, last, ""), "reason: a text of 1 to 500"),
        (json!({"interface": "web", "reason": "x"}), "missing field `from`"),
    ] {
        let told = message(&post(&operator, &admin, REMOVE, &body).await);
        assert!(told.contains(expected), "{expected}: {told}");
    }

    // Nothing of all that was taken. A bank has no more than eight of them, until one is removed.
    let told = published(&operator, &admin).await;
    assert!(told.iter().all(|day| day["customerInterfaces"] == json!({})), "{told:?}");
    for number in 1..=8 {
        let taken =
            post(&operator, &admin, IMPORT, &import(&format!("web-{number}"), &[day(first, 0)])).await;
        assert_eq!(taken.status, 200, "{}", taken.body);
    }
    let ninth = import("wbe-1", &[day(first, 0)]);
    let more = post(&operator, &admin, IMPORT, &ninth).await;
    refused(&more, 409, &["conflict", "there are no more than that: web-1, web-2, ", "remove the days"]);
    let removed = post(&operator, &admin, REMOVE, &removal("web-8", first, last, "x")).await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    assert_eq!(post(&operator, &admin, IMPORT, &ninth).await.status, 200);
}

/// As many nodes as a database can have, in the time of the system.
fn nodes(files: &Files, database: &str) -> Vec<(Program, Listeners)> {
    let count = if database.is_empty() { 1 } else { 2 };
    (0..count).map(|_| start(files)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_at_the_same_time_follow_each_other_and_stay() {
    for database in databases().await {
        let core = TestServer::start().await;
        let (files, _bank) = behind(&core, &database).await;
        let people = People::of(&files.ca);
        let path = files.path("vestibule.toml");
        fs::write(&path, fs::read_to_string(&path).unwrap() + &people.section()).unwrap();
        let programs = nodes(&files, &database);
        let admins: Vec<_> = programs.iter().map(|(_, listeners)| admin_of(listeners)).collect();
        let listeners = programs[0].1.clone();
        let scene =
            Scene { core, served: programs, files, listeners, bank: "Bank of the tests", clock: None };
        let operator = scene.client(Some(&people.operator));

        // Another node has counted since five days ago.
        let today = published(&operator, &admins[0]).await[0]["day"].as_str().unwrap().to_owned();
        let begin = today.parse::<Date>().unwrap().checked_sub(jiff::Span::new().days(5)).unwrap();
        let store = match database.as_str() {
            "" => Store::open(&scene.files.path("vestibule.db")).unwrap(),
            address => Store::connect(address).await.unwrap(),
        };
        let noon = format!("{begin}T12:00:00Z");
        let counted = json!({"up": {"from": noon, "until": noon}, "counts": {}}).to_string();
        let drawer = Drawer::new(&store, "statistics");
        drawer.put("day", &format!("{begin}/other"), &counted).await.unwrap();
        let days = over(&operator, &admins[0]).await;
        assert_eq!(days[0], begin.to_string());

        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..6 {
            let admin = admins[number % admins.len()].clone();
            let (operator, days) = (operator.clone(), days.clone());
            tasks.spawn(async move {
                let days: Vec<_> = days.iter().map(|one| day(one, i64::try_from(number).unwrap())).collect();
                let answer = post(&operator, &admin, IMPORT, &import("web", &days)).await;
                assert_eq!(answer.status, 200, "{}", answer.body);
                answer.json()["replaced"].as_u64().unwrap()
            });
        }
        let replaced = tasks.join_all().await;
        let count = u64::try_from(days.len()).unwrap();
        assert_eq!(replaced.iter().filter(|replaced| **replaced == 0).count(), 1, "{replaced:?}");
        assert_eq!(replaced.iter().sum::<u64>(), 5 * count, "{replaced:?}");
        let of_customers = |all: Vec<Value>| -> Vec<_> {
            all.into_iter().take(days.len()).map(|mut day| day["customerInterfaces"].take()).collect()
        };
        let before = of_customers(published(&operator, &admins[0]).await);
        assert!(before.iter().all(|day| *day == before[0]), "all days are of one import: {before:?}");

        let Scene { core, served, files, .. } = scene;
        drop(served);
        let programs = nodes(&files, &database);
        let listeners = programs[0].1.clone();
        let admin = admin_of(&listeners);
        let scene =
            Scene { core, served: programs, files, listeners, bank: "Bank of the tests", clock: None };
        let after = published(&scene.client(Some(&people.operator)), &admin).await;
        assert_eq!(of_customers(after), before, "{database}");
    }
}
