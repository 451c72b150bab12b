//! ID tokens (OpenID Connect Core 1.0, 2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::HEXLOWER;
use serde::Serialize;

use crate::wire::Confirmation;

/// What an ID token says.
#[derive(Debug, Serialize)]
pub(crate) struct Claims {
    /// Who says so.
    pub(crate) iss: String,
    /// Who the customer is for this client.
    pub(crate) sub: String,
    /// For whom it is.
    pub(crate) aud: String,
    /// When the customer logged in.
    pub(crate) auth_time: i64,
    /// When it was issued.
    pub(crate) iat: i64,
    /// Until when it may be taken.
    pub(crate) exp: i64,
    /// `nonce` of the authorization request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    /// The certificate that the access token is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cnf: Option<Confirmation>,
}

impl Confirmation {
    /// From the fingerprint of a certificate in hexadecimal.
    pub(crate) fn of_certificate(fingerprint: &str) -> Option<Self> {
        let octets = HEXLOWER.decode(fingerprint.as_bytes()).ok()?;
        Some(Self { x5t_s256: URL_SAFE_NO_PAD.encode(octets) })
    }
}
