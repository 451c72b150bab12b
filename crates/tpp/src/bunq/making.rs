//! Requests that make something at a bank that knows no ids of requests: where no answer came, this side looks for what
//! was made before it makes it again.

use serde::Serialize;
use serde_json::Value;

use super::answer::Page;
use super::client::{Client, Request, Whose};
use crate::bulk_files::units;
use crate::kept_payments::{KeptNewest, KeptPayment, KeptRequest, digest_of, turn_of};
use crate::state::State;
use crate::{Error, Hint, clock, random};

/// Elements of one page of what was made since.
const PAGE: usize = 50;

/// Pages that are looked at; whoever made more since has to look for themselves.
const MAX_PAGES: usize = 20;

/// What is to be made.
pub(super) struct Making<'a> {
    /// In whose session.
    pub(super) whose: Whose,
    /// Where, which is also where the bank lists what was made.
    pub(super) path: &'a str,
    /// The wrapper of its elements.
    pub(super) wrapper: &'static str,
    /// What the bank shows of it later: account that pays, account of the payee, amount, and what it is for where that is
    /// shown.
    pub(super) looks: Looks,
    /// Whether it is another one, whatever became of the same request that no answer came to.
    pub(super) anew: bool,
}

/// What a bank shows of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Looks {
    pub(super) from: Option<String>,
    pub(super) to: String,
    pub(super) amount: String,
    pub(super) description: Option<String>,
}

impl Looks {
    /// Whether an element of the bank's list looks like this.
    fn fit(&self, element: &Value) -> bool {
        // A draft has what it pays in entries, a provider's has it in itself.
        let entry = element["entries"].get(0);
        let payee = entry.map_or(&element["receiver_iban"], |entry| &entry["counterparty_alias"]["iban"]);
        let part = entry.unwrap_or(element);
        let is = |value: &Value, text: &str| value.as_str().is_some_and(|it| it.eq_ignore_ascii_case(text));
        let value = part["amount"]["value"].as_str().unwrap_or_default();
        is(payee, &self.to)
            && self.from.as_ref().is_none_or(|from| is(&element["sender_iban"], from))
            && self.description.as_ref().is_none_or(|text| part["description"] == *text)
            && units(value).is_some_and(|units_of| Some(units_of) == units(&self.amount))
    }
}

impl Client {
    /// Makes something and keeps what came of it, with the digest of the request; returns its number, and whether it is that of
    /// the same request before. If no answer came to that, the bank is asked what it has made since: what looks like it is
    /// taken up, and where it cannot be told, that is said.
    pub(super) async fn make(
        &mut self,
        making: &Making<'_>,
        body: &impl Serialize,
        keep: impl Fn(&mut State, &str, &str),
    ) -> Result<(String, bool), Error> {
        let request = self.post(making.path, body)?;
        let looks = serde_json::to_vec(&making.looks).map_err(|error| Error::Setup(error.to_string()))?;
        let likeness = digest_of(&[making.path.as_bytes(), &looks]);
        let digest = digest_of(&[making.path.as_bytes(), request.body()]);
        // Whoever asks for what looks the same waits, so that neither takes up what the other one made.
        let name = turn_of(&likeness);
        let turn = self.folder.turn(&name);
        self.asking = Some(self.transport.patiently("another command that asks for the same", turn).await?);
        let lost = self.lost(&digest, making.anew)?;
        let known = KeptPayment::untold(&self.rest.payments, &digest).filter(|_| !making.anew);
        if let Some(known) = known {
            return Ok((known.id.clone(), true));
        }
        let id = match lost {
            Some(lost) => match self.made_of(making, &lost).await? {
                Some(made) => {
                    self.made(&lost.id, |state| keep(state, &made, &digest))?;
                    return Ok((made, true));
                }
                None => lost.id,
            },
            None => {
                let (id, before) = (random::secret(), self.newest(making).await?);
                let (at, kept, digest) = (clock::now(), id.clone(), digest.clone());
                self.update(|state, _| {
                    state.unanswered.push(KeptRequest { id: kept, digest, likeness, at, day: None, before });
                    Ok(())
                })?;
                id
            }
        };
        let answer = self.with_session(making.whose, &request).await;
        match answer.and_then(|answer| answer.id()) {
            Ok(made) => {
                let made = made.to_string();
                self.made(&id, |state| keep(state, &made, &digest))?;
                Ok((made, false))
            }
            Err(error) if error.leaves_open() => Err(Error::Unanswered(error.into())),
            Err(error) => {
                self.made(&id, |_| {})?;
                Err(error)
            }
        }
    }

    /// The same request that no answer came to, as it is on disk now; none if that is to be forgotten.
    fn lost(&mut self, digest: &str, anew: bool) -> Result<Option<KeptRequest>, Error> {
        self.update(|state, _| {
            if anew {
                state.unanswered.retain(|kept| kept.digest != digest);
            }
            Ok(state.unanswered.iter().find(|kept| kept.digest == digest).cloned())
        })
    }

