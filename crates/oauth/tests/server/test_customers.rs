//! Customers of a bank for tests, whom its pages list.

use serde_json::json;
use testkit::{TestServer, detailed};

use crate::ID;
use crate::customer::{OwnBrowser, iban};
use crate::pages::{Browser, value};

#[tokio::test]
async fn a_bank_for_tests_lists_its_customers_and_fills_one_in() {
    let server = TestServer::start().await;
    let household = server.customer("nl", "household").await;
    server.customer("uk", "saver").await;
    let hostile = json!({"tenant": "nl", "persona": "student", "name": "<script>alert(1)</script>"});
    let (status, newest) = server.manage("POST", "/test-accounts", hostile).await;
    assert_eq!(status, 201, "{newest}");
    let mut browser = OwnBrowser::new(&server, "nl");
    let page = browser.get("?lang=en").await.body;
    assert!(page.contains("Test customers") && page.contains("Someone like most: a salary"), "{page}");
    assert!(!page.contains("<script") && !page.contains("G. van den Berg"), "{page}");
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(place("&#60;script&#62;") < place("J. Jansen"), "the newest first");
    let (device, number) = (household["digipassNumber"].as_str().unwrap(), iban(&household));
    let button = format!("<button form=\"take\" name=\"customer\" value=\"{device} {number}\"");
    assert!(page.contains(&button) && page.contains("<form id=\"take\" method=\"get\""), "{page}");
    // One click asks for the page filled in, so that going back sends nothing again; the next one logs in, without scripts.
    let fill = format!("?customer={device}+{number}");
    let filled = browser.get(&fill).await;
    assert!(filled.status == 200 && filled.body.contains("are filled in"), "{}", filled.body);
    let number = value(&filled.body, "iban");
    let answer = filled.body.split_once("id=\"simulated\">").unwrap().1.split('<').next().unwrap().to_owned();
    assert_eq!((number.as_str(), answer.len()), (iban(&household), 6));
    assert!(filled.body.contains(&format!("autofocus value=\"{answer}\"")), "{}", filled.body);
    let entered = browser.submit("", &[("action", "log-in"), ("iban", &number), ("answer", &answer)]).await;
    assert_eq!(entered.status, 303, "{}", entered.body);
    assert!(browser.get("").await.body.contains("J. Jansen"));
    // The same where a third party asks.
    let tpp = server.registered("nl", ID).await;
    let asked = tpp.consent(&server, &detailed(iban(&household), true)).await;
    let mut sent = Browser::open(&server, &tpp.authorization_url(&asked)).await;
    assert!(sent.get("").await.body.contains(&button));
    let filled = sent.get(&fill).await.body;
    let answer = filled.split_once("id=\"simulated\">").unwrap().1.split('<').next().unwrap().to_owned();
    let number = value(&filled, "iban");
    let entered = sent.submit(&[("action", "log-in"), ("iban", &number), ("answer", &answer)]).await;
    assert_eq!(entered.status, 303, "{}", entered.body);
    // What is asked for is only shown, whatever it is.
    for odd in ["", "1", "1+2&customer=1+2", "%3Cb%3E%221+%3Ci%3E2", "+"] {
        let shown = OwnBrowser::new(&server, "nl").get(&format!("?customer={odd}")).await;
        assert!(shown.status == 200 && !shown.body.contains("<b>") && !shown.body.contains("<i>"), "{odd}");
    }
}

#[tokio::test]
async fn eight_customers_are_listed_at_most() {
    let server = TestServer::start().await;
    for _ in 0..10 {
        server.customer("nl", "empty").await;
    }
    let page = OwnBrowser::new(&server, "nl").get("").await.body;
    assert_eq!(page.matches("name=\"customer\"").count(), 8, "{page}");
}
