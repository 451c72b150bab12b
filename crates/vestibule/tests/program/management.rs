//! The management API.

use serde_json::{Value, json};
use testkit::{TestServer, openssl};

const ID: &str = "PSDNL-DNB-R123456";

#[tokio::test]
async fn certificates_in_all_profiles() {
    let server = TestServer::start().await;
    for profile in ["test-client", "qwac", "qseal"] {
        let request = json!({
            "organizationIdentifier": ID, "organizationName": "TPP & Söhne", "country": "DE",
            "locality": "Köln", "roles": ["PSP_AI", "PSP_IC"], "profile": profile,
        });
        let (status, body) = server.manage("POST", "/test-certificates", request).await;
        assert_eq!(status, 201, "{body}");
        let certificate = eidas::Certificate::from_pem(body["certificate"].as_str().unwrap()).unwrap();
        assert_eq!(certificate.organization_identifier().unwrap().as_str(), ID);
        assert_eq!(certificate.roles(), [eidas::Role::AccountInformation, eidas::Role::CardIssuing]);
        assert_eq!(body["keyId"], certificate.key_id());
        assert_eq!(body["fingerprint"], certificate.fingerprint_hex());
        assert!(body["privateKey"].as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));
        let chain = body["chain"].as_array().unwrap();
        assert_eq!(chain.len(), 2);
        assert_eq!(
            eidas::Certificate::from_pem(chain[0].as_str().unwrap()).unwrap().subject,
            certificate.issuer
        );
    }
}

