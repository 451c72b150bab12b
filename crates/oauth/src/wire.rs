//! The JSON of the authorization server, for both sides.

use serde::{Deserialize, Serialize};

/// Answer to a registration (OpenID Connect Dynamic Client Registration 1.0, 3.2).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInformation {
    /// Grants the client may use.
    pub grant_types: Vec<String>,
    /// `web` or `mobile`.
    pub application_type: String,
    /// Always 0: the secret does not expire.
    pub client_secret_expires_at: i64,
    /// The registered redirect URIs.
    pub redirect_uris: Vec<String>,
    /// When the client registered for the first time, seconds since 1970.
    pub client_id_issued_at: i64,
    /// The organization identifier of the client's certificate.
    pub client_id: String,
    /// The secret, shown this one time; empty for a client that proves itself by a certificate or a key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_secret: String,
    /// Access tokens are bound to the client's TLS certificate.
    pub tls_client_certificate_bound_access_tokens: bool,
    /// As sent; may be empty.
    pub sector_identifier_uri: String,
    /// How the client proves itself: as it asked to, or `client_secret_basic`.
    pub token_endpoint_auth_method: String,
    /// `code`.
    pub response_types: Vec<String>,
    /// Algorithm of ID tokens.
    pub id_token_signed_response_alg: String,
}

impl std::fmt::Debug for ClientInformation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientInformation").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// An error in JSON (RFC 6749, 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error code.
    pub error: String,
    /// What is wrong and what would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

/// The configuration of an issuer (OpenID Connect Discovery 1.0, 3; RFC 8414; RFC 8705; RFC 9207).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the members are the standard's own")]
#[expect(clippy::struct_excessive_bools, reason = "the members are the standard's own")]
pub struct Configuration {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub userinfo_endpoint: String,
    pub revocation_endpoint: String,
    pub registration_endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<String>,
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    pub jwks_uri: String,
    pub mutual_tls_sender_constrained_access_tokens: bool,
    pub tls_client_certificate_bound_access_tokens: bool,
    pub authorization_response_iss_parameter_supported: bool,
    pub request_parameter_supported: bool,
    pub request_uri_parameter_supported: bool,
    pub claims_parameter_supported: bool,
    pub require_request_uri_registration: bool,
    pub response_types_supported: Vec<String>,
    pub response_modes_supported: Vec<String>,
    pub display_values_supported: Vec<String>,
    pub subject_types_supported: Vec<String>,
    pub scopes_supported: Vec<String>,
    pub claims_supported: Vec<String>,
    pub claim_types_supported: Vec<String>,
    pub grant_types_supported: Vec<String>,
    pub token_endpoint_auth_methods_supported: Vec<String>,
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    pub code_challenge_methods_supported: Vec<String>,
    pub id_token_signing_alg_values_supported: Vec<String>,
    pub userinfo_signing_alg_values_supported: Vec<String>,
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtls_endpoint_aliases: Option<EndpointAliases>,
}

/// Endpoints that ask for a TLS client certificate (RFC 8705, 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the members are the standard's own")]
pub struct EndpointAliases {
    pub token_endpoint: String,
    pub userinfo_endpoint: String,
    pub revocation_endpoint: String,
    pub registration_endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<String>,
}

/// Tokens (RFC 6749, 5.1; OpenID Connect Core 1.0, 3.1.3.3).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// Reads data.
    pub access_token: String,
    /// Gets new tokens, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// What the tokens are for.
    #[serde(default)]
    pub scope: String,
    /// Who the customer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: i64,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// What a token is bound to (RFC 8705, 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// SHA-256 of the certificate's DER, base64url.
    #[serde(rename = "x5t#S256")]
    pub x5t_s256: String,
}

/// What a token is worth (RFC 7662, 2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the members are the standard's own")]
pub struct Introspection {
    pub active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// Who the customer is (OpenID Connect Core 1.0, 5.3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserInfo {
    /// The same in each consent, different for each third party.
    pub sub: String,
}

/// Answer to a pushed authorization request (RFC 9126, 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedAuthorizationResponse {
    /// What the browser brings instead of the parameters.
    pub request_uri: String,
    /// Seconds until it expires.
    pub expires_in: i64,
}
