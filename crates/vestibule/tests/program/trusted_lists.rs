//! Trusted lists before a gateway: those of a sandbox, which vouch for its test certificates where no anchor does.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use testkit::{Answer, Request, Signer, TestServer};

use crate::configuration::Files;
use crate::serve::{NO_CORE, Scene, configuration, error};
use crate::waiting::until;

/// The section, with the list of lists at an address and lines added.
fn section(address: &str, more: &str) -> String {
    format!(
        "[trusted_lists]\nurl = \"{address}/trusted-lists/list-of-lists.xml\"\nsigner_files = [\"list-signers.pem\"]\n{more}"
    )
}

/// Lets the sandbox's lists say something.
async fn say(core: &TestServer, said: Value) {
    let (status, answer) = core.manage("PUT", "/trusted-lists", said).await;
    assert_eq!(status, 200, "{answer}");
}

/// A gateway that has no anchor but somebody else's.
async fn listed(core: TestServer, files: Files, more: &str) -> Scene {
    let scene = Scene::behind(core, files, more).await;
    fs::write(scene.files.path("anchors.pem"), scene.files.ca.pem()).unwrap();
    let mut scene = scene;
    let later = scene.served.reload(configuration(&scene.files, NO_CORE, more)).unwrap();
    assert!(later.is_empty(), "{later:?}");
    scene
}

struct Caller {
    qwac: Signer,
    seal: Signer,
    number: std::cell::Cell<usize>,
}

impl Caller {
    async fn new(scene: &Scene) -> Self {
        let (qwac, seal) = (scene.certificate("qwac").await, scene.certificate("qseal").await);
        Self { qwac, seal, number: std::cell::Cell::new(0) }
    }

    async fn onboard(&self, scene: &Scene) -> Answer {
        self.number.set(self.number.get() + 1);
        let id = format!("listed-{}", self.number.get());
        let request = Request::onboarding("nl").set("x-request-id", id).signed(&self.seal);
        request.exchange(&scene.client(Some(&self.qwac)), &scene.interface()).await
    }

    /// Calls until the answer is the one that is waited for: lists are fetched beside the calls.
    async fn until(&self, scene: &Scene, status: u16) -> Answer {
        until(status, async || self.onboard(scene).await).await
    }
}

