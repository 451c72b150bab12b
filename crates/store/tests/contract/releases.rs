//! A process of the last release and one of this one serve on one database that this one brought up to date: what either writes, the
//! other reads, goes on with, and does not overwrite without having seen it. What the last release says to a database is in
//! `last_release.sql`; which words it knows is in `stored_words.txt`.

use domain::{
    AuthorisationId, ClientAuthentication, ConsentId, FundsConsentId, GrantId, Interface, LogInFailures,
    PaymentId, RejectReason, SecretHash, SubjectKind, Tenant, Timestamp, TppId,
};
use store::{Changes, Store, StoreError};
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::together::{STATEMENTS, released};

/// One process of each release.
struct Both {
    older: Client,
    newer: Store,
}

impl Both {
    /// What the older one reads by a statement that finds one row: its columns, but for the version, and that.
    async fn read(&self, statement: &str) -> (Vec<(String, Option<String>)>, i64) {
        let found = self.older.simple_query(statement).await.unwrap();
        let mut rows = found.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let (row, None) = (rows.next().unwrap(), rows.next()) else {
            panic!("more rows than one: {statement}")
        };
        let columns =
            row.columns().iter().enumerate().map(|(at, column)| (column.name().to_owned(), row.get(at)));
        let columns: Vec<_> = columns.map(|(name, value)| (name, value.map(str::to_owned))).collect();
        let version = columns.iter().find(|(name, _)| name == "version").unwrap().1.as_ref().unwrap();
        let version = version.parse().unwrap();
        (columns.into_iter().filter(|(name, _)| name != "version").collect(), version)
    }

    /// Lets both read and write a row in turns. `found` is the end of a statement by which the last release reads one, and `key` what stands
    /// there in place of the key of the one that it writes.
    async fn in_turns<T>(
        &self,
        (table, found, key): (&str, &str, (&str, &str)),
        load: impl AsyncFn() -> T,
        put: impl Fn(&T) -> Changes,
        version: impl Fn(&T) -> i64,
    ) {
        let statement = |is_it: &dyn Fn(&str) -> bool| STATEMENTS.lines().find(|line| is_it(line)).unwrap();
        let write = statement(&|line| line.contains(&format!("(INSERT INTO {table} (")));
        let read =
            statement(&|line| line.starts_with("SELECT") && line.contains(found)).replace(key.0, key.1);
        let write_after = |version: i64| write.replacen("'0' + 1", &format!("'{version}' + 1"), 1);

        self.older.simple_query(write).await.unwrap();
        let first = load().await;
        assert_eq!(version(&first), 1, "{table}");
        let (written, _) = self.read(&read).await;

        self.newer.save(put(&first)).await.unwrap();
        let (rewritten, seen) = self.read(&read).await;
        assert_eq!((rewritten, seen), (written.clone(), 2), "{table}");
        // What the older one decided on is not what is there any more.
        assert!(self.older.simple_query(&write_after(1)).await.is_err(), "{table}");

        self.older.simple_query(&write_after(2)).await.unwrap();
        assert_eq!(version(&load().await), 3);
        let late = self.newer.save(put(&first)).await;
        assert!(matches!(late, Err(StoreError::Conflict)), "{table}: {late:?}");
        assert_eq!(self.read(&read).await, (written, 3), "{table}");
    }
}

async fn both() -> Option<Both> {
    let schema = released().await?;
    let newer = Store::connect(&schema.address).await.unwrap();
    Some(Both { older: schema.client, newer })
}

fn hash(hex: &str) -> SecretHash {
    SecretHash::from_hex(hex)
}

