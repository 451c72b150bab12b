//! What a caller wants to be told, and pinned certificates of those who are told (section 18). Who is told when is in
//! [`crate::callbacks`].

use edge::outbound;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::certificates::refuse_private_key;
use crate::error::Error;
use crate::fields::Fields;
use crate::names::Number;
use crate::oauth_clients::check_url;
use crate::pagination::{MAX_COUNT, Page};
use crate::records::{Range, Record, find, list as list_records, look_up, write};
use crate::reply::Reply;
use crate::state::Bunq;
use crate::wire::objects::{Category, NotificationFilter, Object};
use crate::{accounts, callbacks};

/// From a user, or an account of theirs, to the filters.
pub(crate) const FILTERS: &str = "notification-filters";

/// Most targets of one category.
const MAX_TARGETS: usize = 2;

/// What is told to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filter {
    pub(crate) category: Category,
    pub(crate) target: String,
}

impl Filter {
    pub(crate) fn render(&self) -> NotificationFilter {
        NotificationFilter { category: self.category, notification_target: self.target.clone() }
    }
}

/// Filters of a user, or of one of their accounts.
async fn key(call: &Call) -> Result<String, Error> {
    let user = call.user()?;
    if call.names.account == Number::Absent {
        return Ok(format!("user/{user}"));
    }
    Ok(format!("user/{user}/account/{}", accounts::named(call).await?.id))
}

fn render(filters: &[Filter]) -> Reply {
    let element = |filter: &Filter| Object::NotificationFilterUrl(filter.render());
    Reply::page(filters.iter().map(element), Page::none())
}

/// `POST …/notification-filter-url`: replaces the list and answers it.
pub(crate) async fn replace(call: Call) -> Result<Reply, Error> {
    let key = key(&call).await?;
    let body = call.json()?;
    let mut filters: Vec<Filter> = Vec::new();
    for fields in Fields::of(&body).objects("notification_filters")? {
        let category = fields.word("category")?;
        let target = fields.text("notification_target")?;
        let target = check_url("notification_target", target)?;
        outbound::check_url(&target, &call.bunq.edge.loopback).map_err(|refused| {
            let why = refused.to_string();
            let why = why.trim_start_matches("the address ");
            Error::bad(format!("The field \"notification_target\" {why}."))
        })?;
        filters.push(Filter { category, target });
        if filters.iter().filter(|filter| filter.category == category).count() > MAX_TARGETS {
            return Err(Error::bad(format!("A category has at most {MAX_TARGETS} targets.")));
        }
    }
    if filters.is_empty() {
        callbacks::forget(&call.bunq, &key).await?;
    } else {
        callbacks::begin(&call, &key, &filters).await?;
        call.bunq.drawer.put(FILTERS, &key, &write(&filters)).await?;
    }
    call.bunq.callbacks.look_again();
    Ok(render(&filters))
}

/// `GET …/notification-filter-url`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let key = key(&call).await?;
    let filters = look_up::<Vec<Filter>>(&call.bunq.drawer, FILTERS, &key).await?;
    Ok(render(&filters.unwrap_or_default()))
}

/// A certificate that a caller's server presents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CertificatePinned {
    chain: String,
    is_deleted: bool,
}

/// The certificates in PEM that the servers of a user must present or come from, if the user pinned some.
pub(crate) async fn pinned_by(bunq: &Bunq, user: i64) -> Result<Option<String>, gateway::Error> {
    let all = list_records::<CertificatePinned>(&bunq.drawer, user, Range::Older(None), MAX_COUNT).await?;
    let pem: String =
        all.into_iter().filter(|pinned| !pinned.value.is_deleted).map(|pinned| pinned.value.chain).collect();
    Ok(Some(pem).filter(|pem| !pem.is_empty()))
}

/// `POST /user/{user}/certificate-pinned`
pub(crate) async fn pin(call: Call) -> Result<Reply, Error> {
    let user = call.user()?;
    let body = call.json()?;
    let chain = Fields::of(&body).objects("certificate_chain")?;
    if chain.is_empty() || chain.len() > 10 {
        return Err(Error::bad("The field \"certificate_chain\" must hold 1 to 10 certificates."));
    }
    let mut pem = String::new();
    for fields in chain {
        let text = fields.armoured("certificate")?;
        refuse_private_key("certificate", text)?;
        let certificate = eidas::Certificate::from_pem(text).map_err(|error| {
            Error::bad(format!("The field \"certificate\" holds no certificate in PEM: {error}."))
        })?;
        pem.push_str(&eidas::certificate::to_pem(&certificate.der));
    }
    let pinned = CertificatePinned { chain: pem, is_deleted: false };
    let pinned = call.bunq.add(&call.ctx, user, pinned).await?;
    Ok(Reply::id(pinned.id))
}

fn render_pinned(pinned: &Record<CertificatePinned>) -> Object {
    Object::CertificatePinned { id: pinned.id, certificate_chain: pinned.value.chain.clone() }
}

async fn named(call: &Call) -> Result<Record<CertificatePinned>, Error> {
    let found = find::<CertificatePinned>(&call.bunq.drawer, call.user()?, call.names.id.get()?).await?;
    found.filter(|pinned| !pinned.value.is_deleted).ok_or_else(Error::not_found)
}

/// `GET /user/{user}/certificate-pinned`
pub(crate) async fn list_pinned(call: Call) -> Result<Reply, Error> {
    let user = call.user()?;
    let (found, links) =
        call.page_of_visible::<CertificatePinned>(user, |pinned| !pinned.value.is_deleted).await?;
    Ok(Reply::page(found.iter().map(render_pinned), links))
}

/// `GET /user/{user}/certificate-pinned/{id}`
pub(crate) async fn read_pinned(call: Call) -> Result<Reply, Error> {
    Ok(Reply::one(render_pinned(&named(&call).await?)))
}

/// `DELETE /user/{user}/certificate-pinned/{id}`
pub(crate) async fn unpin(call: Call) -> Result<Reply, Error> {
    let mut pinned = named(&call).await?;
    pinned.value.is_deleted = true;
    pinned.forget_at = Some(call.ctx.now);
    pinned.save(&call.bunq.drawer).await?;
    Ok(Reply::empty())
}
