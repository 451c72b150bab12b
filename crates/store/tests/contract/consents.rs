//! Consents, and what belongs to them: authorisations, requests, sessions, codes, grants, tokens.

use domain::{
    Access, AccountId, Authorisation, AuthorisationId, AuthorizationCode, AuthorizationRequest, Consent,
    ConsentId, ConsentRequest, ConsentRules, CustomerId, Date, Grant, GrantId, Interface, Language,
    LogInFailures, LoggedIn, ReadCount, ReadKind, SecretHash, Session, Subject, SubjectKind, Tenant,
    Timestamp, Token, TokenKind, TppId,
};
use store::{Changes, Perishable, PushedRequest, Store, StoreError, StoredRequest};

use super::on_each;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn nl() -> Tenant {
    Tenant::parse("nl").unwrap()
}

fn hash(text: &str) -> SecretHash {
    SecretHash::from_hex(text)
}

fn consent() -> Consent {
    let access =
        Access::BankOffered { accounts: true, balances: false, transactions: true, restricted_to: vec![] };
    let request = ConsentRequest {
        access,
        recurring: true,
        valid_until: Date::MAX,
        frequency_per_day: 4,
        combined_service: false,
        redirect_uri: String::new(),
    };
    let who = (TppId::new("PSDNL-DNB-1"), nl(), Interface::Bunq);
    let rules = ConsentRules {
        max_days: 180,
        max_frequency: 4,
        max_references: 100,
        waits: jiff::SignedDuration::from_hours(24),
        history_days: 90,
        unasked_days: 90,
    };
    Consent::request(ConsentId::new("c"), who, request, now(), &rules).unwrap()
}

fn subject() -> Subject {
    SubjectKind::Consent.with_id("c")
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        client: TppId::new("PSDNL-DNB-1"),
        interface: Interface::Bunq,
        subject: subject(),
        redirect_uri: "https://tpp.example/\"x\"".into(),
        state: Some("s".into()),
        nonce: None,
        code_challenge: Some("x".into()),
        pushed: Some(SecretHash::from_hex("cd")),
        offline_access: true,
    }
}

fn code() -> AuthorizationCode {
    AuthorizationCode {
        hash: hash("code"),
        tenant: nl(),
        authorisation: AuthorisationId::new("a"),
        request: request(),
        customer: CustomerId::new("p"),
        authenticated_at: now(),
        expires_at: now(),
        grant: None,
        version: 0,
    }
}

fn grant() -> Grant {
    Grant {
        id: GrantId::new("g"),
        client: TppId::new("PSDNL-DNB-1"),
        tenant: nl(),
        subject: subject(),
        authorisation: AuthorisationId::new("a"),
        customer: CustomerId::new("p"),
        interface: Interface::Bunq,
        offline_access: true,
        authenticated_at: now(),
        ended_at: None,
        version: 0,
    }
}

fn token() -> Token {
    Token {
        hash: hash("token"),
        grant: GrantId::new("g"),
        kind: TokenKind::Access,
        certificate: Some("ff".into()),
        issued_at: now(),
        expires_at: now(),
        used_at: None,
        fresh: true,
        version: 0,
    }
}

fn session() -> Session {
    Session {
        hash: hash("session"),
        tenant: nl(),
        authorisation: AuthorisationId::new("a"),
        request: request(),
        challenge: "12345678".into(),
        named: Some(hash("psu")),
        language: Language::French,
        logged_in: Some(LoggedIn { customer: CustomerId::new("p"), at: now() }),
        seen_at: now(),
        ended: false,
        version: 0,
    }
}

fn pushed() -> PushedRequest {
    PushedRequest {
        hash: hash("pushed"),
        tenant: nl(),
        client: TppId::new("PSDNL-DNB-1"),
        parameters: "a=b".into(),
        expires_at: now(),
        used: false,
        version: 0,
    }
}

