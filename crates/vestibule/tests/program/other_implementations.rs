//! Certificates held against implementations that share no code with this project: an ETSI linter, Python's
//! `cryptography` and `pyasn1`, OpenSSL.
//!
//! `scripts/test` installs them and says in `VESTIBULE_PYTHON` where.

use std::path::Path;

use serde_json::{Value, json};
use testkit::{TestServer, free_folder, openssl, run};

use crate::{python, vestibule};

/// A certificate of each profile in a file of its own.
async fn issued(server: &TestServer, folder: &Path) -> Vec<(&'static str, String)> {
    let mut files = Vec::new();
    for profile in ["qwac", "qseal", "test-client"] {
        for (number, name) in ["Example TPP B.V.", "Ünïcode, \"quoted\" & Söhne = +1"].iter().enumerate() {
            let request = json!({
                "organizationIdentifier": "PSDDE-BAFIN-1234.5-6", "organizationName": name,
                "roles": ["PSP_AI", "PSP_PI"], "profile": profile,
            });
            let signer = server.certificate(request).await;
            let file = folder.join(format!("{profile}-{number}.pem"));
            std::fs::write(&file, eidas::certificate::to_pem(&signer.certificate.der)).unwrap();
            files.push((profile, file.to_str().unwrap().to_owned()));
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_etsi_linter_finds_no_error() {
    let Some(linter) = python::program("lint_etsi_cert") else { return };
    let (_guard, folder) = free_folder();
    let server = TestServer::in_real_time().await;
    for (profile, file) in issued(&server, &folder).await {
        let output = run(
            &linter,
            &["lint", "--detect", "--output", "--severity", "WARNING", "--format", "JSON", &file],
        );
        let (found, kind) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let findings: Value =
            serde_json::from_str(&found).unwrap_or_else(|error| panic!("{error}: {found}{kind}"));
        let findings = findings["results"].as_array().unwrap();
        match profile {
            "qwac" => assert!(kind.contains("QNCP-W-GEN-LEGAL-PERSON-EIDAS-FINAL-CERTIFICATE"), "{kind}"),
            "qseal" => assert!(kind.contains("NCP-LEGAL-PERSON-CERTIFICATE"), "{kind}"),
            // The profile of the compatible bank breaks the standard, so the linter has to find something.
            _ => {
                assert!(!findings.is_empty(), "the linter says nothing about {file}");
                continue;
            }
        }
        assert!(findings.is_empty(), "{file}: {findings:#?}");
    }
}

/// Turns attributes into pairs of identifier and value, as the other side writes them.
fn pairs(name: &Value) -> Value {
    let attributes = name["attributes"].as_array().unwrap();
    attributes.iter().map(|attribute| json!([attribute["oid"], attribute["value"]])).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_parser_agrees_on_every_field() {
    let Some(interpreter) = python::program("python") else { return };
    let (_guard, folder) = free_folder();
    let server = TestServer::in_real_time().await;
    let mut files: Vec<String> = issued(&server, &folder).await.into_iter().map(|(_, file)| file).collect();
    files.extend(vector_certificates(&folder));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/describe.py");
    let mut arguments = vec![script];
    arguments.extend(files.iter().map(String::as_str));
    let output = run(&interpreter, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs.len(), files.len());
    for (file, theirs) in files.iter().zip(&theirs) {
        let (code, text, error) = vestibule(&["certificate", "inspect", file, "--json"]);
        assert_eq!(code, 0, "{file}: {error}");
        let ours: Value = serde_json::from_str(&text).unwrap();
        for (member, value) in theirs.as_object().unwrap() {
            match member.as_str() {
                "subject" | "issuer" => assert_eq!(pairs(&ours[member]), *value, "{file}: {member}"),
                "qcStatements" | "psd2" if value.is_null() => {
                    assert!(ours[member].is_null(), "{file}: {member}")
                }
                "qcStatements" | "psd2" => {
                    for (inner, value) in value.as_object().unwrap() {
                        // A role under another name grants nothing here; the other side only reads.
                        if inner == "roles" && file.contains("role_name") {
                            continue;
                        }
                        assert_eq!(ours[member][inner], *value, "{file}: {member}.{inner}");
                    }
                }
                _ => assert_eq!(ours[member], *value, "{file}: {member}"),
            }
        }
    }
}

/// The certificates of the specification's vector file, where it lies.
fn vector_certificates(folder: &Path) -> Vec<String> {
    let Some(file) = testkit::specification("data/signature-vectors.json") else { return Vec::new() };
    let vectors: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let all = vectors["pki"]["certificates"].as_array().unwrap();
    all.iter()
        .map(|certificate| {
            let file = folder.join(format!("{}.pem", certificate["name"].as_str().unwrap()));
            std::fs::write(&file, certificate["pem"].as_str().unwrap()).unwrap();
            file.to_str().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_reads_all_profiles() {
    let (_guard, folder) = free_folder();
    let server = TestServer::in_real_time().await;
    for (profile, file) in issued(&server, &folder).await {
        let text = openssl(&["x509", "-in", &file, "-noout", "-text", "-nameopt", "utf8,sep_comma_plus"]);
        for part in
            ["Version: 3 (0x2)", "organizationIdentifier=PSDDE-BAFIN-1234.5-6", "qcStatements", "CA:FALSE"]
        {
            assert!(text.contains(part), "{profile}: {part} in {text}");
        }
        let purpose = match profile {
            "qwac" => "TLS Web Server Authentication, TLS Web Client Authentication",
            "qseal" => "Non Repudiation",
            _ => "Digital Signature, Key Encipherment, Certificate Sign",
        };
        assert!(text.contains(purpose), "{profile}: {text}");
    }
}
