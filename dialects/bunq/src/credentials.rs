//! API keys: how a certificate becomes one, which addresses may use it, and when it is lost (sections 6.2, 8, 9.3).

use std::net::IpAddr;

use gateway::domain::{GrantId, Interface, REMEMBERED, Refusal, SecretHash, Timestamp};
use gateway::{ActingTpp, Ctx, Usage};
use serde::{Deserialize, Serialize};

use crate::call::{Call, note_user};
use crate::certificates::{Accepted, accept, bind_key};
use crate::error::{Error, sentence};
use crate::fields::Fields;
use crate::lives::{APPROVAL, until};
use crate::names::Number;
use crate::permitted_ips::ANY;
use crate::records::{Record, find, index_until, key_of, look_up};
use crate::reply::{Reply, time};
use crate::sessions::Session;
use crate::signatures::is_sealed;
use crate::state::Bunq;
use crate::users::{self, User};
use crate::wire::CredentialPasswordIp;
use crate::wire::objects::{self, Object, State};

/// From the hash of an API key to its user and the credential's number.
const BY_KEY: &str = "credential-by-key";

/// An API key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Credential {
    /// Until when it waits for its first device; none once it was used, or if it waits for ever.
    expires_at: Option<Timestamp>,
    /// The first device.
    device: Option<Device>,
    /// Addresses that may use it; none until the first device says so.
    pub(crate) addresses: Vec<Address>,
    /// Whether a session was opened with it.
    pub(crate) has_session: bool,
    /// The customer's approval that it stands for; none for a key of the user's own.
    pub(crate) grant: Option<GrantId>,
    /// Fingerprint of the certificate that it was given for; none for keys that were given for none.
    #[serde(default)]
    certificate: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Device {
    description: String,
    ip: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) id: i64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) ip: String,
    pub(crate) is_active: bool,
}

impl Credential {
    fn new(expires_at: Option<Timestamp>, grant: Option<GrantId>) -> Self {
        Self { expires_at, device: None, addresses: Vec::new(), has_session: false, grant, certificate: None }
    }

    fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_string();
        let fits = |known: &Address| known.is_active && (known.ip == ANY || known.ip == address);
        self.addresses.is_empty() || self.addresses.iter().any(fits)
    }

    /// Whether a device came with it, which binds it to addresses.
    pub(crate) fn has_device(&self) -> bool {
        self.device.is_some()
    }

    fn is_expired_at(&self, now: Timestamp) -> bool {
        self.device.is_none() && self.expires_at.is_some_and(|at| now >= at)
    }
}

/// A credential that may be used now, with its user. Only [`resolve`] makes one.
pub(crate) struct Usable {
    credential: Record<Credential>,
    user: Record<User>,
}

impl Usable {
    /// The credential.
    pub(crate) fn credential(&self) -> &Record<Credential> {
        &self.credential
    }

    /// Whose it is.
    pub(crate) fn user(&self) -> &Record<User> {
        &self.user
    }

    /// The credential, to be changed.
    pub(crate) fn into_credential(self) -> Record<Credential> {
        self.credential
    }
}

/// The third party that acts with a credential of a user: on the word of the certificate that an API key was given for,
/// or for a customer on the word of the newest one. None for a customer in person.
///
/// # Errors
/// [`gateway::domain::StandingRefusal`]
pub(crate) async fn acting(
    bunq: &Bunq,
    ctx: &Ctx,
    (user, credential): (&User, &Credential),
    usage: Usage,
) -> Result<Option<ActingTpp>, gateway::Error> {
    let (gateway, interface) = (&bunq.edge.gateway, Interface::Bunq);
    if let Some(certificate) = &credential.certificate {
        edge::note_signing_certificate(edge::ShownCertificate::Fingerprint(certificate.clone()));
    }
    let acting = match (user, &credential.certificate) {
        (User::Customer { .. }, _) => return Ok(None),
        (User::Provider { tpp, .. }, Some(certificate)) => {
            gateway.may_act_by_key(ctx, interface, (tpp, certificate), usage).await
        }
        (User::Provider { tpp, .. } | User::Key { tpp, .. }, _) => {
            gateway.may_act_so(ctx, interface, tpp, usage).await
        }
    };
    acting.map(Some)
}

