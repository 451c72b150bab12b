//! The authorization endpoint: what it refuses, and that it never sends a browser where it should not.

use serde_json::json;
use testkit::{CALLBACK, Request, TestServer, ValidConsent, detailed, parameter};

use crate::ID;
use crate::grants::{Scene, assert_refused};

const URI: &str = "https://tpp.example/cb?x=1";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CONSENT: &str = "6f0b0f0e-2a2f-4f3e-9b53-0f1f4b6c7d11";

/// A valid request, from which tests take away or change one parameter.
fn parameters() -> Vec<(&'static str, String)> {
    vec![
        ("response_type", "code".into()),
        ("client_id", ID.into()),
        ("redirect_uri", URI.into()),
        ("scope", format!("openid offline_access AIS:{CONSENT}")),
        ("code_challenge", CHALLENGE.into()),
        ("code_challenge_method", "S256".into()),
        ("state", "a b&c=ü".into()),
    ]
}

fn query(parameters: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        let value: String = value.bytes().map(|b| format!("%{b:02X}")).collect();
        text += &format!("{name}={value}&");
    }
    text.trim_end_matches('&').to_owned()
}

fn get(parameters: &[(&str, String)]) -> Request {
    Request::new("GET", &format!("/auth/nl/v1/auth?{}", query(parameters)))
}

fn with(name: &'static str, value: &str) -> Request {
    let mut all = parameters();
    all.retain(|(known, _)| *known != name);
    all.push((name, value.into()));
    get(&all)
}

fn without(name: &str) -> Request {
    let mut all = parameters();
    all.retain(|(known, _)| *known != name);
    get(&all)
}

