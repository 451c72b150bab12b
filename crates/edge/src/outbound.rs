//! Requests that the bank itself sends to addresses that came from outside: what keeps them from reaching what only
//! the bank can reach (section 6.3 of the security description).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use reqwest::redirect::Policy;
use tokio::sync::Semaphore;
use url::{Host, Url};

/// Longest address, in bytes.
const MAX_URL: usize = 2000;

pub(crate) const CONNECT_TIME: Duration = Duration::from_secs(5);
pub(crate) const TOTAL_TIME: Duration = Duration::from_secs(10);

/// How many names of one kind are looked up at once at most. Looking one up takes a thread, for as long as a name server says nothing
/// also when nobody waits any more, and database and core bank are looked up on the same threads.
const LOOK_UPS: usize = 8;

/// Of names that third parties chose.
static OF_CALLBACKS: Semaphore = Semaphore::const_new(LOOK_UPS);

/// Of names that certificates and trusted lists have: third parties do not choose how long these are waited for.
pub(crate) static OF_CERTIFICATES: Semaphore = Semaphore::const_new(LOOK_UPS);

/// Whether the bank may call addresses of its own machine, which clients that are tested beside a sandbox have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loopback {
    /// With any certificate, and without TLS where a port is named; at any port but those at which the bank itself
    /// listens: it trusts whoever reaches it from its own machine, so nobody may use it to get there.
    Allowed {
        /// The bank's own ports.
        except: Arc<[u16]>,
    },
    /// As little as any other private address.
    Refused,
}

impl Loopback {
    /// What a bank on this machine may call there, if these are all the addresses at which it is reached: that of a
    /// bank for tests that only this machine reaches, with clients beside it, and nothing where others reach it too.
    pub fn beside(own: &[Url]) -> Self {
        if !own.iter().all(is_own) {
            return Self::Refused;
        }
        Self::Allowed { except: own.iter().filter_map(Url::port_or_known_default).collect() }
    }

    /// Whether it is an address of this machine that may be called; else why not.
    fn allows(&self, url: &Url) -> Result<bool, NotDelivered> {
        match self {
            Self::Allowed { except } if is_own(url) => {
                if url.port_or_known_default().is_some_and(|port| except.contains(&port)) {
                    return Err(NotDelivered::Address(
                        "must not be one of this bank itself; use another port",
                    ));
                }
                Ok(true)
            }
            Self::Allowed { .. } | Self::Refused => Ok(false),
        }
    }
}

/// Why nothing was delivered. It says nothing of what is behind an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDelivered {
    /// The address is not one to call.
    #[error("the address {0}")]
    Address(&'static str),
    /// Nobody answered there, or it is an address that is not called.
    #[error("the address could not be reached")]
    Unreachable,
}

/// Reads an address that somebody else chose: not too long, without user name and fragment.
pub(crate) fn read_url(text: &str) -> Result<Url, NotDelivered> {
    let wrong = |what| Err(NotDelivered::Address(what));
    if text.len() > MAX_URL {
        return wrong("is longer than 2000 bytes");
    }
    let Ok(url) = Url::parse(text) else { return wrong("is no URL") };
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return wrong("must have neither user name nor fragment");
    }
    Ok(url)
}

/// Checks an address as far as it can be checked before it is looked up.
///
/// # Errors
/// [`NotDelivered::Address`]
pub fn check_url(text: &str, loopback: &Loopback) -> Result<Url, NotDelivered> {
    let wrong = |what| Err(NotDelivered::Address(what));
    let url = read_url(text)?;
    if loopback.allows(&url)? {
        // As for redirects to a program of one's own (RFC 8252, 7.3), whose port says that it is one.
        return match (url.scheme(), url.port()) {
            ("https", _) | ("http", Some(_)) => Ok(url),
            _ => wrong("must begin with https://, or with http:// and name a port"),
        };
    }
    match (url.scheme(), url.host()) {
        ("https", Some(Host::Domain(_))) if url.port().is_none() => Ok(url),
        ("https", Some(Host::Domain(_))) => wrong("must be at port 443"),
        ("https", _) => wrong("must have the name of a host instead of an IP address"),
        _ => wrong("must begin with https://"),
    }
}

