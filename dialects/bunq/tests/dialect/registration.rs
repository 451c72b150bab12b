//! Installation, certificate, key, device, session: what the provider's documentation describes, step by step.

use rcgen::{DistinguishedName, DnType};
use serde_json::json;
use testkit::bunq::{
    BunqClient, client_keys, element, provider_certificate, pseudo_certificate, self_signed, sign,
};
use testkit::{Request, TestCa, TestServer};

#[tokio::test]
async fn an_empty_text_may_be_signed_where_there_is_no_body() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let client = BunqClient::customer(&server, &customer).await;
    let own = &client_keys().0;
    let signed = |request: Request, what: &[u8]| request.set("x-bunq-client-signature", sign(own, what));
    let account = client.account().await;
    let payment = client.below(account, "/payment");
    let body = json!({"session_timeout": 600});
    let person = format!("/user-person/{}", client.user);
    for (request, what, status) in [
        (client.request("GET", "/user", None), &b"\"\""[..], 200),
        (client.request("GET", "/user", None), b"", 200),
        (client.request("GET", "/user", None), b"{}", 400),
        (client.request("GET", "/user", None), b"\"\"\n", 400),
        (client.request("PUT", &person, Some(&body)), b"\"\"", 400),
        (client.request("PUT", &person, Some(&body)), b"", 400),
        // Here a signature is needed, and it is over what is sent.
        (client.request("POST", &payment, None), b"\"\"", 400),
        (client.request("DELETE", "/session/0", None), b"\"\"", 200),
    ] {
        let shown = format!("{} {} {:?}", request.method, request.target, String::from_utf8_lossy(what));
        let answer = client.send(&signed(request, what)).await;
        assert_eq!(answer.status, status, "{shown}: {}", answer.body);
        if status == 400 {
            assert!(answer.body.contains("The request signature is invalid."), "{shown}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_certificate_becomes_a_key_and_a_session() {
    let server = TestServer::start().await;
    let client = BunqClient::install(&server).await;
    assert!(
        client.server_key.starts_with("-----BEGIN PUBLIC KEY-----\n")
            && client.server_key.ends_with("-----\n")
    );
    let (certificate, key) = pseudo_certificate("My App PISP AISP", |_| {});
    let answer = client.send(&client.credential_request(&certificate, &certificate, &key)).await;
    let credential = element(&answer, "CredentialPasswordIp");
    assert_eq!(credential["status"], "PENDING_FIRST_USE");
    assert!(credential["permitted_device"].is_null());
    let api_key = credential["token_value"].as_str().unwrap().to_owned();
    assert!(api_key.len() == 64 && api_key.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
    let client = client.open(&api_key).await;
    let user = client.get("/user").await;
    let user = element(&user, "UserPaymentServiceProvider");
    assert_eq!(user["certificate_distinguished_name"], "/CN=My App PISP AISP/C=NL");
    assert_eq!(
        (user["display_name"].as_str(), user["session_timeout"].as_i64()),
        (Some("My App PISP AISP"), Some(3600))
    );
    // Used once, the key is not told any more.
    let path = format!("/payment-service-provider-credential/{}", credential["id"]);
    let credential = element(&client.get(&path).await, "CredentialPasswordIp");
    assert_eq!((credential["status"].as_str(), &credential["token_value"]), (Some("ACTIVE"), &json!(null)));
    assert_eq!(credential["permitted_device"]["description"], "test");
    let devices = client.list("/device-server").await;
    assert_eq!((devices.len(), devices[0]["status"].as_str()), (1, Some("ACTIVE")));
    assert_eq!(client.get(&format!("/device/{}", devices[0]["id"])).await.status, 200);
}

#[tokio::test]
async fn the_subject_is_the_identity() {
    let server = TestServer::start().await;
    let first = BunqClient::provider(&server, "Same Name AISP").await;
    let second = BunqClient::provider(&server, "Same Name AISP").await;
    let other = BunqClient::provider(&server, "Other Name AISP").await;
    assert_eq!(first.user, second.user);
    assert_ne!((first.user, &first.key), (other.user, &other.key));
    assert_ne!(first.key, second.key, "each registration has a key of its own");
}

#[tokio::test]
async fn the_first_session_lasts_an_hour_and_later_ones_ninety_days() {
    let server = TestServer::start().await;
    let first = BunqClient::provider(&server, "Clock AISP").await;
    server.advance("nl", "PT59M").await;
    assert_eq!(first.get("/user").await.status, 200);
    let key = first.key.clone();
    let later = first.clone().session(&key).await;
    let user = element(&later.get("/user").await, "UserPaymentServiceProvider");
    assert_eq!(user["session_timeout"], 2_147_483, "what clients can count with");
    server.advance("nl", "PT1M").await;
    let over = first.get("/user").await;
    assert_eq!(over.status, 403);
    assert_eq!(over.json()["Error"][0]["error_description"], "Insufficient authentication.");
    server.advance("nl", "P88D").await;
    assert_eq!(later.get("/user").await.status, 200, "the session itself lives for ninety days");
    server.advance("nl", "P2D").await;
    assert_eq!(later.get("/user").await.status, 403);
}

#[tokio::test]
async fn a_key_that_nobody_uses_is_lost_after_an_hour() {
    let server = TestServer::start().await;
    let client = BunqClient::install(&server).await;
    let (certificate, key) = provider_certificate(&server, "Unused AISP").await;
    let api_key = client.trade(&certificate, &certificate, &key).await;
    server.advance("nl", "PT1H").await;
    let body = json!({"description": "late", "secret": api_key});
    let answer = client.post("/device-server", &body).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("Incorrect API key or IP address"), "{}", answer.body);
}

#[tokio::test]
async fn a_session_ends_when_it_is_deleted_whatever_number_is_given() {
    let server = TestServer::start().await;
    let client = BunqClient::provider(&server, "Goodbye AISP").await;
    for body in [None, Some(json!({}))] {
        let session = client.clone().session(&client.key).await;
        let answer = session.send(&session.request("DELETE", "/session/0", body.as_ref())).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"Response": []})));
        assert_eq!(session.get("/user").await.status, 403);
    }
    assert_eq!(client.get("/user").await.status, 200, "other sessions go on");
}

