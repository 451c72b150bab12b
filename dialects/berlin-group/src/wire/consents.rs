//! Consents and their authorisations.

use serde::{Deserialize, Serialize};

use super::lenient;

/// A request for a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsentRequest {
    /// What is asked for.
    pub access: Access,
    /// Whether it is for more than one time.
    #[serde(deserialize_with = "lenient::truth")]
    pub recurring_indicator: bool,
    /// The last day, `YYYY-MM-DD`.
    pub valid_until: String,
    /// Unattended reads a day.
    #[serde(deserialize_with = "lenient::number")]
    pub frequency_per_day: i64,
    /// Whether it is to be combined with a payment.
    #[serde(deserialize_with = "lenient::truth")]
    pub combined_service_indicator: bool,
}

/// What a consent gives access to. Arrays that are there and empty let the customer choose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// Accounts whose details may be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Vec<AccountReference>>,
    /// Accounts whose balances may be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balances: Option<Vec<AccountReference>>,
    /// Accounts whose transactions may be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transactions: Option<Vec<AccountReference>>,
    /// Kinds of accounts that the customer may choose from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restricted_to: Option<Vec<String>>,
    /// Not supported by this profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_accounts: Option<serde_json::Value>,
    /// Not supported by this profile.
    #[serde(default, alias = "availableAccountsWithBalances", skip_serializing_if = "Option::is_none")]
    pub available_accounts_with_balance: Option<serde_json::Value>,
    /// Not supported by this profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_psd2: Option<serde_json::Value>,
    /// Not supported by this profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_information: Option<serde_json::Value>,
}

/// An account by its number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountReference {
    /// IBAN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iban: Option<String>,
    /// Sort code of a British account, 6 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uk_sort_code: Option<String>,
    /// Number of a British account, 8 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uk_account_number: Option<String>,
    /// Number of a payee's account in a country without IBANs; in cross-border payments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_account_number: Option<String>,
    /// Currency (ISO 4217).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// A consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// What it gives access to.
    pub access: Access,
    /// Whether it is for more than one time.
    pub recurring_indicator: bool,
    /// The last day.
    pub valid_until: String,
    /// Unattended reads a day.
    pub frequency_per_day: i64,
    /// When something was last done to it.
    pub last_action_date: String,
    /// Its status.
    pub consent_status: String,
    /// Its id.
    pub consent_id: String,
    /// Its newest authorisation.
    pub authorisation_id: String,
    /// Where to go next.
    #[serde(rename = "_links")]
    pub links: AuthorisationLinks,
}

/// The status of a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsentStatus {
    /// The status.
    pub consent_status: String,
}

/// An authorisation that was begun or confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorisation {
    /// Its status.
    pub sca_status: String,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorisation_id: Option<String>,
    /// Where to go next.
    #[serde(default, rename = "_links")]
    pub links: AuthorisationLinks,
}

/// Ids of the authorisations of a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorisationIds {
    /// The ids.
    pub authorisation_ids: Vec<String>,
}

/// The status of an authorisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScaStatus {
    /// The status.
    pub sca_status: String,
}

/// Links of consents and authorisations. This profile writes plain strings; objects with `href` are read too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorisationLinks {
    /// Configuration of the authorization server, absolute.
    #[serde(default, rename = "scaOAuth", deserialize_with = "lenient::link")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sca_oauth: Option<String>,
    /// Where to send the browser, absolute.
    #[serde(default, deserialize_with = "lenient::link", skip_serializing_if = "Option::is_none")]
    pub sca_redirect: Option<String>,
    /// The authorisation.
    #[serde(default, deserialize_with = "lenient::link", skip_serializing_if = "Option::is_none")]
    pub sca_status: Option<String>,
    /// The consent.
    #[serde(default, rename = "self", deserialize_with = "lenient::link")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub itself: Option<String>,
    /// The authorisation, to confirm it.
    #[serde(default, deserialize_with = "lenient::link", skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<String>,
    /// The status of the consent.
    #[serde(default, deserialize_with = "lenient::link", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Where the third party begins an authorisation.
    #[serde(default, deserialize_with = "lenient::link", skip_serializing_if = "Option::is_none")]
    pub start_authorisation: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_values_and_links_are_read() {
        let request = r#"{"access": {"accounts": []}, "recurringIndicator": "true", "validUntil": "2026-01-01",
            "frequencyPerDay": "4", "combinedServiceIndicator": false, "unknown": {"a": [1]}}"#;
        let request: ConsentRequest = serde_json::from_str(request).unwrap();
        assert!(request.recurring_indicator && request.frequency_per_day == 4);
        let links = r#"{"self": {"href": "/a"}, "status": "/b", "scaRedirect": null}"#;
        let links: AuthorisationLinks = serde_json::from_str(links).unwrap();
        assert_eq!((links.itself.as_deref(), links.status.as_deref()), (Some("/a"), Some("/b")));
        assert_eq!(serde_json::to_string(&links).unwrap(), r#"{"self":"/a","status":"/b"}"#);
    }
}