/// Whether the address is written as one of this machine. A name that only leads here is not.
fn is_own(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Posts to an address, and reads nothing but the status: no redirect is followed, the body of the answer is dropped.
/// `trusted` are the certificates in PEM that the server must present one of, or come from; without them it is what
/// everybody trusts.
///
/// # Errors
/// [`NotDelivered`]
pub async fn post(
    url: &str,
    headers: HeaderMap,
    body: Bytes,
    trusted: Option<&str>,
    loopback: &Loopback,
) -> Result<StatusCode, NotDelivered> {
    let url = check_url(url, loopback)?;
    let addresses = tokio::time::timeout(CONNECT_TIME, look_up(&url, &OF_CALLBACKS)).await;
    let addresses = addresses.map_err(|_| NotDelivered::Unreachable)?.ok_or(NotDelivered::Unreachable)?;
    let is_own = loopback.allows(&url)?;
    let is_allowed = |address: &SocketAddr| {
        if is_own { address.ip().is_loopback() } else { is_public(address.ip()) }
    };
    if addresses.is_empty() || !addresses.iter().all(is_allowed) {
        return Err(NotDelivered::Unreachable);
    }
    let client = client(&url, &addresses, trusted, is_own).ok_or(NotDelivered::Unreachable)?;
    let sent = client.post(url).headers(headers).body(body).send().await;
    sent.map(|answer| answer.status()).map_err(|_| NotDelivered::Unreachable)
}

/// The addresses of a host, once one of the places is free.
pub(crate) async fn look_up(url: &Url, places: &'static Semaphore) -> Option<Vec<SocketAddr>> {
    let port = url.port_or_known_default()?;
    match url.host()? {
        Host::Ipv4(address) => Some(vec![SocketAddr::new(address.into(), port)]),
        Host::Ipv6(address) => Some(vec![SocketAddr::new(address.into(), port)]),
        Host::Domain(name) => {
            let name = name.to_owned();
            on_a_thread(places, move || Some((name, port).to_socket_addrs().ok()?.collect())).await
        }
    }
}

/// Does what takes a thread in one of some places, which is free again when it is done, and not when nobody waits for it any more.
async fn on_a_thread<T: Send + 'static>(
    places: &'static Semaphore,
    work: impl FnOnce() -> Option<T> + Send + 'static,
) -> Option<T> {
    let place = places.acquire().await.ok()?;
    let working = tokio::task::spawn_blocking(move || {
        let _until_it_is_done = place;
        work()
    });
    working.await.ok()?
}

/// A client that goes nowhere but where it is sent, and tells nobody where from.
pub(crate) fn cautious(connect: Duration, total: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect)
        .timeout(total)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
}

/// Connects to the addresses that were checked and looks nothing up again.
pub(crate) fn client(
    url: &Url,
    addresses: &[SocketAddr],
    trusted: Option<&str>,
    is_own: bool,
) -> Option<reqwest::Client> {
    let mut builder = cautious(CONNECT_TIME, TOTAL_TIME).resolve_to_addrs(url.host_str()?, addresses);
    match trusted {
        Some(pem) => {
            let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).ok()?;
            builder = builder.tls_certs_only(certificates);
        }
        // Nobody is between this machine and itself, and its programs have no certificates that anybody trusts.
        None if is_own => builder = builder.tls_danger_accept_invalid_certs(true),
        None => {}
    }
    builder.build().ok()
}