#[tokio::test]
async fn a_key_is_bound_to_addresses() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let key = customer["bunq"]["apiKey"].as_str().unwrap();
    let client = BunqClient::install(&server).await;
    let body = json!({"description": "elsewhere", "secret": key, "permitted_ips": ["192.0.2.1"]});
    assert_eq!(client.post("/device-server", &body).await.status, 200);
    let refused = client.post("/session-server", &json!({"secret": key})).await;
    assert_eq!(refused.status, 400, "the first device said that this key is for another address");
    let other = server.customer("nl", "student").await;
    let client = BunqClient::customer(&server, &other).await;
    let credentials = client.list(&format!("/user/{}/credential-password-ip", client.user)).await;
    let base = format!("/user/{}/credential-password-ip/{}/ip", client.user, credentials[0]["id"]);
    let addresses = client.list(&base).await;
    assert_eq!(addresses[0]["ip"], "*");
    let added = client.make(&base, &json!({"ip": "127.0.0.1"})).await;
    assert_eq!(client.list(&format!("{base}/{added}")).await[0]["status"], "ACTIVE");
    let star = format!("{base}/{}", addresses[0]["id"]);
    assert_eq!(client.put(&star, &json!({"status": "INACTIVE"})).await.status, 200);
    assert_eq!(client.get("/user").await.status, 200, "this address is permitted by itself");
    assert_eq!(client.put(&format!("{base}/{added}"), &json!({"status": "INACTIVE"})).await.status, 200);
    let refused = client.get("/user").await;
    assert_eq!(refused.status, 400, "now no address is: {}", refused.body);
}

