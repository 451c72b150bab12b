//! Dynamic linking: what a customer's answer is bound to when they approve payments (Delegated Regulation (EU) 2018/389,
//! Article 5).
//!
//! The bank's page shows amount and payee, or for several transfers their total and all payees (Article 5(3)(b)), and
//! beside them a challenge that is computed from them. The answer of the customer's device is given together with the
//! approval and is worth something for that challenge alone: another amount, another payee, another payment or another
//! day would have another challenge. The account that pays is not part of it, because the customer may choose it.
//!
//! All hashes are SHA-256. Each field is preceded by its length in octets, as four octets, most significant first.
//!
//! ```text
//! payees    = hash(for each transfer in order: amount, name of the payee, number of its account, BIC of its bank)
//! binding   = hash("dl1", id of the payment, service, product, when, number of transfers, total, currency, payees)
//! challenge = hash("dl1 challenge", nonce, for each payment in the order of its id: binding)
//! ```
//!
//! Amounts are in minor units, and numbers are decimal digits. Services and products are those of NextGenPSD2. `when` is
//! `at-once`, a day as in 2027-01-31, or for a periodic payment first day, last day, frequency, rule, day of the month
//! and months with slashes between them. What is absent is empty. What the customer types into the device are the
//! first eight octets of the last hash as a number, most significant first, modulo ten to the power of the number of digits, with all its digits.
//!
//! The nonce belongs to one visit of one customer and changes after each answer that led to nothing, so that no answer is
//! taken twice (Article 4(1)).

use aws_lc_rs::digest::{Context, SHA256};

use crate::{Execution, PayeeAccount, Payment, Repetition, Transfer};

/// The challenge of so many digits, 19 at most, under which a customer approves payments, all of them or none. Their
/// order does not matter.
pub fn challenge<'a>(payments: impl IntoIterator<Item = &'a Payment>, nonce: &str, digits: usize) -> String {
    let mut payments: Vec<&Payment> = payments.into_iter().collect();
    payments.sort_by_key(|payment| payment.id.as_str());
    let mut fields = Fields::new("dl1 challenge");
    fields.add(nonce);
    for payment in payments {
        fields.add(binding(payment));
    }
    let [a, b, c, d, e, f, g, h, ..] = fields.hash();
    let number = format!("{:020}", u64::from_be_bytes([a, b, c, d, e, f, g, h]));
    number[20 - digits.min(19)..].to_owned()
}

/// What the approval of a payment is bound to.
pub fn binding(payment: &Payment) -> [u8; 32] {
    let terms = &payment.terms;
    let total = payment.total();
    let mut fields = Fields::new("dl1");
    fields.add(payment.id.as_str());
    fields.add(terms.service.name());
    fields.add(terms.product.name());
    fields.add(when(&terms.execution));
    fields.add(payment.transfers.len().to_string());
    fields.add(total.map(|total| total.minor.to_string()).unwrap_or_default());
    fields.add(total.map(|total| total.currency.code()).unwrap_or_default());
    fields.add(payees(&payment.transfers));
    fields.hash()
}

/// All amounts with their payees.
fn payees(transfers: &[Transfer]) -> [u8; 32] {
    let mut fields = Fields(Context::new(&SHA256));
    for transfer in transfers {
        let agent = transfer.routing.as_ref().and_then(|routing| routing.agent.as_deref());
        fields.add(transfer.amount.minor.to_string());
        fields.add(transfer.creditor.name.as_deref().unwrap_or_default());
        fields.add(number(transfer));
        fields.add(agent.unwrap_or_default());
    }
    fields.hash()
}

/// The number of the payee's account: an IBAN, a sort code and number with a space between them, or as it was given.
fn number(transfer: &Transfer) -> String {
    let account = transfer.routing.as_ref().and_then(|routing| routing.account.as_ref());
    match (account, &transfer.creditor.iban) {
        (Some(PayeeAccount::British { sort_code, account_number }), _) => {
            format!("{sort_code} {account_number}")
        }
        (Some(PayeeAccount::Foreign(number)), _) => number.clone(),
        (None, Some(iban)) => iban.as_str().to_owned(),
        (None, None) => String::new(),
    }
}

fn when(execution: &Execution) -> String {
    match execution {
        Execution::AtOnce => "at-once".to_owned(),
        Execution::On(day) => day.to_string(),
        Execution::Repeated(Repetition { start, end, frequency, rule, day, months }) => {
            let end = end.map(|end| end.to_string()).unwrap_or_default();
            let rule = rule.map(|rule| rule.name()).unwrap_or_default();
            let day = day.map(|day| day.to_string()).unwrap_or_default();
            let months: Vec<String> = months.iter().map(i8::to_string).collect();
            format!("{start}/{end}/{}/{rule}/{day}/{}", frequency.name(), months.join(","))
        }
    }
}

/// A hash over fields that cannot run into each other.
struct Fields(Context);

impl Fields {
    fn new(what: &str) -> Self {
        let mut fields = Self(Context::new(&SHA256));
        fields.add(what);
        fields
    }

    fn add(&mut self, field: impl AsRef<[u8]>) {
        let field = field.as_ref();
        // No field comes near four gigabytes.
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        self.0.update(&length.to_be_bytes());
        self.0.update(field);
    }

    fn hash(self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.0.finish().as_ref());
        hash
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use jiff::Timestamp;

    use super::*;
    use crate::{
        Counterparty, Currency, ExecutionRule, Frequency, Iban, Interface, Money, PaymentDecision, PaymentId,
        PaymentProduct, PaymentService, PaymentTerms, Routing, Tenant, TppId,
    };

