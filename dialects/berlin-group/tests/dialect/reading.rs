//! What callers send is read in one way: dates, objects, periods; and nothing costs more than its size.

use serde_json::{Value, json};
use testkit::{Answer, CALLBACK, Request, TestServer, TestTpp, ValidConsent, detailed};

use crate::ID;

struct Scene {
    server: TestServer,
    tpp: TestTpp,
    iban: String,
    consent: ValidConsent,
    account: String,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", "household").await;
        let iban = customer["iban"].as_str().unwrap().to_owned();
        let consent = tpp.valid(&server, &detailed(&iban, false), &iban).await;
        let accounts = server.send(&tpp.read("/v1/accounts", &consent)).await.json();
        let account = accounts["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
        Self { server, tpp, iban, consent, account }
    }

    async fn transactions(&self, query: &str) -> Answer {
        let path = format!("/v1/accounts/{}/transactions?{query}", self.account);
        self.server.send(&self.tpp.attended(&path, &self.consent)).await
    }

    /// Today at the bank, moved by days.
    async fn day(&self, from_today: i64) -> String {
        let (_, clocks) = self.server.manage("GET", "/clock", Value::Null).await;
        let clocks = clocks["clocks"].as_array().unwrap();
        let nl = clocks.iter().find(|clock| clock["tenant"] == "nl").unwrap();
        let now: jiff::Timestamp = nl["now"].as_str().unwrap().parse().unwrap();
        let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let day = now.to_zoned_datetime(zone).date().checked_add(jiff::Span::new().days(from_today)).unwrap();
        day.to_string()
    }

    fn consent_with(&self, body: impl Into<Vec<u8>>) -> Request {
        self.tpp
            .request("POST", "/v1/consents")
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", CALLBACK)
            .body("application/json", body)
            .signed(&self.tpp.signer)
    }
}

fn assert_refused(answer: &Answer, code: &str, text: &str, what: &str) {
    assert_eq!((answer.status, answer.error().0.as_str()), (400, code), "{what}: {}", answer.body);
    assert!(answer.error().1.contains(text), "{what}: {}", answer.body);
}

#[tokio::test]
async fn a_day_is_written_in_one_way() {
    let scene = Scene::new().await;
    for wrong in [
        "20270131",
        "2027-1-31",
        "2027-01-3",
        "+002027-01-31",
        "002027-01-31",
        "-000001-01-31",
        "2027-01-31T00:00:00",
        "2027-01-31T00:00:00Z",
        "2027-01-31 12:00",
        "2027-01-31[Europe/Amsterdam]",
        "2027-02-29",
        "2027-W05-7",
        "2027-031",
        "1899-12-31",
        "0001-01-01",
        "10000-01-01",
        " 2027-01-31",
        "2027-01-31 ",
        "31-01-2027",
        "2027/01/31",
        "２０２７-01-31",
        "",
    ] {
        let mut body = detailed(&scene.iban, true);
        body["validUntil"] = json!(wrong);
        let answer = scene.server.send(&scene.consent_with(body.to_string())).await;
        assert_refused(&answer, "FORMAT_ERROR", "expected YYYY-MM-DD", wrong);
        let encoded: String = wrong.bytes().map(|b| format!("%{b:02x}")).collect();
        for name in ["dateFrom", "dateTo"] {
            let answer = scene.transactions(&format!("{name}={encoded}")).await;
            assert_refused(&answer, "FORMAT_ERROR", "expected YYYY-MM-DD", wrong);
        }
    }
    for right in ["dateFrom=1900-01-01", "dateFrom=2024-02-29", "dateTo=9999-12-31"] {
        assert_eq!(scene.transactions(right).await.status, 200, "{right}");
    }
}

