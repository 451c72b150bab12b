//! What the bank's refusals mean for this client. The interface has no codes: its texts tell.

use super::client::Whose;
use crate::error::BankError;
use crate::{Error, Hint};

/// Whether the session is over, so that a new one may help.
pub(super) fn is_about_session(error: &BankError) -> bool {
    let texts = ["Insufficient authentication", "Insufficient authorisation"];
    matches!(error.status, 401 | 403) && texts.iter().any(|text| error.says(text))
}

/// Whether a key or access token is refused, or the address that it comes from.
pub(super) fn is_about_credentials(error: &BankError) -> bool {
    error.status == 400 && error.says("User credentials are incorrect")
}

/// What to do when a call with the installation's token is refused.
pub(super) fn explain(error: Error, whose: Whose) -> Error {
    match error {
        Error::Bank(error) if is_about_credentials(&error) => {
            let next = match whose {
                Whose::Own => {
                    "the API key expired before its first use, or this address is not permitted; register again"
                }
                Whose::Connection(_) => {
                    "the customer's approval has ended, the key expired, or this address is not permitted; authorise again"
                }
            };
            let hint = if whose == Whose::Own { Hint::Register } else { Hint::Authorise };
            Error::Credentials { error: error.into(), next, hint }
        }
        Error::Bank(error) if is_about_session(&error) => {
            let next = "the bank does not know this installation any more; register again";
            Error::Credentials { error: error.into(), next, hint: Hint::Register }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_texts_mean() {
        let error = |status, text: &str| {
            let body = serde_json::json!({"Error": [{"error_description": text}]}).to_string();
            BankError::parse(status, body.as_bytes(), None, None)
        };
        assert!(is_about_session(&error(403, "Insufficient authentication.")));
        assert!(is_about_session(&error(401, "Insufficient authorisation.")));
        assert!(!is_about_session(&error(400, "Insufficient authentication.")));
        assert!(!is_about_session(&error(403, "Only a payment service provider can do this.")));
        let text = "User credentials are incorrect. Incorrect API key or IP address.";
        assert!(is_about_credentials(&error(400, text)) && !is_about_credentials(&error(403, text)));
    }
}
