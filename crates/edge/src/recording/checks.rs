//! The checks that a call goes through, by name, so that whoever looks at a call sees which of them it passed.

use gateway::domain::{
    AccessRefusal, ConsentRefusal, FundsRefusal, GrantRefusal, PaymentRefusal, Refusal, StandingRefusal,
};
use gateway::profile::{CertificateCheck, CertificateRules};
use http_signatures::Refusal as MessageRefusal;
use serde::{Serialize, Serializer};

use crate::Rejected;

macro_rules! checks {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal $title:literal;)*) => {
        /// A check that a call goes through at one door or another.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Check {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Check {
            /// Its name for programs.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What holds where it is passed, for people.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

checks! {
    /// Path and method are served, and nothing about the request is too long.
    Request "request" "The path is served with this method";
    /// The TLS client certificate, where it has to be there.
    TlsCertificate "tls_certificate" "A TLS client certificate came along";
    /// Whether the call has an id.
    RequestId "request_id" "X-Request-ID is there";
    /// The certificate is there, can be read and comes from a trusted authority.
    Certificate "certificate" "The certificate can be read and comes from a trusted authority";
    /// Certificates of one call have one holder.
    Organization "organization" "All certificates belong to one organisation";
    /// The holder has registered.
    Registration "registration" "The third party has registered";
    /// The certificate grants the role that the service needs.
    Role "role" "The certificate grants the role";
    /// The certificate is in its time.
    Validity "validity" "The certificate is in its time";
    /// The certificate was neither revoked nor blocked.
    Status "status" "The certificate was neither revoked nor blocked";
    /// The bank does not block the third party.
    Standing "standing" "The third party is not blocked";
    /// The header with the signature is there and can be read.
    SignatureHeader "signature_header" "The signature is there and can be read";
    /// The signature names the certificate.
    KeyId "key_id" "keyId names the certificate";
    /// The algorithm is allowed and fits the key.
    Algorithm "algorithm" "The algorithm is allowed and fits the key";
    /// Everything is signed that has to be.
    SignedHeaders "signed_headers" "Every header is signed that has to be";
    /// Signed dates are near now.
    SignatureTime "signature_time" "The signature is in its time";
    /// The signature verifies.
    Signature "signature" "The signature verifies";
    /// The digest is that of the body.
    Digest "digest" "The digest is that of the body";
    /// The request id was not used for something else.
    FreshRequestId "fresh_request_id" "The request id was not used before for something else";
    /// The client is known.
    Client "client" "The client is known";
    /// The client proves itself.
    ClientCredentials "client_credentials" "The client proves who it is";
    /// The initial access token of a registration.
    InitialAccessToken "initial_access_token" "The initial access token is good";
    /// The redirect URI is the registered one.
    RedirectUri "redirect_uri" "The redirect URI is a registered one";
    /// What is asked for is within what can be.
    Scope "scope" "The scope can be granted";
    /// Code challenge and code verifier.
    Pkce "pkce" "PKCE: the code verifier fits the challenge";
    /// The authorization code is good.
    Code "code" "The authorization code is good";
    /// The refresh token is good.
    RefreshToken "refresh_token" "The refresh token is good";
    /// The access token, or another token of a session, is good.
    AccessToken "access_token" "The token is good";
    /// An API key is good, and may be used from this address.
    ApiKey "api_key" "The API key is good and may be used from this address";
    /// The consent is valid and the caller's.
    Consent "consent" "The consent is valid";
    /// The account is part of it, and was not read too often.
    Access "access" "The consent covers what is asked for";
    /// The authorisation may be confirmed.
    Authorisation "authorisation" "The authorisation is where it has to be";
    /// A payment can be made.
    Payment "payment" "The payment can be made";
    /// What is named is there.
    Resource "resource" "What the call names is there";
    /// Parameters and body.
    Content "content" "Headers, parameters and body say what they have to";
    /// How often a caller may call.
    RateLimit "rate_limit" "The caller is within the limits";
    /// The bank itself.
    Bank "bank" "The bank can answer";
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Why a call was refused, as the interface that refused it explains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The check that failed.
    pub check: Check,
    /// Where it is written: standard and section.
    pub clause: &'static str,
    /// What would mend it.
    pub remedy: &'static str,
}

impl Explanation {
    /// What is to be said about checks of certificates, which is the same at every door.
    pub fn about_certificates(check: Check) -> Option<Self> {
        let (clause, remedy) = match check {
            Check::TlsCertificate => (
                "Delegated Regulation (EU) 2018/389, Article 34(1)",
                "Connect over TLS and present the QWAC of the third party as client certificate.",
            ),
            Check::Certificate => (
                "Delegated Regulation (EU) 2018/389, Article 34; ETSI TS 119 495, 5",
                "Send a certificate that this bank trusts, as base64 of its DER on one line: POST /test-certificates at the \
                 management listener makes one. `vestibule certificate check` names each rule that a certificate breaks.",
            ),
            Check::Organization => (
                "ETSI TS 119 495, 5.2.1",
                "Use certificates of the same third party for TLS and for signatures.",
            ),
            Check::Registration => (
                "RFC 7591, 3",
                "Fetch an initial access token with this certificate and register with it, then call again.",
            ),
            Check::Role => (
                "ETSI TS 119 495, 5.1; Delegated Regulation (EU) 2018/389, Article 34(3)(a)",
                "Use a certificate with the role of the service: PSP_AI for accounts, PSP_PI for payments, PSP_IC for \
                 confirmation of funds.",
            ),
            Check::Validity => (
                "RFC 5280, 4.1.2.5",
                "Get a new certificate; if the tenant's clock was moved, move it back: GET /clock shows it.",
            ),
            Check::Status => (
                "RFC 5280, 3.3; ETSI EN 319 411-1, 6.2.4",
                "Use the newest certificate: a new one of the same kind revokes the one before. PUT \
                 /test-certificates/{fingerprint} makes it active again.",
            ),
            Check::Standing => (
                "Directive (EU) 2015/2366, Article 68(5)",
                "Ask the bank to lift the block; in a sandbox PUT /third-parties/{id} with status active does.",
            ),
            _ => return None,
        };
        Some(Self { check, clause, remedy })
    }
}

impl From<CertificateCheck> for Check {
    fn from(check: CertificateCheck) -> Self {
        match check {
            CertificateCheck::Organization => Self::Organization,
            CertificateCheck::Registration => Self::Registration,
            CertificateCheck::Role => Self::Role,
            CertificateCheck::Validity => Self::Validity,
            CertificateCheck::Status => Self::Status,
            CertificateCheck::Standing => Self::Standing,
        }
    }
}

/// The checks about certificates that were passed before one of them failed, or all of them, in the bank's order.
pub(crate) fn passed(rules: &CertificateRules, failed: Option<Check>) -> impl Iterator<Item = Check> + use<> {
    rules.in_order().map(Check::from).take_while(move |check| Some(*check) != failed)
}

impl From<&Refusal> for Check {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::CertificateInvalid { .. } => Self::Certificate,
            Refusal::OrganizationMismatch { .. } => Self::Organization,
            Refusal::RoleMissing { .. } => Self::Role,
            Refusal::CertificateExpired { .. } => Self::Validity,
            Refusal::CertificateRevoked { .. }
            | Refusal::CertificateUnknown { .. }
            | Refusal::CertificateUnchecked { .. }
            | Refusal::CertificateBlocked { .. } => Self::Status,
            Refusal::TooManyCalls { .. } | Refusal::TooManyAtOnce { .. } => Self::RateLimit,
            Refusal::InitialAccessTokenUnknown
            | Refusal::InitialAccessTokenExpired { .. }
            | Refusal::InitialAccessTokenUsed
            | Refusal::InitialAccessTokenForeign => Self::InitialAccessToken,
            Refusal::RedirectUri(_) | Refusal::Consent(ConsentRefusal::RedirectUri) => Self::RedirectUri,
            Refusal::SectorIdentifierUri => Self::Content,
            Refusal::SigningKeyMissing | Refusal::ClientCredentials => Self::ClientCredentials,
            Refusal::NotRegistered(_) => Self::Registration,
            Refusal::Standing(refusal) => refusal.into(),
            Refusal::RegisterUnanswered { .. } => Self::Standing,
            Refusal::RequestIdReused { .. } | Refusal::RequestIdOfAnother { .. } => Self::FreshRequestId,
            Refusal::Consent(ConsentRefusal::NotValid { .. } | ConsentRefusal::Final { .. }) => Self::Consent,
            Refusal::Consent(_) => Self::Content,
            Refusal::Authorisation(_) => Self::Authorisation,
            Refusal::Grant(refusal) => refusal.into(),
            Refusal::Access(refusal) => refusal.into(),
            Refusal::Funds(FundsRefusal::NoAccess(_)) => Self::Access,
            Refusal::Funds(_) => Self::Content,
            Refusal::Payment(PaymentRefusal::NoAccess) => Self::Consent,
            Refusal::Payment(_) => Self::Payment,
        }
    }
}

