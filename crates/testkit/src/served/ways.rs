//! The way to a gateway: the proxy before it, which ends TLS and hands certificates on.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use eidas::Certificate;
use eidas::header::{HeaderForm, certificate_der};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::Request;

/// The header in which the proxy hands certificates on (RFC 9440).
const CLIENT_CERT: &str = "client-cert";

/// The way to a gateway.
#[derive(Debug)]
pub(super) struct Way {
    /// Host and port of the listeners.
    pub(super) interface: String,
    pub(super) pages: String,
    /// Who issues certificates: the management API of the sandbox behind.
    pub(super) issuer: String,
    /// The authority of these certificates.
    pub(super) authority: String,
    /// Whether a request itself says whose connection it came by. Otherwise the client says it, or nobody.
    pub(super) says_who: bool,
    /// Who called last.
    pub(super) last: Mutex<String>,
}

pub(super) fn ways() -> std::sync::MutexGuard<'static, HashMap<String, Arc<Way>>> {
    static WAYS: OnceLock<Mutex<HashMap<String, Arc<Way>>>> = OnceLock::new();
    WAYS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a request for an origin goes, and the headers that the proxy there adds.
pub(crate) async fn on_the_way(request: &Request, origin: &str) -> Option<(String, HeaderMap)> {
    let way = ways().get(origin).cloned()?;
    let mut headers = request.headers.clone();
    if headers.get("accept").is_some_and(|accept| accept.as_bytes().starts_with(b"text/html")) {
        return Some((way.pages.clone(), headers));
    }
    // bunq's interface asks for no certificate of the connection.
    let is_bunq = request.target.starts_with(crate::bunq::BUNQ);
    if way.says_who && !is_bunq && !headers.contains_key(CLIENT_CERT) {
        let der = match headers.get("ssl-certificate").map(|value| read(value.as_bytes())) {
            Some(Some(der)) => der,
            _ => way.certificate(&way.who(request)).await,
        };
        headers.insert(CLIENT_CERT, presented(&der).parse().unwrap());
    }
    Some((way.interface.clone(), headers))
}

impl Way {
    /// Whose connection a request comes by: that of whom it names, or else of whoever called last.
    fn who(&self, request: &Request) -> String {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(who) = caller(request) {
            *last = who;
        }
        last.clone()
    }

    /// The certificate that a third party connects with: always the same one, also after a restart of the bank.
    async fn certificate(&self, who: &str) -> Vec<u8> {
        static MADE: Mutex<BTreeMap<(String, String), Vec<u8>>> = Mutex::new(BTreeMap::new());
        let made = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.authority.clone(), who.to_owned());
        let known = made().get(&key).cloned();
        if let Some(known) = known {
            return known;
        }
        let wish = json!({"organizationIdentifier": who, "profile": "qwac"});
        let asked = crate::server::client().post(format!("{}/test-certificates", self.issuer));
        let answer = asked.header("content-type", "application/json").body(wish.to_string()).send().await;
        let answer: Value = serde_json::from_slice(&answer.unwrap().bytes().await.unwrap()).unwrap();
        let pem = answer["certificate"].as_str().unwrap_or_else(|| panic!("{who}: {answer}"));
        made().entry(key).or_insert(Certificate::from_pem(pem).unwrap().der).clone()
    }
}

/// A certificate as the proxy hands it on.
pub(crate) fn presented(der: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(der))
}

fn read(value: &[u8]) -> Option<Vec<u8>> {
    certificate_der(value, HeaderForm::Any).ok()
}

/// The third party that a request is of, by its signing certificate or the client that it names.
fn caller(request: &Request) -> Option<String> {
    let header = |name: &str| request.headers.get(name);
    if let Some(value) = header("tpp-signature-certificate") {
        let certificate = Certificate::from_der(&read(value.as_bytes())?).ok()?;
        let id = certificate.organization_identifier().ok()?.as_str().to_owned();
        return Some(id).filter(|id| is_id(id));
    }
    if let Some(basic) = header("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
    {
        let decoded = String::from_utf8(STANDARD.decode(basic).ok()?).ok()?;
        let id = percent_decode(decoded.split(':').next()?);
        return Some(id).filter(|id| is_id(id));
    }
    let form = std::str::from_utf8(&request.body).ok()?;
    let id =
        url::form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "client_id")?.1.into_owned();
    Some(id).filter(|id| is_id(id))
}

/// What a form would say, which is how ids stand in the header (RFC 6749, 2.3.1).
fn percent_decode(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={text}").as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

fn is_id(text: &str) -> bool {
    text.starts_with("PSD") && text.split('-').count() == 3 && text.len() < 60
}
