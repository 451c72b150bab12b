//! Another bank that speaks the same dialect: its profile alone says by which numbers.

use gateway::domain::Tenant;
use gateway::{Profile, Profiles};
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::{Request, TestServer, bank_offered, detailed, euro_payment, in_days, parameter};
use vestibule::profiles::{RateLimits, Strictness, of_sandbox};

/// A bank with shorter consents, fewer reads, more patience at the log-in, and less with codes.
fn another_bank(strictness: Strictness, rate_limits: RateLimits) -> Profiles {
    let mut profiles = of_sandbox(strictness, rate_limits);
    let Profile { lifetimes, sca, consents, redirects, signatures, .. } = &mut profiles.berlin_group;
    lifetimes.authorization_code = SignedDuration::from_secs(30);
    lifetimes.access_token = SignedDuration::from_secs(120);
    lifetimes.request_id = SignedDuration::from_hours(2);
    sca.lifetime = SignedDuration::from_hours(3);
    sca.idle_time = SignedDuration::from_mins(2);
    sca.challenge_digits = 6;
    sca.max_wrong_answers = 4;
    consents.max_days = 30;
    consents.max_frequency = 2;
    consents.max_references = 3;
    consents.waits = SignedDuration::from_hours(3);
    consents.history_days = 10;
    redirects.max_count = 3;
    redirects.max_bytes = 60;
    signatures.signature.date_window = 60;
    profiles.berlin_group.payment_days_ahead = 30;
    profiles
}

async fn server() -> TestServer {
    TestServer::with(|config| config.profiles = another_bank).await
}

async fn account(server: &TestServer) -> String {
    server.customer("nl", "household").await["accounts"][0]["iban"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn payments_are_asked_for_fewer_days_ahead() {
    let server = server().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R000001").await;
    let mut payment = euro_payment("12.50", "NL91ABNA0417164300");
    payment["requestedExecutionDate"] = json!(day(31));
    let asked = |payment: &Value| tpp.payment_request("payments/sepa-credit-transfers", payment);
    let refused = server.send(&asked(&payment)).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "EXECUTION_DATE_INVALID"));
    assert!(refused.error().1.ends_with(&format!("to {}", day(30))), "{}", refused.body);
    payment["requestedExecutionDate"] = json!(day(30));
    let taken = server.send(&asked(&payment)).await;
    assert_eq!(taken.status, 201, "{}", taken.body);
}

/// The day so many days from today at the branch.
fn day(days: i64) -> String {
    Tenant::parse("nl").unwrap().date_at(in_days(days)).to_string()
}

fn twice_a_day(mut request: Value) -> Value {
    request["frequencyPerDay"] = json!(2);
    request
}

#[tokio::test]
async fn consents_are_shorter_read_less_often_and_say_so() {
    let server = server().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R000001").await;
    let iban = account(&server).await;
    let refused = server.send(&tpp.consent_request(&bank_offered("9999-12-31"))).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "FORMAT_ERROR"));
    assert_eq!(refused.error().1, "frequencyPerDay must be from 1 to 2");
    let one = json!({"iban": iban});
    let mut many = twice_a_day(bank_offered("9999-12-31"));
    many["access"] = json!({"accounts": [one, one, one, one]});
    let refused = server.send(&tpp.consent_request(&many)).await;
    assert_eq!(refused.error().1, "access names more than 3 accounts", "{}", refused.body);

    let asked = tpp.consent(&server, &twice_a_day(bank_offered("9999-12-31"))).await;
    assert_eq!(asked["validUntil"], day(30));

    let consent = tpp.valid(&server, &twice_a_day(detailed(&iban, true)), &iban).await;
    let accounts = server.send(&tpp.read("/v1/accounts", &consent)).await.json();
    let id = accounts["accounts"][0]["resourceId"].as_str().unwrap().to_owned();
    let balances = || tpp.read(&format!("/v1/accounts/{id}/balances"), &consent);
    for _ in 0..2 {
        assert_eq!(server.send(&balances()).await.status, 200);
    }
    let refused = server.send(&balances()).await;
    assert_eq!(refused.status, 429);
    assert!(refused.error().1.starts_with("The daily limit of 2 unattended BALANCES"), "{}", refused.body);

    // The first read sees everything, later ones ten days.
    let path = format!("/v1/accounts/{id}/transactions?bookingStatus=booked");
    let oldest = async || {
        let page = server.send(&tpp.attended(&path, &consent)).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let booked = page.json()["transactions"]["booked"].as_array().unwrap().clone();
        let days = booked.iter().map(|one| one["bookingDate"].as_str().unwrap().to_owned());
        days.min()
    };
    let first = oldest().await.unwrap();
    assert!(first < day(-10), "{first}");
    assert!(oldest().await.is_none_or(|oldest| oldest >= day(-10)));
}