#[tokio::test]
async fn keys_come_in_many_renderings() {
    let server = TestServer::start().await;
    let (private, public) = client_keys();
    let base64: String = public.lines().filter(|line| !line.starts_with('-')).collect();
    let unwrapped = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----");
    let (certificate, _) = pseudo_certificate("Renderings AISP", |_| {});
    let canonical = format!("{}\n", public.trim_end());
    let windows = public.trim_end().replace('\n', "\r\n") + "\r\n";
    for (sent, signed) in [
        (public.trim_end().to_owned(), canonical.clone()),
        (windows.clone(), windows.clone()),
        (windows, canonical.clone()),
        (unwrapped.clone(), canonical.clone()),
        (unwrapped.clone(), format!("{unwrapped}\n")),
        (public.replace('\n', ""), canonical.clone()),
        (public.replace('\n', "\n  "), canonical.clone()),
        (format!("\u{feff}{public}"), canonical.clone()),
        (format!("My key\n{public}"), canonical.clone()),
        (unwrapped.clone(), unwrapped),
    ] {
        let body = json!({"client_public_key": sent}).to_string();
        let request = Request::new("POST", "/bunq/v1/installation").body("text/plain", body);
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let token = answer.json()["Response"][1]["Token"]["token"].as_str().unwrap().to_owned();
        let body = json!({
            "client_payment_service_provider_certificate": certificate,
            "client_payment_service_provider_certificate_chain": certificate,
            "client_public_key_signature": sign(private, format!("{signed}{token}").as_bytes()),
        });
        let request = Request::new("POST", "/bunq/v1/payment-service-provider-credential")
            .set("x-bunq-client-authentication", &token)
            .body("application/json", body.to_string());
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

#[tokio::test]
async fn certificates_come_in_many_renderings() {
    let server = TestServer::start().await;
    let (plain, key) = pseudo_certificate("Dressed AISP", |_| {});
    let plain = plain.replace('\r', "");
    let client = BunqClient::install(&server).await;
    for dressed in [
        plain.clone(),
        plain.replace('\n', ""),
        plain.replace('\n', "\r\n"),
        plain.replace('\n', "\n\t"),
        plain.replace('\n', "\\n"),
        format!("\u{feff}{plain}"),
        format!("Bag Attributes\n    friendlyName: x\n{plain}"),
    ] {
        let answer = client.send(&client.credential_request(&dressed, &dressed, &key)).await;
        assert_eq!(answer.status, 200, "{dressed}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_real_certificate_needs_a_trusted_issuer_and_grants_its_roles() {
    let server = TestServer::start().await;
    let seal = server
        .certificate(json!({
            "organizationIdentifier": "PSDNL-DNB-B1234", "profile": "qseal", "roles": ["PSP_AI"],
        }))
        .await;
    let client = BunqClient::install(&server).await;
    let pem = eidas::certificate::to_pem(&seal.certificate.der);
    let api_key = client.trade(&pem, &seal.chain.concat(), &seal.key_pem).await;
    let client = client.open(&api_key).await;
    let user = element(&client.get("/user").await, "UserPaymentServiceProvider");
    let name = user["certificate_distinguished_name"].as_str().unwrap();
    assert!(name.contains("/2.5.4.97=PSDNL-DNB-B1234"), "{name}");
    let path = format!("/user/{}/payment-service-provider-draft-payment", client.user);
    assert_eq!(client.get(&path).await.status, 403, "an AISP starts no payments");
}

/// The number of the user that a certificate becomes, or the text of the refusal.
async fn trade(server: &TestServer, certificate: &str, key: &str) -> Result<i64, String> {
    let client = BunqClient::install(server).await;
    let answer = client.send(&client.credential_request(certificate, certificate, key)).await;
    if answer.status != 200 {
        assert_eq!(answer.status, 400, "{}", answer.body);
        return Err(answer.json()["Error"][0]["error_description"].as_str().unwrap().to_owned());
    }
    let api_key = element(&answer, "CredentialPasswordIp")["token_value"].as_str().unwrap().to_owned();
    Ok(client.open(&api_key).await.user)
}

#[tokio::test]
async fn a_subject_belongs_to_the_first_key_that_used_it() {
    let server = TestServer::start().await;
    let (first, first_key) = pseudo_certificate("My App PISP AISP", |_| {});
    let user = trade(&server, &first, &first_key).await.unwrap();
    let (renewed, _) = pseudo_certificate("My App PISP AISP", |params| {
        params.serial_number = Some(rcgen::SerialNumber::from(77_u64));
    });
    assert_eq!(trade(&server, &renewed, &first_key).await, Ok(user), "the same key with a new certificate");
    let (other_key, _) = eidas::issue::generate_key(eidas::issue::KeyType::Rsa2048).unwrap();
    let name = |attributes: &[(DnType, &str)]| {
        let mut name = DistinguishedName::new();
        attributes.iter().for_each(|(kind, value)| name.push(kind.clone(), *value));
        name
    };
    let same = [(DnType::CommonName, "My App PISP AISP"), (DnType::CountryName, "NL")];
    let stolen = self_signed(&other_key, name(&same), |_| {});
    let refused = trade(&server, &stolen, &other_key).await.unwrap_err();
    assert!(refused.contains("/CN=My App PISP AISP/C=NL is in use with another key"), "{refused}");
    assert!(refused.contains("make a certificate with a common name (CN) of your own"), "{refused}");
    assert_eq!(trade(&server, &first, &first_key).await, Ok(user));
    // A forged seal binds nothing.
    let fresh = [(DnType::CommonName, "Fresh AISP"), (DnType::CountryName, "NL")];
    let (client, seen) = (BunqClient::install(&server).await, self_signed(&first_key, name(&fresh), |_| {}));
    let forged = client.send(&client.credential_request(&seen, &seen, &other_key)).await;
    assert_eq!(forged.status, 400);
    let fresh = self_signed(&other_key, name(&fresh), |_| {});
    assert!(trade(&server, &fresh, &other_key).await.is_ok());
}

#[tokio::test]
async fn subjects_are_compared_by_their_structure() {
    let server = TestServer::start().await;
    let (other_key, _) = eidas::issue::generate_key(eidas::issue::KeyType::Rsa2048).unwrap();
    let certificate = |key: &str, attributes: &[(DnType, &str)]| {
        let mut name = DistinguishedName::new();
        attributes.iter().for_each(|(kind, value)| name.push(kind.clone(), *value));
        self_signed(key, name, |_| {})
    };
    let common_name = (DnType::CommonName, "Structure AISP");
    let two = [(DnType::OrganizationName, "A"), (DnType::OrganizationalUnitName, "B"), common_name.clone()];
    let one = [(DnType::OrganizationName, "A/OU=B"), common_name];
    let key = &client_keys().0;
    let user = trade(&server, &certificate(key, &two), key).await.unwrap();
    let other = trade(&server, &certificate(&other_key, &one), &other_key).await.unwrap();
    assert_ne!(user, other, "O=A, OU=B is not O=\"A/OU=B\"");
    assert!(trade(&server, &certificate(&other_key, &two), &other_key).await.is_err());
    assert!(trade(&server, &certificate(key, &one), key).await.is_err());
}

#[tokio::test]
async fn what_cannot_be_seen_in_a_real_name_is_written_out() {
    let ca = TestCa::new("Test Trust (TEST)");
    let (_guard, folder) = testkit::free_folder();
    std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
    let server = TestServer::with(|config| config.trusted_authorities.push(folder.join("ca.pem"))).await;
    let mut subject = TestCa::subject("PSDNL-DNB-B77");
    subject[3].1 = "Good\u{202e}knaB\0\n";
    let signer = ca.issue(&subject, &["PSP_AI"], |_| {});
    let pem = eidas::certificate::to_pem(&signer.certificate.der);
    let client = BunqClient::install(&server).await;
    let api_key = client.trade(&pem, &pem, &signer.key_pem).await;
    let body = client.open(&api_key).await.get("/user").await.json().to_string();
    assert!(body.contains(r"Good\\u{202e}knaB\\u{0000}\\u{000a}"), "{body}");
    assert!(!body.contains('\u{202e}') && !body.contains(r"\u0000"), "{body}");
}

#[tokio::test]
async fn every_answer_has_the_common_headers() {
    let server = TestServer::start().await;
    let client = BunqClient::provider(&server, "Headers AISP").await;
    let request =
        client.request("GET", "/user", None).set("x-bunq-client-request-id", "uniqueness-is-required");
    for (request, status) in
        [(request.clone(), 200), (request.clone().without("x-bunq-client-authentication"), 403)]
    {
        for _ in 0..2 {
            let answer = client.send(&request).await;
            assert_eq!(answer.status, status);
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("x-bunq-client-request-id"), "uniqueness-is-required");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            assert_eq!(answer.header("x-bunq-client-response-id").len(), 36);
        }
    }
    let dutch = client
        .send(&request.clone().without("x-bunq-client-authentication").set("x-bunq-language", "nl_NL"))
        .await;
    let error = &dutch.json()["Error"][0];
    assert_eq!(error["error_description"], "Insufficient authentication.");
    assert_eq!(error["error_description_translated"], "Onvoldoende authenticatie.");
    let preflight =
        Request::new("OPTIONS", "/bunq/v1/user").set("access-control-request-headers", "x-a, x-b");
    let answer = server.send(&preflight).await;
    assert_eq!((answer.status, answer.header("access-control-allow-headers")), (200, "x-a, x-b"));
}

#[tokio::test]
async fn a_key_opens_no_session_before_a_device_binds_it() {
    let server = TestServer::start().await;
    let client = BunqClient::install(&server).await;
    let (certificate, key) = provider_certificate(&server, "Bound AISP").await;
    let secret = client.trade(&certificate, &certificate, &key).await;
    let early = client.post("/session-server", &json!({"secret": secret})).await;
    assert_eq!(early.status, 400);
    assert!(early.body.contains("POST /device-server"), "{}", early.body);
    // No addresses, in each of the ways that clients have to say so: the one of the call.
    let device = json!({"description": "first", "secret": secret, "permitted_ips": []});
    assert_eq!(client.post("/device-server", &device).await.status, 200);
    let client = client.session(&secret).await;
    let credentials = format!("/user/{}/credential-password-ip", client.user);
    let credential = client.list(&credentials).await.remove(0);
    let addresses = client.list(&format!("{credentials}/{}/ip", credential["id"])).await;
    assert_eq!((addresses.len(), addresses[0]["ip"].as_str()), (1, Some("127.0.0.1")));
    // A token of a user needs no device.
    let customer = server.customer("nl", "student").await;
    let location =
        server.decide(&client.authorization_url().await, customer["iban"].as_str().unwrap(), "approve").await;
    let code = testkit::parameter(&location, "code").unwrap();
    let token = client.exchange(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.session(&token).await.get("/user").await.status, 200);
}

#[tokio::test]
async fn one_object_of_a_key_has_a_timeout_and_browsers_may_ask_for_tokens() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let provider = BunqClient::provider(&server, "Order AISP").await;
    let client = provider.connect(&server, &customer).await;
    let user = client.get("/user").await;
    assert_eq!(user.body.matches("session_timeout").count(), 1, "{}", user.body);
    for path in ["/bunq/v1/token", "/bunq/v1/user"] {
        let asked = server.http.request(http::Method::OPTIONS, format!("{}{path}", server.url())).send();
        assert_eq!(asked.await.unwrap().status(), 200, "{path}");
    }
    // Links of pages begin at the root of the host: there the interface answers too.
    let page = client.get(&client.below(client.account().await, "/payment?count=1")).await;
    let older = page.json()["Pagination"]["older_url"].as_str().unwrap().to_owned();
    assert!(older.starts_with("/v1/user/"), "{older}");
    let mut next = client.request("GET", "", None);
    next.target = older;
    assert_eq!(client.send(&next).await.status, 200);
}
