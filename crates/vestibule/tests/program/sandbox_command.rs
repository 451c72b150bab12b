//! Starting and stopping.

use std::net::TcpListener;

use testkit::{Program, free_folder};

use crate::{BINARY, vestibule};

const FREE: [&str; 6] =
    ["--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--management-listen", "127.0.0.1:0"];

/// One line on standard error, nothing on standard output, a non-zero exit.
fn refuses(arguments: &[&str], text: &str) {
    let mut all = vec!["sandbox"];
    all.extend(arguments);
    let (code, out, error) = vestibule(&all);
    assert_eq!((code, out.as_str()), (1, ""), "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    assert!(error.starts_with("error: ") && error.contains(text), "{error}");
}

#[test]
fn it_is_ready_when_it_says_so_and_stops_on_both_signals() {
    for signal in ["INT", "TERM"] {
        let program = Program::sandbox(BINARY, &["--ephemeral", "--tenant", "nl,test_1", "--strict"]);
        for address in ["public", "management", "tls"] {
            let url = program.url(address);
            let address = url.split("://").nth(1).unwrap();
            std::net::TcpStream::connect(address).unwrap();
        }
        let ready = &program.ready;
        assert_eq!(
            (&ready["ready"], &ready["strict"], &ready["requireMtls"]),
            (&true.into(), &true.into(), &false.into())
        );
        assert!(ready["data"].is_null() && ready["seed"].is_null() && ready["version"].is_string());
        let api = format!("{}/xs2a-bg/test_1", program.url("public"));
        assert_eq!(ready["tenants"][1]["api"], api);
        let (code, log) = program.signal(signal);
        assert_eq!((code, log.as_str()), (Some(0), ""));
    }
}

#[test]
fn what_cannot_start_says_why_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for option in ["--listen", "--tls-listen", "--management-listen"] {
        let mut arguments = FREE.to_vec();
        let at = arguments.iter().position(|known| *known == option).unwrap();
        arguments[at + 1] = &address;
        arguments.push("--ephemeral");
        refuses(&arguments, &format!("cannot listen on {address}: the address is in use"));
    }
    let with = |more: &[&'static str]| [&FREE[..], more].concat();
    refuses(&with(&["--data", "/dev/null/data"]), "cannot use the data folder /dev/null/data");
    refuses(&with(&["--data", "/dev/null/data"]), "or keep nothing with --ephemeral");
    refuses(&with(&["--ephemeral", "--tenant", "NL"]), "--tenant: \"NL\" is no tenant name");
    refuses(&with(&["--ephemeral", "--tenant", "nl,uk,nl"]), "--tenant names nl twice; name it once");
    let twice = ["--ephemeral", "--trusted-ca", "ca.pem", "--trusted-ca", "ca.pem"];
    refuses(&with(&twice), "--trusted-ca names ca.pem twice");
    refuses(&with(&["--ephemeral", "--public-url", "bank"]), "--public-url bank is not http:// or https://");
    refuses(
        &with(&["--ephemeral", "--trusted-ca", "/nowhere"]),
        "cannot read trusted authorities from /nowhere",
    );
    refuses(
        &[
            "--ephemeral",
            "--tls-listen",
            "off",
            "--require-mtls",
            "--listen",
            "127.0.0.1:0",
            "--management-listen",
            "127.0.0.1:0",
        ],
        "--require-mtls needs the TLS listener",
    );
    for (option, wrong) in [
        ("--listen", "nonsense"),
        ("--tls-listen", "127.0.0.1"),
        ("--management-listen", "off"),
        ("--management-listen", "127.0.0.1:99999"),
    ] {
        let mut arguments = FREE.to_vec();
        let at = arguments.iter().position(|known| *known == option).unwrap();
        arguments[at + 1] = wrong;
        arguments.push("--ephemeral");
        let example = "give one such as 127.0.0.1:8080 with";
        refuses(
            &arguments,
            &format!("cannot listen on {wrong}: that is no address with a port; {example} {option}"),
        );
    }
}

/// Lists that name something twice, and addresses that are none, are refused before anybody is asked.
#[test]
fn lists_and_addresses_are_read_before_anything_is_done() {
    let (_guard, folder) = free_folder();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (state, out) = (path("state"), path("out"));
    for (arguments, text) in [
        (&["core-bank", "--tenant", "nl,nl"][..], "--tenant names nl twice"),
        (&["core-bank", "--name", "a,b,a"], "--name names a twice"),
        (
            &["core-bank", "--listen", "nonsense"],
            "cannot listen on nonsense: that is no address with a port; give one such as 127.0.0.1:8444 with --listen",
        ),
        (
            &["core-bank", "--listen", "127.0.0.1:0", "--data", "/dev/null/x", "--certificates", &out],
            "cannot use the data folder /dev/null/x",
        ),
        (&["certificate", "new", "--role", "PSP_AI,PSP_AI", "--out", &out], "--role names PSP_AI twice"),
        (&["tpp", "--state", &state, "consent", "--iban", "NL1", "--iban", "NL1"], "--iban names NL1 twice"),
        (
            &[
                "tpp",
                "--state",
                &state,
                "register",
                "--redirect-uri",
                "https://a",
                "--redirect-uri",
                "https://a",
            ],
            "--redirect-uri names https://a twice",
        ),
    ] {
        let (code, out, error) = vestibule(arguments);
        assert_eq!((code, out.as_str()), (1, ""), "{arguments:?}: {error}");
        assert!(error.contains(text) && !error.contains("--ephemeral"), "{arguments:?}: {error}");
    }
    for command in [
        &["clock"][..],
        &["bank"],
        &["account", "list"],
        &["account", "new"],
        &["data", "reset"],
        &["fault", "list"],
        &["logs"],
        &["snapshot", "list"],
        &["reset"],
        &["certificate", "new"],
        &["tpp", "show"],
    ] {
        for wrong in ["foo", "127.0.0.1:8081", "ftp://127.0.0.1", "http://", "/management"] {
            let (code, out, error) = vestibule(&[command, &["--management", wrong]].concat());
            let is_told =
                error.contains("no address such as http://127.0.0.1:8081") || error.contains("unrecognized");
            assert!(code == 2 && out.is_empty() && is_told, "{command:?} {wrong}: {code} {error}");
        }
    }
}

#[test]
fn a_data_folder_serves_one_sandbox_of_one_seed_and_no_newer_program() {
    let (_guard, folder) = free_folder();
    let data = folder.join("made/by/itself");
    let data = data.to_str().unwrap();
    let running = Program::sandbox(BINARY, &["--data", data, "--seed", "7"]);
    assert_eq!(running.ready["seed"], 7);
    let with = |more: &[&str]| -> Vec<String> {
        FREE.iter().chain(&["--data", data]).chain(more).map(ToString::to_string).collect()
    };
    let arguments = with(&[]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    refuses(&arguments, "is in use by another sandbox");
    running.signal("TERM");
    let other_seed = with(&["--seed", "8"]);
    refuses(&other_seed.iter().map(String::as_str).collect::<Vec<_>>(), "was made with seed 7, not 8");

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(data).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "the folder holds private keys");
    }

    let python = format!(
        "import sqlite3; c = sqlite3.connect('{data}/sandbox.db'); c.execute('UPDATE schema_version SET version = 999'); \
         c.execute('UPDATE schema_floors SET serves_from = 999'); c.commit()"
    );
    assert!(testkit::run("python3", &["-c", &python]).status.success());
    refuses(&arguments, "was written by a newer version (its schema is 999, this program knows ");
}

