//! What stands between a gateway and its bank, as far as that can be told apart: for whoever sets the way up.

use std::error::Error as StdError;
use std::io;

use gateway::Error;
use http::StatusCode;
use rustls::{AlertDescription, Error as TlsError};

use crate::failure::Failure;

/// What is wrong with the way to a bank rather than with the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The bank's certificate does not come from the authorities that were given, or is for another name.
    BankCertificate,
    /// The bank does not take the certificate that it is shown.
    OwnCertificate,
    /// What answers there does not know the interface.
    NoInterface,
    /// The bank does not want what it is asked, as about a branch that it does not have.
    Refused,
}

/// What is wrong with the way, if an error of a [`CoreBank`](crate::CoreBank) comes from that.
pub fn trouble_behind(error: &Error) -> Option<Trouble> {
    let Error::Unavailable(fault) = error else { return None };
    let first: &(dyn StdError + 'static) = fault.as_ref();
    match first.downcast_ref::<Failure>()? {
        Failure::Away { trouble, .. } => *trouble,
        Failure::Status(status) => is_no_interface(*status).then_some(Trouble::NoInterface),
        // What a bank of the interface says of a path that is none of it.
        Failure::Refused(StatusCode::NOT_FOUND, _) => Some(Trouble::NoInterface),
        Failure::Refused(..) => Some(Trouble::Refused),
        Failure::Odd(_) => None,
    }
}

/// What the bank itself said when it refused, if an error of a [`CoreBank`](crate::CoreBank) comes from that: for whoever connects one,
/// and for no log, since it may be about customers.
pub fn words_behind(error: &Error) -> Option<&str> {
    let Error::Unavailable(fault) = error else { return None };
    let first: &(dyn StdError + 'static) = fault.as_ref();
    match first.downcast_ref::<Failure>()? {
        Failure::Refused(_, problem) => {
            Some(&problem.detail).filter(|detail| !detail.is_empty()).map(String::as_str)
        }
        _ => None,
    }
}

/// Statuses that the interface has only with a reason in its own format.
fn is_no_interface(status: StatusCode) -> bool {
    !status.is_server_error()
}

/// What a failed connection says about the certificates of both ends.
pub(crate) fn of_connection(error: &(dyn StdError + 'static)) -> Option<Trouble> {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.filter_map(tls_error).find_map(|error| match error {
        TlsError::InvalidCertificate(_) => Some(Trouble::BankCertificate),
        TlsError::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::DecryptError
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied,
        ) => Some(Trouble::OwnCertificate),
        _ => None,
    })
}

/// Errors of TLS come inside those of input and output, which do not name them as their cause.
fn tls_error<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e TlsError> {
    match error.downcast_ref::<TlsError>() {
        Some(found) => Some(found),
        None => tls_error(error.downcast_ref::<io::Error>()?.get_ref()?),
    }
}