#[tokio::test]
async fn an_object_is_an_object_wherever_it_stands() {
    let scene = Scene::new().await;
    let right = detailed(&scene.iban, true);
    let in_order = json!([right["access"], true, "9999-12-31", 4, false]);
    let change = |pointer: &str, value: Value| {
        let mut body = right.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let account = json!([{"iban": scene.iban}]);
    for (body, text) in [
        (in_order, "it must be a JSON object"),
        (json!([right]), "it must be a JSON object"),
        (json!("x"), "it must be a JSON object"),
        (json!(null), "it must be a JSON object"),
        (change("/access", json!([account, account, account])), "access must be an object"),
        (change("/access", json!([])), "access must be an object"),
        (change("/access", json!("accounts")), "access must be an object"),
        (change("/access/accounts/0", json!([scene.iban])), "access.accounts[0] must be an object"),
        (change("/access/balances/0", json!(scene.iban)), "access.balances[0] must be an object"),
        (change("/access/accounts", json!({"iban": scene.iban})), "access.accounts must be an array"),
        (
            change("/access/accounts/0/iban", json!([scene.iban])),
            "access.accounts[0].iban is wrong: expected a string",
        ),
        (change("/frequencyPerDay", json!([4])), "frequencyPerDay is wrong: expected a whole number"),
        (change("/recurringIndicator", json!({})), "recurringIndicator is wrong: expected true or false"),
        (change("/validUntil", json!(["9999-12-31"])), "validUntil is wrong: expected a string"),
        (json!({}), "it has a missing field `access`"),
    ] {
        let answer = scene.server.send(&scene.consent_with(body.to_string())).await;
        assert_refused(&answer, "FORMAT_ERROR", text, &body.to_string());
        let said = answer.error().1;
        for rust in ["struct", "ConsentRequest", "sequence", "i64", "variant", "Option"] {
            assert!(!said.contains(rust), "{said}");
        }
    }
    // Bodies that nobody reads are objects too.
    let path = format!("/v1/consents/{}/authorisations", scene.consent.id);
    let signer = &scene.tpp.signer;
    for body in ["[]", "[{}]", "1"] {
        let start = scene.tpp.request("POST", &path).set("tpp-redirect-uri", CALLBACK);
        let start = start.body("application/json", body).signed(signer);
        assert_refused(&scene.server.send(&start).await, "FORMAT_ERROR", "it must be a JSON object", body);
        let confirm = scene
            .tpp
            .request("PUT", &format!("{path}/{}", scene.consent.authorisation))
            .set("authorization", format!("Bearer {}", scene.consent.access_token))
            .body("application/json", body)
            .signed(signer);
        assert_refused(&scene.server.send(&confirm).await, "FORMAT_ERROR", "it must be a JSON object", body);
    }
}

#[tokio::test]
async fn nothing_outside_the_period_is_told() {
    let scene = Scene::new().await;
    let (yesterday, today, tomorrow) = (scene.day(-1).await, scene.day(0).await, scene.day(1).await);
    let next_year = scene.day(365).await;
    for from in [&tomorrow, &next_year, &"9999-12-31".to_owned()] {
        let answer = scene.transactions(&format!("dateFrom={from}")).await;
        assert_refused(&answer, "PERIOD_INVALID", &format!("dateFrom {from} is in the future"), from);
        assert!(answer.error().1.contains(&format!("ends today, {today}")), "{}", answer.body);
    }
    let backwards = scene.transactions(&format!("dateFrom={today}&dateTo={yesterday}")).await;
    assert_refused(&backwards, "PERIOD_INVALID", "is before dateFrom", "backwards");
    for query in [
        format!("dateFrom={tomorrow}&dateTo={next_year}"),
        format!("dateFrom={next_year}&dateTo={next_year}&bookingStatus=pending"),
        "dateFrom=1950-01-01&dateTo=1950-12-31".to_owned(),
        "dateTo=1950-12-31&bookingStatus=both".to_owned(),
    ] {
        let answer = scene.transactions(&query).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        let told = &answer.json()["transactions"];
        assert_eq!((&told["booked"], &told["pending"]), (&json!([]), &json!([])), "{query}");
    }
    // What is pending belongs to today.
    let told = scene.transactions(&format!("dateFrom={today}&dateTo={next_year}")).await.json();
    assert!(!told["transactions"]["pending"].as_array().unwrap().is_empty());
    let until_yesterday = scene.transactions(&format!("dateTo={yesterday}")).await.json();
    assert_eq!(until_yesterday["transactions"]["pending"], json!([]));
    for one in until_yesterday["transactions"]["booked"].as_array().unwrap() {
        assert!(one["bookingDate"].as_str().unwrap() <= yesterday.as_str());
    }
}

/// A later read of a recurring consent sees ninety days: a period before them is empty, and its links lead on. That
/// they do is held by the tests' own client, for every answer of this dialect.
#[tokio::test]
async fn a_period_before_what_may_be_seen_has_links_that_lead_on() {
    let mut scene = Scene::new().await;
    scene.consent = scene.tpp.valid(&scene.server, &detailed(&scene.iban, true), &scene.iban).await;
    assert_eq!(scene.transactions("").await.status, 200);
    let (from, to) = (scene.day(-300).await, scene.day(-200).await);
    let answer = scene.transactions(&format!("dateFrom={from}&dateTo={to}")).await;
    assert_eq!((answer.status, &answer.json()["transactions"]["booked"]), (200, &json!([])));
    assert!(answer.json()["transactions"]["_links"]["first"].is_string());
}

#[tokio::test]
async fn links_of_a_blocked_account_are_those_that_it_has() {
    let scene = Scene::new().await;
    let path = format!("/test-accounts/{}", scene.iban);
    scene.server.manage("PUT", &path, json!({"status": "blocked"})).await;
    let listed = scene.server.send(&scene.tpp.attended("/v1/accounts", &scene.consent)).await.json();
    let links = &listed["accounts"][0]["_links"];
    assert!(links["account"].is_string() && links.get("balances").is_none(), "{links}");
    assert!(links.get("transactions").is_none(), "{links}");
}

/// Parameters that nobody knows are ignored wherever they stand (draft-cavage-12, 2.2).
#[tokio::test]
async fn unknown_parameters_of_a_signature_are_ignored() {
    let scene = Scene::new().await;
    let signed = scene.tpp.get(&format!("/v1/consents/{}/status", scene.consent.id));
    let parts: Vec<String> = {
        let value = signed.headers["signature"].to_str().unwrap();
        let cut = |name: &str| value.find(&format!("{name}=\"")).unwrap();
        let ends = [cut("keyId"), cut(",algorithm"), cut(",headers"), cut(",signature"), value.len()];
        ends.windows(2).map(|pair| value[pair[0]..pair[1]].trim_start_matches(',').to_owned()).collect()
    };
    for unknown in [
        "opaque=\"x\"",
        "v=1",
        "Version=\"2, keyId=z\"",
        "note=\"headers=\\\"date\\\", signature=\\\"AAAA\\\"\"",
    ] {
        for at in 0..=parts.len() {
            let mut all = parts.clone();
            all.insert(at, unknown.to_owned());
            let request = signed.clone().set("signature", all.join(","));
            let answer = scene.server.send(&request).await;
            assert_eq!(answer.status, 200, "{}: {}", all.join(","), answer.body);
        }
    }
    // A list of names is no way to make the bank work.
    let many = format!("headers=\"digest x-request-id {}\"", "a ".repeat(10_000));
    let request = signed.set("signature", format!("{},{},{},{}", parts[0], parts[1], many, parts[3]));
    let answer = scene.server.send(&request).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (401, "SIGNATURE_INVALID"));
    assert!(
        answer.error().1.contains(testkit::told("SIGNATURE_INVALID", "more than 128 headers")),
        "{}",
        answer.body
    );
}