/// Section 2.4 of the interface description, decoded from a certificate of the compatible bank.
#[tokio::test]
async fn the_test_client_profile_is_that_of_the_compatible_bank() {
    let server = TestServer::start().await;
    let request = json!({"organizationIdentifier": ID, "organizationName": "My TPP"});
    let (_, body) = server.manage("POST", "/test-certificates", request).await;
    let pem = body["certificate"].as_str().unwrap();
    for text in [pem, body["privateKey"].as_str().unwrap()] {
        assert_eq!(text.trim_end().lines().count(), 3, "the base64 stands on a single line");
    }
    let c = eidas::Certificate::from_pem(pem).unwrap();
    assert_eq!((c.version, c.serial_hex().as_str()), (3, "1"));
    assert_eq!(c.signature_algorithm.to_string(), "1.2.840.113549.1.1.11", "sha256WithRSAEncryption");
    assert_eq!(c.public_key.kind.to_string(), "RSA 2048");
    let kinds = |name: &eidas::DistinguishedName| {
        name.attributes().iter().map(|a| eidas::name::display_name(a.oid)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(kinds(&c.subject), "C L organizationIdentifier O CN");
    assert_eq!(kinds(&c.issuer), "C L organizationIdentifier O CN");
    assert!(c.subject.to_string().ends_with("O=My TPP, OID.2.5.4.97=PSDNL-DNB-R123456, L=Utrecht, C=NL"));
    assert!(c.issuer.to_string().ends_with("L=Zeist, C=NL"));
    let days = (c.not_after.as_second() - c.not_before.as_second()) / 86_400;
    assert!((737..=738).contains(&days), "two years and seven days: {days}");
    assert_eq!(c.is_ca, Some(false));
    assert_eq!(c.key_usage.as_deref(), Some(&["digitalSignature", "keyEncipherment", "keyCertSign"][..]));
    let critical =
        |oid: &str| c.extensions.iter().find(|(known, _)| known.to_string() == oid).map(|(_, c)| *c);
    assert_eq!(critical("2.5.29.19"), Some(true), "basicConstraints");
    assert_eq!(critical("1.3.6.1.5.5.7.1.3"), Some(true), "qcStatements");
    assert!(c.authority_key_identifier.is_some() && c.subject_key_identifier.is_some());
    let psd2 = c.qc_statements.clone().unwrap().unwrap().psd2.unwrap();
    assert_eq!((psd2.nca_name.as_str(), psd2.nca_id.as_str()), ("ncaName", "ncaId"));
    assert_eq!(psd2.roles, eidas::Role::THIRD_PARTY);
    assert!(body["keyId"].as_str().unwrap().starts_with("SN=1,CA=CN="));
}

#[tokio::test]
async fn a_public_key_of_ones_own() {
    let server = TestServer::start().await;
    for algorithm in
        [&["-algorithm", "RSA"][..], &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]]
    {
        let private = openssl(&[&["genpkey"], algorithm].concat());
        let (_guard, folder) = testkit::free_folder();
        let file = folder.join("key.pem");
        std::fs::write(&file, &private).unwrap();
        let public = openssl(&["pkey", "-in", file.to_str().unwrap(), "-pubout"]);
        let request = json!({"organizationIdentifier": ID, "profile": "qseal", "publicKey": public});
        let (status, body) = server.manage("POST", "/test-certificates", request).await;
        assert_eq!((status, &body["privateKey"]), (201, &Value::Null), "{body}");
        let signer = testkit::Signer::from_pem(body["certificate"].as_str().unwrap(), &private, None);
        let answer = server.send(&testkit::Request::onboarding("nl").signed(&signer)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

/// With the same key and serial number, two requests in one second give one and the same certificate.
#[tokio::test]
async fn the_same_request_again_and_again() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &tpp.key_pem).unwrap();
    let public = openssl(&["pkey", "-in", file.path().to_str().unwrap(), "-pubout"]);
    let mut last = String::new();
    for _ in 0..10 {
        let request = json!({"organizationIdentifier": ID, "publicKey": public});
        let (status, body) = server.manage("POST", "/test-certificates", request).await;
        assert_eq!(status, 201, "{body}");
        last = body["certificate"].as_str().unwrap().to_owned();
    }
    let signer = testkit::Signer::from_pem(&last, &tpp.key_pem, None);
    let answer = server.send(&testkit::Request::onboarding("nl").signed(&signer)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn refusals() {
    let server = TestServer::start().await;
    let id = |text: &str| json!({"organizationIdentifier": text});
    let with = |name: &str, value: Value| {
        let mut request = id(ID);
        request[name] = value;
        request
    };
    let short = openssl(&["genrsa", "1024"]);
    let (_guard, folder) = testkit::free_folder();
    std::fs::write(folder.join("k"), short).unwrap();
    let short = openssl(&["pkey", "-in", folder.join("k").to_str().unwrap(), "-pubout"]);
    for (request, code, text) in [
        (
            id("PSDDE_BAFIN_1"),
            "invalid_organization_identifier",
            "two upper-case letters, then a hyphen (TS 119 495, 5.2.1)",
        ),
        (id("PSDDE-BaFin-1"), "invalid_organization_identifier", "2 to 8 upper-case letters"),
        (id("PSDDE-BAFIN-"), "invalid_organization_identifier", "number after the last hyphen"),
        (id(""), "invalid_organization_identifier", "it is empty"),
        (id("VATDE-123"), "invalid_organization_identifier", "must begin with PSD"),
        (json!({}), "invalid_request", "missing field `organizationIdentifier`"),
        (with("profil", json!("qwac")), "invalid_request", "unknown field `profil`"),
        (with("profile", json!("qes")), "invalid_profile", "use test-client, qwac or qseal"),
        (with("roles", json!(["PSP_XX"])), "invalid_roles", "\"PSP_XX\" is not one of"),
        (with("roles", json!([])), "invalid_roles", "at least one role"),
        (with("country", json!("XX")), "invalid_country", "not assigned by ISO 3166-1"),
        (with("organizationName", json!("")), "invalid_request", "organizationName must hold"),
        (with("organizationName", json!("a\nb")), "invalid_request", "without control characters"),
        (with("locality", json!("x".repeat(500))), "invalid_request", "locality must hold"),
        (with("publicKey", json!("hello")), "invalid_public_key", "BEGIN PUBLIC KEY"),
        (with("publicKey", json!(short)), "invalid_public_key", "1024 bits"),
        (with("tenant", json!("xx")), "unknown_tenant", "not one of nl, be_fr, be_nl, uk"),
    ] {
        let (status, body) = server.manage("POST", "/test-certificates", request.clone()).await;
        assert_eq!((status, body["error"].as_str()), (400, Some(code)), "{request}: {body}");
        assert!(body["message"].as_str().unwrap().contains(text), "{request}: {body}");
    }
    for (method, path, body, status) in [
        ("GET", "/nothing", Value::Null, 404),
        ("DELETE", "/clock", Value::Null, 405),
        ("PUT", "/test-certificates/ffff", json!({"status": "revoked"}), 404),
        ("PUT", "/test-certificates/ffff", json!({"status": "gone"}), 400),
        ("PUT", "/clock", json!({"tenant": "nl"}), 400),
        ("PUT", "/clock", json!({"tenant": "nl", "now": "2027-01-01T00:00:00Z", "advance": "P1D"}), 400),
        ("PUT", "/clock", json!({"tenant": "nl", "now": "yesterday"}), 400),
        ("PUT", "/clock", json!({"tenant": "nl", "advance": "a day"}), 400),
        ("PUT", "/clock", json!({"tenant": "nl", "advance": "P900Y"}), 400),
        ("PUT", "/clock", json!({"tenant": "nl", "advance": "P99999Y"}), 400),
        ("PUT", "/clock", json!({"tenant": "nl", "now": "1970-01-01T00:00:00Z"}), 400),
        ("PUT", "/clock", json!({"tenant": "xx", "advance": "P1D"}), 400),
    ] {
        let (answered, json) = server.manage(method, path, body.clone()).await;
        assert_eq!(answered, status, "{method} {path} {body}: {json}");
        assert!(json["error"].is_string() && json["message"].is_string(), "{json}");
        // A span that is too long is one.
        let is_long = body["advance"].as_str().is_some_and(|span| span.starts_with("P9"));
        let is_told = json["message"].as_str().unwrap().starts_with("a clock can be set to moments from");
        assert!(!is_long || is_told, "{json}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_cannot_call_it() {
    let server = TestServer::start().await;
    let url = format!("{}/clock", server.running.addresses.management);
    let put = || server.http.put(&url).body(r#"{"advance":"P1D"}"#);
    let json = |r: reqwest::RequestBuilder| r.header("content-type", "application/json");
    for (name, request, status) in [
        ("a form post", put().header("content-type", "text/plain"), 415),
        ("another origin", json(put()).header("origin", "https://evil.example"), 403),
        ("a name that points here", json(put()).header("host", "evil.example:8081"), 403),
        ("by address", json(put()), 200),
        ("by plain name", json(put()).header("host", "sandbox:8081"), 200),
    ] {
        assert_eq!(request.send().await.unwrap().status().as_u16(), status, "{name}");
    }
}

#[tokio::test]
async fn every_answer_is_for_the_caller_alone() {
    let server = TestServer::start().await;
    for (method, path, status) in [
        ("GET", "/", 200),
        ("GET", "/ca.pem", 200),
        ("GET", "/clock", 200),
        ("GET", "/nothing", 404),
        ("DELETE", "/clock", 405),
        ("POST", "/approvals", 415),
        ("POST", "/test-accounts", 415),
    ] {
        let url = format!("{}{path}", server.running.addresses.management);
        let answer = server.http.request(method.parse().unwrap(), url).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            let found = answer.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(found, Some(value), "{method} {path}: {name}");
        }
    }
    let refused = server.http.get(format!("{}/clock", server.running.addresses.management));
    let refused = refused.header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["x-content-type-options"]),
        (403, &"nosniff".parse().unwrap())
    );
}

#[test]
fn a_listener_that_others_can_reach_is_warned_of() {
    for (address, is_warned) in [("0.0.0.0:0", true), ("127.0.0.1:0", false)] {
        let program =
            testkit::Program::sandbox(crate::BINARY, &["--ephemeral", "--management-listen", address]);
        let (_, log) = program.signal("TERM");
        assert_eq!(log.contains("has no log-in"), is_warned, "{address}: {log}");
        assert_eq!(log.lines().count(), usize::from(is_warned), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_who_advances_a_clock_counts() {
    let server = std::sync::Arc::new(TestServer::start().await);
    let at_nl = async || {
        let (_, body) = server.manage("GET", "/clock", Value::Null).await;
        body["clocks"][0]["now"].as_str().unwrap().parse::<gateway::domain::Timestamp>().unwrap()
    };
    let before = at_nl().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let server = std::sync::Arc::clone(&server);
        tasks.spawn(async move { server.advance("nl", "PT1H").await });
    }
    tasks.join_all().await;
    let now = at_nl().await;
    assert!(now.as_second() - before.as_second() >= 20 * 3600, "{before} {now}");
}

#[tokio::test]
async fn clocks_move_alone_and_together() {
    let server = TestServer::start().await;
    let at = async |tenant: &str| {
        let (_, body) = server.manage("GET", "/clock", Value::Null).await;
        let all = body["clocks"].as_array().unwrap().clone();
        let one = all.into_iter().find(|clock| clock["tenant"] == tenant).unwrap();
        one["now"].as_str().unwrap().parse::<gateway::domain::Timestamp>().unwrap()
    };
    let start = at("nl").await;
    let body = json!({"tenant": "nl", "now": "2030-06-01T12:00:00Z"});
    let (_, body) = server.manage("PUT", "/clock", body).await;
    assert_eq!(body["tenant"], "nl");
    assert!(at("nl").await.to_string().starts_with("2030-06-01T12:00:0"));
    assert!(at("uk").await.as_second() - start.as_second() < 60);
    server.advance("nl", "P1M").await;
    assert!(at("nl").await.to_string().starts_with("2030-07-01T12:00:0"));
    let (_, body) = server.manage("PUT", "/clock", json!({"advance": "P90D"})).await;
    assert_eq!(body["clocks"].as_array().unwrap().len(), 4);
    assert!(at("nl").await.to_string().starts_with("2030-09-29T12:00:0"));
    assert!(at("uk").await.as_second() - start.as_second() >= 90 * 86_400);
}

#[tokio::test]
async fn the_list_of_certificates_tells_which_are_in_use() {
    let server = TestServer::start().await;
    let first = server.tpp(ID).await;
    let second = server.tpp(ID).await;
    let (_, body) = server.manage("GET", "/test-certificates", Value::Null).await;
    let status = |fingerprint: String| {
        let all = body["certificates"].as_array().unwrap();
        let one = all.iter().find(|c| c["fingerprint"] == fingerprint).unwrap();
        assert_eq!((&one["organizationIdentifier"], &one["profile"]), (&json!(ID), &json!("test-client")));
        one["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(first.certificate.fingerprint_hex()), "revoked");
    assert_eq!(status(second.certificate.fingerprint_hex()), "active");
}

/// Whoever keeps an id learns whether the bank has what it is of, however many there are.
#[tokio::test]
async fn one_of_a_list_is_found_by_its_id() {
    let server = TestServer::start().await;
    let signer = server.tpp(ID).await;
    let registered = server.register("nl", &signer, &[testkit::CALLBACK]).await;
    let customer = server.customer("nl", "joint").await;
    let id = customer["customerId"].as_str().unwrap();
    let ask = async |path: &str| server.manage("GET", path, Value::Null).await;
    let (status, found) = ask(&format!("/third-parties?id={ID}")).await;
    assert_eq!((status, found["thirdParties"].as_array().map(Vec::len)), (200, Some(1)), "{found}");
    let party = &found["thirdParties"][0];
    assert_eq!(party["redirectUris"], json!([testkit::CALLBACK]), "{party}");
    let secret = registered["client_secret"].as_str().unwrap();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    let beginning: String = hash.as_ref()[..8].iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(party["clientSecretDigest"], beginning, "{party}");
    let (status, found) = ask(&format!("/test-accounts?customerId={id}")).await;
    assert_eq!((status, &found["testAccounts"][0]["customerId"]), (200, &customer["customerId"]), "{found}");
    assert_eq!(found["testAccounts"].as_array().map(Vec::len), Some(1), "{found}");
    for (path, list) in
        [("/third-parties?id=PSDNL-DNB-R1", "thirdParties"), ("/test-accounts?customerId=x", "testAccounts")]
    {
        let (status, found) = ask(path).await;
        assert_eq!((status, &found[list]), (200, &json!([])), "{path}");
    }
    for path in [
        "/third-parties?id=a&id=b",
        "/third-parties?name=a",
        "/test-accounts?customerId=a&x=",
        "/test-accounts?iban=a",
    ] {
        let (status, body) = ask(path).await;
        assert_eq!((status, body["error"].as_str()), (400, Some("invalid_request")), "{path}: {body}");
        assert!(body["message"].as_str().unwrap().contains("or none, once; there is no other"), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_certificates_point_to_is_published() {
    // OpenSSL holds certificates against the time of the machine.
    let server = TestServer::in_real_time().await;
    let (_guard, folder) = testkit::free_folder();
    let old = server.certificate(json!({"organizationIdentifier": ID, "profile": "qwac"})).await;
    let new = server.certificate(json!({"organizationIdentifier": ID, "profile": "qwac"})).await;
    for (path, file) in [("/ca/issuing.cer", "issuing"), ("/ca/issuing.crl", "crl"), ("/ca/root.cer", "root")]
    {
        let body = server.http.get(format!("{}{path}", server.url())).send().await.unwrap();
        assert_eq!(body.status(), 200);
        std::fs::write(folder.join(file), body.bytes().await.unwrap()).unwrap();
    }
    assert!(new.certificate.ca_issuers[0].ends_with("/ca/issuing.cer"));
    assert!(new.certificate.crl_distribution_points[0].ends_with("/ca/issuing.crl"));
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    for name in ["issuing", "root"] {
        openssl(&["x509", "-inform", "DER", "-in", &file(name), "-out", &file(&format!("{name}.pem"))]);
    }
    openssl(&[
        "crl",
        "-inform",
        "DER",
        "-in",
        &file("crl"),
        "-out",
        &file("crl.pem"),
        "-CAfile",
        &file("issuing.pem"),
        "-verify",
    ]);
    for (signer, name, good) in [(&old, "old", false), (&new, "new", true)] {
        std::fs::write(folder.join(name), eidas::certificate::to_pem(&signer.certificate.der)).unwrap();
        let arguments = [
            "verify",
            "-crl_check",
            "-CAfile",
            &file("root.pem"),
            "-untrusted",
            &file("issuing.pem"),
            "-CRLfile",
            &file("crl.pem"),
            &file(name),
        ];
        let output = testkit::run("openssl", &arguments);
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.success(), good, "{name}: {text}");
        assert!(good || text.contains("certificate revoked"), "{text}");
    }
}

#[tokio::test]
async fn public_keys_are_read_in_every_dress_and_private_ones_are_never_repeated() {
    let server = TestServer::start().await;
    let (private, public) = eidas::issue::generate_key(eidas::issue::KeyType::P256).unwrap();
    let ask =
        |key: String| json!({"organizationIdentifier": "PSDNL-DNB-R1", "profile": "qseal", "publicKey": key});
    for key in [
        public.replace('\n', ""),
        public.replace('\n', "\r\n"),
        public.replace('\n', "\n   "),
        format!("\u{feff}Key Attributes: <none>\n{public}"),
    ] {
        let (status, body) = server.manage("POST", "/test-certificates", ask(key.clone())).await;
        assert_eq!(status, 201, "{key}: {body}");
        assert!(body["privateKey"].is_null(), "{body}");
    }
    let digits: String = private.lines().filter(|line| !line.starts_with('-')).collect();
    let certificate = eidas::certificate::to_pem(&server.tpp("PSDNL-DNB-R2").await.certificate.der);
    for (key, expected) in [
        (private.clone(), "it is a private key; expected a public key"),
        (private.replace('\n', ""), "it is a private key; expected a public key"),
        (format!("{public}{private}"), "it is a private key; expected a public key"),
        (private.replace("-----END", "----END"), "the line -----END PRIVATE KEY----- is missing"),
        (digits.clone(), "it is the base64 of a private key"),
        (certificate, "it is a certificate; expected a public key"),
        (String::new(), "it is empty: no public key in it"),
    ] {
        let (status, body) = server.manage("POST", "/test-certificates", ask(key)).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_public_key")), "{body}");
        let message = body["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains(&digits[40..60]), "{message}");
    }
}
