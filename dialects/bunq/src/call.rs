//! Who calls: the checks in the order of section 19.5 of the interface description, then what a handler needs.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use bytes::Bytes;
use edge::{
    Check, Connection, MAX_BODY, Rejected, SMALL_BODY, header_text, media_type, note_authenticated,
    note_check, note_failed, note_passed, note_signed, note_subject, read_any_json, read_body, single_header,
};
use gateway::domain::{Interface, Payment, PaymentId, SecretHash, Subject, TppId};
use gateway::{ActingTpp, CallPlace, Ctx, Entry, PaymentRequest, Usage};
use http::HeaderMap;
use serde_json::Value;

use crate::credentials::{acting, check_address};
use crate::error::Error;
use crate::installations::Installation;
use crate::names::Names;
use crate::pagination::Page;
use crate::records::{Kept, Range, Record, find, list};
use crate::routes::{Route, Signed, TokenKind};
use crate::sessions::{self, Session};
use crate::signatures::verify;
use crate::state::Bunq;
use crate::users::{self, User};
use crate::wire::Pagination;

/// A call as it came in.
pub(crate) struct Incoming {
    pub(crate) ctx: Ctx,
    pub(crate) connection: Connection,
    pub(crate) headers: HeaderMap,
    pub(crate) names: Names,
    pub(crate) query: Vec<(String, String)>,
    /// The path from `/v1` on.
    pub(crate) path: String,
    /// Not read yet.
    pub(crate) body: Body,
}

/// A call that has passed every check about who sent it.
pub(crate) struct Call {
    pub(crate) bunq: Arc<Bunq>,
    pub(crate) ctx: Ctx,
    pub(crate) headers: HeaderMap,
    pub(crate) names: Names,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) path: String,
    pub(crate) body: Bytes,
    pub(crate) address: IpAddr,
    pub(crate) is_signed: bool,
    installation: Option<Arc<Installation>>,
    caller: Option<Caller>,
    /// The place of a call without a session, once it is known who calls.
    place: OnceLock<CallPlace>,
}

/// Whose session a call comes in, after every check.
struct Caller {
    token: SecretHash,
    session: Session,
    user: User,
    /// The third party that acts; none for a customer in person.
    acting: Option<ActingTpp>,
    /// Its place among the calls that are answered, where they have a limit.
    _place: Option<CallPlace>,
}

impl Caller {
    /// Checks where a session's call comes from, and that its third party may act, in person or by its grant.
    async fn admit(
        bunq: &Bunq,
        ctx: &Ctx,
        (token, session, user): Found,
        (address, usage): (IpAddr, Usage),
    ) -> Result<Self, Error> {
        let credential = note_check(Check::ApiKey, check_address(bunq, &session, address).await)?;
        let acting = acting(bunq, ctx, (&user, &credential.value), usage).await?;
        let place = acting.as_ref().map(|acting| bunq.edge.gateway.take_call_place(acting)).transpose()?;
        if let (User::Key { grant, .. }, Some(acting)) = (&user, &acting) {
            bunq.edge.gateway.check_grant(ctx, acting, grant).await?;
        }
        Ok(Self { token, session, user, acting, _place: place })
    }
}

