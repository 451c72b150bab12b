//! Customers: sent to the bank to approve, connected by what they bring back, read from as far as they allowed.

use bunq::wire::{AccessToken, MonetaryAccount, Payment};
use http::Method;
use url::Url;

use super::client::{Client, Whose};
use super::in_words::account_in_words;
use super::state::{KeptConnection, PendingConnection};
use crate::accounts::{Account, TransactionsWish};
use crate::call::Call;
use crate::error::not_registered;
use crate::loopback::Loopback;
use crate::pages::Pages;
use crate::{Error, Hint, random};

/// Most payments of one page.
const PAGE: usize = 200;

/// Browsers that are away, of which is kept what they left with.
const MAX_DEPARTURES: usize = 100;

/// Kinds of accounts that this build knows.
const ACCOUNTS: [&str; 9] = [
    "MonetaryAccountBank",
    "MonetaryAccountJoint",
    "MonetaryAccountSavings",
    "MonetaryAccountLight",
    "MonetaryAccountExternal",
    "MonetaryAccountExternalSavings",
    "MonetaryAccountInvestment",
    "MonetaryAccountSwitchService",
    "MonetaryAccountCard",
];

/// A customer who approved, in the state of a [`Client`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Connection(pub(super) usize);

impl Client {
    /// Where to send the browser. What ties the answer to this request is kept until it comes back.
    ///
    /// Without a redirect URI, it is a registered one of this machine, or else the first registered one.
    pub(super) fn begin_authorization(
        &mut self,
        redirect_uri: Option<&str>,
    ) -> Result<PendingConnection, Error> {
        let client = self.kept.oauth_client.as_ref().ok_or_else(not_registered)?;
        let known = || Loopback::choose(&client.callback_urls);
        let none = || Error::missing("the OAuth client has no callback URL; add one", Hint::AddRedirectUri);
        let redirect_uri = redirect_uri.or_else(known).ok_or_else(none)?;
        let state = random::secret();
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", &state)
            .finish();
        let url = format!("{}?{query}", self.addresses.authorize);
        let pending = PendingConnection { state, redirect_uri: redirect_uri.to_owned(), url };
        let kept_pending = pending.clone();
        self.change(|kept| {
            kept.departures.push(kept_pending);
            let forgotten = kept.departures.len().saturating_sub(MAX_DEPARTURES);
            kept.departures.drain(..forgotten);
        })?;
        Ok(pending)
    }

    /// The browser came back: exchanges the code, keeps the access token, and opens the customer's session.
    pub(super) async fn finish_authorization(&mut self, location: &str) -> Result<Connection, Error> {
        let (pending, code) = code(&self.kept.departures, location)?;
        let (redirect_uri, state) = (pending.redirect_uri.clone(), pending.state.clone());
        let access_token = self.exchange(&code, &redirect_uri).await?;
        // The code works once, so what it gave is on disk before anything else is tried.
        let fresh =
            KeptConnection { access_token, user_id: None, customer: None, session: None, ended: false };
        let connection = self.update(|_, kept| {
            kept.departures.retain(|pending| pending.state != state);
            kept.connections.push(fresh);
            Ok(Connection(kept.connections.len() - 1))
        })?;
        self.session(Whose::Connection(connection.0)).await?;
        Ok(connection)
    }

    async fn exchange(&self, code: &str, redirect_uri: &str) -> Result<String, Error> {
        let client = self.kept.oauth_client.as_ref().ok_or_else(not_registered)?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("client_id", &client.client_id)
            .append_pair("client_secret", &client.client_secret)
            .finish();
        let endpoint = &self.addresses.token;
        let call = Call::new(Method::POST, format!("{endpoint}?{query}"), Vec::new())
            .header("accept", "application/json");
        let received = self.transport.receive(call, false).await;
        let received = received.map_err(|error| without_query(error, endpoint))?;
        let wrong = |reason: String| Error::Answer { url: endpoint.clone(), reason };
        let token: AccessToken =
            serde_json::from_slice(&received.body).map_err(|error| wrong(error.to_string()))?;
        if !token.token_type.eq_ignore_ascii_case("bearer") {
            return Err(wrong(format!("its token type is {}, not bearer", token.token_type)));
        }
        Ok(token.access_token)
    }

    /// A connection of the state: that of the user with this number, or the newest.
    pub(super) fn connection(&self, user: Option<&str>) -> Result<Connection, Error> {
        let connections = &self.kept.connections;
        let is_wanted = |kept: &KeptConnection| match user {
            Some(user) => kept.user_id.is_some_and(|id| id.to_string() == user),
            None => !kept.ended,
        };
        connections.iter().rposition(is_wanted).map(Connection).ok_or_else(|| match user {
            Some(user) => {
                let text = format!("connection {user} is not kept here; those that are, are listed");
                Error::missing(text, Hint::Show)
            }
            None => Error::missing("no customer is connected yet; send one to the bank", Hint::Authorise),
        })
    }

