//! The first client.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testkit::{Request, Signer, TestServer, VERIFIER, challenge, parameter};

use super::{CALLBACK, Ids, encode, ok, text};
use crate::ID;

/// The first client: tenant in its base URL, lower-case names, no SSL-Certificate, links followed as they are.
struct First<'a> {
    server: &'a TestServer,
    signer: Signer,
    ids: Ids,
}

impl First<'_> {
    fn request(&mut self, method: &str, target: &str) -> Request {
        Request::new(method, target).set("x-request-id", self.ids.next()).set("accept", "application/json")
    }

    async fn get(&mut self, target: &str, token: &str, consent: &str) -> Value {
        let request = self
            .request("GET", target)
            .set("authorization", format!("Bearer {token}"))
            .set("consent-id", consent)
            .signed(&self.signer);
        ok(self.server, &request, 200).await
    }
}

#[tokio::test]
async fn the_first_client() {
    let server = TestServer::start().await;
    let signer = server.tpp(ID).await;
    let mut client = First { server: &server, signer, ids: Ids(0) };
    let onboarding = client.request("GET", "/xs2a-bg/nl/onboarding/v1").signed(&client.signer);
    let token = ok(&server, &onboarding, 200).await;
    let link = text(&token["_links"]["registration"]);
    let target = link.strip_prefix(server.interface_url()).unwrap();
    let access = text(&token["access_token"]);
    // Digest and signature are those of an empty body, the body is a form.
    let form = format!(
        "initial_access_token={access}&redirect_uris={}&redirect_uris={}&sector_identifier_uri=",
        encode(CALLBACK),
        encode("https://tpp.example/second")
    );
    let registration = client.request("POST", target).signed(&client.signer).form(&form);
    let registration = registration.set("authorization", format!("Bearer {access}"));
    let registered = ok(&server, &registration, 201).await;
    let basic =
        STANDARD.encode(format!("{}:{}", text(&registered["client_id"]), text(&registered["client_secret"])));

    let (_, clock) = server.manage("GET", "/clock", Value::Null).await;
    let today: jiff::Timestamp = text(&clock["clocks"][0]["now"]).parse().unwrap();
    let until = (today + jiff::SignedDuration::from_hours(89 * 24)).to_string()[..10].to_owned();
    let consent = json!({
        "access": {"accounts": [], "balances": [], "transactions": []}, "recurringIndicator": true,
        "validUntil": until, "frequencyPerDay": 4, "combinedServiceIndicator": false,
    });
    let asked = client
        .request("POST", "/xs2a-bg/nl/v1/consents")
        .set("tpp-redirect-uri", CALLBACK)
        .set("psu-ip-address", "192.0.2.7")
        .body("application/json", consent.to_string())
        .signed(&client.signer);
    let asked = ok(&server, &asked, 201).await;
    let (id, authorisation) = (text(&asked["consentId"]), text(&asked["authorisationId"]));
    assert_eq!(asked["validUntil"], until);

    // State is the last parameter; what is appended comes right after what the bank wrote.
    let customer = server.customer("nl", "busy").await;
    let redirect = text(&asked["_links"]["scaRedirect"]);
    let url =
        format!("{redirect}&code_challenge={}&code_challenge_method=S256&state=s-1", challenge(VERIFIER));
    let location = server.decide(&url, &text(&customer["iban"]), "approve").await;
    assert_eq!(parameter(&location, "state").as_deref(), Some("s-1"));
    let status =
        client.request("GET", &format!("/xs2a-bg/nl/v1/consents/{id}/status")).signed(&client.signer);
    assert_eq!(ok(&server, &status, 200).await["consentStatus"], "received");
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={VERIFIER}",
        parameter(&location, "code").unwrap(),
        encode(CALLBACK)
    );
    let token_request = |form: &str| {
        Request::new("POST", "/auth/nl/v1/token").set("authorization", format!("Basic {basic}")).form(form)
    };
    let tokens = ok(&server, &token_request(&form), 200).await;
    let (access, refresh) = (text(&tokens["access_token"]), text(&tokens["refresh_token"]));
    assert!(!refresh.is_empty() && tokens["expires_in"].is_i64());
    let confirm = client
        .request("PUT", &format!("/xs2a-bg/nl/v1/consents/{id}/authorisations/{authorisation}"))
        .set("authorization", format!("Bearer {access}"))
        .signed(&client.signer);
    assert_eq!(ok(&server, &confirm, 200).await["scaStatus"], "finalised");

    let accounts = client.get("/xs2a-bg/nl/v1/accounts", &access, &id).await;
    let account = &accounts["accounts"][0];
    for member in ["resourceId", "iban", "currency", "name"] {
        assert!(!text(&account[member]).is_empty(), "{member}");
    }
    let balances = format!("/xs2a-bg{}", text(&account["_links"]["balances"]));
    assert!(client.get(&balances, &access, &id).await["balances"][0]["balanceAmount"]["amount"].is_string());
    let transactions = text(&account["_links"]["transactions"]);
    let mut page = format!("/xs2a-bg{transactions}?bookingStatus=both&dateFrom=2020-01-01").to_owned();
    let (mut count, mut pages) = (0, 0);
    loop {
        let read = client.get(&page, &access, &id).await;
        count += read["transactions"]["booked"].as_array().unwrap().len();
        assert!(read["transactions"]["pending"].is_array());
        pages += 1;
        let Some(next) = read["transactions"]["_links"]["next"].as_str() else { break };
        // The link is URL-decoded, its tenant taken off and put back by the base URL.
        let decoded = form_urlencoded::parse(format!("x={next}").as_bytes()).next().unwrap().1.into_owned();
        page = format!("/xs2a-bg/nl{}", decoded.strip_prefix("/nl").unwrap());
    }
    assert_eq!((count, pages), (1200, 12));
    let renewed =
        ok(&server, &token_request(&format!("grant_type=refresh_token&refresh_token={refresh}")), 200).await;
    assert!(!text(&renewed["access_token"]).is_empty() && !text(&renewed["refresh_token"]).is_empty());
}

