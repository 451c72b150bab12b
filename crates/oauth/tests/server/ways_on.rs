//! Pages on which nothing can be done say where to go on, in the language of the session, under the bank's name.

use testkit::{CALLBACK, Request, TestServer, detailed, parameter};

use crate::ID;
use crate::customer::OwnBrowser;
use crate::pages::{Browser, value};

/// Where the first link of a page's buttons leads.
fn way_on(page: &str) -> String {
    let after = page.split_once("class=\"button\" href=\"").unwrap_or_else(|| panic!("{page}")).1;
    after.split('"').next().unwrap().replace("&#38;", "&")
}

#[tokio::test]
async fn an_expired_page_leads_back_to_the_third_party() {
    let server = TestServer::start().await;
    let tpp = server.registered("be_fr", ID).await;
    let customer = server.customer("be_fr", "student").await;
    let asked = tpp.consent(&server, &detailed(customer["iban"].as_str().unwrap(), true)).await;
    let mut browser = Browser::open(&server, &tpp.authorization_url(&asked)).await;
    let cookie = browser.cookie().to_owned();
    browser.get("?lang=nl").await;
    assert_eq!(browser.submit(&[("action", "cancel")]).await.status, 303);
    // Somebody kept the cookie that the browser gave up.
    let request = Request::new("GET", "/auth/internalonly/authorise.html").set("accept", "text/html");
    let over = server.send(&request.set("cookie", &cookie)).await;
    assert_eq!(over.status, 403, "{}", over.body);
    for shown in ["<html lang=\"nl\">", "Vestibule Bank Belgique", ">TEST<", "Terug naar de applicatie"] {
        assert!(over.body.contains(shown), "{shown}: {}", over.body);
    }
    let back = way_on(&over.body);
    assert!(back.starts_with(CALLBACK), "{back}");
    assert_eq!(parameter(&back, "error").as_deref(), Some("invalid_request"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("a state+"));
    // A third party that may not act gets nobody back.
    let path = format!("/third-parties/{ID}");
    server.manage("PUT", &path, serde_json::json!({"status": "blocked"})).await;
    let request = Request::new("GET", "/auth/internalonly/authorise.html").set("accept", "text/html");
    let over = server.send(&request.set("cookie", &cookie)).await;
    assert_eq!(way_on(&over.body), "/auth/be_fr/customer?lang=nl", "{}", over.body);
}

#[tokio::test]
async fn what_is_not_there_is_a_page_for_browsers_and_leads_on() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "student").await;
    let mut own = OwnBrowser::of(&server, "nl", &customer).await;
    own.get("?lang=fr").await;
    let tpp = server.registered("nl", ID).await;
    let asked = tpp.consent(&server, &detailed(customer["iban"].as_str().unwrap(), true)).await;
    let asker = Browser::open(&server, &tpp.authorization_url(&asked)).await;
    asker.get("?lang=en").await;
    let (base, cookie) = ("/auth/nl/customer", own.cookie.as_str());
    for (method, path, cookie, status, language, leads_to) in [
        ("GET", "/auth/nl/customer/foo", cookie, 404, "fr", base),
        ("GET", "/auth/nl/customer/access/1/2", cookie, 404, "fr", base),
        ("PUT", "/auth/nl/customer", cookie, 405, "fr", base),
        ("POST", "/auth/nl/customer/access", cookie, 405, "fr", base),
        ("GET", "/auth/nl/customer/foo", "", 404, "de", base),
        ("GET", "/auth/uk/customer/foo", "", 404, "de", "/auth/uk/customer"),
        ("GET", "/auth/xx/customer/foo", "", 404, "de", base),
        ("GET", "/auth/nl/v1/nothing", "", 404, "de", base),
        ("GET", "/auth/nl/v1/token", "", 405, "de", base),
        ("GET", "/auth/internalonly/other.html", asker.cookie(), 404, "en", CALLBACK),
        ("GET", "/auth/internalonly/other.html", "", 404, "de", base),
        ("GET", "/auth/", "", 404, "de", base),
        ("GET", "/nothing/%3Cscript%3E", "", 404, "de", base),
    ] {
        let request = Request::new(method, path).set("accept", "text/html,*/*;q=0.8");
        let request = request.set("accept-language", "de").set("cookie", cookie);
        let answer = server.send(&request).await;
        let is_page = answer.header("content-type").starts_with("text/html");
        assert!(answer.status == status && is_page, "{method} {path}: {} {}", answer.status, answer.body);
        assert!(answer.body.contains(&format!("<html lang=\"{language}\">")), "{path}: {}", answer.body);
        assert!(way_on(&answer.body).starts_with(leads_to), "{path}: {}", answer.body);
        assert!(!answer.body.contains("<script"), "{}", answer.body);
        // Programs are told as before.
        let told = server.send(&Request::new(method, path).set("accept", "application/json")).await;
        assert!(told.status == status && told.json()["error"].is_string(), "{path}: {}", told.body);
    }
}

