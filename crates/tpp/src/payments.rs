//! What a third party asks to be paid, and what becomes of it.

use std::time::Duration;

use serde::Serialize;

use crate::kept_approvals::Matter;
use crate::kept_payments::KeptPayment;
use crate::{Error, ThirdParty};

/// Who is to be paid, how much, and what for.
#[derive(Debug, Clone)]
pub struct Order {
    /// Account of the payee: an IBAN, or where the interface has others a British account as `SORTCODE/NUMBER`, or the
    /// number of one in a country without IBANs.
    pub to: String,
    /// Name of the payee.
    pub name: String,
    /// A decimal text, for example `12.50`.
    pub amount: String,
    /// What it is for; empty for nothing.
    pub description: String,
}

/// What is asked to be paid, from where, and when.
#[derive(Debug, Clone)]
pub struct PaymentWish {
    /// Account that pays, written as that of a payee; the customer chooses it if it is absent.
    pub from: Option<String>,
    /// What is paid.
    pub paid: Paid,
    /// Whether it is another payment, whatever became of the same request that no answer came to before.
    pub anew: bool,
}

impl PaymentWish {
    /// The account that pays, if it is named, without what people put in between.
    pub fn debtor(&self) -> Option<String> {
        let number = match &self.paid {
            Paid::Single(_) => self.from.as_ref(),
            Paid::Bulk(file) => file.debtor.as_ref(),
        };
        number.map(|number| compact(number))
    }
}

/// The number of an account without what people put in between.
pub(crate) fn compact(number: &str) -> String {
    number.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase()
}

/// What a payment is made of.
#[derive(Debug, Clone)]
pub enum Paid {
    /// One transfer, which may be repeated.
    Single(Box<Single>),
    /// The transfers of a file.
    Bulk(Box<BulkFile>),
}

/// One transfer, and how and when it is made.
#[derive(Debug, Clone)]
pub struct Single {
    /// Whom, how much, what for.
    pub order: Order,
    /// Currency (ISO 4217); that of the product if absent.
    pub currency: Option<String>,
    /// The payer's own reference.
    pub end_to_end_id: Option<String>,
    /// How it is paid; found by the payee's account and the currency if absent.
    pub product: Option<Product>,
    /// The day, `YYYY-MM-DD`; at once if absent.
    pub on: Option<String>,
    /// How it is repeated.
    pub repeated: Option<Repetition>,
    /// What a payee in another country needs.
    pub abroad: Abroad,
}

impl Single {
    /// One transfer at once, and nothing more about it.
    pub fn of(order: Order) -> Self {
        Self {
            order,
            currency: None,
            end_to_end_id: None,
            product: None,
            on: None,
            repeated: None,
            abroad: Abroad::default(),
        }
    }
}

/// How a payment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// Euros in the single euro payments area.
    Sepa,
    /// Pounds in the United Kingdom.
    Uk,
    /// Anything else.
    CrossBorder,
}

impl Product {
    /// As interfaces name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sepa => "sepa-credit-transfers",
            Self::Uk => "uk-domestic-transfers",
            Self::CrossBorder => "cross-border-credit-transfers",
        }
    }
}

/// How a payment is repeated, in the words of NextGenPSD2.
#[derive(Debug, Clone, Default)]
pub struct Repetition {
    /// `Monthly`, for example.
    pub frequency: String,
    /// Last day, `YYYY-MM-DD`.
    pub until: Option<String>,
    /// `following` or `preceding`: the business day to take in place of one that is none.
    pub execution_rule: Option<String>,
    /// Day of the month, `1` to `31`.
    pub day: Option<String>,
    /// Months, `1` to `12`, for a frequency of `MonthlyVariable`.
    pub months: Vec<String>,
}

