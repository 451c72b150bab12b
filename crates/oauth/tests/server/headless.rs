//! Approvals without a browser that fail: nothing stays open, and each text says what would have been right.

use serde_json::{Value, json};
use testkit::{TestServer, TestTpp, bank_offered};

use crate::ID;

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A customer decides about a new consent; what is asked for beside the address is `more`.
async fn decide(server: &TestServer, tpp: &TestTpp, more: &Value) -> (u16, Value) {
    let asked = tpp.consent(server, &bank_offered("9999-12-31")).await;
    let mut wish = json!({"url": tpp.authorization_url(&asked), "decision": "approve"});
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.manage("POST", "/approvals", wish).await
}

#[tokio::test]
async fn failed_calls_leave_nothing_open() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "saver").await;
    let (iban, number) = (text(&customer["iban"]), text(&customer["digipassNumber"]));
    for _ in 0..4 {
        let wrong = json!({"iban": iban, "digipassNumber": "0000000000"});
        let (status, refused) = decide(&server, &tpp, &wrong).await;
        assert_eq!((status, text(&refused["error"])), (409, "log_in_failed"), "{refused}");
        let message = text(&refused["message"]);
        let says = ["digipassNumber is not that of a holder of", iban, number, "authorisation fails: two"];
        assert!(says.iter().all(|says| message.contains(says)), "{message}");
    }
    // Three open challenges would refuse this one for five minutes.
    let (status, approved) = decide(&server, &tpp, &json!({"iban": iban})).await;
    assert_eq!(status, 200, "{approved}");
    assert!(text(&approved["location"]).contains("code="), "{approved}");
    // A consent whose call failed is approved by the next.
    let asked = tpp.consent(&server, &bank_offered("9999-12-31")).await;
    let url = tpp.authorization_url(&asked);
    for (number, expected) in [("1", 409), (number, 200)] {
        let wish = json!({"url": url, "iban": iban, "digipassNumber": number, "decision": "approve"});
        let (status, decided) = server.manage("POST", "/approvals", wish).await;
        assert_eq!(status, expected, "{decided}");
    }
    // The fifth wrong answer in a row blocks, as it does on the page, and is told by what it is.
    for failures in 1..=6 {
        let wrong = json!({"iban": iban, "digipassNumber": "1"});
        let (_, refused) = decide(&server, &tpp, &wrong).await;
        let code = if failures < 5 { "log_in_failed" } else { "log_in_blocked" };
        assert_eq!(text(&refused["error"]), code, "{failures}: {refused}");
    }
    let (status, blocked) = decide(&server, &tpp, &json!({"iban": iban})).await;
    assert_eq!(status, 409, "{blocked}");
    assert!(text(&blocked["message"]).contains("move the clock"), "{blocked}");
    server.advance("nl", "PT15M").await;
    assert_eq!(decide(&server, &tpp, &json!({"iban": iban})).await.0, 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_told_with_what_is_right() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let (iban, number) = (text(&customer["iban"]), text(&customer["digipassNumber"]));
    for (more, status, code, says) in [
        (json!({"iban": "NL91ABNA0417164300"}), 404, "unknown_account", "GET /test-accounts"),
        (
            json!({"iban": "NL91ABNA0417164300", "digipassNumber": number}),
            404,
            "unknown_account",
            "no customer of tenant nl has iban NL91ABNA0417164300",
        ),
        (json!({"iban": "NL91"}), 400, "invalid_request", "iban: "),
        (json!({"iban": iban, "account": "x"}), 400, "invalid_request", "account: "),
        (json!({"iban": iban, "account": "NL91ABNA0417164300"}), 400, "invalid_request", iban),
    ] {
        let (got, refused) = decide(&server, &tpp, &more).await;
        assert_eq!((got, text(&refused["error"])), (status, code), "{more}: {refused}");
        assert!(text(&refused["message"]).contains(says), "{more}: {refused}");
    }
}
