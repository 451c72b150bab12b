//! `vestibule statistics import` and `remove`: days of the interfaces of the bank's own customers, from a file.

use std::fs;

use serde_json::{Value, json};

use crate::admin::{People, as_staff, staffed};
use crate::customer_interfaces::{later, over};
use crate::serve::Scene;

/// A gateway some days after its first one, and a file of an operator.
struct Story {
    scene: Scene,
    people: People,
    admin: String,
    /// The days that are over.
    days: Vec<String>,
    path: String,
}

impl Story {
    async fn new() -> Self {
        let (scene, people, admin) = staffed().await;
        later(&scene);
        let days = over(&scene.client(Some(&people.operator)), &admin).await;
        let path = scene.files.path("web.csv").to_str().unwrap().to_owned();
        Self { scene, people, admin, days, path }
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        as_staff(&self.scene, &self.admin, ("operator", &self.people.operator), arguments)
    }

    /// Imports a file with this text.
    fn import(&self, text: &str, more: &[&str]) -> (i32, String, String) {
        fs::write(&self.path, text).unwrap();
        let arguments =
            ["statistics", "import", &self.path, "--interface", "web", "--reason", "From monitoring."];
        self.run(&[&arguments[..], more].concat())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_imports_a_file() {
    let story = Story::new().await;
    let days = &story.days;
    let (code, example, error) = story.run(&["statistics", "import", "--example"]);
    assert!(code == 0 && example.starts_with("day,down_seconds,error_rate_percent,ais_mean_ms,"), "{error}");
    let (code, help, _) = story.run(&["statistics", "import", "--help"]);
    assert_eq!(code, 0);
    for column in example.lines().next().unwrap().split(',').chain(["--example", "--reason"]) {
        assert!(help.contains(&format!("  {column} ")), "{column}: {help}");
    }
    // The example is an example: its days are the only thing that does not fit here.
    let fitting =
        example.replace("2027-01-31", "next").replace("2027-01-30", &days[0]).replace("next", &days[1]);
    let (code, out, error) = story.import(&fitting, &[]);
    assert_eq!((code, out), (0, format!("Imported 2 days of web, {} to {}.\n", days[0], days[1])), "{error}");
    let (code, out, error) = story.import(&format!("day,down_seconds\n{},3\n", days[1]), &[]);
    let expected = format!(
        "Imported 1 day of web, {} to {}; 1 of them had been imported before and is replaced.\n",
        days[1], days[1]
    );
    assert_eq!((code, out), (0, expected), "{error}");
    let (code, out, _) = story.import(&fitting, &["--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["days"], &told["replaced"]), (0, &json!(2), &json!(2)));
    let (code, out, error) = story.run(&["statistics"]);
    assert!(
        code == 0 && out.contains("web_ais_mean_ms") && out.contains(",210.000,305.500,,0"),
        "{out}{error}"
    );

    let arguments = ["statistics", "import", &story.path, "--interface", "web", "--reason", "x"];
    let (code, _, error) = as_staff(&story.scene, &story.admin, ("reader", &story.people.reader), &arguments);
    assert!(code == 1 && error.contains("role_missing"), "{error}");

    let remove =
        ["statistics", "remove", "--interface", "web", "--from", &days[0], "--to", &days[1], "--reason", "x"];
    let (code, out, error) = story.run(&remove);
    assert_eq!((code, out), (0, format!("Removed 2 days of web, {} to {}.\n", days[0], days[1])), "{error}");
    let (code, _, error) = story.run(&remove);
    assert!(code == 1 && error.contains("not found"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_tells_all_that_is_wrong_by_line_and_column() {
    let story = Story::new().await;
    let (days, path) = (&story.days, &story.path);
    let wrong = format!("day,down_seconds,pis_mean_ms\n\n{},x,1\n2001-01-01,0,0\n{},1,\n", days[0], days[1]);
    let (code, _, error) = story.import(&wrong, &[]);
    assert_eq!(code, 1, "{error}");
    let lines: Vec<_> = error.lines().collect();
    let beginnings = [
        format!("error: {path}: the bank refused with 400 invalid_request: line 3, down_seconds: \"x\""),
        "  line 4, day: 2001-01-01 is no day from ".to_owned(),
        "  line 4, pis_mean_ms: expected more than 0".to_owned(),
    ];
    assert_eq!(lines.len(), beginnings.len(), "{error}");
    for (line, beginning) in lines.iter().zip(&beginnings) {
        assert!(line.starts_with(beginning), "{beginning}: {error}");
    }
    let (_, out, _) = story.import(&wrong, &["--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    let texts = told["error"]["texts"][0].as_str().unwrap();
    assert!(texts.contains("; line 4, day: ") && told["error"]["status"] == 400, "{out}");
    for (text, expected) in [
        ("", "it is empty; a row of names of columns is expected"),
        ("day,down_seconds\n", "there are no days below the row of names"),
        ("%PDF-1.7\n", "there is no column \"%PDF-1.7\""),
        ("day;down_seconds\n", "cells are separated by commas"),
        ("day,uptime\n", "there is no column \"uptime\""),
    ] {
        let (code, _, error) = story.import(text, &[]);
        assert!(code == 1 && error.contains(expected) && error.contains(path), "{expected}: {error}");
    }
    for (arguments, expected, code) in [
        (&["statistics", "import", "none.csv", "--interface", "web", "--reason", "x"][..], "none.csv: ", 1),
        (&["statistics", "import", path], "--interface <NAME>", 2),
        (&["statistics", "import", path, "--interface", "web"], "--reason <TEXT>", 2),
        (&["statistics", "import", path, "--interface", "", "--reason", "x"], "it is empty", 2),
        (&["statistics", "--from", &days[0], "import", "--example"], "--from, --to and --format", 1),
        (
            &["statistics", "remove", "--interface", "web", "--from", &days[0], "--reason", "x"],
            "--to <DAY>",
            2,
        ),
    ] {
        let (is, _, error) = story.run(arguments);
        assert!(is == code && error.contains(expected), "{expected}: {error}");
    }
}
