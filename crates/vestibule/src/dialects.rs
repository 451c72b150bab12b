//! What this build serves. A new dialect is one dependency and one entry here.

use edge::Dialect;

/// Every dialect, each mounted under its own prefix.
pub const DIALECTS: &[Dialect] = &[berlin_group::DIALECT, bunq::DIALECT];
