//! Devices: the first use of an API key, and the addresses that may use it (section 9).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::credentials::{bind, resolve};
use crate::error::Error;
use crate::fields::Fields;
use crate::permitted_ips::{MAX_ADDRESSES, check_ip};
use crate::records::{Kept, Record, index, look_up};
use crate::reply::{Reply, time, wrapped};

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

impl Kept for DeviceServer {
    const KIND: &'static str = "device";
}

/// `POST /device-server`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let fields = Fields::of(&body);
    let description = fields.text("description")?.to_owned();
    if description.chars().count() > MAX_DESCRIPTION {
        return Err(Error::bad(format!(
            "The field \"description\" has more than {MAX_DESCRIPTION} characters."
        )));
    }
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
    let usable = resolve(bunq, &call.ctx, secret, call.address).await?;
    let (owner, credential) = (usable.credential().owner, usable.credential().id);
    let key = format!("{}/{credential}", installation.id);
    let known = look_up::<i64>(&bunq.drawer, BY_INSTALLATION, &key).await;
    if known.map_err(|error| call.failed(error))?.is_some() {
        return Err(exists());
    }
    let id = bunq.number().await.map_err(|error| call.failed(error))?;
    let ip = call.address.to_string();
    let device = Record::new(id, owner, call.ctx.now, DeviceServer { description: description.clone(), ip });
    bind(bunq, &call.ctx, usable, (&description, call.address), &addresses)
        .await
        .map_err(|error| call.failed(error))?;
    match bunq.drawer.save(&[device.entry(), index(BY_INSTALLATION, key, &id)]).await {
        Err(gateway::Error::Conflict) => Err(exists()),
        Err(error) => Err(call.failed(error)),
        Ok(()) => Ok(Reply::id(id)),
    }
}

fn exists() -> Error {
    Error::bad("A device already exists for the current installation.")
}

fn render(device: &Record<DeviceServer>) -> Value {
    wrapped(
        "DeviceServer",
        json!({
            "id": device.id,
            "created": time(device.created),
            "updated": time(device.updated),
            "description": device.value.description,
            "ip": device.value.ip,
            "status": "ACTIVE",
        }),
    )
}

/// `GET /device-server` and `GET /device`
pub(crate) async fn list_all(call: Call) -> Result<Reply, Error> {
    let user = call.session()?.user;
    let (found, links) = call.page_of::<DeviceServer>(user).await?;
    let elements = found.iter().map(render).collect();
    Ok(Reply::page(elements, links))
}

/// `GET /device-server/{id}` and `GET /device/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let device = call.record::<DeviceServer>(call.session()?.user, call.id("id")?).await?;
    Ok(Reply::all(vec![render(&device)]))
}