    /// Keeps what came of a request, and that it is answered.
    fn made(&mut self, id: &str, keep: impl FnOnce(&mut State)) -> Result<(), Error> {
        self.update(|state, _| {
            state.unanswered.retain(|kept| kept.id != id);
            keep(state);
            Ok(())
        })
    }

    /// What the bank had made last before a request.
    async fn newest(&mut self, making: &Making<'_>) -> Result<Option<KeptNewest>, Error> {
        let request = self.get(&format!("{}?count=1", making.path));
        let (page, _) = self.listed(making, &request).await?;
        Ok(page.into_iter().find_map(|(_, element)| newest_of(&element)))
    }

    async fn listed(&mut self, making: &Making<'_>, request: &Request) -> Result<Page<Value>, Error> {
        self.with_session(making.whose, request).await?.under::<Value>(&[making.wrapper])
    }

    /// What the bank made of a request that no answer came to; nothing if it never got it.
    async fn made_of(&mut self, making: &Making<'_>, lost: &KeptRequest) -> Result<Option<String>, Error> {
        let begin = format!("no answer came when the same payment was asked for at {}", lost.at);
        let found = self.made_since(making, lost).await;
        let found = found.map_err(|error| Error::Unclear {
            text: format!(
                "{begin}, and whether the bank made it could not be found out: {error}; the same command again asks the \
                 bank again"
            ),
            hint: error.hint(),
        })?;
        let is_like = |kept: &KeptRequest| kept.likeness == lost.likeness && kept.id != lost.id;
        let has_others = self.rest.unanswered.iter().any(is_like);
        match (&found[..], has_others) {
            ([], _) => Ok(None),
            ([one], false) => Ok(Some(one.clone())),
            (all, _) => Err(Error::Unclear {
                text: format!(
                    "{begin}, and the bank does not show which it is of those of the same amount and accounts that it made \
                     since: {}; if it is none of them, ask for it with the same command and --anew; look",
                    all.join(", ")
                ),
                hint: Some(Hint::ShowPayment(all[0].clone())),
            }),
        }
    }

    /// What the bank has made since a request that looks like what it asked for, and that this side knows nothing of.
    async fn made_since(&mut self, making: &Making<'_>, lost: &KeptRequest) -> Result<Vec<String>, Error> {
        let (mut found, mut request) = (Vec::new(), self.get(&format!("{}?count={PAGE}", making.path)));
        for _ in 0..MAX_PAGES {
            let (page, older) = self.listed(making, &request).await?;
            let mut is_over = true;
            for (_, element) in &page {
                let newest = newest_of(element).ok_or_else(|| unreadable(making.path))?;
                let before = lost.before.as_ref();
                if before.is_some_and(|before| newest.created < before.created || newest.id == before.id) {
                    continue;
                }
                is_over = false;
                let id = newest.id.to_string();
                let is_kept = self.rest.payments.iter().any(|kept| kept.id == id);
                if making.looks.fit(element) && !is_kept {
                    found.push(id);
                }
            }
            match older.filter(|_| !is_over) {
                Some(older) => request.url = self.addresses.resolve(&older)?,
                None => return Ok(found),
            }
        }
        Err(Error::Answer {
            url: making.path.to_owned(),
            reason: format!("it lists more than {} payments since", MAX_PAGES * PAGE),
        })
    }
}

/// Number and time of an element.
fn newest_of(element: &Value) -> Option<KeptNewest> {
    Some(KeptNewest { id: element["id"].as_i64()?, created: element["created"].as_str()?.to_owned() })
}

fn unreadable(path: &str) -> Error {
    Error::Answer { url: path.to_owned(), reason: "an element has no id or no created".to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_bank_lists_is_recognised() {
        let looks = |from: Option<&str>, description: Option<&str>| Looks {
            from: from.map(str::to_owned),
            to: "NL13ABNA0000000000".to_owned(),
            amount: "12.50".to_owned(),
            description: description.map(str::to_owned),
        };
        let provider = |amount: &str| {
            json!({"id": 5, "sender_iban": "NL18BUNQ2025104049", "receiver_iban": "NL13ABNA0000000000",
                   "amount": {"value": amount, "currency": "EUR"}, "status": "PENDING"})
        };
        let own = looks(Some("NL18BUNQ2025104049"), None);
        assert!(own.fit(&provider("12.50")) && own.fit(&provider("12.5")) && !own.fit(&provider("12.51")));
        assert!(!looks(Some("NL91ABNA0417164300"), None).fit(&provider("12.50")));
        let draft = json!({"id": 6, "entries": [{"amount": {"value": "12.50", "currency": "EUR"},
            "counterparty_alias": {"iban": "NL13ABNA0000000000"}, "description": "Coffee"}]});
        assert!(looks(None, Some("Coffee")).fit(&draft) && !looks(None, Some("Tea")).fit(&draft));
        for strange in [json!({}), json!([]), json!({"entries": []}), json!({"amount": {"value": "x"}})] {
            assert!(!looks(None, None).fit(&strange), "{strange}");
        }
    }
}