fn failures() -> LogInFailures {
    let tpp = TppId::new("PSDNL-DNB-1");
    LogInFailures { tenant: nl(), psu: hash("psu"), tpp, count: 3, last_at: now(), version: 0 }
}

fn stored_request() -> StoredRequest {
    StoredRequest {
        key: "k".into(),
        tenant: nl(),
        body_digest: "d".into(),
        made: vec!["c".into(), "a".into()],
        expires_at: now(),
        version: 0,
    }
}

fn authorisation() -> Authorisation {
    Authorisation::begin(AuthorisationId::new("a"), (subject(), 1), "https://x".into(), now())
}

/// A consent and all that belongs to it.
async fn save_all(store: &Store) {
    let changes = Changes::new()
        .put_consent(&consent())
        .put_authorisation(&authorisation())
        .put_request(&stored_request())
        .put_session(&session())
        .put_customer_session(&crate::customer_area::session(now()))
        .put_authorization_code(&code())
        .put_grant(&grant())
        .put_token(&nl(), &token())
        .put_pushed_request(&pushed())
        .add_client_assertion(&hash("assertion"), &nl(), now())
        .put_log_in_failures(&failures());
    store.save(changes).await.unwrap();
}

#[tokio::test]
async fn what_belongs_to_a_consent_comes_back() {
    on_each(async |store| {
        save_all(&store).await;
        let id = ConsentId::new("c");
        let kept = Consent { version: 1, ..consent() };
        assert_eq!(store.consent(&id).await.unwrap(), Some(kept.clone()));
        let authorisation = Authorisation { version: 1, ..authorisation() };
        assert_eq!(store.authorisations(&subject()).await.unwrap(), std::slice::from_ref(&authorisation));
        assert_eq!(store.last_authorisation(&subject()).await.unwrap(), 1);
        assert_eq!(store.authorisation(&authorisation.id).await.unwrap(), Some(authorisation));
        let read = store.request("k").await.unwrap();
        assert_eq!(read, Some(StoredRequest { version: 1, ..stored_request() }));
        let read = store.session(&hash("session")).await.unwrap();
        assert_eq!(read, Some(Session { version: 1, ..session() }));
        let read = store.authorization_code(&hash("code")).await.unwrap();
        assert_eq!(read, Some(AuthorizationCode { version: 1, ..code() }));
        let pair = (Token { version: 1, ..token() }, Grant { version: 1, ..grant() });
        assert_eq!(store.token(&hash("token")).await.unwrap(), Some(pair.clone()));
        let together = store.consent_and_token(&id, &hash("token")).await.unwrap();
        assert_eq!(together, Some((kept.clone(), Some(pair))));
        assert_eq!(store.consent_and_token(&id, &hash("no")).await.unwrap(), Some((kept, None)));
        let read = store.pushed_request(&hash("pushed")).await.unwrap();
        assert_eq!(read, Some(PushedRequest { version: 1, ..pushed() }));

        let (all, due) = ((Timestamp::MIN, Timestamp::MAX), consent().forget_at());
        let undecided = async |tenant: &str, tpp: &str, span| {
            let (tenant, tpp) = (Tenant::parse(tenant).unwrap(), TppId::new(tpp));
            store.undecided_consents((&tenant, &tpp), span, 9).await.unwrap().len()
        };
        assert_eq!(undecided("nl", "PSDNL-DNB-1", all).await, 1);
        assert_eq!(undecided("nl", "PSDNL-DNB-1", (due, Timestamp::MAX)).await, 1);
        assert_eq!(undecided("nl", "PSDNL-DNB-1", (Timestamp::MIN, due)).await, 0);
        assert_eq!(undecided("uk", "PSDNL-DNB-1", all).await + undecided("nl", "PSDNL-DNB-2", all).await, 0);

        let customer = Some(CustomerId::new("p"));
        let decided = Consent { customer, approved_at: Some(now()), version: 1, ..consent() };
        store.save(Changes::new().put_consent(&decided)).await.unwrap();
        assert_eq!(undecided("nl", "PSDNL-DNB-1", all).await, 0);
        let of_customer = store.consents_of(&CustomerId::new("p")).await.unwrap();
        assert_eq!(of_customer, [Consent { version: 2, ..decided }]);
        store.save(Changes::new().end_grants(&subject(), now())).await.unwrap();
        assert_eq!(store.grant(&GrantId::new("g")).await.unwrap().unwrap().ended_at, Some(now()));
        // A code tells who the customer is.
        let other = CustomerId::new("nobody");
        store.save(Changes::new().erase_sessions(&nl(), &other)).await.unwrap();
        assert!(store.authorization_code(&hash("code")).await.unwrap().is_some());
        let has = async |customer: &CustomerId| store.has_sessions_of(&nl(), customer).await.unwrap();
        assert_eq!((has(&code().customer).await, has(&other).await), (true, false));
        store.save(Changes::new().erase_sessions(&nl(), &code().customer)).await.unwrap();
        assert_eq!(store.authorization_code(&hash("code")).await.unwrap(), None);
        assert!(!has(&code().customer).await);
    })
    .await;
}

