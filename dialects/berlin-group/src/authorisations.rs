//! Authorisation sub-resources: `…/{consent}/authorisations`, wherever what is to be authorised has its path.

use axum::Json;
use axum::extract::State;
use edge::Edge;
use gateway::AccessCredentials;
use gateway::domain::{PaymentProduct, PaymentService, Purpose, Subject, SubjectKind};

use crate::auth::{About, Signed};
use crate::consents::{Created, created};
use crate::error::Error;
use crate::{links, wire};

/// A kind of subject at its path.
pub(crate) trait SubjectPath: 'static {
    /// The kind, which decides the role that the caller needs.
    const KIND: SubjectKind;

    /// What the authorisations at the path are for.
    const PURPOSE: Purpose = Purpose::Approval;

    /// The path of one, which is its `self` link.
    ///
    /// # Errors
    /// 404 for a path that is none.
    fn link(call: &Signed, id: &str) -> Result<String, Error>;

    /// Service and product of a payment, as the path names them.
    ///
    /// # Errors
    /// 404 for a product that is not offered.
    fn product(_: &Signed) -> Result<Option<(PaymentService, PaymentProduct)>, Error> {
        Ok(None)
    }
}

/// Consents for account information.
pub(crate) struct Consents;

impl SubjectPath for Consents {
    const KIND: SubjectKind = SubjectKind::Consent;

    fn link(call: &Signed, id: &str) -> Result<String, Error> {
        Ok(links::consent(&call.ctx.tenant, id))
    }
}

/// Begins one more authorisation.
pub(crate) async fn start<K: SubjectPath>(
    State(edge): State<Edge>,
    About(call, _): About<K>,
) -> Result<Created<wire::Authorisation>, Error> {
    let subject = call.subject(K::KIND)?;
    call.no_members()?;
    let uri = call.redirect_uri()?;
    let sought = call.sought::<K>(&subject)?;
    let begun = edge.gateway.start_authorisation(&call.ctx, sought, &uri, &call.key(&edge)).await?;
    // The bank itself asks for a refresh token where the third party said that it comes back.
    let is_recurring = match &subject {
        Subject::Consent(id) => edge.gateway.consent(&call.ctx, call.tpp(), id.as_str()).await?.recurring,
        Subject::Payment(_) | Subject::FundsConsent(_) => false,
    };
    let links = links::authorisation(
        &edge.public_url,
        (&call.ctx.tenant, call.tpp().id()),
        &K::link(&call, subject.id())?,
        (&begun, is_recurring),
    );
    let link = links.sca_status.clone().unwrap_or_default();
    let body = wire::Authorisation {
        sca_status: "received".to_owned(),
        authorisation_id: Some(begun.id.to_string()),
        links,
    };
    Ok(created(&call, link, body))
}

/// Lists the authorisations of a subject.
pub(crate) async fn list<K: SubjectPath>(
    State(edge): State<Edge>,
    About(call, _): About<K>,
) -> Result<Json<wire::AuthorisationIds>, Error> {
    let subject = call.subject(K::KIND)?;
    let authorisations = edge.gateway.authorisations(&call.ctx, call.sought::<K>(&subject)?).await?;
    let authorisation_ids = authorisations.iter().map(|one| one.id.to_string()).collect();
    Ok(Json(wire::AuthorisationIds { authorisation_ids }))
}

/// Reads the status of an authorisation.
pub(crate) async fn status<K: SubjectPath>(
    State(edge): State<Edge>,
    About(call, _): About<K>,
) -> Result<Json<wire::ScaStatus>, Error> {
    let (subject, id) = (call.subject(K::KIND)?, call.id("authorisation")?);
    let found = edge.gateway.authorisation(&call.ctx, call.sought::<K>(&subject)?, &id).await?;
    let status = edge.gateway.sca_status(&call.ctx, call.tpp().interface(), &found);
    Ok(Json(wire::ScaStatus { sca_status: status.name().to_owned() }))
}

/// Confirms an authorisation with the access token that came from it.
pub(crate) async fn confirm<K: SubjectPath>(
    State(edge): State<Edge>,
    About(call, _): About<K>,
) -> Result<Json<wire::Authorisation>, Error> {
    let (subject, id) = (call.subject(K::KIND)?, call.id("authorisation")?);
    call.no_members()?;
    let certificate = call.peer_fingerprint();
    let credentials =
        AccessCredentials { tpp: call.tpp(), token: call.bearer()?, certificate: certificate.as_deref() };
    let which = (call.sought::<K>(&subject)?, id.as_str());
    let confirmed = edge.gateway.confirm_authorisation(&call.ctx, credentials, which).await?;
    let status = edge.gateway.sca_status(&call.ctx, call.tpp().interface(), &confirmed);
    Ok(Json(wire::Authorisation {
        sca_status: status.name().to_owned(),
        authorisation_id: Some(confirmed.id.to_string()),
        links: links::confirmation(&K::link(&call, subject.id())?, &confirmed),
    }))
}