impl Call {
    /// Runs every check.
    pub(crate) async fn admit(bunq: &Arc<Bunq>, route: &Route, incoming: Incoming) -> Result<Self, Error> {
        let Incoming { ctx, connection, headers, names, query, path, body } = incoming;
        // Whoever comes from nowhere is on no list of permitted addresses.
        let address = connection.peer_address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let token = header_text(&headers, "x-bunq-client-authentication").map_err(named)?;
        let authenticated = authenticate(bunq, &ctx, route.token, token).await;
        let (installation, session) = match route.token {
            TokenKind::None => authenticated,
            _ => note_check(Check::AccessToken, authenticated),
        }?;
        let caller = match session {
            Some(found) => {
                note_user(&found.2);
                let usage = if route.method.is_safe() { Usage::Reads } else { Usage::Changes };
                Some(Caller::admit(bunq, &ctx, found, (address, usage)).await?)
            }
            None => None,
        };
        // Large bodies, of pictures, batches and certificates, are for callers who have a token.
        let limit = if route.token == TokenKind::None { SMALL_BODY } else { MAX_BODY };
        let body = read_body(body, limit, Some(&connection)).await?;
        let signature = single_header(&headers, "x-bunq-client-signature").map_err(named)?;
        let is_signed = signature.is_some();
        if let (Some(signature), Some(installation)) = (signature, &installation) {
            let not_text = |_| named(Rejected::HeaderNotText("x-bunq-client-signature"));
            let signature = signature.to_str().map_err(not_text)?;
            note_check(Check::Signature, verify(&installation.key, &body, (signature, route.signed)))?;
            note_signed();
        }
        if route.signed == Signed::Always && !is_signed {
            note_failed(Check::SignatureHeader);
            return Err(Error::signature_required());
        }
        let rates = bunq.edge.gateway.profile(Interface::Bunq).rates;
        bunq.limiter.count(rates, (address, &route.method, route.path), ctx.now)?;
        note_passed(Check::RateLimit);
        Ok(Self {
            bunq: Arc::clone(bunq),
            ctx,
            headers,
            names,
            query,
            path,
            body,
            address,
            is_signed,
            installation,
            caller,
            place: OnceLock::new(),
        })
    }

    /// What the bank does by itself as a user would see it.
    pub(crate) fn of_bank(
        bunq: &Arc<Bunq>,
        ctx: Ctx,
        (number, user): (i64, User),
        acting: Option<ActingTpp>,
    ) -> Self {
        let session = Session::of_bank(number, ctx.now);
        let token = SecretHash::from_hex(String::new());
        Self {
            bunq: Arc::clone(bunq),
            ctx,
            headers: HeaderMap::new(),
            names: Names::default(),
            query: Vec::new(),
            path: String::new(),
            body: Bytes::new(),
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            is_signed: false,
            installation: None,
            caller: Some(Caller { token, session, user, acting, _place: None }),
            place: OnceLock::new(),
        }
    }

    /// A third party that has no session proved who it is, and may act. Its call counts as one in a session does.
    ///
    /// # Errors
    /// 429
    pub(crate) fn is_of(&self, acting: &ActingTpp) -> Result<(), Error> {
        let place = self.bunq.edge.gateway.take_call_place(acting)?;
        // The first one is kept until the call is answered: nobody proves twice who they are.
        let _ = self.place.set(place);
        Ok(())
    }

    /// The installation whose token came along.
    pub(crate) fn installation(&self) -> Result<&Arc<Installation>, Error> {
        self.installation.as_ref().ok_or_else(Error::unauthorised)
    }

    /// The token of the session.
    pub(crate) fn session_token(&self) -> Result<&SecretHash, Error> {
        self.caller.as_ref().map(|caller| &caller.token).ok_or_else(Error::unauthorised)
    }

    /// The session.
    pub(crate) fn session(&self) -> Result<&Session, Error> {
        self.caller.as_ref().map(|caller| &caller.session).ok_or_else(Error::unauthorised)
    }

    /// The session's user.
    pub(crate) fn caller(&self) -> Result<&User, Error> {
        self.caller.as_ref().map(|caller| &caller.user).ok_or_else(Error::unauthorised)
    }

    /// The third party that acts, in person or for a customer; none for a customer in person.
    pub(crate) fn acting(&self) -> Option<&ActingTpp> {
        self.caller.as_ref().and_then(|caller| caller.acting.as_ref())
    }

    /// The number of the session's user, if the path names that user, or the one who granted access to it.
    ///
    /// # Errors
    /// 404
    pub(crate) fn user(&self) -> Result<i64, Error> {
        let asked = self.names.user.get()?;
        let own = self.session()?.user;
        if asked == own || self.caller()?.granted_by() == Some(asked) {
            return Ok(own);
        }
        Err(Error::not_found())
    }

