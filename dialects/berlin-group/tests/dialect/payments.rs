//! Payments from the request to their end.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::{Answer, Request, TestServer, day, euro_payment, parameter};

use crate::ID;

const SEPA: &str = "payments/sepa-credit-transfers";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The answers to one request that is sent many times at once.
async fn at_once(server: &Arc<TestServer>, times: usize, request: &Request) -> Vec<Answer> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..times {
        let (server, request) = (Arc::clone(server), request.clone());
        tasks.spawn(async move { server.send(&request).await });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn a_payment_from_request_to_the_money() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));

    let answer = server.send(&tpp.payment_request(SEPA, &euro_payment("12.50", creditor))).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let asked = answer.json();
    let id = text(&asked["paymentId"]);
    let path = format!("/nl/v1/{SEPA}/{id}");
    assert_eq!(answer.header("location"), format!("{}/xs2a-bg{path}", server.interface_url()));
    assert_eq!(answer.header("aspsp-sca-approach"), "REDIRECT");
    assert_eq!(asked["transactionStatus"], "RCVD");
    assert!(asked.get("debtorAccount").is_none() && asked.get("debtorName").is_none(), "{asked}");
    let links = &asked["_links"];
    let sca = format!("{path}/authorisations/{}", text(&asked["authorisationId"]));
    assert_eq!(
        (text(&links["self"]), text(&links["status"])),
        (path.as_str(), format!("{path}/status").as_str())
    );
    assert_eq!((text(&links["scaStatus"]), text(&links["confirmation"])), (sca.as_str(), sca.as_str()));
    assert!(text(&links["scaRedirect"]).contains(&format!("scope=openid+PIS%3A{id}&")), "{links}");

    let location = server.decide(&tpp.authorization_url(&asked), iban, "approve").await;
    assert_eq!(parameter(&location, "state").as_deref(), Some("a state+"));
    let tokens = tpp.redeem(&server, &parameter(&location, "code").unwrap()).await.json();
    assert_eq!(tokens["scope"], format!("openid PIS:{id}"));
    assert!(tokens.get("refresh_token").is_none(), "{tokens}");
    let token = text(&tokens["access_token"]);

    // Approved and not confirmed, the bank has nothing.
    let path = tpp.path_of(&links["self"]);
    let sca = tpp.path_of(&links["scaStatus"]);
    assert_eq!(tpp.payment_status(&server, &path).await, "RCVD");
    assert_eq!(server.send(&tpp.get(&sca)).await.json(), json!({"scaStatus": "unconfirmed"}));
    let (payer_had, payee_had) =
        (tpp.expected_balance(&server, iban).await, tpp.expected_balance(&server, creditor).await);
    for _ in 0..2 {
        let confirmed = tpp.confirm_payment_at(&server, &sca, token).await;
        assert_eq!((confirmed.status, &confirmed.json()["scaStatus"]), (200, &json!("finalised")));
    }
    assert_eq!(tpp.expected_balance(&server, iban).await, payer_had - 1250);
    assert_eq!(tpp.expected_balance(&server, creditor).await, payee_had + 1250);
    let status = server.send(&tpp.get(&format!("{path}/status"))).await.json();
    assert_eq!(status, json!({"transactionStatus": "ACSC", "fundsAvailable": true}));
    let read = server.send(&tpp.get(&path)).await.json();
    assert_eq!((text(&read["paymentId"]), text(&read["debtorAccount"]["iban"])), (id, iban));
    assert_eq!(read["debtorName"], payer["name"]);
    let links = json!({"self": format!("/nl{path}"), "status": format!("/nl{path}/status")});
    assert_eq!(read["_links"], links);
}

