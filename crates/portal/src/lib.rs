//! The portal of a sandbox: its modules for browsers are in `assets`.
