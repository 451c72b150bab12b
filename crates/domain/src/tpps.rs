//! Third parties and their registrations.

use eidas::Role;

use crate::{Block, CertificateHolder, Interface, RedirectUris, Refusal, SecretHash, Timestamp, TppId};

/// A registered third party. One registration serves all tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tpp {
    /// Who it is; also the client id.
    pub id: TppId,
    /// Name in its certificate.
    pub name: String,
    /// Roles in its certificate.
    pub roles: Vec<Role>,
    /// Fingerprint of the certificate of the registration; of the one that it was first recognised by for a third
    /// party that has yet to register.
    pub certificate: String,
    /// Fingerprint of the certificate that it showed last at an interface without registrations.
    pub recognised: Option<String>,
    /// Where browsers may be sent back to.
    pub redirect_uris: RedirectUris,
    /// `sector_identifier_uri` as sent; may be empty.
    pub sector_identifier_uri: String,
    /// Hash of the client secret.
    pub secret: SecretHash,
    /// How it proves itself; none if it did not ask for one way, and may use any that it can.
    pub authentication: Option<ClientAuthentication>,
    /// The key of its signing certificate, RSA or P-256: SubjectPublicKeyInfo in PEM.
    pub signing_key: Option<String>,
    /// When it registered for the first time.
    pub registered_at: Timestamp,
    /// That the bank blocks it, or did for a time.
    pub blocked: Option<Block>,
    /// Why, for the bank's staff alone.
    pub blocked_reason: Option<String>,
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
    /// How the client wants to prove itself.
    pub authentication: Option<ClientAuthentication>,
}

/// How a client proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// Client secret in a header (RFC 6749, 2.3.1).
    SecretBasic,
    /// Client secret in the form.
    SecretPost,
    /// TLS client certificate of the organisation (RFC 8705, 2.1).
    Tls,
    /// Assertion signed with the key of the signing certificate (RFC 7523, 2.2).
    PrivateKeyJwt,
}

impl ClientAuthentication {
    /// Every way with its name (RFC 8414, 2).
    pub const NAMES: [(Self, &'static str); 4] = [
        (Self::SecretBasic, "client_secret_basic"),
        (Self::SecretPost, "client_secret_post"),
        (Self::Tls, "tls_client_auth"),
        (Self::PrivateKeyJwt, "private_key_jwt"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
            Self::Tls => "tls_client_auth",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// The way with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(way, _)| *way)
    }

    /// Whether it is by the client secret, wherever that stands.
    pub fn is_by_secret(self) -> bool {
        matches!(self, Self::SecretBasic | Self::SecretPost)
    }
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
            recognised: previous.and_then(|tpp| tpp.recognised.clone()),
            redirect_uris: new.redirect_uris,
            sector_identifier_uri: new.sector_identifier_uri,
            secret: new.secret,
            authentication: new.authentication,
            signing_key: new.certificate.signing_key,
            registered_at: previous.map_or(now, |tpp| tpp.registered_at),
            blocked: previous.and_then(|tpp| tpp.blocked),
            blocked_reason: previous.and_then(|tpp| tpp.blocked_reason.clone()),
            version: previous.map_or(0, |tpp| tpp.version),
        }
    }

    /// Whether its registration may go on on the word of another certificate of it: a client that proves itself by assertions alone could
    /// not any more by one without a key for them.
    pub fn may_go_on_with(&self, certificate: &CertificateHolder) -> bool {
        self.authentication != Some(ClientAuthentication::PrivateKeyJwt) || certificate.signing_key.is_some()
    }

    /// The same registration on the word of another certificate of the third party, for which [`Tpp::may_go_on_with`] holds.
    pub fn renewed(self, certificate: CertificateHolder) -> Self {
        let CertificateHolder { fingerprint, name, roles, signing_key, .. } = certificate;
        Self { certificate: fingerprint, name, roles, signing_key, ..self }
    }

