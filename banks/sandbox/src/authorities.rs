//! The test certification authority: a root, an issuing authority for the standard's profiles, and one that
//! issues what the compatible bank's test client hands out.

use eidas::issue::{
    Authority, AuthorityName, CertificateRequest, IssueError, KeyType, Profile, PublicationPoints,
    generate_key, serial_number,
};
use eidas::{Certificate, TrustStore};
use gateway::domain::Timestamp;
use gateway::{Drawer, Randomness};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::SandboxError;

const KIND: &str = "authority";
const ORGANIZATION: &str = "Vestibule Sandbox (TEST)";

/// Validity of the authorities: every moment to which a clock can be set.
const FROM: &str = "2020-01-01T00:00:00Z";
const TO: &str = "2099-12-31T23:59:59Z";

/// Where certificates say that the authority publishes, if the bank has no public name of its own. Certificate
/// profiles allow no addresses such as 127.0.0.1 there; the sandbox serves the same paths on its own listener.
const DEFAULT_PKI_HOST: &str = "pki.vestibule.example.com";

/// The authorities of a sandbox.
#[derive(Debug)]
pub struct Authorities {
    root: Authority,
    issuing: Authority,
    test_client: Authority,
    points: PublicationPoints,
    /// Name of the sandbox's host, which test-client certificates carry.
    pub(crate) host: String,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    certificate: String,
    private_key: String,
}

impl Authorities {
    pub(crate) async fn load_or_make(
        drawer: &Drawer,
        randomness: &Randomness,
        public_url: &str,
    ) -> Result<Self, SandboxError> {
        let kept =
            (load(drawer, "root").await?, load(drawer, "issuing").await?, load(drawer, "test-client").await?);
        let (root, issuing, test_client) = match kept {
            (Some(root), Some(issuing), Some(test_client)) => (root, issuing, test_client),
            _ => make(drawer, randomness).await?,
        };
        let url = Url::parse(public_url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("localhost").to_owned();
        let pki_host = match url.as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) if name.contains('.') => name.to_owned(),
            _ => DEFAULT_PKI_HOST.to_owned(),
        };
        let points = PublicationPoints {
            ca_issuers: format!("http://{pki_host}/ca/issuing.cer"),
            crl: format!("http://{pki_host}/ca/issuing.crl"),
            disclosure_statement: Some(format!("https://{pki_host}/ca/disclosure-statement")),
        };
        Ok(Self { root, issuing, test_client, points, host })
    }

    /// Makes a store of trusted authorities trust these.
    pub(crate) fn add_to(&self, trust: &mut TrustStore) -> Result<(), eidas::CertificateError> {
        trust.add_anchor(self.root.der())?;
        trust.add_intermediate(self.issuing.der());
        trust.add_direct_issuer(self.test_client.der())
    }

    /// The root certificate in PEM.
    pub fn root_pem(&self) -> String {
        eidas::certificate::to_pem(self.root.der())
    }

    /// The root's certificate in DER.
    pub(crate) fn root_der(&self) -> &[u8] {
        self.root.der()
    }

    /// The issuing authority's certificate in DER.
    pub(crate) fn issuing_der(&self) -> &[u8] {
        self.issuing.der()
    }

    /// The certificates above one of a profile, the issuer first, in DER.
    pub(crate) fn chain(&self, profile: Profile) -> [&[u8]; 2] {
        [self.issuer(profile).der(), self.root.der()]
    }

    pub(crate) fn issue(
        &self,
        profile: Profile,
        request: &CertificateRequest,
        public_key_pem: &str,
    ) -> Result<Certificate, IssueError> {
        self.issuer(profile).issue(profile, request, &self.points, public_key_pem)
    }

    /// The revocation list of the issuing authority: serial numbers with the times of their revocation.
    pub(crate) fn revocation_list(
        &self,
        revoked: &[(Vec<u8>, Timestamp)],
        now: Timestamp,
    ) -> Result<Vec<u8>, IssueError> {
        let next = now.saturating_add(jiff::SignedDuration::from_hours(24)).unwrap_or(now);
        let number = u64::try_from(now.as_second()).unwrap_or_default();
        self.issuing.revocation_list(number, revoked, now, next)
    }

    /// A certificate with its key for a TLS listener under these names, with the chain up to below the root.
    ///
    /// # Errors
    /// [`SandboxError::Authority`]
    pub fn issue_server(
        &self,
        names: &[String],
        randomness: &Randomness,
    ) -> Result<(Vec<Vec<u8>>, String), SandboxError> {
        let (private_key, public_key) = generate_key(KeyType::P256).map_err(authority)?;
        let serial = randomness.name_octets();
        let certificate = self
            .issuing
            .issue_server(names, ORGANIZATION, &serial_number(serial), validity()?, &public_key)
            .map_err(authority)?;
        Ok((vec![certificate, self.issuing.der().to_vec()], private_key))
    }

    fn issuer(&self, profile: Profile) -> &Authority {
        match profile {
            Profile::TestClient => &self.test_client,
            Profile::Qwac | Profile::QSeal => &self.issuing,
        }
    }
}