#[tokio::test]
async fn invalid_requests_are_answered_here_and_never_redirected() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    server.register("nl", &tpp, &[URI]).await;
    let reader = json!({"organizationIdentifier": "PSDNL-DNB-R2", "roles": ["PSP_PI"]});
    let reader = server.certificate(reader).await;
    server.register("nl", &reader, &[URI]).await;
    let mut of_reader = parameters();
    of_reader[1].1 = "PSDNL-DNB-R2".into();
    let mut repeated = parameters();
    repeated.push(("state", "x".into()));
    let scope = |text: &str| with("scope", text);
    let mut rows: Vec<(&str, Request, &str, &str)> = vec![
        ("no client id", without("client_id"), "invalid_request", "client_id is missing"),
        ("empty client id", with("client_id", ""), "invalid_request", "client_id is missing"),
        ("malformed client id", with("client_id", "me"), "invalid_request", "Invalid client id"),
        (
            "unknown client",
            with("client_id", "PSDNL-DNB-X"),
            "invalid_request",
            "TPP with client id PSDNL-DNB-X not found",
        ),
        ("no redirect URI", without("redirect_uri"), "invalid_request", "redirect_uri is missing"),
        (
            "redirect URI of somebody else",
            with("redirect_uri", "https://evil.example/"),
            "invalid_request",
            "Unregistered redirect_uri",
        ),
        (
            "redirect URI with more path",
            with("redirect_uri", "https://tpp.example/cb/?x=1"),
            "invalid_request",
            "Unregistered redirect_uri",
        ),
        (
            "redirect URI in other letters",
            with("redirect_uri", "https://TPP.example/cb?x=1"),
            "invalid_request",
            "character by character",
        ),
        ("no response type", without("response_type"), "invalid_request", "response_type is missing"),
        ("implicit", with("response_type", "token"), "unsupported_response_type", "use code"),
        ("hybrid", with("response_type", "code id_token"), "unsupported_response_type", "use code"),
        ("no scope", without("scope"), "invalid_request", "scope is missing"),
        ("no openid", scope(&format!("AIS:{CONSENT}")), "invalid_scope", "openid is missing"),
        ("no resource", scope("openid"), "invalid_scope", "names no resource"),
        (
            "two resources",
            scope(&format!("openid AIS:{CONSENT} PIS:{CONSENT}")),
            "invalid_scope",
            "more than one resource",
        ),
        (
            "unknown scope",
            scope(&format!("openid accounts AIS:{CONSENT}")),
            "invalid_scope",
            "accounts is not known",
        ),
        ("no UUID", scope("openid AIS:1"), "invalid_scope", "no UUID"),
        ("no challenge", without("code_challenge"), "invalid_request", "code_challenge is missing"),
        ("no challenge method", without("code_challenge_method"), "invalid_request", "must be S256"),
        ("plain challenge", with("code_challenge_method", "plain"), "invalid_request", "must be S256"),
        ("short challenge", with("code_challenge", "abc"), "invalid_request", "43 characters"),
        (
            "challenge of other letters",
            with("code_challenge", &"!".repeat(43)),
            "invalid_request",
            "43 characters",
        ),
        ("request object", with("request", "x.y.z"), "request_not_supported", "request is not supported"),
        (
            "request URI",
            with("request_uri", "https://evil.example/r"),
            "request_uri_not_supported",
            "request_uri is not supported",
        ),
        (
            "registration",
            with("registration", "{}"),
            "registration_not_supported",
            "registration is not supported",
        ),
        ("a parameter twice", get(&repeated), "invalid_request", "state occurs more than once"),
        ("fragment mode", with("response_mode", "fragment"), "invalid_request", "use query"),
        ("max_age in words", with("max_age", "long"), "invalid_request", "no number of seconds"),
        ("unknown prompt", with("prompt", "sing"), "invalid_request", "sing is not known"),
        ("prompt none", with("prompt", "none"), "consent_required", "needs the customer"),
        (
            "id token hint",
            with("id_token_hint", "a.b.c"),
            "invalid_request",
            "invalid subject in id_token_hint",
        ),
        ("no parameter", Request::new("GET", "/auth/nl/v1/auth"), "invalid_request", "client_id is missing"),
        (
            "not UTF-8",
            Request::new("GET", "/auth/nl/v1/auth?client_id=%ff"),
            "invalid_request",
            "not valid UTF-8",
        ),
        (
            "POST of JSON",
            Request::new("POST", "/auth/nl/v1/auth").body("text/plain", "x"),
            "invalid_request",
            "application/x-www-form-urlencoded",
        ),
    ];
    // In front of a real bank the role is that of the certificate which asked for the consent, and there is none.
    if testkit::is_served() {
        let back = server.send(&get(&of_reader)).await;
        assert_eq!(back.status, 302, "{}", back.body);
        assert!(back.header("location").contains("No+pending+authorisations"), "{}", back.header("location"));
    } else {
        let text = "does not grant PSP_AI";
        rows.push(("no role for the scope", get(&of_reader), "invalid_scope", text));
    }
    for (name, request, code, text) in rows {
        let answer = server.send(&request).await;
        assert!(matches!(answer.status, 400 | 415), "{name}: {} {}", answer.status, answer.body);
        assert_eq!(answer.header("location"), "", "{name}");
        let (got, said) = answer.error();
        assert_eq!(got, code, "{name}: {}", answer.body);
        assert!(said.contains(text), "{name}: {said}");
        let page = server.send(&request.set("accept", "text/html,application/xhtml+xml,*/*;q=0.8")).await;
        assert_eq!(page.status, answer.status, "{name}");
        assert!(page.header("content-type").starts_with("text/html"), "{name}");
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert!(page.body.contains(code) && !page.body.contains("<script"), "{name}");
    }
}