/// What is refused says what is so.
#[tokio::test]
async fn texts_are_true() {
    let scene = Scene::new().await;
    let path = format!("/v1/consents/{}/status", scene.consent.id);
    let status = |id: &[u8]| scene.tpp.request("GET", &path).set("x-request-id", id);
    let signer = &scene.tpp.signer;
    let dated = |date: &str| {
        let request = scene.tpp.request("GET", &path).set("date", date).certificate(signer).digest();
        request.sign(signer, "digest x-request-id date")
    };
    for (what, request, said, unsaid) in [
        ("a long id", status(&[b'a'; 257]).signed(signer), "longer than 256 bytes", "ASCII"),
        ("an id outside ASCII", status("é".as_bytes()).signed(signer), "outside ASCII", "longer"),
        ("a date in ISO form", dated("2026-11-20T12:00:00Z"), "which is no HTTP date", "300 seconds"),
        ("a date of long ago", dated("Fri, 20 Nov 2020 12:00:00 GMT"), "within 300 seconds", "no HTTP date"),
    ] {
        let answer = scene.server.send(&request).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.body);
        let text = answer.error().1;
        assert!(text.contains(said) && !text.contains(unsaid), "{what}: {text}");
    }
    let wrong = scene.tpp.get(&path).set("x-request-id", "another");
    let text = scene.server.send(&wrong).await.error().1;
    for said in ["signing string", "\\nx-request-id: another"] {
        assert!(text.contains(testkit::told("SIGNATURE_INVALID", said)), "{text}");
    }
}
