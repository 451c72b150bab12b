//! Confirmation of funds: the whole way from a request for a consent to answers, and how such consents end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{FUNDS_CONSENTS, TestServer, TestTpp, ValidConsent, detailed, in_euro, parameter};

use crate::ID;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A customer with exactly so much, and nothing that moves.
async fn with_balance(server: &TestServer, balance: &str) -> String {
    let wish = json!({"tenant": "nl", "persona": "empty", "balance": balance});
    let (status, customer) = server.manage("POST", "/test-accounts", wish).await;
    assert_eq!(status, 201, "{customer}");
    text(&customer["iban"]).to_owned()
}

/// The answer to the question whether there is an amount in euro.
async fn has(server: &TestServer, tpp: &TestTpp, consent: &ValidConsent, iban: &str, amount: &str) -> bool {
    let answer = server.send(&tpp.ask(consent, &in_euro(iban, amount))).await;
    assert_eq!(answer.status, 200, "{amount}: {}", answer.body);
    answer.json()["fundsAvailable"].as_bool().unwrap()
}

/// The status of a consent; nothing if there is no such consent.
async fn status(server: &TestServer, tpp: &TestTpp, id: &str) -> String {
    let answer = server.send(&tpp.get(&format!("{FUNDS_CONSENTS}/{id}/status"))).await;
    if answer.status != 200 {
        assert_eq!(answer.error().0, "CONSENT_UNKNOWN", "{}", answer.body);
    }
    text(&answer.json()["consentStatus"]).to_owned()
}

#[tokio::test]
async fn a_consent_from_request_to_end_and_the_answers_between() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let iban = with_balance(&server, "250.00").await;
    let body = json!({
        "account": {"iban": iban, "currency": "EUR"}, "cardNumber": "5409050000000000",
        "cardExpiryDate": "2028-02-29", "cardInformation": "My Merchant Loyalty Card",
        "registrationInformation": "Your contract Number 1234 with MyMerchant is completed",
    });
    let answer = server.send(&tpp.funds_consent_request(&body)).await;
    assert_eq!((answer.status, answer.header("aspsp-sca-approach")), (201, "REDIRECT"), "{}", answer.body);
    let asked = answer.json();
    let id = text(&asked["consentId"]);
    let path = format!("{FUNDS_CONSENTS}/{id}");
    assert!(answer.header("location").ends_with(&format!("/xs2a-bg/nl{path}")));
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(asked[name], *value, "{name}");
    }
    assert_eq!(asked["consentStatus"], "received");
    assert!(asked.get("validUntil").is_none(), "it lives until it is revoked");
    let (links, authorisation) = (&asked["_links"], text(&asked["authorisationId"]));
    assert_eq!(links["self"], format!("/nl{path}"));
    assert_eq!(links["status"], format!("/nl{path}/status"));
    assert_eq!(links["scaStatus"], format!("/nl{path}/authorisations/{authorisation}"));
    assert_eq!(links["confirmation"], links["scaStatus"]);
    let redirect = text(&links["scaRedirect"]);
    assert!(redirect.contains(&format!("scope=openid+PIIS%3A{id}&")), "{redirect}");

    let consent = tpp.approve(&server, &asked, &iban).await;
    assert_eq!(consent.refresh_token, "", "nobody asked for one");
    let sca = format!("{path}/authorisations/{authorisation}");
    assert_eq!(server.send(&tpp.get(&sca)).await.json(), json!({"scaStatus": "unconfirmed"}));
    let early = server.send(&tpp.ask(&consent, &in_euro(&iban, "1.00"))).await;
    assert_eq!((early.status, early.error().0.as_str()), (401, "CONSENT_INVALID"));
    assert_eq!(early.error().1, format!("Operation not possible on consent {id} with status received"));
    for _ in 0..2 {
        let confirmed = tpp.confirm_funds_consent(&server, &consent).await;
        assert_eq!((confirmed.status, &confirmed.json()["scaStatus"]), (200, &json!("finalised")));
        assert_eq!(confirmed.json()["_links"]["confirmation"], format!("/nl{sca}"));
    }
    let read = server.send(&tpp.get(&path)).await.json();
    assert_eq!(read, {
        let mut expected = asked.clone();
        expected["consentStatus"] = json!("valid");
        expected
    });
    let all = server.send(&tpp.get(&format!("{path}/authorisations"))).await.json();
    assert_eq!(all, json!({"authorisationIds": [authorisation]}));

    // Nothing is reserved: the same question has the same answer.
    for (amount, answer) in [
        ("250.00", true),
        ("250", true),
        ("250.01", false),
        ("0.01", true),
        ("250.00", true),
        ("99999999", false),
    ] {
        assert_eq!(has(&server, &tpp, &consent, &iban, amount).await, answer, "{amount}");
    }
    let question = json!({
        "account": {"iban": iban.to_lowercase(), "currency": "EUR"},
        "instructedAmount": {"currency": "EUR", "amount": 12.5},
        "payee": "Merchant123", "cardNumber": "5409050000000000", "later": [1],
    });
    let answer = server.send(&tpp.ask(&consent, &question)).await;
    assert_eq!(answer.json(), json!({"fundsAvailable": true}), "{}", answer.body);

    let delete = || tpp.request("DELETE", &path).signed(&tpp.signer);
    assert_eq!(server.send(&delete()).await.status, 204);
    assert_eq!(server.send(&delete()).await.status, 204, "harmless");
    assert_eq!(status(&server, &tpp, id).await, "terminatedByTpp");
    let gone = server.send(&tpp.ask(&consent, &in_euro(&iban, "1.00"))).await;
    assert!(gone.error().1.ends_with("with status terminatedByTpp"), "{}", gone.body);
    assert_eq!((gone.status, gone.error().0.as_str()), (401, "CONSENT_INVALID"));
}

