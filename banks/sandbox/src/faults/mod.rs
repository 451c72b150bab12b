//! Faults on demand: what a client has to live with at real banks, at the moment at which a test wants it.
//!
//! They are a layer of their own in front of everything that the bank serves. While nothing is asked for, it costs one look at
//! a flag.

mod answers;
mod layer;
mod misbehaviour;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use edge::{Failing, FailingInterface, Failure};
use gateway::domain::TppId;
use serde::Serialize;

pub use layer::{FaultLayer, strike};

/// Most faults that wait at once.
pub(crate) const MAX_FAULTS: usize = 1000;

/// Longest pause that a fault makes, in seconds.
pub(crate) const MAX_SECONDS: u64 = 60;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 500.
    InternalError,
    /// 503.
    Unavailable,
    /// 429 with Retry-After.
    TooMany,
    /// The answer comes late.
    Latency,
    /// The connection is cut in the middle of the answer.
    Cut,
    /// The body of the answer trickles in.
    SlowBody,
    /// The signature of the answer does not fit.
    WrongSignature,
    /// As if the certificate had just expired.
    CertificateExpired,
    /// As if the consent were gone.
    ConsentVanished,
}

impl Kind {
    /// All of them, by name.
    pub(crate) const NAMES: [(&'static str, Self); 9] = [
        ("500", Self::InternalError),
        ("503", Self::Unavailable),
        ("429", Self::TooMany),
        ("latency", Self::Latency),
        ("cut", Self::Cut),
        ("slow-body", Self::SlowBody),
        ("wrong-signature", Self::WrongSignature),
        ("certificate-expired", Self::CertificateExpired),
        ("consent-vanished", Self::ConsentVanished),
    ];

    /// The kind with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| *name)
    }

    /// What it says in place of the bank; none if the bank says what it says.
    fn failure(self) -> Option<Failure> {
        match self {
            Self::InternalError => Some(Failure::Internal),
            Self::Unavailable => Some(Failure::Unavailable),
            Self::TooMany => Some(Failure::TooMany),
            Self::CertificateExpired => Some(Failure::CertificateExpired),
            Self::ConsentVanished => Some(Failure::ConsentUnknown),
            Self::Latency | Self::Cut | Self::SlowBody | Self::WrongSignature => None,
        }
    }

    /// Whether an interface can have it.
    pub(crate) fn can_be_at(self, interface: &FailingInterface) -> bool {
        let Failing { knows, signature, .. } = &interface.failing;
        match (self, self.failure()) {
            (Self::WrongSignature, _) => signature.is_some(),
            (Self::CertificateExpired | Self::ConsentVanished, Some(failure)) => knows.contains(&failure),
            _ => true,
        }
    }

    /// Whether it is for interfaces alone: what is no call of one cannot have it.
    fn is_of_interfaces(self) -> bool {
        matches!(self, Self::WrongSignature | Self::CertificateExpired | Self::ConsentVanished)
    }

    /// For how many seconds, unless it is said.
    pub(crate) fn default_seconds(self) -> Option<u64> {
        match self {
            Self::Unavailable | Self::TooMany => Some(1),
            Self::Latency | Self::SlowBody => Some(2),
            _ => None,
        }
    }
}

/// A fault that is asked for, and which calls it strikes.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) kind: Kind,
    pub(crate) third_party: Option<TppId>,
    /// The path; a star stands for anything.
    pub(crate) path: Option<String>,
    /// The name of the interface, if it is for one.
    pub(crate) interface: Option<&'static str>,
    /// How many calls it strikes; all of them until it is taken away if absent.
    pub(crate) next: Option<u64>,
    pub(crate) seconds: Option<u64>,
}

/// A fault as it stands.
#[derive(Debug, Clone)]
struct Standing {
    id: u64,
    wish: Wish,
    struck: u64,
}

/// A fault, for whoever asks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    id: String,
    fault: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    third_party: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<&'static str>,
    /// How many calls it still strikes.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
    struck: u64,
}

impl From<&Standing> for Shown {
    fn from(Standing { id, wish, struck }: &Standing) -> Self {
        Self {
            id: id.to_string(),
            fault: wish.kind.name(),
            third_party: wish.third_party.as_ref().map(ToString::to_string),
            path: wish.path.clone(),
            interface: wish.interface,
            next: wish.next,
            seconds: wish.seconds,
            struck: *struck,
        }
    }
}

/// What is known of a call before it is answered.
#[derive(Debug)]
struct CallSeen<'a> {
    path: &'a str,
    interface: Option<&'a FailingInterface>,
    /// Only looked for if some fault is about a third party.
    third_party: Option<&'a TppId>,
    names_consent: bool,
}

