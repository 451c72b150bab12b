//! What authorisations are about: several attempts at one subject, ends, and databases from before there were subjects.

use domain::{
    Authorisation, AuthorisationId, AuthorizationRequest, Consent, ConsentId, CustomerId, Grant, GrantId,
    Iban, Interface, Language, Payment, PaymentDecision, PaymentId, PaymentTerms, Progress, SecretHash,
    Session, Subject, SubjectKind, Tenant, Timestamp, TppId,
};
use store::{Changes, Perishable, Store, StoreError};

use crate::databases::on_each;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn nl() -> Tenant {
    Tenant::parse("nl").unwrap()
}

fn authorisation(id: &str, subject: &Subject, number: i64) -> Authorisation {
    Authorisation::begin(AuthorisationId::new(id), (subject.clone(), number), "https://x".into(), now())
}

fn payment(id: &str) -> Payment {
    Payment {
        id: PaymentId::new(id),
        tpp: Some(TppId::new("PSDNL-DNB-1")),
        tenant: nl(),
        interface: Interface::Bunq,
        terms: PaymentTerms::AT_ONCE,
        debtor: Some(Iban::from_stored("NL91ABNA0417164300".into())),
        transfers: Vec::new(),
        created_at: now(),
        expires_at: now(),
        decision: PaymentDecision::Pending,
        last_action_at: now(),
        version: 0,
    }
}

fn grant(subject: &Subject) -> Grant {
    Grant {
        id: GrantId::new(subject.id()),
        client: TppId::new("PSDNL-DNB-1"),
        tenant: nl(),
        subject: subject.clone(),
        authorisation: AuthorisationId::new("a"),
        customer: CustomerId::new("p"),
        interface: Interface::BerlinGroup,
        offline_access: false,
        authenticated_at: now(),
        ended_at: None,
        version: 0,
    }
}

fn session(hash: &str, authorisation: &str, subject: &Subject) -> Session {
    Session {
        hash: SecretHash::from_hex(hash),
        tenant: nl(),
        authorisation: AuthorisationId::new(authorisation),
        request: AuthorizationRequest {
            client: TppId::new("PSDNL-DNB-1"),
            interface: Interface::Bunq,
            subject: subject.clone(),
            redirect_uri: "https://tpp.example".into(),
            state: None,
            nonce: None,
            code_challenge: None,
            offline_access: false,
            pushed: None,
        },
        challenge: String::new(),
        named: None,
        language: Language::English,
        logged_in: None,
        seen_at: now(),
        ended: false,
        version: 0,
    }
}

#[tokio::test]
async fn subjects_of_different_kinds_are_apart_although_their_ids_are_the_same() {
    on_each(async |store| {
        for (kind, name) in SubjectKind::NAMES {
            let subject = kind.with_id("x");
            assert_eq!(store.last_authorisation(&subject).await.unwrap(), 0, "{name}");
            let first = authorisation(&format!("{name}-1"), &subject, 1);
            let by = CustomerId::new("p");
            let second = authorisation(&format!("{name}-2"), &subject, 2).start().approve(by);
            store.save(Changes::new().put_authorisation(&second).put_authorisation(&first)).await.unwrap();
            assert_eq!(store.last_authorisation(&subject).await.unwrap(), 2, "{name}");
            let again = Changes::new().put_authorisation(&authorisation(&format!("{name}-3"), &subject, 2));
            assert!(
                matches!(store.save(again).await, Err(StoreError::Conflict)),
                "{name}: two of one number"
            );
            let [first, second] = [first, second].map(|one| Authorisation { version: 1, ..one });
            assert_eq!(store.authorisations(&subject).await.unwrap(), [first, second], "{name}");
        }
        let grants = SubjectKind::NAMES
            .map(|(kind, _)| Grant { id: GrantId::new(kind.name()), ..grant(&kind.with_id("x")) });
        let changes = grants.iter().fold(Changes::new(), Changes::put_grant);
        store.save(changes.end_grants(&SubjectKind::Payment.with_id("x"), now())).await.unwrap();
        for grant in grants {
            let ended_at = store.grant(&grant.id).await.unwrap().unwrap().ended_at;
            assert_eq!(ended_at.is_some(), grant.subject.kind() == SubjectKind::Payment);
        }
    })
    .await;
}

