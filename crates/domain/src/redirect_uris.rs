//! Redirect URIs: which may be registered, and when one matches.
//!
//! Matching is equality of octets (RFC 9700, 4.1.3): nothing is normalised, so what is stored is what was sent.

use url::{Host, Url};

/// The redirect URIs of a registration, in the order they were sent, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUris(Vec<String>);

/// Which redirect URIs a bank takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedirectRules {
    /// How careful it is with one.
    pub care: RedirectCare,
    /// Most URIs that one registration may hold.
    pub max_count: usize,
    /// Longest URI, in bytes.
    pub max_bytes: usize,
}

/// How careful a bank is with redirect URIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectCare {
    /// `https`, `http` as the compatible bank takes it, and private-use schemes of apps.
    Lenient,
    /// `https` on a named host and nothing in the path that could be read in two ways.
    Strict,
}

/// Why a redirect URI cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// None was sent.
    #[error("There should be at least one redirect URI")]
    None,
    /// More than can be registered.
    #[error("{count} redirect URIs were sent; at most {max} can be registered")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// Too long.
    #[error("redirect URI number {number} is longer than {max} bytes")]
    TooLong {
        /// Which one, counted from 1.
        number: usize,
        /// How long it may be.
        max: usize,
    },
    /// Characters that no URI has (RFC 3986, 2).
    #[error(
        "redirect URI \"{encoded}\", shown percent-encoded, has characters outside RFC 3986; percent-encode them",
        encoded = encoded(.0)
    )]
    Characters(String),
    /// Not an absolute URI.
    #[error("redirect URI \"{0}\" is not absolute; expected for example https://tpp.example/callback")]
    NotAbsolute(String),
    /// A host or port that is none.
    #[error("redirect URI \"{0}\" cannot be read: {1}")]
    Unreadable(String, String),
    /// A fragment (RFC 6749, 3.1.2).
    #[error("redirect URI \"{0}\" must not have a fragment (#)")]
    Fragment(String),
    /// Neither http, https nor a private-use scheme (RFC 8252, 7.1).
    #[error(
        "redirect URI \"{0}\" has a scheme that cannot be redirected to; use https, or for an app a scheme that is a \
         domain name in reverse, such as com.example.app:/callback (RFC 8252, 7.1)"
    )]
    Scheme(String),
    /// User name or password.
    #[error("redirect URI \"{0}\" must not contain a user name or password")]
    UserInfo(String),
    /// A pattern instead of a host.
    #[error("redirect URI \"{0}\" must not contain a wildcard: matching is exact")]
    Wildcard(String),
    /// Not https (strict profile).
    #[error("redirect URI \"{0}\" must use https (strict profile)")]
    NotHttps(String),
    /// An IP address instead of a name (strict profile).
    #[error("redirect URI \"{0}\" must name a host, not an IP address (strict profile)")]
    IpLiteral(String),
    /// Dot segments or encoded separators (strict profile).
    #[error(
        "redirect URI \"{0}\" must not have dot segments, backslashes or encoded separators in its path (strict profile)"
    )]
    Path(String),
}

impl RedirectUris {
    /// Checks URIs before they are registered.
    ///
    /// # Errors
    /// The first URI that breaks a rule, with the rule.
    pub fn register(uris: Vec<String>, rules: &RedirectRules) -> Result<Self, RedirectUriError> {
        if uris.is_empty() {
            return Err(RedirectUriError::None);
        }
        if uris.len() > rules.max_count {
            return Err(RedirectUriError::TooMany { count: uris.len(), max: rules.max_count });
        }
        let mut unique: Vec<String> = Vec::with_capacity(uris.len());
        for (position, uri) in uris.into_iter().enumerate() {
            if uri.len() > rules.max_bytes {
                return Err(RedirectUriError::TooLong { number: position + 1, max: rules.max_bytes });
            }
            check(&uri, rules.care)?;
            if !unique.contains(&uri) {
                unique.push(uri);
            }
        }
        Ok(Self(unique))
    }

    /// Takes URIs that were checked when they were registered.
    pub fn from_stored(uris: Vec<String>) -> Self {
        Self(uris)
    }

    /// Whether `uri` is one of them, octet for octet.
    pub fn contains(&self, uri: &str) -> bool {
        self.0.iter().any(|registered| registered == uri)
    }

    /// The URIs.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Whether every URI is http or https.
    pub fn are_all_web(&self) -> bool {
        self.0.iter().all(|uri| {
            let scheme = uri.split(':').next().unwrap_or_default();
            scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
        })
    }
}