#[tokio::test]
async fn a_valid_request_for_nothing_pending_goes_back_with_state() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    server.register("nl", &tpp, &[URI]).await;
    let form = Request::new("POST", "/auth/nl/v1/auth").form(&query(&parameters()));
    let padded = with("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+/M=");
    for request in [get(&parameters()), form, padded] {
        let answer = server.send(&request).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        let location = answer.header("location");
        let expected = format!(
            "{URI}&error=invalid_request&error_description=No+pending+authorisations+found+for+consent+with+uuid+{CONSENT}\
             &state=a+b%26c%3D%C3%BC&iss="
        );
        assert!(location.starts_with(&expected), "{location}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let payment = with("scope", &format!("openid PIS:{CONSENT}"));
    let answer = server.send(&payment).await;
    assert!(
        answer.header("location").contains("found+for+payment+with+uuid"),
        "{}",
        answer.header("location")
    );
}

#[tokio::test]
async fn a_registered_uri_with_a_query_keeps_it() {
    let scene = Scene::new().await;
    let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, true)).await;
    let url = scene.tpp.authorization_url(&asked).replace(
        &form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect::<String>(),
        "https%3A%2F%2Ftpp.example%2Fother%3Fx%3D1",
    );
    let location = scene.server.decide(&url, &scene.iban, "approve").await;
    assert!(location.starts_with("https://tpp.example/other?x=1&code="), "{location}");
}

#[tokio::test]
async fn the_newest_authorisation_is_the_one_that_is_decided() {
    let scene = Scene::new().await;
    for _ in 0..5 {
        let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, true)).await;
        let id = asked["consentId"].as_str().unwrap().to_owned();
        let path = format!("/v1/consents/{id}/authorisations");
        let start = scene.tpp.request("POST", &path).set("tpp-redirect-uri", CALLBACK);
        let begun = scene.server.send(&start.signed(&scene.tpp.signer)).await.json();
        let ids = scene.server.send(&scene.tpp.get(&path)).await.json();
        let expected = json!([asked["authorisationId"], begun["authorisationId"]]);
        assert_eq!(ids["authorisationIds"], expected);
        let location =
            scene.server.decide(&scene.tpp.authorization_url(&asked), &scene.iban, "approve").await;
        let tokens = scene.tpp.redeem(&scene.server, &parameter(&location, "code").unwrap()).await.json();
        let consent = ValidConsent {
            id,
            authorisation: begun["authorisationId"].as_str().unwrap().to_owned(),
            access_token: tokens["access_token"].as_str().unwrap().to_owned(),
            refresh_token: String::new(),
        };
        assert_eq!(scene.tpp.confirm(&scene.server, &consent).await.status, 200);
    }
}

#[tokio::test]
async fn the_authorization_endpoint_takes_hints_of_its_own_and_nobody_elses_consent() {
    let scene = Scene::new().await;
    let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, true)).await;
    let url = scene.tpp.authorization_url(&asked);
    let code = parameter(&scene.server.decide(&url, &scene.iban, "approve").await, "code").unwrap();
    let tokens = scene.tpp.redeem(&scene.server, &code).await.json();
    let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, true)).await;
    let target = scene.tpp.authorization_url(&asked).replace(scene.server.url(), "");
    let send = async |target: String| scene.server.send(&Request::new("GET", &target)).await;
    let hint = tokens["id_token"].as_str().unwrap();
    assert_eq!(send(format!("{target}&id_token_hint={hint}")).await.status, 302);
    assert_refused(
        &send(format!("{target}&id_token_hint={hint}x")).await,
        "invalid_request",
        "id_token_hint",
    );
    assert_eq!(send(format!("{target}&request_uri=&request=")).await.status, 302, "empty is absent");
    let long = send(format!("{target}&nonce={}", "n".repeat(2001))).await;
    assert_refused(&long, "invalid_request", "nonce is longer than 2000 bytes");
    let head = scene.server.send(&Request::new("HEAD", &target)).await;
    assert_eq!((head.status, head.header("set-cookie")), (302, ""), "nothing begins");
    // Another third party asks for our consent: there is nothing pending for it.
    let other = scene.server.registered("nl", "PSDNL-DNB-R999999").await;
    let foreign = send(target.replace(ID, &other.id())).await;
    assert_eq!(parameter(foreign.header("location"), "error").as_deref(), Some("invalid_request"));
    let elsewhere = send(target.replace("/auth/nl/", "/auth/uk/")).await;
    assert_eq!(parameter(elsewhere.header("location"), "error").as_deref(), Some("invalid_request"));
}