#[tokio::test]
async fn what_one_release_writes_of_third_parties_and_consents_the_other_goes_on_with() {
    let Some(both) = both().await else { return };
    let store = &both.newer;
    let tpp = TppId::new("PSDNL-DNB-1");
    let row = ("tpps", "FROM tpps WHERE id = 'PSDNL-DNB-2'", ("'PSDNL-DNB-2'", "'PSDNL-DNB-1'"));
    let load = async || store.tpp(&tpp).await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_tpp(one), |one| one.version).await;

    let row = ("certificates", "FROM certificates WHERE fingerprint = 'aa'", ("", ""));
    let load = async || store.certificate("aa").await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_certificate(one), |one| one.version).await;

    let row = ("consents", "FROM consents WHERE id = 'c'", ("", ""));
    let load = async || store.consent(&ConsentId::new("c")).await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_consent(one), |one| one.version).await;

    let row = ("funds_consents", "FROM funds_consents WHERE id = 'f'", ("", ""));
    let load = async || store.funds_consent(&FundsConsentId::new("f")).await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_funds_consent(one), |one| one.version).await;

    let row = ("authorisations", "FROM authorisations WHERE id = 'a'", ("", ""));
    let load = async || store.authorisation(&AuthorisationId::new("a")).await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_authorisation(one), |one| one.version).await;

    let row = ("payments", "FROM payments WHERE id = 'a'", ("'a'", "'waits'"));
    let load = async || store.payment(&PaymentId::new("waits")).await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_payment(one), |one| one.version).await;
}

#[tokio::test]
async fn what_one_release_writes_of_sessions_and_tokens_the_other_goes_on_with() {
    let Some(both) = both().await else { return };
    let (store, tenant) = (&both.newer, Tenant::parse("nl").unwrap());
    let row = ("sessions", "FROM sessions WHERE hash = '3'", ("'3'", "'0'"));
    let load = async || store.session(&hash("0")).await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_session(one), |one| one.version).await;

    let row = ("customer_sessions", "FROM customer_sessions WHERE hash = 'c0'", ("", ""));
    let load = async || store.customer_session(&hash("c0")).await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_customer_session(one), |one| one.version).await;

    let row = ("log_in_failures", "FROM log_in_failures WHERE tenant = 'nl' AND psu = 'psu' AND (", ("", ""));
    let load = async || -> LogInFailures {
        let (tpp, since) = (TppId::new("PSDNL-DNB-1"), Timestamp::from_second(1_800_000_000).unwrap());
        store.log_in_failures((&tenant, &hash("psu")), &tpp, since).await.unwrap().remove(0)
    };
    both.in_turns(row, load, |one| Changes::new().put_log_in_failures(one), |one| one.version).await;

    let row = ("authorization_codes", "FROM authorization_codes WHERE hash = 'code'", ("", ""));
    let load = async || store.authorization_code(&hash("code")).await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_authorization_code(one), |one| one.version).await;

    let row = ("grants", "FROM grants WHERE id = 'g'", ("", ""));
    let load = async || store.grant(&GrantId::new("g")).await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_grant(one), |one| one.version).await;

    let row = ("tokens", "FROM tokens t JOIN grants g ON g.id = t.grant_id WHERE t.hash = 'token'", ("", ""));
    let load = async || store.token(&hash("token")).await.unwrap().unwrap().0;
    both.in_turns(row, load, |one| Changes::new().put_token(&tenant, one), |one| one.version).await;

    let row = ("pushed_requests", "FROM pushed_requests WHERE hash = 'pushed'", ("", ""));
    let load = async || store.pushed_request(&hash("pushed")).await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_pushed_request(one), |one| one.version).await;

    let row = ("requests", "FROM requests WHERE key = 'k'", ("'k'", "'0'"));
    let load = async || store.request("0").await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_request(one), |one| one.version).await;

    let row = (
        "private_state",
        "FROM private_state WHERE owner = 'o' AND kind = 'k' AND key = '2'",
        ("'2'", "'1'"),
    );
    let load = async || store.private_state("o", "k", "1").await.unwrap().unwrap();
    both.in_turns(row, load, |one| Changes::new().put_private_state(one), |one| one.version).await;
}

