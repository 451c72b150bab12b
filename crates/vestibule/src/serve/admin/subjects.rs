//! Consents and payments of all third parties: handlers of one shape for all that a third party asks for.

use axum::extract::{Path, RawQuery, Request, State};
use axum::{Extension, Json};
use gateway::domain::{
    Consent, ConsentId, ConsentStatus, CustomerId, FundsConsent, FundsConsentId, Payment, PaymentId,
    PaymentStatus, Subject, TppId,
};
use gateway::staff::{Deed, Found, Page, StaffError};
use gateway::{Error as GatewayError, Gateway};
use serde_json::{Value, json};

use super::{About, Act, Admin, Error, Query, Shown, Staff, body, told};

/// What lists of consents and payments are asked by.
const KNOWN: [&str; 4] = ["third_party", "state", "after", "limit"];

/// States of consents by their names.
const CONSENTS: [(&str, ConsentStatus); 6] = [
    ("received", ConsentStatus::Received),
    ("valid", ConsentStatus::Valid),
    ("rejected", ConsentStatus::Rejected),
    ("expired", ConsentStatus::Expired),
    ("terminatedByTpp", ConsentStatus::TerminatedByTpp),
    ("revokedByPsu", ConsentStatus::RevokedByPsu),
];

/// States of payments by their names.
const PAYMENTS: [(&str, PaymentStatus); 6] = [
    ("pending", PaymentStatus::Pending),
    ("submitted", PaymentStatus::Submitted),
    ("refused", PaymentStatus::Refused),
    ("rejected", PaymentStatus::Rejected),
    ("cancelled", PaymentStatus::Cancelled),
    ("expired", PaymentStatus::Expired),
];

/// A consent of either kind as it is told, with what one of them has alone.
macro_rules! consent {
    ($consent:expr, $status:expr, $($name:literal: $value:expr,)*) => {
        json!({
            "id": $consent.id.as_str(),
            "thirdParty": $consent.tpp.as_str(),
            "branch": $consent.tenant.as_str(),
            "interface": $consent.interface.name(),
            "state": $status.name(),
            "decision": $consent.decision.name(),
            "customer": $consent.customer.as_ref().map(CustomerId::as_str),
            $($name: $value,)*
            "createdAt": $consent.created_at,
            "lastActionAt": $consent.last_action_at,
        })
    };
}

/// Something that third parties ask for and staff looks at, with the state that it is in now.
pub(super) trait Kind: Sized + Send + 'static {
    /// Its states.
    type Status: Copy + Send + Sync + 'static;
    /// States by their names.
    const STATES: &'static [(&'static str, Self::Status)];
    /// What a list of it is called.
    const LIST: &'static str;

    /// Checks that what is asked for could be found.
    ///
    /// # Errors
    /// 400
    fn check(_asked: (Option<&TppId>, Option<Self::Status>)) -> Result<(), Error> {
        Ok(())
    }

    /// A page of it.
    ///
    /// # Errors
    /// Where it begins at no place of the list.
    fn find(
        gateway: &Gateway,
        asked: (Option<&TppId>, Option<Self::Status>),
        page: &Page,
    ) -> impl Future<Output = Result<Found<(Self, Self::Status)>, StaffError>> + Send;

    /// The one with an id.
    fn with_id(
        gateway: &Gateway,
        id: &str,
    ) -> impl Future<Output = Result<(Self, Self::Status), GatewayError>> + Send;

    fn subject(&self) -> Subject;

    fn tell(&self, status: Self::Status) -> Value;
}

/// What staff can end.
pub(super) trait Endable: Kind {
    fn end(
        gateway: &Gateway,
        id: &str,
        deed: Deed<'_>,
    ) -> impl Future<Output = Result<(Self, Self::Status), StaffError>> + Send;
}

impl Kind for Consent {
    type Status = ConsentStatus;
    const STATES: &'static [(&'static str, ConsentStatus)] = &CONSENTS;
    const LIST: &'static str = "consents";

    async fn find(
        gateway: &Gateway,
        (tpp, status): (Option<&TppId>, Option<ConsentStatus>),
        page: &Page,
    ) -> Result<Found<(Self, ConsentStatus)>, StaffError> {
        gateway.find_consents(tpp, status, page).await
    }

    async fn with_id(gateway: &Gateway, id: &str) -> Result<(Self, ConsentStatus), GatewayError> {
        gateway.any_consent(&ConsentId::new(id)).await
    }

    fn subject(&self) -> Subject {
        Subject::Consent(self.id.clone())
    }

    fn tell(&self, status: ConsentStatus) -> Value {
        consent!(
            self,
            status,
            "recurring": self.recurring,
            "frequencyPerDay": self.frequency_per_day,
            "validUntil": self.valid_until,
        )
    }
}

impl Endable for Consent {
    async fn end(gateway: &Gateway, id: &str, deed: Deed<'_>) -> Result<(Self, ConsentStatus), StaffError> {
        gateway.end_consent(&ConsentId::new(id), deed).await
    }
}

