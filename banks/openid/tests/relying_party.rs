//! The gateway as a relying party, against a provider that does what it is told.
#![expect(clippy::unwrap_used, reason = "a test may stop anywhere")]

use std::time::Duration;

use gateway::Error;
use gateway::domain::{
    Counterparty, Currency, Iban, Interface, Language, Money, Payment, PaymentDecision, PaymentId,
    PaymentTerms, Tenant, Timestamp, TppId, Transfer,
};
use gateway::provider::{Authenticated, IdentityProvider, ProviderRefusal, ProviderResponse, Trip};
use openid::test_provider::{
    Behaviour, Signing, TestProvider, new_key, new_key_of_another_curve, public_key,
};
use openid::{ClientProof, Provider, ProviderSettings, SetupError};
use serde_json::json;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn trip() -> Trip {
    Trip {
        redirect_uri: "https://bank.example/auth/internalonly/callback".to_owned(),
        state: "a state".to_owned(),
        nonce: "a nonce".to_owned(),
        verifier: VERIFIER.to_owned(),
        language: Language::Dutch,
        payments: Vec::new(),
        is_anew: false,
        sent_at: now(),
        now: now(),
    }
}

/// To pay 12.50.
fn paying() -> Trip {
    let transfer = Transfer {
        creditor: Counterparty {
            name: Some("Shop".to_owned()),
            iban: Some(Iban::parse("NL91ABNA0417164300").unwrap()),
        },
        amount: Money { minor: 1250, currency: Currency::EUR },
        remittance: None,
        end_to_end_id: None,
        routing: None,
    };
    let payment = Payment {
        id: PaymentId::new("2f3c9a52-7a4e-4c0e-9d6e-0a51b3a3c001"),
        tpp: Some(TppId::new("PSDNL-DNB-1")),
        tenant: Tenant::parse("nl").unwrap(),
        interface: Interface::BerlinGroup,
        terms: PaymentTerms::AT_ONCE,
        debtor: None,
        transfers: vec![transfer],
        created_at: now(),
        expires_at: Timestamp::MAX,
        decision: PaymentDecision::Pending,
        last_action_at: now(),
        version: 1,
    };
    Trip { payments: vec![payment], is_anew: true, ..trip() }
}

async fn provider() -> TestProvider {
    let provider = TestProvider::start(now()).await;
    provider.behave(|it| it.subject = Some("customer-1".to_owned()));
    provider
}

/// What a browser comes back with that is sent to an address.
async fn visit(url: &str) -> ProviderResponse {
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let answer = http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
    let location = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let parameter = |name: &str| {
        location.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    };
    assert_eq!(parameter("state").as_deref(), Some("a state"));
    let outcome = parameter("code").ok_or_else(|| parameter("error").unwrap());
    ProviderResponse { outcome, issuer: parameter("iss") }
}

async fn log_in(client: &Provider, trip: &Trip) -> Result<Result<Authenticated, ProviderRefusal>, Error> {
    let url = client.send(trip).await?;
    client.receive(trip, &visit(&url).await).await
}

