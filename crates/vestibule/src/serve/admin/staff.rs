//! Who of the staff calls, and what they may do.

use std::sync::{PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edge::Connection;
use eidas::Certificate;
use gateway::domain::Timestamp;
use gateway::staff::Member;
use http::StatusCode;

use super::{Error, StaffVerifier};
use crate::configuration::{Admin as Section, StaffName};

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Look for third parties, consents and payments.
    Reader,
    /// The same, and act: block, withdraw.
    Operator,
    /// Read what was done.
    Auditor,
}

impl Role {
    pub(super) const ALL: [Self; 3] = [Self::Reader, Self::Operator, Self::Auditor];

    fn name(self) -> &'static str {
        match self {
            Self::Reader => "readers",
            Self::Operator => "operators",
            Self::Auditor => "auditors",
        }
    }
}

/// A person of the staff.
#[derive(Debug, Clone)]
pub(super) struct Staff {
    pub(super) member: Member,
    /// The id of the call that they make.
    pub(super) request: String,
    roles: Vec<Role>,
}

/// Who has which role. It can be read anew while the gateway runs, and holds from the next call on.
#[derive(Debug)]
pub(super) struct StaffList(RwLock<Vec<(Role, StaffName)>>);

impl StaffList {
    pub(super) fn new(section: &Section) -> Self {
        Self(RwLock::new(roles(section)))
    }

    pub(super) fn replace(&self, section: &Section) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = roles(section);
    }

    /// Whoever holds the certificate of a connection, which the handshake checked. A connection may outlive it, and the authority above it.
    pub(super) fn member(
        &self,
        (connection, verifier): (Option<&Connection>, &StaffVerifier),
        (now, request): (Timestamp, String),
    ) -> Result<Staff, Error> {
        let der = connection.and_then(|connection| connection.peer_certificate.as_deref());
        let certificate = der.and_then(|der| Certificate::from_der(der).ok()).ok_or_else(|| {
            let text = "present a certificate of the bank's staff in the TLS handshake";
            Error::new(StatusCode::UNAUTHORIZED, "certificate_missing", text)
        })?;
        if !certificate.is_valid_at(now) {
            let text = format!(
                "the certificate of this connection is valid from {} until {}; connect anew with one that is valid now, {now}",
                certificate.not_before, certificate.not_after
            );
            return Err(Error::new(StatusCode::UNAUTHORIZED, "certificate_expired", text));
        }
        if !connection.is_some_and(|connection| verifier.vouches_for(connection, now)) {
            let text = "no authority of trust_files of [admin] vouches for the certificate of this connection any more; connect anew with \
                        one that an authority of staff issued";
            return Err(Error::new(StatusCode::UNAUTHORIZED, "certificate_unknown", text));
        }
        let (name, fingerprint) = (certificate.subject.to_string(), gateway::fingerprint(&certificate.der));
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_theirs = |(_, listed): &&(Role, StaffName)| listed.names(&certificate.subject, &fingerprint);
        let roles: Vec<Role> = list.iter().filter(is_theirs).map(|(role, _)| *role).collect();
        if roles.is_empty() {
            let text = format!(
                "[admin] of the configuration gives no role to {name}, whose certificate has the SHA-256 {fingerprint}; \
                 name one of both in readers, operators or auditors"
            );
            return Err(Error::new(StatusCode::FORBIDDEN, "no_role", text));
        }
        Ok(Staff { member: Member { name, certificate: fingerprint }, request, roles })
    }
}

fn roles(section: &Section) -> Vec<(Role, StaffName)> {
    let with = |role: Role, names: &[StaffName]| -> Vec<_> {
        names.iter().map(|name| (role, name.clone())).collect()
    };
    [
        with(Role::Reader, &section.readers),
        with(Role::Operator, &section.operators),
        with(Role::Auditor, &section.auditors),
    ]
    .concat()
}

/// Lets those on who have one of some roles.
pub(super) async fn only(State(roles): State<&'static [Role]>, request: Request, next: Next) -> Response {
    edge::note_matched(&request);
    let staff = request.extensions().get::<Staff>();
    if staff.is_some_and(|staff| staff.roles.iter().any(|role| roles.contains(role))) {
        return next.run(request).await;
    }
    let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
    let text = format!("this is for {} of [admin] in the configuration", names.join(" and "));
    Error::new(StatusCode::FORBIDDEN, "role_missing", text).into_response()
}
