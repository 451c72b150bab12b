//! What the bank's staff looks for and does. Whoever calls these has to know that it is staff that asks.

use data_encoding::BASE64URL_NOPAD;
use domain::consents::Decision;
use domain::statistics::{Column, CustomerInterface, MOST_CUSTOMER_INTERFACES, Misfit};
use domain::{
    Consent, ConsentId, ConsentRefusal, ConsentStatus, Date, FundsConsent, FundsConsentId, Payment,
    PaymentId, PaymentStatus, Timestamp, TppId,
};

use crate::audit::Act;
use crate::error::retry;
use crate::statistics::MOST_DAYS;
use crate::{Changes, Error, Gateway, Noun};

/// What the places of each list begin with: one of another list is none of it.
const CONSENTS: &str = "consents\n";
const FUNDS_CONSENTS: &str = "funds-consents\n";
const PAYMENTS: &str = "payments\n";

/// How many rows are looked at for a page of those that are in some state.
const LOOKED_AT: i64 = 1000;

/// Behind every id.
pub(crate) const END: &str = "\u{10ffff}";

/// A person of the bank's staff.
#[derive(Debug, Clone)]
pub struct Member {
    /// The subject of their certificate.
    pub name: String,
    /// SHA-256 of it.
    pub certificate: String,
}

/// Who does something, and why.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// Who.
    pub by: &'a Member,
    /// Why, as they say.
    pub reason: &'a str,
    /// The id of the call in which they do it.
    pub request: &'a str,
}

impl<'a> Deed<'a> {
    pub(crate) fn act(&self, act: &'static str, to: &'a str, until: Option<Timestamp>) -> Act<'a> {
        Act {
            by: &self.by.name,
            certificate: &self.by.certificate,
            act,
            to,
            reason: self.reason,
            until,
            replaced: None,
            sha256: None,
            consents: None,
            request: self.request,
        }
    }
}

/// A page of what was found.
#[derive(Debug)]
pub struct Found<T> {
    /// What was found.
    pub items: Vec<T>,
    /// The place behind which the next page begins, if there may be more.
    pub next: Option<String>,
}

/// Which page of what was found.
#[derive(Debug, Clone)]
pub struct Page {
    /// The place behind which it begins, as the page before told it; none for the first one.
    pub after: Option<String>,
    /// How many there are on it at most.
    pub size: usize,
}

/// Why something that staff wants is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StaffRefusal {
    /// A block that ends before it begins, or too late.
    #[error(
        "until has to be later than now, {now}, and at most 366 days ahead; leave it out for a block that the bank lifts itself"
    )]
    Until {
        /// The time.
        now: Timestamp,
    },
    /// Nothing is blocked.
    #[error("{0} is not blocked")]
    NotBlocked(TppId),
    /// The block that was found is not there any more.
    #[error(
        "{0} was blocked anew, or may act again, since this was asked for; look at it, and ask again if it is still to be done"
    )]
    Moved(TppId),
    /// What customers gave a third party takes long to end.
    #[error(
        "what customers gave {0} is still ending, and nothing is changed before it has; ask again in a minute"
    )]
    Ending(TppId),
    /// It has ended before.
    #[error("it has ended before: it is {0}")]
    Ended(&'static str),
    /// Third parties still have access to a customer's accounts.
    #[error("third parties still have access; withdraw first: {}", .0.join(", "))]
    Open(Vec<String>),
    /// The page begins nowhere in the list.
    #[error("after is no place in this list; take next of the page before, and ask for the same")]
    After,
    /// No days to import, or too many.
    #[error("days: expected 1 to {MOST_DAYS} of them at a time")]
    Days,
    /// Days of a customers' interface, by their places, that are not taken.
    #[error("{} numbers of these days are not taken", .0.len())]
    Misfits(Vec<(usize, Column, Misfit)>),
    /// One more interface than a bank has: most likely a name that was written wrong.
    #[error(
        "interface: the bank has days of {MOST_CUSTOMER_INTERFACES} interfaces, and there are no more than that: {}; name one of these, \
         or remove the days of one that was named by mistake", .0.join(", ")
    )]
    Interfaces(Vec<String>),
    /// Nothing was imported of these days.
    #[error("days of {interface} from {from} to {to} not found: nothing was imported of them")]
    NoDays {
        /// The interface.
        interface: CustomerInterface,
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
}

