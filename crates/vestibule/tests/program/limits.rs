//! Whatever is sent, the server answers in time, never with a 5xx, and its memory stays bounded.

use std::time::Duration;

use testkit::{Program, Request, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::BINARY;

/// Sends octets as they are and reads until the server closes or stays silent.
async fn raw(address: &str, octets: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(octets).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn broken_requests_get_a_4xx_or_nothing() {
    let server = TestServer::start().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let get = "GET /xs2a-bg/nl/onboarding/v1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    let post = "POST /auth/nl/v1/registration HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    let many: String = (0..700).map(|n| format!("x-{n}: 1\r\n")).collect();
    for (name, request) in [
        ("no HTTP", "hello\r\n\r\n".to_owned()),
        ("only line breaks", "\r\n\r\n\r\n".to_owned()),
        ("binary", "\u{1}\u{2}\u{3}\r\n\r\n".to_owned()),
        ("another version", "GET / HTTP/9.9\r\n\r\n".to_owned()),
        ("blank before the colon", format!("{get}digest : x\r\n\r\n")),
        ("folded header", format!("{get}digest: x\r\n y\r\n\r\n")),
        ("two lengths", format!("{post}content-length: 1\r\ncontent-length: 2\r\n\r\nab")),
        ("negative length", format!("{post}content-length: -1\r\n\r\n")),
        (
            "length and chunks",
            format!("{post}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n\r\n"),
        ),
        ("bad chunk", format!("{post}transfer-encoding: chunked\r\n\r\nxyz\r\n")),
        ("700 headers", format!("{get}{many}\r\n")),
        ("header of 400 KiB", format!("{get}x: {}\r\n\r\n", "x".repeat(400 * 1024))),
        (
            "certificate of 20 KiB",
            format!("{get}tpp-signature-certificate: {}\r\n\r\n", "A".repeat(20 * 1024)),
        ),
        ("target of 100 KiB", format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(100 * 1024))),
        (
            "absolute target",
            "GET http://evil/xs2a-bg/nl/onboarding/v1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
                .to_owned(),
        ),
        ("asterisk", "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned()),
        ("tunnel", "CONNECT evil:443 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned()),
    ] {
        let answer = raw(&address, request.as_bytes()).await;
        let status = status(&answer);
        assert!(status == 0 || (400..500).contains(&status), "{name}: {answer}");
    }
    let answer = raw(
        &address,
        format!("{get}tpp-signature-certificate: {}\r\n\r\n", "A".repeat(20 * 1024)).as_bytes(),
    )
    .await;
    assert!(status(&answer) == 401 && answer.contains("larger than 16 KiB"), "{answer}");
    assert_eq!(server.send(&Request::new("GET", "/auth/nl/v1/jwks")).await.status, 200);
}

/// What is served beside the interfaces, whose routes have rows of their own in their crates.
#[tokio::test]
async fn pages_are_public_and_the_management_api_is_elsewhere() {
    let server = TestServer::start().await;
    for path in [
        "/",
        "/assets/style.css",
        "/assets/icon.svg",
        "/ca/root.cer",
        "/ca/issuing.cer",
        "/ca/issuing.crl",
        "/ca/disclosure-statement",
    ] {
        assert_eq!(server.send(&Request::new("GET", path)).await.status, 200, "{path}");
    }
    for (method, path) in
        [("GET", "/clock"), ("PUT", "/clock"), ("POST", "/test-certificates"), ("GET", "/ca.pem")]
    {
        assert_eq!(server.send(&Request::new(method, path)).await.status, 404, "{method} {path}");
    }
}

/// Resident memory of a process in KiB, without the pages of its file: those of a program that is not optimized say
/// nothing.
pub(crate) fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_bounded_under_a_flood_of_large_requests() {
    let program = Program::sandbox(BINARY, &["--ephemeral"]);
    let origin = program.url("public");
    let idle = resident(program.id());
    assert!(idle < 24 * 1024, "{idle} KiB when idle");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for round in 0..20 {
        let mut tasks = Vec::new();
        for number in 0..32 {
            let (client, origin) = (client.clone(), origin.clone());
            tasks.push(tokio::spawn(async move {
                // Certificates that differ, so that nothing that is kept for each of them may grow.
                let certificate = format!("{:A<16000}", round * 1000 + number);
                let request = Request::new("GET", "/xs2a-bg/nl/onboarding/v1")
                    .set("tpp-signature-certificate", certificate)
                    .body("text/plain", vec![b'x'; 1024 * 1024]);
                request.send(&client, &origin).await.status
            }));
        }
        for task in tasks {
            assert_eq!(task.await.unwrap(), 401);
        }
    }
    let after = resident(program.id());
    assert!(after < 130 * 1024, "{after} KiB after 640 requests of 1 MiB");
}

#[tokio::test]
async fn a_slow_header_is_cut_off() {
    let server = TestServer::start().await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(90), stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "the connection stays open for ever");
}
