//! The files of `deploy/`: what they call is what the program takes, and what systemd says of the unit.

use std::fs;
use std::process::Command;

use testkit::free_folder;

use crate::BINARY;
use crate::documentation::root;

/// Where the files say that the program is, and its configuration.
const PROGRAM: &str = "/usr/local/bin/vestibule";
const CONFIGURATION: &str = "/etc/vestibule/vestibule.toml";

/// Highest exposure that systemd may find, of 100.
const MOST_EXPOSED: &str = "20";

fn read(name: &str) -> String {
    fs::read_to_string(root().join("deploy").join(name)).unwrap()
}

/// Runs what a file calls, with a configuration that is not there: that is told, and not how the program is used.
fn is_taken(arguments: &[&str]) {
    let (_guard, folder) = free_folder();
    let missing = folder.join("vestibule.toml");
    let arguments =
        arguments.iter().map(|argument| argument.replace(CONFIGURATION, missing.to_str().unwrap()));
    let arguments: Vec<_> = arguments.collect();
    let output = Command::new(BINARY).args(&arguments).env_remove("VESTIBULE_NOW").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(&format!("{}: No such file", missing.display())), "{arguments:?}: {said}");
}

#[test]
fn the_unit_calls_what_the_program_takes() {
    let unit = read("vestibule.service");
    let calls: Vec<_> =
        unit.lines().filter(|line| line.starts_with("Exec") && line.contains(PROGRAM)).collect();
    assert_eq!(calls.len(), 3, "{unit}");
    // A configuration that is wrong is told before the signal: nobody hears of it afterwards.
    let reload: Vec<_> = unit.lines().filter_map(|line| line.strip_prefix("ExecReload=")).collect();
    assert!(reload[0].contains(" config check --reload ") && reload[1].contains("kill -HUP"), "{reload:?}");
    assert!(unit.contains("\nStartLimitIntervalSec=0\n"), "a database that is late is waited for: {unit}");
    for call in calls {
        let words: Vec<_> = call.split_once('=').unwrap().1.split(' ').collect();
        assert_eq!(words[0], PROGRAM);
        is_taken(&words[1..]);
    }
    for (line, sysusers) in [("User=vestibule", "u vestibule "), ("Group=vestibule", "u vestibule ")] {
        assert!(
            unit.lines().any(|known| known == line) && read("vestibule.sysusers").contains(sysusers),
            "{line}"
        );
    }
}

#[test]
fn systemd_finds_the_unit_right_and_little_exposed() {
    let Some(analyze) = testkit::system_program("/usr/bin/systemd-analyze") else { return };
    let (_guard, folder) = free_folder();
    let unit = folder.join("vestibule.service");
    // The program is not installed here.
    fs::write(&unit, read("vestibule.service").replace(PROGRAM, BINARY)).unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(&analyze).args(arguments).arg(&unit).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let (is_right, said) = run(&["verify", "--man=no", "--recursive-errors=no"]);
    assert!(is_right && !said.contains("vestibule.service"), "{said}");
    let (is_safe, said) = run(&["security", "--offline=true", "--no-pager", "--threshold", MOST_EXPOSED]);
    assert!(is_safe, "{said}");
}

#[test]
fn the_container_calls_what_the_program_takes_and_is_not_root() {
    let file = read("Containerfile");
    let value = |name: &str| {
        let found = file.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).next_back();
        found.unwrap_or_else(|| panic!("no {name}: {file}"))
    };
    let list = |name: &str| serde_json::from_str::<Vec<String>>(value(name)).unwrap();
    assert_eq!(list("ENTRYPOINT"), [PROGRAM]);
    let arguments = list("CMD");
    is_taken(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let (user, group) = value("USER").split_once(':').unwrap();
    assert!(user.parse::<u32>().unwrap() > 0 && group.parse::<u32>().unwrap() > 0);
    assert_eq!(value("EXPOSE"), "8443 8444 8081");
    // The compiler is the one that the workspace asks for.
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let wanted = workspace.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    assert!(file.contains(&format!("FROM docker.io/library/rust:{}-", wanted.trim_matches('"'))), "{wanted}");
}
