//! Account numbers, and numbers that look random but come out the same for the same text.

use aws_lc_rs::hmac;
use gateway::domain::{AccountNumber, Iban, Tenant};

/// A sequence of numbers that a text determines: HMAC-SHA-256 of a counter, with the text as the key. Some of them go
/// out, in ids of transactions and account numbers, and others are what a customer logs in with, so nobody may find
/// one from another.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    key: hmac::Key,
    drawn: u64,
}

impl Sequence {
    /// The sequence of a text.
    pub(crate) fn of(text: &str) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()), drawn: 0 }
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.drawn += 1;
        let tag = hmac::sign(&self.key, &self.drawn.to_be_bytes());
        tag.as_ref().iter().take(8).fold(0, |number, octet| number << 8 | u64::from(*octet))
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high.saturating_sub(low)).unwrap_or(0) + 1;
        low + i64::try_from(self.next() % span).unwrap_or(0)
    }

    /// One of several.
    pub(crate) fn choose<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        let count = i64::try_from(from.len()).unwrap_or(1);
        &from[usize::try_from(self.between(0, count - 1)).unwrap_or(0)]
    }

    /// So many decimal digits, the first one not zero.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        let mut digits = self.between(1, 9).to_string();
        digits.extend((1..count).map(|_| char::from(b'0' + u8::try_from(self.next() % 10).unwrap_or(0))));
        digits
    }
}

/// The sandbox's own bank, which exists in no register.
const OWN: &str = "VSTB";

/// Its sort code.
const SORT_CODE: &str = "009900";

/// What Dutch account numbers begin with where an interface makes customers on demand: its clients look for it there.
const ON_DEMAND: &str = "BUNQ";

/// How numbers of the sandbox's own bank begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnCode {
    /// As those of most customers.
    Plain,
    /// As those of customers that an interface makes on demand. Outside of the Netherlands there is no difference.
    OnDemand,
}

/// An account number of the sandbox's own bank.
pub(crate) fn own_iban(tenant: &Tenant, code: OwnCode, numbers: &mut Sequence) -> Option<Iban> {
    let bank = match (code, tenant.country()) {
        (OwnCode::OnDemand, "NL") => ON_DEMAND,
        _ => OWN,
    };
    iban(tenant.country(), bank, numbers)
}

/// How a number of the sandbox's own bank begins.
pub(crate) fn own_code(iban: &Iban) -> OwnCode {
    if is_on_demand(iban) { OwnCode::OnDemand } else { OwnCode::Plain }
}

fn is_on_demand(iban: &Iban) -> bool {
    iban.as_str().starts_with("NL") && iban.as_str()[4..].starts_with(ON_DEMAND)
}

/// An account number at some other bank that does not exist.
pub(crate) fn foreign_iban(country: &str, name: &str) -> Option<Iban> {
    iban(country, "XMPL", &mut Sequence::of(name))
}

/// The number under which an account is found. The sandbox has one bank code, with one sort code in Britain.
pub(crate) fn iban_of(number: &AccountNumber) -> Option<Iban> {
    match number {
        AccountNumber::Iban(iban) => Some(iban.clone()),
        AccountNumber::British { sort_code, account_number } if sort_code == SORT_CODE => {
            Iban::from_account_number("GB", &format!("{OWN}{sort_code}{account_number}"))
        }
        AccountNumber::British { .. } => None,
    }
}

/// Whether a number is one of the sandbox's own bank.
pub(crate) fn is_own(iban: &Iban) -> bool {
    let code = bank_code(&iban.as_str()[..2], OWN);
    iban.as_str()[4..].starts_with(code) || is_on_demand(iban)
}

/// What stands for a bank at the beginning of a country's account numbers.
fn bank_code<'b>(country: &str, bank: &'b str) -> &'b str {
    match (country, bank == OWN) {
        ("BE", true) => "999",
        ("BE", false) => "998",
        ("DE", true) => "99999999",
        ("DE", false) => "99999998",
        _ => bank,
    }
}

fn iban(country: &str, bank: &str, numbers: &mut Sequence) -> Option<Iban> {
    let account = numbers.digits(10);
    let bank = bank_code(country, bank);
    let number = match country {
        "BE" => {
            // Three digits of the bank, seven of the account, and two that check them.
            let first = format!("{bank}{}", &account[..7]);
            let check = first.parse::<u64>().ok()? % 97;
            format!("{first}{:02}", if check == 0 { 97 } else { check })
        }
        "GB" => format!("{bank}{SORT_CODE}{}", &account[..8]),
        _ => format!("{bank}{account}"),
    };
    Iban::from_account_number(country, &number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_gives_the_same_numbers() {
        let draw = |text: &str| {
            let mut numbers = Sequence::of(text);
            [numbers.next(), numbers.next()]
        };
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
        let mut numbers = Sequence::of("x");
        assert!((0..1000).all(|_| (3..=5).contains(&numbers.between(3, 5))));
        let mut each = std::collections::BTreeSet::new();
        assert!((0..1000).all(|_| each.insert(numbers.next())));
        assert_eq!(numbers.digits(10).len(), 10);
    }

    #[test]
    fn every_country_has_valid_numbers() {
        for tenant in ["nl", "be_fr", "uk", "de"] {
            let tenant = Tenant::parse(tenant).unwrap();
            let mut numbers = Sequence::of("x");
            for _ in 0..50 {
                for code in [OwnCode::Plain, OwnCode::OnDemand] {
                    let iban = own_iban(&tenant, code, &mut numbers).unwrap();
                    assert!(iban.as_str().starts_with(tenant.country()) && is_own(&iban));
                    let expected = if tenant.country() == "NL" { code } else { OwnCode::Plain };
                    assert_eq!(own_code(&iban), expected);
                }
            }
            assert!(!is_own(&foreign_iban(tenant.country(), "Shop").unwrap()));
        }
    }
}
