//! A way to a bank on which answers to some requests get lost.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::third_party::Setting;
use crate::vestibule;

/// An answer of bunq that says that the bank is not available, whatever became of the request.
const UNAVAILABLE: &str = concat!(
    "HTTP/1.1 491 Unavailable\r\nContent-Type: application/json\r\nContent-Length: 61\r\nConnection: close\r\n\r\n",
    r#"{"Error":[{"error_description":"Please try again later."}]}  "#
);

/// What gets lost, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The answer: the connection ends in its place.
    Cut,
    /// The answer: nothing comes in its place.
    Silence,
    /// The request: the bank never gets it, and the connection ends.
    Request,
    /// The answer: in its place comes what bunq says when it is not available.
    Unavailable,
    /// The answer: in its place comes what was answered to the first such request.
    Stale,
}

/// A way to a bank on which answers to some requests get lost, once the bank did what it was asked for.
pub(crate) struct LossyWay {
    pub(crate) url: String,
    /// Id of each such request.
    ids: Arc<Mutex<Vec<String>>>,
    /// How many answers got lost.
    lost: Arc<Mutex<usize>>,
    losses: Arc<Mutex<Losses>>,
    /// The answer to the first such request.
    first: Arc<Mutex<Vec<u8>>>,
}

/// Which answers get lost, and how many of them are left to lose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Losses {
    /// Method of the request.
    pub(crate) method: &'static str,
    /// Part of its path.
    pub(crate) path: &'static str,
    pub(crate) count: usize,
    pub(crate) loss: Loss,
}

impl Losses {
    /// The first answers to requests of this method about payments in the Berlin Group dialect.
    pub(crate) fn of_payments(method: &'static str, count: usize) -> Self {
        Self { method, path: "/xs2a-bg/nl/v1/payments/", count, loss: Loss::Cut }
    }
}

impl LossyWay {
    pub(crate) fn to(bank: &str, losses: Losses) -> Self {
        let bank = bank.split("://").nth(1).unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let losses = Arc::new(Mutex::new(losses));
        let way = Self { url, ids: Arc::default(), lost: Arc::default(), losses, first: Arc::default() };
        let (ids, lost, losses) = (Arc::clone(&way.ids), Arc::clone(&way.lost), Arc::clone(&way.losses));
        let first = Arc::clone(&way.first);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, bank) = (client.unwrap(), TcpStream::connect(&bank).unwrap());
                let (ids, losses) = (Arc::clone(&ids), Arc::clone(&losses));
                let answers = (Arc::clone(&lost), Arc::clone(&first));
                std::thread::spawn(move || carry(client, bank, &ids, answers, &losses));
            }
        });
        way
    }

    /// Loses other answers from now on.
    pub(crate) fn lose(&self, losses: Losses) {
        *self.losses.lock().unwrap() = losses;
    }

    /// Begins anew to note such requests.
    pub(crate) fn forget(&self) {
        self.ids.lock().unwrap().clear();
        self.first.lock().unwrap().clear();
    }

    /// What leads `vestibule tpp` to the bank on this way.
    pub(crate) fn arguments(&self, setting: &Setting) -> Vec<String> {
        let management = setting.bank.url("management");
        ["--bank", &self.url, "--state", &setting.state, "--management", &management]
            .map(str::to_owned)
            .to_vec()
    }

    /// Runs `vestibule tpp` on this way.
    pub(crate) fn tpp(&self, setting: &Setting, arguments: &[&str]) -> (i32, String, String) {
        let to = self.arguments(setting);
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        vestibule(&[&["tpp"], arguments, &to].concat())
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.ids.lock().unwrap().clone()
    }

    /// Waits until so many answers got lost: the bank did what it was asked for.
    pub(crate) fn wait_for_losses(&self, count: usize) {
        while *self.lost.lock().unwrap() < count {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

/// Carries requests to the bank, and back those answers that do not get lost.
fn carry(
    mut client: TcpStream,
    mut bank: TcpStream,
    ids: &Mutex<Vec<String>>,
    (gone, first): (Arc<Mutex<usize>>, Arc<Mutex<Vec<u8>>>),
    losses: &Mutex<Losses>,
) {
    let lost: Arc<Mutex<Option<Loss>>> = Arc::default();
    let is_first: Arc<AtomicBool> = Arc::default();
    let (mut answers, mut back, losing, keeping) =
        (bank.try_clone().unwrap(), client.try_clone().unwrap(), Arc::clone(&lost), Arc::clone(&is_first));
    std::thread::spawn(move || {
        let mut octets = [0; 64 * 1024];
        while let Ok(count @ 1..) = answers.read(&mut octets) {
            let loss = *losing.lock().unwrap();
            if let Some(loss) = loss {
                *gone.lock().unwrap() += 1;
                match loss {
                    Loss::Silence => return,
                    Loss::Unavailable => _ = back.write_all(UNAVAILABLE.as_bytes()),
                    Loss::Stale => _ = back.write_all(&first.lock().unwrap()),
                    Loss::Cut | Loss::Request => {}
                }
                break;
            }
            if keeping.load(Ordering::SeqCst) {
                first.lock().unwrap().extend(&octets[..count]);
            }
            if back.write_all(&octets[..count]).is_err() {
                break;
            }
        }
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut octets = [0; 64 * 1024];
    while let Ok(count @ 1..) = client.read(&mut octets) {
        let text = String::from_utf8_lossy(&octets[..count]);
        let line = text.lines().next().unwrap_or_default();
        let mut losses = losses.lock().unwrap();
        if line.starts_with(losses.method) && line.contains(losses.path) {
            let id = text.lines().find_map(|line| {
                line.strip_prefix("x-request-id: ").or(line.strip_prefix("x-bunq-client-request-id: "))
            });
            let mut ids = ids.lock().unwrap();
            ids.push(id.unwrap_or_default().to_owned());
            is_first.store(ids.len() == 1, Ordering::SeqCst);
            let is_lost = losses.count > 0 && (losses.loss != Loss::Stale || ids.len() > 1);
            drop(ids);
            losses.count = losses.count.saturating_sub(1);
            *lost.lock().unwrap() = is_lost.then_some(losses.loss);
            if is_lost && losses.loss == Loss::Request {
                let _ = client.shutdown(Shutdown::Both);
                break;
            }
        } else {
            is_first.store(false, Ordering::SeqCst);
        }
        drop(losses);
        if bank.write_all(&octets[..count]).is_err() {
            break;
        }
    }
    let _ = bank.shutdown(Shutdown::Write);
}
