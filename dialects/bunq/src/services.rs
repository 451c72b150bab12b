//! Which of the services of PSD2 an operation belongs to, for statistics.

use gateway::domain::statistics::Service;

/// The service that an operation is for, by the pattern of its path. What a third party needs before (installations, keys, sessions,
/// OAuth clients), and what customers do in person, is for none.
pub fn service_of(route: &str) -> Option<Service> {
    let below = route.strip_prefix("/bunq/v1/")?;
    let has = |part: &str| below.split('/').any(|one| one == part);
    let begins = |part: &str| below.split('/').any(|one| one.starts_with(part));
    match () {
        () if has("confirmation-of-funds") => Some(Service::Cbpii),
        () if has("draft-payment") || begins("payment-service-provider-draft-payment") => Some(Service::Pis),
        () if begins("payment-service-provider-issuer-transaction") => Some(Service::Pis),
        () if ["payment-batch", "schedule", "request-", "notification-"].iter().any(|part| begins(part)) => {
            None
        }
        () if begins("monetary-account") || has("event") => Some(Service::Ais),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_belong_to_services() {
        for (route, service) in [
            ("/bunq/v1/user/{user}/monetary-account", Some(Service::Ais)),
            ("/bunq/v1/user/{user}/monetary-account-bank/{account}", Some(Service::Ais)),
            ("/bunq/v1/user/{user}/monetary-account/{account}/payment/{id}", Some(Service::Ais)),
            ("/bunq/v1/user/{user}/event", Some(Service::Ais)),
            ("/bunq/v1/user/{user}/monetary-account/{account}/draft-payment", Some(Service::Pis)),
            ("/bunq/v1/user/{user}/payment-service-provider-draft-payment/{id}", Some(Service::Pis)),
            ("/bunq/v1/payment-service-provider-issuer-transaction-public/{uuid}", Some(Service::Pis)),
            ("/bunq/v1/user/{user}/confirmation-of-funds", Some(Service::Cbpii)),
            ("/bunq/v1/user/{user}/monetary-account/{account}/schedule-payment", None),
            ("/bunq/v1/user/{user}/monetary-account/{account}/notification-filter-url", None),
            ("/bunq/v1/session-server", None),
            ("/bunq/v1/payment-service-provider-credential", None),
            ("/xs2a-bg/{tenant}/v1/accounts", None),
        ] {
            assert_eq!(service_of(route), service, "{route}");
        }
    }
}