#[tokio::test]
async fn the_log_in_has_other_limits_and_the_way_back_says_so() {
    let server = server().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R000001").await;
    let iban = account(&server).await;
    let request = twice_a_day(bank_offered("9999-12-31"));
    for (decision, text) in
        [("wrong-answer", "Log-in failed four times for consent"), ("expire", "timed out after two minutes")]
    {
        let asked = tpp.consent(&server, &request).await;
        let location = server.decide(&tpp.authorization_url(&asked), &iban, decision).await;
        let description = parameter(&location, "error_description").unwrap();
        assert!(description.contains(text), "{description}");
    }
    let asked = tpp.consent(&server, &request).await;
    let arrived = server.http.get(tpp.authorization_url(&asked)).send().await.unwrap();
    let cookie = arrived.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let url = arrived.headers()["location"].to_str().unwrap();
    let page = server.http.get(url).header("cookie", cookie).send().await.unwrap().text().await.unwrap();
    let digits = |text: &str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    assert!(page.split(|c: char| !c.is_ascii_digit()).any(digits), "{page}");
}

#[tokio::test]
async fn codes_tokens_and_authorisations_live_as_long_as_the_bank_says() {
    let server = server().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R000001").await;
    let iban = account(&server).await;
    let request = twice_a_day(bank_offered("9999-12-31"));
    let approved = async || {
        let asked = tpp.consent(&server, &request).await;
        let location = server.decide(&tpp.authorization_url(&asked), &iban, "approve").await;
        (asked, parameter(&location, "code").unwrap())
    };
    let (_, code) = approved().await;
    server.advance("nl", "PT31S").await;
    let late = tpp.redeem(&server, &code).await;
    assert_eq!((late.status, late.json()["error"].as_str()), (400, Some("invalid_grant")), "{}", late.body);

    let (_, code) = approved().await;
    let tokens = tpp.redeem(&server, &code).await;
    assert_eq!(tokens.json()["expires_in"], 120, "{}", tokens.body);

    let consent = tpp.approved(&server, &request, &iban).await;
    server.advance("nl", "PT3H").await;
    let status = server.send(&tpp.get(&format!("/v1/consents/{}/status", consent.id))).await;
    assert_eq!(status.json()["consentStatus"], "rejected", "{}", status.body);
}

#[tokio::test]
async fn a_request_id_is_remembered_for_so_long() {
    let server = server().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R000001").await;
    let id = "99391c7e-ad88-49ec-a2ad-99391c7e0001";
    let request = |days: i64| {
        let body = twice_a_day(bank_offered(&day(days)));
        tpp.request("POST", "/v1/consents")
            .set("x-request-id", id)
            .set("psu-ip-address", "192.0.2.1")
            .set("tpp-redirect-uri", testkit::CALLBACK)
            .body("application/json", body.to_string())
            .signed(&tpp.signer)
    };
    assert_eq!(server.send(&request(5)).await.status, 201);
    let refused = server.send(&request(6)).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(
        refused.error().1.starts_with("X-Request-ID was used within the last two hours"),
        "{}",
        refused.body
    );
    server.advance("nl", "PT2H").await;
    assert_eq!(server.send(&request(6)).await.status, 201);
}

#[tokio::test]
async fn fewer_and_shorter_redirect_uris_are_registered() {
    let server = server().await;
    let signer = server.tpp("PSDNL-DNB-R000001").await;
    let long = format!("https://tpp.example/{}", "x".repeat(60));
    let four = ["https://a.example/", "https://b.example/", "https://c.example/", "https://d.example/"];
    for (uris, text) in [
        (&four[..], "4 redirect URIs were sent; at most 3 can be registered"),
        (&[long.as_str()], "redirect URI number 1 is longer than 60 bytes"),
    ] {
        let token = server.initial_access_token("nl", &signer).await;
        let refused = server.send(&Request::registration("nl", &token, uris).certificate(&signer)).await;
        assert_eq!((refused.status, refused.error().1.as_str()), (400, text));
    }
}

#[tokio::test]
async fn a_signed_date_may_be_off_by_less() {
    let server = server().await;
    let tpp = server.registered("nl", "PSDNL-DNB-R000001").await;
    for (seconds, status) in [(0, 403), (120, 400)] {
        let date =
            (testkit::now() - SignedDuration::from_secs(seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT");
        let path = "/v1/consents/99391c7e-ad88-49ec-a2ad-99391c7e0001";
        let request =
            tpp.request("GET", path).set("date", date.to_string()).certificate(&tpp.signer).digest();
        let answer = server.send(&request.sign(&tpp.signer, "digest x-request-id date")).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}
