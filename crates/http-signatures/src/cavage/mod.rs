//! The `Signature` header of draft-cavage-http-signatures as Berlin Group NextGenPSD2 uses it (1.3, section 12).

mod header;
mod sign;
mod signing_string;
mod verify;

pub use header::SignatureHeader;
pub use sign::{sign, sign_string};
pub use signing_string::signing_string;
pub use verify::{Hs2019, Rules, check_covered, choose_algorithm, verify};
