//! A customer authenticates at the bank's own provider ([`crate::provider`]): to log in, and for payments that were not known
//! then once more.
//!
//! Nothing is kept for the way there and back, so that any node can take the answer. `state` is a text with a tag that this
//! gateway alone can make from the session's secret, which the browser shows in its cookie, and the challenge of the session.
//! Another browser's is worth nothing, and since the challenge changes with each answer, none is taken twice. Nonce and code
//! verifier follow from it. In it stand when the browser was sent, and what stands for the payments that the provider was told:
//! if others would be made by the time it comes back, the answer was not given for them.

use domain::dynamic_linking::binding;
use domain::{AccountId, Payment, PaymentId, Purpose, Session, Timestamp, Tpp};

use crate::decisions::Approval;
use crate::error::retry;
use crate::log_in::Proved;
use crate::provider::{Authenticated, IdentityProvider, ProviderRefusal, ProviderResponse, Trip};
use crate::sessions::{Journey, Open};
use crate::subjects::Matter;
use crate::{Changes, Ctx, Error, Gateway, secrets};

/// Most octets of an approval that a browser carries, which addresses have room for.
const CARRIED: usize = 4000;

/// What a browser came back with.
#[derive(Debug, Clone)]
pub struct CameBack {
    /// `state`.
    pub state: String,
    /// The rest.
    pub response: ProviderResponse,
}

/// Why a browser that came back goes on no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TripProblem {
    /// The answer does not belong to what this browser does now.
    Foreign,
    /// Nobody authenticated.
    Refused(ProviderRefusal),
}

impl Gateway {
    /// Whether customers authenticate at a provider of the bank.
    pub fn has_provider(&self) -> bool {
        self.0.bank.provider.is_some()
    }

    /// The origin to which the provider's pages belong, while it is there.
    pub async fn provider_origin(&self) -> Option<String> {
        match &self.0.bank.provider {
            Some(provider) => provider.origin().await.ok(),
            None => None,
        }
    }

    /// Where the browser of a session authenticates: to log in, or if it is logged in, for the payments of an approval. Without
    /// a provider, or if there is nothing to authenticate for, where it stands.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the provider is away
    pub async fn send_to_provider(
        &self,
        ctx: &Ctx,
        (secret, redirect_uri): (&str, &str),
        approval: Option<&Approval>,
    ) -> Result<Result<String, Journey>, Error> {
        let open = match self.find_session(ctx, secret).await? {
            Ok(open) => open,
            Err(elsewhere) => return Ok(Err(elsewhere)),
        };
        let approval = approval
            .filter(|_| open.session.logged_in.is_some())
            .map(lines_of)
            .filter(|approval| !approval.is_empty());
        let is_needed = open.session.logged_in.is_none() || approval.is_some();
        let (Some(provider), true) = (&self.0.bank.provider, is_needed) else {
            return Ok(Err(self.visit(ctx, secret, None).await?));
        };
        let approval = approval.unwrap_or_default();
        let payments = self.payments_of_trip(ctx, &open, &approval).await?;
        let carried = Carried { sent_at: ctx.now, payments: confirmation(&payments), approval };
        let state = self.0.keys.seal(&context(secret, &open.session), &carried.text());
        let trip = self.trip((ctx, &open), (secret, redirect_uri), (state, payments, ctx.now));
        let way = provider.send(&trip).await?;
        self.is_away_authenticating(ctx, open.session).await?;
        Ok(Ok(way))
    }

