//! Randomness. The only place that draws from the system's generator.
//!
//! Ids and numbers can be repeated by a seed that a user gives, so that a test sees the same ones in each run; without
//! one they come from the system like everything else. Secrets are never repeated: a token that anyone can compute is
//! no token. What follows from a seed is keyed with it, so that an id which goes out does not tell the seed.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::pbkdf2;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::{Builder, Uuid};

/// Rounds of PBKDF2 from a seed to its key: some ten milliseconds, which whoever tries seeds pays for each of them.
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(49_999);

/// The source of ids and secrets.
#[derive(Debug)]
pub struct Randomness {
    seed: Option<Seed>,
}

#[derive(Debug)]
struct Seed {
    /// Made of the user's seed.
    key: hmac::Key,
    /// How many times the bank was started with its data: a second start must not repeat the ids of the first.
    start: u64,
    drawn: AtomicU64,
}

impl Randomness {
    /// Everything from the system's generator.
    pub fn from_system() -> Self {
        Self { seed: None }
    }

    /// Ids from a seed, for the `start`-th start of a bank; secrets from the system's generator all the same.
    pub fn from_seed(number: u64, start: u64) -> Self {
        let mut key = [0; 32];
        let salt = b"vestibule seed";
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, &number.to_be_bytes(), &mut key);
        let key = hmac::Key::new(HMAC_SHA256, &key);
        Self { seed: Some(Seed { key, start, drawn: AtomicU64::new(0) }) }
    }

    /// A fresh id in lower case: a version 7 UUID (RFC 9562, 5.7), so that what is made at the same time lies together in
    /// the database and a batch of writes touches few of its pages. With a seed, a version 4 UUID that follows from it.
    pub fn id(&self) -> String {
        self.octets("id").map_or_else(ordered_id, uuid_from).to_string()
    }

    /// A number with so many digits, for a person to type; from the system's generator.
    pub fn digits(&self, count: usize) -> String {
        let octets = system_octets::<32>();
        octets.iter().cycle().take(count).map(|octet| char::from(b'0' + octet % 10)).collect()
    }

    /// A text that a seed gives again for the same label, in each start; from the system's generator without a
    /// seed.
    pub fn derived(&self, label: &str) -> String {
        let Some(seed) = &self.seed else { return self.secret() };
        let mut context = hmac::Context::with_key(&seed.key);
        context.update(b"derived ");
        context.update(label.as_bytes());
        URL_SAFE_NO_PAD.encode(context.sign())
    }

    /// Sixteen octets for a name or serial number, repeatable as ids are.
    pub fn name_octets(&self) -> [u8; 16] {
        self.octets("name").unwrap_or_else(system_octets)
    }

    /// A secret of 256 random bits in base64url: 43 characters of `0-9a-zA-Z_-`.
    pub fn secret(&self) -> String {
        URL_SAFE_NO_PAD.encode(system_octets::<32>())
    }

    /// A secret of 256 random bits in lower-case hexadecimal: 64 digits.
    pub fn hex_secret(&self) -> String {
        crate::secrets::hex(&system_octets::<32>())
    }

    /// A secret in the form of a UUID, with 122 random bits.
    pub fn secret_uuid(&self) -> String {
        Uuid::from_bytes(self.uuid_octets()).to_string()
    }

    fn uuid_octets(&self) -> [u8; 16] {
        uuid_from(system_octets()).into_bytes()
    }

    fn octets(&self, purpose: &str) -> Option<[u8; 16]> {
        let seed = self.seed.as_ref()?;
        let mut context = hmac::Context::with_key(&seed.key);
        context.update(purpose.as_bytes());
        for number in [seed.start, seed.drawn.fetch_add(1, Ordering::Relaxed)] {
            context.update(&number.to_be_bytes());
        }
        let mut octets = [0; 16];
        octets.copy_from_slice(&context.sign().as_ref()[..16]);
        Some(octets)
    }
}

/// A random time up to so many milliseconds, so that those who waited for the same thing do not come at once.
pub(crate) fn pause(longest: u64) -> std::time::Duration {
    let drawn = u64::from_be_bytes(system_octets());
    std::time::Duration::from_micros(drawn % (longest.saturating_mul(1000) + 1))
}

/// A version 7 UUID of now, with 74 random bits.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing is decided by an id's time, which orders ids on disk alone"
)]
fn ordered_id() -> Uuid {
    let millis =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
    Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or(u64::MAX), &system_octets())
        .into_uuid()
}

fn uuid_from(octets: [u8; 16]) -> Uuid {
    Builder::from_random_bytes(octets).into_uuid()
}

/// # Panics
/// If the system has no randomness left, in which case nothing here is safe to do.
#[expect(clippy::disallowed_methods, reason = "this is the one place that draws from the system's generator")]
#[expect(clippy::expect_used, reason = "a bank without randomness must stop")]
fn system_octets<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    aws_lc_rs::rand::fill(&mut octets).expect("the system's random generator works");
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_ids_but_not_across_starts_and_never_secrets() {
        let draw = |start| {
            let source = Randomness::from_seed(7, start);
            [source.id(), source.id()]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_ne!(draw(1)[0], draw(1)[1]);
        assert!(Uuid::parse_str(&draw(1)[0]).is_ok_and(|id| id.get_version_num() == 4));
        let (one, other) = (Randomness::from_seed(7, 1), Randomness::from_seed(7, 1));
        assert_ne!(one.secret(), other.secret());
        assert_ne!(one.secret_uuid(), other.secret_uuid());
        let ids: Vec<String> = (0..3).map(|_| Randomness::from_system().id()).collect();
        assert_ne!(ids[0], ids[1]);
        for id in &ids {
            assert!(Uuid::parse_str(id).is_ok_and(|id| id.get_version_num() == 7));
            assert_eq!(id[..4], ids[0][..4], "what is made at the same time begins alike");
        }
    }

    #[test]
    fn ids_are_keyed_and_without_a_seed_nothing_is_repeated() {
        // What ids were once: a plain hash of the seed and two counters.
        let mut plain = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        plain.update(b"id");
        for number in [7_u64, 1, 0] {
            plain.update(&number.to_be_bytes());
        }
        let mut octets = [0; 16];
        octets.copy_from_slice(&plain.finish().as_ref()[..16]);
        assert_ne!(Randomness::from_seed(7, 1).id(), uuid_from(octets).to_string());
        let (one, other) = (Randomness::from_seed(7, 1), Randomness::from_seed(7, 2));
        assert_eq!(one.derived("a"), other.derived("a"), "labels are the same in each start");
        assert_ne!(one.derived("a"), one.derived("b"));
        assert_ne!(one.derived("a"), Randomness::from_seed(8, 1).derived("a"));
        let system = Randomness::from_system();
        assert_ne!(system.derived("a"), system.derived("a"));
        assert_ne!(system.name_octets(), system.name_octets());
    }

    #[test]
    fn secrets_have_the_form_that_clients_check() {
        let secret = Randomness::from_system().secret();
        assert_eq!(secret.len(), 43);
        assert!(secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
    }
}
