//! What a signed call carries: ids of its path, headers, query and body, each with its refusal.

use std::net::IpAddr;

use edge::{Edge, Rejected, check_json, check_json_object, header_text, media_type, note_subject, read_json};
use gateway::domain::{Subject, SubjectKind};
use gateway::{ActingTpp, RequestKey, Sought};
use http::StatusCode;
use serde::de::DeserializeOwned;

use crate::auth::{Signed, target};
use crate::authorisations::SubjectPath;
use crate::error::Error;

impl Signed {
    /// Who calls.
    pub(crate) fn tpp(&self) -> &ActingTpp {
        self.party.acting()
    }

    /// An id of the path.
    ///
    /// # Errors
    /// 400 for one that is no UUID.
    pub(crate) fn id(&self, name: &str) -> Result<String, Error> {
        uuid(self.path_parameter(name))
            .ok_or_else(|| Error::format(format!("the {name} id in the path is no UUID")))
    }

    /// What the path names: a consent as `{consent}`, a payment as `{payment}`.
    ///
    /// # Errors
    /// 400 for an id that is no UUID.
    pub(crate) fn subject(&self, kind: SubjectKind) -> Result<Subject, Error> {
        let subject = kind.with_id(self.id(kind.noun())?);
        note_subject(subject.clone());
        Ok(subject)
    }

    /// What a path of a kind names, and the authorisations at it.
    ///
    /// # Errors
    /// 404 for a payment product that is not offered.
    pub(crate) fn sought<'a, K: SubjectPath>(&'a self, subject: &'a Subject) -> Result<Sought<'a>, Error> {
        Ok(Sought { tpp: self.tpp(), subject, purpose: K::PURPOSE, product: K::product(self)? })
    }

