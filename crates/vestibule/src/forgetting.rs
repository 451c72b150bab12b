//! The task that forgets what has ended, beside the calls and not in them.

use std::collections::HashMap;
use std::time::Duration;

use gateway::domain::{Tenant, Timestamp};
use gateway::{Gateway, Lease};
use jiff::SignedDuration;
use tokio::sync::watch;

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
            match gateway.forget(tenant, now).await {
                Ok(forgotten) if forgotten.is_more => {}
                Ok(_) => {
                    done.insert(tenant.clone(), now);
                }
                Err(error) => {
                    tracing::warn!(error = edge::with_causes(&error), %tenant, "what has ended could not be forgotten");
                    done.insert(tenant.clone(), now);
                }
            }
        }
    }
}
