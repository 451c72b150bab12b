//! Pictures that users upload, and avatars made of them (section 17).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edge::header_text;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::error::Error;
use crate::fields::Fields;
use crate::records::{index, look_up, parse, write};
use crate::reply::{Reply, time};
use crate::wire::objects::{self, AttachmentPublic, IMAGE, Image, Object};

const ATTACHMENT: &str = "attachment";
const AVATAR: &str = "avatar";

/// From a user to how many pictures it uploaded.
const COUNT: &str = "attachment-count";

/// Most pictures of one user: they are kept for ever.
const MAX_ATTACHMENTS: i64 = 100;

/// Types of pictures.
const TYPES: [&str; 3] = ["image/png", "image/jpeg", "image/gif"];

/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 500;

#[derive(Serialize, Deserialize)]
struct Attachment {
    user: i64,
    created: jiff::Timestamp,
    content_type: String,
    description: String,
    content: String,
}

#[derive(Serialize, Deserialize)]
struct Avatar {
    user: i64,
    attachment: String,
    content_type: String,
}

/// `POST /attachment-public`: the body is the picture.
pub(crate) async fn upload(call: Call) -> Result<Reply, Error> {
    let text = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = text("content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !TYPES.contains(&content_type.as_str()) {
        return Err(Error::bad(format!("The header \"Content-Type\" must be one of {}.", TYPES.join(", "))));
    }
    let description = header_text(&call.headers, "x-bunq-attachment-description");
    let wrong = |what: &str| {
        Error::bad(format!(
            "The header \"X-Bunq-Attachment-Description\" {what}, in at most {MAX_DESCRIPTION} characters."
        ))
    };
    let description = description.map_err(|_| wrong("must be there once, as ASCII text"))?;
    let description = description.map(str::trim).filter(|text| !text.is_empty());
    let description = description.ok_or_else(|| wrong("is required"))?.to_owned();
    if description.len() > MAX_DESCRIPTION {
        return Err(wrong(&format!("has {} characters; send it", description.len())));
    }
    if call.body.is_empty() {
        return Err(Error::bad("The body is empty; send the octets of the picture."));
    }
    let user = call.session()?.user;
    count(&call, user).await?;
    let uuid = call.bunq.edge.gateway.new_secret_uuid();
    let attachment = Attachment {
        user,
        created: call.ctx.now,
        content_type,
        description,
        content: STANDARD.encode(&call.body),
    };
    call.bunq.drawer.save(&[index(ATTACHMENT, uuid.clone(), &attachment)]).await?;
    Ok(Reply::uuid(uuid))
}

/// Counts one more picture of a user.
async fn count(call: &Call, user: i64) -> Result<(), Error> {
    let (drawer, user) = (&call.bunq.drawer, user.to_string());
    let known = look_up::<i64>(drawer, COUNT, &user).await?;
    if known.unwrap_or(0) >= MAX_ATTACHMENTS {
        return Err(Error::bad(format!("A user can upload {MAX_ATTACHMENTS} pictures.")));
    }
    let one_more = |known: Option<&str>| {
        let known = known.map(|text| parse::<i64>(COUNT, text)).transpose().ok()?;
        Some(write(&(known.unwrap_or(0) + 1)))
    };
    drawer.update(COUNT, &user, one_more).await?;
    Ok(())
}

async fn attachment(call: &Call, uuid: &str) -> Result<Attachment, Error> {
    look_up::<Attachment>(&call.bunq.drawer, ATTACHMENT, uuid).await?.ok_or_else(Error::not_found)
}

/// `GET /attachment-public/{uuid}`
pub(crate) async fn read(call: Call) -> Result<Reply, Error> {
    let uuid = &call.names.uuid;
    let attachment = attachment(&call, uuid).await?;
    let Attachment { description, content_type, created, .. } = attachment;
    Ok(Reply::one(Object::AttachmentPublic(AttachmentPublic {
        uuid: uuid.to_owned(),
        created: time(created),
        updated: time(created),
        attachment: objects::Attachment { description, content_type },
    })))
}

/// `GET /attachment-public/{uuid}/content`
pub(crate) async fn content(call: Call) -> Result<Reply, Error> {
    let attachment = attachment(&call, &call.names.uuid).await?;
    let octets = STANDARD.decode(&attachment.content).map_err(|_| Error::not_found())?;
    Ok(Reply::content(octets.into(), &attachment.content_type))
}

/// `POST /avatar`
pub(crate) async fn make_avatar(call: Call) -> Result<Reply, Error> {
    let body = call.json()?;
    let uuid = Fields::of(&body).text("attachment_public_uuid")?;
    let picture = look_up::<Attachment>(&call.bunq.drawer, ATTACHMENT, uuid).await?;
    let user = call.session()?.user;
    let picture = picture.filter(|picture| picture.user == user).ok_or_else(|| {
        Error::bad("The field \"attachment_public_uuid\" names no picture that was uploaded by this user.")
    })?;
    let avatar = Avatar { user, attachment: uuid.to_owned(), content_type: picture.content_type };
    let uuid = call.bunq.edge.gateway.new_secret_uuid();
    call.bunq.drawer.save(&[index(AVATAR, uuid.clone(), &avatar)]).await?;
    Ok(Reply::uuid(uuid))
}

/// `GET /avatar/{uuid}`
pub(crate) async fn read_avatar(call: Call) -> Result<Reply, Error> {
    let uuid = &call.names.uuid;
    let avatar = look_up::<Avatar>(&call.bunq.drawer, AVATAR, uuid).await?.ok_or_else(Error::not_found)?;
    let Avatar { attachment: attachment_public_uuid, content_type, .. } = avatar;
    let image = [Image { attachment_public_uuid, content_type, unsaid: IMAGE }];
    Ok(Reply::one(Object::Avatar { uuid: uuid.to_owned(), image }))
}