#[tokio::test]
async fn the_account_that_pays_can_be_named_and_then_only_its_holder_approves() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let mut body = euro_payment("1.00", creditor);
    body["debtorAccount"] = json!({"iban": iban});
    let asked = tpp.payment(&server, SEPA, &body).await;
    assert_eq!((&asked["debtorAccount"], asked.get("debtorName")), (&json!({"iban": iban}), None));
    let (path, sca) = (tpp.path_of(&asked["_links"]["self"]), tpp.path_of(&asked["_links"]["scaStatus"]));
    let read = server.send(&tpp.get(&path)).await.json();
    assert_eq!((&read["debtorAccount"], read.get("debtorName")), (&json!({"iban": iban}), None));

    let location = server.decide(&tpp.authorization_url(&asked), creditor, "approve").await;
    assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"), "{location}");
    assert!(parameter(&location, "error_description").unwrap().contains("does not hold"), "{location}");
    assert_eq!(server.send(&tpp.get(&sca)).await.json()["scaStatus"], "failed");
    assert_eq!(tpp.payment_status(&server, &path).await, "RCVD", "whoever is asked next can still approve");

    let begun = server.send(&tpp.redirecting("POST", &format!("{path}/authorisations"))).await;
    assert_eq!(begun.status, 201, "{}", begun.body);
    let begun = begun.json();
    let token = tpp.token_of(&server, &begun, iban).await;
    let confirmed =
        tpp.confirm_payment_at(&server, &tpp.path_of(&begun["_links"]["scaStatus"]), &token).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    assert_eq!(tpp.payment_status(&server, &path).await, "ACSC");
    let all = server.send(&tpp.get(&format!("{path}/authorisations"))).await.json();
    assert_eq!(all["authorisationIds"], json!([asked["authorisationId"], begun["authorisationId"]]));
    let none = server.send(&tpp.get(&format!("{path}/cancellation-authorisations"))).await.json();
    assert_eq!(none, json!({"authorisationIds": []}));
}

/// Whoever lost the answer asks once more with the same id, and the day that was asked for may be over by then.
#[tokio::test]
async fn the_same_request_after_midnight_is_the_same_payment() {
    let server = TestServer::start().await;
    server.at_ten("nl").await;
    let tpp = server.registered("nl", ID).await;
    let payee = server.customer("nl", "student").await;
    let mut once = euro_payment("1.00", text(&payee["iban"]));
    let mut weekly = once.clone();
    once["requestedExecutionDate"] = day(1).into();
    (weekly["startDate"], weekly["frequency"]) = (day(1).into(), "Weekly".into());
    let wishes = [(SEPA, once), ("periodic-payments/sepa-credit-transfers", weekly)];
    let requests = wishes.map(|(product, body)| (product, tpp.payment_request(product, &body), body));
    let mut first = Vec::new();
    for (product, request, _) in &requests {
        let answer = server.send(request).await;
        assert_eq!(answer.status, 201, "{product}: {}", answer.body);
        first.push(answer.body);
    }
    server.advance("nl", "PT20H").await;
    for ((product, request, body), first) in requests.iter().zip(&first) {
        let again = server.send(request).await;
        assert_eq!((again.status, &again.body), (201, first), "{product}");
        // Another request for that day is refused, and so is another one under the same id.
        let anew = server.send(&tpp.payment_request(product, body)).await;
        assert_eq!((anew.status, anew.error().0.as_str()), (400, "EXECUTION_DATE_INVALID"), "{}", anew.body);
        let mut other = body.clone();
        other["instructedAmount"]["amount"] = "2.00".into();
        let id = request.headers["x-request-id"].to_str().unwrap();
        let other = tpp.payment_request(product, &other).set("x-request-id", id);
        let other = server.send(&other.sign(&tpp.signer, "digest x-request-id")).await;
        assert_eq!((other.status, other.error().0.as_str()), (400, "FORMAT_ERROR"), "{}", other.body);
    }
}

#[tokio::test]
async fn a_customer_chooses_among_accounts_and_savings_do_not_pay() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let payee = server.customer("nl", "student").await;
    let payer = server.customer("nl", "saver").await;
    let of_kind = |code: &str| {
        let accounts = payer["accounts"].as_array().unwrap();
        let found = accounts.iter().find(|account| account["cashAccountType"] == code);
        text(&found.unwrap()["iban"]).to_owned()
    };
    let (current, savings) = (of_kind("CACC"), of_kind("SVGS"));
    let asked = tpp.payment(&server, SEPA, &euro_payment("1.00", text(&payee["iban"]))).await;
    let choice = |account: &str| json!({"url": tpp.authorization_url(&asked), "iban": current, "decision": "approve", "account": account});
    let (status, refused) = server.manage("POST", "/approvals", choice(&savings)).await;
    assert_eq!(status, 400, "{refused}");
    let (status, decided) = server.manage("POST", "/approvals", choice(&current)).await;
    assert_eq!(status, 200, "{decided}");
    assert!(parameter(text(&decided["location"]), "code").is_some(), "{decided}");
}

