//! Amounts of money: whole minor units of a currency (ISO 4217), never floating point.

pub use iso_currency::Currency;
use serde::{Deserialize, Serialize};

/// An amount, signed, in minor units: 1250 of EUR are 12.50 euro, 1250 of JPY are 1250 yen.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredMoney", into = "StoredMoney")]
pub struct Money {
    /// How many minor units.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// As it is stored: minor units and the currency's code.
#[derive(Serialize, Deserialize)]
struct StoredMoney(i64, String);

impl From<Money> for StoredMoney {
    fn from(money: Money) -> Self {
        Self(money.minor, money.currency.code().to_owned())
    }
}

impl TryFrom<StoredMoney> for Money {
    type Error = &'static str;

    fn try_from(StoredMoney(minor, code): StoredMoney) -> Result<Self, &'static str> {
        Ok(Self { minor, currency: Currency::from_code(&code).ok_or("unknown currency")? })
    }
}

/// A text is no amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an amount in {} is a decimal number of up to 14 digits with {}, for example {}",
    .0.code(),
    places(*.0),
    Money { minor: 1250, currency: *.0 }.to_decimal()
)]
pub struct AmountError(Currency);

/// How many decimal places a currency has, for texts.
fn places(currency: Currency) -> String {
    match fraction_digits(currency) {
        0 => "no fraction digits".to_owned(),
        2 => "at most two places".to_owned(),
        3 => "at most three places".to_owned(),
        digits => format!("at most {digits} places"),
    }
}

impl Money {
    /// Reads a decimal text, for example `-12.50`, in the grammar of the Berlin Group: up to 14 digits, a dot,
    /// no more fraction digits than the currency has.
    ///
    /// # Errors
    /// [`AmountError`]
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(AmountError(currency)),
            Some(parts) => parts,
            None => (digits, ""),
        };
        let places = fraction_digits(currency);
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !(1..=14).contains(&whole.len())
            || fraction.len() > places
            || !all_digits(whole)
            || !all_digits(fraction)
        {
            return Err(AmountError(currency));
        }
        let minor: i64 = format!("{whole}{fraction:0<places$}").parse().map_err(|_| AmountError(currency))?;
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    /// The decimal text, with all fraction digits of the currency.
    pub fn to_decimal(self) -> String {
        let places = fraction_digits(self.currency);
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// The amount without its sign.
    pub fn abs(self) -> Self {
        Self { minor: self.minor.saturating_abs(), ..self }
    }
}

/// Amounts are the customer's business: a log that prints one by mistake shows the currency alone.
impl std::fmt::Debug for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Money(… {})", self.currency.code())
    }
}

fn fraction_digits(currency: Currency) -> usize {
    currency.exponent().map_or(2, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_the_fraction_digits_of_the_currency() {
        for (text, currency, minor) in [
            ("12.50", Currency::EUR, 1250),
            ("-0.05", Currency::EUR, -5),
            ("0.00", Currency::GBP, 0),
            ("1250", Currency::JPY, 1250),
            ("1.250", Currency::KWD, 1250),
            ("99999999999999.99", Currency::EUR, 9_999_999_999_999_999),
        ] {
            let money = Money { minor, currency };
            assert_eq!(money.to_decimal(), text);
            assert_eq!(Money::parse(text, currency), Ok(money));
        }
        assert_eq!(Money::parse("7", Currency::EUR), Ok(Money { minor: 700, currency: Currency::EUR }));
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for wrong in ["", "-", ".5", "5.", "1,50", "1.234", "+1", "1e3", " 1", "123456789012345", "٣"] {
            assert_eq!(Money::parse(wrong, Currency::EUR), Err(AmountError(Currency::EUR)), "{wrong}");
        }
        assert!(Money::parse("1.00", Currency::JPY).is_err());
    }

    #[test]
    fn what_is_said_is_true_of_the_currency() {
        for (currency, said) in [
            (
                Currency::EUR,
                "an amount in EUR is a decimal number of up to 14 digits with at most two places, for example 12.50",
            ),
            (
                Currency::JPY,
                "an amount in JPY is a decimal number of up to 14 digits with no fraction digits, for example 1250",
            ),
            (
                Currency::KWD,
                "an amount in KWD is a decimal number of up to 14 digits with at most three places, for example 1.250",
            ),
        ] {
            assert_eq!(Money::parse("x", currency).unwrap_err().to_string(), said);
        }
    }
}