    /// The number of a connection's user at the bank.
    pub(super) async fn user_of(&mut self, connection: Connection) -> Result<i64, Error> {
        Ok(self.session(Whose::Connection(connection.0)).await?.user_id)
    }

    /// The customer's name, if the bank tells it.
    pub(super) fn customer_of(&self, connection: Connection) -> Option<&str> {
        self.kept.connections.get(connection.0)?.customer.as_deref()
    }

    /// The accounts that the customer allowed. Kinds that this build does not know are left out.
    pub(super) async fn accounts_of(&mut self, connection: Connection) -> Result<Vec<Account>, Error> {
        let user = self.user_of(connection).await?;
        let request = self.get(&format!("/v1/user/{user}/monetary-account"));
        let answer = self.with_session(Whose::Connection(connection.0), &request).await?;
        let (accounts, _) = answer.under::<MonetaryAccount>(&ACCOUNTS)?;
        Ok(accounts.into_iter().map(|(kind, account)| account_in_words(&kind, account)).collect())
    }

    /// The payments of an account in a period, newest first, all pages.
    pub(super) async fn payments(
        &mut self,
        connection: Connection,
        account: &str,
        wish: &TransactionsWish,
    ) -> Result<Vec<Payment>, Error> {
        let user = self.user_of(connection).await?;
        let path = format!("/v1/user/{user}/monetary-account/{account}/payment?count={PAGE}");
        let mut request = self.get(&path);
        let (mut all, mut pages) = (Vec::new(), Pages::from(&request.url));
        loop {
            let answer = self.with_session(Whose::Connection(connection.0), &request).await?;
            let (page, older) = answer.under::<Payment>(&["Payment"])?;
            let is_last = page.last().is_some_and(|(_, oldest)| is_over_before(wish, day_of(oldest)));
            all.extend(page.into_iter().map(|(_, payment)| payment));
            let next = match older {
                Some(older) if !is_last => self.addresses.resolve(&older)?,
                _ => break,
            };
            pages.turn_to(&next)?;
            request.url = next;
        }
        all.retain(|payment| is_in(wish, day_of(payment)));
        Ok(all)
    }
}

/// Whether payments of a day, and all older ones, come too early. Days are those of UTC.
fn is_over_before(wish: &TransactionsWish, day: &str) -> bool {
    wish.from.as_deref().is_some_and(|from| day < from)
}

fn is_in(wish: &TransactionsWish, day: &str) -> bool {
    !is_over_before(wish, day) && wish.to.as_deref().is_none_or(|to| day <= to)
}

/// The day of a payment, `YYYY-MM-DD`.
pub(super) fn day_of(payment: &Payment) -> &str {
    payment.created.get(..10).unwrap_or(&payment.created)
}

/// Reads the code from where the browser came back to, and finds what it left with.
fn code<'d>(
    departures: &'d [PendingConnection],
    location: &str,
) -> Result<(&'d PendingConnection, String), Error> {
    if departures.is_empty() {
        return Err(Error::missing("no authorisation is under way; begin", Hint::Authorise));
    }
    let url = Url::parse(location).map_err(|_| Error::Setup(format!("{location} is no URL")))?;
    let parameter =
        |name: &str| url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    let state = parameter("state");
    let is_it = |pending: &&PendingConnection| state.as_deref() == Some(pending.state.as_str());
    let pending = departures.iter().find(is_it).ok_or_else(|| {
        let text = "the browser came back with another state than it left with: the answer belongs to another request";
        Error::Setup(text.to_owned())
    })?;
    if let Some(error) = parameter("error") {
        let description = parameter("error_description").unwrap_or_default();
        let next = "send the customer to the bank again";
        return Err(Error::Authorization { error, description, next, hint: Hint::Authorise });
    }
    let code = parameter("code");
    let code = code.ok_or_else(|| Error::Setup("the browser came back without a code".to_owned()))?;
    Ok((pending, code))
}