#[tokio::test]
async fn who_cancels_at_the_page_refuses_and_who_fails_there_can_be_asked_again() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    for (decision, error, words, status) in [
        ("reject", "consent_required", "was cancelled", "RJCT"),
        ("wrong-answer", "access_denied", "Log-in failed", "RCVD"),
        ("expire", "access_denied", "timed out", "RCVD"),
    ] {
        let asked = tpp.payment(&server, SEPA, &euro_payment("1.00", creditor)).await;
        let id = text(&asked["paymentId"]);
        let url = tpp.authorization_url(&asked);
        let location = server.decide(&url, iban, decision).await;
        assert_eq!(parameter(&location, "error").as_deref(), Some(error), "{location}");
        let description = parameter(&location, "error_description").unwrap();
        assert!(description.contains(words) && description.contains(id), "{location}");
        assert_eq!(parameter(&location, "state").as_deref(), Some("a state+"));
        let again = server.decide(&url, iban, "approve").await;
        assert_eq!(parameter(&again, "error").as_deref(), Some("invalid_request"));
        let expected = format!("No pending authorisations found for payment with uuid {id}");
        assert_eq!(parameter(&again, "error_description"), Some(expected));
        let path = tpp.path_of(&asked["_links"]["self"]);
        let sca = tpp.path_of(&asked["_links"]["scaStatus"]);
        assert_eq!(server.send(&tpp.get(&sca)).await.json(), json!({"scaStatus": "failed"}));
        assert_eq!(tpp.payment_status(&server, &path).await, status, "{decision}");
        let once_more = server.send(&tpp.redirecting("POST", &format!("{path}/authorisations"))).await;
        let expected = if status == "RJCT" { 400 } else { 201 };
        assert_eq!(once_more.status, expected, "{decision}: {}", once_more.body);
    }
}

#[tokio::test]
async fn a_joint_account_needs_each_of_its_holders_once() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "joint").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let (first, second) = (&payer["digipassNumber"], &payer["coHolders"][0]["digipassNumber"]);
    let approve = async |asked: &Value, device: &Value| {
        let approval = json!({
            "url": tpp.authorization_url(asked), "iban": iban, "decision": "approve", "digipassNumber": device
        });
        let (status, decided) = server.manage("POST", "/approvals", approval).await;
        assert_eq!(status, 200, "{decided}");
        text(&decided["location"]).to_owned()
    };
    let token_of = async |location: &str| {
        let code = parameter(location, "code").unwrap_or_else(|| panic!("{location}"));
        text(&tpp.redeem(&server, &code).await.json()["access_token"]).to_owned()
    };
    let had = tpp.expected_balance(&server, creditor).await;
    let asked = tpp.payment(&server, SEPA, &euro_payment("2.00", creditor)).await;
    let payment = testkit::ApprovedPayment {
        path: tpp.path_of(&asked["_links"]["self"]),
        authorisation: tpp.path_of(&asked["_links"]["scaStatus"]),
        access_token: token_of(&approve(&asked, first).await).await,
    };
    let confirmed = tpp.confirm_payment_at(&server, &payment.authorisation, &payment.access_token).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    assert_eq!(tpp.payment_status(&server, &payment.path).await, "PATC");
    let read = server.send(&tpp.get(&payment.path)).await.json();
    let start = text(&read["_links"]["startAuthorisation"]);
    assert_eq!(start, format!("/nl{}/authorisations", payment.path));

    let begin = async || {
        let begun = server.send(&tpp.redirecting("POST", &format!("{}/authorisations", payment.path))).await;
        assert_eq!(begun.status, 201, "{}", begun.body);
        begun.json()
    };
    let location = approve(&begin().await, first).await;
    assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"), "{location}");
    let description = parameter(&location, "error_description").unwrap();
    assert!(description.contains("another holder of the account has to approve it"), "{description}");
    assert_eq!(tpp.expected_balance(&server, creditor).await, had);

    let begun = begin().await;
    let token = token_of(&approve(&begun, second).await).await;
    let sca = tpp.path_of(&begun["_links"]["scaStatus"]);
    let confirmed = tpp.confirm_payment_at(&server, &sca, &token).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    assert_eq!(tpp.payment_status(&server, &payment.path).await, "ACSC");
    assert_eq!(tpp.expected_balance(&server, creditor).await, had + 200);
    // What was confirmed first is answered as before.
    let first = tpp.confirm_payment_at(&server, &payment.authorisation, &payment.access_token).await;
    assert_eq!((first.status, &first.json()["scaStatus"]), (200, &json!("finalised")));
}

