//! The test certification authority: a root, an issuing authority for the standard's profiles, and one that
//! issues what the compatible bank's test client hands out.

use std::sync::OnceLock;

use eidas::issue::{
    Authority, AuthorityName, CertificateRequest, IssueError, KeyType, Profile, PublicationPoints, Responder,
    generate_key, serial_number,
};
use eidas::{Certificate, TrustStore};
use gateway::domain::Timestamp;
use gateway::{Drawer, Randomness};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::SandboxError;
use crate::faulty_certificates::CertificateFault;

/// Kind of the entries that they are kept in.
pub(crate) const KIND: &str = "authority";
const ORGANIZATION: &str = "Vestibule Sandbox (TEST)";

/// Validity of the authorities: every moment to which a clock can be set.
const FROM: &str = "2020-01-01T00:00:00Z";
const TO: &str = "2099-12-31T23:59:59Z";

/// Lifetime of a listener's certificate, which begins a day ago for clients whose clock is slow. Clients refuse more
/// than 398 days.
const SERVER_BEFORE: SignedDuration = SignedDuration::from_hours(24);
const SERVER_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 396);

/// Where certificates say that the authority publishes, if the bank has no public name of its own. Certificate
/// profiles allow no addresses such as 127.0.0.1 there; the sandbox serves the same paths on its own listener.
const DEFAULT_PKI_HOST: &str = "pki.vestibule.example.com";

