//! Links of the dialect: plain strings, relative to its prefix; those of the authorization server are absolute.

use gateway::domain::{Authorisation, Product, Scope, Tenant, TppId};

use crate::wire::AuthorisationLinks;

/// The path of a consent.
pub(crate) fn consent(tenant: &Tenant, id: &str) -> String {
    format!("/{tenant}/v1/consents/{id}")
}

/// The path of a consent for confirmation of funds.
pub(crate) fn funds_consent(tenant: &Tenant, id: &str) -> String {
    format!("/{tenant}/v2/consents/confirmation-of-funds/{id}")
}

/// The path of an account of a kind.
pub(crate) fn account(tenant: &Tenant, product: Product, id: &str) -> String {
    match product {
        Product::Current => format!("/{tenant}/v1/accounts/{id}"),
        Product::Savings => format!("/{tenant}/v2/savings/{id}"),
    }
}

/// Links of an authorisation that is still to be done, of what has its path at `itself`.
pub(crate) fn authorisation(
    public_url: &str,
    (tenant, client): (&Tenant, &TppId),
    itself: &str,
    (authorisation, offline_access): (&Authorisation, bool),
) -> AuthorisationLinks {
    let scope = Scope { subject: authorisation.subject.clone(), offline_access };
    AuthorisationLinks {
        sca_oauth: Some(format!("{public_url}/auth/{tenant}/.well-known/openid-configuration")),
        sca_redirect: Some(format!(
            "{public_url}/auth/{tenant}/v1/auth?{}",
            redirect_query(client, &scope, &authorisation.redirect_uri)
        )),
        status: Some(format!("{itself}/status")),
        itself: Some(itself.to_owned()),
        ..confirmation(itself, authorisation)
    }
}

/// Links of an authorisation that is done.
pub(crate) fn confirmation(itself: &str, authorisation: &Authorisation) -> AuthorisationLinks {
    let link = format!("{itself}/authorisations/{}", authorisation.id);
    AuthorisationLinks {
        sca_status: Some(link.clone()),
        confirmation: Some(link),
        ..AuthorisationLinks::default()
    }
}

/// With what the browser is sent; the third party appends `state` and its code challenge.
fn redirect_query(client: &TppId, scope: &Scope, redirect_uri: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("scope", &scope.to_string())
        .append_pair("client_id", client.as_str())
        .append_pair("redirect_uri", redirect_uri)
        .finish()
}
