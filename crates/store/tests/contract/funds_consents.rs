//! Consents for confirmation of funds: written, read with their token, ended, and forgotten with what belongs to them.

use std::time::Duration;

use domain::{
    AccountNumber, AccountReference, Authorisation, AuthorisationId, Card, CustomerId, Decision,
    FundsConsent, FundsConsentId, FundsConsentRequest, Grant, GrantId, Iban, Interface, SecretHash,
    SubjectKind, Tenant, Timestamp, Token, TokenKind, TppId,
};
use store::{Changes, Perishable, StoreError};

use crate::databases::on_each;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn nl() -> Tenant {
    Tenant::parse("nl").unwrap()
}

fn asked() -> FundsConsent {
    let number = AccountNumber::Iban(Iban::from_stored("NL91ABNA0417164300".into()));
    let card = Card {
        number: Some("5409 **** **** 1234".into()),
        expiry_date: Some("2028-02-29".parse().unwrap()),
        information: Some("\"Café\" card".into()),
        registration_information: None,
    };
    let request = FundsConsentRequest {
        account: AccountReference { number, currency: Some("EUR".into()) },
        card,
        redirect_uri: String::new(),
    };
    let who = (TppId::new("PSDNL-DNB-1"), nl(), Interface::BerlinGroup);
    FundsConsent::request(FundsConsentId::new("f"), who, request, now(), jiff::SignedDuration::from_hours(24))
}

fn approved() -> FundsConsent {
    let approved = asked().approve(CustomerId::new("p"), now()).unwrap().confirm(now()).unwrap();
    FundsConsent { version: 1, ..approved }
}

fn grant() -> Grant {
    Grant {
        id: GrantId::new("g"),
        client: TppId::new("PSDNL-DNB-1"),
        tenant: nl(),
        subject: SubjectKind::FundsConsent.with_id("f"),
        authorisation: AuthorisationId::new("a"),
        customer: CustomerId::new("p"),
        interface: Interface::BerlinGroup,
        offline_access: false,
        authenticated_at: now(),
        ended_at: None,
        version: 0,
    }
}

fn token() -> Token {
    Token {
        hash: SecretHash::from_hex("ab"),
        grant: GrantId::new("g"),
        kind: TokenKind::Access,
        certificate: None,
        issued_at: now(),
        expires_at: now(),
        used_at: None,
        fresh: false,
        version: 0,
    }
}