#[tokio::test]
async fn a_customer_authenticates() {
    let provider = provider().await;
    let mut settings = provider.settings();
    settings.acr_values = vec!["strong".to_owned(), "stronger".to_owned()];
    let client = Provider::new(settings).unwrap();
    assert_eq!(client.origin().await.unwrap(), provider.issuer());
    for pushes in [false, true] {
        provider.behave(|it| it.pushes = pushes);
        // The configuration is kept, so a new way there looks it up again.
        let client = if pushes { Provider::new(client_settings(&provider)).unwrap() } else { client.clone() };
        let authenticated = log_in(&client, &trip()).await.unwrap().unwrap();
        assert_eq!(authenticated, Authenticated { subject: "customer-1".to_owned(), at: now() });
        let request = provider.requests().pop().unwrap();
        for (name, value) in [
            ("scope", "openid"),
            ("acr_values", "strong stronger"),
            ("max_age", "300"),
            ("ui_locales", "nl"),
            ("nonce", "a nonce"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ] {
            assert_eq!(request[name], value, "{name}");
        }
        assert!(!request.contains_key("authorization_details") && !request.contains_key("prompt"));
    }
}

fn client_settings(provider: &TestProvider) -> ProviderSettings {
    ProviderSettings { acr_values: vec!["strong".to_owned(), "stronger".to_owned()], ..provider.settings() }
}

#[tokio::test]
async fn the_gateway_proves_itself_with_a_key() {
    let provider = provider().await;
    let key = new_key();
    let proof = ClientProof::PrivateKey { pem: key.clone().into_bytes(), key_id: Some("1".to_owned()) };
    let client = Provider::new(ProviderSettings { proof, ..provider.settings() }).unwrap();
    provider.behave(|it| (it.client_key, it.pushes) = (Some(public_key(&key)), true));
    assert!(log_in(&client, &trip()).await.unwrap().is_ok());
    // Another gateway's key is none of ours: that is a fault of the bank's configuration, and nobody's log-in.
    provider.behave(|it| it.client_key = Some(public_key(&new_key())));
    let error = log_in(&client, &trip()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_wrong_in_anything_is_not_taken() {
    type Case = (&'static str, fn(&mut Behaviour));
    let untrusted: &[Case] = &[
        ("iss of the response", |it| it.issuer = Some("https://evil.example".to_owned())),
        ("iss of the response", |it| it.issuer = None),
        ("does not verify", |it| it.claims = json!({"iss": "https://evil.example"})),
        ("does not verify", |it| it.claims = json!({"aud": "another client"})),
        ("another client", |it| it.claims = json!({"aud": ["gateway", "another"]})),
        ("another client", |it| it.claims = json!({"aud": ["gateway", "another"], "azp": "another"})),
        ("another client", |it| it.claims = json!({"aud": ["gateway", "another"], "azp": "gateway"})),
        ("another client", |it| it.claims = json!({"azp": "another"})),
        ("not good yet", |it| it.claims = json!({"nbf": now().as_second() + 60})),
        ("does not verify: its JSON", |it| it.claims = json!({"exp": "NL91ABNA0417164300"})),
        ("nonce", |it| it.claims = json!({"nonce": "another"})),
        ("nonce", |it| it.claims = json!({"nonce": null})),
        ("expired", |it| it.claims = json!({"exp": now().as_second() - 31})),
        ("just now", |it| it.claims = json!({"iat": now().as_second() - 700})),
        ("just now", |it| it.claims = json!({"iat": now().as_second() + 60})),
        ("no auth_time", |it| it.claims = json!({"auth_time": null})),
        ("in the future", |it| it.claims = json!({"auth_time": now().as_second() + 60})),
        ("no sub", |it| it.claims = json!({"sub": ""})),
        ("no sub", |it| it.claims = json!({"sub": ".."})),
        ("no sub", |it| it.claims = json!({"sub": "with space"})),
        ("does not verify", |it| it.signing = Signing::OtherKey),
        ("unknown key", |it| it.signing = Signing::UnknownKey),
        ("cannot be read", |it| it.signing = Signing::Nothing),
        ("is signed with HS256", |it| it.signing = Signing::Symmetric),
    ];
    let not_enough: &[Case] = &[
        ("too long ago", |it| it.claims = json!({"auth_time": now().as_second() - 331})),
        ("acr", |it| it.claims = json!({"acr": "weak"})),
        ("acr", |it| it.claims = json!({"acr": null})),
    ];
    let provider = provider().await;
    let client = Provider::new(client_settings(&provider)).unwrap();
    let mut well = None;
    provider.behave(|it| well = Some(it.clone()));
    let well = well.unwrap();
    for (is_trusted, cases) in [(false, untrusted), (true, not_enough)] {
        for (text, change) in cases {
            provider.behave(|it| {
                *it = well.clone();
                change(it);
            });
            let refusal = log_in(&client, &trip()).await.unwrap().unwrap_err();
            assert!(refusal.to_string().contains(text), "{text}: {refusal}");
            assert!(!refusal.to_string().contains("NL91"), "nothing of the token is told: {refusal}");
            let is_not_enough = matches!(refusal, ProviderRefusal::NotEnough(_));
            assert_eq!(is_not_enough, is_trusted, "{refusal}");
        }
    }
    provider.behave(|it| *it = well);
    assert!(log_in(&client, &trip()).await.unwrap().is_ok());
    let nothing =
        ProviderResponse { outcome: Err(String::new()), issuer: Some(provider.issuer().to_owned()) };
    let refusal = client.receive(&trip(), &nothing).await.unwrap().unwrap_err();
    assert!(refusal.to_string().contains("neither code nor error"), "{refusal}");
}

#[tokio::test]
async fn whoever_is_to_authenticate_anew_has_to() {
    let provider = provider().await;
    let client = Provider::new(provider.settings()).unwrap();
    // Whoever changed the request on its way, or a provider that does not do what is asked, has a session of before.
    provider.behave(|it| it.claims = json!({"auth_time": now().as_second() - 31}));
    assert!(log_in(&client, &trip()).await.unwrap().is_ok(), "to log in, what is young enough is good");
    for anew in [paying(), Trip { is_anew: true, ..trip() }] {
        let refusal = log_in(&client, &anew).await.unwrap().unwrap_err();
        assert!(matches!(refusal, ProviderRefusal::NotEnough(_)), "{refusal}");
        assert!(refusal.to_string().contains("anew"), "{refusal}");
        let later = Trip { sent_at: Timestamp::from_second(now().as_second() - 31).unwrap(), ..anew };
        assert!(log_in(&client, &later).await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn what_a_browser_carries_is_no_proof_of_what_was_shown() {
    let provider = provider().await;
    let settings = ProviderSettings { confirms_payments: false, ..provider.settings() };
    let client = Provider::new(settings.clone()).unwrap();
    let error = client.send(&paying()).await.unwrap_err();
    let Error::Unavailable(fault) = error else { panic!("{error:?}") };
    assert!(fault.to_string().contains("no pushed requests and does not confirm payments"), "{fault}");
    assert!(log_in(&client, &trip()).await.unwrap().is_ok(), "nothing is paid by a log-in alone");
    // Confirmed afterwards, or pushed without the browser.
    let confirming = Provider::new(provider.settings()).unwrap();
    assert!(log_in(&confirming, &paying()).await.unwrap().is_ok());
    provider.behave(|it| it.pushes = true);
    let pushing = Provider::new(settings).unwrap();
    assert!(log_in(&pushing, &paying()).await.unwrap().is_ok());
}

#[tokio::test]
async fn whoever_does_not_authenticate_is_told_from_a_provider_that_is_away() {
    let provider = provider().await;
    let client = Provider::new(provider.settings()).unwrap();
    provider.behave(|it| it.subject = None);
    let denied = log_in(&client, &trip()).await.unwrap();
    assert_eq!(denied, Err(ProviderRefusal::Denied("access_denied".to_owned())));
    // An error is believed from the provider alone.
    provider.behave(|it| it.issuer = Some("https://evil.example".to_owned()));
    let refusal = log_in(&client, &trip()).await.unwrap().unwrap_err();
    assert!(matches!(refusal, ProviderRefusal::Untrusted(_)), "{refusal}");
    let issuer = provider.issuer().to_owned();
    provider.behave(|it| (it.error, it.issuer) = (Some("temporarily_unavailable".to_owned()), Some(issuer)));
    // Anybody's browser can say so, and that nobody failed is counted.
    let denied = log_in(&client, &trip()).await.unwrap();
    assert_eq!(denied, Err(ProviderRefusal::Denied("temporarily_unavailable".to_owned())));
    provider.behave(|it| (it.error, it.subject) = (None, Some("customer-1".to_owned())));
    let url = client.send(&trip()).await.unwrap();
    let response = visit(&url).await;
    provider.behave(|it| it.is_away = true);
    assert!(matches!(client.receive(&trip(), &response).await, Err(Error::Unavailable(_))));
    assert!(matches!(
        Provider::new(provider.settings()).unwrap().send(&trip()).await,
        Err(Error::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_code_is_taken_once_and_with_its_verifier_alone() {
    let provider = provider().await;
    let client = Provider::new(provider.settings()).unwrap();
    let response = visit(&client.send(&trip()).await.unwrap()).await;
    assert!(client.receive(&trip(), &response).await.unwrap().is_ok());
    let again = client.receive(&trip(), &response).await.unwrap();
    assert_eq!(again, Err(ProviderRefusal::Code("invalid_grant".to_owned())));
    let response = visit(&client.send(&trip()).await.unwrap()).await;
    let other = Trip { verifier: "another verifier of enough characters, forty-three".to_owned(), ..trip() };
    assert!(matches!(client.receive(&other, &response).await.unwrap(), Err(ProviderRefusal::Code(_))));
    // What a browser brings is never an outage, whatever the provider calls it; that the gateway itself may not is one.
    let garbage = ProviderResponse { outcome: Ok("%%%".to_owned()), ..response };
    provider.behave(|it| it.of_codes = "invalid_request");
    let refused = client.receive(&trip(), &garbage).await.unwrap();
    assert_eq!(refused, Err(ProviderRefusal::Code("invalid_request".to_owned())));
    provider.behave(|it| it.of_codes = "unauthorized_client");
    assert!(matches!(client.receive(&trip(), &garbage).await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn keys_are_kept_and_looked_up_again_when_they_change() {
    let provider = provider().await;
    let mut settings = provider.settings();
    let client = Provider::new(settings.clone()).unwrap();
    for _ in 0..3 {
        assert!(log_in(&client, &trip()).await.unwrap().is_ok());
    }
    assert_eq!(provider.looked_up(), 1);
    provider.rotate();
    assert!(log_in(&client, &trip()).await.unwrap().is_ok());
    assert_eq!(provider.looked_up(), 2);
    // They are good for a while alone.
    settings.limits.documents = Duration::ZERO;
    let forgetful = Provider::new(settings).unwrap();
    assert!(log_in(&forgetful, &trip()).await.unwrap().is_ok());
    assert!(provider.looked_up() > 3);
}

#[tokio::test]
async fn documents_of_before_are_used_while_no_others_are_to_be_had() {
    let provider = provider().await;
    let mut settings = provider.settings();
    settings.limits.documents = Duration::ZERO;
    let client = Provider::new(settings.clone()).unwrap();
    assert!(log_in(&client, &trip()).await.unwrap().is_ok());
    provider.behave(|it| it.hides_documents = true);
    for _ in 0..3 {
        assert!(log_in(&client, &trip()).await.unwrap().is_ok());
    }
    // They are of no use to who never had them, nor for a key that is new.
    assert!(matches!(Provider::new(settings).unwrap().send(&trip()).await, Err(Error::Unavailable(_))));
    provider.rotate();
    assert!(matches!(log_in(&client, &trip()).await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn whoever_comes_back_waits_for_nobody_who_is_sent_there() {
    let provider = provider().await;
    let mut settings = provider.settings();
    (settings.limits.at_once, settings.limits.deadline) = (2, Duration::from_secs(3));
    provider.behave(|it| it.pushes = true);
    let client = Provider::new(settings).unwrap();
    let response = visit(&client.send(&trip()).await.unwrap()).await;
    provider.behave(|it| it.hangs = true);
    let sent: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(&trip()).await })
        })
        .collect();
    // One has the place that they have before anybody comes back.
    let on_their_way = async {
        while provider.kept_waiting() < 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), on_their_way).await.unwrap();
    assert!(client.receive(&trip(), &response).await.unwrap().is_ok());
    for sent in sent {
        assert!(matches!(sent.await.unwrap(), Err(Error::Unavailable(_))));
    }
}

#[tokio::test]
async fn a_key_is_taken_for_what_it_is_for() {
    let provider = provider().await;
    let client = || Provider::new(provider.settings()).unwrap();
    let other = || serde_json::to_value(public_key(&new_key())).unwrap();
    let with = |members: serde_json::Value| {
        let mut key = other();
        key.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        key
    };
    // Keys of other uses and kinds stand beside, also under the same id (RFC 7517, 4.5).
    let others = vec![
        with(json!({"kid": "key-1", "use": "enc"})),
        with(json!({"kid": "key-1", "alg": "RSA-OAEP"})),
        with(json!({"kid": "key-1", "key_ops": ["deriveKey"]})),
        json!({"kty": "oct", "kid": "key-1", "k": "c2VjcmV0"}),
    ];
    provider.behave(|it| it.other_keys = others);
    assert!(log_in(&client(), &trip()).await.unwrap().is_ok());
    provider.behave(|it| it.signing = Signing::Unnamed);
    assert!(log_in(&client(), &trip()).await.unwrap().is_ok(), "one alone can have signed it");
    provider.behave(|it| it.other_keys = vec![other()]);
    let refusal = log_in(&client(), &trip()).await.unwrap().unwrap_err();
    assert!(refusal.to_string().contains("unknown key"), "{refusal}");
}

#[tokio::test]
async fn a_new_key_under_the_id_of_the_old_one_is_looked_up() {
    let provider = provider().await;
    let client = Provider::new(provider.settings()).unwrap();
    for signing in [Signing::Right, Signing::Unnamed] {
        provider.behave(|it| it.signing = signing);
        assert!(log_in(&client, &trip()).await.unwrap().is_ok());
        provider.replace_key();
        let before = provider.looked_up();
        assert!(log_in(&client, &trip()).await.unwrap().is_ok(), "{signing:?}");
        assert_eq!(provider.looked_up(), before + 1);
    }
    // Once for a token that nobody's key signed.
    provider.behave(|it| it.signing = Signing::OtherKey);
    let before = provider.looked_up();
    assert!(log_in(&client, &trip()).await.unwrap().is_err());
    assert_eq!(provider.looked_up(), before + 1);
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_not_waited_for() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", silent.local_addr().unwrap());
    let proof = ClientProof::Secret("x".to_owned());
    let mut settings = ProviderSettings::new(issuer, "gateway", proof);
    settings.limits.deadline = Duration::from_millis(100);
    let client = Provider::new(settings).unwrap();
    let error = client.send(&trip()).await.unwrap_err();
    let Error::Unavailable(fault) = error else { panic!("{error:?}") };
    assert!(fault.to_string().contains("did not answer within"), "{fault}");
}

#[test]
fn settings_that_cannot_be_right_are_refused() {
    let settings =
        |issuer: &str| ProviderSettings::new(issuer, "gateway", ClientProof::Secret("x".to_owned()));
    for issuer in
        ["http://login.bank.example", "nonsense", "https://login.bank.example/?x", "https://a.example/#x"]
    {
        assert!(matches!(Provider::new(settings(issuer)), Err(SetupError::Issuer)), "{issuer}");
    }
    let mut other = settings("https://login.bank.example");
    other.scope = "profile".to_owned();
    assert!(matches!(Provider::new(other.clone()), Err(SetupError::Scope)));
    other.scope = "profile openid".to_owned();
    assert!(Provider::new(other.clone()).is_ok());
    // The last one can be read, and nothing can be signed with it.
    for pem in ["no key".to_owned(), new_key_of_another_curve()] {
        other.proof = ClientProof::PrivateKey { pem: pem.into_bytes(), key_id: None };
        let error = Provider::new(other.clone()).unwrap_err();
        assert!(matches!(error, SetupError::Key(_)) && error.to_string().contains("RSA or P-256"), "{error}");
    }
    other.proof = ClientProof::PrivateKey { pem: new_key().into_bytes(), key_id: None };
    assert!(Provider::new(other).is_ok());
}
