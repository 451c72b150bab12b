//! A bank for tests, with what no real bank has: a certification authority of its own, clocks that can be moved,
//! and a management API. None of it exists in a gateway that serves a real bank.

mod authorities;
mod clock;
mod management;
mod publication;
mod setup;
mod test_certificates;

pub use authorities::Authorities;
pub use clock::SandboxClock;
pub use management::management;
pub use publication::publication;
pub use setup::{Sandbox, SandboxError, SandboxSettings};
