//! Payees whose payments come to an end that whoever tests chooses, by the amount.
//!
//! Only a payee of one name is magic, so that no other payment is ever hit by its amount.

use gateway::domain::{RejectReason, Transfer};

/// The name of the payee, in capitals or not.
pub(crate) const PAYEE: &str = "Vestibule Magic";

/// What becomes of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The bank does not take it.
    Declined(RejectReason),
    /// The bank takes it, and does not make it when its time comes.
    Rejected(RejectReason),
    /// It goes through every status on its way, one a minute.
    Slow,
    /// It is accepted with a change, and made a minute later.
    Changed,
    /// It stays in settlement until somebody forces it.
    Stuck,
}

/// What becomes of a transfer by its payee and the last two digits of its amount in minor units; absent for any that
/// is not magic.
pub(crate) fn outcome(transfer: &Transfer) -> Option<Outcome> {
    if !transfer.creditor.name.as_deref()?.trim().eq_ignore_ascii_case(PAYEE) {
        return None;
    }
    let digits = usize::try_from(transfer.amount.minor % 100).ok()?;
    let reason = |first: usize| {
        let place = digits.checked_sub(first)?;
        RejectReason::CODES.get(place).map(|(reason, _)| *reason)
    };
    match digits {
        1..=9 => reason(1).map(Outcome::Declined),
        11..=19 => reason(11).map(Outcome::Rejected),
        20 => Some(Outcome::Slow),
        21 => Some(Outcome::Changed),
        22 => Some(Outcome::Stuck),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use gateway::domain::{Counterparty, Currency, Money};

    use super::*;

    fn to(name: &str, minor: i64) -> Option<Outcome> {
        outcome(&Transfer {
            creditor: Counterparty { name: Some(name.to_owned()), iban: None },
            amount: Money { minor, currency: Currency::EUR },
            remittance: None,
            end_to_end_id: None,
            routing: None,
        })
    }

    #[test]
    fn every_reason_has_its_amount_and_other_payees_none() {
        for (place, (reason, _)) in RejectReason::CODES.iter().enumerate() {
            let digits = i64::try_from(place).unwrap() + 1;
            assert_eq!(to("vestibule magic ", 1200 + digits), Some(Outcome::Declined(*reason)));
            assert_eq!(to(PAYEE, 10 + digits), Some(Outcome::Rejected(*reason)));
        }
        assert_eq!(
            RejectReason::CODES.len(),
            9,
            "another reason needs another amount, and a line in the documents"
        );
        assert_eq!(
            [to(PAYEE, 20), to(PAYEE, 121), to(PAYEE, 222)].map(Option::unwrap),
            [Outcome::Slow, Outcome::Changed, Outcome::Stuck]
        );
        for minor in 0..300 {
            assert_eq!(to("Vestibule Magician", minor), None);
        }
        assert_eq!([0, 10, 23, 99, 100].map(|minor| to(PAYEE, minor)), [None; 5]);
    }
}