/// Whether an address is one of the internet, where anybody could call it.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = matches!(
        (a, b, c),
        // This network; shared between providers; for protocols; for measurements; reserved, with broadcast.
        (0 | 240..=255, _, _) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18 | 19, _)
    );
    !(is_special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, ..] = address.segments();
    // Of what is given to anybody at all (2000::/3): what carries an address of IPv4 in it (Teredo, 6to4) is out,
    // and so are documentation, benchmarks and identifiers. NAT64 and IPv4-compatible addresses lie outside.
    let is_special = matches!((first, second), (0x2001, 0..=0x1ff | 0xdb8) | (0x2002, _))
        || (first == 0x3fff && second < 0x1000)
        || (first, second, third) == (0x2620, 0x4f, 0x8000);
    (0x2000..0x4000).contains(&first) && !is_special
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, mpsc};

    use super::*;

    #[test]
    fn addresses_that_only_the_bank_can_reach_are_not_public() {
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "198.18.0.1",
            "198.19.255.255",
            "192.0.0.8",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fdff::1",
            "ff02::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2001::1",
            "100::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "2a00:1450::1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn urls_are_checked_before_they_are_looked_up() {
        let allowed = Loopback::Allowed { except: [8081].into() };
        let refused = |text: &str, loopback: &Loopback| check_url(text, loopback).unwrap_err().to_string();
        for (text, why) in [
            ("http://tpp.example/x", "begin with https://"),
            ("ftp://tpp.example/x", "begin with https://"),
            ("https://user@tpp.example/x", "user name"),
            ("https://:secret@tpp.example/x", "user name"),
            ("https://tpp.example/x#y", "fragment"),
            ("https://tpp.example:8443/x", "port 443"),
            ("https://203.0.113.7/x", "instead of an IP address"),
            ("https://[2001:db8::1]/x", "instead of an IP address"),
            ("https://0x7f.1/x", "instead of an IP address"),
            ("tpp.example/x", "is no URL"),
        ] {
            for loopback in [&Loopback::Refused, &allowed] {
                if text != "https://0x7f.1/x" || *loopback == Loopback::Refused {
                    assert!(refused(text, loopback).contains(why), "{text}");
                }
            }
        }
        for text in ["https://tpp.example/x", "https://tpp.example:443/x?y=1"] {
            assert!(check_url(text, &Loopback::Refused).is_ok(), "{text}");
        }
        for text in [
            "https://127.0.0.1:8443/x",
            "https://localhost/x",
            "http://localhost:80/x",
            "http://[::1]:9000/x",
            "http://127.0.0.1:9000/",
        ] {
            assert_eq!(check_url(text, &allowed).is_ok(), !text.contains(":80/"), "{text}");
            assert!(check_url(text, &Loopback::Refused).is_err() || text.contains("localhost/x"), "{text}");
        }
        assert!(refused("http://127.0.0.1/", &allowed).contains("must begin with https://"));
        for host in ["127.0.0.1", "127.9.9.9", "2130706433", "localhost", "LOCALHOST", "[::1]"] {
            for scheme in ["http", "https"] {
                let url = format!("{scheme}://{host}:8081/signing-keys");
                assert!(refused(&url, &allowed).contains("one of this bank itself"), "{url}");
            }
        }
    }

    #[test]
    fn a_bank_that_others_reach_calls_nothing_on_its_machine() {
        let of = |own: &[&str]| {
            let own: Vec<Url> = own.iter().map(|url| Url::parse(url).unwrap()).collect();
            Loopback::beside(&own)
        };
        let beside = of(&["http://127.0.0.1:8080", "https://localhost", "http://[::1]:8081"]);
        assert_eq!(beside, Loopback::Allowed { except: [8080, 443, 8081].into() });
        for other in
            ["https://bank.example", "http://0.0.0.0:8080", "http://192.168.1.2:8080", "http://[::]:80"]
        {
            assert_eq!(of(&["http://127.0.0.1:8081", other]), Loopback::Refused, "{other}");
        }
    }

    #[tokio::test]
    async fn names_of_this_machine_are_not_called_unless_that_is_allowed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let send = async |url: String, loopback: &Loopback| {
            post(&url, HeaderMap::new(), Bytes::new(), None, loopback).await
        };
        assert_eq!(
            send("https://localhost/".to_owned(), &Loopback::Refused).await,
            Err(NotDelivered::Unreachable)
        );
        let own = Loopback::Allowed { except: [port].into() };
        let refused = send(format!("http://127.0.0.1:{port}/"), &own).await;
        assert!(matches!(refused, Err(NotDelivered::Address(_))), "{refused:?}");
        let refused = send(format!("http://127.0.0.1:{port}/"), &Loopback::Refused).await;
        assert!(matches!(refused, Err(NotDelivered::Address(_))), "{refused:?}");
    }

    /// Names whose server says nothing keep their places, however soon nobody waits for them any more, and nobody else's thread.
    #[test]
    fn no_more_is_looked_up_at_once_than_there_are_places() {
        static PLACES: Semaphore = Semaphore::const_new(LOOK_UPS);
        static AT_ONCE: AtomicUsize = AtomicUsize::new(0);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_blocking_threads(LOOK_UPS + 1).build().unwrap();
        let (say, said) = mpsc::channel::<()>();
        let said = Arc::new(Mutex::new(said));
        runtime.block_on(async {
            for _ in 0..50 {
                let said = Arc::clone(&said);
                let silent = on_a_thread(&PLACES, move || {
                    AT_ONCE.fetch_add(1, Ordering::SeqCst);
                    // Until the other end is gone.
                    said.lock().unwrap().recv().ok()
                });
                assert!(tokio::time::timeout(Duration::from_millis(2), silent).await.is_err());
            }
            let beside = tokio::task::spawn_blocking(|| "done");
            let beside = tokio::time::timeout(Duration::from_secs(60), beside).await;
            assert_eq!(beside.expect("there is no thread").unwrap(), "done");
            drop(say);
            assert_eq!(on_a_thread(&PLACES, || Some("found")).await, Some("found"));
        });
        assert_eq!(AT_ONCE.load(Ordering::SeqCst), LOOK_UPS);
    }
}