/// Why staff gets no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StaffError {
    /// A rule said no.
    #[error("{0}")]
    Refused(#[from] StaffRefusal),
    /// As in any use case.
    #[error("{0}")]
    Gateway(#[from] Error),
}

impl From<store::StoreError> for StaffError {
    fn from(error: store::StoreError) -> Self {
        Self::Gateway(error.into())
    }
}

impl Gateway {
    /// Consents by third party and state, the newest first. Of one third party those are listed about which a customer decided.
    ///
    /// # Errors
    /// [`StaffRefusal::After`]
    pub async fn find_consents(
        &self,
        tpp: Option<&TppId>,
        status: Option<ConsentStatus>,
        page: &Page,
    ) -> Result<Found<(Consent, ConsentStatus)>, StaffError> {
        let looked_at = self.looked_at(page, status.is_some());
        let before = before(CONSENTS, page)?;
        let found = self.0.store.consents_before(tpp, &before, looked_at).await?;
        let found = found.into_iter().map(|consent| self.with_status(consent)).collect();
        let fits = |(_, is): &(Consent, ConsentStatus)| status.is_none_or(|wanted| wanted == *is);
        Ok(paged(found, looked_at, page.size, fits, |(consent, _)| place(CONSENTS, consent.id.as_str())))
    }

    /// Consents for confirmation of funds by third party and state, the newest first, as in [`Gateway::find_consents`].
    ///
    /// # Errors
    /// [`StaffRefusal::After`]
    pub async fn find_funds_consents(
        &self,
        tpp: Option<&TppId>,
        status: Option<ConsentStatus>,
        page: &Page,
    ) -> Result<Found<(FundsConsent, ConsentStatus)>, StaffError> {
        let looked_at = self.looked_at(page, status.is_some());
        let before = before(FUNDS_CONSENTS, page)?;
        let found = self.0.store.funds_consents_before(tpp, &before, looked_at).await?;
        let found = found.into_iter().map(|consent| self.funds_with_status(consent)).collect();
        let fits = |(_, is): &(FundsConsent, ConsentStatus)| status.is_none_or(|wanted| wanted == *is);
        Ok(paged(found, looked_at, page.size, fits, |(consent, _)| {
            place(FUNDS_CONSENTS, consent.id.as_str())
        }))
    }

    /// Payments by third party and state, the newest first. Of one third party those are listed about which somebody decided.
    ///
    /// # Errors
    /// [`StaffRefusal::After`]
    pub async fn find_payments(
        &self,
        tpp: Option<&TppId>,
        status: Option<PaymentStatus>,
        page: &Page,
    ) -> Result<Found<(Payment, PaymentStatus)>, StaffError> {
        let looked_at = self.looked_at(page, status.is_some());
        let before = before(PAYMENTS, page)?;
        let found = self.0.store.payments_before(tpp, &before, looked_at).await?;
        let found = found.into_iter().map(|payment| self.payment_with_status(payment)).collect();
        let fits = |(_, is): &(Payment, PaymentStatus)| status.is_none_or(|wanted| wanted == *is);
        Ok(paged(found, looked_at, page.size, fits, |(payment, _)| place(PAYMENTS, payment.id.as_str())))
    }

    /// A consent, whoever asked for it, with its state.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn any_consent(&self, id: &ConsentId) -> Result<(Consent, ConsentStatus), Error> {
        let consent = self.0.store.consent(id).await?.ok_or(Error::NotFound(Noun::Consent))?;
        Ok(self.with_status(consent))
    }

    /// A consent for confirmation of funds, whoever asked for it, with its state.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn any_funds_consent(
        &self,
        id: &FundsConsentId,
    ) -> Result<(FundsConsent, ConsentStatus), Error> {
        let consent = self.0.store.funds_consent(id).await?.ok_or(Error::NotFound(Noun::Consent))?;
        Ok(self.funds_with_status(consent))
    }

    /// A payment, whoever asked for it, with its state.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub async fn any_payment(&self, id: &PaymentId) -> Result<(Payment, PaymentStatus), Error> {
        let payment = self.0.store.payment(id).await?.ok_or(Error::NotFound(Noun::Payment))?;
        Ok(self.payment_with_status(payment))
    }

    /// Staff ends a consent, and with it every token of it.
    ///
    /// # Errors
    /// [`StaffRefusal::Ended`], [`Error::NotFound`]
    pub async fn end_consent(
        &self,
        id: &ConsentId,
        deed: Deed<'_>,
    ) -> Result<(Consent, ConsentStatus), StaffError> {
        let done = retry(|| async {
            let (consent, status) = self.any_consent(id).await?;
            if status.is_final() {
                return Err(ConsentRefusal::Final { id: id.to_string(), status }.into());
            }
            let now = self.now(&consent.tenant);
            let subject = domain::Subject::Consent(id.clone());
            let rules = self.rules_of(&consent);
            let ended = consent.clone().end_by_bank(now, rules);
            let changes = Changes::new().put_consent(&ended).end_grants(&subject, now);
            let changes = self.acted(changes, &deed.act("withdraw", id.as_str(), None)).await?;
            self.0.store.save(changes).await?;
            Ok(self.with_status(ended))
        });
        done.await.map_err(ended_before)
    }

    /// Staff ends a consent for confirmation of funds, and with it every token of it.
    ///
    /// # Errors
    /// [`StaffRefusal::Ended`], [`Error::NotFound`]
    pub async fn end_funds_consent(
        &self,
        id: &FundsConsentId,
        deed: Deed<'_>,
    ) -> Result<(FundsConsent, ConsentStatus), StaffError> {
        let done = retry(|| async {
            let (consent, status) = self.any_funds_consent(id).await?;
            if status.is_final() {
                return Err(ConsentRefusal::Final { id: id.to_string(), status }.into());
            }
            let now = self.now(&consent.tenant);
            let subject = domain::Subject::FundsConsent(id.clone());
            let ended = consent.end(Decision::EndedByBank, now);
            let changes = Changes::new().put_funds_consent(&ended).end_grants(&subject, now);
            let changes = self.acted(changes, &deed.act("withdraw", id.as_str(), None)).await?;
            self.0.store.save(changes).await?;
            Ok(self.funds_with_status(ended))
        });
        done.await.map_err(ended_before)
    }

    /// How many rows are read for a page: one more than there are on it, or as many as are looked at if not all of them fit.
    pub(crate) fn looked_at(&self, page: &Page, is_filtered: bool) -> i64 {
        if is_filtered { LOOKED_AT } else { i64::try_from(page.size + 1).unwrap_or(LOOKED_AT) }
    }

    fn with_status(&self, consent: Consent) -> (Consent, ConsentStatus) {
        let status = self.consent_status(&consent, self.now(&consent.tenant));
        (consent, status)
    }

    fn funds_with_status(&self, consent: FundsConsent) -> (FundsConsent, ConsentStatus) {
        let status = consent.status_at(self.now(&consent.tenant));
        (consent, status)
    }

    fn payment_with_status(&self, payment: Payment) -> (Payment, PaymentStatus) {
        let status = payment.status_at(self.now(&payment.tenant));
        (payment, status)
    }
}