    /// A browser comes back from the provider.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the provider is away
    pub async fn came_back(
        &self,
        ctx: &Ctx,
        (secret, redirect_uri): (&str, &str),
        came: &CameBack,
    ) -> Result<Result<Journey, TripProblem>, Error> {
        let open = match self.find_session(ctx, secret).await? {
            Ok(open) => open,
            Err(elsewhere) => return Ok(Ok(elsewhere)),
        };
        let context = context(secret, &open.session);
        let carried = self.0.keys.open(&context, &came.state).as_deref().and_then(Carried::of);
        let (Some(provider), Some(carried)) = (&self.0.bank.provider, carried) else {
            return Ok(Err(TripProblem::Foreign));
        };
        let payments = self.payments_of_trip(ctx, &open, &carried.approval).await?;
        if confirmation(&payments) != carried.payments {
            return Ok(Err(TripProblem::Foreign));
        }
        let sent = (came.state.clone(), payments, carried.sent_at);
        let trip = self.trip((ctx, &open), (secret, redirect_uri), sent);
        let challenge = open.session.challenge.as_str();
        let authenticated = match self.authenticated(ctx, provider.as_ref(), &trip, came).await? {
            Ok(authenticated) => authenticated,
            Err(refusal) => {
                self.answer_is_used(ctx, secret, challenge).await?;
                return Ok(Err(TripProblem::Refused(refusal)));
            }
        };
        let fresh = self.0.randomness.secret();
        let next = format!("{} {}", self.nonce(), confirmation(&trip.payments));
        let journey = retry(|| async {
            let open = match self.find_session(ctx, secret).await? {
                Ok(open) if open.session.challenge == challenge => open,
                Ok(_) => return Ok(Err(TripProblem::Foreign)),
                Err(elsewhere) => return Ok(Ok(Some(elsewhere))),
            };
            let (customer, at) = authenticated.clone();
            let Some(logged_in) = &open.session.logged_in else {
                let proved = Proved { customer, at, challenge: next.clone() };
                return Ok(Ok(Some(self.logged_in(ctx, *open, proved, &fresh).await?)));
            };
            if logged_in.customer != customer {
                return Ok(Err(TripProblem::Refused(ProviderRefusal::Another)));
            }
            let confirmed = Session { challenge: next.clone(), seen_at: ctx.now, ..open.session };
            self.0.store.save(Changes::new().put_session(&confirmed)).await?;
            Ok(Ok(None))
        });
        match journey.await? {
            Ok(Some(journey)) => Ok(Ok(journey)),
            Ok(None) => Ok(Ok(self.approve(ctx, secret, &approval_in(&carried.approval)).await?)),
            Err(problem) => {
                self.answer_is_used(ctx, secret, challenge).await?;
                Ok(Err(problem))
            }
        }
    }

    /// Who asks in a session, and where the browser goes back to in the end; nobody if the session does not go on.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn asked(&self, ctx: &Ctx, secret: &str) -> Result<Option<(Tpp, String)>, Error> {
        match self.find_session(ctx, secret).await? {
            Ok(open) => {
                let request = open.session.request;
                Ok(Some((self.registered(&request.client).await?, request.redirect_uri)))
            }
            Err(_) => Ok(None),
        }
    }

    /// The payments that the provider is told: the one that a log-in is about, or those of an approval.
    async fn payments_of_trip(&self, ctx: &Ctx, open: &Open, approval: &str) -> Result<Vec<Payment>, Error> {
        match (&open.session.logged_in, &open.matter) {
            (None, Matter::Payment(payment)) if open.authorisation.purpose == Purpose::Approval => {
                Ok(vec![payment.clone()])
            }
            (None, _) => Ok(Vec::new()),
            (Some(logged_in), _) => {
                let approval = approval_in(approval);
                let accounts = self.0.bank.customers.accounts_of(&logged_in.customer).await?;
                let mut waiting = self.waiting_payments(ctx, &accounts, open).await?;
                waiting.retain(|payment| approval.payments.contains(&(payment.id.clone(), true)));
                Ok(waiting)
            }
        }
    }

    /// What the browser is sent with.
    fn trip(
        &self,
        (ctx, open): (&Ctx, &Open),
        (secret, redirect_uri): (&str, &str),
        (state, payments, sent_at): (String, Vec<Payment>, Timestamp),
    ) -> Trip {
        let derived = |purpose| self.0.keys.derived_secret(purpose, &[secret, &state]);
        Trip {
            redirect_uri: redirect_uri.to_owned(),
            nonce: derived("provider nonce"),
            verifier: derived("provider verifier"),
            language: open.session.language,
            is_anew: !payments.is_empty(),
            payments,
            sent_at,
            now: ctx.now,
            state,
        }
    }

    /// Who authenticated, as the bank knows them.
    pub(crate) async fn authenticated(
        &self,
        ctx: &Ctx,
        provider: &dyn IdentityProvider,
        trip: &Trip,
        came: &CameBack,
    ) -> Result<Result<(domain::CustomerId, Timestamp), ProviderRefusal>, Error> {
        let Authenticated { subject, at } = match provider.receive(trip, &came.response).await? {
            Ok(authenticated) => authenticated,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let customer = self.0.bank.customers.authenticated(&ctx.tenant, &subject).await?;
        // Clocks differ a little; nobody has authenticated in the future.
        Ok(customer.map(|customer| (customer, at.min(ctx.now))).ok_or(ProviderRefusal::Unknown))
    }

    async fn is_away_authenticating(&self, ctx: &Ctx, session: Session) -> Result<(), Error> {
        let seen = Session { seen_at: ctx.now, ..session };
        match self.0.store.save(Changes::new().put_session(&seen)).await {
            // Whatever changed it meanwhile saw it too.
            Err(store::StoreError::Conflict) => Ok(()),
            saved => Ok(saved?),
        }
    }

    /// The session's answers are bound to something else from now on.
    async fn answer_is_used(&self, ctx: &Ctx, secret: &str, challenge: &str) -> Result<(), Error> {
        retry(|| async {
            if let Ok(open) = self.find_session(ctx, secret).await?
                && open.session.challenge == challenge
            {
                let next = self.with_new_nonce(ctx, open.session);
                self.0.store.save(Changes::new().put_session(&next)).await?;
            }
            Ok(())
        })
        .await
    }
}