/// The credential behind an API key or access token that may be used from where a call comes from, by somebody who may act and does
/// not call too often.
///
/// # Errors
/// 400, the same whatever is wrong with the secret; 429
pub(crate) async fn resolve(call: &Call, secret: &str) -> Result<Usable, Error> {
    let (bunq, ctx) = (&call.bunq, &call.ctx);
    // Whoever has the secret is told why it is of no use.
    let useless = |error| match error {
        gateway::Error::Refused(Refusal::Standing(refusal)) => Error::bad(sentence(&refusal.to_string())),
        other => other.into(),
    };
    let hash = gateway::secret_hash(secret);
    let known: Option<(i64, i64)> = look_up(&bunq.drawer, BY_KEY, hash.as_hex()).await?;
    let credential = match known {
        Some((user, id)) => find::<Credential>(&bunq.drawer, user, id).await?,
        None => of_access_token(bunq, ctx, secret, &hash).await.map_err(useless)?,
    };
    let credential = credential.ok_or_else(Error::credentials)?;
    let user = users::find(bunq, credential.owner).await?.ok_or_else(Error::credentials)?;
    note_user(&user.value);
    let usable = !credential.value.is_expired_at(ctx.now) && credential.value.permits(call.address);
    if !usable {
        return Err(Error::credentials());
    }
    let of = (&user.value, &credential.value);
    let acting = acting(bunq, ctx, of, Usage::Changes).await.map_err(useless)?;
    if let Some(acting) = &acting {
        call.is_of(acting)?;
    }
    if let Some(grant) = &credential.value.grant {
        let acting = acting.ok_or_else(Error::credentials)?;
        match bunq.edge.gateway.check_grant(ctx, &acting, grant).await {
            Err(gateway::Error::Refused(_) | gateway::Error::NotFound(_)) => return Err(Error::credentials()),
            other => other?,
        };
    }
    Ok(Usable { credential, user })
}

/// An access token is an API key of a user of its own.
async fn of_access_token(
    bunq: &Bunq,
    ctx: &Ctx,
    secret: &str,
    hash: &SecretHash,
) -> Result<Option<Record<Credential>>, gateway::Error> {
    let is_ours = secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_ours {
        return Ok(None);
    }
    let grant = match bunq.edge.gateway.access_token(ctx, Interface::Bunq, secret, None).await {
        Err(gateway::Error::Refused(Refusal::Grant(_))) => return Ok(None),
        found => found?.1,
    };
    let provider = users::number_of_provider(bunq, &grant.client).await?;
    let Some(provider) = provider else { return Ok(None) };
    let customer = users::number_of_customer(bunq, ctx, &grant.customer).await?;
    let user = User::Key {
        tpp: grant.client.clone(),
        grant: grant.id.clone(),
        provider,
        granted_by: customer,
        customer: grant.customer.clone(),
        is_ordinary: users::ordinary_user(&grant.client).is_some(),
    };
    let user = users::number(bunq, ctx, &format!("grant:{}", grant.id), || user.clone()).await?;
    add(bunq, ctx, user, hash, Credential::new(None, Some(grant.id))).await.map(Some)
}

/// Keeps a credential under the hash of its key. If the key is there already, that credential is returned.
async fn add(
    bunq: &Bunq,
    ctx: &Ctx,
    user: i64,
    hash: &SecretHash,
    credential: Credential,
) -> Result<Record<Credential>, gateway::Error> {
    // What stands for an approval ends with it; a customer's own key does not.
    let forget_at = credential.grant.as_ref().and_then(|_| until(ctx.now, APPROVAL));
    let mut record = Record::new(bunq.number().await?, user, ctx.now, credential).until(forget_at);
    let entries = [record.entry(), index_until(BY_KEY, hash.as_hex(), &(user, record.id), forget_at)];
    match bunq.drawer.save(&entries).await {
        Err(gateway::Error::Conflict) => {
            let known: Option<(i64, i64)> = look_up(&bunq.drawer, BY_KEY, hash.as_hex()).await?;
            let (user, id) = known.ok_or(gateway::Error::Conflict)?;
            find(&bunq.drawer, user, id).await?.ok_or(gateway::Error::Conflict)
        }
        done => {
            done?;
            record.version = 1;
            Ok(record)
        }
    }
}