#[tokio::test]
async fn an_older_form_leads_to_the_page_as_it_is_now() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "student").await;
    let asked = tpp.consent(&server, &detailed(customer["iban"].as_str().unwrap(), true)).await;
    let mut browser = Browser::open(&server, &tpp.authorization_url(&asked)).await;
    let old = value(&browser.get("?lang=en").await.body, "csrf");
    assert_eq!(browser.log_in(&customer).await.status, 303);
    let stale = server.send(&browser.form(&old, &[("action", "cancel")])).await;
    assert_eq!(stale.status, 403, "{}", stale.body);
    assert!(stale.body.contains("Show the page as it is now"), "{}", stale.body);
    assert_eq!(way_on(&stale.body), "/auth/internalonly/authorise.html");
    let foreign = browser.form(&old, &[("action", "cancel")]).set("sec-fetch-site", "cross-site");
    let foreign = server.send(&foreign).await;
    assert!(foreign.status == 403 && foreign.body.contains("did not come from our page"), "{}", foreign.body);
    assert!(browser.get("").await.body.contains("Share account information?"), "nothing was cancelled");
}

#[tokio::test]
async fn a_wrong_request_leads_back_where_its_address_is_registered() {
    let server = TestServer::start().await;
    server.registered("nl", ID).await;
    let uri = "https%3A%2F%2Ftpp.example%2Fother%3Fx%3D1";
    let ask = async |query: &str, language: &str| {
        let request = Request::new("GET", &format!("/auth/nl/v1/auth?{query}")).set("accept", "text/html");
        server.send(&request.set("accept-language", language)).await
    };
    let known = format!("client_id={ID}&redirect_uri={uri}&state=s%261&response_type=token");
    let wrong = ask(&known, "fr").await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    assert!(wrong.body.contains("<html lang=\"fr\">") && wrong.body.contains("Vestibule Bank Nederland"));
    assert_eq!(way_on(&wrong.body), "https://tpp.example/other?x=1&error=invalid_request&state=s%261");
    let wrong = ask(&format!("{known}&ui_locales=en"), "fr").await;
    assert!(wrong.body.contains("<html lang=\"en\">"), "what the link asks for");
    for unknown in [
        "scope=x".to_owned(),
        format!("client_id={ID}&redirect_uri=https%3A%2F%2Fevil.example"),
        format!("client_id=PSDNL-DNB-R000009&redirect_uri={uri}"),
        format!("client_id={ID}&redirect_uri=javascript%3Aalert(1)"),
        format!("{known}&redirect_uri={uri}"),
    ] {
        let wrong = ask(&unknown, "nl").await;
        assert_eq!(wrong.status, 400, "{}", wrong.body);
        assert_eq!(way_on(&wrong.body), "/auth/nl/customer", "{unknown}: {}", wrong.body);
        assert!(wrong.body.contains("Naar het inloggen"), "{}", wrong.body);
    }
    // Programs get what they got before.
    let plain = server.send(&Request::new("GET", &format!("/auth/nl/v1/auth?{known}"))).await;
    assert_eq!((plain.status, plain.error().0.as_str()), (400, "unsupported_response_type"));
}