impl From<&StandingRefusal> for Check {
    fn from(_: &StandingRefusal) -> Self {
        Self::Standing
    }
}

impl From<&GrantRefusal> for Check {
    fn from(refusal: &GrantRefusal) -> Self {
        use GrantRefusal as R;
        match refusal {
            R::CodeUnknown | R::CodeOfAnotherClient(_) | R::CodeExpired { .. } | R::CodeUsed => Self::Code,
            R::Scope(_) => Self::Scope,
            R::RedirectUri => Self::RedirectUri,
            R::Verifier => Self::Pkce,
            R::RefreshTokenUnknown | R::RefreshTokenUsed | R::RefreshTokenCertificate => Self::RefreshToken,
            R::AccessTokenMissing
            | R::AccessTokenInvalid(_)
            | R::AccessTokenCertificate
            | R::AccessTokenOfAnotherSubject(_) => Self::AccessToken,
            R::SubjectEnded(_) => Self::Consent,
        }
    }
}

impl From<&AccessRefusal> for Check {
    fn from(refusal: &AccessRefusal) -> Self {
        match refusal {
            AccessRefusal::LimitReached { .. } => Self::RateLimit,
            AccessRefusal::Period { .. }
            | AccessRefusal::PeriodInFuture { .. }
            | AccessRefusal::EdgeToken => Self::Content,
            AccessRefusal::Product { .. }
            | AccessRefusal::NotGranted { .. }
            | AccessRefusal::Unavailable { .. } => Self::Access,
        }
    }
}

