//! The portal's page with things to play with, in a browser.

use serde_json::json;
use testkit::TestServer;

use crate::portal::look;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn things_to_play_with_in_a_browser() {
    let server = TestServer::start().await;
    let (status, made) = server.manage("POST", "/test-accounts", json!({"persona": "student"})).await;
    assert_eq!(status, 201, "{made}");
    look("portal_play.py", &server, json!({"iban": made["iban"]})).await;
}
