//! Which of the services of PSD2 an operation belongs to, for statistics.

use gateway::domain::PaymentService;
use gateway::domain::statistics::Service;

/// The service that an operation is for, by the pattern of its path. Consents, authorisations of them and onboarding are for none: they
/// answer nothing that was asked of an account or a payment.
pub fn service_of(route: &str) -> Option<Service> {
    let (_, operation) = route.split_once("/v1/").or_else(|| route.split_once("/v2/"))?;
    match operation.split('/').next()? {
        "accounts" | "card-accounts" | "savings" => Some(Service::Ais),
        "funds-confirmations" => Some(Service::Cbpii),
        other => PaymentService::from_name(other).map(|_| Service::Pis),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_belong_to_services() {
        for (route, service) in [
            ("/xs2a-bg/{tenant}/v1/accounts", Some(Service::Ais)),
            ("/xs2a-bg/{tenant}/v1/accounts/{account}/balances", Some(Service::Ais)),
            ("/xs2a-bg/{tenant}/v2/savings", Some(Service::Ais)),
            ("/{tenant}/v2/savings/{account}/transactions", Some(Service::Ais)),
            ("/{tenant}/v2/consents/confirmation-of-funds/{consent}", None),
            ("/{tenant}/v1/payments/{product}", Some(Service::Pis)),
            ("/{tenant}/v1/bulk-payments/{product}/{payment}/status", Some(Service::Pis)),
            ("/{tenant}/v1/funds-confirmations", Some(Service::Cbpii)),
            ("/{tenant}/v1/consents/{consent}", None),
            ("/{tenant}/onboarding/v1", None),
        ] {
            assert_eq!(service_of(route), service, "{route}");
        }
    }
}
