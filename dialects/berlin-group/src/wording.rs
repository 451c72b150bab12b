//! The words of the interface for rules that the layers below know by other names.

use gateway::domain::{
    AccessRefusal, AuthorisationRefusal, ConsentRefusal, PaymentRefusal, Product, Refusal, TransactionStatus,
    duration_in_words,
};

/// The status of a payment in the words of the interface. It has none for what happens at the payee's bank, and a bulk payment
/// of which some transfers were refused ends as every other one.
pub(crate) fn status_told(status: TransactionStatus) -> TransactionStatus {
    match status {
        TransactionStatus::Accc => TransactionStatus::Acsc,
        TransactionStatus::Part => TransactionStatus::Acsp,
        other => other,
    }
}

/// What a refusal says to a caller of this interface.
pub(crate) fn text(refusal: &Refusal) -> String {
    let words = match refusal {
        Refusal::RequestIdReused { remembered } => used_within(*remembered, "request to this path"),
        Refusal::RequestIdOfAnother { remembered } => used_within(*remembered, "method or path"),
        Refusal::Consent(refusal) => of_consent(refusal),
        Refusal::Authorisation(AuthorisationRefusal::NotApproved { id, status, lifetime }) => Some(format!(
            "authorisation {id} has scaStatus {}; it can be confirmed while it is unconfirmed, within {}",
            status.name(),
            duration_in_words(*lifetime)
        )),
        Refusal::Access(refusal) => of_access(refusal),
        Refusal::Payment(PaymentRefusal::NotCancellable { status }) => {
            // A payment that the bank does not have yet is named by other words, which are none of ISO 20022.
            let told = TransactionStatus::from_name(status).map(|status| status_told(status).name().to_owned());
            told.map(|status| PaymentRefusal::NotCancellable { status }.to_string())
        }
        Refusal::Payment(PaymentRefusal::NotSubmitted) => Some(
            "no authorisation is needed to cancel this payment, which the bank does not have yet; DELETE the payment, \
             and it is cancelled at once"
                .to_owned(),
        ),
        _ => None,
    };
    words.unwrap_or_else(|| refusal.to_string())
}

fn used_within(remembered: jiff::SignedDuration, what: &str) -> Option<String> {
    let remembered = duration_in_words(remembered);
    Some(format!(
        "X-Request-ID was used within the last {remembered} for another {what}; use a new UUID for each request"
    ))
}

fn of_consent(refusal: &ConsentRefusal) -> Option<String> {
    use ConsentRefusal as R;
    Some(match refusal {
        R::AccessEmpty => {
            "access holds none of accounts, balances, transactions; send arrays of accounts, or empty ones \
                           to let the customer choose"
                .to_owned()
        }
        R::AccessMixed => {
            "access mixes empty and filled arrays; fill every array that you send, or leave all of them \
                           empty to let the customer choose"
                .to_owned()
        }
        R::TooManyReferences { max } => format!("access names more than {max} accounts"),
        R::CombinedService => {
            "combinedServiceIndicator must be false: combined sessions are not supported".to_owned()
        }
        R::Frequency { max } => format!("frequencyPerDay must be from 1 to {max}"),
        R::FrequencyOfOneOff => "frequencyPerDay must be 1 when recurringIndicator is false".to_owned(),
        R::ValidUntilInPast { valid_until, today } => {
            format!("validUntil {valid_until} is in the past; today is {today}")
        }
        R::RedirectUri => {
            "TPP-Redirect-URI is not registered; it must equal a redirect URI of the registration, \
                           character by character"
                .to_owned()
        }
        R::AccountNotAllowed(_)
        | R::AccountProduct(_)
        | R::AccountCurrency { .. }
        | R::NotValid { .. }
        | R::Final { .. } => return None,
    })
}

fn of_access(refusal: &AccessRefusal) -> Option<String> {
    use AccessRefusal as R;
    Some(match refusal {
        R::Product { expected, .. } => {
            let hint = match expected {
                Product::Current => "savings accounts are under /v2/savings",
                Product::Savings => "current accounts are under /v1/accounts",
            };
            format!("{refusal}; {hint}")
        }
        R::Period { from, to } => format!("dateTo {to} is before dateFrom {from}"),
        R::PeriodInFuture { from, today } => {
            format!("dateFrom {from} is in the future: without dateTo the period ends today, {today}")
        }
        R::EdgeToken => "edgeToken is not one that was given out for this account and consent; follow the next link as it \
                         is"
            .to_owned(),
        R::NotGranted { .. } | R::Unavailable { .. } | R::LimitReached { .. } => return None,
    })
}
