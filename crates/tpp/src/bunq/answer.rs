//! Answers: who signed them, and what is in their envelopes.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bunq::wire::{Element, Envelope, User};
use bytes::Bytes;
use http::HeaderMap;
use http_signatures::key::{Algorithm, PublicKey};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Error;

/// SHA-256 and RSASSA-PKCS1-v1_5, in both directions.
pub(super) const ALGORITHM: Algorithm = Algorithm::RsaPkcs1Sha256;

/// An answer that is a success and comes from the bank.
#[derive(Debug)]
pub(super) struct Answer {
    url: String,
    body: Bytes,
}

/// What the answer to a new session says.
pub(super) struct Opened {
    pub(super) token: String,
    pub(super) user_id: i64,
    /// How long it lasts, in seconds.
    pub(super) timeout: Option<i64>,
    /// The name of the customer, if it is one's session.
    pub(super) customer: Option<String>,
}

/// Elements of a page with their wrappers, and the link to older ones.
pub(super) type Page<T> = (Vec<(String, T)>, Option<String>);

impl Answer {
    pub(super) fn new(url: String, body: Bytes) -> Self {
        Self { url, body }
    }

    /// The envelope with elements of a kind.
    fn read<T: DeserializeOwned>(&self) -> Result<Envelope<T>, Error> {
        read(&self.body).map_err(|error| Error::Answer { url: self.url.clone(), reason: error.to_string() })
    }

    /// The first element that is wanted; `what` names it if it is not there.
    pub(super) fn find<T>(&self, what: &str, wanted: impl FnMut(Element) -> Option<T>) -> Result<T, Error> {
        let elements = self.read::<Element>()?.response;
        elements.into_iter().find_map(wanted).ok_or_else(|| self.without(what))
    }

    /// The number of what was made.
    pub(super) fn id(&self) -> Result<i64, Error> {
        self.find("Id", |element| match element {
            Element::Id(id) => Some(id.id),
            _ => None,
        })
    }

    /// Token and user of a new session.
    pub(super) fn opened(&self) -> Result<Opened, Error> {
        opened(self.read::<Element>()?.response).ok_or_else(|| self.without("token and user"))
    }

    /// The elements under these wrappers, with the wrapper of each, and the link to older ones. Other elements
    /// are left out: the interface adds kinds at any time.
    pub(super) fn under<T: DeserializeOwned>(&self, wrappers: &[&str]) -> Result<Page<T>, Error> {
        let envelope = self.read::<BTreeMap<String, Value>>()?;
        let mut found = Vec::new();
        for (wrapper, value) in envelope.response.into_iter().flatten() {
            if wrappers.contains(&wrapper.as_str()) {
                let element = serde_json::from_value(value).map_err(|error| Error::Answer {
                    url: self.url.clone(),
                    reason: format!("{wrapper}: {error}"),
                })?;
                found.push((wrapper, element));
            }
        }
        Ok((found, envelope.pagination.and_then(|pagination| pagination.older_url)))
    }

    fn without(&self, what: &str) -> Error {
        Error::Answer { url: self.url.clone(), reason: format!("it has no {what}") }
    }
}

/// Reads an envelope. Where one object was asked for, the bank may leave the list around it out.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<Envelope<T>, serde_json::Error> {
    let mut json: Value = serde_json::from_slice(body)?;
    if let Some(response) = json.get_mut("Response").filter(|response| response.is_object()) {
        *response = Value::Array(vec![response.take()]);
    }
    serde_json::from_value(json)
}

fn opened(elements: Vec<Element>) -> Option<Opened> {
    let (mut token, mut user) = (None, None);
    for element in elements {
        match element {
            Element::Token(new) => token = Some(new.token),
            Element::UserPaymentServiceProvider(User { id, session_timeout, .. })
            | Element::UserPerson(User { id, session_timeout, .. })
            | Element::UserCompany(User { id, session_timeout, .. }) => {
                user = Some((id, session_timeout, None));
            }
            Element::UserApiKey(key) => {
                let timeout = key.requested_by_user.values().find_map(|user| user.session_timeout);
                let mut customer = key.granted_by_user.into_iter().flat_map(BTreeMap::into_values);
                user = Some((key.id, timeout, customer.find_map(|user| user.display_name)));
            }
            _ => {}
        }
    }
    let (user_id, timeout, customer) = user?;
    Some(Opened { token: token?, user_id, timeout, customer })
}

/// Checks that the bank signed an answer.
pub(super) fn check_signature(key: &PublicKey, headers: &HeaderMap, body: &[u8]) -> Result<(), &'static str> {
    let signature = headers.get("x-bunq-server-signature").ok_or("it has no X-Bunq-Server-Signature")?;
    let signature = STANDARD.decode(signature.as_bytes());
    let signature = signature.map_err(|_| "its X-Bunq-Server-Signature is not base64")?;
    if key.verifies(ALGORITHM, body, &signature) {
        return Ok(());
    }
    Err("its X-Bunq-Server-Signature was not made by the key that the bank gave for this installation")
}

