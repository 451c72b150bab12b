//! A list: what it says of itself, the lists that it points to, and its services.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use eidas::{Certificate, Fingerprint};
use jiff::{SignedDuration, Timestamp};
use uppsala::{Document, Parser};

use crate::criteria::Criteria;
use crate::tree::{ADDITIONAL, Element, LIST, QUALIFICATIONS};
use crate::{bounds, signature};

/// Largest list, in bytes. The largest in the field have about ten million.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Lists by which signers changed that are looked for. There was one a year in the field.
const PIVOTS: usize = 32;

/// How long a list says at most that it holds (TS 119 612, 5.3.15: six months). What says more is taken for this long.
const HOLDS: SignedDuration = SignedDuration::from_hours(186 * 24);

/// What a list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// It points to those of the countries.
    ListOfLists,
    /// It has a country's services.
    National,
}

impl ListKind {
    fn of(uri: &str) -> Option<Self> {
        match uri {
            "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists" => Some(Self::ListOfLists),
            "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric" => Some(Self::National),
            _ => None,
        }
    }
}

/// Why something is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// More than 32 MiB.
    #[error("it is larger than {} MiB", MAX_BYTES / 1024 / 1024)]
    TooLarge,
    /// Not XML in UTF-8, or with a document type, which no list has.
    #[error("it is no XML of a list: {0}")]
    Xml(String),
    /// More in it than any list has: reading it would take memory and time before anybody knows who signed it.
    #[error("it has {0}, and no list has that")]
    Bounds(&'static str),
    /// Nobody who is trusted signed it.
    #[error("its signature is not good: {0}")]
    Signature(String),
    /// It does not say something that every list says.
    #[error("it has no {0}, or one that cannot be read")]
    Content(&'static str),
}

/// A list whose signature was verified.
///
/// Nothing but [`TrustedList::read`] makes one.
#[derive(Debug, Clone)]
pub struct TrustedList {
    kind: ListKind,
    territory: String,
    sequence: u64,
    issued: Timestamp,
    next_update: Option<Timestamp>,
    pointers: Vec<Pointer>,
    services: Vec<Service>,
    pivots: Vec<String>,
    signer: Fingerprint,
}

/// Another list.
#[derive(Debug, Clone)]
pub struct Pointer {
    /// What it is.
    pub kind: ListKind,
    /// Its country, as lists write it: ISO 3166-1, but EL and UK.
    pub territory: String,
    /// Where it lies.
    pub location: String,
    /// Whose signature it has to have.
    pub signers: Vec<Certificate>,
}

/// A service of somebody whom a country supervises.
#[derive(Debug, Clone)]
pub struct Service {
    /// Who runs it.
    pub provider: String,
    /// What it is called.
    pub name: String,
    /// Certificates of its key.
    pub certificates: Vec<Certificate>,
    /// How it is and how it was, the newest first.
    pub periods: Vec<Period>,
}

/// How a service is from a moment on.
#[derive(Debug, Clone)]
pub struct Period {
    /// Its kind: an address below `http://uri.etsi.org/TrstSvc/`.
    pub kind: String,
    /// Its status: an address below `http://uri.etsi.org/TrstSvc/`.
    pub status: String,
    /// Since when.
    pub since: Timestamp,
    /// What its certificates are for: the last words of addresses, such as `ForeSeals`.
    pub purposes: BTreeSet<String>,
    /// What holds for some of its certificates otherwise.
    pub(crate) qualifications: Vec<Qualification>,
    /// Whether there is more that has to be understood, and is not.
    pub(crate) is_unclear: bool,
}

/// What holds for certificates that fit.
#[derive(Debug, Clone)]
pub(crate) struct Qualification {
    /// The last words of addresses, such as `QCForESeal`.
    pub(crate) qualifiers: BTreeSet<String>,
    pub(crate) criteria: Criteria,
}

impl TrustedList {
    /// Reads a list that one of these signed: with a certificate that was good when the list was issued.
    ///
    /// # Errors
    /// [`ListError`]
    pub fn read(octets: &[u8], signers: &[Certificate]) -> Result<Self, ListError> {
        let xml = text(octets)?;
        let document = parse(xml)?;
        let root = root(&document)?;
        // The time is looked at before it is known who wrote it: it can but leave fewer of them.
        let issued = issued(scheme(root)?)?;
        let signers: Vec<_> = signers.iter().filter(|signer| signer.is_valid_at(issued)).collect();
        let signer = signature::check(&document, xml, &signers)?;
        read(root, signer)
    }

    /// Where a list of lists says that the lists are by which its signers changed, the oldest first (its "pivots"): addresses of XML
    /// among those of the rules of its scheme. Whoever wants to know who signs it now has to ask them first, so that this is what it
    /// says before anybody knows who signed it.
    ///
    /// # Errors
    /// [`ListError`], but for the signature
    pub fn unverified_pivots(octets: &[u8]) -> Result<Vec<String>, ListError> {
        let document = parse(text(octets)?)?;
        Ok(pivots(scheme(root(&document)?)?))
    }

    /// What it is.
    pub fn kind(&self) -> ListKind {
        self.kind
    }

    /// Its country, as lists write it.
    pub fn territory(&self) -> &str {
        &self.territory
    }

    /// Its number: a list never follows one with a higher one.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When it was issued.
    pub fn issued(&self) -> Timestamp {
        self.issued
    }

    /// Until when the next one is there: half a year after it was issued at the latest, whatever it says. None for a list that was
    /// closed.
    pub fn next_update(&self) -> Option<Timestamp> {
        self.next_update
    }

    /// The lists that it points to.
    pub fn pointers(&self) -> &[Pointer] {
        &self.pointers
    }

    /// Where the lists are by which the signers of this list of lists changed, the oldest first.
    pub fn pivots(&self) -> &[String] {
        &self.pivots
    }

    /// By whose certificate it is signed.
    pub fn signer(&self) -> Fingerprint {
        self.signer
    }

    /// Its services that have a key.
    pub fn services(&self) -> &[Service] {
        &self.services
    }
}

fn text(octets: &[u8]) -> Result<&str, ListError> {
    if octets.len() > MAX_BYTES {
        return Err(ListError::TooLarge);
    }
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    let xml = str::from_utf8(octets).map_err(|_| ListError::Xml("it is not UTF-8".to_owned()))?;
    if xml.contains("<!DOCTYPE") {
        return Err(ListError::Xml("it has a document type".to_owned()));
    }
    bounds::check(xml)?;
    Ok(xml)
}

fn parse(xml: &str) -> Result<Document<'_>, ListError> {
    let parser = Parser::new().with_forbid_dtd(true).with_max_depth(bounds::DEPTH);
    parser.parse(xml).map_err(|error| ListError::Xml(error.to_string()))
}

