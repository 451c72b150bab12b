//! The task that forgets what has ended, beside the calls and not in them.

use std::collections::HashMap;
use std::time::Duration;

use gateway::domain::{Tenant, Timestamp};
use gateway::{Gateway, Lease};
use jiff::SignedDuration;
use tokio::sync::watch;

use crate::tasks::Telling;

/// How often the clocks are looked at: a clock that was moved is noticed soon, and between two small batches others write.
const TICK: Duration = Duration::from_millis(100);

/// How often what has ended is looked for, by the clock of each tenant.
const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// How long nothing is written until memory is given back, at most twice that.
const REST_EVERY: Duration = Duration::from_secs(10);

/// Forgets, tenant by tenant, until the sandbox stops.
pub(crate) async fn run(gateway: Gateway, mut stopped: watch::Receiver<bool>) {
    let mut lease = Lease::new("forgetting");
    let mut done: HashMap<Tenant, Timestamp> = HashMap::new();
    let mut tellings: HashMap<Tenant, Telling> = HashMap::new();
    let mut rest = tokio::time::interval(REST_EVERY);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = rest.tick() => gateway.rest(),
            () = tokio::time::sleep(TICK) => {}
        }
        if !lease.is_held(&gateway).await {
            continue;
        }
        for tenant in &gateway.settings().tenants {
            let now = gateway.now(tenant);
            // A clock can be set back, too.
            if done
                .get(tenant)
                .is_some_and(|last| (SignedDuration::ZERO..EVERY).contains(&now.duration_since(*last)))
            {
                continue;
            }
            // What a clock that jumped since would have ended is not forgotten.
            if !lease.is_held(&gateway).await {
                break;
            }
            let (forgotten, failed) = gateway.forget(tenant, now).await;
            let telling = tellings.entry(tenant.clone()).or_insert_with(own_telling);
            telling.tell(failed.map_err(|error| format!("{tenant}: {}", edge::with_causes(&error))));
            // A kind that fails keeps no other one waiting.
            if !forgotten.is_more {
                done.insert(tenant.clone(), now);
            }
        }
    }
}

fn own_telling() -> Telling {
    Telling::of(["what has ended could not be forgotten", "what has ended can be forgotten again"])
}