/// What `state` is bound to.
fn context<'a>(secret: &'a str, session: &'a Session) -> [&'a str; 3] {
    ["provider", secret, &session.challenge]
}

/// What `state` carries there and back.
#[derive(Debug, PartialEq, Eq)]
struct Carried {
    /// When the browser was sent, in whole seconds.
    sent_at: Timestamp,
    /// What stands for the payments that the provider was told ([`confirmation`]).
    payments: String,
    /// The approval that the payments are of ([`lines_of`]).
    approval: String,
}

impl Carried {
    fn text(&self) -> String {
        format!("{}\n{}\n{}", self.sent_at.as_second(), self.payments, self.approval)
    }

    fn of(text: &str) -> Option<Self> {
        let (sent_at, rest) = text.split_once('\n')?;
        let (payments, approval) = rest.split_once('\n')?;
        let sent_at = Timestamp::from_second(sent_at.parse().ok()?).ok()?;
        Some(Self { sent_at, payments: payments.to_owned(), approval: approval.to_owned() })
    }
}

/// What stands for payments that the provider confirmed, all of them: amount and payee of each
/// ([`domain::dynamic_linking`]). Their order does not matter.
pub(crate) fn confirmation(payments: &[Payment]) -> String {
    let mut bindings: Vec<String> = payments.iter().map(|payment| secrets::hex(&binding(payment))).collect();
    bindings.sort_unstable();
    secrets::hash(&bindings.concat()).as_hex().to_owned()
}

/// What the provider confirmed in a session.
pub(crate) fn confirmed_in(session: &Session) -> Option<&str> {
    session.challenge.split_once(' ').map(|(_, confirmed)| confirmed)
}

/// An approval as a line for each account and payment; nothing if it is too long, or its ids are none.
fn lines_of(approval: &Approval) -> String {
    let accounts = approval.accounts.iter().map(|account| format!("@{account}"));
    let payments =
        approval.payments.iter().map(|(id, is_made)| format!("{}{id}", if *is_made { '+' } else { '-' }));
    let lines: Vec<String> = accounts.chain(payments).filter(|line| !line.contains('\n')).collect();
    let text = lines.join("\n");
    if text.len() > CARRIED { String::new() } else { text }
}

fn approval_in(lines: &str) -> Approval {
    let mut approval = Approval::default();
    for line in lines.lines() {
        match (line.get(..1), line.get(1..)) {
            (Some("@"), Some(id)) => approval.accounts.push(AccountId::new(id)),
            (Some("+"), Some(id)) => approval.payments.push((PaymentId::new(id), true)),
            (Some("-"), Some(id)) => approval.payments.push((PaymentId::new(id), false)),
            _ => {}
        }
    }
    approval
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_is_carried_as_it_was() {
        let approval = Approval {
            accounts: vec![AccountId::new("a-1")],
            payments: vec![(PaymentId::new("p-1"), true), (PaymentId::new("p-2"), false)],
            answer: None,
        };
        let back = approval_in(&lines_of(&approval));
        assert_eq!((back.accounts, back.payments), (approval.accounts, approval.payments));
        let hostile = Approval { payments: vec![(PaymentId::new("x\n+p-9"), false)], ..Approval::default() };
        assert!(approval_in(&lines_of(&hostile)).payments.is_empty());
        let long = Approval { accounts: vec![AccountId::new("a".repeat(CARRIED))], ..Approval::default() };
        assert_eq!(lines_of(&long), "");
    }

    #[test]
    fn what_state_carries_comes_back_as_it_was() {
        for approval in ["", "@a-1\n+p-1"] {
            let sent_at = Timestamp::from_second(1_800_000_000).unwrap();
            let carried = Carried { sent_at, payments: confirmation(&[]), approval: approval.to_owned() };
            assert_eq!(Carried::of(&carried.text()), Some(carried), "{approval}");
        }
        for other in ["", "+p-1", "1800000000\n", "x\n\n"] {
            assert_eq!(Carried::of(other), None, "{other:?}");
        }
    }
}
