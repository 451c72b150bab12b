//! Devices: the first use of an API key, and the addresses that may use it (section 9).

use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::credentials::{self, bind, resolve};
use crate::error::Error;
use crate::fields::Fields;
use crate::lives::{IN_USE, until};
use crate::permitted_ips::{MAX_ADDRESSES, check_ip};
use crate::records::{Record, index_until, key_of, look_up};
use crate::reply::Reply;
use crate::state::Bunq;
use crate::wire::objects::{self, Device, Object, State};

/// From an installation and the credential of a key to the device.
const BY_INSTALLATION: &str = "device-by-installation";

/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 500;

/// A device that was registered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeviceServer {
    description: String,
    ip: String,
}

/// `POST /device-server`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let fields = Fields::of(&body);
    let description = fields.short_text("description", MAX_DESCRIPTION)?.to_owned();
    let secret = fields.text("secret")?;
    let mut addresses = Vec::new();
    for text in fields.optional_texts("permitted_ips")?.unwrap_or_default() {
        addresses.push(check_ip(text)?);
    }
    if addresses.len() > MAX_ADDRESSES {
        return Err(Error::bad(format!(
            "The field \"permitted_ips\" has more than {MAX_ADDRESSES} addresses."
        )));
    }
    if addresses.is_empty() {
        addresses.push(call.address.to_string());
    }
    let (bunq, installation) = (&call.bunq, call.installation()?);
    let usable = resolve(&call, secret).await?;
    let (owner, credential) = (usable.credential().owner, usable.credential().id);
    let is_own = usable.credential().value.grant.is_none();
    let key = format!("{}/{credential}", installation.id);
    if look_up::<i64>(&bunq.drawer, BY_INSTALLATION, &key).await?.is_some() {
        return Err(exists());
    }
    let id = bunq.number().await?;
    let ip = call.address.to_string();
    let device = Record::new(id, owner, call.ctx.now, DeviceServer { description: description.clone(), ip });
    let device = device.until(until(call.ctx.now, IN_USE));
    bind(bunq, &call.ctx, usable, (&description, call.address), &addresses).await?;
    if let Some(until) = device.forget_at.filter(|_| is_own) {
        bunq.drawer.keep(&credentials::keys(secret, (owner, credential)), until).await?;
    }
    let by_installation = index_until(BY_INSTALLATION, key, &id, device.forget_at);
    match bunq.drawer.save(&[device.entry(), by_installation]).await {
        Err(gateway::Error::Conflict) => Err(exists()),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(Reply::id(id)),
    }
}

/// Under what the device of an installation and a credential is kept, if there is one.
pub(crate) async fn keys(
    bunq: &Bunq,
    installation: i64,
    (owner, credential): (i64, i64),
) -> Result<Vec<(&'static str, String)>, gateway::Error> {
    let key = format!("{installation}/{credential}");
    let device = look_up::<i64>(&bunq.drawer, BY_INSTALLATION, &key).await?;
    Ok(device.map_or_else(Vec::new, |id| vec![key_of::<DeviceServer>(owner, id), (BY_INSTALLATION, key)]))
}

fn exists() -> Error {
    Error::bad("A device already exists for the current installation.")
}

fn render(record: &Record<DeviceServer>) -> Object {
    let DeviceServer { description, ip } = record.value.clone();
    let device = Device { description, ip };
    Object::DeviceServer(record.stamped(objects::DeviceServer { device, status: State::Active }))
}

/// `GET /device-server` and `GET /device`
pub(crate) async fn list_all(call: Call) -> Result<Reply, Error> {
    let user = call.session()?.user;
    let (found, links) = call.page_of::<DeviceServer>(user).await?;
    Ok(Reply::page(found.iter().map(render), links))
}

/// `GET /device-server/{id}` and `GET /device/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let device = call.record::<DeviceServer>(call.session()?.user, call.names.id.get()?).await?;
    Ok(Reply::one(render(&device)))
}
