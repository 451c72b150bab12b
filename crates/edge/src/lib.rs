//! What every crate that speaks HTTP shares.
//!
//! The connection a request came in on, limits on every input, the request id, message signatures, and what
//! came of each call, for the log and other observers. No rules of a bank live here and no wording of a dialect: a dialect turns [`Rejected`] and
//! [`SignatureRefusal`] into its own errors.

mod bank_page;
mod body;
mod call_log;
pub mod certificate_addresses;
mod connection;
mod dialect;
mod due;
mod failures;
mod form;
mod guard;
mod headers;
mod json;
mod media_types;
mod observer;
pub mod openapi;
pub mod outbound;
mod proof;
pub mod recording;
pub mod registers;
mod rejected;
pub mod session_cookie;
mod signature;
mod spans;
pub mod trusted_lists;
mod watched;

pub use bank_page::{BANK_PAGE, enter, redirect};
pub use body::{MAX_BODY, SMALL_BODY, read_body};
pub use call_log::{CallLog, log_failure, with_causes};
pub use connection::{Connection, Unreadable, network};
pub use dialect::{
    Beginning, Caller, ClientSecret, Dialect, Door, Edge, Entrance, Mounted, NotBegun, Surroundings,
};
pub use due::{Agenda, Due, Steps};
pub use failures::{Failing, FailingInterface, Failure, ToldFailure};
pub use form::{Form, FormError};
pub use guard::{X_REQUEST_ID, check_host, check_path, fresh_id, guard, requested_host};
pub use headers::{header_text, single_header};
pub use json::{JsonError, check_json_object, read_any_json, read_json};
pub use media_types::{check_json, media_type, require_json};
pub use observer::{
    CALLER_GONE, Observer, Recording, Seen, note_certificates, note_check, note_code, note_comparison,
    note_failed, note_matched, note_mistake_with_body, note_passed, note_refusal, note_request, note_route,
    note_subject, note_third_party, observe, with_fault,
};
pub use proof::{
    Proof, ShownCertificate, note_authenticated, note_session, note_signed, note_signing_certificate,
    note_tls_certificate, note_unread_tls_certificate,
};
pub use recording::{Check, Explanation, Recorder};
pub use rejected::Rejected;
pub use signature::{SignatureRefusal, check_body_digest, check_message_signature};
pub use spans::TRACES;
pub use watched::{Polled, Watched, watched};
