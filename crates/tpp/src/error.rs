//! What can go wrong at a bank: one error type with everything the bank said.

use std::time::Duration;

use crate::Hint;
use crate::kept_approvals::Matter;
use crate::operations::Operation;
use crate::state::Dialect;

/// bunq's status for a bank that is not available at the moment.
const BUNQ_UNAVAILABLE: u16 = 491;

/// Pause after too many calls if the bank names none.
const SHORT_PAUSE: Duration = Duration::from_secs(3);

/// Longest pause after too many calls, whatever the bank says.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A failure of the client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bank answered with an error.
    #[error("{0}")]
    Bank(BankError),
    /// The bank could not be reached.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// What was called.
        url: String,
        /// Why it did not answer, with scheme and port.
        reason: String,
        /// What helps, unless the reason says it.
        hint: Option<Hint>,
    },
    /// The name of the bank, or of an address that it gave, is not known on this machine.
    #[error("{url} cannot be reached: this machine cannot resolve the name {name}, {way}")]
    Unresolved {
        /// What was called.
        url: String,
        /// The name.
        name: String,
        /// Scheme and port.
        way: String,
    },
    /// The answer was not what the interface description says.
    #[error("the answer of {url} cannot be read: {reason}")]
    Answer {
        /// What was called.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is not signed as the bank signs its answers.
    #[error("the answer of {url} cannot be trusted: {reason}")]
    Untrusted {
        /// What was called.
        url: String,
        /// What is wrong with its signature.
        reason: &'static str,
    },
    /// The bank opens no session with the key or access token that is kept.
    #[error("{error}; {next}")]
    Credentials {
        /// What the bank said.
        error: Box<BankError>,
        /// What may have happened, and what to do about it.
        next: &'static str,
        /// What does it.
        hint: Hint,
    },
    /// The customer or the bank said no while the browser was there.
    #[error("the authorisation came to nothing: {error}: {description}; {next}")]
    Authorization {
        /// The error of OAuth.
        error: String,
        /// What the bank says about it.
        description: String,
        /// What to do about it.
        next: &'static str,
        /// What does it.
        hint: Hint,
    },
    /// What the customer was to approve, or approved, has ended.
    #[error("{matter} has ended: it is {status}; ask for another one")]
    Ended {
        /// What.
        matter: Matter,
        /// Its status.
        status: String,
    },
    /// Today's unattended reads are used up by this side's own count.
    #[error(
        "the {limit} unattended reads of {kind} that the consent allows a day are used up for account {account}; \
         try again tomorrow, or with the customer"
    )]
    Budget {
        /// How many a day.
        limit: i64,
        /// `balances` or `transactions`.
        kind: String,
        /// The account.
        account: String,
    },
    /// The bank says that the day's unattended reads are used up.
    #[error("{error}; try again after {retry_at}, or with the customer")]
    AccessExceeded {
        /// What the bank said.
        error: BankError,
        /// When the day is over: midnight in UTC, which no bank of this profile comes after.
        retry_at: jiff::Timestamp,
    },
    /// Something of an account cannot be read.
    #[error("{}", unreadable(account, what, status.as_deref()))]
    Unreadable {
        /// The account.
        account: String,
        /// `balances` or `transactions`.
        what: &'static str,
        /// The account's status, if that is why; else the consent does not cover it.
        status: Option<String>,
    },
    /// The interface does not offer this.
    #[error("{operation} is not offered at banks of the dialect {}{instead}", dialect.name())]
    NotOffered {
        /// What.
        operation: Operation,
        /// The interface.
        dialect: Dialect,
        /// What it offers in its place.
        instead: &'static str,
        /// What leads there.
        hint: Option<Hint>,
    },
    /// Something has to be done before.
    #[error("{text}")]
    Missing {
        /// What, and why.
        text: String,
        /// What does it.
        hint: Hint,
    },
    /// No answer came to a request to make something, which the bank may have got.
    #[error(
        "{0}; if the bank got the request all the same, the same command again goes on with what came of it, and makes \
         nothing twice"
    )]
    Unanswered(Box<Self>),
    /// No answer came to an authorization code, which the bank may have taken.
    #[error("{error}; a code of the bank is good once, so it is not sent again; another attempt begins")]
    Unredeemed {
        /// Why no answer came.
        error: Box<Self>,
        /// What begins another attempt.
        hint: Hint,
    },
    /// No answer came to the same request before, and what became of it cannot be found out.
    #[error("{text}")]
    Unclear {
        /// What is known, and what to do.
        text: String,
        /// What shows more of it.
        hint: Option<Hint>,
    },
    /// A key, certificate or address that was given cannot be used.
    #[error("{0}")]
    Setup(String),
    /// A file of the state cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
}

impl Error {
    pub(crate) fn missing(text: impl Into<String>, hint: Hint) -> Self {
        Self::Missing { text: text.into(), hint }
    }

