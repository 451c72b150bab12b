//! Back to the third party: the parameters of the authorization response (RFC 6749, 4.1.2; RFC 9207).

use gateway::domain::{Tenant, duration_in_words, number_in_words};
use gateway::sessions::{Outcome, WayBack};

use crate::router::Services;

/// The address to which the browser goes. A query that is there stays.
pub(crate) fn location(services: &Services, tenant: &Tenant, way_back: &WayBack) -> String {
    let request = &way_back.request;
    let rules = &services.edge.gateway.profile(request.interface).sca;
    let what = format!("{} with uuid {}", request.subject.kind().noun(), request.subject.id());
    if way_back.outcome == Outcome::PaymentDecided {
        // The third party asks what became of the payment; nothing about it is in the address.
        return request.redirect_uri.clone();
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    match &way_back.outcome {
        Outcome::Code(code) => {
            query.append_pair("code", code);
        }
        other => {
            let (error, description) = match other {
                Outcome::Cancelled if !request.interface.registers() => {
                    ("access_denied", "The customer refused".to_owned())
                }
                // Recorded words that clients look for.
                Outcome::Cancelled => ("consent_required", format!("Authorisation of {what} was cancelled")),
                Outcome::CancelledUnpaid(refusal) => (
                    "access_denied",
                    format!("The customer refused; what was to be paid still waits: {refusal}"),
                ),
                Outcome::NotPaid(refusal) => {
                    ("access_denied", format!("The payment was not made and still waits: {refusal}"))
                }
                Outcome::PaymentGone => {
                    let text = "The payment was decided or cancelled before; nothing was paid now";
                    ("access_denied", text.to_owned())
                }
                Outcome::NotStopped(refusal) => {
                    ("access_denied", format!("It is too late, and nothing was cancelled: {refusal}"))
                }
                Outcome::NothingPending | Outcome::Code(_) | Outcome::PaymentDecided => {
                    ("invalid_request", format!("No pending authorisations found for {what}"))
                }
                Outcome::LogInFailed => {
                    let times = number_in_words(rules.max_wrong_answers);
                    ("access_denied", format!("Log-in failed {times} times for {what}"))
                }
                Outcome::AnswersWrong => {
                    let times = number_in_words(rules.max_wrong_answers);
                    ("access_denied", format!("The answers were wrong {times} times for {what}"))
                }
                Outcome::TimedOut => {
                    let idle_time = duration_in_words(rules.idle_time);
                    ("access_denied", format!("Authorisation of {what} timed out after {idle_time}"))
                }
                Outcome::ApprovedBefore => {
                    let text = format!(
                        "The customer approved {what} before; another holder of the account has to approve it"
                    );
                    ("access_denied", text)
                }
                Outcome::NoAccess => {
                    ("access_denied", format!("The customer does not hold all accounts of {what}"))
                }
            };
            query.append_pair("error", error).append_pair("error_description", &description);
        }
    }
    if let Some(state) = &request.state {
        query.append_pair("state", state);
    }
    if request.interface.registers() {
        query.append_pair("iss", &services.issuer(tenant.as_str()));
    }
    let separator = if request.redirect_uri.contains('?') { '&' } else { '?' };
    format!("{}{separator}{}", request.redirect_uri, query.finish())
}

/// The address of a third party whose request was wrong, for a customer who goes back there.
pub(crate) fn refused_at(redirect_uri: &str, state: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("error", "invalid_request");
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{separator}{}", query.finish())
}

/// What a page's policy has to name so that its form may end at a redirect URI: an origin, or the scheme of an app.
pub(crate) fn policy_target(redirect_uri: &str) -> String {
    match url::Url::parse(redirect_uri) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url.origin().ascii_serialization(),
        Ok(url) => format!("{}:", url.scheme()),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_goes_back_from_a_wrong_request_brings_an_error() {
        let plain = refused_at("https://tpp.example/cb", Some("a&b"));
        assert_eq!(plain, "https://tpp.example/cb?error=invalid_request&state=a%26b");
        let more = refused_at("https://tpp.example/cb?x=1", None);
        assert_eq!(more, "https://tpp.example/cb?x=1&error=invalid_request");
    }

    #[test]
    fn a_policy_names_an_origin_or_a_scheme() {
        for (uri, target) in [
            ("https://tpp.example/cb?x=1", "https://tpp.example"),
            ("http://127.0.0.1:49152/callback", "http://127.0.0.1:49152"),
            ("com.example.app:/oauth", "com.example.app:"),
            ("https://tpp.example;script-src%20*/", ""),
        ] {
            assert_eq!(policy_target(uri), target, "{uri}");
        }
    }
}
