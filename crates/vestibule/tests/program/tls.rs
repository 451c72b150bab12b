//! TLS with other programs as clients: OpenSSL and curl.

use serde_json::json;
use testkit::{Request, Signer, TestServer, free_folder, openssl, run};

const ID: &str = "PSDNL-DNB-R000000";

/// The sandbox's authority in a file.
async fn ca_file(server: &TestServer, folder: &std::path::Path) -> String {
    let url = format!("{}/ca.pem", server.running.addresses.management);
    let pem = server.http.get(url).send().await.unwrap().text().await.unwrap();
    let file = folder.join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A call by curl, in a thread of its own since the server runs in this process.
async fn curl(
    request: Request,
    origin: String,
    ca: String,
    client: Option<(String, String)>,
) -> (u16, String) {
    let task = tokio::task::spawn_blocking(move || {
        let mut words =
            vec!["-sS".to_owned(), "--cacert".into(), ca, "-X".into(), request.method.to_string()];
        for (name, value) in &request.headers {
            words.extend(["-H".to_owned(), format!("{name}: {}", value.to_str().unwrap())]);
        }
        if !request.body.is_empty() {
            words.extend(["--data-raw".to_owned(), String::from_utf8(request.body.clone()).unwrap()]);
        }
        if let Some((certificate, key)) = client {
            words.extend(["--cert".to_owned(), certificate, "--key".into(), key]);
        }
        words.extend(["-w".to_owned(), "\n%{http_code}".into(), format!("{origin}{}", request.target)]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        run("curl", &words)
    });
    let output = task.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

fn files(signer: &Signer, folder: &std::path::Path, name: &str) -> (String, String) {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let (certificate, key) = signer.write_to(&folder);
    (certificate.to_str().unwrap().to_owned(), key.to_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_is_asked_for_and_not_demanded() {
    let (_guard, folder) = free_folder();
    let server = TestServer::in_real_time().await;
    let ca = ca_file(&server, &folder).await;
    let origin = server.tls_url().to_owned();
    let seal = server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await;
    let qwac = server.certificate(json!({"organizationIdentifier": ID, "profile": "qwac"})).await;
    let test_client = server.tpp(ID).await;
    let other =
        server.certificate(json!({"organizationIdentifier": "PSDNL-DNB-R9", "profile": "qwac"})).await;
    let payments = json!({"organizationIdentifier": "PSDNL-DNB-R8", "profile": "qwac", "roles": ["PSP_AS"]});
    let bank = server.certificate(payments).await;
    let request = |signer: &Signer| Request::onboarding("nl").signed(signer);

    let call = |request: Request, client: Option<(String, String)>| {
        curl(request, origin.clone(), ca.clone(), client)
    };
    let (status, body) = call(request(&seal), None).await;
    assert_eq!(status, 200, "{body}");
    assert!(
        body.contains(&format!("{origin}/auth/nl/v1/registration")),
        "links lead to where the caller is: {body}"
    );
    for (name, signer) in [("qwac", &qwac), ("test-client", &test_client)] {
        let (status, body) = call(request(&seal), Some(files(signer, &folder, name))).await;
        assert_eq!(status, 200, "{name}: {body}");
    }
    let (status, body) = call(request(&seal), Some(files(&other, &folder, "other"))).await;
    assert_eq!(status, 401, "{body}");
    assert!(
        body.contains("CERTIFICATE_INVALID")
            && body.contains("the TLS client certificate belongs to PSDNL-DNB-R9"),
        "{body}"
    );
    let (status, body) = call(request(&bank), Some(files(&bank, &folder, "bank"))).await;
    assert_eq!(status, 401);
    assert!(body.contains("ROLE_INVALID"), "{body}");
    // With a certificate in the handshake the header that stands in for it does not count.
    let spoiled = request(&seal).set("ssl-certificate", other.header());
    let (status, body) = call(spoiled, Some(files(&qwac, &folder, "qwac"))).await;
    assert_eq!(status, 200, "{body}");

    let path = format!("/test-certificates/{}", qwac.certificate.fingerprint_hex());
    server.manage("PUT", &path, json!({"status": "revoked"})).await;
    let (status, body) = call(request(&seal), Some(files(&qwac, &folder, "qwac"))).await;
    assert!(
        status == 401 && body.contains("CERTIFICATE_REVOKED") && body.contains("the TLS client"),
        "{body}"
    );
    server.advance("nl", "P3Y").await;
    let (_, body) = call(request(&seal), Some(files(&qwac, &folder, "qwac"))).await;
    assert!(body.contains("CERTIFICATE_EXPIRED"), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_can_demand_it_on_api_paths() {
    let (_guard, folder) = free_folder();
    let server = TestServer::with(|config| {
        config.require_mtls = true;
        config.begin = None;
    })
    .await;
    let ca = ca_file(&server, &folder).await;
    let origin = server.tls_url().to_owned();
    let tpp = server.tpp(ID).await;
    let client = files(&tpp, &folder, "tpp");
    let call = |request: Request, client: Option<(String, String)>| {
        curl(request, origin.clone(), ca.clone(), client)
    };

    let refused = server.send(&Request::onboarding("nl").signed(&tpp)).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (401, "CERTIFICATE_MISSING"));
    assert!(refused.error().1.contains("connect with a QWAC"));
    let (status, body) = call(Request::onboarding("nl").signed(&tpp), None).await;
    assert!(status == 401 && body.contains("CERTIFICATE_MISSING"), "{body}");
    let (status, body) = call(Request::onboarding("nl").signed(&tpp), Some(client.clone())).await;
    assert_eq!(status, 200, "{body}");
    let token: serde_json::Value = serde_json::from_str(&body).unwrap();
    let token = token["access_token"].as_str().unwrap();

    let registration = Request::registration("nl", token, &["https://tpp.example/cb"]);
    let (status, body) = call(registration.clone(), None).await;
    assert!(
        status == 401 && body.contains("access_denied") && body.contains("CERTIFICATE_MISSING"),
        "{body}"
    );
    let (status, body) = call(registration, Some(client.clone())).await;
    assert_eq!(status, 201, "{body}");
    for path in ["token", "token/revoke"] {
        let request = Request::new("POST", &format!("/auth/nl/v1/{path}")).form("token=x");
        let (status, body) = call(request, None).await;
        assert!(status == 401 && body.contains("CERTIFICATE_MISSING"), "{path}: {body}");
    }
    let userinfo = server.send(&Request::new("GET", "/auth/nl/v1/userinfo")).await;
    assert!(userinfo.error().1.contains("CERTIFICATE_MISSING"), "{}", userinfo.body);
    // What browsers and libraries fetch stays open.
    for path in ["/auth/nl/.well-known/openid-configuration", "/auth/nl/v1/jwks"] {
        assert_eq!(server.send(&Request::new("GET", path)).await.status, 200, "{path}");
    }
    let browser = server.send(&Request::new("GET", "/auth/nl/v1/auth")).await;
    assert_eq!(browser.error().1, "parameter client_id is missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_sees_a_valid_chain_and_both_versions() {
    let (_guard, folder) = free_folder();
    let server = TestServer::in_real_time().await;
    let ca = ca_file(&server, &folder).await;
    let address = server.tls_url().trim_start_matches("https://").to_owned();
    let qwac = server.certificate(json!({"organizationIdentifier": ID, "profile": "qwac"})).await;
    let (certificate, key) = files(&qwac, &folder, "qwac");
    for version in ["-tls1_2", "-tls1_3"] {
        let (address, ca, certificate, key) = (address.clone(), ca.clone(), certificate.clone(), key.clone());
        let task = tokio::task::spawn_blocking(move || {
            let connect = format!(
                "openssl s_client -connect {address} -CAfile {ca} -verify_return_error {version} -cert {certificate} -key {key} </dev/null"
            );
            run("sh", &["-c", &connect])
        });
        let output = task.await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{version}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("Verify return code: 0 (ok)"), "{version}: {text}");
        assert!(
            text.contains("Acceptable client certificate CA names")
                || text.contains("No client certificate CA names sent"),
            "{text}"
        );
    }
    let text = openssl(&["x509", "-in", &ca, "-noout", "-text"]);
    assert!(text.contains("CA:TRUE") && text.contains("(TEST)"), "{text}");
}