#[tokio::test]
async fn the_answer_is_what_the_balances_say() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let tpp = server.registered("nl", ID).await;
    for persona in ["overdrawn", "household", "busy", "business"] {
        let customer = server.customer("nl", persona).await;
        let iban = text(&customer["iban"]);
        let access = tpp.valid(&server, &detailed(iban, true), iban).await;
        let accounts = server.send(&tpp.attended("/v1/accounts", &access)).await.json();
        let account = text(&accounts["accounts"][0]["resourceId"]);
        let path = format!("/v1/accounts/{account}/balances");
        let balances = server.send(&tpp.attended(&path, &access)).await.json();
        let balances = balances["balances"].as_array().unwrap();
        let available = balances.iter().find(|one| one["creditLimitIncluded"] == true);
        let available = available.or(balances.iter().find(|one| one["balanceType"] == "interimAvailable"));
        let available = text(&available.unwrap()["balanceAmount"]["amount"]).to_owned();
        let more = format!("{:.2}", available.parse::<f64>().unwrap() + 0.01);
        let consent = tpp.valid_funds(&server, iban).await;
        assert!(has(&server, &tpp, &consent, iban, &available).await, "{persona} {available}: {balances:?}");
        assert!(!has(&server, &tpp, &consent, iban, &more).await, "{persona} {more}: {balances:?}");
    }
}

#[tokio::test]
async fn whoever_asks_for_a_refresh_token_can_ask_again_for_as_long_as_the_consent_lives() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let iban = with_balance(&server, "10.00").await;
    let asked = tpp.funds_consent(&server, &iban).await;
    let mut wider = asked.clone();
    let link = text(&asked["_links"]["scaRedirect"]).replace("scope=openid+", "scope=openid+offline_access+");
    wider["_links"]["scaRedirect"] = json!(link);
    let consent = tpp.approve(&server, &wider, &iban).await;
    assert_ne!(consent.refresh_token, "");
    assert_eq!(tpp.confirm_funds_consent(&server, &consent).await.status, 200);
    assert!(has(&server, &tpp, &consent, &iban, "10.00").await);
    server.advance("nl", "PT11M").await;
    let late = server.send(&tpp.ask(&consent, &in_euro(&iban, "10.00"))).await;
    assert_eq!((late.status, late.error().0.as_str()), (401, "TOKEN_INVALID"), "{}", late.body);
    let mut consent = tpp.refreshed(&server, &consent).await;
    // A consent for account information would have ended in between.
    for _ in 0..2 {
        assert!(has(&server, &tpp, &consent, &iban, "10.00").await);
        server.advance("nl", "P170D").await;
        consent = tpp.refreshed(&server, &consent).await;
    }
    assert_eq!(status(&server, &tpp, &consent.id).await, "valid");
    server.advance("nl", "P181D").await;
    let refused = tpp.refresh(&server, &consent.refresh_token).await;
    assert_eq!((refused.status, refused.error().1.as_str()), (400, "Unknown refresh token"));
    assert_eq!(status(&server, &tpp, &consent.id).await, "valid", "a token ends, the consent does not");
}

