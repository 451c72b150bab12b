//! API keys of bunq's interface in front of a real bank: they are worth as much as the certificates that they were given for.

use std::fs;

use serde_json::json;

use crate::serve::{NO_CORE, Scene, configuration};
use crate::serve_bunq::{BOTH, connected, provider, said};

/// What was shown for a key is asked again, also at a process that never saw it: whom the bank does not trust any more vouches for nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_worth_nothing_when_nobody_vouches_for_its_certificate() {
    let scene = Scene::with(BOTH).await;
    let customer = scene.core.customer("nl", "household").await;
    let provider = provider(&scene).await;
    let client = connected(&scene, &provider, &customer).await;
    let Scene { core, served, files, .. } = scene;
    served.stop().await;
    let mut scene = Scene::behind(core, files, BOTH).await;
    let mut moved = [provider, client];
    moved.iter_mut().for_each(|one| one.origin = scene.interface());
    let [provider, client] = moved;
    for session in [&provider, &client] {
        assert_eq!(session.get("/user").await.status, 200);
    }
    let anchors = fs::read_to_string(scene.files.path("anchors.pem")).unwrap();
    fs::write(scene.files.path("anchors.pem"), scene.files.ca.pem()).unwrap();
    assert!(scene.served.reload(configuration(&scene.files, NO_CORE, BOTH)).unwrap().is_empty());
    for session in [&provider, &client] {
        let refused = session.get("/user").await;
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert!(said(&refused).contains("vouches any more for the certificate behind the API key"));
    }
    let mut installed = provider.clone();
    installed.session = None;
    let again = installed.request("POST", "/session-server", Some(&json!({"secret": provider.key})));
    let refused = provider.send(&again).await;
    assert!(refused.status == 400 && said(&refused).contains("vouches any more"), "{}", refused.body);
    fs::write(scene.files.path("anchors.pem"), anchors).unwrap();
    assert!(scene.served.reload(configuration(&scene.files, NO_CORE, BOTH)).unwrap().is_empty());
    for session in [&provider, &client] {
        assert_eq!(session.get("/user").await.status, 200, "trusted again");
    }
}

/// What another process kept of a certificate counts at once where nobody vouches for what is remembered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_better_path_that_was_kept_since_is_found_before_a_key_is_refused() {
    let scene = Scene::with(BOTH).await;
    let mut provider = provider(&scene).await;
    let Scene { core, served, files, .. } = scene;
    served.stop().await;
    let database = rusqlite::Connection::open(files.path("vestibule.db")).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    let read = "SELECT path FROM certificates WHERE path IS NOT NULL";
    let path: String = database.query_row(read, [], |row| row.get(0)).unwrap();
    let keep =
        |path: &str| database.execute("UPDATE certificates SET path = ?1 WHERE path IS NOT NULL", [path]);
    assert_eq!(keep("[\"AAAA\"]").unwrap(), 1);
    let scene = Scene::behind(core, files, BOTH).await;
    provider.origin = scene.interface();
    for _ in 0..2 {
        let refused = provider.get("/user").await;
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert!(said(&refused).contains("vouches any more"), "{}", refused.body);
    }
    assert_eq!(keep(&path).unwrap(), 1);
    let answer = provider.get("/user").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    // From then on it is remembered.
    assert_eq!(keep("[\"AAAA\"]").unwrap(), 1);
    let answer = provider.get("/user").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}
