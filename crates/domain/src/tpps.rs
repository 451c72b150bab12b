//! Third parties and their registrations.

use eidas::Role;

use crate::{CertificateHolder, RedirectUris, Refusal, SecretHash, Timestamp, TppId};

/// A registered third party. One registration serves all tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tpp {
    /// Who it is; also the client id.
    pub id: TppId,
    /// Name in its certificate.
    pub name: String,
    /// Roles in its certificate.
    pub roles: Vec<Role>,
    /// Fingerprint of the certificate of the registration.
    pub certificate: String,
    /// Where browsers may be sent back to.
    pub redirect_uris: RedirectUris,
    /// `sector_identifier_uri` as sent; may be empty.
    pub sector_identifier_uri: String,
    /// Hash of the client secret.
    pub secret: SecretHash,
    /// When it registered for the first time.
    pub registered_at: Timestamp,
    /// Version of the row; 0 before it is stored.
    pub version: i64,
}

/// What a registration brings.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The certificate of the registration.
    pub certificate: CertificateHolder,
    /// Checked redirect URIs.
    pub redirect_uris: RedirectUris,
    /// `sector_identifier_uri` as sent; may be empty.
    pub sector_identifier_uri: String,
    /// Hash of the new client secret.
    pub secret: SecretHash,
}

impl Tpp {
    /// Registers, or registers again: the redirect URIs are replaced and the secret is a new one, identity and
    /// time of the first registration stay.
    pub fn register(previous: Option<&Tpp>, new: Registration, now: Timestamp) -> Self {
        Self {
            id: new.certificate.tpp,
            name: new.certificate.name,
            roles: new.certificate.roles,
            certificate: new.certificate.fingerprint,
            redirect_uris: new.redirect_uris,
            sector_identifier_uri: new.sector_identifier_uri,
            secret: new.secret,
            registered_at: previous.map_or(now, |tpp| tpp.registered_at),
            version: previous.map_or(0, |tpp| tpp.version),
        }
    }

    /// The certificate that a registration with `certificate` takes out of use.
    pub fn replaced_certificate<'t>(previous: Option<&'t Tpp>, certificate: &str) -> Option<&'t str> {
        previous.map(|tpp| tpp.certificate.as_str()).filter(|old| *old != certificate)
    }

    /// `web` if every redirect URI is http or https, otherwise `mobile` (OpenID Connect Registration, 2).
    pub fn application_type(&self) -> &'static str {
        if self.redirect_uris.are_all_web() { "web" } else { "mobile" }
    }
}

/// Checks a `sector_identifier_uri`: absent, empty, or an https URL (OpenID Connect Registration, 5).
///
/// Subjects are pairwise per organisation here, so the file behind the URL is not fetched.
///
/// # Errors
/// [`Refusal::SectorIdentifierUri`]
pub fn check_sector_identifier_uri(uri: &str) -> Result<(), Refusal> {
    let fits = uri.len() <= crate::redirect_uris::MAX_BYTES
        && !uri.contains('#')
        && url::Url::parse(uri).is_ok_and(|url| url.scheme() == "https" && url.host().is_some());
    if uri.is_empty() || fits { Ok(()) } else { Err(Refusal::SectorIdentifierUri) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RedirectUriRules;

    fn registration(certificate: &str, uri: &str) -> Registration {
        Registration {
            certificate: CertificateHolder {
                fingerprint: certificate.into(),
                serial: "1".into(),
                tpp: TppId::new("PSDNL-DNB-1"),
                name: "TPP".into(),
                roles: vec![Role::AccountInformation],
            },
            redirect_uris: RedirectUris::register(vec![uri.into()], RedirectUriRules::Lenient).unwrap(),
            sector_identifier_uri: String::new(),
            secret: SecretHash::from_hex(certificate),
        }
    }

    #[test]
    fn registering_again_replaces_all_but_identity() {
        let now = Timestamp::UNIX_EPOCH;
        let mut first = Tpp::register(None, registration("aa", "https://old.example/"), now);
        assert_eq!((first.registered_at, first.version, first.application_type()), (now, 0, "web"));
        first.version = 7;
        let later = now + jiff::SignedDuration::from_hours(1);
        let second = Tpp::register(Some(&first), registration("bb", "app:/new"), later);
        assert_eq!((second.registered_at, second.version, second.application_type()), (now, 7, "mobile"));
        assert!(!second.redirect_uris.contains("https://old.example/"));
        assert_eq!(Tpp::replaced_certificate(Some(&first), "bb"), Some("aa"));
        assert_eq!(Tpp::replaced_certificate(Some(&first), "aa"), None);
        assert_eq!(Tpp::replaced_certificate(None, "aa"), None);
    }

    #[test]
    fn a_sector_identifier_is_an_https_url_or_nothing() {
        for good in ["", "https://tpp.example/sector.json"] {
            assert_eq!(check_sector_identifier_uri(good), Ok(()));
        }
        for bad in ["http://tpp.example/", "tpp", "https://", "https://a.example/#x"] {
            assert_eq!(check_sector_identifier_uri(bad), Err(Refusal::SectorIdentifierUri), "{bad}");
        }
    }
}