#[tokio::test]
async fn what_belongs_to_a_payment_goes_with_it_and_what_came_to_nothing_with_its_browser() {
    on_each(async |store| {
        let (subject, other) = (SubjectKind::Payment.with_id("x"), SubjectKind::Consent.with_id("x"));
        let changes = Changes::new()
            .put_payment(&payment("x"))
            .put_grant(&grant(&subject))
            .put_authorisation(&authorisation("approved", &subject, 1).approve(CustomerId::new("p")))
            .put_authorisation(&authorisation("cancelled", &subject, 2).fail())
            .put_authorisation(&authorisation("left", &subject, 3).start())
            .put_authorisation(&authorisation("of-a-consent", &other, 1).fail())
            .put_session(&session("01", "approved", &subject))
            .put_session(&session("02", "cancelled", &subject))
            .put_session(&session("03", "left", &subject))
            .put_session(&session("04", "of-a-consent", &other));
        store.save(changes).await.unwrap();
        let later = now() + std::time::Duration::from_secs(1);
        let forget = async |kind, before| store.forget(kind, &nl(), before, 9).await.unwrap();
        let left = async |subject| {
            let found = store.authorisations(subject).await.unwrap();
            found.into_iter().map(|one| one.id.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(forget(Perishable::Session, now()).await, 0);
        assert_eq!(left(&subject).await.len(), 3);
        assert_eq!(forget(Perishable::Session, later).await, 4);
        assert_eq!(
            (left(&subject).await, left(&other).await),
            (vec!["approved".into()], vec!["of-a-consent".into()])
        );
        let end = payment("x").forget_at().unwrap() + std::time::Duration::from_secs(1);
        assert_eq!(forget(Perishable::Payment, end).await, 1);
        assert_eq!((left(&subject).await, left(&other).await), (vec![], vec!["of-a-consent".into()]));
        assert_eq!(store.grant(&GrantId::new("x")).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn an_approval_without_its_customer_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = Store::open(&path).unwrap();
    let subject = SubjectKind::Consent.with_id("c");
    let approved = authorisation("a", &subject, 1).approve(CustomerId::new("p"));
    store.save(Changes::new().put_authorisation(&approved)).await.unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    for (spoil, spoiled) in [
        ("UPDATE authorisations SET customer = NULL", "authorisations.progress"),
        ("UPDATE authorisations SET subject_kind = 'basket'", "authorisations.subject_kind"),
    ] {
        connection.execute(spoil, []).unwrap();
        let read = store.authorisation(&approved.id).await;
        assert!(
            matches!(read, Err(StoreError::Corrupt { table, column, .. }) if format!("{table}.{column}") == spoiled),
            "{spoil}"
        );
        let whole = "UPDATE authorisations SET customer = 'p', subject_kind = 'consent'";
        connection.execute(whole, []).unwrap();
    }
}

/// The tables as they were before there were subjects.
const BEFORE: [&str; 13] = [
    include_str!("../../migrations/0001_onboarding.sql"),
    include_str!("../../migrations/0002_consents.sql"),
    include_str!("../../migrations/0003_books.sql"),
    include_str!("../../migrations/0004_payments.sql"),
    include_str!("../../migrations/0005_authorizations.sql"),
    include_str!("../../migrations/0006_standing.sql"),
    include_str!("../../migrations/0007_log_in_failures.sql"),
    include_str!("../../migrations/0008_lost_answers.sql"),
    include_str!("../../migrations/0009_client_authentication.sql"),
    include_str!("../../migrations/0010_payments_at_once.sql"),
    include_str!("../../migrations/0011_lives.sql"),
    include_str!("../../migrations/0012_certificates_by_end.sql"),
    include_str!("../../migrations/0013_places.sql"),
];

/// Rows as a program wrote them that had a consent made for each attempt at a payment.
const ROWS: &str = r#"
INSERT INTO consents (id, tpp, tenant, access, granted, recurring, valid_until, frequency_per_day, created_at, customer,
    decision, last_action_at, needs_confirmation, interface, forget_at, version)
VALUES
    ('asked', 't', 'nl', '{"Chosen":{"balances":true,"transactions":true}}', '[]', 1, '2030-01-01', 4, 1, 'p', 'confirmed', 9, 0,
        'bunq', 99, 1),
    ('made-1', 't', 'nl', '"Payment"', '[]', 1, '2030-01-01', 4, 1, 'p', 'confirmed', 7, 0, 'bunq', 99, 1),
    ('made-2', 't', 'nl', '"Payment"', '[]', 1, '2030-01-01', 4, 2, NULL, 'pending', 2, 0, 'bunq', 99, 1),
    ('made-3', 't', 'nl', '"Payment"', '[]', 1, '2030-01-01', 4, 3, NULL, 'pending', 3, 0, 'bunq', 99, 1),
    ('made-4', 't', 'nl', '"Payment"', '[]', 1, '2030-01-01', 4, 4, NULL, 'rejected', 4, 0, 'bunq', 99, 1);

INSERT INTO payments (id, tpp, tenant, debtor, transfers, created_at, expires_at, decision, customer, account,
    last_action_at, version, forget_at)
VALUES
    ('paid', 't', 'nl', NULL, '[]', 0, 99, 'executed', 'p', 'x', 7, 2, NULL),
    ('paid-elsewhere', 't', 'uk', NULL, '[]', 0, 99, 'executed', 'p', 'x', 7, 2, NULL),
    ('waits', 't', 'nl', NULL, '[]', 0, 99, 'pending', NULL, NULL, 0, 1, 99);

INSERT INTO authorisations (id, consent, number, redirect_uri, created_at, progress, customer, wrong_answers, version)
VALUES
    ('a', 'asked', 1, 'u', 1, 'failed', NULL, 3, 1),
    ('b', 'asked', 2, 'u', 1, 'confirmed', 'p', 0, 1),
    ('of-1', 'made-1', 1, 'u', 1, 'confirmed', 'p', 0, 1),
    ('of-2', 'made-2', 1, 'u', 2, 'started', NULL, 1, 1),
    ('of-3', 'made-3', 1, 'u', 3, 'started', NULL, 0, 1),
    ('of-4', 'made-4', 1, 'u', 4, 'failed', NULL, 0, 1);

INSERT INTO grants (id, client, tenant, consent, authorisation, customer, offline_access, authenticated_at, ended_at,
    interface, version)
VALUES ('g', 't', 'nl', 'asked', 'b', 'p', 0, 5, NULL, 'bunq', 1);

INSERT INTO sessions (hash, tenant, authorisation, request, challenge, language, customer, authenticated_at, seen_at, ended,
    version)
VALUES
    ('02', 'nl', 'of-2', '{"client":"t","consent":"made-2","redirect_uri":"u","state":null,"nonce":null,"code_challenge":null,"offline_access":false,"profile":"Plain","payment":"waits","pushed":null}', '1', 'en', NULL, NULL, 2, 1, 1),
    ('12', 'nl', 'of-2', '{"client":"t","consent":"made-2","redirect_uri":"u","state":null,"nonce":null,"code_challenge":null,"offline_access":false,"profile":"Plain","payment":"waits","pushed":null}', '1', 'en', 'p', 5, 2, 0, 1),
    ('03', 'nl', 'of-3', '{"client":"t","consent":"made-3","redirect_uri":"u","state":null,"nonce":null,"code_challenge":null,"offline_access":false,"profile":"Plain","payment":"waits"}', '1', 'en', NULL, NULL, 2, 0, 1),
    ('04', 'nl', 'b', '{"client":"t","consent":"asked","redirect_uri":"u","state":"\"payment\":\"waits\"","nonce":"\"consent\":\"x\"","code_challenge":"c","offline_access":true,"profile":"OpenId","payment":null,"pushed":"ab"}', '1', 'en', NULL, NULL, 2, 0, 1),
    ('05', 'nl', 'b', '{"client":"t","consent":"asked","redirect_uri":"u","state":null,"nonce":null,"code_challenge":"c","offline_access":true}', '1', 'en', NULL, NULL, 2, 0, 1);

INSERT INTO authorization_codes (hash, tenant, authorisation, request, customer, authenticated_at, expires_at, grant_id,
    version)
SELECT hash, tenant, authorisation, request, 'p', 5, 9, NULL, 1 FROM sessions WHERE authorisation = 'b';

INSERT INTO authorization_codes (hash, tenant, authorisation, request, customer, authenticated_at, expires_at, grant_id,
    version)
VALUES ('06', 'nl', 'b', '{"client":"t","consent":"asked","redirect_uri":"u","state":null,"nonce":null,"code_challenge":null,"offline_access":false,"profile":"Plain","payment":null,"pushed":null}', 'p', 5, 9, NULL, 1);
"#;

#[tokio::test]
async fn an_older_database_means_what_it_meant() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    for migration in BEFORE {
        connection.execute_batch(migration).unwrap();
    }
    let version =
        "CREATE TABLE schema_version (version BIGINT NOT NULL); INSERT INTO schema_version VALUES (13)";
    connection.execute_batch(version).unwrap();
    connection.execute_batch(ROWS).unwrap();
    drop(connection);

    let store = Store::open(&path).unwrap();
    let (asked, waits) = (SubjectKind::Consent.with_id("asked"), SubjectKind::Payment.with_id("waits"));
    let all = async |subject: &Subject| {
        let found = store.authorisations(subject).await.unwrap();
        let told =
            |one: Authorisation| (one.id.as_str().to_owned(), one.number, one.progress, one.wrong_answers);
        found.into_iter().map(told).collect::<Vec<_>>()
    };
    let confirmed = || Progress::Confirmed { by: CustomerId::new("p") };
    assert_eq!(all(&asked).await, [("a".into(), 1, Progress::Failed, 3), ("b".into(), 2, confirmed(), 0)]);
    // Two browsers at one payment; and an approval whose browser is forgotten.
    let started = [("of-2".into(), 1, Progress::Started, 1), ("of-3".into(), 2, Progress::Started, 0)];
    assert_eq!(all(&waits).await, started);
    assert_eq!(all(&SubjectKind::Payment.with_id("paid")).await, [("of-1".into(), 1, confirmed(), 0)]);
    assert_eq!(all(&SubjectKind::Payment.with_id("paid-elsewhere")).await, []);
    assert_eq!(store.authorisation(&AuthorisationId::new("of-4")).await.unwrap(), None);
    // What customers shared is theirs to see; what was made for payments is no consent.
    let consents = store.consents_of(&CustomerId::new("p")).await.unwrap();
    assert_eq!(consents.iter().map(|Consent { id, .. }| id.as_str()).collect::<Vec<_>>(), ["asked"]);
    assert_eq!(store.consent(&ConsentId::new("made-2")).await.unwrap(), None);
    let grant = store.grant(&GrantId::new("g")).await.unwrap().unwrap();
    assert_eq!((&grant.subject, grant.interface), (&asked, Interface::Bunq));

    for (hash, subject, interface) in [
        ("02", &waits, Interface::Bunq),
        ("12", &waits, Interface::Bunq),
        ("03", &waits, Interface::Bunq),
        ("04", &asked, Interface::BerlinGroup),
        ("05", &asked, Interface::BerlinGroup),
    ] {
        let session = store.session(&SecretHash::from_hex(hash)).await.unwrap().unwrap();
        assert_eq!((&session.request.subject, session.request.interface), (subject, interface), "{hash}");
        assert_eq!(session.logged_in.is_some(), hash == "12");
    }
    for (hash, interface) in
        [("04", Interface::BerlinGroup), ("05", Interface::BerlinGroup), ("06", Interface::Bunq)]
    {
        let code = store.authorization_code(&SecretHash::from_hex(hash)).await.unwrap().unwrap();
        assert_eq!((&code.request.subject, code.request.interface), (&asked, interface), "{hash}");
        let sent = (hash == "04").then_some(("\"payment\":\"waits\"", "\"consent\":\"x\""));
        let request = code.request;
        assert_eq!(request.state.as_deref().zip(request.nonce.as_deref()), sent, "{hash}");
        assert_eq!(request.pushed.is_some(), hash == "04");
    }
}
