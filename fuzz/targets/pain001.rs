//! Bulk payments in XML, as anyone may send them.
#![no_main]

use berlin_group::wire::pain001::Initiation;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(initiation) = Initiation::read(octets) else { return };
    assert!(!initiation.payments.is_empty());
    for payment in &initiation.payments {
        assert!(payment.debtor.path.starts_with("CstmrCdtTrfInitn/PmtInf["));
        assert!(!payment.transfers.is_empty());
    }
    assert_eq!(Initiation::read(octets), Ok(initiation));
});