fn root<'d>(document: &'d Document<'d>) -> Result<Element<'d>, ListError> {
    let root = Element::outermost(document).filter(|root| root.is(LIST, "TrustServiceStatusList"));
    root.ok_or(ListError::Content("TrustServiceStatusList"))
}

fn scheme(root: Element<'_>) -> Result<Element<'_>, ListError> {
    root.child(LIST, "SchemeInformation").ok_or(ListError::Content("SchemeInformation"))
}

fn issued(scheme: Element<'_>) -> Result<Timestamp, ListError> {
    let written = scheme.child(LIST, "ListIssueDateTime").map(Element::text);
    written.and_then(|text| moment(&text)).ok_or(ListError::Content("ListIssueDateTime"))
}

/// Addresses of lists among those of the rules; the newest stands first, and each in several languages.
fn pivots(scheme: Element<'_>) -> Vec<String> {
    let all = scheme.child(LIST, "SchemeInformationURI").into_iter();
    let addresses = all.flat_map(|all| all.all(LIST, "URI")).map(Element::text);
    let mut pivots = Vec::new();
    for address in addresses.filter(|address| address.ends_with(".xml")) {
        if !pivots.contains(&address) && pivots.len() < PIVOTS {
            pivots.push(address);
        }
    }
    pivots.reverse();
    pivots
}

fn read(root: Element<'_>, signer: Fingerprint) -> Result<TrustedList, ListError> {
    let scheme = scheme(root)?;
    let said = |name: &'static str| -> Result<String, ListError> {
        Ok(scheme.child(LIST, name).ok_or(ListError::Content(name))?.text())
    };
    let kind = ListKind::of(&said("TSLType")?).ok_or(ListError::Content("TSLType"))?;
    let sequence = said("TSLSequenceNumber")?.parse().map_err(|_| ListError::Content("TSLSequenceNumber"))?;
    let issued = issued(scheme)?;
    let longest = issued.saturating_add(HOLDS).unwrap_or(issued);
    let next_update = scheme.child(LIST, "NextUpdate").ok_or(ListError::Content("NextUpdate"))?;
    let next_update = match next_update.child(LIST, "dateTime") {
        Some(written) => Some(moment(&written.text()).ok_or(ListError::Content("NextUpdate"))?.min(longest)),
        None => None,
    };
    let pointers = scheme.child(LIST, "PointersToOtherTSL").into_iter();
    let pointers = pointers.flat_map(|all| all.all(LIST, "OtherTSLPointer")).filter_map(pointer);
    let mut services = Vec::new();
    let providers = root.child(LIST, "TrustServiceProviderList").into_iter();
    for provider in providers.flat_map(|all| all.all(LIST, "TrustServiceProvider")) {
        let name =
            provider.down(&["TSPInformation", "TSPName", "Name"]).map(Element::text).unwrap_or_default();
        let all = provider.child(LIST, "TSPServices").into_iter();
        for one in all.flat_map(|all| all.all(LIST, "TSPService")) {
            services.extend(service(&name, one)?);
        }
    }
    Ok(TrustedList {
        kind,
        territory: said("SchemeTerritory")?,
        sequence,
        issued,
        next_update,
        pointers: pointers.collect(),
        services,
        pivots: pivots(scheme),
        signer,
    })
}

