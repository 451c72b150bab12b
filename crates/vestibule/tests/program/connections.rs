//! Connections that cost something and bring nothing: silent ones, too many, bodies that never end or that nobody reads.

use std::time::Duration;

use serde_json::json;
use testkit::{Program, Request, TestServer, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::BINARY;
use crate::limits::resident;

/// Far more than the server's limits, for machines that are busy.
const PATIENCE: Duration = Duration::from_secs(90);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// An empty SETTINGS frame (RFC 9113, 6.5).
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

fn host(url: &str) -> &str {
    url.split("://").nth(1).unwrap()
}

/// Sends octets, then nothing more; returns when the server has closed the connection.
async fn closes<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(
    name: &str,
    mut stream: S,
    octets: &[u8],
) {
    stream.write_all(octets).await.unwrap();
    let mut answer = Vec::new();
    let ended = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "{name}: the connection stays open for ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_do_nothing_are_closed() {
    let server = TestServer::start().await;
    let (plain, secured) = (host(server.url()), host(server.tls_url()));
    let management = host(&server.running.addresses.management);
    let connect = async |address: &str| TcpStream::connect(address).await.unwrap();
    let opening = [PREFACE, SETTINGS].concat();
    // One request over HTTP/2, answered, and then silence; and one whose body never comes.
    let settled = [PREFACE, SETTINGS, &headers(b'G', "/auth/nl/v1/jwks", true)].concat();
    let unfinished = [PREFACE, SETTINGS, &headers(b'P', "/auth/nl/v1/token", false)].concat();
    tokio::join!(
        closes("nothing sent", connect(plain).await, b""),
        closes("nothing sent to the management", connect(management).await, b""),
        closes("nothing sent where TLS is expected", connect(secured).await, b""),
        closes("half a client hello", connect(secured).await, &[0x16, 3, 1, 2, 0, 1]),
        closes("a handshake and then silence", tls(&server).await, b""),
        closes("half a preface", connect(plain).await, &PREFACE[..12]),
        closes("half a preface in TLS", tls(&server).await, &PREFACE[..12]),
        closes("a preface and then silence", connect(plain).await, &opening),
        closes("half a request line", connect(plain).await, b"GET /"),
        closes("an answered request over HTTP/2", connect(plain).await, &settled),
        closes(
            "an answered request over HTTP/1.1",
            connect(plain).await,
            b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
        ),
        closes("a body over HTTP/2 that never comes", connect(plain).await, &unfinished),
    );
    assert_eq!(server.send(&Request::new("GET", "/auth/nl/v1/jwks")).await.status, 200);
}

/// TLS without a client certificate, trusting the sandbox's own authority.
async fn tls(server: &TestServer) -> tokio_rustls::client::TlsStream<TcpStream> {
    use rustls_pki_types::pem::PemObject;
    let url = format!("{}/ca.pem", server.running.addresses.management);
    let pem = server.http.get(url).send().await.unwrap().bytes().await.unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls_pki_types::CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = rustls_pki_types::ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(host(server.tls_url())).await.unwrap();
    tokio_rustls::TlsConnector::from(std::sync::Arc::new(config)).connect(name, stream).await.unwrap()
}

/// A HEADERS frame on stream 1 for a GET or a POST (RFC 9113, 6.2; RFC 7541, 6).
fn headers(method: u8, path: &str, is_end: bool) -> Vec<u8> {
    // From the static table: the method, the scheme http, and the names of path and authority.
    let mut block = vec![if method == b'G' { 0x82 } else { 0x83 }, 0x86];
    for (name, value) in [(0x04, path), (0x01, "localhost")] {
        block.extend([name, u8::try_from(value.len()).unwrap()]);
        block.extend(value.as_bytes());
    }
    let flags = 4 | u8::from(is_end);
    frame(1, flags, 1, &block)
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_leaves_places_for_others() {
    let server = TestServer::with(|config| config.listen = "0.0.0.0:0".to_owned()).await;
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    let from = async |last: u8| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("127.0.0.{last}:0").parse().unwrap()).unwrap();
        socket.connect(format!("127.0.0.1:{port}").parse().unwrap()).await.unwrap()
    };
    // However many the system allows, these are more than one address gets.
    let mut silent = Vec::new();
    for _ in 0..1100 {
        silent.push(from(2).await);
    }
    let mut closed = 0;
    let all_that_are_too_many = async {
        while closed < 1100 - 1024 {
            for mut stream in std::mem::take(&mut silent) {
                match timeout(Duration::from_millis(1), stream.read(&mut [0])).await {
                    Err(_) => silent.push(stream),
                    Ok(_) => closed += 1,
                }
            }
        }
    };
    let ended = timeout(PATIENCE, all_that_are_too_many).await;
    assert!(ended.is_ok(), "{} connections of one address are open", silent.len());
    let mut other = from(3).await;
    other.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, other.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// 600 callers announce a body of 1 MB each, send all of it but the last octet, and wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_never_end_share_one_budget() {
    let program = Program::sandbox(BINARY, &["--ephemeral"]);
    let origin = program.url("public");
    let idle = resident(program.id());
    let doors = [
        "/auth/nl/v1/registration",
        "/auth/nl/v1/token",
        "/bunq/v1/installation",
        "/bunq/v1/attachment-public",
    ];
    let most = std::sync::atomic::AtomicU64::new(0);
    let mut held = Vec::new();
    for number in 0..600 {
        let mut stream = TcpStream::connect(host(&origin)).await.unwrap();
        let path = doors[number % doors.len()];
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 1000000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server may refuse it before it has arrived.
        let body = vec![b'x'; 999_999];
        let _ = timeout(Duration::from_secs(5), stream.write_all(&body)).await;
        held.push(stream);
        if number % 20 == 0 {
            most.fetch_max(resident(program.id()), std::sync::atomic::Ordering::SeqCst);
        }
    }
    let most = most.into_inner().saturating_sub(idle);
    assert!(most < 200 * 1024, "{most} KiB for 600 bodies of 1 MB");
    // Meanwhile small bodies are read.
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = Request::new("POST", "/auth/nl/v1/token").form("grant_type=x").send(&client, &origin).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
    drop(held);
    let mut after = resident(program.id());
    for _ in 0..200 {
        if after < idle + 100 * 1024 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        Request::new("POST", "/auth/nl/v1/token").form("grant_type=x").send(&client, &origin).await;
        after = resident(program.id());
    }
    assert!(after < idle + 100 * 1024, "{idle} KiB before and {after} KiB after 600 bodies of 1 MB");
}

