//! The gate through which each call comes to the bank: it holds the bank of the moment until it is answered, so that the bank
//! can be changed for another one between two calls.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::front::Front;

/// More calls than the listeners have room for.
const PLACES: u32 = 1 << 20;

/// What the listeners of a bank serve.
pub(crate) struct Fronts {
    pub(crate) public: Front,
    pub(crate) management: Front,
}

/// Which of them a listener serves.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Public,
    Management,
}

/// The gate of a bank.
pub(crate) struct Gate {
    places: Arc<Semaphore>,
    fronts: RwLock<Arc<Fronts>>,
}

impl Gate {
    pub(crate) fn new(fronts: Fronts) -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES as usize)), fronts: RwLock::new(Arc::new(fronts)) }
    }

    /// Answers a call, which waits while the gate is closed. Calls to the management API, which may change the bank itself, come
    /// to their end even if their caller goes.
    pub(crate) async fn answer(
        &self,
        side: Side,
        request: Request<Body>,
    ) -> Result<Response<Body>, Infallible> {
        match side {
            Side::Public => {
                let _place = self.places.acquire().await;
                let front = self.fronts().public.clone();
                front.answer(request).await
            }
            Side::Management => {
                let place = Arc::clone(&self.places).acquire_owned().await;
                let front = self.fronts().management.clone();
                let answered = tokio::spawn(async move {
                    let _place = place;
                    front.answer(request).await
                });
                answered.await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
            }
        }
    }

    fn fronts(&self) -> Arc<Fronts> {
        Arc::clone(&self.fronts.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Closes the gate on behalf of a call, once all others that came before are answered. None if that takes too long; then
    /// it is open as before.
    pub(crate) async fn close(&self, patience: Duration) -> Option<Closed<'_>> {
        let others = timeout(patience, self.places.acquire_many(PLACES - 1)).await.ok()?;
        Some(Closed { gate: self, _places: others.ok()? })
    }
}

/// A gate through which nobody comes until this is dropped.
pub(crate) struct Closed<'g> {
    gate: &'g Gate,
    _places: SemaphorePermit<'g>,
}

impl Closed<'_> {
    /// Calls that come from now on find these.
    pub(crate) fn change(&self, fronts: Fronts) {
        *self.gate.fronts.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fronts);
    }
}
