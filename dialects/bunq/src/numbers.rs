//! The numbers that everything has in this interface: one sequence, rising, at most 2147483647.

use std::sync::{Mutex, PoisonError};

use gateway::{Drawer, Error, SEQUENCE};

/// Numbers that are reserved at once; a restart skips what is left of them.
const BLOCK: i64 = 4096;

/// The sequence.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// The next number, and the end of what is reserved.
    reserved: Mutex<(i64, i64)>,
}

impl Numbers {
    /// The first of `count` numbers in a row, at most [`BLOCK`].
    pub(crate) async fn take(&self, drawer: &Drawer, count: i64) -> Result<i64, Error> {
        loop {
            if let Some(first) = self.take_reserved(count) {
                return Ok(first);
            }
            let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok()).unwrap_or(1);
            let reserve = |last: Option<&str>| Some((number(last) + BLOCK).to_string());
            let end = number(drawer.update(SEQUENCE, "next", reserve).await?.as_deref());
            let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
            // Two callers may reserve at once; the later numbers go on, so that the sequence rises.
            if end > reserved.1 {
                *reserved = (end - BLOCK, end);
            }
        }
    }

    fn take_reserved(&self, count: i64) -> Option<i64> {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        let first = reserved.0;
        if first + count > reserved.1 {
            return None;
        }
        reserved.0 += count;
        Some(first)
    }
}
