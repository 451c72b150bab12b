//! Permitted addresses: from where an API key may be used (section 9.3).

use std::net::IpAddr;

use serde::Deserialize;

use crate::call::Call;
use crate::credentials::{Address, named};
use crate::error::{Error, retry};
use crate::fields::Fields;
use crate::pagination::Page;
use crate::records::stamped;
use crate::reply::Reply;
use crate::wire::objects::{Object, PermittedIp, State};

/// Any address.
pub(crate) const ANY: &str = "*";

/// Most addresses of one key.
pub(crate) const MAX_ADDRESSES: usize = 100;

/// Whether an address is to be permitted.
#[derive(PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Wish {
    Active,
    Inactive,
}

fn render(address: &Address) -> Object {
    let status = if address.is_active { State::Active } else { State::Inactive };
    let times = (address.created, address.updated);
    Object::PermittedIp(stamped(address.id, times, PermittedIp { ip: address.ip.clone(), status }))
}

/// `GET /user/{user}/credential-password-ip/{credential}/ip`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let credential = named(&call, call.user()?, call.names.credential).await?;
    Ok(Reply::page(credential.value.addresses.iter().rev().map(render), Page::none()))
}

/// `GET /user/{user}/credential-password-ip/{credential}/ip/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let (credential, id) = (named(&call, call.user()?, call.names.credential).await?, call.names.id.get()?);
    let address = credential.value.addresses.iter().find(|address| address.id == id);
    Ok(Reply::one(render(address.ok_or_else(Error::not_found)?)))
}

/// `POST /user/{user}/credential-password-ip/{credential}/ip`
pub(crate) async fn add(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let fields = Fields::of(&body);
    let ip = check_ip(fields.text("ip")?)?;
    let is_active = fields.optional_word("status")? != Some(Wish::Inactive);
    let (id, now) = (call.bunq.number().await?, call.ctx.now);
    let address = Address { id, created: now, updated: now, ip, is_active };
    retry(|| async {
        let mut credential = named(&call, call.user()?, call.names.credential).await?;
        if credential.value.addresses.len() >= MAX_ADDRESSES {
            return Err(Error::bad(format!("A key has at most {MAX_ADDRESSES} addresses.")));
        }
        credential.value.addresses.push(address.clone());
        Ok(credential.save(&call.bunq.drawer).await?)
    })
    .await?;
    Ok(Reply::id(id))
}

/// `PUT /user/{user}/credential-password-ip/{credential}/ip/{id}`
pub(crate) async fn change(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let wish: Wish = Fields::of(&body).word("status")?;
    let id = retry(|| async {
        let mut credential = named(&call, call.user()?, call.names.credential).await?;
        let id = call.names.id.get()?;
        let address = credential.value.addresses.iter_mut().find(|address| address.id == id);
        let address = address.ok_or_else(Error::not_found)?;
        address.is_active = wish == Wish::Active;
        address.updated = call.ctx.now;
        credential.save(&call.bunq.drawer).await?;
        Ok(id)
    })
    .await?;
    Ok(Reply::id(id))
}

/// Reads an address: IPv4, IPv6, or the star for any.
///
/// # Errors
/// 400
pub(crate) fn check_ip(text: &str) -> Result<String, Error> {
    if text == ANY {
        return Ok(text.to_owned());
    }
    let address = text.parse::<IpAddr>().map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        Error::bad(format!("\"{shown}\" is no IP address; send one such as 192.0.2.1, or \"*\" for any."))
    })?;
    Ok(address.to_canonical().to_string())
}