    /// Whether no answer came that says what became of the request.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Unresolved { .. } => true,
            Self::Bank(error) => error.is_temporary(),
            _ => false,
        }
    }

    /// Whether it leaves open whether the bank did what it was asked for.
    pub(crate) fn leaves_open(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Unresolved { .. }
            | Self::Answer { .. }
            | Self::Untrusted { .. } => true,
            // What is not offered (501) was not done.
            Self::Bank(error) => error.is_temporary() || (error.status >= 500 && error.status != 501),
            _ => false,
        }
    }

    /// Whether a connection ended, and nobody said why. In TLS 1.3 the client's part of a handshake is over before the server looks at its
    /// certificate: the alert by which one is refused may come or be lost.
    pub fn ended_without_a_word(&self) -> bool {
        const WORDS: [&str; 4] = ["connection closed", "channel closed", "broken pipe", "connection reset"];
        let Self::Unreachable { reason, .. } = self else { return false };
        let reason = reason.to_ascii_lowercase();
        WORDS.iter().any(|words| reason.contains(words))
    }

    /// What lies behind it.
    pub fn cause(&self) -> &Self {
        match self {
            Self::Unanswered(error) | Self::Unredeemed { error, .. } => error.cause(),
            other => other,
        }
    }

    /// What leads on, where that is known.
    pub fn hint(&self) -> Option<Hint> {
        if let Self::Unredeemed { hint, .. } = self {
            return Some(hint.clone());
        }
        match self.cause() {
            Self::Ended { matter, .. } => Some(matter.ask()),
            Self::Unresolved { .. } => Some(Hint::StartSandbox),
            Self::Credentials { hint, .. }
            | Self::Authorization { hint, .. }
            | Self::Missing { hint, .. } => Some(hint.clone()),
            Self::Unreachable { hint, .. } | Self::NotOffered { hint, .. } | Self::Unclear { hint, .. } => {
                hint.clone()
            }
            _ => None,
        }
    }
}

pub(crate) fn not_registered() -> Error {
    Error::missing("not registered yet; register", Hint::Register)
}

fn unreadable(account: &str, what: &str, status: Option<&str>) -> String {
    match status {
        Some(status) => format!("account {account} is {status} at the bank, so its {what} cannot be read"),
        None => format!("the consent does not cover {what} of account {account}"),
    }
}

/// An error answer of a bank, whichever form it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankError {
    /// HTTP status.
    pub status: u16,
    /// Message codes of NextGenPSD2 or the error of OAuth.
    pub codes: Vec<String>,
    /// Texts that came along.
    pub texts: Vec<String>,
    /// `X-Request-ID` of the answer, to name in a support request.
    pub request_id: Option<String>,
    /// When to try again, if the bank says so.
    pub retry_after: Option<Duration>,
}

impl BankError {
    /// Whether the access token is refused, so that a new one may help.
    pub fn is_about_token(&self) -> bool {
        self.codes.iter().any(|code| matches!(code.as_str(), "TOKEN_INVALID" | "TOKEN_EXPIRED"))
    }

    /// Whether a code or a refresh token is good no more (RFC 6749, 5.2).
    pub(crate) fn is_about_grant(&self) -> bool {
        self.codes.iter().any(|code| code == "invalid_grant")
    }

    /// Whether a certificate is not good at the bank's time. bunq has no codes: its text tells.
    pub fn is_about_validity(&self) -> bool {
        let is_key = |text: &String| {
            text.starts_with("The certificate behind the API key of") && text.contains(" is valid from ")
        };
        self.begins_with("CERTIFICATE_EXPIRED") || self.texts.iter().any(is_key)
    }

    /// Whether a certificate has not the role that a service needs.
    pub fn is_about_role(&self) -> bool {
        self.begins_with("ROLE_INVALID")
    }

    /// Whether the bank does not know the third party. The interface has no code for that alone (section 3.4 of what the
    /// bank describes): it is one of several reasons for this one, and the text says which.
    pub fn is_about_registration(&self) -> bool {
        (self.begins_with("CERTIFICATE_INVALID") || self.begins_with("invalid_client"))
            && self.says("is not registered at this bank")
    }

    /// Whether a certificate was replaced by another one, or revoked.
    pub fn is_about_revocation(&self) -> bool {
        self.begins_with("CERTIFICATE_REVOKED")
    }

    /// Whether the bank gave a code, by itself or in front of a text.
    fn begins_with(&self, code: &str) -> bool {
        self.codes.iter().chain(&self.texts).any(|text| text.starts_with(code))
    }

