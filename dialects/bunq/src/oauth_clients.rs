//! OAuth clients and their callback URLs (section 12).

use gateway::domain::{CustomerId, Interface, SecretHash, TppId};
use gateway::{Entry, Error as GatewayError, secret_hash};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::Call;
use crate::error::{Error, retry};
use crate::fields::Fields;
use crate::names::Number;
use crate::pagination::Page;
use crate::records::{self, Range, Record, find, index, look_up, parse, write};
use crate::reply::{Reply, time};
use crate::state::Bunq;
use crate::users::{User, number_of_provider};
use crate::wire::objects::Object;
use crate::wire::{self, CallbackUrl, ClientStatus};

/// From a client id to its user and number.
const BY_CLIENT_ID: &str = "oauth-client-by-id";

/// From a user to whether it has an active client.
const ACTIVE: &str = "active-oauth-client";

/// Longest URL, in bytes.
const MAX_URL: usize = 2000;

/// A client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OauthClient {
    pub(crate) is_active: bool,
    display_name: Option<String>,
    /// The newest comes last.
    callbacks: Vec<Callback>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Callback {
    id: i64,
    created: jiff::Timestamp,
    updated: jiff::Timestamp,
    url: String,
}

impl OauthClient {
    /// Whether browsers may be sent back to a URL: it equals a registered one, character by character.
    pub(crate) fn has_callback(&self, url: &str) -> bool {
        self.callbacks.iter().any(|callback| callback.url == url)
    }
}

/// The client with an id, while it is active.
pub(crate) async fn by_client_id(
    bunq: &Bunq,
    client_id: &str,
) -> Result<Option<Record<OauthClient>>, GatewayError> {
    let Some((user, id)) = look_up::<(i64, i64)>(&bunq.drawer, BY_CLIENT_ID, client_id).await? else {
        return Ok(None);
    };
    let client = find::<OauthClient>(&bunq.drawer, user, id).await?;
    Ok(client.filter(|client| client.value.is_active))
}

/// The secret of a client: made again from its number, so it need not be stored.
pub(crate) fn secret(bunq: &Bunq, client: &Record<OauthClient>) -> String {
    derived(bunq, "bunq client secret", client.id)
}

/// The hash of the secret of the client that a third party has now, for whoever has to know whether it is the one they keep.
pub(crate) async fn secret_of(bunq: &Bunq, tpp: &TppId) -> Result<Option<SecretHash>, GatewayError> {
    let Some(user) = number_of_provider(bunq, tpp).await? else { return Ok(None) };
    // There is none beside an active one, and none after it.
    let newest = records::list::<OauthClient>(&bunq.drawer, user, Range::Older(None), 1).await?;
    let active = newest.first().filter(|client| client.value.is_active);
    Ok(active.map(|client| secret_hash(&secret(bunq, client))))
}

fn client_id(bunq: &Bunq, id: i64) -> String {
    derived(bunq, "bunq client id", id)
}

fn derived(bunq: &Bunq, purpose: &str, id: i64) -> String {
    bunq.edge.gateway.derived_secret(purpose, &[&id.to_string()])
}

/// Whether a user has a client that is active: what keeps a second one away, also at the same moment.
struct Active {
    is_there: bool,
    entry: Entry,
}

impl Active {
    async fn of(call: &Call, user: i64) -> Result<Self, Error> {
        let key = user.to_string();
        let known = call.bunq.drawer.entry(ACTIVE, &key).await?;
        let entry = known.unwrap_or_else(|| index(ACTIVE, key, &false));
        let is_there = parse::<bool>(ACTIVE, &entry.value)?;
        Ok(Self { is_there, entry })
    }

    fn becomes(self, is_there: bool) -> Entry {
        Entry { value: write(&is_there), ..self.entry }
    }
}

/// Who the client of a user is for the bank.
fn third_party(call: &Call, user: i64) -> Result<TppId, Error> {
    let (tpp, _) = call.caller()?.client(user).ok_or_else(Error::not_found)?;
    Ok(tpp)
}

/// The user of a call that manages clients.
fn manager(call: &Call) -> Result<i64, Error> {
    let user = call.user()?;
    match call.caller()? {
        User::Key { .. } => {
            Err(Error::forbidden("OAuth clients are managed with a session of one's own key."))
        }
        User::Provider { .. } | User::Customer { .. } => Ok(user),
    }
}

