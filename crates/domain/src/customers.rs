//! Customers of the bank (PSUs), as the bank's own pages and interfaces name them.

use jiff::Timestamp;

use crate::CustomerId;

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The customer's id.
    pub id: CustomerId,
    /// The name.
    pub name: String,
    /// Person or company.
    pub kind: CustomerKind,
    /// Since when.
    pub created_at: Timestamp,
}

/// Kinds of customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerKind {
    /// A natural person.
    Person,
    /// A legal person.
    Company,
}
