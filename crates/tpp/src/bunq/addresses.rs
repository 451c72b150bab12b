//! Where a bank of this dialect is: its interface, the page for customers, and the token endpoint.

use url::Url;

use crate::Error;

/// The addresses of a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addresses {
    /// The interface; paths from `/v1` on follow.
    pub(super) api: String,
    /// The page where customers decide.
    pub(super) authorize: String,
    /// Where codes become access tokens.
    pub(super) token: String,
    /// Whether this is the real bank, which takes qualified certificates only.
    pub(super) is_production: bool,
}

impl Addresses {
    /// The addresses of the bank at `bank`. The real bank and its sandbox have three hosts each; any other bank
    /// has everything below one address, `/bunq` unless a path is given.
    pub(super) fn of(bank: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::Setup(format!("{bank} is no address of a bank; expected http:// or https:// and a host"))
        };
        let url = Url::parse(bank).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong());
        }
        let known = |api: &str, authorize: &str, token: &str, is_production| Self {
            api: format!("https://{api}"),
            authorize: format!("https://{authorize}/auth"),
            token: format!("https://{token}/v1/token"),
            is_production,
        };
        Ok(match url.host_str().ok_or_else(wrong)? {
            host @ "public-api.sandbox.bunq.com" => {
                known(host, "oauth.sandbox.bunq.com", "api-oauth.sandbox.bunq.com", false)
            }
            host @ "api.bunq.com" => known(host, "oauth.bunq.com", "api.oauth.bunq.com", true),
            _ => {
                let given = bank.trim_end_matches('/');
                let is_bare = url.path() == "/";
                let base = if is_bare { format!("{given}/bunq") } else { without_version(given) };
                Self {
                    authorize: format!("{base}/auth"),
                    token: format!("{base}/v1/token"),
                    api: base,
                    is_production: false,
                }
            }
        })
    }

    /// The URL behind a link to another page: they begin with `/v1`.
    pub(super) fn resolve(&self, link: &str) -> Result<String, Error> {
        let rest = link.strip_prefix(self.api.as_str()).unwrap_or(link);
        if rest.starts_with("/v1/") {
            return Ok(format!("{}{rest}", self.api));
        }
        let reason = format!("its link {link} does not lead to {}/v1", self.api);
        Err(Error::Answer { url: self.api.clone(), reason })
    }
}

/// Some name the bank by the address that calls go to.
fn without_version(given: &str) -> String {
    given.strip_suffix("/v1").unwrap_or(given).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_bank_has_three_hosts() {
        for bank in ["https://public-api.sandbox.bunq.com", "https://public-api.sandbox.bunq.com/v1/"] {
            let sandbox = Addresses::of(bank).unwrap();
            assert_eq!(sandbox.api, "https://public-api.sandbox.bunq.com");
            assert_eq!(sandbox.authorize, "https://oauth.sandbox.bunq.com/auth");
            assert_eq!(sandbox.token, "https://api-oauth.sandbox.bunq.com/v1/token");
            assert!(!sandbox.is_production);
        }
        let real = Addresses::of("https://api.bunq.com/").unwrap();
        assert_eq!(real.api, "https://api.bunq.com");
        assert_eq!(real.authorize, "https://oauth.bunq.com/auth");
        assert_eq!(real.token, "https://api.oauth.bunq.com/v1/token");
        assert!(real.is_production);
    }

    #[test]
    fn any_other_bank_has_one_address() {
        for (bank, base) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/bunq"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/bunq"),
            ("https://bank.example/psd2", "https://bank.example/psd2"),
            ("https://bank.example/psd2/", "https://bank.example/psd2"),
            ("https://bank.example/bunq/v1", "https://bank.example/bunq"),
            ("https://bank.example/v1/", "https://bank.example"),
        ] {
            let addresses = Addresses::of(bank).unwrap();
            assert_eq!(addresses.api, base, "{bank}");
            assert_eq!(addresses.authorize, format!("{base}/auth"), "{bank}");
            assert_eq!(addresses.token, format!("{base}/v1/token"), "{bank}");
        }
        for wrong in ["bank", "ftp://bank.example", "https://bank.example/?x=1", "mailto:bank@example"] {
            assert!(Addresses::of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn links_lead_to_the_interface_and_nowhere_else() {
        let addresses = Addresses::of("http://127.0.0.1:8080").unwrap();
        let url = "http://127.0.0.1:8080/bunq/v1/user/1/payment?count=200&older_id=5";
        for link in ["/v1/user/1/payment?count=200&older_id=5", url] {
            assert_eq!(addresses.resolve(link).unwrap(), url);
        }
        let evil = ["https://evil.example/v1/x", "//evil.example/v1/", "http://127.0.0.1:8080/bunq.evil/v1/"];
        for link in evil.into_iter().chain(["v1/x", ""]) {
            assert!(addresses.resolve(link).is_err(), "{link}");
        }
    }
}