/// Everything is in the two tests above: whatever the last release writes with a version.
#[test]
fn no_table_of_the_last_release_is_left_out() {
    let source = include_str!("releases.rs");
    for line in STATEMENTS.lines().filter(|line| line.contains("'0' + 1")) {
        let table = line.split_once("INSERT INTO ").unwrap().1.split_once(' ').unwrap().0;
        // Counts of reads go up by one and have nothing else to say.
        assert!(table == "read_counts" || source.contains(&format!("\"{table}\",")), "{table}");
    }
}

/// The words of each column that this release may write, of the kinds that grow.
fn words() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("payments.reason", RejectReason::NAMES.iter().map(|(_, name)| *name).collect()),
        ("payments.interface", Interface::ALL.map(Interface::name).to_vec()),
        ("authorisations.subject_kind", SubjectKind::NAMES.map(|(_, name)| name).to_vec()),
        ("consents.decision", domain::Decision::NAMES.map(|(_, name)| name).to_vec()),
        ("certificates.kind", domain::CertificateKind::NAMES.map(|(_, name)| name).to_vec()),
        ("tpps.authentication", ClientAuthentication::NAMES.map(|(_, name)| name).to_vec()),
        ("sessions.language", domain::Language::CODES.map(|(_, code)| code).to_vec()),
    ]
}

/// Words expand first, as tables do: one that the last release does not know is read by this one and written by the next, unless the last
/// release reads whatever it does not know of that kind.
#[test]
fn no_word_is_written_that_the_last_release_cannot_read() {
    let known = |column: &str| -> Vec<&'static str> {
        let lines = include_str!("stored_words.txt").lines().filter(|line| !line.starts_with('#'));
        let mut lines = lines.filter_map(|line| line.split_once(": "));
        lines.find(|(name, _)| *name == column).unwrap().1.split(' ').collect()
    };
    for (column, words) in words() {
        let known = known(column);
        for word in &words {
            assert!(
                known.contains(word) || known.contains(&"*"),
                "{column}: the last release does not know {word:?}. Read it in this release and write it in the next one."
            );
        }
        for word in known.iter().filter(|word| **word != "*") {
            assert!(
                words.contains(word),
                "{column}: the last release writes {word:?}, which this one cannot read"
            );
        }
    }
}

/// What a later release adds to the kinds that grow freely is read as far as it is known.
#[tokio::test]
async fn words_of_a_later_release_are_read_as_far_as_they_are_known() {
    let Some(both) = both().await else { return };
    let (store, client) = (&both.newer, &both.older);
    for table in ["payments", "sessions", "customer_sessions"] {
        let write =
            STATEMENTS.lines().find(|line| line.contains(&format!("(INSERT INTO {table} ("))).unwrap();
        client.simple_query(write).await.unwrap();
    }
    for (word, read) in [("AG01-LATE", RejectReason::Ag01), ("ZZ99", RejectReason::Ms03)] {
        let update = format!("UPDATE payments SET decision = 'refused', reason = '{word}'");
        client.simple_query(&update).await.unwrap();
        let payment = store.payment(&PaymentId::new("waits")).await.unwrap().unwrap();
        assert_eq!(payment.decision, domain::PaymentDecision::Refused(read));
    }
    let later = "UPDATE sessions SET language = 'xx'; UPDATE customer_sessions SET language = 'xx'";
    client.simple_query(later).await.unwrap();
    assert_eq!(store.session(&hash("0")).await.unwrap().unwrap().language, domain::Language::English);
    let own = store.customer_session(&hash("c0")).await.unwrap().unwrap();
    assert_eq!(own.language, domain::Language::English);
    // What says nothing that could be a word of this kind is no word of a later release.
    client.simple_query("UPDATE payments SET reason = 'because'").await.unwrap();
    let broken = store.payment(&PaymentId::new("waits")).await;
    assert!(matches!(broken, Err(StoreError::Corrupt { column: "reason", .. })), "{broken:?}");
}