    /// The body as a JSON object; null if it is empty. The media type says nothing here: clients send none, or any; but
    /// another charset than UTF-8 is refused.
    ///
    /// # Errors
    /// 400
    pub(crate) fn json(&self) -> Result<Value, Error> {
        match self.any_json()? {
            None => Ok(Value::Null),
            Some(body @ Value::Object(_)) => Ok(body),
            Some(_) => Err(Error::bad("The body must be a JSON object.")),
        }
    }

    /// The body as any JSON, for calls that take lists too; none if it is empty.
    ///
    /// # Errors
    /// 400
    pub(crate) fn any_json(&self) -> Result<Option<Value>, Error> {
        if self.body.is_empty() {
            return Ok(None);
        }
        media_type(&self.headers)?;
        read_any_json(&self.body)
            .map(Some)
            .map_err(|error| Error::bad(format!("The body is not JSON in UTF-8: {error}.")))
    }

    /// Which page of a list is asked for.
    ///
    /// # Errors
    /// 400
    pub(crate) fn page(&self) -> Result<Page, Error> {
        Page::read(&self.query)
    }

    /// A payment as it is now. That the caller may see it is known by whoever asks.
    ///
    /// # Errors
    /// 404
    pub(crate) async fn payment(&self, id: &PaymentId) -> Result<Payment, Error> {
        Ok(self.bunq.edge.gateway.payment(&self.ctx, id).await?)
    }

    /// Asks for a payment, which is what this call is about, and keeps together with it what it is known by here: whoever
    /// asked for it and does not find it would ask for it again, and the customer could pay both.
    pub(crate) async fn initiate(
        &self,
        request: PaymentRequest,
        known_by: impl FnOnce(&Payment) -> Vec<Entry>,
    ) -> Result<Payment, Error> {
        let Bunq { edge, drawer, .. } = &*self.bunq;
        let known_by = |payment: &Payment| drawer.changes(&known_by(payment));
        let payment = edge.gateway.initiate_payment(&self.ctx, Interface::Bunq, request, known_by).await?;
        note_subject(Subject::Payment(payment.id.clone()));
        Ok(payment)
    }

    /// A record of an owner.
    ///
    /// # Errors
    /// 404
    pub(crate) async fn record<T: Kept>(&self, owner: i64, id: i64) -> Result<Record<T>, Error> {
        find::<T>(&self.bunq.drawer, owner, id).await?.ok_or_else(Error::not_found)
    }

    /// The records of an owner on the page that is asked for, with its links.
    ///
    /// # Errors
    /// 400
    pub(crate) async fn page_of<T: Kept>(&self, owner: i64) -> Result<(Vec<Record<T>>, Pagination), Error> {
        self.page_of_weighed(owner, |_| true, |_| 1).await
    }

    /// The same for those records that the caller may see.
    ///
    /// # Errors
    /// 400
    pub(crate) async fn page_of_visible<T: Kept>(
        &self,
        owner: i64,
        is_visible: impl Fn(&Record<T>) -> bool,
    ) -> Result<(Vec<Record<T>>, Pagination), Error> {
        self.page_of_weighed(owner, is_visible, |_| 1).await
    }

