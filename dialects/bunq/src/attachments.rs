//! Pictures that users upload, and avatars made of them (section 17).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edge::header_text;
use gateway::Entry;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::error::{Error, retry};
use crate::fields::Fields;
use crate::records::{index, look_up, parse, write};
use crate::reply::{Reply, time};
use crate::wire::objects::{self, AttachmentPublic, IMAGE, Image, Object};

const ATTACHMENT: &str = "attachment";
const AVATAR: &str = "avatar";

/// From a user to how many pictures it uploaded, and what it could do at most.
const PICTURES: (&str, &str) = ("attachment-count", "upload 100 pictures");

/// The same of avatars.
const AVATARS: (&str, &str) = ("avatar-count", "make 100 avatars");

/// Most pictures and most avatars of one user: they are kept for ever.
const MOST: i64 = 100;

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
    let uuid = call.bunq.edge.gateway.new_secret_uuid();
    let attachment = Attachment {
        user,
        created: call.ctx.now,
        content_type,
        description,
        content: STANDARD.encode(&call.body),
    };
    keep(&call, PICTURES, index(ATTACHMENT, uuid.clone(), &attachment)).await?;
    Ok(Reply::uuid(uuid))
}

/// Keeps something of a user and counts it, in one write: so many of a kind, however many come at once.
async fn keep(call: &Call, (count, what): (&'static str, &str), kept: Entry) -> Result<(), Error> {
    let (drawer, user) = (&call.bunq.drawer, call.session()?.user.to_string());
    retry(|| async {
        let known = drawer.entry(count, &user).await?;
        let known = known.unwrap_or_else(|| index(count, user.as_str(), &0));
        let number = parse::<i64>(count, &known.value)?;
        if number >= MOST {
            return Err(Error::bad(format!("A user can {what}.")));
        }
        let counted = Entry { value: write(&(number + 1)), ..known };
        Ok(drawer.save(&[kept.clone(), counted]).await?)
    })
    .await
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
    keep(&call, AVATARS, index(AVATAR, uuid.clone(), &avatar)).await?;
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