/// What a payee in another country needs.
#[derive(Debug, Clone, Default)]
pub struct Abroad {
    /// The payee's bank (BIC).
    pub agent: Option<String>,
    /// Who bears the charges (ISO 20022), for example `SHAR`.
    pub charge_bearer: Option<String>,
    /// Street where the payee lives.
    pub street: Option<String>,
    /// Number in the street.
    pub building: Option<String>,
    /// Town.
    pub town: Option<String>,
    /// Postal code.
    pub post_code: Option<String>,
    /// Country (ISO 3166-1).
    pub country: Option<String>,
}

impl Abroad {
    /// Whether there is anything of it.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { agent, charge_bearer, street, building, town, post_code, country } = self;
        [agent, charge_bearer, street, building, town, post_code, country].iter().all(|it| it.is_none())
    }
}

/// A file with many transfers, as it is sent.
#[derive(Debug, Clone)]
pub struct BulkFile {
    /// Its octets.
    pub content: Vec<u8>,
    /// `application/xml` or `application/json`.
    pub content_type: &'static str,
    /// What is in it, for people.
    pub summary: String,
    /// The account that pays, if the file says so.
    pub debtor: Option<String>,
}

/// A payment that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The payment.
    pub payment: KeptPayment,
    /// Whether it is that of the same request before, of which nobody was told what became of it.
    pub is_known: bool,
}

/// What a payment is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentStatus {
    /// Its id.
    #[serde(skip)]
    pub id: String,
    /// Its status in the words of the interface.
    pub status: String,
    /// Whether the money is there, if the bank looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funds_available: Option<bool>,
    /// Why the bank refused it, in its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether that is how it stays until somebody does something or a day comes.
    #[serde(skip)]
    pub rests: bool,
}

/// A payment as the bank has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentDetails {
    /// Its status in the words of the interface.
    pub status: String,
    /// Why the bank refused it, in its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// What was asked for, as it is kept here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// The account that pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debtor: Option<String>,
    /// Its holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debtor_name: Option<String>,
    /// Account of the payee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creditor: Option<String>,
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
}

/// What taking a payment back led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancellation {
    /// It is taken back.
    Done(PaymentStatus),
    /// The customer has to approve that it is.
    Approve(Matter),
}

/// Pauses between questions about a payment; the last one repeats.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// Pauses that last as long as this together.
fn pauses(patience: Duration) -> impl Iterator<Item = Duration> {
    let last = PAUSES[PAUSES.len() - 1];
    let all = PAUSES.into_iter().chain(std::iter::repeat(last));
    all.scan(patience, |left, pause| {
        let pause = pause.min(*left);
        *left -= pause;
        (!pause.is_zero()).then_some(pause)
    })
}

/// Asks for the status of a payment until it rests, with pauses of `patience` together. `seen` is told of each status that
/// is new. What is returned is the last one, whether it rests or not.
///
/// # Errors
/// [`Error`]
pub async fn follow<C: ThirdParty>(
    client: &mut C,
    id: Option<&str>,
    patience: Duration,
    mut seen: impl FnMut(&PaymentStatus),
) -> Result<PaymentStatus, Error> {
    let mut now = client.payment_status(id).await?;
    seen(&now);
    // The newest could be another one by then.
    let id = now.id.clone();
    for pause in pauses(patience) {
        if now.rests {
            break;
        }
        tokio::time::sleep(pause).await;
        let next = client.payment_status(Some(&id)).await?;
        if next.status != now.status {
            seen(&next);
        }
        now = next;
    }
    Ok(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let all = |seconds| pauses(Duration::from_secs(seconds)).collect::<Vec<_>>();
        assert_eq!(all(0), Vec::<Duration>::new());
        assert_eq!(all(1), [250, 500, 250].map(Duration::from_millis));
        let long = all(60);
        assert_eq!(long.iter().sum::<Duration>(), Duration::from_secs(60));
        assert!(long.len() < 20 && long.is_sorted_by(|a, b| a <= b || b == long.last().unwrap()));
    }
}