#[tokio::test]
async fn either_holder_of_a_joint_account_can_approve_and_nobody_else() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let joint = server.customer("nl", "joint").await;
    let iban = text(&joint["iban"]);
    let stranger = server.customer("nl", "student").await;
    let consent = tpp.valid_funds(&server, iban).await;
    assert!(has(&server, &tpp, &consent, iban, "0.01").await);
    let asked = tpp.funds_consent(&server, iban).await;
    let location = server.decide(&tpp.authorization_url(&asked), text(&stranger["iban"]), "approve").await;
    assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"), "{location}");
    let words = parameter(&location, "error_description").unwrap();
    assert!(words.starts_with("The customer does not hold all accounts of consent"), "{words}");
    // The attempt came to nothing, and another one can be begun.
    let id = text(&asked["consentId"]);
    let begin = tpp.request("POST", &format!("{FUNDS_CONSENTS}/{id}/authorisations"));
    let begin = begin.set("tpp-redirect-uri", testkit::CALLBACK).signed(&tpp.signer);
    let begun = server.send(&begin).await;
    assert_eq!(begun.status, 201, "{}", begun.body);
    let (again, begun) = (server.send(&begin).await.json(), begun.json());
    assert_eq!(again, begun, "the same request begins nothing new");
    let redirect = text(&begun["_links"]["scaRedirect"]);
    assert!(redirect.contains(&format!("scope=openid+PIIS%3A{id}&")), "{redirect}");
    let sca = text(&begun["_links"]["scaStatus"]).strip_prefix("/nl").unwrap();
    let first = format!("{FUNDS_CONSENTS}/{id}/authorisations/{}", text(&asked["authorisationId"]));
    assert_eq!(server.send(&tpp.get(&first)).await.json(), json!({"scaStatus": "failed"}));
    assert_eq!(server.send(&tpp.get(sca)).await.json(), json!({"scaStatus": "received"}));
    let mut second = begun.clone();
    second["consentId"] = asked["consentId"].clone();
    let consent = tpp.approve(&server, &second, iban).await;
    assert_eq!(tpp.confirm_funds_consent(&server, &consent).await.status, 200);
    assert!(has(&server, &tpp, &consent, iban, "0.01").await);
    let read = server.send(&tpp.get(&format!("{FUNDS_CONSENTS}/{id}"))).await.json();
    assert_eq!(read["authorisationId"], begun["authorisationId"], "the newest one");
}

#[tokio::test]
async fn a_number_in_several_currencies_is_asked_about_in_each_that_the_consent_covers() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "multi-currency").await;
    let iban = text(&customer["iban"]);
    let ask = |currency: &str, amount: &str| json!({"account": {"iban": iban}, "instructedAmount": {"currency": currency, "amount": amount}});
    let all = tpp.valid_funds(&server, iban).await;
    for (currency, amount) in [("EUR", "0.01"), ("USD", "0.01"), ("JPY", "1")] {
        let answer = server.send(&tpp.ask(&all, &ask(currency, amount))).await;
        assert_eq!(answer.status, 200, "{currency}: {}", answer.body);
    }
    let one = json!({"account": {"iban": iban, "currency": "USD"}});
    let asked = server.send(&tpp.funds_consent_request(&one)).await.json();
    let narrow = tpp.approve(&server, &asked, iban).await;
    assert_eq!(tpp.confirm_funds_consent(&server, &narrow).await.status, 200);
    assert_eq!(server.send(&tpp.ask(&narrow, &ask("USD", "0.01"))).await.status, 200);
    let other = server.send(&tpp.ask(&narrow, &ask("EUR", "0.01"))).await;
    assert_eq!((other.status, other.error().0.as_str()), (403, "PRODUCT_INVALID"));
    assert_eq!(other.error().1, "the account is kept in USD, not in EUR; ask in the currency of the account");
}

