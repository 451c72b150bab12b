//! More payments, more access and more movements than a page of the customer's own pages holds: all are reached.

use std::collections::BTreeSet;

use serde_json::json;
use testkit::{TestServer, detailed, euro_payment};

use crate::ID;
use crate::customer::OwnBrowser;

const SEPA: &str = "payments/sepa-credit-transfers";
const SHOP: &str = "NL91ABNA0417164300";

/// The ids to which a page links below a path.
fn ids(page: &str, below: &str) -> Vec<String> {
    let mark = format!("/customer/{below}/");
    let links = page.split(mark.as_str()).skip(1);
    let mut ids: Vec<String> = links.map(|rest| rest.split(['"', '#']).next().unwrap().to_owned()).collect();
    ids.dedup();
    ids
}

/// Reads a list to its end, from a page on. Returns the ids page by page.
async fn all(browser: &mut OwnBrowser<'_>, first: &str, below: &str) -> Vec<Vec<String>> {
    let (mut path, mut pages) = (first.to_owned(), Vec::new());
    loop {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        pages.push(ids(&page.body, below));
        let link = page.body.split("<a class=\"button\" href=\"").find(|rest| rest.contains("rel=\"next\""));
        let Some(link) = link.filter(|_| page.body.contains("rel=\"next\"")) else { return pages };
        let (address, _) = link.split_once('"').unwrap();
        path = address.strip_prefix(browser.base.as_str()).unwrap().to_owned();
        assert!(pages.len() < 9, "{pages:?}");
    }
}

#[tokio::test]
async fn every_payment_is_reached_and_the_oldest_is_refused() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let mut naming = euro_payment("1.00", SHOP);
    naming["debtorAccount"] = json!({"iban": iban});
    // The first are decided, so that a page ends among those that wait, and the next goes on to the others.
    let mut asked = Vec::new();
    for number in 0..104 {
        let answer = tpp.payment(&server, SEPA, &naming).await;
        if number < 3 {
            server.decide(&tpp.authorization_url(&answer), iban, "reject").await;
        }
        asked.push(answer["paymentId"].as_str().unwrap().to_owned());
    }
    let mut browser = OwnBrowser::of(&server, "nl", &customer).await;
    browser.get("?lang=en").await;
    let pages = all(&mut browser, "", "payments").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 4]);
    let found: BTreeSet<_> = pages.concat().into_iter().collect();
    assert_eq!(found, asked.iter().cloned().collect());
    assert_eq!(all(&mut browser, "/payments", "payments").await.concat(), pages.concat());
    // What nobody sees at first can be ended all the same.
    let last = pages[2].iter().find(|id| !asked[..3].contains(id)).unwrap();
    let path = format!("/payments/{last}");
    assert_eq!(browser.submit(&path, &[("action", "end")]).await.status, 303);
    assert!(browser.get(&path).await.body.contains("Not made: it was refused or stopped on request"));
    for wrong in ["?after=x", "?after=d.y.1", "?after=u.1"] {
        assert_eq!(browser.get(&format!("/payments{wrong}")).await.status, 404, "{wrong}");
    }
    let nothing = browser.get("/payments?after=d.1.0").await.body;
    assert!(nothing.contains("There is nothing older") && nothing.contains("Newest"), "{nothing}");
    // Nobody else sees any of it.
    let other = server.customer("nl", "student").await;
    let mut stranger = OwnBrowser::of(&server, "nl", &other).await;
    assert_eq!(stranger.get(&path).await.status, 404);
    assert!(ids(&stranger.get("/payments?after=u.99999999999.0").await.body, "payments").is_empty());
}

#[tokio::test]
async fn every_access_is_reached_and_the_oldest_is_withdrawn() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "student").await;
    let iban = customer["iban"].as_str().unwrap();
    let funds = tpp.valid_funds(&server, iban).await;
    let mut given = Vec::new();
    for _ in 0..52 {
        let asked = tpp.consent(&server, &detailed(iban, true)).await;
        let location = server.decide(&tpp.authorization_url(&asked), iban, "approve").await;
        assert!(location.contains("code="), "{location}");
        given.push(asked["consentId"].as_str().unwrap().to_owned());
    }
    given.push(funds.id.clone());
    let mut browser = OwnBrowser::of(&server, "nl", &customer).await;
    let overview = browser.get("?lang=en").await.body;
    assert!(overview.contains("All access that you gave"), "{overview}");
    let pages = all(&mut browser, "/access", "access").await;
    let found: BTreeSet<_> = pages.concat().into_iter().collect();
    assert_eq!(pages[0].len(), 50);
    assert_eq!(found, given.iter().cloned().collect());
    let oldest = pages.last().unwrap().last().unwrap();
    let path = format!("/access/{oldest}");
    assert_eq!(browser.submit(&path, &[("action", "withdraw")]).await.status, 303);
    assert!(browser.get(&path).await.body.contains("Withdrawn by you"));
    let other = server.customer("nl", "student").await;
    let mut stranger = OwnBrowser::of(&server, "nl", &other).await;
    assert!(stranger.get("/access").await.body.contains("Niemand heeft toegang"));
    assert_eq!(stranger.get("/access?after=x").await.status, 404);
}

#[tokio::test]
async fn movements_are_paged_to_the_first_one() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "busy").await;
    let mut browser = OwnBrowser::of(&server, "nl", &customer).await;
    let overview = browser.get("?lang=en").await.body;
    let account = overview.split_once("/customer/accounts/").unwrap().1.split('"').next().unwrap().to_owned();
    let first = format!("/accounts/{account}");
    let (mut path, mut pages, mut movements) = (first.clone(), 0, 0);
    loop {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let booked = page.body.split_once("<h2>Movements</h2>").unwrap().1;
        let on_page = booked.matches("<td class=\"number\">").count();
        assert!((1..=50).contains(&on_page), "{on_page}");
        assert!(booked.contains("scope=\"rowgroup\"") && booked.contains("(on this page)"));
        assert_eq!(page.body.contains(">Newest<"), pages > 0);
        (pages, movements) = (pages + 1, movements + on_page);
        let Some((before, _)) = booked.split_once("\" rel=\"next\"") else { break };
        let next = before.rsplit_once("href=\"").unwrap().1.strip_prefix(&browser.base).unwrap();
        assert!(next.starts_with(&format!("{first}?after=20")), "{next}");
        next.clone_into(&mut path);
    }
    assert_eq!((pages, movements), (24, 1200));
    for wrong in ["x", "2026-01-01", "2026-13-01.1", "2026-01-01.x"] {
        assert_eq!(browser.get(&format!("{first}?after={wrong}")).await.status, 404, "{wrong}");
    }
    let none = browser.get(&format!("{first}?after=1950-01-01.1")).await;
    assert!(none.status == 200 && none.body.contains("Nothing has moved"), "{}", none.body);
}