fn reload(scene: &mut Scene, more: &str) {
    assert!(scene.served.reload(configuration(&scene.files, NO_CORE, more)).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_decides_whose_certificates_are_taken() {
    let core = TestServer::start().await;
    let address = core.running.addresses.management.clone();
    let files = Files::new();
    fs::write(files.path("list-signers.pem"), core.running.sandbox.authorities.root_pem()).unwrap();
    let more = section(&address, "");
    let mut scene = listed(core, files, &more).await;
    let caller = Caller::new(&scene).await;
    let answer = caller.onboard(&scene).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (_, metrics) = scene.managed("/metrics").await;
    for line in [
        "vestibule_trusted_list_holds{list=\"list-of-lists\"} 1",
        "vestibule_trusted_list_holds{list=\"NL\"} 1",
        "vestibule_trusted_lists_refused_total 0",
        "vestibule_trusted_list_next_update_timestamp_seconds{list=\"NL\"}",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    // The service loses its status, then a purpose; and has both again.
    for said in [
        json!({"status": "withdrawn"}),
        json!({"purposes": ["ForeSeals"]}),
        json!({"purposes": ["ForWebSiteAuthentication"]}),
    ] {
        say(&scene.core, said.clone()).await;
        reload(&mut scene, &more);
        let refused = caller.until(&scene, 401).await;
        assert_eq!(error(&refused), "CERTIFICATE_INVALID", "{said}: {}", refused.body);
        say(&scene.core, json!({})).await;
        reload(&mut scene, &more);
        caller.until(&scene, 200).await;
    }
    // A seal in the handshake is none for websites.
    let wrong = Request::onboarding("nl").set("x-request-id", "listed-wrong").signed(&caller.seal);
    let wrong = wrong.exchange(&scene.client(Some(&caller.seal)), &scene.interface()).await;
    assert_eq!((wrong.status, error(&wrong).as_str()), (401, "CERTIFICATE_INVALID"), "{}", wrong.body);

    // The network is away at a cold start: what was kept is enough, until it is too old.
    let Scene { core, served, files, .. } = scene;
    served.stop().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let more = section(&format!("http://{}", nobody.local_addr().unwrap()), "");
    drop(nobody);
    fs::write(files.path("anchors.pem"), files.ca.pem()).unwrap();
    let scene = listed(core, files, &more).await;
    let answer = caller.onboard(&scene).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let days = |days: i64| days * 24 * 60;
    scene.clock.as_ref().unwrap().by_more(days(186));
    let mut scene = scene;
    reload(&mut scene, &more);
    assert_eq!(caller.onboard(&scene).await.status, 200, "seven days of grace");
    scene.clock.as_ref().unwrap().by_more(days(2));
    reload(&mut scene, &more);
    let refused = caller.onboard(&scene).await;
    assert_eq!((refused.status, error(&refused).as_str()), (401, "CERTIFICATE_INVALID"), "{}", refused.body);
    let (_, metrics) = scene.managed("/metrics").await;
    assert!(metrics.contains("vestibule_trusted_list_holds{list=\"NL\"} 0"), "{metrics}");
}

/// What Java says of the signatures of lists; none without Java.
fn java_verdict(files: &Files, lists: &[&String]) -> Option<String> {
    // It runs a source file, which takes more than a runtime.
    if Command::new("javac").arg("-version").output().is_err() {
        testkit::missing("javac", "run scripts/prerequisites");
        return None;
    }
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/java/Signed.java").to_owned();
    let mut arguments = vec![program, files.path("list-signers.pem").display().to_string()];
    for (number, list) in lists.iter().enumerate() {
        let path = files.path(&format!("{number}.xml"));
        fs::write(&path, list).unwrap();
        arguments.push(path.display().to_string());
    }
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let output = testkit::run("java", &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_that_nobody_signed_who_may_are_not_taken() {
    let core = TestServer::start().await;
    let address = core.running.addresses.management.clone();
    let root = core.running.sandbox.authorities.root_pem();
    let list = async |path: &str| {
        core.http.get(format!("{address}{path}")).send().await.unwrap().text().await.unwrap()
    };
    let (of_lists, national) =
        (list("/trusted-lists/list-of-lists.xml").await, list("/trusted-lists/NL.xml").await);
    // Somebody else's signature, nothing but forged lists in the folder, and a country that is not wanted.
    let forged = national.replace("<TSLSequenceNumber>", "<TSLSequenceNumber>9");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let away = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let mut core = Some(core);
    for (signer, at, kept, more) in [
        (None, &address, None, ""),
        (Some(&root), &away, Some((&of_lists, &forged)), ""),
        (Some(&root), &address, None, "countries = [\"BE\"]\n"),
    ] {
        let files = Files::new();
        let signer = signer.cloned().unwrap_or_else(|| files.ca.pem().to_owned());
        fs::write(files.path("list-signers.pem"), signer).unwrap();
        if let Some((of_lists, national)) = kept {
            // Another implementation says the same of them.
            if let Some(said) = java_verdict(&files, &[of_lists, national]) {
                assert_eq!(said, "good\nbad\n");
            }
            fs::create_dir(files.path("trusted-lists")).unwrap();
            fs::write(files.path("trusted-lists/list-of-lists.xml"), of_lists).unwrap();
            fs::write(files.path("trusted-lists/NL.xml"), national).unwrap();
        }
        let scene = listed(core.take().unwrap(), files, &section(at, more)).await;
        let refused = Caller::new(&scene).await.onboard(&scene).await;
        assert_eq!(
            (refused.status, error(&refused).as_str()),
            (401, "CERTIFICATE_INVALID"),
            "{more} {}",
            refused.body
        );
        core = Some(scene.core);
    }
    let core = core.unwrap();
    for (said, problem) in [
        (json!({"status": "gone"}), "status"),
        (json!({"purposes": ["ForAll"]}), "\"ForAll\" is not one of ForWebSiteAuthentication, ForeSeals"),
        (json!({"nextUpdateSeconds": 0}), "nextUpdateSeconds must lie from 1 to"),
        (json!({"stat": "granted"}), "stat"),
    ] {
        let (status, answer) = core.manage("PUT", "/trusted-lists", said.clone()).await;
        assert!(status == 400 && answer.to_string().replace('\\', "").contains(problem), "{said}: {answer}");
    }
}
