//! Customers on the wire: who they are, and what they show.

use gateway::domain::{self, CustomerId, CustomerKind, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Unreadable, each_once, unreadable};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
    id: String,
    name: String,
    kind: String,
    created_at: Timestamp,
    /// Of which branch, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) branch: Option<String>,
}

/// The branch of which a customer has to be; of any if it is absent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AtBranch {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) branch: Option<String>,
}

impl From<domain::Customer> for Customer {
    fn from(customer: domain::Customer) -> Self {
        let kind = match customer.kind {
            CustomerKind::Person => "person",
            CustomerKind::Company => "company",
        };
        Self {
            id: customer.id.to_string(),
            name: customer.name,
            kind: kind.to_owned(),
            created_at: customer.created_at,
            branch: None,
        }
    }
}

impl Customer {
    pub(crate) fn read(self) -> Result<domain::Customer, Unreadable> {
        let kind = match self.kind.as_str() {
            "person" => CustomerKind::Person,
            "company" => CustomerKind::Company,
            _ => return Err(unreadable("kind", "person or company")),
        };
        Ok(domain::Customer {
            id: CustomerId::new(self.id),
            name: self.name,
            kind,
            created_at: self.created_at,
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Customers {
    pub(crate) customers: Vec<Customer>,
}

impl Customers {
    pub(crate) fn read(self) -> Result<Vec<domain::Customer>, Unreadable> {
        each_once(self.customers, |one| &one.id).into_iter().map(Customer::read).collect()
    }
}

/// Who can log in with an account number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FindCustomers {
    pub(crate) branch: String,
    pub(crate) iban: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerIds {
    pub(crate) customer_ids: Vec<String>,
}

/// What a customer shows.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogIn {
    pub(crate) customer_ids: Vec<String>,
    pub(crate) challenge: String,
    pub(crate) answer: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoggedIn {
    /// Absent if what was shown is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer_id: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Approve {
    pub(crate) challenge: String,
    pub(crate) answer: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Approved {
    pub(crate) approved: bool,
}
