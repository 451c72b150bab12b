//! RSA keys for everything that a test program starts: making one takes as long as many calls.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Once, OnceLock};

use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};

/// So many different keys has a test program; each is made when it is drawn first. No test draws as many by itself, so that
/// those of one test differ.
const KEYS: usize = 48;

/// From now on, banks and third parties of this process have keys out of these.
pub(crate) fn draw() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| eidas::issue::draw_rsa_keys_from(next));
}

fn next() -> String {
    static MADE: [OnceLock<String>; KEYS] = [const { OnceLock::new() }; KEYS];
    static DRAWN: AtomicUsize = AtomicUsize::new(0);
    let place = DRAWN.fetch_add(1, Ordering::Relaxed) % KEYS;
    let make = || KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap().serialize_pem();
    MADE[place].get_or_init(make).clone()
}
