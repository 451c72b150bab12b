//! What is kept about a bank of this dialect. Private keys are in files of their own.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything that is kept, in the order in which it comes.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BunqState {
    /// The key that requests are signed with, and what the bank gave for it.
    pub installation: Option<KeptInstallation>,
    /// What the certificate was traded for.
    pub api_key: Option<String>,
    /// Whether the API key was used for a device.
    pub has_device: bool,
    /// The third party's own session, the newest one.
    pub session: Option<KeptSession>,
    /// The OAuth client, once there is one.
    pub oauth_client: Option<KeptOauthClient>,
    /// What is kept while browsers are away, the newest last: several may be.
    pub departures: Vec<PendingConnection>,
    /// Customers who approved, the newest last.
    pub connections: Vec<KeptConnection>,
}

impl fmt::Debug for BunqState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BunqState")
            .field("installation", &self.installation)
            .field("oauth_client", &self.oauth_client)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// An installation: a key pair here, a token and a public key from there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptInstallation {
    /// File with the private key, in PEM.
    pub private_key: String,
    /// The public key in PEM, exactly as the bank gets it: it ends in one line feed.
    pub public_key: String,
    /// What the bank answered, once it did.
    pub answer: Option<InstallationAnswer>,
}

impl fmt::Debug for KeptInstallation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptInstallation").field("private_key", &self.private_key).finish_non_exhaustive()
    }
}

/// What an installation is worth.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstallationAnswer {
    /// Opens sessions.
    pub token: String,
    /// The key that the bank signs its answers with, in PEM.
    pub server_public_key: String,
}

impl fmt::Debug for InstallationAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstallationAnswer(…)")
    }
}

/// A session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptSession {
    /// Its token.
    pub token: String,
    /// The number of its user, for paths.
    pub user_id: i64,
    /// Until when it is used, by this machine's clock: a little before the bank ends it.
    pub expires_at: Timestamp,
}

impl fmt::Debug for KeptSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptSession")
            .field("user_id", &self.user_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The OAuth client.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptOauthClient {
    /// Its number.
    pub id: i64,
    /// Its public name.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Where browsers may come back to.
    pub callback_urls: Vec<String>,
}

impl fmt::Debug for KeptOauthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptOauthClient")
            .field("client_id", &self.client_id)
            .field("callback_urls", &self.callback_urls)
            .finish_non_exhaustive()
    }
}

/// What is kept between sending the browser away and its return.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingConnection {
    /// Ties the answer to this request.
    pub state: String,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// Where the browser was sent.
    pub url: String,
}

impl fmt::Debug for PendingConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingConnection(…)")
    }
}

/// A customer who approved.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptConnection {
    /// What the customer's approval became; it opens sessions until they withdraw it.
    pub access_token: String,
    /// The number of the user that the approval made, once a session said so.
    pub user_id: Option<i64>,
    /// The customer's name, if the bank tells it.
    pub customer: Option<String>,
    /// The newest session.
    pub session: Option<KeptSession>,
    /// Whether the bank does not take the access token any more.
    #[serde(default)]
    pub ended: bool,
}

impl fmt::Debug for KeptConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptConnection").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state in which every secret says so.
    fn full() -> BunqState {
        let secret = |what: &str| format!("secret {what}");
        let session =
            KeptSession { token: secret("session"), user_id: 10, expires_at: Timestamp::UNIX_EPOCH };
        BunqState {
            installation: Some(KeptInstallation {
                private_key: "key.pem".to_owned(),
                public_key: "public".to_owned(),
                answer: Some(InstallationAnswer {
                    token: secret("installation"),
                    server_public_key: "server".to_owned(),
                }),
            }),
            api_key: Some(secret("key")),
            has_device: true,
            session: Some(session.clone()),
            oauth_client: Some(KeptOauthClient {
                id: 7,
                client_id: "client".to_owned(),
                client_secret: secret("client"),
                callback_urls: vec!["https://tpp.example/cb".to_owned()],
            }),
            departures: vec![PendingConnection {
                state: secret("state"),
                redirect_uri: "https://tpp.example/cb".to_owned(),
                url: secret("url"),
            }],
            connections: vec![KeptConnection {
                access_token: secret("access"),
                user_id: Some(11),
                customer: Some("E. Example".to_owned()),
                session: Some(session),
                ended: false,
            }],
        }
    }

    #[test]
    fn it_comes_back_and_its_debug_output_tells_no_secret() {
        let state = full();
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(text.matches("secret ").count(), 8, "{text}");
        assert_eq!(serde_json::from_str::<BunqState>(&text).unwrap(), state);
        let debug = format!("{state:?}");
        assert!(!debug.contains("secret ") && debug.contains("client"), "{debug}");
        assert_eq!(serde_json::from_str::<BunqState>("{}").unwrap(), BunqState::default());
    }
}