#[tokio::test]
async fn what_belongs_to_a_consent_is_forgotten_in_time() {
    on_each(async |store| {
        save_all(&store).await;
        let id = ConsentId::new("c");
        let later = now() + std::time::Duration::from_secs(1);
        let (here, elsewhere) = (nl(), Tenant::parse("uk").unwrap());
        for kind in Perishable::ALL {
            let is_here = !matches!(
                kind,
                Perishable::InitialAccessToken
                    | Perishable::Consent
                    | Perishable::FundsConsent
                    | Perishable::Payment
                    | Perishable::PrivateState
                    | Perishable::Certificate
            );
            let forget = async |tenant, before| store.forget(kind, tenant, before, 9).await.unwrap();
            assert_eq!(forget(&here, now()).await, 0, "{kind:?} at the moment of its end");
            assert_eq!(forget(&elsewhere, later).await, 0, "{kind:?} by another tenant's clock");
            assert_eq!(forget(&here, later).await, usize::from(is_here), "{kind:?}");
        }
        assert!(
            store
                .log_in_failures((&nl(), &hash("psu")), &TppId::new("PSDNL-DNB-1"), now())
                .await
                .unwrap()
                .is_empty()
        );
        assert!(store.token(&hash("token")).await.unwrap().is_none());
        assert!(store.request("k").await.unwrap().is_none());
        assert!(store.session(&hash("session")).await.unwrap().is_none());
        assert!(store.authorization_code(&hash("code")).await.unwrap().is_none());
        assert!(store.pushed_request(&hash("pushed")).await.unwrap().is_none());
        assert!(store.consent(&id).await.unwrap().is_some(), "consents stay longer");
        let account = AccountId::new("x");
        let day = "2026-03-02".parse::<Date>().unwrap();
        let read = (None, ReadCount { day, count: 1 });
        let read = Changes::new().count_read((&id, &account), ReadKind::Balances, read);
        store.save(read.add_first_read(&id, &account, now())).await.unwrap();
        let end = consent().forget_at();
        assert_eq!(store.forget(Perishable::Consent, &nl(), end, 9).await.unwrap(), 0);
        let later = end + std::time::Duration::from_secs(1);
        assert_eq!(store.forget(Perishable::Consent, &nl(), later, 9).await.unwrap(), 1);
        assert!(store.consent(&id).await.unwrap().is_none());
        assert!(store.authorisations(&subject()).await.unwrap().is_empty());
        assert!(store.grant(&GrantId::new("g")).await.unwrap().is_none());
        assert_eq!(store.read_count(&id, &account, ReadKind::Balances).await.unwrap(), None);
        assert!(!store.was_read(&id, &account).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn at_most_a_batch_is_forgotten_at_once_and_what_goes_on_stays() {
    on_each(async |store| {
        let later = now() + std::time::Duration::from_secs(1);
        for number in 0..5 {
            let request = StoredRequest { key: number.to_string(), ..stored_request() };
            let session = Session { hash: hash(&number.to_string()), ..session() };
            store.save(Changes::new().put_request(&request).put_session(&session)).await.unwrap();
        }
        let forget = async |kind| store.forget(kind, &nl(), later, 2).await.unwrap();
        let mut counts = Vec::new();
        for _ in 0..4 {
            counts.push(forget(Perishable::Request).await);
        }
        assert_eq!(counts, [2, 2, 1, 0]);
        let seen = Session { hash: hash("3"), seen_at: later, version: 1, ..session() };
        store.save(Changes::new().put_session(&seen)).await.unwrap();
        let mut forgotten = 0;
        for _ in 0..4 {
            forgotten += forget(Perishable::Session).await;
        }
        assert_eq!(forgotten, 4);
        assert!(store.session(&hash("3")).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn failures_are_kept_for_each_third_party_and_sessions_found_by_whom_they_name() {
    on_each(async |store| {
        let changes = Changes::new().put_session(&session()).put_log_in_failures(&failures());
        store.save(changes).await.unwrap();
        let earlier = now() - std::time::Duration::from_secs(1);
        let read = async |tpp: &str, since| {
            let psu = (&nl(), &hash("psu"));
            store.log_in_failures(psu, &TppId::new(tpp), since).await.unwrap()
        };
        let failures = [LogInFailures { version: 1, ..failures() }];
        assert_eq!(read("PSDNL-DNB-1", now()).await, failures, "its own");
        assert_eq!(read("PSDNL-DNB-2", earlier).await, failures, "recent ones of others");
        assert_eq!(read("PSDNL-DNB-2", now()).await, []);
        let naming = async |since| store.sessions_naming(&hash("psu"), since).await.unwrap();
        assert_eq!(naming(earlier).await, [Session { version: 1, ..session() }]);
        assert_eq!(
            (naming(now()).await, store.sessions_naming(&hash("no"), earlier).await.unwrap()),
            (vec![], vec![])
        );
    })
    .await;
}

#[tokio::test]
async fn reads_are_counted_one_by_one() {
    on_each(async |store| {
        let (consent, account) = (ConsentId::new("c"), AccountId::new("x"));
        let which = (&consent, &account);
        let on = |day: &str, count| ReadCount { day: day.parse().unwrap(), count };
        let (first, second) = (on("2026-03-02", 1), on("2026-03-02", 2));
        let (tuesday, other) = (on("2026-03-03", 1), on("2026-03-01", 1));
        let count = async || store.read_count(&consent, &account, ReadKind::Balances).await.unwrap();
        let add = async |last, next| {
            store.save(Changes::new().count_read(which, ReadKind::Balances, (last, next))).await
        };
        assert_eq!(count().await, None);
        add(None, first).await.unwrap();
        // Somebody was faster, on the same day or on another one.
        for (last, next) in [(None, first), (None, tuesday), (None, other), (Some(second), tuesday)] {
            assert!(matches!(add(last, next).await, Err(StoreError::Conflict)));
        }
        add(Some(first), second).await.unwrap();
        add(Some(second), tuesday).await.unwrap();
        assert!(matches!(add(Some(second), on("2026-03-02", 3)).await, Err(StoreError::Conflict)));
        assert_eq!(count().await, Some(tuesday));
        assert_eq!(store.read_count(&consent, &account, ReadKind::Transactions).await.unwrap(), None);
        assert!(!store.was_read(&consent, &account).await.unwrap());
        store.save(Changes::new().add_first_read(&consent, &account, now())).await.unwrap();
        assert!(store.was_read(&consent, &account).await.unwrap());
        let again = store.save(Changes::new().add_first_read(&consent, &account, now())).await;
        assert!(matches!(again, Err(StoreError::Conflict)));
    })
    .await;
}