/// The authorities of a sandbox.
#[derive(Debug)]
pub struct Authorities {
    root: Authority,
    issuing: Authority,
    test_client: Authority,
    /// Where the issuing authority publishes.
    points: PublicationPoints,
    /// Name of the sandbox's host, which test-client certificates carry.
    pub(crate) host: String,
    /// Tells by OCSP how certificates of the issuing authority stand; made when it is asked first.
    responder: OnceLock<Responder>,
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
        let url = Url::parse(public_url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("localhost").to_owned();
        let pki_host = match url.as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) if name.contains('.') => name.to_owned(),
            _ => DEFAULT_PKI_HOST.to_owned(),
        };
        let points = |authority: &str| PublicationPoints {
            ca_issuers: format!("http://{pki_host}/ca/{authority}.cer"),
            crl: format!("http://{pki_host}/ca/{authority}.crl"),
            ocsp: None,
            disclosure_statement: Some(format!("https://{pki_host}/ca/disclosure-statement")),
        };
        let root_points = points("root");
        let kept =
            (load(drawer, "root").await?, load(drawer, "issuing").await?, load(drawer, "test-client").await?);
        let (root, issuing, test_client) = match kept {
            (Some(root), Some(issuing), Some(test_client)) => {
                let issuing =
                    keep_up(drawer, randomness, (&root, &root_points), ("issuing", issuing)).await?;
                let below = ("test-client", test_client);
                let test_client = keep_up(drawer, randomness, (&root, &root_points), below).await?;
                (root, issuing, test_client)
            }
            _ => make(drawer, randomness, root_points).await?,
        };
        let points =
            PublicationPoints { ocsp: Some(format!("http://{pki_host}/ca/ocsp")), ..points("issuing") };
        Ok(Self { root, issuing, test_client, points, host, responder: OnceLock::new() })
    }

    /// Makes a store of trusted authorities trust these.
    pub(crate) fn add_to(&self, trust: &mut TrustStore) -> Result<(), eidas::CertificateError> {
        trust.add_anchor(self.root.der())?;
        trust.add_intermediate(self.issuing.der());
        trust.add_intermediate(self.test_client.der());
        Ok(())
    }

    /// The certificates of all of them, the root's first.
    ///
    /// # Errors
    /// [`eidas::CertificateError`]
    pub fn own(&self) -> Result<Vec<Certificate>, eidas::CertificateError> {
        [&self.root, &self.issuing, &self.test_client]
            .map(|authority| Certificate::from_der(authority.der()))
            .into_iter()
            .collect()
    }

    /// Whoever tells by OCSP how certificates of the issuing authority stand.
    pub(crate) fn responder(&self, randomness: &Randomness) -> Result<&Responder, IssueError> {
        if let Some(responder) = self.responder.get() {
            return Ok(responder);
        }
        let serial = serial_number(randomness.name_octets());
        let made = self.issuing.responder(&serial, (moment(FROM)?, moment(TO)?))?;
        Ok(self.responder.get_or_init(|| made))
    }

    /// The root certificate in PEM.
    pub fn root_pem(&self) -> String {
        eidas::certificate::to_pem(self.root.der())
    }

    /// The root's certificate in DER.
    pub(crate) fn root_der(&self) -> &[u8] {
        self.root.der()
    }

    /// The root's private key in PEM.
    pub(crate) fn root_key_pem(&self) -> &str {
        self.root.key_pem()
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

    /// Issues a certificate that has this fault; returns it with the certificates above it that are handed out.
    pub(crate) fn issue_faulty(
        &self,
        fault: CertificateFault,
        (profile, request): (Profile, &CertificateRequest),
        public_key_pem: &str,
        randomness: &Randomness,
    ) -> Result<(Certificate, Vec<Vec<u8>>), IssueError> {
        let name = |common_name: &str| AuthorityName {
            country: "NL".to_owned(),
            locality: None,
            organization_identifier: None,
            organization: ORGANIZATION.to_owned(),
            common_name: common_name.to_owned(),
        };
        let validity = (moment(FROM)?, moment(TO)?);
        let serial = serial_number(randomness.name_octets());
        let own = |authority: &Authority, chain: Vec<Vec<u8>>| {
            Ok((authority.issue(profile, request, &self.points, public_key_pem)?, chain))
        };
        match fault {
            CertificateFault::UnknownCa => {
                let authority =
                    Authority::root(&name("Unknown CA (TEST)"), KeyType::P256, &serial, validity)?;
                own(&authority, vec![authority.der().to_vec()])
            }
            CertificateFault::MissingChain => {
                let name = name("Intermediate CA that nobody has (TEST)");
                let authority =
                    self.root.subordinate(&name, KeyType::P256, &serial, validity, &self.points)?;
                own(&authority, Vec::new())
            }
            _ => {
                let (issuer, points) = (self.issuer(profile), &self.points);
                let certificate = match fault {
                    CertificateFault::WeakKey => {
                        issuer.issue_for_any_key(profile, request, points, public_key_pem)?
                    }
                    _ => issuer.issue(profile, request, points, public_key_pem)?,
                };
                Ok((certificate, self.chain(profile).map(<[u8]>::to_vec).to_vec()))
            }
        }
    }

    /// The revocation list of the issuing authority: serial numbers with the times of their revocation.
    pub(crate) fn revocation_list(
        &self,
        revoked: &[(Vec<u8>, Timestamp)],
        (now, next): (Timestamp, Timestamp),
    ) -> Result<Vec<u8>, IssueError> {
        let number = u64::try_from(now.as_millisecond()).unwrap_or_default();
        self.issuing.revocation_list(number, revoked, now, next)
    }

    /// The revocation list of the root, with the issuing authority if it is revoked.
    pub(crate) fn root_revocation_list(
        &self,
        issuing_revoked: Option<Timestamp>,
        (now, next): (Timestamp, Timestamp),
    ) -> Result<Vec<u8>, IssueError> {
        let issuing = issuing_revoked.map(|at| Ok((Certificate::from_der(self.issuing.der())?.serial, at)));
        let revoked: Vec<_> = issuing.into_iter().collect::<Result<_, IssueError>>()?;
        self.root.revocation_list(
            u64::try_from(now.as_millisecond()).unwrap_or_default(),
            &revoked,
            now,
            next,
        )
    }

    /// A certificate with its key for a TLS listener under these names, with the chain up to below the root.
    ///
    /// # Errors
    /// [`SandboxError::Authority`]
    pub fn issue_server(
        &self,
        names: &[String],
        randomness: &Randomness,
        now: Timestamp,
    ) -> Result<(Vec<Vec<u8>>, String), SandboxError> {
        let (private_key, public_key) = generate_key(KeyType::P256).map_err(authority)?;
        let serial = serial_number(randomness.name_octets());
        let from = now.saturating_sub(SERVER_BEFORE).unwrap_or(now);
        let validity = (from, now.saturating_add(SERVER_LIFETIME).unwrap_or(now));
        // The responder knows certificates of third parties alone.
        let points = PublicationPoints { ocsp: None, ..self.points.clone() };
        let certificate = self
            .issuing
            .issue_server((names, ORGANIZATION), &serial, validity, &points, &public_key)
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

fn moment(text: &str) -> Result<Timestamp, IssueError> {
    text.parse().map_err(|_| IssueError::Field("validity".to_owned()))
}

/// An authority below the root as it was kept; with a new certificate if the kept one does not say where the root
/// publishes today.
async fn keep_up(
    drawer: &Drawer,
    randomness: &Randomness,
    (root, points): (&Authority, &PublicationPoints),
    (key, kept): (&str, Authority),
) -> Result<Authority, SandboxError> {
    let certificate = Certificate::from_der(kept.der())?;
    let says = (&certificate.crl_distribution_points[..], &certificate.ca_issuers[..]);
    if says == (std::slice::from_ref(&points.crl), std::slice::from_ref(&points.ca_issuers)) {
        return Ok(kept);
    }
    let serial = serial_number(randomness.name_octets());
    let renewed = root.renew_subordinate(&kept, &serial, validity()?, points).map_err(authority)?;
    keep(drawer, key, &renewed).await?;
    Ok(renewed)
}

async fn make(
    drawer: &Drawer,
    randomness: &Randomness,
    points: PublicationPoints,
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
        let issuing = root.subordinate(&issuing_name, KeyType::P256, &serials[1], validity, &points)?;
        // The compatible bank's certificates are signed with RSA.
        let test_client =
            root.subordinate(&test_client_name, KeyType::Rsa2048, &serials[2], validity, &points)?;
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
