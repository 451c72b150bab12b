//! Calls that the portal wrote down, sent again: a test for CI with a clear pass or fail.
//!
//! A [`Test`] is a file; [`Replay`] is the bank that it is tried at; a [`Report`] says what each step gave and what differed
//! from what was written down. Keys, certificates and customers are made anew for each run.

mod file;
mod report;
mod run;
mod values;

pub use file::Test;
pub use report::{Report, StepReport};
pub use run::Replay;
