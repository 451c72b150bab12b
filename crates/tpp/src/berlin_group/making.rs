//! Requests that make something: whatever becomes of their answers, nothing is made twice.

use serde::de::DeserializeOwned;

use super::client::Client;
use super::interface::Interface;
use crate::call::Call;
use crate::kept_payments::{KeptRequest, digest_of, turn_of};
use crate::state::{Lock, State};
use crate::{Error, clock, random};

/// What a request makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// A payment. `anew` makes another one, whatever became of the same request that no answer came to.
    Payment { anew: bool },
    /// A consent; nobody minds one too many.
    Consent,
}

/// SHA-256 of a request that is not signed yet, which is all that it asks for.
pub(super) fn digest(call: &Call) -> String {
    digest_of(&[call.url.as_bytes(), format!("{:?}", call.headers).as_bytes(), &call.body])
}

impl Client {
    /// Sends a request to make something, and keeps what came of it. One that no answer came to has the same id when it is
    /// sent again, today or when somebody asks for the same thing later, so that the bank makes one thing of both. Whoever calls has their turn.
    pub(super) async fn make<T: DeserializeOwned, K>(
        &mut self,
        interface: &Interface,
        call: Call,
        made: Made,
        keep: impl FnOnce(&mut State, T) -> Result<K, Error>,
    ) -> Result<K, Error> {
        let digest = digest(&call);
        let id = self.begin_request(digest, interface.tenant(), made)?;
        let call = interface.signed_as(call, &id)?;
        match interface.transport.json(call).await {
            Ok(answer) => self.update(|state| {
                let kept = keep(state, answer)?;
                state.unanswered.retain(|kept| kept.id != id);
                Ok(kept)
            }),
            Err(error) if error.leaves_open() => Err(Error::Unanswered(error.into())),
            Err(error) => {
                self.update(|state| {
                    state.unanswered.retain(|kept| kept.id != id);
                    Ok(())
                })?;
                Err(error)
            }
        }
    }

    /// Waits for other commands that ask for the same: theirs is no lost request.
    pub(super) async fn turn_to_ask(&mut self, call: &Call) -> Result<Lock, Error> {
        let name = turn_of(&digest(call));
        let turn = self.folder.turn(&name);
        self.transport.patiently("another command that asks for the same", turn).await
    }

    /// The id of a request: that of the same one that no answer came to, or a new one, which is on disk before it is used.
    fn begin_request(&mut self, digest: String, tenant: &str, made: Made) -> Result<String, Error> {
        let (now, today) = (clock::now(), self.today(tenant).parse().ok());
        self.update(|state| {
            let is_same = |kept: &KeptRequest| kept.digest == digest;
            match state.unanswered.iter().find(|kept| is_same(kept)) {
                Some(kept) if made == (Made::Payment { anew: false }) => {
                    if kept.is_known_at(now, today) {
                        return Ok(kept.id.clone());
                    }
                    return Err(Error::Unclear {
                        text: format!(
                            "no answer came when the same payment was asked for at {}, and banks know the ids of requests \
                             for a day, so whether it was made cannot be found out any more; look at the account, and if \
                             it was not, ask for it with the same command and --anew",
                            kept.at
                        ),
                        hint: None,
                    });
                }
                Some(kept) if made == Made::Consent && kept.is_known_at(now, today) => {
                    return Ok(kept.id.clone());
                }
                _ => state.unanswered.retain(|kept| !is_same(kept)),
            }
            let id = random::request_id().to_string();
            state.unanswered.push(KeptRequest {
                id: id.clone(),
                digest,
                at: now,
                day: today,
                ..KeptRequest::default()
            });
            Ok(id)
        })
    }
}