#[tokio::test]
async fn a_consent_is_read_as_it_was_written_alone_and_with_a_token() {
    on_each(async |store| {
        let id = FundsConsentId::new("f");
        assert_eq!(store.funds_consent(&id).await.unwrap(), None);
        store.save(Changes::new().put_funds_consent(&asked())).await.unwrap();
        let again = store.save(Changes::new().put_funds_consent(&asked())).await;
        assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
        let stored = FundsConsent { version: 1, ..asked() };
        assert_eq!(store.funds_consent(&id).await.unwrap(), Some(stored.clone()));
        let (hash, none) = (token().hash, SecretHash::from_hex("00"));
        assert_eq!(store.funds_consent_and_token(&id, &hash).await.unwrap(), Some((stored, None)));
        assert_eq!(store.funds_consents_of(&CustomerId::new("p")).await.unwrap(), []);
        let undecided = async |tpp: &str, from| {
            let (tpp, span) = (TppId::new(tpp), (from, Timestamp::MAX));
            store.undecided_funds_consents((&nl(), &tpp), span, 9).await.unwrap()
        };
        let due = asked().forget_at().unwrap();
        assert_eq!(undecided("PSDNL-DNB-1", due).await, [FundsConsent { version: 1, ..asked() }]);
        assert_eq!(undecided("PSDNL-DNB-2", due).await, []);
        assert_eq!(undecided("PSDNL-DNB-1", due + Duration::from_secs(1)).await, []);

        let changes = Changes::new().put_funds_consent(&approved()).put_grant(&grant());
        store.save(changes.put_token(&nl(), &token())).await.unwrap();
        let stored = FundsConsent { version: 2, ..approved() };
        assert_eq!(undecided("PSDNL-DNB-1", Timestamp::MIN).await, []);
        assert_eq!(
            store.funds_consents_of(&CustomerId::new("p")).await.unwrap(),
            std::slice::from_ref(&stored)
        );
        let of_it = (Token { version: 1, ..token() }, Grant { version: 1, ..grant() });
        let found = store.funds_consent_and_token(&id, &hash).await.unwrap();
        assert_eq!(found, Some((stored.clone(), Some(of_it))));
        assert_eq!(store.funds_consent_and_token(&id, &none).await.unwrap(), Some((stored, None)));
        let other = FundsConsentId::new("x");
        assert_eq!(store.funds_consent_and_token(&other, &hash).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn what_the_bank_or_a_new_registration_ends_is_remembered_and_then_forgotten() {
    on_each(async |store| {
        let undecided = FundsConsent { id: FundsConsentId::new("u"), ..asked() };
        let subject = SubjectKind::FundsConsent.with_id("f");
        let attempt =
            Authorisation::begin(AuthorisationId::new("a"), (subject.clone(), 1), "u".into(), now());
        let changes = Changes::new().put_funds_consent(&asked()).put_funds_consent(&undecided);
        store.save(changes.put_grant(&grant()).put_authorisation(&attempt)).await.unwrap();
        store.save(Changes::new().put_funds_consent(&approved())).await.unwrap();
        let forget = async |before| store.forget(Perishable::FundsConsent, &nl(), before, 9).await.unwrap();
        let second = Duration::from_secs(1);
        let end = undecided.forget_at().unwrap();
        assert_eq!((forget(end).await, forget(end + second).await), (0, 1), "what nobody decided");
        assert_eq!(forget(Timestamp::MAX - second).await, 0, "what is good stays");

        let at = now() + Duration::from_secs(100);
        let (own, other) = (TppId::new("PSDNL-DNB-1"), TppId::new("PSDNL-DNB-2"));
        for whose in [(&other, Interface::BerlinGroup), (&own, Interface::Bunq)] {
            assert_eq!(store.open_grants(whose, 9).await.unwrap(), []);
        }
        let whose = (&own, Interface::BerlinGroup);
        let open = store.open_grants(whose, 9).await.unwrap();
        assert_eq!(open, [Grant { version: 1, ..grant() }]);
        assert_eq!(store.open_grants(whose, 0).await.unwrap(), []);
        let stored = FundsConsent { version: 2, ..approved() };
        let ended = stored.end(Decision::EndedByBank, at);
        let changes = Changes::new().put_funds_consent(&ended).put_grant(&open[0].clone().end(at));
        store.save(changes).await.unwrap();
        let ended = FundsConsent { version: 3, ..ended };
        assert_eq!(store.funds_consent(&asked().id).await.unwrap(), Some(ended.clone()));
        assert_eq!(store.grant(&grant().id).await.unwrap().unwrap().ended_at, Some(at));
        assert_eq!(store.open_grants(whose, 9).await.unwrap(), []);
        let end = ended.forget_at().unwrap();
        assert_eq!((forget(end).await, forget(end + second).await), (0, 1));
        assert_eq!(store.funds_consent(&asked().id).await.unwrap(), None);
        assert_eq!(store.authorisations(&subject).await.unwrap(), []);
        assert_eq!(store.grant(&grant().id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_consent_is_erased_with_what_belongs_to_it() {
    on_each(async |store| {
        store.save(Changes::new().put_funds_consent(&asked()).put_grant(&grant())).await.unwrap();
        let stale = store.save(Changes::new().erase_funds_consent(&asked())).await;
        assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
        let stored = store.funds_consent(&asked().id).await.unwrap().unwrap();
        store.save(Changes::new().erase_funds_consent(&stored)).await.unwrap();
        assert_eq!(store.funds_consent(&stored.id).await.unwrap(), None);
        assert_eq!(store.grant(&grant().id).await.unwrap(), None);
    })
    .await;
}
