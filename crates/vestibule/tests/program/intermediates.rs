//! Authorities between a third party's certificate and one that is trusted: those that come along, and those that were revoked.

use std::fs;

use eidas::certificate::to_pem;
use serde_json::{Value, json};
use testkit::{Request, Signer, TestServer, free_folder};

use crate::certificate_status::asking_bank;
use crate::configuration::Files;
use crate::serve::{NO_CORE, Scene, configuration, error};
use crate::waiting::until;

/// A gateway that trusts the sandbox's root and knows no authority below it.
async fn below_the_root(more: &str) -> Scene {
    let mut scene = Scene::of(Files::new(), more).await;
    fs::write(scene.files.path("intermediates.pem"), scene.files.ca.pem()).unwrap();
    assert!(scene.served.reload(configuration(&scene.files, NO_CORE, more)).unwrap().is_empty());
    scene
}

/// The same certificate with others that are sent along.
fn with(signer: &Signer, chain: &[&str]) -> reqwest::Identity {
    let certificates = to_pem(&signer.certificate.der) + &chain.concat();
    reqwest::Identity::from_pem((signer.key_pem.clone() + &certificates).as_bytes()).unwrap()
}

fn client(authority: &str, identity: reqwest::Identity) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(authority.as_bytes()).unwrap()])
        .pool_max_idle_per_host(0)
        .no_proxy()
        .identity(identity)
        .build()
        .unwrap()
}

fn onboarding(number: usize, seal: &Signer) -> Request {
    Request::onboarding("nl").set("x-request-id", format!("between-{number}")).signed(seal)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_comes_along_in_the_handshake_is_enough() {
    let scene = below_the_root("").await;
    let (qwac, seal) = (scene.certificate("qwac").await, scene.certificate("qseal").await);
    let other = scene.files.ca.pem();
    let (issuing, root) = (qwac.chain[0].as_str(), qwac.chain[1].as_str());
    let call = async |number, chain: &[&str]| {
        let client = client(scene.files.ca.pem(), with(&qwac, chain));
        onboarding(number, &seal).exchange(&client, &scene.interface()).await
    };
    for (number, chain) in [&[][..], &[other], &[root, other, root, other, issuing]].into_iter().enumerate() {
        let refused = call(number, chain).await;
        assert_eq!((refused.status, error(&refused).as_str()), (401, "CERTIFICATE_INVALID"), "{chain:?}");
    }
    // It need not be the first, and the root need not be there.
    let answer = call(10, &[other, issuing]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = call(11, &[issuing, root]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_a_proxy_hands_on_is_enough() {
    let scene = below_the_root("[proxy]\naddresses = [\"127.0.0.1\"]\n").await;
    let (qwac, seal) = (scene.certificate("qwac").await, scene.certificate("qseal").await);
    let interface = format!("http://{}", scene.listeners.interface);
    let issuing = eidas::Certificate::from_pem(&qwac.chain[0]).unwrap();
    let chain = format!(":{}:", eidas::header::to_header_value(&issuing.der));
    let call = async |number, chain: Option<&str>| {
        let request = onboarding(number, &seal).set("client-cert", format!(":{}:", qwac.header()));
        let request = match chain {
            Some(chain) => request.set("client-cert-chain", chain),
            None => request,
        };
        request.exchange(&scene.core.http, &interface).await
    };
    let refused = call(1, None).await;
    assert_eq!((refused.status, error(&refused).as_str()), (401, "CERTIFICATE_INVALID"), "{}", refused.body);
    let refused = call(2, Some("no list")).await;
    assert!(refused.status == 400 && refused.body.contains("client-cert-chain"), "{}", refused.body);
    let answer = call(3, Some(&chain)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_authority_of_a_path_is_asked_about() {
    let (_guard, folder) = free_folder();
    let world = TestServer::in_real_time().await;
    let root = &world.running.sandbox.authorities.root_pem();
    let says = async |body: Value| {
        let (status, said) = world.manage("PUT", "/status-service", body.clone()).await;
        assert_eq!(status, 200, "{body}: {said}");
    };
    let id = "PSDNL-DNB-R000001";
    let qwac = world.certificate(json!({"organizationIdentifier": id, "profile": "qwac"})).await;
    let seal = world.certificate(json!({"organizationIdentifier": id, "profile": "qseal"})).await;
    let number = std::cell::Cell::new(0);
    let call = async |bank: &TestServer| {
        number.set(number.get() + 1);
        let client = client(&bank.running.sandbox.authorities.root_pem(), with(&qwac, &[&qwac.chain[0]]));
        onboarding(number.get(), &seal).exchange(&client, bank.tls_url()).await
    };
    // Both leaves by the responder, and the authority between by the root's list, whose word holds for two seconds.
    says(json!({"validSeconds": 2})).await;
    let bank = asking_bank(&world, &folder, root).await;
    let answer = call(&bank).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let counts = bank.running.sandbox.gateway.revocation().unwrap().counts();
    // A call may take longer than an answer holds.
    assert!(counts.asked >= 3 && (counts.unanswered, counts.bad) == (0, 0), "{counts:?}");
    // The leaves are good, and nobody tells anything of the authority.
    says(json!({"validSeconds": 2, "lists": false})).await;
    let refused = until(503, async || call(&bank).await).await;
    assert!(
        refused.body.contains("the certificate of the authority that issued it could not be checked"),
        "{}",
        refused.body
    );
    assert_eq!(refused.header("retry-after"), "20");
    // The root revoked it.
    says(json!({"issuingRevoked": true})).await;
    let refused = call(&asking_bank(&world, &folder, root).await).await;
    assert!(
        refused.status == 401
            && refused.body.contains("CERTIFICATE_REVOKED")
            && refused.body.contains("the certificate of the authority that issued it was revoked"),
        "{} {}",
        refused.status,
        refused.body
    );
}
