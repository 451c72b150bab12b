//! What the bank tells by itself. The bank answers when there is something to tell: that keeps mutual TLS in one direction, and the events
//! where they are safe, with the bank, until they are taken.

use std::time::Duration;

use gateway::bank::{Answer, Events};
use gateway::{BankEvent, Changes, Error, ToldEvent};
use http::StatusCode;

use crate::CoreBank;
use crate::bank::misread;
use crate::failure::Failure;
use crate::wire::{self, EventsQuery};

impl Events for CoreBank {
    fn events<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
        wait: Duration,
    ) -> Answer<'a, Option<Vec<ToldEvent>>> {
        Box::pin(async move {
            // A bank that waits has to have answered before the call takes too long.
            let wait = wait.min(self.client.deadline() / 2).as_secs();
            let asked = EventsQuery { after: after.map(str::to_owned), limit, wait };
            let told: Result<wire::Events, _> = self.client.get(&["events"], &asked).await;
            match told {
                Ok(told) => {
                    let told =
                        told.events.into_iter().take(limit).map(|one| wire::told(one).map_err(misread));
                    told.collect::<Result<_, Error>>().map(Some)
                }
                Err(failure) if failure.is_not_found() && after.is_some() => Ok(None),
                // A bank that tells no events has no such path.
                Err(Failure::Refused(StatusCode::NOT_FOUND, _) | Failure::Status(StatusCode::NOT_FOUND))
                    if after.is_none() =>
                {
                    Ok(None)
                }
                Err(failure) => Err(failure.into()),
            }
        })
    }

    fn noted<'a>(&'a self, told: &'a ToldEvent) -> Answer<'a, Changes> {
        Box::pin(async move {
            match &told.event {
                Some(BankEvent::Payment { payment, progress, is_final }) => {
                    self.outbox.tell(payment, (progress, *is_final)).await
                }
                _ => Ok(Changes::new()),
            }
        })
    }
}