/// Checks one URI; the order is from syntax to policy, so that the text helps most.
fn check(uri: &str, care: RedirectCare) -> Result<(), RedirectUriError> {
    let owned = || shorten(uri);
    if uri.is_empty() {
        return Err(RedirectUriError::NotAbsolute(String::new()));
    }
    if !has_uri_characters(uri) {
        return Err(RedirectUriError::Characters(owned()));
    }
    if uri.contains('#') {
        return Err(RedirectUriError::Fragment(owned()));
    }
    let url = Url::parse(uri).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase | url::ParseError::EmptyHost => {
            RedirectUriError::NotAbsolute(owned())
        }
        other => RedirectUriError::Unreadable(owned(), other.to_string()),
    })?;
    let is_web = matches!(url.scheme(), "http" | "https");
    if care == RedirectCare::Strict && url.scheme() != "https" {
        return Err(RedirectUriError::NotHttps(owned()));
    }
    if !is_web && !is_private_use(url.scheme()) {
        return Err(RedirectUriError::Scheme(owned()));
    }
    // `Url` repairs "https:host" and "https:///host"; only the usual form is what was meant.
    if is_web && (!uri[url.scheme().len()..].starts_with("://") || authority(uri).is_empty()) {
        return Err(RedirectUriError::NotAbsolute(owned()));
    }
    if !url.username().is_empty() || url.password().is_some() || authority(uri).contains('@') {
        return Err(RedirectUriError::UserInfo(owned()));
    }
    if authority(uri).contains('*') {
        return Err(RedirectUriError::Wildcard(owned()));
    }
    if care == RedirectCare::Strict {
        check_strict(uri, &url)?;
    }
    Ok(())
}

fn check_strict(uri: &str, url: &Url) -> Result<(), RedirectUriError> {
    if !matches!(url.host(), Some(Host::Domain(_))) {
        return Err(RedirectUriError::IpLiteral(shorten(uri)));
    }
    let path = uri.split('?').next().unwrap_or_default().to_ascii_lowercase();
    let dots = path.split('/').any(|segment| segment == "." || segment == "..");
    if dots || ["%2e", "%2f", "%5c", "\\"].iter().any(|bad| path.contains(bad)) {
        return Err(RedirectUriError::Path(shorten(uri)));
    }
    Ok(())
}

/// Whether a scheme is one of an app's own: a domain name in reverse, with at least one dot (RFC 8252, 7.1). No scheme
/// that browsers give a meaning to has one.
fn is_private_use(scheme: &str) -> bool {
    scheme.contains('.') && scheme.split('.').all(|label| !label.is_empty())
}

/// What stands between `//` and the path.
fn authority(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

fn has_uri_characters(uri: &str) -> bool {
    let bytes = uri.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        _ => is_uri_character(*byte),
    })
}

fn is_uri_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte)
}

/// A text with all that no URI has, and a percent sign without digits, in the only way in which a URI can hold it.
fn encoded(text: &str) -> String {
    // The sign of a text that was cut.
    let (text, end) = text.strip_suffix('…').map_or((text, ""), |cut| (cut, "…"));
    let is_escape = |at: usize| text.get(at..at + 3).is_some_and(has_uri_characters);
    let mut encoded = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        if is_uri_character(byte) || (byte == b'%' && is_escape(at)) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded + end
}