/// `POST /user/{user}/oauth-client`. The body may be an object, empty, or a list with an object.
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let user = manager(&call)?;
    let empty = || Value::Object(serde_json::Map::new());
    let object = match call.any_json()? {
        None => empty(),
        Some(Value::Array(list)) => list.into_iter().next().unwrap_or_else(empty),
        Some(other) => other,
    };
    if !object.is_object() {
        return Err(Error::bad("The body must be a JSON object, or a list with one."));
    }
    let fields = Fields::of(&object);
    fields.optional_constant("status", "ACTIVE")?;
    let display_name = fields.optional_text("display_name")?.map(|name| name.chars().take(140).collect());
    let url = fields.optional_text("redirect_url")?;
    let url = url.map(|url| check_url("redirect_url", url)).transpose()?;
    let active = Active::of(&call, user).await?;
    let only_one = || Error::bad("You can only have one active OAuth Client registered.");
    if active.is_there {
        return Err(only_one());
    }
    if let User::Customer { customer } = call.caller()? {
        recognise(&call, user, customer).await?;
    }
    // What customers approved for the one before ends first: they are the same third party.
    call.bunq.edge.gateway.finish_ending(&third_party(&call, user)?).await?;
    let first = call.bunq.numbers(2).await?;
    let now = call.ctx.now;
    let callbacks = url.map(|url| Callback { id: first + 1, created: now, updated: now, url });
    let client = OauthClient { is_active: true, display_name, callbacks: callbacks.into_iter().collect() };
    let record = Record::new(first, user, now, client);
    let by_id = index(BY_CLIENT_ID, client_id(&call.bunq, record.id), &(user, record.id));
    match call.bunq.drawer.save(&[record.entry(), by_id, active.becomes(true)]).await {
        // Another one was registered at the same moment.
        Err(gateway::Error::Conflict) => Err(only_one()),
        saved => Ok(saved.map(|()| Reply::id(record.id))?),
    }
}

/// An ordinary user becomes a third party. Customers who approve their client see whose it is, whatever that calls
/// itself.
async fn recognise(call: &Call, user: i64, customer: &CustomerId) -> Result<(), GatewayError> {
    let gateway = &call.bunq.edge.gateway;
    let Some((client, roles)) = call.caller().ok().and_then(|caller| caller.client(user)) else {
        return Ok(());
    };
    let name = gateway.customer(customer).await?.name;
    gateway.recognise_customer(&call.ctx, client, (name, roles)).await
}

fn render(bunq: &Bunq, client: &Record<OauthClient>) -> Object {
    let value = &client.value;
    Object::OauthClient(wire::OauthClient {
        id: client.id,
        status: if value.is_active { ClientStatus::Active } else { ClientStatus::Cancelled },
        display_name: value.display_name.clone(),
        client_id: client_id(bunq, client.id),
        secret: secret(bunq, client),
        callback_url: value.callbacks.iter().map(render_callback).collect(),
    })
}

fn render_callback(callback: &Callback) -> CallbackUrl {
    CallbackUrl {
        id: callback.id,
        created: time(callback.created),
        updated: time(callback.updated),
        url: callback.url.clone(),
    }
}

/// `GET /user/{user}/oauth-client`
pub(crate) async fn list(call: Call) -> Result<Reply, Error> {
    let user = manager(&call)?;
    let (found, links) = call.page_of::<OauthClient>(user).await?;
    Ok(Reply::page(found.iter().map(|client| render(&call.bunq, client)), links))
}

async fn named(call: &Call, name: Number) -> Result<Record<OauthClient>, Error> {
    call.record::<OauthClient>(manager(call)?, name.get()?).await
}

async fn save(call: &Call, mut client: Record<OauthClient>) -> Result<(), Error> {
    client.updated = call.ctx.now;
    Ok(client.save(&call.bunq.drawer).await?)
}

/// `GET /user/{user}/oauth-client/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let client = named(&call, call.names.id).await?;
    Ok(Reply::one(render(&call.bunq, &client)))
}

/// What a user wants to become of a client.
#[derive(PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Wish {
    Active,
    Cancelled,
}

/// `PUT /user/{user}/oauth-client/{id}`: a cancelled client's customers have to approve anew with the next one.
pub(crate) async fn change(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let wish: Wish = Fields::of(&body).word("status")?;
    let client = retry(|| async {
        let mut client = named(&call, call.names.id).await?;
        if !client.value.is_active && wish == Wish::Active {
            return Err(Error::bad("A cancelled OAuth client cannot be used again; register another one."));
        }
        if wish == Wish::Cancelled && client.value.is_active {
            let active = Active::of(&call, client.owner).await?;
            client.value.is_active = false;
            client.updated = call.ctx.now;
            let gateway = &call.bunq.edge.gateway;
            let acting =
                gateway.may_act(&call.ctx, Interface::Bunq, &third_party(&call, client.owner)?).await?;
            let cancelled = call.bunq.drawer.changes(&[client.entry(), active.becomes(false)]);
            gateway.cancel_client(&acting, cancelled).await?;
        }
        Ok(client)
    })
    .await?;
    if wish == Wish::Cancelled {
        call.bunq.edge.gateway.finish_ending(&third_party(&call, client.owner)?).await?;
    }
    Ok(Reply::id(client.id))
}

