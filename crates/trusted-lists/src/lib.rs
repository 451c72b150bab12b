//! Trusted lists: which services issue qualified certificates, for what, and since when (ETSI TS 119 612), and what follows from that
//! for a certificate (ETSI TS 119 615).
//!
//! A [`TrustedList`] exists only once its signature was verified ([`TrustedList::read`]): by `bergshamra`, over the same tree that is
//! read afterwards, so that nothing can be read that was not signed.

mod bounds;
mod criteria;
#[cfg(feature = "issue")]
pub mod issue;
mod list;
mod qualified;
mod signature;
mod tree;

pub use list::{ListError, ListKind, Period, Pointer, Service, TrustedList};
pub use qualified::{NotQualified, qualified};
