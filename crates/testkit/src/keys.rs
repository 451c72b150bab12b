//! RSA keys for everything that a test program starts: making one takes as long as many calls, so that those which are drawn
//! are kept in the build's folder for the test programs that follow.

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Once, OnceLock};

use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};

/// So many different keys has a test program for each of the two sides; each is made when it is drawn first in this
/// checkout. No test draws as many by itself.
const KEYS: usize = 48;

type Keys = [OnceLock<String>; KEYS];

/// From now on, banks and third parties of this process have keys out of these.
pub(crate) fn draw() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| eidas::issue::draw_rsa_keys_from(next));
}

/// The next key. What a test draws itself, in its own thread, is counted for that thread, so that its keys differ whatever
/// other tests draw meanwhile; the threads of runtimes, which make the keys of servers, count together.
fn next() -> String {
    static OF_TESTS: Keys = [const { OnceLock::new() }; KEYS];
    static OF_RUNTIMES: Keys = [const { OnceLock::new() }; KEYS];
    static BY_RUNTIMES: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static BY_TEST: Cell<usize> = const { Cell::new(0) });
    let is_of_runtime = std::thread::current().name().is_none_or(|name| name.starts_with("tokio"));
    let (side, keys, drawn) = if is_of_runtime {
        ("runtime", &OF_RUNTIMES, BY_RUNTIMES.fetch_add(1, Ordering::Relaxed))
    } else {
        ("test", &OF_TESTS, BY_TEST.replace(BY_TEST.get() + 1))
    };
    let number = drawn % KEYS;
    keys[number].get_or_init(|| kept(&format!("{side}-{number}.pem"))).clone()
}

/// The key that an earlier test program left under this name, or a new one, left for later ones. Programs that make it at
/// the same time each go on with their own.
fn kept(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-keys");
    if let Ok(key) = std::fs::read_to_string(folder.join(name)) {
        return key;
    }
    let key = make().serialize_pem();
    let unfinished = folder.join(format!("{name}.{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(&unfinished, &key).unwrap();
    std::fs::rename(unfinished, folder.join(name)).unwrap();
    key
}

/// A key that is none of those that are drawn.
pub(crate) fn make() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
}