#[tokio::test]
async fn one_customer_approves_once_also_in_two_browsers() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "joint").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let payment = tpp.approved_payment(&server, (SEPA, &euro_payment("2.00", creditor)), iban).await;
    let begun =
        server.send(&tpp.redirecting("POST", &format!("{}/authorisations", payment.path))).await.json();
    let token = tpp.token_of(&server, &begun, iban).await;
    let first = tpp.confirm_payment_at(&server, &payment.authorisation, &payment.access_token).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let sca = tpp.path_of(&begun["_links"]["scaStatus"]);
    let second = tpp.confirm_payment_at(&server, &sca, &token).await;
    assert_eq!((second.status, second.error().0.as_str()), (400, "STATUS_INVALID"), "{}", second.body);
    assert!(second.error().1.contains("approved the payment before"), "{}", second.body);
    assert_eq!(tpp.payment_status(&server, &payment.path).await, "PATC");
    if testkit::is_served() {
        // A bank behind a gateway knows nothing of what nobody has approved.
        return;
    }
    let managed = format!("/payments/{}", payment.path.rsplit('/').next().unwrap());
    let (status, body) = server.manage("GET", &managed, Value::Null).await;
    let said = "another holder of the account has to approve it, and the third party to confirm that";
    assert!(status == 409 && text(&body["message"]).contains(said), "{body}");
    assert_eq!(server.send(&tpp.redirecting("DELETE", &payment.path)).await.status, 200);
    let (status, body) = server.manage("GET", &managed, Value::Null).await;
    assert!(status == 409 && text(&body["message"]).contains("will not: it is cancelled"), "{body}");
}

#[tokio::test]
async fn what_the_bank_does_not_make_fails_for_good() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "student").await, server.customer("nl", "household").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let had = tpp.expected_balance(&server, iban).await;
    let too_much = euro_payment("90000.00", creditor);
    let payment = tpp.approved_payment(&server, (SEPA, &too_much), iban).await;
    for _ in 0..2 {
        let refused = tpp.confirm_payment_at(&server, &payment.authorisation, &payment.access_token).await;
        let (code, text) = refused.error();
        assert_eq!((refused.status, code.as_str()), (400, "PAYMENT_FAILED"), "{}", refused.body);
        assert!(text.contains("insufficient funds") && text.contains("AM04"), "{text}");
    }
    let status = server.send(&tpp.get(&format!("{}/status", payment.path))).await.json();
    assert_eq!(status["transactionStatus"], "RJCT");
    assert!(text(&status["psuMessage"]).contains("insufficient funds"), "{status}");
    let sca = server.send(&tpp.get(&payment.authorisation)).await.json();
    assert_eq!(sca, json!({"scaStatus": "finalised"}), "the customer did approve");
    assert_eq!(tpp.expected_balance(&server, iban).await, had);
}

#[tokio::test]
async fn what_nobody_approves_within_a_day_is_rejected() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let asked = tpp.payment(&server, SEPA, &euro_payment("1.00", creditor)).await;
    let approved = tpp.approved_payment(&server, (SEPA, &euro_payment("1.00", creditor)), iban).await;
    let path = tpp.path_of(&asked["_links"]["self"]);
    server.advance("nl", "PT23H").await;
    // An attempt that begins late ends with its payment.
    let late = server.send(&tpp.redirecting("POST", &format!("{path}/authorisations"))).await.json();
    assert_eq!(tpp.payment_status(&server, &path).await, "RCVD");
    server.advance("nl", "PT1H").await;
    for path in [&path, &approved.path] {
        let status = server.send(&tpp.get(&format!("{path}/status"))).await.json();
        assert_eq!(status["transactionStatus"], "RJCT");
        assert!(
            text(&status["psuMessage"]).contains("it was not approved and confirmed in time"),
            "{status}"
        );
    }
    let attempts = [
        tpp.path_of(&asked["_links"]["scaStatus"]),
        tpp.path_of(&late["_links"]["scaStatus"]),
        approved.authorisation,
    ];
    for sca in attempts {
        assert_eq!(server.send(&tpp.get(&sca)).await.json(), json!({"scaStatus": "failed"}), "{sca}");
    }
    let location = server.decide(&tpp.authorization_url(&late), iban, "approve").await;
    assert_eq!(parameter(&location, "error").as_deref(), Some("invalid_request"), "{location}");
}

