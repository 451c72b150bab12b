//! Calls to the management API of a sandbox.

use http::Method;
use serde_json::Value;
use tpp::sandbox::Management;
use tpp::{Transport, TransportSettings};

use super::tpp::observer;
use super::{Failure, Hints};
use crate::cli::{DEFAULT_MANAGEMENT, ManagementArgs};

/// What printed commands need to reach the same management API.
pub(crate) fn hints(to: &ManagementArgs) -> Hints {
    let options = (to.management != DEFAULT_MANAGEMENT).then(|| ("--management", to.management.clone()));
    Hints {
        tpp: options.iter().cloned().collect(),
        account: options.into_iter().collect(),
        sandbox: Vec::new(),
    }
}

/// The management API.
pub(crate) fn management(to: &ManagementArgs) -> Result<Management, Failure> {
    let transport = Transport::new(TransportSettings::default(), Some(observer(false)))?;
    Ok(Management::new(transport, &to.management))
}

/// Asks the management API; a failure says the next step.
pub(crate) async fn ask(
    to: &ManagementArgs,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, Failure> {
    let answer = management(to)?.call(method, path, body).await;
    answer.map_err(|error| Failure::from(error).with(&hints(to)))
}

/// A member that is a text.
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}
