//! What is told of drafts and requests: that there is one, and what was decided about it (section 18).

use crate::accounts::Seen;
use crate::call::Call;
use crate::callbacks::Teller;
use crate::draft_payments::{self, KnownDraft};
use crate::error::Error;
use crate::labels::is_in_person;
use crate::notifications::Filter;
use crate::records::{look_up, write};
use crate::requests::{self, KnownInquiry, KnownResponse};
use crate::wire::objects::{Category, Object};
use crate::wire::payments::Decision;

/// From filters, an account and a type of object to the objects that were told last, each with its status.
pub(crate) const TOLD_STATES: &str = "notification-told-states";

/// Objects of one type, the newest, whose status is looked at.
const NEWEST: usize = 10;

/// Others of which it was told, or noted when the filters were set, that they wait: as many are looked at until they are decided.
const WAITING: usize = 100;

/// Begins at what is on an account now.
pub(crate) async fn begin(call: &Call, key: &str, filters: &[Filter], seen: &Seen) -> Result<(), Error> {
    for decided in decided_by(call, filters)? {
        let known = objects(call, seen, decided, (WAITING, &[])).await?;
        note(call, &decided.key(key, seen), &states(&known)).await?;
    }
    Ok(())
}

/// Tells what is new on an account.
pub(crate) async fn tell(
    teller: &mut Teller<'_>,
    key: &str,
    filters: &[Filter],
    seen: &Seen,
) -> Result<(), Error> {
    let mut outcome = Ok(());
    for decided in decided_by(teller.call, filters)? {
        outcome = outcome.and(tell_of(teller, key, (decided, filters), seen).await);
    }
    outcome
}

/// What somebody decides about.
#[derive(Debug, Clone, Copy)]
enum Decided {
    Drafts,
    Inquiries,
    Responses,
}

/// What those to be told are about, as far as the caller sees it: requests are between customers.
fn decided_by(call: &Call, filters: &[Filter]) -> Result<Vec<Decided>, Error> {
    let all = if is_in_person(call.caller()?) {
        &[Decided::Drafts, Decided::Inquiries, Decided::Responses][..]
    } else {
        &[Decided::Drafts]
    };
    let is_wanted = |decided: &Decided| filters.iter().any(|one| one.category == decided.category());
    Ok(all.iter().copied().filter(is_wanted).collect())
}

impl Decided {
    fn category(self) -> Category {
        match self {
            Self::Drafts => Category::DraftPayment,
            Self::Inquiries | Self::Responses => Category::Request,
        }
    }

    /// What their events begin with.
    fn name(self) -> &'static str {
        match self {
            Self::Drafts => "DRAFT_PAYMENT",
            Self::Inquiries => "REQUEST_INQUIRY",
            Self::Responses => "REQUEST_RESPONSE",
        }
    }

    /// Under what is kept which of them were told last.
    fn key(self, key: &str, seen: &Seen) -> String {
        format!("{key}/{}/{}", seen.id, self.name())
    }
}

/// An object of which it may have to be told: its status is known, and it is rendered once there is something to tell.
enum Known {
    Draft(Box<KnownDraft>),
    Inquiry(Box<KnownInquiry>),
    Response(Box<KnownResponse>),
}

impl Known {
    /// Number and status.
    fn state(&self, call: &Call) -> (i64, Decision) {
        match self {
            Self::Draft(one) => one.state(call),
            Self::Inquiry(one) => one.state(call),
            Self::Response(one) => one.state(call),
        }
    }

    async fn render(&self, call: &Call, seen: &Seen) -> Result<Object, Error> {
        Ok(match self {
            Self::Draft(one) => Object::DraftPayment(Box::new(one.render(call, seen).await?)),
            Self::Inquiry(one) => Object::RequestInquiry(one.render(call)),
            Self::Response(one) => Object::RequestResponse(one.render(call, seen)),
        })
    }
}

/// Objects of one type, oldest first, each with its number and status: the newest, so many of them, and those with these numbers.
async fn objects(
    call: &Call,
    seen: &Seen,
    decided: Decided,
    which: (usize, &[i64]),
) -> Result<Vec<((i64, Decision), Known)>, Error> {
    let newest: Vec<_> = match decided {
        Decided::Drafts => {
            let found = draft_payments::newest(call, seen, which).await?;
            found.into_iter().map(|one| Known::Draft(Box::new(one))).collect()
        }
        Decided::Inquiries => {
            let found = requests::newest(call, seen, which).await?;
            found.into_iter().map(|one| Known::Inquiry(Box::new(one))).collect()
        }
        Decided::Responses => {
            let found = requests::newest_responses(call, seen, which).await?;
            found.into_iter().map(|one| Known::Response(Box::new(one))).collect()
        }
    };
    Ok(newest.into_iter().rev().map(|one| (one.state(call), one)).collect())
}

/// Number and status of each.
fn states(objects: &[((i64, Decision), Known)]) -> Vec<(i64, Decision)> {
    objects.iter().map(|(state, _)| *state).collect()
}

/// Notes what was told.
async fn note(call: &Call, key: &str, states: &[(i64, Decision)]) -> Result<(), Error> {
    Ok(call.bunq.drawer.put(TOLD_STATES, key, &write(&states)).await?)
}

async fn tell_of(
    teller: &mut Teller<'_>,
    key: &str,
    (decided, filters): (Decided, &[Filter]),
    seen: &Seen,
) -> Result<(), Error> {
    let (call, key) = (teller.call, &decided.key(key, seen));
    let told = look_up::<Vec<(i64, Decision)>>(&call.bunq.drawer, TOLD_STATES, key).await?;
    // However many are newer by now, what waits is looked at until it is decided.
    let waits = |(id, decision): &(i64, Decision)| (*decision == Decision::Pending).then_some(*id);
    let waiting: Vec<i64> = told.iter().flatten().rev().filter_map(waits).take(WAITING).collect();
    let known = objects(call, seen, decided, (NEWEST, &waiting)).await?;
    let mut states = states(&known);
    if told.as_ref() == Some(&states) {
        return Ok(());
    }
    // None for an account that came after the filters: what it has is not news. Neither is what is older than all that was told.
    let oldest = told.as_ref().map(|told| told.iter().map(|(id, _)| *id).min().unwrap_or_default());
    let (mut news, mut outcome) = (Vec::new(), Ok(()));
    for ((state, one), noted) in known.iter().zip(&mut states) {
        let is_known = told.iter().flatten().any(|known| known == state);
        if is_known || oldest.is_none_or(|oldest| state.0 < oldest) {
            continue;
        }
        let event = match state.1 {
            Decision::Pending => format!("{}_CREATED", decided.name()),
            word => format!("{}_{word}", decided.name()),
        };
        match one.render(call, seen).await {
            Ok(object) => news.push((event, state.0, object)),
            // What waits is made of what is kept here, but for the name of who asks: then nothing can be noted either.
            Err(error) if state.1 == Decision::Pending => return Err(error),
            // The bank does not say what became of it. It is noted as one that waits, and so looked at until it can be told.
            Err(error) => {
                noted.1 = Decision::Pending;
                outcome = outcome.and(Err(error));
            }
        }
    }
    // Told after all was rendered, since what was told is noted at the end, and would be told again.
    for (event, id, object) in &news {
        for filter in filters.iter().filter(|one| one.category == decided.category()) {
            teller.tell(filter, event.clone(), *id, object).await?;
        }
    }
    if told.as_ref() != Some(&states) {
        note(call, key, &states).await?;
    }
    outcome
}