impl From<&MessageRefusal> for Check {
    fn from(refusal: &MessageRefusal) -> Self {
        use MessageRefusal as R;
        match refusal {
            R::DigestHeaderMissing(_)
            | R::DigestMalformed { .. }
            | R::DigestAlgorithmNotAllowed(_)
            | R::DigestMismatch { .. } => Self::Digest,
            R::AlgorithmNotAllowed { .. }
            | R::AlgorithmKeyMismatch { .. }
            | R::CreatedNotAllowedWithAlgorithm(_)
            | R::CannotSign(_) => Self::Algorithm,
            R::RequiredHeaderNotCovered { .. }
            | R::RequiredComponentNotCovered(_)
            | R::CoveredHeaderMissing(_)
            | R::DuplicateCoveredHeader(_) => Self::SignedHeaders,
            R::Expired(_) | R::NotYetValid(_) | R::DateOutOfWindow { .. } | R::DateMalformed { .. } => {
                Self::SignatureTime
            }
            R::KeyIdMismatch { .. } => Self::KeyId,
            R::SignatureMismatch { .. } => Self::Signature,
            _ => Self::SignatureHeader,
        }
    }
}

impl From<&Rejected> for Check {
    fn from(rejected: &Rejected) -> Self {
        match rejected {
            Rejected::NotFound
            | Rejected::Method(_)
            | Rejected::TargetTooLong(_)
            | Rejected::PathNotText
            | Rejected::Host => Self::Request,
            Rejected::Busy => Self::Bank,
            _ => Self::Content,
        }
    }
}