/// Sends all of a body but its last octet, and waits.
async fn hold(address: String) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /auth/nl/v1/registration HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let body = vec![b'x'; 999_999];
    let _ = timeout(Duration::from_secs(5), stream.write_all(&body)).await;
    stream
}

/// Large registrations at once: those for which there is no memory are refused in the format of the door, and say when
/// to come again; when the others are gone there is memory again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_above_the_budget_are_refused_and_later_taken() {
    let program = Program::sandbox(BINARY, &["--ephemeral"]);
    let origin = program.url("public");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let large = Request::new("POST", "/auth/nl/v1/registration").form(&"x".repeat(900_000));
    let (mut held, mut answer) = (Vec::new(), large.send(&client, &origin).await);
    assert_eq!(answer.status, 401, "{}", answer.body);
    // On a busy machine the first ones may have been given up before the last ones are there.
    for _ in 0..20 {
        let more: Vec<_> = (0..20).map(|_| tokio::spawn(hold(host(&origin).to_owned()))).collect();
        for stream in more {
            held.push(stream.await.unwrap());
        }
        answer = large.send(&client, &origin).await;
        if answer.status == 503 {
            break;
        }
    }
    assert_eq!(
        (answer.status, answer.error().0.as_str()),
        (503, "temporarily_unavailable"),
        "{}",
        answer.body
    );
    assert_eq!(answer.header("retry-after"), "5");
    drop(held);
    let mut answer = large.send(&client, &origin).await;
    for _ in 0..200 {
        if answer.status != 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer = large.send(&client, &origin).await;
    }
    assert_eq!(answer.status, 401, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_send_small_bodies_only() {
    let server = TestServer::start().await;
    let large = "x".repeat(65 * 1024);
    let form = |path: &str| Request::new("POST", path).form(&large);
    for (request, status, text) in [
        (form("/auth/nl/v1/token"), 413, "larger than 65536 bytes"),
        (form("/auth/nl/v1/token/revoke"), 413, "larger than 65536 bytes"),
        (form("/auth/nl/v1/par"), 413, "larger than 65536 bytes"),
        (form("/auth/nl/v1/auth"), 413, "larger than 65536 bytes"),
        (form("/auth/nl/v1/introspect"), 413, "larger than 65536 bytes"),
        (form("/auth/internalonly/authorise.html"), 413, "larger than 65536 bytes"),
        (form("/bunq/v1/installation"), 413, "larger than 65536 bytes"),
        (form("/bunq/v1/sandbox-user-person"), 413, "larger than 65536 bytes"),
        (form("/bunq/v1/token"), 413, "larger than 65536 bytes"),
        // Nothing is read before it is known who calls.
        (form("/xs2a-bg/nl/v1/consents"), 400, "X-Request-ID header is missing"),
        (form("/bunq/v1/attachment-public"), 403, "Insufficient authentication"),
    ] {
        let path = request.target.clone();
        let answer = server.send(&request).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(answer.body.contains(text), "{path}: {}", answer.body);
    }
    // A browser gets a page.
    let browser = form("/auth/internalonly/authorise.html").set("accept", "text/html");
    let answer = server.send(&browser).await;
    assert_eq!(answer.status, 413);
    assert!(answer.header("content-type").starts_with("text/html"), "{}", answer.body);
    let certificate = json!({"organizationIdentifier": large});
    let (status, body) = server.manage("POST", "/test-certificates", certificate).await;
    assert_eq!((status, body["error"].as_str()), (413, Some("invalid_request")), "{body}");
}

/// Reads frames until one satisfies `is_last`; returns their kinds, flags and streams.
async fn frames(stream: &mut TcpStream, is_last: impl Fn(u8, u8) -> bool) -> Vec<(u8, u8, u8)> {
    let mut seen = Vec::new();
    loop {
        let mut head = [0; 9];
        timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        timeout(PATIENCE, stream.read_exact(&mut payload)).await.unwrap().unwrap();
        seen.push((head[3], head[4], head[8]));
        if is_last(head[3], head[4]) {
            return seen;
        }
    }
}

/// What an HTTP/2 client loses its answer over is a RST_STREAM for a body that it has not sent to the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_nobody_reads_reset_no_stream() {
    let server = TestServer::start().await;
    for path in [
        "/nothing",
        "/auth/nl/nothing",
        "/auth/nl/v1/jwks",
        "/auth/nl/v1/userinfo",
        "/xs2a-bg/nl/v1/accounts",
        "/bunq/v1/nothing",
        "/bunq/v1/token?grant_type=x",
        "/",
    ] {
        let mut stream = TcpStream::connect(host(server.url())).await.unwrap();
        let opening = [PREFACE, SETTINGS, &headers(b'P', path, false)].concat();
        stream.write_all(&opening).await.unwrap();
        // Long enough that a server which does not wait for the body has answered.
        tokio::time::sleep(Duration::from_millis(300)).await;
        for _ in 0..3 {
            stream.write_all(&frame(0, 0, 1, &[b'x'; 5000])).await.unwrap();
        }
        stream.write_all(&frame(0, 1, 1, b"x=y")).await.unwrap();
        let mut seen = frames(&mut stream, |kind, flags| kind <= 1 && flags & 1 == 1).await;
        // Whatever belongs to the answer comes before the answer to this PING (RFC 9113, 6.7).
        stream.write_all(&frame(6, 0, 0, &[7; 8])).await.unwrap();
        seen.extend(frames(&mut stream, |kind, flags| kind == 6 && flags & 1 == 1).await);
        assert!(seen.iter().all(|(kind, _, _)| *kind != 3), "{path}: {seen:?}");
    }
}

/// The same with curl, of which a version that many systems have loses such answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_gets_answers_to_bodies_that_nobody_reads() {
    let server = TestServer::start().await;
    let url = server.url().to_owned();
    let answers = tokio::task::spawn_blocking(move || {
        let body = format!("x={}", "y".repeat(20_000));
        let mut answers = Vec::new();
        for path in ["/nothing", "/auth/nl/v1/jwks", "/auth/nl/v1/userinfo", "/bunq/v1/nothing"] {
            let address = format!("{url}{path}");
            let arguments = ["-s", "-w", " %{http_code}", "--http2-prior-knowledge", "-d", &body, &address];
            let output = run("curl", &arguments);
            answers.push((path, String::from_utf8_lossy(&output.stdout).into_owned()));
        }
        answers
    });
    for (path, answer) in answers.await.unwrap() {
        let status: u16 = answer.rsplit(' ').next().unwrap().parse().unwrap();
        assert!((400..500).contains(&status) && answer.len() > 10, "{path}: {answer}");
    }
}
