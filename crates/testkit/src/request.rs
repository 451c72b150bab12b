//! Requests that are right until a test spoils them.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_signatures::Message;
use http_signatures::cavage::signing_string;
use http_signatures::digest::{DigestAlgorithm, digest_header};
use serde_json::Value;

use crate::links::{SignedBy, follow};
use crate::{Signer, answer_headers, served};

/// A request to the bank.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// Header fields; a name may occur twice.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// Who signed it, if anyone.
    pub signed_by: Option<SignedBy>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Header fields.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// The body as JSON, or null.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Code and text of an error in either format.
    pub fn error(&self) -> (String, String) {
        let json = self.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match json["tppMessages"].as_array() {
            Some(messages) => {
                assert_eq!(messages.len(), 1, "{}", self.body);
                assert_eq!(messages[0]["category"], "ERROR");
                (text(&messages[0]["code"]), text(&messages[0]["text"]))
            }
            None => (text(&json["error"]), text(&json["error_description"])),
        }
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Request {
    /// A bare request.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.parse().unwrap(),
            target: target.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
            signed_by: None,
        }
    }

    /// The onboarding call of a tenant.
    pub fn onboarding(tenant: &str) -> Self {
        Self::new("GET", &format!("/xs2a-bg/{tenant}/onboarding/v1"))
            .set("x-request-id", "11111111-2222-3333-4444-347991a0126")
            .set("accept", "application/json")
    }

    /// A registration by form, token in the header.
    pub fn registration(tenant: &str, token: &str, redirect_uris: &[&str]) -> Self {
        let form: Vec<_> = redirect_uris.iter().map(|uri| format!("redirect_uris={}", encode(uri))).collect();
        Self::new("POST", &format!("/auth/{tenant}/v1/registration"))
            .set("x-request-id", "22222222-2222-3333-4444-347991a0126")
            .set("authorization", format!("Bearer {token}"))
            .form(&form.join("&"))
    }

    /// Sets a header.
    pub fn set(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.insert(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
        self
    }

    /// Adds a header once more.
    pub fn append(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.append(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
        self
    }

    /// Removes a header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Sets the body.
    pub fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.set("content-type", kind)
    }

    /// Sets a form as the body.
    pub fn form(self, form: &str) -> Self {
        self.body("application/x-www-form-urlencoded", form)
    }

    /// Adds the certificate header.
    pub fn certificate(self, signer: &Signer) -> Self {
        self.set("tpp-signature-certificate", signer.header())
    }

    /// Adds the digest of the body.
    pub fn digest(self) -> Self {
        let digest = digest_header(DigestAlgorithm::Sha256, &self.body);
        self.set("digest", digest)
    }

    /// Certificate, digest and a signature over `digest x-request-id`, as clients in the field do it.
    pub fn signed(self, signer: &Signer) -> Self {
        let signed = self.certificate(signer).digest().sign(signer, "digest x-request-id");
        Self { signed_by: Some(SignedBy::new(signer)), ..signed }
    }

    /// Adds a signature over these headers as they are now.
    pub fn sign(self, signer: &Signer, names: &str) -> Self {
        let (_, label) = signer.algorithm();
        self.sign_as(signer, names, label, "")
    }

    /// As [`Request::sign`], with another name of the algorithm and further parameters.
    pub fn sign_as(self, signer: &Signer, names: &str, label: &str, parameters: &str) -> Self {
        let (algorithm, _) = signer.algorithm();
        let value = self.signature(signer, names, algorithm);
        let header = format!(
            "keyId=\"{}\",algorithm=\"{label}\",headers=\"{names}\",{parameters}signature=\"{value}\"",
            signer.key_id
        );
        self.set("signature", header)
    }

    /// The value of a signature over these headers as they are now, in base64.
    pub fn signature(
        &self,
        signer: &Signer,
        names: &str,
        algorithm: http_signatures::key::Algorithm,
    ) -> String {
        let names: Vec<&str> = names.split(' ').filter(|name| !name.is_empty()).collect();
        let message =
            Message { method: &self.method, target: &self.target, base_uri: "", headers: &self.headers };
        let text = signing_string(&names, &message, Some(1), Some(4_000_000_000)).unwrap_or_default();
        let value = signer.key.sign(algorithm, &text).unwrap();
        eidas::header::to_header_value(&value)
    }

    /// Sends it, reads the answer and tries the links in it.
    pub async fn send(&self, client: &reqwest::Client, origin: &str) -> Answer {
        let answer = self.send_once(client, origin).await;
        follow(self, &answer, client, origin).await;
        answer
    }

    /// Sends it, reads the answer and holds it against what every answer has.
    pub(crate) async fn send_once(&self, client: &reqwest::Client, origin: &str) -> Answer {
        let answer = self.exchange(client, origin).await;
        answer_headers::hold(self, &answer);
        answer
    }

    /// Sends it and reads the answer, whatever it is: benchmarks talk to other builds too.
    pub async fn exchange(&self, client: &reqwest::Client, origin: &str) -> Answer {
        self.try_exchange(client, origin).await.unwrap()
    }

    /// The same where answers may be lost on their way.
    ///
    /// # Errors
    /// If the whole answer did not come
    pub async fn try_exchange(&self, client: &reqwest::Client, origin: &str) -> reqwest::Result<Answer> {
        let (status, headers, octets) = self.try_read(client, origin).await?;
        Ok(Answer { status, headers, body: String::from_utf8_lossy(&octets).into_owned() })
    }

    /// The same with the octets of the answer.
    pub(crate) async fn try_read(
        &self,
        client: &reqwest::Client,
        origin: &str,
    ) -> reqwest::Result<(u16, HeaderMap, Vec<u8>)> {
        let on_the_way = served::on_the_way(self, origin).await;
        let (origin, headers) = on_the_way.unwrap_or_else(|| (origin.to_owned(), self.headers.clone()));
        let mut request = client.request(self.method.clone(), format!("{origin}{}", self.target));
        request = request.headers(headers);
        if !self.body.is_empty() {
            request = request.body(self.body.clone());
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok((status, headers, answer.bytes().await?.to_vec()))
    }
}

/// Percent-encodes everything that is special in a form.
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}
