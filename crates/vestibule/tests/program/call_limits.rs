//! How often one third party may call a gateway, and how much at once.

use std::fmt::Write;

use serde_json::json;
use testkit::{Request, Signer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::serve::{Scene, configuration, error, registered};

/// A call that costs one, with an id of its own.
fn onboarding(number: usize, signer: &Signer) -> Request {
    Request::onboarding("nl").set("x-request-id", format!("limited-{number}")).signed(signer)
}

#[tokio::test]
async fn one_third_party_has_so_many_calls_and_others_have_theirs() {
    let scene = Scene::with("[limits]\ncalls = 4\nwithin = \"1h\"\n").await;
    let qwac = scene.certificate("qwac").await;
    let client = scene.client(Some(&qwac));
    // One call of these counts; the registration is nobody's yet.
    let tpp = registered(&scene, &client).await;
    // Whoever is not certain to be this third party costs it nothing.
    for number in 0..5 {
        let spoiled = onboarding(number, &tpp.signer).set("signature", "keyId=\"x\"");
        let refused = spoiled.exchange(&client, &scene.interface()).await;
        assert_eq!(refused.status, 401, "{}", refused.body);
    }
    for number in 10..13 {
        let taken = onboarding(number, &tpp.signer).exchange(&client, &scene.interface()).await;
        assert_eq!(taken.status, 200, "{number}: {}", taken.body);
    }
    let over = onboarding(13, &tpp.signer).exchange(&client, &scene.interface()).await;
    assert_eq!((over.status, error(&over).as_str()), (429, "ACCESS_EXCEEDED"), "{}", over.body);
    assert!(over.body.contains("one third party may make 4 in 3600 seconds; try again in "), "{}", over.body);
    let seconds: u64 = over.header("retry-after").parse().unwrap();
    assert!((1..=900).contains(&seconds), "{seconds}");

    // The authorization server counts with it, and answers in its own words.
    let refresh = tpp.token_request("grant_type=refresh_token&refresh_token=x");
    let refused = refresh.exchange(&client, &scene.interface()).await;
    assert_eq!((refused.status, &*refused.error().0), (429, "temporarily_unavailable"), "{}", refused.body);
    assert!((1..=900).contains(&refused.header("retry-after").parse::<u64>().unwrap()));

    let of_another = async |profile: &str| {
        scene
            .core
            .certificate(json!({"organizationIdentifier": "PSDNL-DNB-R111111", "profile": profile}))
            .await
    };
    let (qwac, signer) = (of_another("qwac").await, of_another("qseal").await);
    let taken = onboarding(14, &signer).exchange(&scene.client(Some(&qwac)), &scene.interface()).await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    let metrics = scene.managed("/metrics").await.1;
    let row =
        metrics.lines().find(|line| line.contains("status=\"429\"") && line.contains("ACCESS_EXCEEDED"));
    assert!(row.is_some_and(|row| row.ends_with(" 1")), "{metrics}");
}

#[tokio::test]
async fn limits_change_while_it_runs_and_what_was_counted_stays_counted() {
    let mut scene = Scene::with("[limits]\ncalls = 4\nwithin = \"1h\"\n").await;
    let (qwac, signer) = (scene.certificate("qwac").await, scene.certificate("qseal").await);
    let client = scene.client(Some(&qwac));
    let mut number = 0;
    // How many calls are taken until one is refused, at most 20.
    let mut taken = async |scene: &Scene| {
        for count in 0..20 {
            number += 1;
            let answer = onboarding(number, &signer).exchange(&client, &scene.interface()).await;
            if answer.status == 429 {
                return (count, answer.body);
            }
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        (20, String::new())
    };
    assert_eq!(taken(&scene).await.0, 4);
    for (limits, left) in [("calls = 10", 6), ("calls = 5", 0)] {
        let limits = format!("[limits]\n{limits}\nwithin = \"1h\"\n");
        let new = configuration(&scene.files, "https://core.bank.example.com", &limits);
        assert!(!scene.served.reload(new).unwrap().contains(&"limits"), "it takes effect at once");
        let (count, refused) = taken(&scene).await;
        assert_eq!(count, left, "{limits}: {refused}");
    }
    let unlimited = configuration(&scene.files, "https://core.bank.example.com", "");
    scene.served.reload(unlimited).unwrap();
    assert_eq!(taken(&scene).await.0, 20);
}

#[tokio::test]
async fn so_many_calls_are_answered_at_once() {
    let scene = Scene::with("[limits]\ncalls_at_once = 1\n[proxy]\naddresses = [\"127.0.0.1\"]\n").await;
    let (qwac, signer) = (scene.certificate("qwac").await, scene.certificate("qseal").await);
    let (interface, http) = (format!("http://{}", scene.listeners.interface), scene.core.http.clone());
    let certificate = format!(":{}:", qwac.header());
    let call = |number| onboarding(number, &signer).set("client-cert", &certificate);
    // A call whose body does not come has its place meanwhile.
    let slow = onboarding(0, &signer).set("client-cert", &certificate);
    let mut head = format!("{} {} HTTP/1.1\r\nhost: api.bank.example.com\r\n", slow.method, slow.target);
    for (name, value) in &slow.headers {
        write!(head, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    let mut stream = TcpStream::connect(&scene.listeners.interface).await.unwrap();
    stream.write_all(format!("{head}content-length: 5\r\n\r\n").as_bytes()).await.unwrap();
    let mut number = 0;
    let refused = loop {
        number += 1;
        let answer = call(number).exchange(&http, &interface).await;
        match answer.status {
            // The other one is not there yet.
            200 => {}
            _ => break answer,
        }
    };
    assert_eq!((refused.status, error(&refused).as_str()), (429, "ACCESS_EXCEEDED"), "{}", refused.body);
    assert!(refused.body.contains("one third party may make 1 at once"), "{}", refused.body);
    assert_eq!(refused.header("retry-after"), "1");
    stream.write_all(b"     ").await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    let taken = call(number + 1).exchange(&http, &interface).await;
    assert_eq!(taken.status, 200, "its place is free: {}", taken.body);
}