/// The API key of a customer of a bank for tests: the same whenever it is asked for, and kept as a hash alone.
pub(crate) async fn key_of_customer(bunq: &Bunq, ctx: &Ctx, user: i64) -> Result<String, gateway::Error> {
    let secret = bunq.edge.gateway.derived_secret("bunq customer key", &[&user.to_string()]);
    let key = format!("sandbox_{}", &secret[..56]);
    let hash = gateway::secret_hash(&key);
    if look_up::<(i64, i64)>(&bunq.drawer, BY_KEY, hash.as_hex()).await?.is_none() {
        add(bunq, ctx, user, &hash, Credential::new(None, None)).await?;
    }
    Ok(key)
}

/// The first device binds the key to addresses; later ones have to come from these. Of two that are first at once, one
/// is.
pub(crate) async fn bind(
    bunq: &Bunq,
    ctx: &Ctx,
    usable: Usable,
    (description, address): (&str, IpAddr),
    addresses: &[String],
) -> Result<(), gateway::Error> {
    let mut credential = usable.into_credential();
    if credential.value.device.is_some() {
        return Ok(());
    }
    let first = bunq.numbers(i64::try_from(addresses.len()).unwrap_or(1).max(1)).await?;
    loop {
        let device = Device { description: description.to_owned(), ip: address.to_string() };
        credential.value.device = Some(device);
        credential.value.addresses = addresses
            .iter()
            .zip(first..)
            .map(|(ip, id)| Address {
                id,
                created: ctx.now,
                updated: ctx.now,
                ip: ip.clone(),
                is_active: true,
            })
            .collect();
        credential.updated = ctx.now;
        match credential.save(&bunq.drawer).await {
            Err(gateway::Error::Conflict) => {}
            done => return done,
        }
        let newer = find::<Credential>(&bunq.drawer, credential.owner, credential.id).await?;
        match newer {
            Some(newer) if newer.value.device.is_none() => credential = newer,
            _ => return Ok(()),
        }
    }
}

/// The credential that opened a session, which may be used from an address.
///
/// # Errors
/// 400
pub(crate) async fn check_address(
    bunq: &Bunq,
    session: &Session,
    address: IpAddr,
) -> Result<Record<Credential>, Error> {
    let credential = find::<Credential>(&bunq.drawer, session.user, session.credential).await?;
    match credential {
        Some(credential) if credential.value.permits(address) => Ok(credential),
        _ => Err(Error::credentials()),
    }
}

/// `POST /payment-service-provider-credential`
pub(crate) async fn create(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let fields = Fields::of(&body);
    let leaf = fields.certificates("client_payment_service_provider_certificate")?;
    let chain = fields.certificates("client_payment_service_provider_certificate_chain")?;
    let signature = fields.armoured("client_public_key_signature")?;
    let (bunq, installation) = (&call.bunq, call.installation()?);
    let accepted = accept(&bunq.edge.gateway, &call.ctx, leaf, chain).await?;
    let holder = accepted.holder();
    edge::note_third_party(&holder.tpp);
    edge::note_signing_certificate(edge::ShownCertificate::Fingerprint(holder.fingerprint.clone()));
    let token = call.headers.get("x-bunq-client-authentication").and_then(|token| token.to_str().ok());
    let texts = (installation.canonical.as_str(), installation.received.as_str());
    if !is_sealed(&accepted.key, texts, token.unwrap_or_default(), signature) {
        edge::note_failed(edge::Check::Signature);
        return Err(Error::about_keys(
            "The field \"client_public_key_signature\" is wrong: sign the public key of the installation in PEM, \
             ending in one line feed, followed by the installation token without a line feed, with the private key \
             of the certificate (SHA-256, PKCS #1 v1.5), and send it as base64.",
            "The field \"client_public_key_signature\" is wrong.",
        ));
    }
    edge::note_authenticated();
    if users::number_of_provider(bunq, &accepted.holder().tpp).await?.is_none() {
        bunq.new_providers.take(call.ctx.now, call.address)?;
    }
    if accepted.is_pseudo {
        bind_key(bunq, &accepted).await?;
    }
    let acting = bunq.edge.gateway.recognise(&call.ctx, Interface::Bunq, &accepted.identity).await?;
    call.is_of(&acting)?;
    Ok(make_key(&call, &acting, &accepted).await?)
}

