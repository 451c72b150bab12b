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
        ("", "pl, fr;q=0.4, en;q=0.6", "en"),
        ("&ui_locales=fr%20en", "en", "fr"),
        ("&ui_locales=pl", "en", "en"),
        ("&ui_locales=de", "en", "de"),
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

/// What is wrong is told on a page in the customer's language, with a way on, before there is a session too.
#[tokio::test]
async fn errors_before_a_session_speak_the_language_too_and_lead_on() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Ways AISP").await;
    let url = provider.authorization_url().await;
    let url = url.strip_prefix(server.url()).unwrap().replace("response_type=code", "response_type=token");
    let ask = async |path: &str, accepted: &str| {
        let request = Request::new("GET", path).set("accept", "text/html");
        let request = if accepted.is_empty() { request } else { request.set("accept-language", accepted) };
        let answer = server.send(&request).await;
        assert!((400..500).contains(&answer.status), "{}", answer.body);
        let after = answer.body.split_once("class=\"button\" href=\"").unwrap().1;
        let way_on = after.split('"').next().unwrap().replace("&#38;", "&");
        for shown in ["Vestibule Bank Nederland", ">TEST<"] {
            assert!(answer.body.contains(shown), "{shown}: {}", answer.body);
        }
        (answer.body.split_once("<html lang=\"").unwrap().1[..2].to_owned(), way_on)
    };
    for (locales, accepted, expected) in [
        ("", "", "nl"),
        ("", "fr", "fr"),
        ("&ui_locales=en", "fr", "en"),
        ("&ui_locales=pl", "fr", "fr"),
        ("&ui_locales=de", "fr", "de"),
    ] {
        let (language, way_on) = ask(&format!("{url}{locales}"), accepted).await;
        assert_eq!(language, expected, "{locales} {accepted}");
        assert!(way_on.starts_with("https://tpp.example/callback?error=invalid_request"), "{way_on}");
    }
    // Where nobody is known, the way leads to the bank's own pages.
    for unknown in [
        "/bunq/auth?client_id=x&redirect_uri=https%3A%2F%2Fevil.example&response_type=code".to_owned(),
        url.replace("tpp.example", "evil.example"),
        "/bunq/psp?transactionId=7".to_owned(),
    ] {
        let (language, way_on) = ask(&unknown, "fr").await;
        assert_eq!((language.as_str(), way_on.as_str()), ("fr", "/auth/nl/customer"), "{unknown}");
    }
}
