//! Events on the wire.

use gateway::domain::{CustomerId, PaymentId, Timestamp, TppId};
use gateway::{BankEvent, PaymentProgress, ToldEvent};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Account, Progress, Unreadable, progress_of, unreadable};

/// What is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EventsQuery {
    /// The last event that was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
    pub(crate) limit: usize,
    /// For how many seconds an event is waited for.
    #[serde(default)]
    pub(crate) wait: u64,
}

/// Events, each as it is: one that cannot be read keeps no other away.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Events {
    pub(crate) events: Vec<Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Event {
    id: String,
    at: Timestamp,
    #[serde(flatten)]
    happened: Happened,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Happened {
    #[serde(rename_all = "camelCase")]
    Payment {
        payment: String,
        #[serde(flatten)]
        progress: Progress,
        #[serde(rename = "final")]
        is_final: bool,
    },
    #[serde(rename_all = "camelCase")]
    AccountClosed { account: Account, customer_ids: Vec<String> },
    #[serde(rename_all = "camelCase")]
    ConsentWithdrawn {
        customer_id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        consent_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        third_party: Option<String>,
    },
}

/// An event; what it is about is left out if it cannot be read. Its name and moment have to be there, since whoever asks for the next
/// one names it.
pub(crate) fn told(value: Value) -> Result<ToldEvent, Unreadable> {
    let text = |name| value.get(name).and_then(Value::as_str);
    let id = text("id").filter(|id| !id.is_empty() && id.len() <= 200);
    let id = id.ok_or_else(|| unreadable("id", "a text of 1 to 200 characters"))?.to_owned();
    let at = text("at").and_then(|at| at.parse().ok()).ok_or_else(|| unreadable("at", "a moment"))?;
    let event = serde_json::from_value::<Event>(value).ok().and_then(|event| event.happened.read().ok());
    Ok(ToldEvent { id, at, event })
}

impl Happened {
    fn read(self) -> Result<BankEvent, Unreadable> {
        Ok(match self {
            Self::Payment { payment, progress, is_final } => BankEvent::Payment {
                payment: PaymentId::new(payment),
                progress: progress_of(progress)?,
                is_final,
            },
            Self::AccountClosed { account, customer_ids } => BankEvent::AccountClosed {
                account: account.read()?,
                customers: customer_ids.into_iter().map(CustomerId::new).collect(),
            },
            Self::ConsentWithdrawn { customer_id, consent_id, third_party } => BankEvent::Withdrawn {
                customer: CustomerId::new(customer_id),
                consent: consent_id,
                third_party: third_party.map(TppId::new),
            },
        })
    }
}

/// An event for the wire. One of which there is nothing to tell any more keeps its place, so that whoever asks gets behind it.
#[cfg(feature = "server")]
pub(crate) fn value(told: ToldEvent) -> Value {
    let nothing = serde_json::json!({"id": told.id, "at": told.at, "type": "nothing"});
    let Some(event) = told.event else { return nothing };
    let happened = match event {
        BankEvent::Payment { payment, progress, is_final } => {
            Happened::Payment { payment: payment.to_string(), progress: progress.into(), is_final }
        }
        BankEvent::AccountClosed { account, customers } => Happened::AccountClosed {
            account: account.into(),
            customer_ids: customers.iter().map(ToString::to_string).collect(),
        },
        BankEvent::Withdrawn { customer, consent, third_party } => Happened::ConsentWithdrawn {
            customer_id: customer.to_string(),
            consent_id: consent,
            third_party: third_party.map(|tpp| tpp.to_string()),
        },
    };
    serde_json::to_value(Event { id: told.id, at: told.at, happened }).unwrap_or(nothing)
}

/// What is kept of a payment that the bank told about.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptProgress {
    pub(crate) progress: Progress,
    pub(crate) is_final: bool,
}

impl KeptProgress {
    pub(crate) fn of(progress: &PaymentProgress, is_final: bool) -> Self {
        Self { progress: progress.clone().into(), is_final }
    }
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_which_there_is_nothing_to_tell_keeps_its_place() {
        let event = ToldEvent { id: "7".to_owned(), at: Timestamp::UNIX_EPOCH, event: None };
        assert_eq!(told(value(event.clone())).unwrap(), event);
    }
}
