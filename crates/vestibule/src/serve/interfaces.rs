//! The interfaces for third parties that a configuration asks for, and whether the bank behind has what they need.

use edge::Dialect;

use crate::configuration::{Configuration, Offered};
use crate::start_error::StartError;

/// The dialects to serve.
///
/// # Errors
/// [`StartError::NoEntryNumbers`] if the bank says that it leaves out what one of them needs. A bank that is away says nothing:
/// then the gateway starts, and calls that need it are answered as all are while it is away.
pub(super) async fn of(
    configuration: &Configuration,
    bank: &gateway::Bank,
) -> Result<Vec<Dialect>, StartError> {
    let mut dialects = Vec::new();
    for interface in &configuration.bank.interfaces {
        dialects.push(match interface {
            Offered::BerlinGroup => berlin_group::DIALECT,
            Offered::Bunq => {
                match bank.numbers.is_offered().await {
                    Ok(true) => {}
                    Ok(false) => return Err(StartError::NoEntryNumbers),
                    Err(error) => tracing::warn!(
                        error = edge::with_causes(&error),
                        "the core bank does not say whether it numbers entries, which bunq's interface needs"
                    ),
                }
                bunq::DIALECT
            }
        });
    }
    Ok(dialects)
}
