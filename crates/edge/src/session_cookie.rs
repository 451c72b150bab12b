//! The session cookies (RFC 6265): of a browser that a third party sent, and of one in the customer's own pages at a branch.
//! Each has its own, so that none ends another. Cookies know no ports, so that of the bank's address is in the name: banks
//! on several ports of one host are several banks.

use gateway::domain::Tenant;
use http::{HeaderMap, HeaderValue, Uri, header};

use crate::Connection;

/// A cookie of the bank at an address.
struct Cookie {
    name: String,
    is_secure: bool,
    /// Where it is sent, unless it goes everywhere.
    path: String,
}

impl Cookie {
    /// Of a browser that a third party sent, which is about one request at a time, at whichever branch.
    fn at_a_request(origin: &str) -> Self {
        Self::new(origin, "session", "/auth/internalonly".to_owned())
    }

    fn at_own_pages(origin: &str, tenant: &Tenant) -> Self {
        Self::new(origin, &format!("customer-{tenant}"), format!("/auth/{tenant}/customer"))
    }

    fn new(origin: &str, what: &str, path: String) -> Self {
        let is_secure = origin.starts_with("https:");
        // Over TLS the prefix makes browsers insist on `Secure`, `Path=/` and no domain; without TLS only a sandbox serves.
        let prefix = if is_secure { "__Host-" } else { "" };
        let port = origin.parse::<Uri>().ok().and_then(|uri| uri.port_u16());
        let port = port.map(|port| format!("-{port}")).unwrap_or_default();
        Self { name: format!("{prefix}{what}{port}"), is_secure, path }
    }

    fn read(&self, headers: &HeaderMap) -> Option<String> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut values = lines.flat_map(|line| line.split(';')).filter_map(|pair| {
            let (known, value) = pair.trim().split_once('=')?;
            // An empty one was taken away.
            (known == self.name && !value.is_empty()).then(|| value.to_owned())
        });
        values.next()
    }

    fn set(&self, secret: Option<&str>) -> HeaderValue {
        let (value, age) = secret.map_or(("", "; Max-Age=0"), |secret| (secret, ""));
        let (path, secure) = if self.is_secure { ("/", "; Secure") } else { (self.path.as_str(), "") };
        let cookie = format!("{}={value}; Path={path}{secure}; HttpOnly; SameSite=Lax{age}", self.name);
        // Secrets are base64url, tenants lower-case letters, digits and underscores.
        HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""))
    }
}

/// The secret of the session that a browser shows.
pub fn session(connection: &Connection, headers: &HeaderMap) -> Option<String> {
    Cookie::at_a_request(&connection.origin).read(headers)
}

/// The secret of the session that a browser shows at the customer's own pages of a branch.
pub fn customer_session(connection: &Connection, tenant: &Tenant, headers: &HeaderMap) -> Option<String> {
    Cookie::at_own_pages(&connection.origin, tenant).read(headers)
}

/// Gives the browser a session at the bank's page under this origin, or takes it away.
pub fn set_session(origin: &str, secret: Option<&str>) -> HeaderValue {
    Cookie::at_a_request(origin).set(secret)
}

/// The same at the customer's own pages of a branch.
pub fn set_customer_session(connection: &Connection, tenant: &Tenant, secret: Option<&str>) -> HeaderValue {
    Cookie::at_own_pages(&connection.origin, tenant).set(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(origin: &str) -> Connection {
        Connection {
            origin: origin.into(),
            peer_certificate: None,
            is_told_by_proxy: false,
            peer_authorities: [].into(),
            peer_address: None,
        }
    }

    fn tenant(name: &str) -> Tenant {
        Tenant::parse(name).unwrap()
    }

    fn shown(cookies: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookies.parse().unwrap());
        headers
    }

    #[test]
    fn a_cookie_comes_back_under_the_name_of_its_address() {
        let (plain, secure) = (connection("http://127.0.0.1:8080"), connection("https://bank.example"));
        let headers = shown("a=b; session-8080=one; __Host-session=two; session=three");
        assert_eq!(session(&plain, &headers).as_deref(), Some("one"));
        assert_eq!(session(&secure, &headers).as_deref(), Some("two"));
        assert_eq!(session(&connection("http://[::1]:8081"), &headers), None, "another bank of that host");
        assert_eq!(session(&plain, &HeaderMap::new()), None);
        let set = set_session(&secure.origin, Some("x"));
        assert_eq!(set, "__Host-session=x; Path=/; Secure; HttpOnly; SameSite=Lax");
        let taken = set_session("http://[::1]:8081", None);
        assert_eq!(taken, "session-8081=; Path=/auth/internalonly; HttpOnly; SameSite=Lax; Max-Age=0");
    }

    #[test]
    fn each_branch_has_a_cookie_of_its_own() {
        let (plain, secure) = (connection("http://127.0.0.1:8080"), connection("https://bank.example:8443"));
        let headers = shown("customer-nl-8080=; customer-be_fr-8080=one; customer-uk=two");
        assert_eq!(customer_session(&plain, &tenant("be_fr"), &headers).as_deref(), Some("one"));
        assert_eq!(customer_session(&plain, &tenant("nl"), &headers), None, "it was taken away");
        assert_eq!(customer_session(&plain, &tenant("uk"), &headers), None, "at another port");
        let set = set_customer_session(&secure, &tenant("be_fr"), Some("x"));
        assert_eq!(set, "__Host-customer-be_fr-8443=x; Path=/; Secure; HttpOnly; SameSite=Lax");
        let set = set_customer_session(&plain, &tenant("be_fr"), Some("x"));
        assert_eq!(set, "customer-be_fr-8080=x; Path=/auth/be_fr/customer; HttpOnly; SameSite=Lax");
    }
}
