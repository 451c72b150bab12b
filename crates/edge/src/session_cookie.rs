//! The session cookie (RFC 6265).

use http::{HeaderMap, HeaderValue, header};

use crate::Connection;

/// Name over TLS: the prefix makes browsers insist on `Secure`, `Path=/` and no domain.
const SECURE_NAME: &str = "__Host-session";

/// Name without TLS, which only a sandbox serves.
const PLAIN_NAME: &str = "session";

fn is_secure(connection: &Connection) -> bool {
    connection.origin.starts_with("https:")
}

/// The secret of the session that a browser shows.
pub fn session(connection: &Connection, headers: &HeaderMap) -> Option<String> {
    let name = if is_secure(connection) { SECURE_NAME } else { PLAIN_NAME };
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut values = lines.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        (known == name).then(|| value.to_owned())
    });
    values.next()
}

/// Gives the browser a session, or takes it away.
pub fn set_session(connection: &Connection, secret: Option<&str>) -> HeaderValue {
    let (value, age) = secret.map_or(("", "; Max-Age=0"), |secret| (secret, ""));
    let cookie = if is_secure(connection) {
        format!("{SECURE_NAME}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}")
    } else {
        format!("{PLAIN_NAME}={value}; Path=/auth; HttpOnly; SameSite=Lax{age}")
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
        assert!(set_session(&plain, None).to_str().unwrap().ends_with("Max-Age=0"));
    }
}
