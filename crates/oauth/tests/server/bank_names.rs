//! What the bank is called at a branch, on each of its pages.

use serde_json::json;
use testkit::{Request, TestServer, detailed};

use crate::ID;
use crate::customer::{OwnBrowser, iban};
use crate::pages::Browser;

#[tokio::test]
async fn each_page_carries_the_name_that_the_bank_has_at_the_branch() {
    let (_guard, folder) = testkit::free_folder();
    let start = async || {
        TestServer::with(|config| config.data = vestibule::DataLocation::Folder(folder.clone())).await
    };
    let server = start().await;
    let name = "Bank <b>& Söhne</b>";
    let named = server.manage("PUT", "/tenants/uk", json!({"bankName": format!(" {name} ")})).await;
    assert_eq!((named.0, &named.1["bankName"]), (200, &json!(name)), "{}", named.1);
    for (path, body, error) in [
        ("/tenants/xx", json!({"bankName": "x"}), "unknown_tenant"),
        ("/tenants/uk", json!({"bankName": ""}), "invalid_name"),
        ("/tenants/uk", json!({"bankName": "a\nb"}), "invalid_name"),
        ("/tenants/uk", json!({"bankName": "x".repeat(71)}), "invalid_name"),
        ("/tenants/uk", json!({"name": "x"}), "invalid_request"),
    ] {
        let (status, answer) = server.manage("PUT", path, body).await;
        assert_eq!((status, answer["error"].as_str()), (400, Some(error)), "{path}: {answer}");
    }
    let (_, all) = server.manage("GET", "/tenants", json!(null)).await;
    let of =
        |tenant: &str| all["tenants"].as_array().unwrap().iter().find(|one| one["tenant"] == tenant).cloned();
    assert_eq!(
        of("uk").unwrap(),
        json!({"tenant": "uk", "bankName": name, "country": "GB", "currency": "GBP",
        "language": "en"})
    );
    assert_eq!(of("be_nl").unwrap()["bankName"], "Vestibule Bank België");
    let shown = "Bank &#60;b&#62;&#38; Söhne&#60;/b&#62;";
    let customer = server.customer("uk", "student").await;
    let mut browser = OwnBrowser::of(&server, "uk", &customer).await;
    let tpp = server.registered("uk", ID).await;
    let asked = tpp.consent(&server, &detailed(iban(&customer), true)).await;
    let mut sent = Browser::open(&server, &tpp.authorization_url(&asked)).await;
    let mut pages = vec![browser.get("").await, browser.get("/access/1").await, sent.get("").await];
    sent.log_in(&customer).await;
    pages.push(sent.get("").await);
    pages
        .push(server.send(&Request::new("GET", "/auth/uk/v1/auth?scope=x").set("accept", "text/html")).await);
    for page in pages {
        assert!(page.body.contains(shown) && page.body.contains(">TEST<"), "{}", page.body);
    }
    server.stop().await;
    let page = OwnBrowser::new(&start().await, "uk").get("").await.body;
    assert!(page.contains(shown), "{page}");
}
