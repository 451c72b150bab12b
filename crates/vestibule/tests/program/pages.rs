//! The pages of the sandbox.

use testkit::{Request, TestServer};

#[tokio::test]
async fn the_first_page_says_what_runs_where() {
    let server = TestServer::start().await;
    let page = server.send(&Request::new("GET", "/").set("accept", "text/html")).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    for text in [
        server.url(),
        server.tls_url(),
        "tpp register --bank",
        "tpp flow ais --headless approve --bank",
        "/auth/be_fr/.well-known",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
    let scripts = page.body.matches("<script").count();
    assert!(scripts > 0 && !page.body.contains("http-equiv"));
    let own = page.body.matches("<script type=\"module\" src=\"/portal/assets/").count();
    assert_eq!(scripts, own, "no script stands in the page, and none is from elsewhere");
    let outside: Vec<_> = page.body.match_indices("href=\"http").collect();
    assert!(outside.is_empty(), "the page needs nothing from elsewhere");
    for (path, kind) in [("/assets/style.css", "text/css"), ("/assets/icon.svg", "image/svg+xml")] {
        let asset = server.send(&Request::new("GET", path)).await;
        assert_eq!(asset.status, 200);
        assert!(
            asset.header("content-type").starts_with(kind)
                && asset.header("x-content-type-options") == "nosniff"
        );
    }
}

#[tokio::test]
async fn an_unknown_page_is_a_page_for_browsers_and_json_for_programs() {
    let server = TestServer::start().await;
    let page = server.send(&Request::new("GET", "/nothing").set("accept", "text/html")).await;
    assert_eq!(page.status, 404);
    assert!(page.body.contains("There is no such page"));
    let json = server.send(&Request::new("GET", "/nothing")).await;
    assert_eq!((json.status, json.json()["error"].as_str()), (404, Some("not_found")));
}
