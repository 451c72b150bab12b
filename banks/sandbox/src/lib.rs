//! A bank for tests: customers and books behind the gateway's ports of a bank, and what no real bank has, a certification
//! authority of its own, clocks that can be moved, and a management API. None of it exists in a gateway that serves a real bank.

mod authorities;
mod bank;
mod bank_names;
mod batch;
mod books;
mod calendar;
mod clock;
mod digipass;
mod due_orders;
mod events;
mod execution;
mod faults;
mod faulty_certificates;
mod forcing;
mod ledger;
mod made_customers;
mod magic;
mod management;
mod merchants;
mod names;
mod numbers;
mod ocsp;
mod orders;
mod own_data;
mod personas;
mod publication;
mod registers;
mod schedule;
mod setup;
mod snapshots;
mod statement;
mod status_services;
mod test_accounts;
mod test_certificates;
#[cfg(test)]
mod tests;
mod trusted_lists;

pub use authorities::Authorities;
pub use bank_names::BankNames;
pub use clock::SandboxClock;
pub use due_orders::due;
pub use faults::{FaultLayer, Faults, strike};
pub use ledger::Ledger;
pub use management::{GoingBack, Interfaces, PortalPages, calls, management, management_description};
pub use publication::publication;
pub use setup::{Sandbox, SandboxError, SandboxSettings};
pub use snapshots::{Exchange, Identity, OtherData, SnapshotError, Snapshots};
