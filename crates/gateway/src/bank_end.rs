//! The other end of an interface between a gateway and its bank: who serves a bank's ports over a wire gets questions that a
//! gateway made sure of before it asked, and proved by its certificate that it is the gateway.
//!
//! This is for crates in `banks/` alone, where it is a feature that they ask for: with it, proofs can be made that are none.

use domain::{AccountId, Interface, PaymentId, PaymentTerms, Tenant, Transfer};

use crate::payments::ApprovedPayment;
use crate::{AccountAccess, Changes};

/// What the gateway asks for may be read.
pub fn access<Scope>(account: AccountId) -> AccountAccess<Scope> {
    AccountAccess::to_asked(account)
}

/// What the gateway asks for was approved.
pub fn approved(
    which: (PaymentId, Tenant, Interface),
    account: AccountId,
    what: (PaymentTerms, Vec<Transfer>),
) -> ApprovedPayment {
    ApprovedPayment::asked(which, account, what)
}

/// Changes that are never saved: a bank that is asked to pay with them looks at everything and moves nothing. What comes back is
/// [`crate::Error::Conflict`] if it could pay.
pub fn never_saved() -> Changes {
    let row = store::PrivateState {
        owner: "bank-end",
        kind: "never-saved",
        key: String::new(),
        value: String::new(),
        life: None,
        version: 0,
    };
    // The second one finds that the first one was there before it.
    Changes::new().put_private_state(&row).put_private_state(&row)
}