/// Checks a URL that browsers are sent to: https, or this machine for programs on it.
///
/// # Errors
/// 400
pub(crate) fn check_url(field: &str, text: &str) -> Result<String, Error> {
    let wrong = |why: &str| Error::bad(format!("The field \"{field}\" {why}."));
    if text.len() > MAX_URL || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(wrong("must be a URL of at most 2000 characters of ASCII without blanks"));
    }
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let is_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if authority.is_empty() || authority.contains('@') || text.contains('#') {
        return Err(wrong(
            "must be a URL such as https://app.example/callback, without user name and fragment",
        ));
    }
    if text.contains(['"', '\\', '<', '>', '^', '`', '{', '|', '}', ';']) {
        return Err(wrong("has characters that must be percent-encoded in a URL"));
    }
    if scheme != "https" && !(scheme == "http" && is_local) {
        return Err(wrong("must begin with https://, or with http:// for an address of this machine"));
    }
    Ok(text.to_owned())
}

/// `POST …/oauth-client/{client}/callback-url`
pub(crate) async fn add_callback(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let url = check_url("url", Fields::of(&body).text("url")?)?;
    let (id, now) = (call.bunq.number().await?, call.ctx.now);
    let callback = Callback { id, created: now, updated: now, url };
    let max = call.bunq.edge.gateway.profile(Interface::Bunq).redirects.max_count;
    retry(|| async {
        let mut client = named(&call, call.names.client).await?;
        if client.value.has_callback(&callback.url) {
            return Err(already_registered());
        }
        if client.value.callbacks.len() >= max {
            return Err(Error::bad(format!("A client has at most {max} callback URLs.")));
        }
        client.value.callbacks.push(callback.clone());
        save(&call, client).await
    })
    .await?;
    Ok(Reply::id(id))
}

fn already_registered() -> Error {
    Error::bad("The Callback URL has already been registered for this Client.")
}

/// `GET …/oauth-client/{client}/callback-url`
pub(crate) async fn list_callbacks(call: Call) -> Result<Reply, Error> {
    let client = named(&call, call.names.client).await?;
    let callbacks = client.value.callbacks.iter().rev();
    let elements = callbacks.map(|callback| Object::OauthCallbackUrl(render_callback(callback)));
    Ok(Reply::page(elements, Page::none()))
}

/// `GET …/oauth-client/{client}/callback-url/{id}`
pub(crate) async fn read_callback(call: Call) -> Result<Reply, Error> {
    let (client, id) = (named(&call, call.names.client).await?, call.names.id.get()?);
    let callback = client.value.callbacks.iter().find(|callback| callback.id == id);
    let callback = callback.ok_or_else(Error::not_found)?;
    Ok(Reply::one(Object::OauthCallbackUrl(render_callback(callback))))
}

/// `PUT …/oauth-client/{client}/callback-url/{id}`
pub(crate) async fn change_callback(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let url = check_url("url", Fields::of(&body).text("url")?)?;
    let id = retry(|| async {
        let (mut client, id) = (named(&call, call.names.client).await?, call.names.id.get()?);
        if client.value.callbacks.iter().any(|callback| callback.url == url && callback.id != id) {
            return Err(already_registered());
        }
        let callback = client.value.callbacks.iter_mut().find(|callback| callback.id == id);
        let callback = callback.ok_or_else(Error::not_found)?;
        callback.url.clone_from(&url);
        callback.updated = call.ctx.now;
        save(&call, client).await?;
        Ok(id)
    })
    .await?;
    Ok(Reply::id(id))
}

/// `DELETE …/oauth-client/{client}/callback-url/{id}`
pub(crate) async fn delete_callback(call: Call) -> Result<Reply, Error> {
    retry(|| async {
        let (mut client, id) = (named(&call, call.names.client).await?, call.names.id.get()?);
        let before = client.value.callbacks.len();
        client.value.callbacks.retain(|callback| callback.id != id);
        if client.value.callbacks.len() == before {
            return Err(Error::not_found());
        }
        save(&call, client).await
    })
    .await?;
    Ok(Reply::empty())
}