impl Wish {
    fn strikes(&self, call: &CallSeen<'_>) -> bool {
        let can_be = match call.interface {
            Some(interface) => self.kind.can_be_at(interface),
            None => !self.kind.is_of_interfaces(),
        };
        can_be
            && self
                .interface
                .is_none_or(|name| call.interface.is_some_and(|interface| interface.name == name))
            && self.third_party.as_ref().is_none_or(|wanted| call.third_party == Some(wanted))
            && match &self.path {
                Some(pattern) => fits(pattern, call.path),
                // Pages and lists are meant only by whoever names them: the page that takes faults away is one.
                None => call.interface.is_some(),
            }
            && (self.kind != Kind::ConsentVanished || call.names_consent)
    }
}

/// Whether a path is one of a pattern, in which each star stands for anything, nothing too.
fn fits(pattern: &str, path: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == path };
    let Some(mut left) = path.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

/// The faults that wait for calls.
#[derive(Debug)]
pub struct Faults {
    /// Whether there is anything to look at.
    is_any: AtomicBool,
    numbers: AtomicU64,
    all: Mutex<Vec<Standing>>,
    /// How many of a hundred good calls are refused, as the standards allow it.
    misbehaves: u8,
}

impl Faults {
    /// None, but for a bank that misbehaves by itself: so many of a hundred calls.
    pub(crate) fn new(misbehaves: u8) -> Self {
        Self {
            is_any: AtomicBool::new(misbehaves > 0),
            numbers: AtomicU64::new(0),
            all: Mutex::default(),
            misbehaves,
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Standing>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one; none if there are too many.
    pub(crate) fn add(&self, wish: Wish) -> Option<Shown> {
        let mut all = self.all();
        if all.len() >= MAX_FAULTS {
            return None;
        }
        let id = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let standing = Standing { id, wish, struck: 0 };
        let shown = Shown::from(&standing);
        all.push(standing);
        self.is_any.store(true, Ordering::Relaxed);
        Some(shown)
    }

    /// Those that wait, the oldest first.
    pub(crate) fn list(&self) -> Vec<Shown> {
        self.all().iter().map(Shown::from).collect()
    }

    /// Takes one away; says whether it was there.
    pub(crate) fn remove(&self, id: &str) -> bool {
        let mut all = self.all();
        let before = all.len();
        all.retain(|standing| standing.id.to_string() != id);
        self.is_any.store(self.misbehaves > 0 || !all.is_empty(), Ordering::Relaxed);
        all.len() < before
    }

    /// Takes all of them away; says how many there were.
    pub(crate) fn clear(&self) -> usize {
        let mut all = self.all();
        self.is_any.store(self.misbehaves > 0, Ordering::Relaxed);
        std::mem::take(&mut *all).len()
    }

    /// Whether any fault is about a third party alone.
    fn ask_who_calls(&self) -> bool {
        self.all().iter().any(|standing| standing.wish.third_party.is_some())
    }

    /// The oldest fault that strikes a call, which it counts.
    fn take(&self, call: &CallSeen<'_>) -> Option<(u64, Wish)> {
        let mut all = self.all();
        let at = all.iter().position(|standing| standing.wish.strikes(call))?;
        let standing = &mut all[at];
        standing.struck += 1;
        let taken = (standing.id, standing.wish.clone());
        if let Some(next) = &mut standing.wish.next {
            *next -= 1;
            if *next == 0 {
                all.remove(at);
                self.is_any.store(self.misbehaves > 0 || !all.is_empty(), Ordering::Relaxed);
            }
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use axum::response::Response;

    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, path, expected) in [
            ("/a", "/a", true),
            ("/a", "/a/b", false),
            ("/a*", "/a/b", true),
            ("*", "", true),
            ("/xs2a-bg/*/v1/accounts*", "/xs2a-bg/nl/v1/accounts/1/balances", true),
            ("*/balances", "/xs2a-bg/nl/v1/accounts/1/balances", true),
            ("*/balances", "/balances/1", false),
            ("/a*b*c", "/a-c-b-c", true),
            ("/a*b*c", "/a-c", false),
            ("/é*", "/é", true),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_fault_ends_with_the_last_call_that_it_is_for() {
        let faults = Faults::new(0);
        let failing = Failing {
            tell: |_| Response::default(),
            knows: &[],
            names_consent: |_, _| false,
            is_of_program: |_, _, _| true,
            leaves_alone: |path| path == "/a/b/c",
            signature: None,
        };
        let interface = FailingInterface { name: "a", prefixes: vec!["/a"], failing };
        for (path, expected) in
            [("/a", true), ("/a/b", true), ("/ab", false), ("/b/a", false), ("/a/b/c", false)]
        {
            assert_eq!(interface.serves(path), expected, "{path}");
        }
        let call =
            CallSeen { path: "/a/b", interface: Some(&interface), third_party: None, names_consent: false };
        let wish = Wish {
            kind: Kind::Cut,
            third_party: None,
            path: None,
            interface: None,
            next: Some(2),
            seconds: None,
        };
        assert!(faults.add(wish).is_some() && faults.is_any.load(Ordering::Relaxed));
        assert!(faults.take(&call).is_some() && faults.take(&call).is_some());
        assert!(faults.take(&call).is_none() && !faults.is_any.load(Ordering::Relaxed));
    }
}