    /// The same where some records weigh more than others in the answer.
    ///
    /// # Errors
    /// 400
    pub(crate) async fn page_of_weighed<T: Kept>(
        &self,
        owner: i64,
        is_visible: impl Fn(&Record<T>) -> bool,
        weigh: impl Fn(&Record<T>) -> usize,
    ) -> Result<(Vec<Record<T>>, Pagination), Error> {
        let page = self.page()?;
        let wanted = usize::try_from(page.limit()).unwrap_or(usize::MAX);
        let (mut found, mut range) = (Vec::new(), page.range);
        loop {
            breathe().await;
            let chunk = list::<T>(&self.bunq.drawer, owner, range, page.limit()).await?;
            let (Some(newest), Some(oldest)) = (chunk.first(), chunk.last()) else { break };
            let is_last = chunk.len() < wanted;
            range = match range {
                Range::Older(_) => Range::Older(Some(oldest.id)),
                Range::Newer(_) => Range::Newer(newest.id),
            };
            let chunk = chunk.into_iter().filter(&is_visible);
            match range {
                Range::Older(_) => found.extend(chunk),
                Range::Newer(_) => found.splice(..0, chunk).for_each(drop),
            }
            if is_last || found.len() >= wanted {
                break;
            }
        }
        let links = page.close(&self.path, &mut found, |record| record.id, weigh);
        Ok((found, links))
    }
}

/// Notes that it is known who calls, and which third party that is.
pub(crate) fn note_user(user: &User) {
    note_authenticated();
    if let User::Provider { tpp, .. } | User::Key { tpp, .. } = user {
        edge::note_third_party(tpp);
    }
}

/// A session as it was found, with its token and its user.
type Found = (SecretHash, Session, User);

/// Lets others have their turn. Reads of the store never wait, so a call that makes many of them has to make room by
/// itself.
pub(crate) async fn breathe() {
    tokio::task::yield_now().await;
}

/// The third party whose session a call names, if it names one.
pub(crate) async fn third_party(bunq: &Arc<Bunq>, headers: &HeaderMap) -> Option<TppId> {
    let token = headers.get("x-bunq-client-authentication")?.to_str().ok()?;
    let ctx = bunq.context(bunq.edge.gateway.new_request_id()).ok()?;
    let (_, found) = authenticate(bunq, &ctx, TokenKind::Session, Some(token)).await.ok()?;
    match found?.2 {
        User::Provider { tpp, .. } | User::Key { tpp, .. } => Some(tpp),
        _ => None,
    }
}

type Authenticated = (Option<Arc<Installation>>, Option<Found>);

async fn authenticate(
    bunq: &Arc<Bunq>,
    ctx: &Ctx,
    kind: TokenKind,
    token: Option<&str>,
) -> Result<Authenticated, Error> {
    if kind == TokenKind::None {
        return Ok((None, None));
    }
    let token = token.filter(|token| !token.is_empty()).ok_or_else(Error::unauthenticated)?;
    let hash = gateway::secret_hash(token);
    let installation = Installation::find(bunq, &hash).await?;
    let session = match installation {
        Some(_) => None,
        None => sessions::find(bunq, ctx, &hash).await?,
    };
    match (kind, installation, session) {
        (_, None, None) => Err(Error::unauthenticated()),
        (TokenKind::Installation, Some(installation), _) => Ok((Some(installation), None)),
        (TokenKind::Session, None, Some(session)) => {
            let user = users::find(bunq, session.user).await?;
            let user = user.ok_or_else(Error::unauthenticated)?.value;
            let hash_of_installation = SecretHash::from_hex(session.installation.clone());
            let installation = Installation::find(bunq, &hash_of_installation).await?;
            // Its key is what signatures are checked with.
            let installation = installation.ok_or_else(Error::unauthenticated)?;
            Ok((Some(installation), Some((hash, session, user))))
        }
        _ => Err(Error::unauthorised()),
    }
}

/// Header names as the interface writes them.
fn named(rejected: Rejected) -> Error {
    let shown = |name| match name {
        "x-bunq-client-authentication" => "X-Bunq-Client-Authentication",
        "x-bunq-client-signature" => "X-Bunq-Client-Signature",
        other => other,
    };
    match rejected {
        Rejected::DuplicateHeader(name) => Rejected::DuplicateHeader(shown(name)).into(),
        Rejected::HeaderNotText(name) => Rejected::HeaderNotText(shown(name)).into(),
        other => other.into(),
    }
}
