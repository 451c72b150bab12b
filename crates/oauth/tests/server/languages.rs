//! In which language the bank's pages open: what the link asks for, else the browser, else the branch.

use testkit::{Request, TestServer, detailed};

use crate::ID;
use crate::pages::Scene;

const PAGE: &str = "/auth/internalonly/authorise.html";

/// The language of the page that a link leads a browser to, and of the page when it is asked for again.
async fn language(server: &TestServer, url: &str, accepted: &str) -> String {
    let browser = |path: &str| {
        let request = Request::new("GET", path).set("accept", "text/html");
        if accepted.is_empty() { request } else { request.set("accept-language", accepted) }
    };
    let arrived = server.send(&browser(url.strip_prefix(server.url()).unwrap())).await;
    assert_eq!(arrived.status, 302, "{}", arrived.body);
    let cookie = arrived.header("set-cookie").split(';').next().unwrap().to_owned();
    let page = server.send(&browser(PAGE).set("cookie", &cookie)).await;
    let again = server.send(&browser(PAGE).set("cookie", &cookie)).await;
    let of = |page: &str| page.split_once("<html lang=\"").unwrap().1[..2].to_owned();
    assert_eq!(of(&page.body), of(&again.body));
    of(&page.body)
}

#[tokio::test]
async fn the_link_decides_then_the_browser_then_the_branch() {
    let server = TestServer::start().await;
    for (tenant, own) in [("nl", "nl"), ("be_fr", "fr"), ("uk", "en")] {
        let tpp = server.registered(tenant, ID).await;
        let customer = server.customer(tenant, "student").await;
        let asked = tpp.consent(&server, &detailed(customer["iban"].as_str().unwrap(), true)).await;
        let url = tpp.authorization_url(&asked);
        for (locales, accepted, expected) in [
            ("", "", own),
            ("", "pl, *;q=0.1", own),
            ("", "fr;q=0.2, en-GB;q=0.9, nl;q=0.5", "en"),
            ("", "nl;q=0, fr", "fr"),
            ("&ui_locales=fr-CA%20en", "", "fr"),
            ("&ui_locales=pl+nl", "en", "nl"),
            ("&ui_locales=pl", "en", "en"),
            ("&ui_locales=de-AT", "en", "de"),
            ("&ui_locales=", "", own),
        ] {
            let url = format!("{url}{locales}");
            assert_eq!(language(&server, &url, accepted).await, expected, "{tenant} {locales} {accepted}");
        }
    }
}

#[tokio::test]
async fn pages_of_no_branch_speak_the_browsers_language() {
    let server = TestServer::start().await;
    for (accepted, expected) in
        [("pl, nl;q=0.8, en;q=0.9", "en"), ("fr;q=0.1", "fr"), ("pl", "en"), ("de-CH", "de")]
    {
        let request = Request::new("GET", PAGE).set("accept", "text/html").set("accept-language", accepted);
        let page = server.send(&request).await;
        assert!(page.body.contains(&format!("<html lang=\"{expected}\">")), "{accepted}: {}", page.body);
    }
}

#[tokio::test]
async fn a_tenant_decides_the_language_and_the_page_changes_it() {
    for (tenant, language) in [("nl", "nl"), ("be_nl", "nl"), ("be_fr", "fr"), ("uk", "en")] {
        let scene = Scene::new(tenant, "student").await;
        let (browser, _) = scene.browser(&detailed(scene.iban(), true)).await;
        assert!(browser.get("").await.body.contains(&format!("<html lang=\"{language}\">")), "{tenant}");
        for other in ["fr", "en", "nl"] {
            let page = browser.get(&format!("?lang={other}")).await;
            assert!(page.body.contains(&format!("<html lang=\"{other}\">")));
            assert!(browser.get("").await.body.contains(&format!("<html lang=\"{other}\">")), "it stays");
        }
    }
}
