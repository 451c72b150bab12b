//! What every crate that speaks HTTP shares.
//!
//! The connection a request came in on, limits on every input, the request id, message signatures, and the log
//! of failures. No rules of a bank live here and no wording of a dialect: a dialect turns [`Rejected`] and
//! [`SignatureRefusal`] into its own errors.

mod bank_page;
mod body;
mod connection;
mod dialect;
mod guard;
mod headers;
pub mod outbound;
mod rejected;
pub mod session_cookie;
mod signature;

pub use bank_page::{BANK_PAGE, enter, redirect};
pub use body::{MAX_BODY, SMALL_BODY, read_body};
pub use connection::{Connection, network};
pub use dialect::{Beginning, Dialect, Edge, Entrance};
pub use guard::{guard, log_failure, log_refusal};
pub use headers::{header_text, single_header};
pub use rejected::Rejected;
pub use signature::{SignatureRefusal, SignatureRules, check_message_signature};
