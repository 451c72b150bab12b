//! Rate limits by address, method and endpoint (section 6.1).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use gateway::profile::RateLimit;
use http::Method;
use jiff::Timestamp;

use crate::error::Error;

/// Windows that are remembered; when there are more, those that are over are forgotten, or else all of them.
const MAX_WINDOWS: usize = 65_536;

/// Whose calls are counted together.
type Caller = (IpAddr, Method, &'static str);

/// How often callers called lately.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    windows: Mutex<HashMap<Caller, (Timestamp, u32)>>,
}

impl Limiter {
    /// Counts a call.
    ///
    /// # Errors
    /// 429
    pub(crate) fn count(
        &self,
        limits: &[RateLimit],
        (address, method, endpoint): (IpAddr, &Method, &'static str),
        now: Timestamp,
    ) -> Result<(), Error> {
        let limit = limits.iter().find(|limit| limit.is_for(method.as_str(), endpoint));
        let Some(RateLimit { calls, seconds, .. }) = limit.copied() else { return Ok(()) };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |begun: Timestamp| {
            let age = now.duration_since(begun).as_secs();
            // A clock that was set back must not lock anyone out.
            !(0..seconds).contains(&age)
        };
        if windows.len() >= MAX_WINDOWS {
            windows.retain(|_, (begun, _)| now.duration_since(*begun).as_secs().abs() < 60);
            if windows.len() >= MAX_WINDOWS / 2 {
                windows.clear();
            }
        }
        let window = windows.entry((address, method.clone(), endpoint)).or_insert((now, 0));
        if is_over(window.0) {
            *window = (now, 0);
        }
        window.1 += 1;
        if window.1 <= calls {
            return Ok(());
        }
        let text = format!(
            "Too many requests. You can do a maximum of {calls} calls per {seconds} seconds to this endpoint."
        );
        let left = seconds - now.duration_since(window.0).as_secs();
        Err(Error::too_many(text, left))
    }
}