async fn make(
    drawer: &Drawer,
    randomness: &Randomness,
) -> Result<(Authority, Authority, Authority), SandboxError> {
    let validity = validity()?;
    let register_number = format!("NTRNL-{:08}", u32::from_be_bytes(first(randomness)) % 100_000_000);
    let name = |common_name: &str| AuthorityName {
        country: "NL".to_owned(),
        locality: None,
        organization_identifier: Some(register_number.clone()),
        organization: ORGANIZATION.to_owned(),
        common_name: common_name.to_owned(),
    };
    let test_client_name = AuthorityName {
        locality: Some("Zeist".to_owned()),
        organization_identifier: Some(random_psd_identifier(randomness)),
        ..name("Xs2aTpp (TEST)")
    };
    let (root_name, issuing_name) = (name("Vestibule Root CA (TEST)"), name("Vestibule Issuing CA (TEST)"));
    let serials = [(); 3].map(|()| serial_number(randomness.name_octets()));
    let made = tokio::task::spawn_blocking(move || {
        let root = Authority::root(&root_name, KeyType::P256, &serials[0], validity)?;
        let issuing = root.subordinate(&issuing_name, KeyType::P256, &serials[1], validity)?;
        // The compatible bank's certificates are signed with RSA.
        let test_client = root.subordinate(&test_client_name, KeyType::Rsa2048, &serials[2], validity)?;
        Ok::<_, IssueError>((root, issuing, test_client))
    })
    .await
    .map_err(|error| SandboxError::Authority(error.to_string()))?
    .map_err(authority)?;
    for (key, one) in [("root", &made.0), ("issuing", &made.1), ("test-client", &made.2)] {
        keep(drawer, key, one).await?;
    }
    Ok(made)
}

async fn load(drawer: &Drawer, key: &str) -> Result<Option<Authority>, SandboxError> {
    let Some(text) = drawer.get(KIND, key).await? else { return Ok(None) };
    let kept: Kept = serde_json::from_str(&text).map_err(|_| SandboxError::Authority("unreadable".into()))?;
    let certificate = Certificate::from_pem(&kept.certificate)?;
    Authority::load(&certificate.der, &kept.private_key).map(Some).map_err(authority)
}

async fn keep(drawer: &Drawer, key: &str, one: &Authority) -> Result<(), SandboxError> {
    let kept =
        Kept { certificate: eidas::certificate::to_pem(one.der()), private_key: one.key_pem().to_owned() };
    let text = serde_json::to_string(&kept).map_err(|error| SandboxError::Authority(error.to_string()))?;
    Ok(drawer.put(KIND, key, &text).await?)
}

fn validity() -> Result<(Timestamp, Timestamp), SandboxError> {
    let moment = |text: &str| text.parse().map_err(|_| SandboxError::Authority("validity".to_owned()));
    Ok((moment(FROM)?, moment(TO)?))
}

/// The compatible bank's test issuer has an identifier of this look, drawn anew for each of its sandboxes.
fn random_psd_identifier(randomness: &Randomness) -> String {
    let letter = |byte: &u8| char::from(b'A' + byte % 26);
    let octets = randomness.name_octets();
    let text: String = octets.iter().map(letter).collect();
    format!("PSD{}-{}-{}", &text[..2], &text[2..9], &text[9..16])
}

fn first(randomness: &Randomness) -> [u8; 4] {
    let octets = randomness.name_octets();
    [octets[0], octets[1], octets[2], octets[3]]
}

fn authority(error: IssueError) -> SandboxError {
    SandboxError::Authority(error.to_string())
}
