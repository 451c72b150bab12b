//! Consents to read accounts: asked for.

use berlin_group::wire;

use super::client::Client;
use super::making::Made;
use crate::Error;
use crate::kept_approvals::KeptApproval;
use crate::kept_consents::{ConsentWish, KeptConsent};

impl Client {
    /// Asks for a consent and keeps it.
    pub(super) async fn ask_for_consent(
        &mut self,
        tenant: &str,
        redirect_uri: &str,
        wish: &ConsentWish,
    ) -> Result<KeptConsent, Error> {
        let interface = self.interface(tenant)?;
        let body = serde_json::to_vec(&wish.request()).map_err(|error| Error::Setup(error.to_string()))?;
        let call = interface.request("/v1/consents", body, "application/json", redirect_uri);
        let _turn = self.turn_to_ask(&call).await?;
        self.make(&interface, call, Made::Consent, |state, consent: wire::Consent| {
            let whose = (tenant, redirect_uri);
            let kept = KeptConsent {
                approval: approval(whose, consent.consent_id, Some(consent.authorisation_id), consent.links)?,
                accounts: wish.ibans.clone(),
                valid_until: consent.valid_until,
                frequency_per_day: consent.frequency_per_day,
                reads: Vec::new(),
                recurring: consent.recurring_indicator,
            };
            state.consents.push(kept.clone());
            Ok(kept)
        })
        .await
    }
}

/// The way of something new through the customer's approval, as the bank's answer has it.
pub(super) fn approval(
    (tenant, redirect_uri): (&str, &str),
    id: String,
    authorisation: Option<String>,
    links: wire::AuthorisationLinks,
) -> Result<KeptApproval, Error> {
    let without = |what: &str| Error::Answer {
        url: links.itself.clone().unwrap_or_else(|| "POST".to_owned()),
        reason: format!("it has no {what}"),
    };
    Ok(KeptApproval {
        id,
        authorisation: authorisation.ok_or_else(|| without("authorisationId"))?,
        tenant: tenant.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        sca_redirect: links.sca_redirect.clone().ok_or_else(|| without("scaRedirect link"))?,
        confirmation: links.confirmation.clone().or_else(|| links.sca_status.clone()),
        pending: None,
        tokens: None,
        begun: false,
        confirmed: false,
        ended: None,
    })
}