#[tokio::test]
async fn the_third_party_can_begin_the_authorisation_itself() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let request = tpp
        .payment_request(SEPA, &euro_payment("1.00", creditor))
        .set("tpp-explicit-authorisation-preferred", "TRUE")
        .signed(&tpp.signer);
    let answers = [server.send(&request).await, server.send(&request).await];
    assert_eq!((answers[0].status, &answers[0].body), (201, &answers[1].body));
    let asked = answers[0].json();
    let path = tpp.path_of(&asked["_links"]["self"]);
    let links = json!({
        "self": format!("/nl{path}"), "status": format!("/nl{path}/status"),
        "startAuthorisation": format!("/nl{path}/authorisations"),
    });
    assert_eq!((&asked["_links"], asked.get("authorisationId")), (&links, None));
    let none = server.send(&tpp.get(&format!("{path}/authorisations"))).await.json();
    assert_eq!(none, json!({"authorisationIds": []}));
    let begun = server.send(&tpp.redirecting("POST", &format!("{path}/authorisations"))).await;
    assert_eq!((begun.status, &begun.json()["scaStatus"]), (201, &json!("received")));
    let token = tpp.token_of(&server, &begun.json(), iban).await;
    let sca = tpp.path_of(&begun.json()["_links"]["scaStatus"]);
    assert_eq!(tpp.confirm_payment_at(&server, &sca, &token).await.status, 200);
    assert_eq!(tpp.payment_status(&server, &path).await, "ACSC");
}

#[tokio::test]
async fn the_same_request_makes_one_payment_also_a_hundred_times_at_once_and_after_a_restart() {
    let (_guard, folder) = testkit::free_folder();
    let start = async || {
        TestServer::with(|config| config.data = vestibule::DataLocation::Folder(folder.clone())).await
    };
    let server = Arc::new(start().await);
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let had = tpp.expected_balance(&server, creditor).await;
    let request = tpp.payment_request(SEPA, &euro_payment("3.00", creditor));
    let all = at_once(&server, 100, &request).await;
    for answer in &all {
        assert_eq!((answer.status, &answer.body), (201, &all[0].body));
    }
    let asked = all[0].json();
    let token = tpp.token_of(&server, &asked, iban).await;
    let (path, sca) = (tpp.path_of(&asked["_links"]["self"]), tpp.path_of(&asked["_links"]["scaStatus"]));
    let confirm =
        tpp.request("PUT", &sca).set("authorization", format!("Bearer {token}")).signed(&tpp.signer);
    for confirmed in at_once(&server, 20, &confirm).await {
        assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    }
    assert_eq!(tpp.expected_balance(&server, creditor).await, had + 300);
    Arc::into_inner(server).unwrap().stop().await;

    let server = start().await;
    let again = server.send(&request).await;
    assert_eq!((again.status, &again.json()["paymentId"]), (201, &asked["paymentId"]));
    assert_eq!(again.json()["transactionStatus"], "RCVD", "as it was told before");
    assert_eq!(tpp.confirm_payment_at(&server, &sca, &token).await.status, 200);
    assert_eq!(tpp.payment_status(&server, &path).await, "ACSC");
    assert_eq!(tpp.expected_balance(&server, creditor).await, had + 300);
    let id = request.headers["x-request-id"].to_str().unwrap();
    let other = tpp.payment_request(SEPA, &euro_payment("4.00", creditor)).set("x-request-id", id);
    let refused = server.send(&other.signed(&tpp.signer)).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "FORMAT_ERROR"), "{}", refused.body);
    // Beginning an authorisation is remembered as well.
    let open = tpp.payment(&server, SEPA, &euro_payment("5.00", creditor)).await;
    let begin = tpp.redirecting("POST", &format!("{}/authorisations", tpp.path_of(&open["_links"]["self"])));
    let (one, two) = tokio::join!(server.send(&begin), server.send(&begin));
    assert_eq!((one.status, &one.body), (201, &two.body));
}

#[tokio::test]
async fn pounds_go_between_british_accounts() {
    let server = TestServer::start().await;
    let tpp = server.registered("uk", ID).await;
    let (payer, payee) = (server.customer("uk", "household").await, server.customer("uk", "household").await);
    let iban = text(&payer["iban"]);
    let creditor = text(&payee["iban"]);
    let digits = |iban: &str| (iban[8..14].to_owned(), iban[14..].to_owned());
    let (debtor_sort_code, debtor_number) = digits(iban);
    let (sort_code, number) = digits(creditor);
    let body = json!({
        "instructedAmount": {"currency": "GBP", "amount": "12.00"},
        "debtorAccount": {"ukSortCode": debtor_sort_code, "ukAccountNumber": debtor_number},
        "creditorAccount": {"ukSortCode": sort_code, "ukAccountNumber": number},
        "creditorName": "A. Payee",
    });
    let payment = tpp.submitted_payment(&server, ("payments/uk-domestic-transfers", &body), iban).await;
    assert_eq!(payment.path.split('/').nth(3), Some("uk-domestic-transfers"));
    let read = server.send(&tpp.get(&payment.path)).await.json();
    assert_eq!(read["debtorAccount"]["ukAccountNumber"], debtor_number);
    assert_eq!(tpp.payment_status(&server, &payment.path).await, "ACSP");
}
