//! Links of the dialect: plain strings, relative to its prefix; those of the authorization server are absolute.

use gateway::domain::{Authorisation, Consent, Product, Scope, Tenant};

use crate::wire::AuthorisationLinks;

/// The path of a consent.
pub(crate) fn consent(tenant: &Tenant, id: &str) -> String {
    format!("/{tenant}/v1/consents/{id}")
}

/// The path of an account of a kind.
pub(crate) fn account(tenant: &Tenant, product: Product, id: &str) -> String {
    match product {
        Product::Current => format!("/{tenant}/v1/accounts/{id}"),
        Product::Savings => format!("/{tenant}/v2/savings/{id}"),
    }
}

/// Links of an authorisation that is still to be done.
pub(crate) fn authorisation(
    public_url: &str,
    consent: &Consent,
    authorisation: &Authorisation,
) -> AuthorisationLinks {
    let tenant = &consent.tenant;
    let itself = self::consent(tenant, consent.id.as_str());
    AuthorisationLinks {
        sca_oauth: Some(format!("{public_url}/auth/{tenant}/.well-known/openid-configuration")),
        sca_redirect: Some(sca_redirect(public_url, consent, authorisation)),
        status: Some(format!("{itself}/status")),
        itself: Some(itself),
        ..confirmation(consent, authorisation)
    }
}

/// Links of an authorisation that is done.
pub(crate) fn confirmation(consent: &Consent, authorisation: &Authorisation) -> AuthorisationLinks {
    let itself = self::consent(&consent.tenant, consent.id.as_str());
    let link = format!("{itself}/authorisations/{}", authorisation.id);
    AuthorisationLinks {
        sca_status: Some(link.clone()),
        confirmation: Some(link),
        ..AuthorisationLinks::default()
    }
}

/// Where the browser is sent; the third party appends `state` and its code challenge.
fn sca_redirect(public_url: &str, consent: &Consent, authorisation: &Authorisation) -> String {
    let scope = Scope { subject: authorisation.subject.clone(), offline_access: consent.recurring };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("response_type", "code")
        .append_pair("scope", &scope.to_string())
        .append_pair("client_id", consent.tpp.as_str())
        .append_pair("redirect_uri", &authorisation.redirect_uri);
    format!("{public_url}/auth/{}/v1/auth?{}", consent.tenant, query.finish())
}