/// A pointer to a list that is written as this one is; others are for people.
fn pointer(element: Element<'_>) -> Option<Pointer> {
    let information: Vec<_> =
        element.child(LIST, "AdditionalInformation")?.all(LIST, "OtherInformation").collect();
    let said = |namespace: &str, name: &str| {
        information.iter().find_map(|one| one.child(namespace, name)).map(Element::text)
    };
    if said(ADDITIONAL, "MimeType").is_some_and(|kind| kind != "application/vnd.etsi.tsl+xml") {
        return None;
    }
    let identities = element.child(LIST, "ServiceDigitalIdentities")?.all(LIST, "ServiceDigitalIdentity");
    Some(Pointer {
        kind: ListKind::of(&said(LIST, "TSLType")?)?,
        territory: said(LIST, "SchemeTerritory")?,
        location: element.child(LIST, "TSLLocation")?.text(),
        signers: identities.flat_map(certificates).collect(),
    })
}

/// The certificates of a digital identity that can be read.
fn certificates(identity: Element<'_>) -> Vec<Certificate> {
    let written = identity.all(LIST, "DigitalId").filter_map(|id| id.child(LIST, "X509Certificate"));
    let read = |element: Element<'_>| {
        let text: String = element.text().split_whitespace().collect();
        Certificate::from_der(&STANDARD.decode(text).ok()?).ok()
    };
    written.filter_map(read).collect()
}

fn service(provider: &str, element: Element<'_>) -> Result<Option<Service>, ListError> {
    let now = element.child(LIST, "ServiceInformation").ok_or(ListError::Content("ServiceInformation"))?;
    let identities = now.child(LIST, "ServiceDigitalIdentity").into_iter();
    let certificates: Vec<_> = identities.flat_map(certificates).collect();
    if certificates.is_empty() {
        return Ok(None);
    }
    let history = element.child(LIST, "ServiceHistory").into_iter();
    let before = history.flat_map(|all| all.all(LIST, "ServiceHistoryInstance"));
    let periods = std::iter::once(now).chain(before).map(period);
    let mut periods = periods.collect::<Result<Vec<_>, _>>()?;
    periods.sort_by_key(|period| std::cmp::Reverse(period.since));
    let name = now.down(&["ServiceName", "Name"]).map(Element::text).unwrap_or_default();
    Ok(Some(Service { provider: provider.to_owned(), name, certificates, periods }))
}

fn period(element: Element<'_>) -> Result<Period, ListError> {
    let said = |name: &'static str| -> Result<String, ListError> {
        Ok(element.child(LIST, name).ok_or(ListError::Content(name))?.text())
    };
    let since = moment(&said("StatusStartingTime")?).ok_or(ListError::Content("StatusStartingTime"))?;
    let extensions: Vec<_> = element
        .child(LIST, "ServiceInformationExtensions")
        .into_iter()
        .flat_map(|all| all.all(LIST, "Extension"))
        .collect();
    // What is critical and not understood may change all that is said of the service (TS 119 612, 5.5.9).
    let is_unclear = extensions.iter().any(|extension| {
        let is_critical = matches!(extension.attribute("Critical"), Some("true" | "1"));
        is_critical && !extension.children().all(is_understood)
    });
    let additional =
        extensions.iter().flat_map(|extension| extension.all(LIST, "AdditionalServiceInformation"));
    let purposes = additional.filter_map(|one| Some(last_word(&one.child(LIST, "URI")?.text())));
    let qualifications =
        extensions.iter().flat_map(|extension| extension.all(QUALIFICATIONS, "Qualifications"));
    let qualifications = qualifications.flat_map(|all| all.all(QUALIFICATIONS, "QualificationElement"));
    Ok(Period {
        kind: said("ServiceTypeIdentifier")?,
        status: said("ServiceStatus")?,
        since,
        purposes: purposes.collect(),
        qualifications: qualifications.map(qualification).collect(),
        is_unclear,
    })
}

/// Whether it is known what is in an extension of a service.
fn is_understood(content: Element<'_>) -> bool {
    let known = [
        (LIST, "AdditionalServiceInformation"),
        (LIST, "ExpiredCertsRevocationInfo"),
        (QUALIFICATIONS, "Qualifications"),
        (ADDITIONAL, "TakenOverBy"),
    ];
    known.iter().any(|(namespace, name)| content.is(namespace, name))
}

fn qualification(element: Element<'_>) -> Qualification {
    let all = element.child(QUALIFICATIONS, "Qualifiers").into_iter();
    let all = all.flat_map(|all| all.all(QUALIFICATIONS, "Qualifier"));
    let qualifiers = all.filter_map(|one| one.attribute("uri").map(last_word)).collect();
    let criteria = element.child(QUALIFICATIONS, "CriteriaList").map_or(Criteria::Other, Criteria::read);
    Qualification { qualifiers, criteria }
}

fn last_word(address: &str) -> String {
    address.rsplit('/').next().unwrap_or_default().to_owned()
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
