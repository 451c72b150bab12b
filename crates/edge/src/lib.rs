//! What every crate that speaks HTTP shares.
//!
//! The connection a request came in on, limits on every input, the request id, message signatures, and the log
//! of failures. No rules of a bank live here and no wording of a dialect: a dialect turns [`Rejected`] and
//! [`SignatureRefusal`] into its own errors.

mod bank_page;
mod body;
mod call_log;
mod connection;
mod dialect;
mod guard;
mod headers;
mod json;
pub mod openapi;
pub mod outbound;
mod rejected;
pub mod session_cookie;
mod signature;

pub use bank_page::{BANK_PAGE, enter, redirect};
pub use body::{MAX_BODY, SMALL_BODY, read_body};
pub use call_log::{log_call, log_failure, note_code, note_route, note_third_party, with_fault};
pub use connection::{Connection, network};
pub use dialect::{Beginning, Dialect, Door, Due, Edge, Entrance, Mounted, NotBegun, Surroundings};
pub use guard::{check_host, guard, log_refusal};
pub use headers::{header_text, single_header};
pub use json::{JsonError, check_json_object, read_json};
pub use rejected::Rejected;
pub use signature::{SignatureRefusal, SignatureRules, check_message_signature};
