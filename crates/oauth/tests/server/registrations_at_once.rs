//! Registrations that come at the same time.

use serde_json::{Value, json};
use testkit::{Request, Signer, TestServer};

use crate::ID;
use crate::registration::secret_is_good;

const URI: &str = "https://tpp.example/cb";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once() {
    let server = TestServer::start().await;
    let one = server.tpp(ID).await;
    let token = server.initial_access_token("nl", &one).await;
    let request = Request::registration("nl", &token, &[URI]);
    let answers = send_all(&server, (0..200).map(|_| request.clone()).collect()).await;
    assert!(
        answers.iter().all(|answer| answer.status == 201),
        "{:?}",
        answers.iter().find(|a| a.status != 201)
    );
    let secrets: Vec<_> =
        answers.iter().map(|answer| answer.json()["client_secret"].as_str().unwrap().to_owned()).collect();
    assert!(secrets.iter().all(|secret| *secret == secrets[0]), "one request, however often it is sent");
    assert!(secret_is_good(&server, &secrets[0]).await);

    let token = server.initial_access_token("nl", &one).await;
    let request = Request::registration("nl", &token, &[URI]);
    let different = (0..50).map(|number| request.clone().set("x-request-id", format!("{number}")));
    let answers = send_all(&server, different.collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "a token registers once");

    let mut requests = Vec::new();
    for number in 0..200 {
        // One key for all: making 200 of them would take longer than the test.
        let id = format!("PSDNL-DNB-M{number:03}");
        let body = json!({"organizationIdentifier": id, "publicKey": public_key_pem(&one)});
        let (status, answer) = server.manage("POST", "/test-certificates", body).await;
        assert_eq!((status, &answer["privateKey"]), (201, &Value::Null));
        let signer = Signer::from_pem(answer["certificate"].as_str().unwrap(), &one.key_pem, None);
        let token = server.initial_access_token("nl", &signer).await;
        requests.push(Request::registration("nl", &token, &[URI]).certificate(&signer));
    }
    let answers = send_all(&server, requests).await;
    assert!(answers.iter().all(|answer| answer.status == 201));
    let mut ids: Vec<_> = answers.iter().map(|answer| answer.json()["client_id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 200);
}

fn public_key_pem(signer: &Signer) -> String {
    use base64::Engine;
    let der = base64::engine::general_purpose::STANDARD.encode(&signer.certificate.public_key.spki_der);
    format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
}

async fn send_all(server: &TestServer, requests: Vec<Request>) -> Vec<testkit::Answer> {
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let (client, url) = (server.http.clone(), server.url().to_owned());
            tokio::spawn(async move { request.send(&client, &url).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}