/// What a sandbox makes first: a customer and a consent's id.
fn drawn(arguments: &[&str]) -> (serde_json::Value, serde_json::Value) {
    let program = Program::sandbox(BINARY, arguments);
    let url = format!("{}/test-accounts", program.url("management"));
    let made = testkit::run("curl", &["-s", "-H", "content-type: application/json", "-d", "{}", &url]).stdout;
    let seed = program.ready["seed"].clone();
    program.signal("TERM");
    (serde_json::from_slice(&made).unwrap(), seed)
}

#[test]
fn numbers_can_be_computed_only_where_a_seed_was_given() {
    for member in ["iban", "digipassNumber", "customerId"] {
        let of = |seed: &[&str]| drawn(&[&["--ephemeral"], seed].concat()).0[member].clone();
        assert_eq!(of(&["--seed", "7"]), of(&["--seed", "7"]), "{member}");
        assert_ne!(of(&["--seed", "7"]), of(&["--seed", "8"]), "{member}");
        assert_ne!(of(&[]), of(&[]), "{member}");
    }
}

#[test]
fn a_data_folder_goes_on_with_the_seed_that_it_was_made_with() {
    let (_guard, folder) = free_folder();
    let data = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (given, none) = (data("given"), data("none"));
    // The second customer is the next one of the same seed, also after a restart without it.
    let first = drawn(&["--data", &given, "--seed", "7"]);
    let second = drawn(&["--data", &given]);
    assert_eq!((&first.1, &second.1), (&serde_json::json!(7), &serde_json::json!(7)));
    assert_ne!(first.0["iban"], second.0["iban"]);
    assert_eq!(drawn(&["--ephemeral", "--seed", "7"]).0["iban"], first.0["iban"]);
    let seedless = drawn(&["--data", &none]);
    assert!(seedless.1.is_null() && drawn(&["--data", &none]).1.is_null());
    let with_seed: Vec<&str> = FREE.iter().copied().chain(["--data", &none, "--seed", "7"]).collect();
    refuses(&with_seed, "was made without a seed; leave --seed 7 out");
}

#[test]
fn the_same_seed_gives_the_same_names() {
    let names = |seed: &str| {
        let program = Program::sandbox(BINARY, &["--ephemeral", "--seed", seed]);
        let ca = testkit::run("curl", &["-s", &format!("{}/ca.pem", program.url("management"))]).stdout;
        let body = r#"{"organizationIdentifier":"PSDNL-DNB-1"}"#;
        let url = format!("{}/test-certificates", program.url("management"));
        let made =
            testkit::run("curl", &["-s", "-H", "content-type: application/json", "-d", body, &url]).stdout;
        let made: serde_json::Value = serde_json::from_slice(&made).unwrap();
        let ca = eidas::Certificate::from_pem(String::from_utf8(ca).unwrap()).unwrap();
        (ca.subject.to_string(), ca.serial_hex(), made["keyId"].to_string())
    };
    assert_eq!(names("1"), names("1"));
    assert_ne!(names("1"), names("2"));
}

#[test]
fn help_and_wrong_arguments_say_what_to_do() {
    let (code, out, _) = vestibule(&["sandbox", "--help"]);
    assert_eq!(code, 0);
    for option in [
        "--listen",
        "--management-listen",
        "--tls-listen",
        "--data",
        "--ephemeral",
        "--seed",
        "--tenant",
        "--public-url",
        "--strict",
        "--require-mtls",
        "--json",
    ] {
        assert!(out.contains(option), "{option}");
    }
    for wrong in [
        &["sandbox", "--sed", "1"][..],
        &["sandbox", "--seed", "x"],
        &["bnak"],
        &[],
        &["sandbox", "--data", "x", "--ephemeral"],
    ] {
        let (code, _, error) = vestibule(wrong);
        assert_eq!(code, 2, "{wrong:?}");
        assert!(error.contains("--help") || error.contains("Usage"), "{wrong:?}: {error}");
    }
}
