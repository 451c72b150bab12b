//! What a third party reads does not tell what a customer logs in with.

use testkit::{TestServer, detailed};

/// Numbers that follow from each other, as account data were once made of (SplitMix64): any of them tells all others.
struct Linked(u64);

impl Linked {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    /// Where a sequence stood when it gave a number.
    fn that_gave(number: u64) -> Self {
        let mut mixed = number;
        mixed ^= (mixed >> 31) ^ (mixed >> 62);
        mixed = mixed.wrapping_mul(0x3196_42b2_d24d_8ec3);
        mixed ^= (mixed >> 27) ^ (mixed >> 54);
        mixed = mixed.wrapping_mul(0x96de_1b17_3f11_9089);
        mixed ^= (mixed >> 30) ^ (mixed >> 60);
        Self(mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of ten digits that begins with the next one.
    fn digits(mut self) -> String {
        let first = 1 + self.next() % 9;
        std::iter::once(first)
            .chain((1..10).map(|_| self.next() % 10))
            .map(|digit| digit.to_string())
            .collect()
    }
}

#[test]
fn the_attack_is_one() {
    let mut sequence = Linked(42);
    let secret = Linked(42).digits();
    let told = (0..10).map(|_| sequence.next()).last().unwrap();
    let back = Linked::that_gave(told).0.wrapping_sub(Linked::STEP.wrapping_mul(10));
    assert_eq!(Linked(back).digits(), secret);
}

#[tokio::test]
async fn ids_of_transactions_do_not_tell_the_digipass_number() {
    for seed in [None, Some(7)] {
        let server = TestServer::with(|config| config.seed = seed).await;
        let tpp = server.registered("nl", "PSDNL-DNB-R000000").await;
        let customer = server.customer("nl", "student").await;
        let iban = customer["iban"].as_str().unwrap();
        let secret = customer["digipassNumber"].as_str().unwrap();
        let consent = tpp.valid(&server, &detailed(iban, true), iban).await;
        let accounts = server.send(&tpp.attended("/v1/accounts", &consent)).await.json();
        let id = accounts["accounts"][0]["resourceId"].as_str().unwrap();
        let path = format!("/v1/accounts/{id}/transactions?bookingStatus=booked");
        let read = server.send(&tpp.attended(&path, &consent)).await.json();
        let booked = read["transactions"]["booked"].as_array().unwrap();
        assert!(!booked.is_empty());
        for transaction in booked.iter().take(5) {
            let id = transaction["transactionId"].as_str().unwrap();
            let told = u64::from_str_radix(&id[..16], 16).unwrap();
            let at = Linked::that_gave(told).0;
            let before = |steps: u64| Linked(at.wrapping_sub(Linked::STEP.wrapping_mul(steps)));
            assert!((0..20_000).all(|steps| before(steps).digits() != secret), "{id} tells {secret}");
        }
    }
}
