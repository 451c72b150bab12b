//! The portal's first page in a browser.

use serde_json::Value;
use testkit::TestServer;

use crate::portal::look;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_page_in_a_browser() {
    let server = TestServer::start().await;
    look("portal_home.py", &server, Value::Null).await;
}
