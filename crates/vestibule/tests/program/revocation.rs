//! Revocation of every certificate on a path, by the lists at the addresses that the certificates name; with OpenSSL
//! and, where it is at hand, Java.

use std::path::{Path, PathBuf};
use std::process::Command;

use eidas::Certificate;
use eidas::certificate::{order, ordered_chain, to_pem};
use serde_json::json;
use testkit::{Request, TestServer, free_folder, run};

const ID: &str = "PSDNL-DNB-R000000";

/// Files that another program needs to validate a path.
struct Files {
    root: String,
    /// The certificates below the root, leaf first.
    below: Vec<String>,
    /// The list that each of them names, in DER.
    lists: Vec<String>,
}

/// Writes a path and fetches the list that each certificate below the root names. Names do not resolve here, so the
/// path of the address is fetched from the server itself.
async fn files(server: &TestServer, folder: &Path, chain: &[Certificate]) -> Files {
    let (root, below) = chain.split_last().unwrap();
    let write = |name: String, octets: &[u8]| {
        let path: PathBuf = folder.join(name);
        std::fs::write(&path, octets).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut files =
        Files { root: write("root.pem".into(), to_pem(&root.der).as_bytes()), below: vec![], lists: vec![] };
    for (at, certificate) in below.iter().enumerate() {
        assert_eq!(certificate.crl_distribution_points.len(), 1, "{}", certificate.subject);
        assert_eq!(certificate.ca_issuers.len(), 1, "{}", certificate.subject);
        let fetch = async |address: &str| {
            let path = address.strip_prefix("http://pki.vestibule.example.com").unwrap();
            let answer = server.http.get(format!("{}{path}", server.url())).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 200, "{address}");
            answer.bytes().await.unwrap()
        };
        let issuer = fetch(&certificate.ca_issuers[0]).await;
        assert_eq!(issuer, chain[at + 1].der, "caIssuers of {}", certificate.subject);
        let list = fetch(&certificate.crl_distribution_points[0]).await;
        files.below.push(write(format!("{at}.pem"), to_pem(&certificate.der).as_bytes()));
        files.lists.push(write(format!("{at}.crl"), &list));
    }
    files
}

/// What OpenSSL says of the path.
fn openssl_verdict(files: &Files) -> String {
    let mut arguments = vec!["verify", "-crl_check_all", "-x509_strict", "-CAfile", &files.root];
    let pem: Vec<_> = files.lists.iter().map(|list| format!("{list}.pem")).collect();
    for (der, pem) in files.lists.iter().zip(&pem) {
        testkit::openssl(&["crl", "-inform", "DER", "-in", der, "-out", pem]);
        arguments.extend(["-CRLfile", pem]);
    }
    for issuer in &files.below[1..] {
        arguments.extend(["-untrusted", issuer]);
    }
    arguments.push(&files.below[0]);
    let output = run("openssl", &arguments);
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// What Java says of the path; none without Java.
fn java_verdict(files: &Files) -> Option<String> {
    // It runs a source file, which takes more than a runtime.
    if Command::new("javac").arg("-version").output().is_err() {
        testkit::missing("javac", "run scripts/prerequisites");
        return None;
    }
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/java/Pkix.java");
    let count = files.below.len().to_string();
    let mut arguments = vec![program, &files.root, &count];
    arguments.extend(files.below.iter().chain(&files.lists).map(String::as_str));
    let output = run("java", &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_path_passes_with_revocation_and_a_revoked_one_does_not() {
    let (_guard, folder) = free_folder();
    let server = TestServer::in_real_time().await;
    for profile in ["qwac", "qseal"] {
        let signer = server.certificate(json!({"organizationIdentifier": ID, "profile": profile})).await;
        let above = ordered_chain(signer.chain.concat()).unwrap();
        let chain = order(above.into_iter().chain([signer.certificate.clone()]).collect());
        let issuing = &chain[1];
        assert!(issuing.crl_distribution_points[0].ends_with("/ca/root.crl"));
        assert_eq!(issuing.policies, [eidas::oid::POLICY_ANY]);
        let good = files(&server, &folder, &chain).await;
        let verdict = openssl_verdict(&good);
        assert!(verdict.contains("0.pem: OK"), "{profile}: {verdict}");
        assert!(java_verdict(&good).is_none_or(|verdict| verdict == "valid\n"), "{profile}");
        let path = format!("/test-certificates/{}", signer.certificate.fingerprint_hex());
        assert_eq!(server.manage("PUT", &path, json!({"status": "revoked"})).await.0, 200);
        let revoked = files(&server, &folder, &chain).await;
        let verdict = openssl_verdict(&revoked);
        assert!(verdict.contains("certificate revoked"), "{profile}: {verdict}");
        assert!(java_verdict(&revoked).is_none_or(|verdict| verdict.starts_with("REVOKED")), "{profile}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_of_the_listener_is_short_lived_and_can_be_checked() {
    let (_guard, folder) = free_folder();
    let server = TestServer::in_real_time().await;
    let address = server.tls_url().trim_start_matches("https://").to_owned();
    let command = format!("openssl s_client -connect {address} -showcerts </dev/null");
    let shown = tokio::task::spawn_blocking(move || run("sh", &["-c", &command])).await.unwrap();
    let root = server.http.get(format!("{}/ca.pem", server.running.addresses.management));
    let root = root.send().await.unwrap().bytes().await.unwrap();
    let chain = ordered_chain([&shown.stdout[..], &root].concat()).unwrap();
    assert_eq!(chain.len(), 3);
    let days = (chain[0].not_after.as_second() - chain[0].not_before.as_second()) / 86_400;
    assert!((90..=398).contains(&days), "{days}");
    let files = files(&server, &folder, &chain).await;
    let verdict = openssl_verdict(&files);
    assert!(verdict.contains("0.pem: OK"), "{verdict}");
    assert!(java_verdict(&files).is_none_or(|verdict| verdict == "valid\n"));
    assert_eq!(
        server.send(&Request::new("GET", "/ca/root.crl")).await.header("content-type"),
        "application/pkix-crl"
    );
}

#[tokio::test]
async fn an_authority_that_was_kept_says_where_the_root_publishes_today() {
    let (_guard, folder) = free_folder();
    let mut seen = Vec::new();
    for url in ["http://bank.example", "http://bank.example", "http://other.example"] {
        let data = vestibule::DataLocation::Folder(folder.clone());
        let server = TestServer::with(|config| {
            config.data = data;
            config.public_url = Some(url.to_owned());
        })
        .await;
        let http = server.http.clone();
        let management = server.running.addresses.management.clone();
        let root = http.get(format!("{management}/ca.pem")).send().await.unwrap().text().await.unwrap();
        let signer = server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await;
        let issuing = Certificate::from_pem(&signer.chain[0]).unwrap();
        assert_eq!(issuing.crl_distribution_points, [format!("{url}/ca/root.crl")]);
        assert_eq!(issuing.ca_issuers, [format!("{url}/ca/root.cer")]);
        seen.push((root, issuing));
        server.running.stop().await;
    }
    let ((root, first), (_, second), (other_root, third)) = (&seen[0], &seen[1], &seen[2]);
    assert_eq!(first.fingerprint, second.fingerprint, "nothing changed, so nothing is made anew");
    assert_eq!((root, &first.subject), (other_root, &third.subject));
    assert_eq!(first.public_key, third.public_key, "certificates that were issued before stay good");
}