async fn make_key(call: &Call, acting: &ActingTpp, accepted: &Accepted) -> Result<Reply, gateway::Error> {
    let (bunq, ctx) = (&call.bunq, &call.ctx);
    let user = users::number_of(bunq, ctx, User::provider(accepted, acting.id().clone())).await?;
    let expires_at = ctx.now.saturating_add(bunq.rules().first_use).unwrap_or(ctx.now);
    let certificate = Some(accepted.holder().fingerprint.clone());
    let credential = Credential { certificate, ..Credential::new(Some(expires_at), None) };
    let record = Record::new(bunq.number().await?, user, ctx.now, credential);
    let forget_at = until(expires_at, REMEMBERED);
    let record = record.until(forget_at);
    let hash = gateway::secret_hash(&secret(bunq, &record));
    let by_key = index_until(BY_KEY, hash.as_hex(), &(user, record.id), forget_at);
    bunq.drawer.save(&[record.entry(), by_key]).await?;
    Ok(Reply::one(render(bunq, &record, ctx.now)))
}

/// Under what the credential of a key is kept.
pub(crate) fn keys(secret: &str, (owner, id): (i64, i64)) -> [(&'static str, String); 2] {
    [key_of::<Credential>(owner, id), (BY_KEY, gateway::secret_hash(secret).as_hex().to_owned())]
}

/// The key itself is made again from the credential's number, so it need not be stored.
fn secret(bunq: &Bunq, credential: &Record<Credential>) -> String {
    let parts = [credential.owner.to_string(), credential.id.to_string()];
    bunq.edge.gateway.derived_secret("bunq provider key", &[&parts[0], &parts[1]])
}

fn render(bunq: &Bunq, credential: &Record<Credential>, now: Timestamp) -> Object {
    let value = &credential.value;
    let is_pending = value.device.is_none() && value.expires_at.is_some() && !value.is_expired_at(now);
    let status = match () {
        () if is_pending => State::PendingFirstUse,
        () if value.is_expired_at(now) => State::Expired,
        () => State::Active,
    };
    let device =
        |device: &Device| objects::Device { description: device.description.clone(), ip: device.ip.clone() };
    Object::CredentialPasswordIp(credential.stamped(objects::Credential {
        status,
        key: CredentialPasswordIp {
            token_value: is_pending.then(|| secret(bunq, credential)),
            expiry_time: value.expires_at.filter(|_| is_pending).map(time),
        },
        permitted_device: value.device.as_ref().map(device),
    }))
}

/// The credential that a path names, of the session's user.
pub(crate) async fn named(call: &Call, owner: i64, name: Number) -> Result<Record<Credential>, Error> {
    call.record::<Credential>(owner, name.get()?).await
}

/// `GET /payment-service-provider-credential/{id}`
pub(crate) async fn read_own(call: Call) -> Result<Reply, Error> {
    let credential = named(&call, call.session()?.user, call.names.id).await?;
    Ok(Reply::one(render(&call.bunq, &credential, call.ctx.now)))
}

/// `GET /user/{user}/credential-password-ip`
pub(crate) async fn list_all(call: Call) -> Result<Reply, Error> {
    let user = call.user()?;
    let (found, links) = call.page_of::<Credential>(user).await?;
    Ok(Reply::page(found.iter().map(|record| render(&call.bunq, record, call.ctx.now)), links))
}

/// `GET /user/{user}/credential-password-ip/{id}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let credential = named(&call, call.user()?, call.names.id).await?;
    Ok(Reply::one(render(&call.bunq, &credential, call.ctx.now)))
}