    /// A parameter of the path, as it came; empty if there is none.
    pub(crate) fn path_parameter(&self, name: &str) -> &str {
        self.ids.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The part of the path after another one; empty if there is none.
    pub(crate) fn path_segment_after(&self, name: &str) -> &str {
        let path = target(&self.parts).split('?').next().unwrap_or_default();
        path.split('/').skip_while(|segment| *segment != name).nth(1).unwrap_or_default()
    }

    /// Checks that no consent comes along, since payments are not combined with account information.
    ///
    /// # Errors
    /// 400
    pub(crate) fn no_session(&self) -> Result<(), Error> {
        if self.header("consent-id", "Consent-ID")?.is_none() {
            return Ok(());
        }
        let text = "payments are not combined with consents; leave the Consent-ID header out";
        Err(Error::new(StatusCode::BAD_REQUEST, "SESSIONS_NOT_SUPPORTED", text))
    }

    /// The `Consent-ID` header.
    ///
    /// # Errors
    /// 400 if it is missing or no UUID.
    pub(crate) fn consent_id(&self) -> Result<String, Error> {
        let id = self.header("consent-id", "Consent-ID")?;
        let id = id.ok_or_else(|| Error::format("the Consent-ID header is missing"))?;
        uuid(id).ok_or_else(|| Error::format("the Consent-ID header is no UUID"))
    }

    /// The access token, if one came along.
    ///
    /// # Errors
    /// 401 for a header that carries something else.
    pub(crate) fn bearer(&self) -> Result<Option<&str>, Error> {
        let Some(value) = self.header("authorization", "Authorization")? else { return Ok(None) };
        let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = token.map(|(_, token)| token.trim()).filter(|token| !token.is_empty());
        token.map(Some).ok_or_else(|| {
            Error::unauthorized("TOKEN_INVALID", "the Authorization header is not Bearer and a token")
        })
    }

    /// Where the customer comes from, if they take part.
    ///
    /// # Errors
    /// 400 for what is no IP address.
    pub(crate) fn psu_ip_address(&self) -> Result<Option<IpAddr>, Error> {
        let Some(text) = self.header("psu-ip-address", "PSU-IP-Address")? else { return Ok(None) };
        let address = text.trim().parse().map_err(|_| {
            Error::format(
                "PSU-IP-Address is no IP address; send it as 192.0.2.1 or 2001:db8::1, or leave it out",
            )
        })?;
        Ok(Some(address))
    }

    /// Where the customer comes from, which has to be told.
    ///
    /// # Errors
    /// 400 if it is missing, or no IP address.
    pub(crate) fn customer_address(&self) -> Result<IpAddr, Error> {
        self.psu_ip_address()?.ok_or_else(|| {
            Error::format(
                "the PSU-IP-Address header is missing; send the address from which the customer came",
            )
        })
    }

    /// `TPP-Explicit-Authorisation-Preferred`, if it came along.
    ///
    /// # Errors
    /// 400 for what is neither true nor false.
    pub(crate) fn explicit_start(&self) -> Result<bool, Error> {
        const SHOWN: &str = "TPP-Explicit-Authorisation-Preferred";
        let value = self.header("tpp-explicit-authorisation-preferred", SHOWN)?.unwrap_or("false");
        value
            .trim()
            .to_ascii_lowercase()
            .parse()
            .map_err(|_| Error::format(format!("the {SHOWN} header is neither true nor false")))
    }

    /// `TPP-Redirect-URI`.
    ///
    /// # Errors
    /// 400 if it is missing.
    pub(crate) fn redirect_uri(&self) -> Result<String, Error> {
        let uri = self.header("tpp-redirect-uri", "TPP-Redirect-URI")?;
        uri.map(str::to_owned).ok_or_else(|| Error::format("the TPP-Redirect-URI header is missing"))
    }

    /// SHA-256 of the TLS client certificate.
    pub(crate) fn peer_fingerprint(&self) -> Option<String> {
        self.connection.peer_fingerprint()
    }

    /// What makes this request the same as another one.
    pub(crate) fn key(&self, edge: &Edge) -> RequestKey {
        let path = target(&self.parts).split('?').next().unwrap_or_default();
        let call = (self.parts.method.as_str(), path);
        edge.gateway.request_key(&self.ctx, self.tpp(), call, &self.body)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 415 for another media type or charset, 400 for what cannot be read.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        check_json(&self.parts.headers)?;
        if self.body.is_empty() {
            return Err(Error::format("the body is missing; send a JSON object"));
        }
        read_json(&self.body).map_err(|error| Error::format(format!("the body: {error}")))
    }

    /// Whether the body is said to be JSON.
    ///
    /// # Errors
    /// 400 for a media type that is said twice, 415 for another charset than UTF-8.
    pub(crate) fn is_json(&self) -> Result<bool, Error> {
        Ok(media_type(&self.parts.headers)?.as_deref() == Some("application/json"))
    }

    /// The body as a document in XML, where one in JSON would do too.
    ///
    /// # Errors
    /// 415 for another media type or charset, 400 for no body.
    pub(crate) fn xml(&self) -> Result<&[u8], Error> {
        let expected = "application/xml, text/xml or application/json";
        if let Some(got) = media_type(&self.parts.headers)?
            && !matches!(got.as_str(), "application/xml" | "text/xml")
        {
            return Err(Rejected::MediaType { got, expected }.into());
        }
        if self.body.is_empty() {
            return Err(Error::format("the body is missing; send a document of pain.001"));
        }
        Ok(&self.body)
    }

    /// Checks that a body whose members are not read is empty or a JSON object.
    ///
    /// # Errors
    /// 415 for another media type or charset, 400 for what cannot be read.
    pub(crate) fn no_members(&self) -> Result<(), Error> {
        if self.body.is_empty() {
            return Ok(());
        }
        check_json(&self.parts.headers)?;
        check_json_object(&self.body).map_err(|error| Error::format(format!("the body: {error}")))
    }

    /// A parameter of the query; the first one if it is repeated, which a client does after `next` links.
    ///
    /// # Errors
    /// 400 for what is no UTF-8.
    pub(crate) fn query(&self, name: &str) -> Result<Option<String>, Error> {
        let query = self.parts.uri.query().unwrap_or_default();
        let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
        match values.next() {
            Some((_, value)) if value.contains('\u{fffd}') => {
                Err(Error::format(format!("parameter {name} is not valid UTF-8")))
            }
            value => Ok(value.map(|(_, value)| value.into_owned())),
        }
    }

    fn header(&self, name: &'static str, shown: &'static str) -> Result<Option<&str>, Error> {
        let value = header_text(&self.parts.headers, name).map_err(|rejected| match rejected {
            Rejected::DuplicateHeader(_) => Rejected::DuplicateHeader(shown),
            _ => Rejected::HeaderNotText(shown),
        })?;
        Ok(value.filter(|value| !value.is_empty()))
    }
}

/// A UUID in its usual form, in lower case.
fn uuid(text: &str) -> Option<String> {
    let id = uuid::Uuid::try_parse(text).ok().filter(|_| text.len() == 36)?;
    Some(id.to_string())
}