    /// What is left once its registration was erased: who it is, and whether it is blocked. It may register anew. Nobody is to know
    /// what `secret` is the hash of.
    pub fn without_registration(self, secret: SecretHash) -> Self {
        Self {
            redirect_uris: RedirectUris::from_stored(Vec::new()),
            sector_identifier_uri: String::new(),
            secret,
            authentication: None,
            signing_key: None,
            ..self
        }
    }

    /// The certificate in whose place a registration puts `certificate`: the one of the registration before, if there was
    /// one.
    pub fn replaced_certificate<'t>(previous: Option<&'t Tpp>, certificate: &str) -> Option<&'t str> {
        let registered = previous.filter(|tpp| tpp.has_registered());
        registered.map(|tpp| tpp.certificate.as_str()).filter(|old| *old != certificate)
    }

    /// Whether it has registered: a registration names where browsers are sent back to.
    pub fn has_registered(&self) -> bool {
        !self.redirect_uris.as_slice().is_empty()
    }

    /// The certificate on whose word it acts at an interface, where a call brings none of its own.
    pub fn certificate_at(&self, interface: Interface) -> &str {
        let recognised = self.recognised.as_ref().filter(|_| !interface.registers());
        recognised.unwrap_or(&self.certificate)
    }

    /// Whether the client may prove itself in this way. A secret is taken from a header and from a form alike.
    pub fn may_authenticate_by(&self, way: ClientAuthentication) -> bool {
        self.authentication.is_none_or(|own| own == way || (own.is_by_secret() && way.is_by_secret()))
    }

    /// `web` if every redirect URI is http or https, otherwise `mobile` (OpenID Connect Registration, 2).
    pub fn application_type(&self) -> &'static str {
        if self.redirect_uris.are_all_web() { "web" } else { "mobile" }
    }
}