impl Kind for FundsConsent {
    type Status = ConsentStatus;
    const STATES: &'static [(&'static str, ConsentStatus)] = &CONSENTS;
    const LIST: &'static str = "fundsConsents";

    async fn find(
        gateway: &Gateway,
        (tpp, status): (Option<&TppId>, Option<ConsentStatus>),
        page: &Page,
    ) -> Result<Found<(Self, ConsentStatus)>, StaffError> {
        gateway.find_funds_consents(tpp, status, page).await
    }

    async fn with_id(gateway: &Gateway, id: &str) -> Result<(Self, ConsentStatus), GatewayError> {
        gateway.any_funds_consent(&FundsConsentId::new(id)).await
    }

    fn subject(&self) -> Subject {
        Subject::FundsConsent(self.id.clone())
    }

    fn tell(&self, status: ConsentStatus) -> Value {
        consent!(self, status,)
    }
}

impl Endable for FundsConsent {
    async fn end(gateway: &Gateway, id: &str, deed: Deed<'_>) -> Result<(Self, ConsentStatus), StaffError> {
        gateway.end_funds_consent(&FundsConsentId::new(id), deed).await
    }
}

impl Kind for Payment {
    type Status = PaymentStatus;
    const STATES: &'static [(&'static str, PaymentStatus)] = &PAYMENTS;
    const LIST: &'static str = "payments";

    fn check((tpp, status): (Option<&TppId>, Option<PaymentStatus>)) -> Result<(), Error> {
        if tpp.is_some() && status == Some(PaymentStatus::Pending) {
            return Err(Error::bad(
                "state \"pending\" cannot be asked for together with third_party: of one third party those payments are listed about \
                 which somebody decided, and nobody did about these; ask for state alone, or for a payment by its id",
            ));
        }
        Ok(())
    }

    async fn find(
        gateway: &Gateway,
        (tpp, status): (Option<&TppId>, Option<PaymentStatus>),
        page: &Page,
    ) -> Result<Found<(Self, PaymentStatus)>, StaffError> {
        gateway.find_payments(tpp, status, page).await
    }

    async fn with_id(gateway: &Gateway, id: &str) -> Result<(Self, PaymentStatus), GatewayError> {
        gateway.any_payment(&PaymentId::new(id)).await
    }

    fn subject(&self) -> Subject {
        Subject::Payment(self.id.clone())
    }

    fn tell(&self, status: PaymentStatus) -> Value {
        let state = PAYMENTS.iter().find(|(_, known)| *known == status).map(|(name, _)| *name);
        let transfers = self.transfers.iter().map(|transfer| {
            json!({
                "amount": transfer.amount.to_decimal(),
                "currency": transfer.amount.currency.code(),
                "payee": transfer.creditor.name,
            })
        });
        json!({
            "id": self.id.as_str(),
            "thirdParty": self.tpp.as_ref().map(|tpp| tpp.as_str()),
            "branch": self.tenant.as_str(),
            "interface": self.interface.name(),
            "state": state,
            "decision": self.decision.name(),
            "reason": self.decision.reason().map(|reason| reason.name()),
            "debtor": self.debtor.as_ref().map(|iban| iban.as_str()),
            "transfers": transfers.collect::<Vec<Value>>(),
            "createdAt": self.created_at,
            "expiresAt": self.expires_at,
            "lastActionAt": self.last_action_at,
        })
    }
}

/// An answer about one of them, which the trail names.
type Told = (Extension<About>, Json<Value>);

fn one<K: Kind>((subject, status): (K, K::Status)) -> Told {
    (Extension(About(subject.subject())), Json(subject.tell(status)))
}

/// A page, by third party and state.
pub(super) async fn list<K: Kind>(
    State(admin): State<Admin>,
    RawQuery(query): RawQuery,
) -> Result<(Extension<Shown>, Json<Value>), Error> {
    let query = Query::of(query.as_deref(), &KNOWN)?;
    let tpp = query.one("third_party")?.map(TppId::new);
    let state = query.word("state", K::STATES)?;
    K::check((tpp.as_ref(), state))?;
    let found = K::find(&admin.gateway, (tpp.as_ref(), state), &query.page()?).await?;
    let shown = found.items.iter().map(|(subject, _)| subject.subject()).collect();
    Ok((Extension(Shown(shown)), told(K::LIST, found, |(subject, status)| subject.tell(status))))
}

pub(super) async fn read<K: Kind>(State(admin): State<Admin>, Path(id): Path<String>) -> Result<Told, Error> {
    Ok(one(K::with_id(&admin.gateway, &id).await?))
}

pub(super) async fn end<K: Endable>(
    State(admin): State<Admin>,
    Extension(staff): Extension<Staff>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Told, Error> {
    let Act { reason } = body(request).await?;
    Ok(one(K::end(&admin.gateway, &id, reason.of(&staff)?).await?))
}