fn shorten(uri: &str) -> String {
    match uri.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &uri[..end]),
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RedirectCare::{Lenient, Strict};

    fn rules(care: RedirectCare) -> RedirectRules {
        RedirectRules { care, max_count: 100, max_bytes: 2000 }
    }

    fn one(uri: &str, care: RedirectCare) -> Result<RedirectUris, RedirectUriError> {
        RedirectUris::register(vec![uri.to_owned()], &rules(care))
    }

    #[test]
    fn what_clients_register() {
        for uri in [
            "https://tpp.example/cb",
            "http://example.com",
            "http://127.0.0.1:49152/callback",
            "http://localhost/cb?x=1",
            "com.example.app:/oauth",
            "com.example.my-app://callback",
            "https://tpp.example/cb?a=%20b&c=*",
        ] {
            assert!(one(uri, Lenient).unwrap().contains(uri), "{uri}");
        }
        assert!(one("https://tpp.example/cb?x=1", Strict).is_ok());
    }

    #[test]
    fn matching_is_exact() {
        let registered = one("https://tpp.example/cb", Lenient).unwrap();
        for other in [
            "https://tpp.example/cb/",
            "https://TPP.example/cb",
            "https://tpp.example:443/cb",
            "https://tpp.example/cb?x",
            "",
        ] {
            assert!(!registered.contains(other), "{other}");
        }
    }

    #[test]
    fn refuses_with_the_rule() {
        use RedirectUriError as E;
        for (uri, error) in [
            ("", E::NotAbsolute(String::new())),
            ("/cb", E::NotAbsolute("/cb".into())),
            ("tpp.example/cb", E::NotAbsolute("tpp.example/cb".into())),
            ("https:tpp.example", E::NotAbsolute("https:tpp.example".into())),
            ("https://", E::NotAbsolute("https://".into())),
            ("https:///tpp.example/cb", E::NotAbsolute("https:///tpp.example/cb".into())),
            (
                "https://tpp.example:99999/",
                E::Unreadable("https://tpp.example:99999/".into(), "invalid port number".into()),
            ),
            ("myapp:/cb", E::Scheme("myapp:/cb".into())),
            ("intent://x", E::Scheme("intent://x".into())),
            ("view-source:https://x", E::Scheme("view-source:https://x".into())),
            ("a..b:/cb", E::Scheme("a..b:/cb".into())),
            ("app.:/cb", E::Scheme("app.:/cb".into())),
            ("https://tpp.example/cb#x", E::Fragment("https://tpp.example/cb#x".into())),
            ("https://tpp.example/cb#", E::Fragment("https://tpp.example/cb#".into())),
            ("https://tpp.example/ü", E::Characters("https://tpp.example/ü".into())),
            ("https://tpp.example/a b", E::Characters("https://tpp.example/a b".into())),
            ("https://tpp.example/%zz", E::Characters("https://tpp.example/%zz".into())),
            ("https://tpp.example\\@evil", E::Characters("https://tpp.example\\@evil".into())),
            ("javascript:alert(1)", E::Scheme("javascript:alert(1)".into())),
            ("data:text/html,x", E::Scheme("data:text/html,x".into())),
            ("https://user@tpp.example", E::UserInfo("https://user@tpp.example".into())),
            ("https://@tpp.example", E::UserInfo("https://@tpp.example".into())),
            ("https://*.tpp.example/cb", E::Wildcard("https://*.tpp.example/cb".into())),
        ] {
            assert_eq!(one(uri, Lenient), Err(error), "{uri}");
        }
        for (uri, error) in [
            ("http://tpp.example/cb", E::NotHttps("http://tpp.example/cb".into())),
            ("myapp://cb", E::NotHttps("myapp://cb".into())),
            ("https://192.0.2.1/cb", E::IpLiteral("https://192.0.2.1/cb".into())),
            ("https://[::1]/cb", E::IpLiteral("https://[::1]/cb".into())),
            ("https://tpp.example/a/../b", E::Path("https://tpp.example/a/../b".into())),
            ("https://tpp.example/a%2Fb", E::Path("https://tpp.example/a%2Fb".into())),
        ] {
            assert_eq!(one(uri, Strict), Err(error), "{uri}");
        }
        assert_eq!(RedirectUris::register(vec![], &rules(Lenient)), Err(E::None));
        assert_eq!(
            RedirectUris::register(vec!["x".into(); 101], &rules(Lenient)),
            Err(E::TooMany { count: 101, max: 100 })
        );
        let long = format!("https://tpp.example/{}", "x".repeat(2000));
        assert_eq!(one(&long, Lenient), Err(E::TooLong { number: 1, max: 2000 }));
    }

    #[test]
    fn characters_outside_are_shown_as_a_uri_would_hold_them() {
        for (uri, shown) in [
            ("https://a.example\\@evil", "\"https://a.example%5C@evil\""),
            ("https://a.example/ü%20%z", "\"https://a.example/%C3%BC%20%25z\""),
        ] {
            let text = one(uri, Lenient).unwrap_err().to_string();
            assert!(text.contains(shown), "{text}");
        }
    }

    #[test]
    fn doubled_uris_are_kept_once() {
        let twice = vec![
            "https://a.example/".to_owned(),
            "https://b.example/".to_owned(),
            "https://a.example/".to_owned(),
        ];
        assert_eq!(RedirectUris::register(twice, &rules(Lenient)).unwrap().as_slice().len(), 2);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(uri in "\\PC{0,60}|(https?|[a-z]{1,8}):/{0,3}[a-z@*.%2f:\\[\\]#?/\\\\-]{0,30}") {
            for care in [Lenient, Strict] {
                if let Ok(registered) = one(&uri, care) {
                    proptest::prop_assert!(registered.contains(&uri) && !uri.contains('#'));
                }
            }
        }
    }
}
