//! The vectors of the interface descriptions, which assume a whole bank: certificates and message signatures, right and
//! wrong. They are not part of the repository; `VESTIBULE_SPEC_DIR` says where they lie.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod certificates;
mod signatures;

use serde_json::Value;

fn vectors() -> Option<Value> {
    let file = testkit::specification("data/signature-vectors.json")?;
    Some(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
}