/// The first client pays as it reads accounts: lower-case names, links as they are, the customer's address only where it is
/// known. The bank's own examples have a slash at the end.
#[tokio::test]
async fn the_first_client_pays() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let had = tpp.expected_balance(&server, &creditor).await;
    let basic = tpp.basic();
    let mut client = First { server: &server, signer: tpp.signer, ids: Ids(0) };
    let body = json!({
        "instructedAmount": {"currency": "EUR", "amount": 12.5}, "creditorAccount": {"iban": creditor},
        "creditorName": "A. Payee", "remittanceInformationUnstructured": "Invoice 7", "endToEndIdentification": "E-7",
        "creditorAddress": {"streetName": "Street", "buildingNumber": "1", "townName": "Zeist", "postcode": "3700 AA", "country": "NL"},
        "somethingOfItsOwn": {"unknown": [1, 2]},
    });
    let request = client
        .request("POST", "/xs2a-bg/nl/v1/payments/sepa-credit-transfers/")
        .set("tpp-redirect-uri", CALLBACK)
        .set("psu-ip-address", "192.0.2.7")
        .body("application/json", body.to_string())
        .signed(&client.signer);
    let asked = ok(&server, &request, 201).await;
    // A connection that timed out is tried again with the same headers and body.
    assert_eq!(ok(&server, &request, 201).await, asked);
    assert_eq!(asked["transactionStatus"], "RCVD");

    let redirect = text(&asked["_links"]["scaRedirect"]);
    let url =
        format!("{redirect}&code_challenge={}&code_challenge_method=S256&state=s-2", challenge(VERIFIER));
    let location = server.decide(&url, &iban, "approve").await;
    assert_eq!(parameter(&location, "state").as_deref(), Some("s-2"));
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={VERIFIER}",
        parameter(&location, "code").unwrap(),
        encode(CALLBACK)
    );
    let token = Request::new("POST", "/auth/nl/v1/token").set("authorization", &basic).form(&form);
    let token = text(&ok(&server, &token, 200).await["access_token"]);
    let link = |name: &str| format!("/xs2a-bg{}", text(&asked["_links"][name]));
    let confirm = client
        .request("PUT", &link("confirmation"))
        .set("authorization", format!("Bearer {token}"))
        .signed(&client.signer);
    assert_eq!(ok(&server, &confirm, 200).await["scaStatus"], "finalised");
    for end in ["", "/"] {
        let status = client.request("GET", &format!("{}{end}", link("status"))).signed(&client.signer);
        assert_eq!(ok(&server, &status, 200).await["transactionStatus"], "ACSC");
        let read = client.request("GET", &format!("{}{end}", link("self"))).signed(&client.signer);
        assert_eq!(ok(&server, &read, 200).await["debtorAccount"]["iban"], iban);
    }
    let tpp = server.registered("nl", "PSDNL-DNB-R111111").await;
    assert_eq!(tpp.expected_balance(&server, &creditor).await, had + 1250, "it paid once");
}