/// Takes the query, which holds the client's secret, out of what an error says.
fn without_query(error: Error, endpoint: &str) -> Error {
    let url = endpoint.to_owned();
    match error {
        Error::Unreachable { reason, hint, .. } => Error::Unreachable { url, reason, hint },
        Error::Unresolved { name, way, .. } => Error::Unresolved { url, name, way },
        Error::Answer { reason, .. } => Error::Answer { url, reason },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::state::{State, StateFolder};
    use crate::{Transport, TransportSettings};

    const URI: &str = "http://127.0.0.1:8765/callback";

    fn client(root: &std::path::Path) -> Client {
        let bank = "http://127.0.0.1:1";
        let folder = StateFolder::new(root, bank).unwrap();
        let transport = Transport::new(TransportSettings::default(), None).unwrap();
        let mut client = Client::new(transport, bank, folder, State::default()).unwrap();
        let oauth_client = crate::bunq::KeptOauthClient {
            id: 7,
            client_id: "c".repeat(64),
            client_secret: "s".repeat(64),
            callback_urls: vec!["https://tpp.example/cb".to_owned(), URI.to_owned()],
        };
        client.change(|kept| kept.oauth_client = Some(oauth_client)).unwrap();
        client
    }

    #[test]
    fn a_browser_has_to_bring_back_what_it_left_with() {
        let root = tempfile::tempdir().unwrap();
        let mut client = client(root.path());
        let pending = client.begin_authorization(None).unwrap();
        let start = format!(
            "http://127.0.0.1:1/bunq/auth?response_type=code&client_id={}&redirect_uri=\
             http%3A%2F%2F127.0.0.1%3A8765%2Fcallback&state=",
            "c".repeat(64)
        );
        assert_eq!(pending.url, format!("{start}{}", pending.state));
        let departures = client.folder.load().unwrap().bunq.unwrap().departures;
        assert_eq!(departures, std::slice::from_ref(&pending));
        let state = &pending.state;
        assert_eq!(code(&departures, &format!("{URI}?code=x&state={state}")).unwrap().1, "x");
        let refused = code(&departures, &format!("{URI}?error=access_denied&state={state}"));
        assert!(matches!(refused, Err(Error::Authorization { .. })));
        for query in ["code=x".to_owned(), "code=x&state=y".to_owned(), format!("state={state}")] {
            let wrong = format!("{URI}?{query}");
            assert!(matches!(code(&departures, &wrong), Err(Error::Setup(_))), "{wrong}");
        }
        let named = client.begin_authorization(Some("https://tpp.example/cb")).unwrap();
        assert!(named.url.contains("&redirect_uri=https%3A%2F%2Ftpp.example%2Fcb&") && named.state != *state);
        // The first browser may come back later than the second one left.
        let both = client.kept.departures.clone();
        assert_eq!(code(&both, &format!("{URI}?code=x&state={state}")).unwrap().0, &pending);
    }

    #[tokio::test]
    async fn no_error_tells_the_clients_secret() {
        let root = tempfile::tempdir().unwrap();
        let error = client(root.path()).exchange("code", URI).await.unwrap_err().to_string();
        assert!(error.starts_with("http://127.0.0.1:1/bunq/v1/token cannot be reached"), "{error}");
        assert!(!error.contains(&"s".repeat(64)), "{error}");
    }

    #[test]
    fn the_newest_connection_counts_unless_one_is_named() {
        let root = tempfile::tempdir().unwrap();
        let mut client = client(root.path());
        assert!(client.connection(None).is_err());
        for id in [11, 12] {
            let connection = KeptConnection {
                access_token: "t".to_owned(),
                user_id: Some(id),
                customer: None,
                session: None,
                ended: false,
            };
            client.kept.connections.push(connection);
        }
        assert_eq!(client.connection(None).unwrap(), Connection(1));
        assert_eq!(client.connection(Some("11")).unwrap(), Connection(0));
        assert!(client.connection(Some("13")).is_err());
    }

    fn payment(created: &str) -> Payment {
        let label = |iban: Value| {
            json!({"iban": iban, "is_light": null, "display_name": "Shop", "country": "NL", "avatar": null,
                   "label_user": {"uuid": null, "display_name": "Shop"}, "merchant_category_code": null})
        };
        let payment = json!({
            "id": 1001, "created": created, "updated": created, "monetary_account_id": 20,
            "amount": {"currency": "EUR", "value": "-12.50"}, "description": "Coffee", "type": "BUNQ",
            "sub_type": "PAYMENT", "merchant_reference": null, "alias": label("NL18BUNQ2025104049".into()),
            "counterparty_alias": label(Value::Null), "attachment": [], "geolocation": null, "batch_id": null,
            "balance_after_mutation": {"currency": null, "value": null}, "payment_arrival_expected": null,
        });
        serde_json::from_value(payment).unwrap()
    }

    #[test]
    fn payments_of_a_period() {
        let made = payment("2026-02-01 10:00:00.000001");
        assert_eq!(day_of(&made), "2026-02-01");
        assert_eq!(made.amount.value.as_deref(), Some("-12.50"));
        assert_eq!(made.counterparty_alias.unwrap().display_name.as_deref(), Some("Shop"));
        let wish = |from: &str, to: &str| TransactionsWish {
            booking_status: "booked".to_owned(),
            from: Some(from.to_owned()).filter(|day| !day.is_empty()),
            to: Some(to.to_owned()).filter(|day| !day.is_empty()),
        };
        for (from, to, is_wanted) in [
            ("", "", true),
            ("2026-02-01", "2026-02-01", true),
            ("2026-02-02", "", false),
            ("", "2026-01-31", false),
        ] {
            assert_eq!(is_in(&wish(from, to), "2026-02-01"), is_wanted, "{from} {to}");
        }
        assert!(is_over_before(&wish("2026-02-02", ""), "2026-02-01"));
        assert!(!is_over_before(&wish("", "2026-01-31"), "2026-02-01"));
    }
}
