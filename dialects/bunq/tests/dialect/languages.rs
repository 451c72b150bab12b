//! In which language the bank's page opens for a browser that comes by this interface.

use testkit::bunq::BunqClient;
use testkit::{Request, TestServer};

#[tokio::test]
async fn the_link_decides_then_the_browser_then_the_branch() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Languages AISP").await;
    let url = provider.authorization_url().await;
    for (locales, accepted, expected) in [
        ("", "", "nl"),
        ("", "de, fr;q=0.4, en;q=0.6", "en"),
        ("&ui_locales=fr%20en", "en", "fr"),
        ("&ui_locales=de", "en", "en"),
    ] {
        let browser = |path: &str| {
            let request = Request::new("GET", path).set("accept", "text/html");
            if accepted.is_empty() { request } else { request.set("accept-language", accepted) }
        };
        let arrived =
            server.send(&browser(&format!("{}{locales}", url.strip_prefix(server.url()).unwrap()))).await;
        let cookie = arrived.header("set-cookie").split(';').next().unwrap().to_owned();
        let page = server.send(&browser("/auth/internalonly/authorise.html").set("cookie", &cookie)).await;
        assert!(
            page.body.contains(&format!("<html lang=\"{expected}\">")),
            "{locales} {accepted}: {}",
            page.body
        );
    }
}
