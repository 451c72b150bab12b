//! Links of the dialect: plain strings, relative to its prefix; those of the authorization server are absolute.

use gateway::domain::{
    Authorisation, PaymentProduct, PaymentService, Product, Purpose, Scope, Tenant, TppId,
};

use crate::wire::AuthorisationLinks;

/// The path of a consent.
pub(crate) fn consent(tenant: &Tenant, id: &str) -> String {
    format!("/{tenant}/v1/consents/{id}")
}

/// The path of a payment.
pub(crate) fn payment(
    tenant: &Tenant,
    (service, product): (PaymentService, PaymentProduct),
    id: &str,
) -> String {
    format!("/{tenant}/v1/{}/{}/{id}", service.name(), product.name())
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

/// Links of what has its path at `itself` and nothing to authorise.
pub(crate) fn itself(itself: &str) -> AuthorisationLinks {
    AuthorisationLinks {
        itself: Some(itself.to_owned()),
        status: Some(format!("{itself}/status")),
        ..AuthorisationLinks::default()
    }
}

/// Links of what has its path at `itself` and an authorisation that the third party is to begin.
pub(crate) fn to_start(itself: &str) -> AuthorisationLinks {
    let start = format!("{itself}/authorisations");
    AuthorisationLinks { start_authorisation: Some(start), ..self::itself(itself) }
}

/// Links of an authorisation that is done.
pub(crate) fn confirmation(itself: &str, authorisation: &Authorisation) -> AuthorisationLinks {
    let collection = match authorisation.purpose {
        Purpose::Approval => "authorisations",
        Purpose::Cancellation => "cancellation-authorisations",
    };
    let link = format!("{itself}/{collection}/{}", authorisation.id);
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