/// Reads a public key in PEM, whatever its lines look like.
pub(super) fn public_key(pem: &str) -> Option<PublicKey> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let base64: String = lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    PublicKey::from_spki_der(&STANDARD.decode(base64).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use bunq::wire::MonetaryAccount;
    use eidas::issue::{KeyType, generate_key};
    use http_signatures::key::PrivateKey;
    use serde_json::json;

    use super::*;

    fn answer(body: &Value) -> Answer {
        Answer::new("https://bank.example/v1/x".to_owned(), body.to_string().into())
    }

    #[test]
    fn an_installation_and_an_api_key() {
        let installation = answer(&json!({"Response": [
            {"Id": {"id": 1561}},
            {"Token": {"id": 3213, "created": "2026-01-05 09:11:12.123456", "updated": "…", "token": "t"}},
            {"ServerPublicKey": {"server_public_key": "-----BEGIN PUBLIC KEY-----\nMIIB\n"}},
        ]}));
        assert_eq!(installation.id().unwrap(), 1561);
        let key = installation.find("key", |element| match element {
            Element::ServerPublicKey(key) => Some(key.server_public_key),
            _ => None,
        });
        assert!(key.unwrap().starts_with("-----BEGIN"));
        let credential = answer(&json!({"Response": [{"CredentialPasswordIp": {
            "id": 6, "created": "2026-01-05 09:11:12.123456", "updated": "2026-01-05 09:11:12.123456",
            "status": "PENDING_FIRST_USE", "expiry_time": "2026-01-05 10:11:12.123456",
            "token_value": "k", "permitted_device": null,
        }}]}));
        let key = credential.find("key", |element| match element {
            Element::CredentialPasswordIp(credential) => credential.token_value,
            _ => None,
        });
        assert_eq!(key.unwrap(), "k");
        assert!(credential.id().unwrap_err().to_string().ends_with("it has no Id"));
    }

    #[test]
    fn sessions_of_both_kinds() {
        let session = |user: Value| {
            let token = json!({"Token": {"id": 9, "created": "…", "updated": "…", "token": "t"}});
            answer(&json!({"Response": [{"Id": {"id": 9}}, token, user]})).opened()
        };
        let own = session(json!({"UserPaymentServiceProvider": {
            "id": 10, "display_name": "My App PISP AISP", "session_timeout": 3600, "relations": [],
            "alias": [{"type": "CERTIFICATE_DISTINGUISHED_NAME", "value": "/CN=My App", "name": "My App"}],
        }}))
        .unwrap();
        assert_eq!((own.token.as_str(), own.user_id, own.timeout, own.customer), ("t", 10, Some(3600), None));
        let customers = session(json!({"UserApiKey": {
            "id": 11, "created": "…", "updated": "…",
            "requested_by_user": {"UserPaymentServiceProvider": {
                "id": 10, "display_name": "My App PISP AISP", "public_nick_name": "My App PISP AISP",
                "avatar": {"uuid": "5a44"}, "session_timeout": 2_147_483,
            }},
            "granted_by_user": {"UserPerson": {
                "id": 12, "display_name": "E. Example", "public_nick_name": "Ex", "session_timeout": null,
            }},
        }}))
        .unwrap();
        assert_eq!((customers.user_id, customers.timeout), (11, Some(2_147_483)));
        assert_eq!(customers.customer.as_deref(), Some("E. Example"));
        assert!(session(json!({"UserLight": {"id": 1}})).is_err());
    }

    #[test]
    fn an_oauth_client() {
        let client = answer(&json!({"Response": [{"OauthClient": {
            "id": 7, "status": "ACTIVE", "display_name": "My App", "client_id": "c", "secret": "s",
            "callback_url": [{"id": 8, "created": "…", "updated": "…", "url": "https://app.example/cb"}],
        }}]}));
        let clients = client.under::<bunq::wire::OauthClient>(&["OauthClient"]).unwrap();
        assert_eq!(clients.0[0].1.callback_url[0].url, "https://app.example/cb");
    }

    #[test]
    fn a_list_around_one_object_may_be_missing() {
        let draft = json!({"PaymentServiceProviderDraftPayment": {
            "sender_iban": "NL18BUNQ2025104049", "receiver_iban": "NL13ABNA0000000000",
            "amount": {"value": "12.50", "currency": "EUR"}, "status": "PENDING",
        }});
        for response in [json!([draft]), draft] {
            let status = answer(&json!({ "Response": response })).find("draft", |element| match element {
                Element::PaymentServiceProviderDraftPayment(draft) => Some(draft.status),
                _ => None,
            });
            assert_eq!(status.unwrap(), "PENDING");
        }
    }

    #[test]
    fn unknown_elements_are_left_out_but_broken_ones_are_told() {
        let list = |account: Value| {
            let other = json!({"MonetaryAccountCrypto": {"id": 1}});
            answer(&json!({"Response": [other, {"MonetaryAccountBank": account}]}))
        };
        let good = list(json!({"id": 20, "status": "ACTIVE"}));
        let (accounts, older) = good.under::<MonetaryAccount>(&["MonetaryAccountBank"]).unwrap();
        assert_eq!(
            (accounts.len(), accounts[0].0.as_str(), accounts[0].1.id),
            (1, "MonetaryAccountBank", 20)
        );
        assert_eq!(older, None);
        let broken = list(json!({"id": "twenty"})).under::<MonetaryAccount>(&["MonetaryAccountBank"]);
        assert!(broken.unwrap_err().to_string().contains("MonetaryAccountBank: "));
    }

    #[test]
    fn only_the_banks_signature_counts() {
        let (private, public) = generate_key(KeyType::Rsa2048).unwrap();
        let (private, public) = (PrivateKey::from_pem(&private).unwrap(), public_key(&public).unwrap());
        let body = br#"{"Response":[]}"#;
        let mut headers = HeaderMap::new();
        assert!(check_signature(&public, &headers, body).unwrap_err().starts_with("it has no"));
        let signature = STANDARD.encode(private.sign(ALGORITHM, body).unwrap());
        headers.insert("x-bunq-server-signature", signature.parse().unwrap());
        assert_eq!(check_signature(&public, &headers, body), Ok(()));
        assert!(check_signature(&public, &headers, b"{}").is_err());
        headers.insert("x-bunq-server-signature", "*".parse().unwrap());
        assert!(check_signature(&public, &headers, body).unwrap_err().contains("not base64"));
        assert!(public_key("nothing").is_none());
    }
}
