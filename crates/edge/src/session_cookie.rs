//! The session cookies (RFC 6265): of a browser that a third party sent, and of one in the customer's own pages. Each has
//! its own, so that neither ends the other.

use http::{HeaderMap, HeaderValue, header};

use crate::Connection;

/// Names of a cookie. Over TLS the prefix makes browsers insist on `Secure`, `Path=/` and no domain; without TLS only a
/// sandbox serves.
struct Names {
    secure: &'static str,
    plain: &'static str,
}

const AT_A_REQUEST: Names = Names { secure: "__Host-session", plain: "session" };
const AT_OWN_PAGES: Names = Names { secure: "__Host-customer", plain: "customer" };

fn is_secure(connection: &Connection) -> bool {
    connection.origin.starts_with("https:")
}

/// The secret of the session that a browser shows.
pub fn session(connection: &Connection, headers: &HeaderMap) -> Option<String> {
    read(&AT_A_REQUEST, connection, headers)
}

/// The secret of the session that a browser shows at the customer's own pages.
pub fn customer_session(connection: &Connection, headers: &HeaderMap) -> Option<String> {
    read(&AT_OWN_PAGES, connection, headers)
}

fn read(names: &Names, connection: &Connection, headers: &HeaderMap) -> Option<String> {
    let name = if is_secure(connection) { names.secure } else { names.plain };
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut values = lines.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        // An empty one was taken away.
        (known == name && !value.is_empty()).then(|| value.to_owned())
    });
    values.next()
}

/// Gives the browser a session, or takes it away.
pub fn set_session(connection: &Connection, secret: Option<&str>) -> HeaderValue {
    set(&AT_A_REQUEST, connection, secret)
}

/// The same at the customer's own pages.
pub fn set_customer_session(connection: &Connection, secret: Option<&str>) -> HeaderValue {
    set(&AT_OWN_PAGES, connection, secret)
}

fn set(names: &Names, connection: &Connection, secret: Option<&str>) -> HeaderValue {
    let (value, age) = secret.map_or(("", "; Max-Age=0"), |secret| (secret, ""));
    let cookie = if is_secure(connection) {
        format!("{}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}", names.secure)
    } else {
        format!("{}={value}; Path=/auth; HttpOnly; SameSite=Lax{age}", names.plain)
    };
    // Secrets are base64url.
    HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(origin: &str) -> Connection {
        Connection { origin: origin.into(), peer_certificate: None, peer_address: None }
    }

    #[test]
    fn a_cookie_comes_back_under_the_name_of_its_connection() {
        let (plain, secure) = (connection("http://127.0.0.1:8080"), connection("https://bank.example"));
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "a=b; session=one; __Host-session=two".parse().unwrap());
        assert_eq!(session(&plain, &headers).as_deref(), Some("one"));
        assert_eq!(session(&secure, &headers).as_deref(), Some("two"));
        assert_eq!(session(&plain, &HeaderMap::new()), None);
        let set = set_session(&secure, Some("x"));
        assert_eq!(set, "__Host-session=x; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(customer_session(&plain, &headers), None, "another cookie");
        headers.insert(header::COOKIE, "session=one; customer=".parse().unwrap());
        assert_eq!(customer_session(&plain, &headers), None, "it was taken away");
        headers.insert(header::COOKIE, "session=one; customer=three".parse().unwrap());
        assert_eq!(customer_session(&plain, &headers).as_deref(), Some("three"));
        let set = set_customer_session(&secure, Some("x"));
        assert_eq!(set, "__Host-customer=x; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert!(set_session(&plain, None).to_str().unwrap().ends_with("Max-Age=0"));
    }
}