#[tokio::test]
async fn an_account_that_is_blocked_has_no_funds_and_one_that_is_closed_is_none() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let iban = with_balance(&server, "10.00").await;
    let consent = tpp.valid_funds(&server, &iban).await;
    let set = async |state: &str| {
        let path = format!("/test-accounts/{iban}");
        let (status, body) = server.manage("PUT", &path, json!({"status": state})).await;
        assert_eq!(status, 200, "{body}");
    };
    for (state, has) in [("blocked", false), ("enabled", true)] {
        set(state).await;
        let answer = server.send(&tpp.ask(&consent, &in_euro(&iban, "1.00"))).await;
        assert_eq!((answer.status, answer.json()["fundsAvailable"].clone()), (200, json!(has)), "{state}");
    }
    set("deleted").await;
    // A bank that tells what happens there ends the consent, as soon as the gateway was told; until then, and at any other bank, the
    // account is none.
    let began = Instant::now();
    let last = loop {
        let answer = server.send(&tpp.ask(&consent, &in_euro(&iban, "1.00"))).await;
        if answer.status != 404 || !testkit::is_served() {
            break answer;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the consent has not ended: {}", answer.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let (code, text) = last.error();
    if testkit::is_served() {
        assert_eq!((last.status, code.as_str()), (401, "CONSENT_INVALID"), "{text}");
        assert!(text.contains("with status expired"), "{text}");
    } else {
        assert_eq!(last.status, 404, "{text}");
    }
}

#[tokio::test]
async fn the_customer_can_withdraw_and_a_third_party_that_is_blocked_loses_its_consents() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let iban = with_balance(&server, "10.00").await;
    let withdrawn = tpp.valid_funds(&server, &iban).await;
    let lost = tpp.valid_funds(&server, &iban).await;
    let kept = tpp.valid(&server, &detailed(&iban, true), &iban).await;
    let (_, listed) = server.manage("GET", &format!("/consents?iban={iban}"), Value::Null).await;
    let kinds: Vec<_> = listed["consents"].as_array().unwrap().iter().map(|one| text(&one["kind"])).collect();
    assert_eq!(kinds, ["consent", "funds-consent", "funds-consent"]);
    let of_it = listed["consents"].as_array().unwrap().iter().find(|one| one["consentId"] == withdrawn.id);
    let of_it = of_it.unwrap();
    assert_eq!((&of_it["consentStatus"], &of_it["accounts"]), (&json!("valid"), &json!([iban])));
    let (_, body) =
        server.manage("POST", &format!("/consents/{}/revocation", withdrawn.id), Value::Null).await;
    assert_eq!(body, json!({"consentId": withdrawn.id, "consentStatus": "revokedByPsu"}));
    let refused = server.send(&tpp.ask(&withdrawn, &in_euro(&iban, "1.00"))).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (401, "CONSENT_INVALID"));
    assert!(refused.error().1.ends_with("with status revokedByPsu"), "{}", refused.body);
    let nobody = "/consents/00000000-0000-4000-8000-000000000000/revocation";
    assert_eq!(server.manage("POST", nobody, Value::Null).await.0, 404);
    assert!(has(&server, &tpp, &lost, &iban, "10.00").await);

    let set = async |status: &str| {
        let path = format!("/third-parties/{ID}");
        let (code, body) = server.manage("PUT", &path, json!({"status": status})).await;
        assert_eq!(code, 200, "{body}");
    };
    set("blocked").await;
    let refused = server.send(&tpp.ask(&lost, &in_euro(&iban, "1.00"))).await;
    assert_eq!(
        (refused.status, refused.error().0.as_str()),
        (401, "CERTIFICATE_BLOCKED"),
        "{}",
        refused.body
    );
    set("active").await;
    let refused = server.send(&tpp.ask(&lost, &in_euro(&iban, "1.00"))).await;
    assert!(refused.error().1.ends_with("with status expired"), "{}", refused.body);
    assert_eq!(server.send(&tpp.read("/v1/accounts", &kept)).await.status, 401);
    assert_eq!(status(&server, &tpp, &withdrawn.id).await, "revokedByPsu", "what is final stays");
}

#[tokio::test]
async fn the_same_request_again_makes_nothing_new_also_at_once_and_after_a_restart() {
    let (_guard, folder) = testkit::free_folder();
    let start = async || {
        TestServer::with(|config| config.data = vestibule::DataLocation::Folder(folder.clone())).await
    };
    let server = start().await;
    let tpp = server.registered("nl", ID).await;
    let iban = with_balance(&server, "10.00").await;
    let request = tpp.funds_consent_request(&json!({"account": {"iban": iban}}));
    let send = || server.send(&request);
    let (asked, second, third, fourth) = tokio::join!(send(), send(), send(), send());
    for answer in [&asked, &second, &third, &fourth] {
        assert_eq!((answer.status, &answer.body), (201, &asked.body));
    }
    let consent = tpp.approve(&server, &asked.json(), &iban).await;
    assert_eq!(tpp.confirm_funds_consent(&server, &consent).await.status, 200);
    server.stop().await;

    let server = start().await;
    assert!(has(&server, &tpp, &consent, &iban, "10.00").await, "consent and token are still there");
    let again = server.send(&request).await;
    assert_eq!((again.status, again.json()["consentStatus"].clone()), (201, json!("received")));
    assert_eq!(again.json()["consentId"], consent.id);
    let id = request.headers["x-request-id"].to_str().unwrap();
    let other = json!({"account": {"iban": iban}, "cardNumber": "1"});
    let other = tpp.funds_consent_request(&other).set("x-request-id", id).signed(&tpp.signer);
    let refused = server.send(&other).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "FORMAT_ERROR"));
    assert!(refused.error().1.contains("for another request to this path"), "{}", refused.body);
}

