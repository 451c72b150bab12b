//! A bank for tests: customers and books behind the gateway's ports of a bank, and what no real bank has, a certification
//! authority of its own, clocks that can be moved, and a management API. None of it exists in a gateway that serves a real bank.

mod authorities;
mod bank;
mod books;
mod clock;
mod digipass;
mod management;
mod merchants;
mod names;
mod numbers;
mod personas;
mod publication;
mod setup;
mod statement;
mod test_accounts;
mod test_certificates;

pub use authorities::Authorities;
pub use clock::SandboxClock;
pub use management::management;
pub use publication::publication;
pub use setup::{Sandbox, SandboxError, SandboxSettings};