    /// Whether the bank says that it is not available for a moment, so that nobody knows whether it did anything. bunq says
    /// so with a status of its own (section 5.1).
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self.status, BUNQ_UNAVAILABLE | 502..=504)
    }

    /// Whether it is about the consent, which may have ended.
    pub(crate) fn is_about_consent(&self) -> bool {
        self.codes.iter().any(|code| code.starts_with("CONSENT_"))
    }

    /// Whether the day's unattended reads are used up.
    pub(crate) fn is_access_exceeded(&self) -> bool {
        self.status == 429 && self.codes.iter().any(|code| code == "ACCESS_EXCEEDED")
    }

    /// Whether one of the texts contains this one.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.texts.iter().any(|known| known.contains(text))
    }

    /// How long to wait before the same call again, if there were too many calls: as long as the answer says, in
    /// a header or in words ("5 calls per 3 seconds").
    pub(crate) fn pause(&self) -> Option<Duration> {
        if self.status != 429 {
            return None;
        }
        let words: Vec<&str> = self.texts.iter().flat_map(|text| text.split_whitespace()).collect();
        let named = words.windows(2).find(|pair| pair[1].starts_with("second"));
        let named = named.and_then(|pair| pair[0].parse::<u64>().ok()).map(Duration::from_secs);
        let pause = self.retry_after.or(named).unwrap_or(SHORT_PAUSE);
        Some(pause.min(LONGEST_PAUSE))
    }

    /// Reads an error body: `tppMessages`, problem details, OAuth or bunq's; anything else leaves the status
    /// alone.
    pub(crate) fn parse(
        status: u16,
        body: &[u8],
        request_id: Option<String>,
        retry_after: Option<Duration>,
    ) -> Self {
        let mut error = Self { status, codes: Vec::new(), texts: Vec::new(), request_id, retry_after };
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) else { return error };
        let text = |value: &serde_json::Value, name: &str| value[name].as_str().map(str::to_owned);
        let messages = json["tppMessages"].as_array().map_or(&[][..], Vec::as_slice);
        for message in messages.iter().chain(json["additionalErrors"].as_array().into_iter().flatten()) {
            error.codes.extend(text(message, "code"));
            error.texts.extend(text(message, "text").or_else(|| text(message, "detail")));
        }
        for message in json["Error"].as_array().into_iter().flatten() {
            error.texts.extend(text(message, "error_description"));
        }
        error.codes.extend(text(&json, "error").or_else(|| text(&json, "code")));
        let own =
            ["error_description", "detail", "message", "title"].iter().find_map(|name| text(&json, name));
        error.texts.extend(own);
        error
    }
}

impl std::fmt::Display for BankError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the bank refused with {}", self.status)?;
        if !self.codes.is_empty() {
            write!(f, " {}", self.codes.join(", "))?;
        }
        if !self.texts.is_empty() {
            write!(f, ": {}", self.texts.join("; "))?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (X-Request-ID {id})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_forms() {
        for (body, codes, texts) in [
            (
                r#"{"tppMessages":[{"category":"ERROR","code":"FORMAT_ERROR","text":"a"},{"category":"ERROR","text":"b"}]}"#,
                vec!["FORMAT_ERROR"],
                vec!["a", "b"],
            ),
            (r#"{"error":"invalid_token","error_description":"c"}"#, vec!["invalid_token"], vec!["c"]),
            (
                r#"{"type":"x","title":"t","detail":"d","code":"CONSENT_UNKNOWN","additionalErrors":[{"code":"E","detail":"e"}]}"#,
                vec!["E", "CONSENT_UNKNOWN"],
                vec!["e", "d"],
            ),
            (
                r#"{"Error":[{"error_description":"f","error_description_translated":"g"},{"error_description":"h"}]}"#,
                vec![],
                vec!["f", "h"],
            ),
            ("<html>", vec![], vec![]),
        ] {
            let error = BankError::parse(400, body.as_bytes(), None, None);
            assert_eq!(
                (error.codes, error.texts),
                (
                    codes.into_iter().map(str::to_owned).collect(),
                    texts.into_iter().map(str::to_owned).collect()
                )
            );
        }
    }

    #[test]
    fn what_a_bank_that_is_away_did_is_not_known() {
        let error = |status| BankError::parse(status, b"", None, None);
        for status in [491, 502, 503, 504] {
            assert!(error(status).is_temporary() && Error::Bank(error(status)).leaves_open(), "{status}");
        }
        assert!(!error(500).is_temporary() && Error::Bank(error(500)).leaves_open());
        for status in [400, 404, 409, 429, 466, 490, 492, 501] {
            assert!(!error(status).is_temporary() && !Error::Bank(error(status)).leaves_open(), "{status}");
        }
    }

    #[test]
    fn waits_as_long_as_it_is_told() {
        let error = |status, text: &str| {
            let body = serde_json::json!({"Error": [{"error_description": text}]}).to_string();
            BankError::parse(status, body.as_bytes(), None, None)
        };
        let text = "Too many requests. You can do a maximum of 1 calls per 30 seconds to this endpoint.";
        assert_eq!(error(429, text).pause(), Some(Duration::from_secs(30)));
        assert_eq!(error(429, "Too many requests.").pause(), Some(SHORT_PAUSE));
        assert_eq!(error(429, "1 calls per 86400 seconds").pause(), Some(LONGEST_PAUSE));
        assert_eq!(error(400, "Too many requests.").pause(), None);
    }
}