    fn transfer(minor: i64, name: &str) -> Transfer {
        Transfer {
            creditor: Counterparty {
                name: Some(name.to_owned()),
                iban: Some(Iban::parse("NL91ABNA0417164300").unwrap()),
            },
            amount: Money { minor, currency: Currency::EUR },
            remittance: Some("Order 7".to_owned()),
            end_to_end_id: None,
            routing: None,
        }
    }

    fn payment(transfers: Vec<Transfer>) -> Payment {
        Payment {
            id: PaymentId::new("2f3c9a52-7a4e-4c0e-9d6e-0a51b3a3c001"),
            tpp: Some(TppId::new("PSDNL-DNB-1")),
            tenant: Tenant::parse("nl").unwrap(),
            interface: Interface::BerlinGroup,
            terms: PaymentTerms::AT_ONCE,
            debtor: None,
            transfers,
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::MAX,
            decision: PaymentDecision::Pending,
            last_action_at: Timestamp::UNIX_EPOCH,
            version: 1,
        }
    }

    fn hex(octets: [u8; 32]) -> String {
        HEXLOWER.encode(&octets)
    }

    fn repeated() -> Payment {
        let execution = Execution::Repeated(Repetition {
            start: "2027-01-31".parse().unwrap(),
            end: None,
            frequency: Frequency::MonthlyVariable,
            rule: Some(ExecutionRule::Preceding),
            day: Some(31),
            months: vec![1, 7],
        });
        let service = PaymentService::Periodic;
        let terms = PaymentTerms { execution, service, ..PaymentTerms::AT_ONCE };
        Payment { terms, ..payment(vec![transfer(1250, "Shop")]) }
    }

    /// Computed with another implementation of SHA-256 (Python's), so that a bank can compare its own.
    #[test]
    fn vectors() {
        let single = payment(vec![transfer(1250, "Shop")]);
        let bulk = payment(vec![transfer(1250, "Shop"), transfer(1, "Bäckerei")]);
        for (payment, bound, challenged) in [
            (&single, "4fa3cbbe67e98ac6cc8d18bd4f9391a8d53603cdf6b42f44c3f826a5550f9094", "97605017"),
            (&bulk, "ae7322004221bf3002a7efee34988f0a0d92df6c57871b72a27722f0594d28b4", "03749293"),
            (&repeated(), "e5c9abc86613fc9467cead3c2b131365b4fde30ed1917808ab6e1cc6b44e4068", "64257052"),
        ] {
            assert_eq!(hex(binding(payment)), bound);
            assert_eq!(challenge([payment], "12345678901234567890", 8), challenged);
        }
        assert_eq!(when(&repeated().terms.execution), "2027-01-31//MonthlyVariable/preceding/31/1,7");
    }

    #[test]
    fn every_change_of_amount_payee_day_or_payment_is_another_challenge() {
        let one = payment(vec![transfer(1250, "Shop")]);
        let changed = |change: fn(&mut Payment)| {
            let mut other = one.clone();
            change(&mut other);
            other
        };
        let routed = |routing: fn(&mut Routing)| {
            let mut other = one.clone();
            let mut made = Routing::default();
            routing(&mut made);
            other.transfers[0].routing = Some(Box::new(made));
            other
        };
        let others = [
            changed(|other| other.id = PaymentId::new("x")),
            changed(|other| other.transfers[0].amount.minor += 1),
            changed(|other| other.transfers[0].amount.currency = Currency::GBP),
            changed(|other| other.transfers[0].creditor.name = Some("Shop ".to_owned())),
            changed(|other| other.transfers[0].creditor.iban = Iban::parse("DE89370400440532013000").ok()),
            changed(|other| other.transfers.push(other.transfers[0].clone())),
            changed(|other| other.terms.execution = Execution::On("2027-01-31".parse().unwrap())),
            changed(|other| other.terms.service = PaymentService::Bulk),
            changed(|other| other.terms.product = PaymentProduct::CrossBorderCreditTransfers),
            routed(|routing| routing.agent = Some("ABNANL2A".to_owned())),
            routed(|routing| routing.account = Some(PayeeAccount::Foreign("123".to_owned()))),
            repeated(),
        ];
        let mut bindings: Vec<_> = others.iter().chain([&one]).map(binding).collect();
        bindings.sort_unstable();
        bindings.dedup();
        assert_eq!(bindings.len(), others.len() + 1);
        assert_ne!(challenge([&one], "1", 8), challenge([&one], "2", 8));
        assert_ne!(challenge([&one], "1", 8), challenge([&one, &others[0]], "1", 8));
        assert_eq!(challenge([&others[0], &one], "1", 8), challenge([&one, &others[0]], "1", 8));
    }

    #[test]
    fn two_transfers_cannot_be_told_as_two_others() {
        let amounts = |first: i64, second: i64| payment(vec![transfer(first, "A"), transfer(second, "B")]);
        assert_ne!(binding(&amounts(100, 200)), binding(&amounts(200, 100)), "the total is the same");
        let names = |first: &str, second: &str| payment(vec![transfer(1, first), transfer(1, second)]);
        assert_ne!(binding(&names("AB", "C")), binding(&names("A", "BC")));
    }

    #[test]
    fn the_account_that_pays_may_be_another() {
        let one = payment(vec![transfer(1250, "Shop")]);
        let mut other = one.clone();
        other.debtor = Iban::parse("DE89370400440532013000").ok();
        assert_eq!(binding(&one), binding(&other));
    }
}
