//! HTTP Message Signatures (RFC 9421) under a profile for PSD2: which components must be covered, which
//! parameters must be there, and `tag="psd2"`.

mod base;
mod sign;
mod verify;

pub use base::signature_base;
pub use sign::{Parameters, SignedHeaders, sign};
pub use verify::{Verified, verify};

/// The tag that marks a signature of this profile.
pub const TAG: &str = "psd2";

/// Longest time between `created` and `expires`, in seconds.
pub const MAX_LIFETIME: i64 = 300;

/// Seconds that `created` may lie in the future.
pub const SKEW: i64 = 60;

use crate::key::Algorithm;

/// Names of the signature algorithms registry (RFC 9421, 6.2.2). HMAC is left out on purpose.
const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("rsa-pss-sha512", Algorithm::RsaPssSha512),
    ("rsa-v1_5-sha256", Algorithm::RsaPkcs1Sha256),
    ("ecdsa-p256-sha256", Algorithm::EcdsaP256Sha256Fixed),
    ("ecdsa-p384-sha384", Algorithm::EcdsaP384Sha384Fixed),
    ("ed25519", Algorithm::Ed25519),
];