#[tokio::test]
async fn what_comes_too_late_or_after_the_end_is_refused() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let iban = with_balance(&server, "10.00").await;
    let asked = tpp.funds_consent(&server, &iban).await;
    let ended = tpp.funds_consent(&server, &iban).await;
    let location = server.decide(&tpp.authorization_url(&ended), &iban, "approve").await;
    let path = format!("{FUNDS_CONSENTS}/{}", text(&ended["consentId"]));
    assert_eq!(server.send(&tpp.request("DELETE", &path).signed(&tpp.signer)).await.status, 204);
    // A code of what has ended brings no tokens, and nothing can be begun any more.
    let tokens = tpp.redeem(&server, &parameter(&location, "code").unwrap()).await;
    assert_eq!((tokens.status, tokens.error().0.as_str()), (400, "invalid_grant"), "{}", tokens.body);
    let begin = tpp.request("POST", &format!("{path}/authorisations"));
    let begin = begin.set("tpp-redirect-uri", testkit::CALLBACK).signed(&tpp.signer);
    let refused = server.send(&begin).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "STATUS_INVALID"));
    assert!(refused.error().1.contains("has status terminatedByTpp"), "{}", refused.body);

    // Approved at the last minute, with a token that is still good when the day is over.
    server.advance("nl", "PT23H55M").await;
    let consent = tpp.approve(&server, &asked, &iban).await;
    server.advance("nl", "PT6M").await;
    let late = tpp.confirm_funds_consent(&server, &consent).await;
    assert_eq!((late.status, late.error().0.as_str()), (400, "STATUS_INVALID"), "{}", late.body);
    assert!(late.error().1.contains("has status rejected"), "{}", late.body);
    let refused = server.send(&tpp.ask(&consent, &in_euro(&iban, "1.00"))).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (401, "CONSENT_INVALID"), "{}", refused.body);
    assert!(refused.error().1.ends_with("with status rejected"), "{}", refused.body);
}

#[tokio::test]
async fn what_nobody_approved_is_rejected_in_time_and_forgotten_and_what_is_good_stays() {
    let server = TestServer::start().await;
    let mut tpp = server.registered("nl", ID).await;
    let iban = with_balance(&server, "10.00").await;
    let abandoned = text(&tpp.funds_consent(&server, &iban).await["consentId"]).to_owned();
    let refused = tpp.funds_consent(&server, &iban).await;
    let location = server.decide(&tpp.authorization_url(&refused), &iban, "reject").await;
    assert_eq!(parameter(&location, "error").as_deref(), Some("consent_required"), "{location}");
    let refused = text(&refused["consentId"]).to_owned();
    assert_eq!(status(&server, &tpp, &refused).await, "rejected");
    let unconfirmed = tpp.approved_funds(&server, &iban).await;
    let valid = tpp.valid_funds(&server, &iban).await.id;
    let ended = tpp.valid_funds(&server, &iban).await.id;
    let delete = tpp.request("DELETE", &format!("{FUNDS_CONSENTS}/{ended}")).signed(&tpp.signer);
    assert_eq!(server.send(&delete).await.status, 204);
    server.advance("nl", "P1D").await;
    let late = tpp.confirm_funds_consent(&server, &unconfirmed).await;
    assert_eq!((late.status, late.error().0.as_str()), (401, "TOKEN_INVALID"), "{}", late.body);
    let all = [&abandoned, &refused, &unconfirmed.id, &valid, &ended];
    for (advance, expected) in [
        ("PT1S", ["rejected", "rejected", "rejected", "valid", "terminatedByTpp"]),
        ("P32D", ["", "", "", "valid", "terminatedByTpp"]),
        ("P360D", ["", "", "", "valid", "terminatedByTpp"]),
        ("P10D", ["", "", "", "valid", ""]),
        ("P200D", ["", "", "", "valid", ""]),
    ] {
        server.advance("nl", advance).await;
        tpp.signer = server.tpp(ID).await;
        for (consent, expected) in all.into_iter().zip(expected) {
            for _ in 0..600 {
                if !expected.is_empty() || status(&server, &tpp, consent).await.is_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert_eq!(status(&server, &tpp, consent).await, expected, "{advance} {consent}");
        }
    }
}