/// Checks a `sector_identifier_uri`: absent, empty, or an https URL of so many bytes (OpenID Connect Registration, 5).
///
/// Subjects are pairwise per organisation here, so the file behind the URL is not fetched.
///
/// # Errors
/// [`Refusal::SectorIdentifierUri`]
pub fn check_sector_identifier_uri(uri: &str, max_bytes: usize) -> Result<(), Refusal> {
    let fits = uri.len() <= max_bytes
        && !uri.contains('#')
        && url::Url::parse(uri).is_ok_and(|url| url.scheme() == "https" && url.host().is_some());
    if uri.is_empty() || fits { Ok(()) } else { Err(Refusal::SectorIdentifierUri) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RedirectCare, RedirectRules};

    const RULES: RedirectRules =
        RedirectRules { care: RedirectCare::Lenient, max_count: 100, max_bytes: 2000 };

    fn registration(certificate: &str, uri: &str) -> Registration {
        Registration {
            certificate: CertificateHolder {
                fingerprint: certificate.into(),
                serial: "1".into(),
                tpp: TppId::new("PSDNL-DNB-1"),
                name: "TPP".into(),
                roles: vec![Role::AccountInformation],
                not_before: Timestamp::MIN,
                not_after: Timestamp::MAX,
                signing_key: None,
            },
            redirect_uris: RedirectUris::register(vec![uri.into()], &RULES).unwrap(),
            sector_identifier_uri: String::new(),
            secret: SecretHash::from_hex(certificate),
            authentication: None,
        }
    }

    #[test]
    fn registering_again_replaces_all_but_identity() {
        let now = Timestamp::UNIX_EPOCH;
        let mut first = Tpp::register(None, registration("aa", "https://old.example/"), now);
        assert_eq!((first.registered_at, first.version, first.application_type()), (now, 0, "web"));
        first.version = 7;
        let later = now + jiff::SignedDuration::from_hours(1);
        let second = Tpp::register(Some(&first), registration("bb", "com.example.app:/new"), later);
        assert_eq!((second.registered_at, second.version, second.application_type()), (now, 7, "mobile"));
        assert!(!second.redirect_uris.contains("https://old.example/"));
        assert_eq!(Tpp::replaced_certificate(Some(&first), "bb"), Some("aa"));
        assert_eq!(Tpp::replaced_certificate(Some(&first), "aa"), None);
        assert_eq!(Tpp::replaced_certificate(None, "aa"), None);
    }

    #[test]
    fn a_renewed_certificate_changes_nothing_of_a_registration_but_itself() {
        let now = Timestamp::UNIX_EPOCH;
        let first = Tpp::register(None, registration("aa", "https://tpp.example/"), now);
        let newer = registration("bb", "https://other.example/").certificate;
        let newer = CertificateHolder { name: "New".into(), signing_key: Some("PEM".into()), ..newer };
        let renewed = first.clone().renewed(newer);
        let expected =
            Tpp { certificate: "bb".into(), name: "New".into(), signing_key: Some("PEM".into()), ..first };
        assert_eq!(renewed, expected);
    }

    #[test]
    fn a_client_that_proves_itself_by_assertions_alone_keeps_a_key_for_them() {
        let now = Timestamp::UNIX_EPOCH;
        let without = registration("bb", "https://tpp.example/").certificate;
        let with = CertificateHolder { signing_key: Some("PEM".into()), ..without.clone() };
        let mut tpp = Tpp::register(None, registration("aa", "https://tpp.example/"), now);
        for (authentication, without_key) in [
            (None, true),
            (Some(ClientAuthentication::SecretBasic), true),
            (Some(ClientAuthentication::Tls), true),
            (Some(ClientAuthentication::PrivateKeyJwt), false),
        ] {
            tpp.authentication = authentication;
            assert!(tpp.may_go_on_with(&with), "{authentication:?}");
            assert_eq!(tpp.may_go_on_with(&without), without_key, "{authentication:?}");
        }
    }

    #[test]
    fn a_certificate_that_was_shown_elsewhere_is_no_registration() {
        let now = Timestamp::UNIX_EPOCH;
        let mut recognised = registration("aa", "https://tpp.example/");
        recognised.redirect_uris = RedirectUris::from_stored(Vec::new());
        let recognised = Tpp { recognised: Some("aa".into()), ..Tpp::register(None, recognised, now) };
        assert_eq!(Tpp::replaced_certificate(Some(&recognised), "bb"), None);
        let both = Tpp::register(Some(&recognised), registration("bb", "https://tpp.example/"), now);
        assert_eq!(both.certificate_at(Interface::BerlinGroup), "bb");
        assert_eq!(both.certificate_at(Interface::Bunq), "aa");
        assert_eq!(Tpp::replaced_certificate(Some(&both), "cc"), Some("bb"));
    }

    #[test]
    fn a_client_proves_itself_as_it_asked_to() {
        use ClientAuthentication as By;
        let mut tpp = Tpp::register(None, registration("aa", "https://a.example/"), Timestamp::UNIX_EPOCH);
        for (way, name) in By::NAMES {
            assert_eq!((way.name(), By::from_name(name)), (name, Some(way)));
            assert!(tpp.may_authenticate_by(way), "it did not ask");
        }
        tpp.authentication = Some(By::SecretBasic);
        assert!(tpp.may_authenticate_by(By::SecretPost) && !tpp.may_authenticate_by(By::Tls));
        tpp.authentication = Some(By::Tls);
        assert!(tpp.may_authenticate_by(By::Tls) && !tpp.may_authenticate_by(By::SecretBasic));
        assert_eq!(By::from_name("none"), None);
    }

    #[test]
    fn a_sector_identifier_is_an_https_url_or_nothing() {
        for good in ["", "https://tpp.example/sector.json"] {
            assert_eq!(check_sector_identifier_uri(good, 2000), Ok(()));
        }
        for bad in ["http://tpp.example/", "tpp", "https://", "https://a.example/#x"] {
            assert_eq!(check_sector_identifier_uri(bad, 2000), Err(Refusal::SectorIdentifierUri), "{bad}");
        }
    }
}