/// What is final already is told with its state.
fn ended_before(error: Error) -> StaffError {
    match error {
        Error::Refused(domain::Refusal::Consent(ConsentRefusal::Final { status, .. })) => {
            StaffRefusal::Ended(status.name()).into()
        }
        other => other.into(),
    }
}

/// The place of an id in a list, as one word that nobody has to understand.
fn place(list: &'static str, id: &str) -> String {
    BASE64URL_NOPAD.encode(format!("{list}{id}").as_bytes())
}

/// The id before whose older ones a page begins.
fn before(list: &'static str, page: &Page) -> Result<String, StaffRefusal> {
    let Some(after) = &page.after else { return Ok(END.to_owned()) };
    let octets = BASE64URL_NOPAD.decode(after.as_bytes()).map_err(|_| StaffRefusal::After)?;
    let place = String::from_utf8(octets).map_err(|_| StaffRefusal::After)?;
    let id = place.strip_prefix(list).filter(|id| !id.is_empty() && domain::hidden_in(id).is_none());
    id.map(str::to_owned).ok_or(StaffRefusal::After)
}

/// A page of what fits among rows that were read with a limit.
pub(crate) fn paged<T>(
    rows: Vec<T>,
    limit: i64,
    size: usize,
    fits: impl Fn(&T) -> bool,
    id: impl Fn(&T) -> String,
) -> Found<T> {
    let may_be_more = i64::try_from(rows.len()).is_ok_and(|count| count >= limit);
    let last = rows.last().filter(|_| may_be_more).map(&id);
    let mut items: Vec<T> = rows.into_iter().filter(fits).collect();
    if items.len() <= size {
        return Found { items, next: last };
    }
    items.truncate(size);
    let next = items.last().map(id);
    Found { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_of_its_own_list() {
        let page = |after: &str| Page { after: Some(after.to_owned()), size: 1 };
        let of_consents = place(CONSENTS, "019b-1");
        assert_eq!(before(CONSENTS, &page(&of_consents)), Ok("019b-1".to_owned()));
        assert_eq!(before(CONSENTS, &Page { after: None, size: 1 }), Ok(END.to_owned()));
        for list in [FUNDS_CONSENTS, PAYMENTS] {
            assert_eq!(before(list, &page(&of_consents)), Err(StaffRefusal::After));
        }
        let odd = [place(CONSENTS, ""), place(CONSENTS, "a\0"), place(CONSENTS, "a\nb")];
        for strange in ["", "x", "nonsense", "\0", "019b-1"].map(str::to_owned).iter().chain(&odd) {
            assert_eq!(before(CONSENTS, &page(strange)), Err(StaffRefusal::After), "{strange:?}");
        }
    }

    #[test]
    fn pages_leave_nothing_out_and_tell_nothing_twice() {
        let rows = |after: u32, limit: i64| (after + 1..=10).take(limit as usize).collect::<Vec<_>>();
        for (limit, size) in [(3, 2), (5, 4), (4, 1), (11, 10), (20, 3)] {
            let (mut after, mut all) = (0, Vec::new());
            for _ in 0..20 {
                let found = paged(rows(after, limit), limit, size, |n| n % 3 != 0, u32::to_string);
                assert!(found.items.len() <= size);
                all.extend(found.items);
                match found.next {
                    Some(next) => after = next.parse().unwrap(),
                    None => break,
                }
            }
            assert_eq!(all, [1, 2, 4, 5, 7, 8, 10], "{limit} {size}");
        }
    }
}
