//! The call sequences of three clients in the field, with their peculiarities, replayed call by call.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testkit::{Answer, Request, Signer, TestServer, VERIFIER, challenge, parameter};

use crate::ID;

const CALLBACK: &str = "https://tpp.example/callback";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn ok(server: &TestServer, request: &Request, status: u16) -> Value {
    let answer: Answer = server.send(request).await;
    assert_eq!(answer.status, status, "{} {}: {}", request.method, request.target, answer.body);
    assert!(answer.header("content-type").starts_with("application/json"));
    answer.json()
}

/// A number for each request id.
struct Ids(u32);

impl Ids {
    fn next(&mut self) -> String {
        self.0 += 1;
        format!("7a0d1f3e-0000-4000-8000-{:012}", self.0)
    }
}

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
        assert_eq!(ok(&server, &status, 200).await["transactionStatus"], "ACCC");
        let read = client.request("GET", &format!("{}{end}", link("self"))).signed(&client.signer);
        assert_eq!(ok(&server, &read, 200).await["debtorAccount"]["iban"], iban);
    }
    let tpp = server.registered("nl", "PSDNL-DNB-R111111").await;
    assert_eq!(tpp.expected_balance(&server, &creditor).await, had + 1250, "it paid once");
}

/// The second client: bare digests, at times empty, another name of the algorithm, and headers on every call.
struct Second {
    signer: Signer,
    ids: Ids,
}

impl Second {
    fn request(&mut self, method: &str, target: &str, body: &str) -> Request {
        let request = Request::new(method, &format!("/xs2a-bg{target}"))
            .set("X-Request-ID", self.ids.next())
            .set("tenant", "nl")
            .set("TPP-Redirect-Uri", CALLBACK)
            .certificate(&self.signer);
        let mut request = request.body("application/json", body).digest();
        // The digest without its prefix.
        let digest = request.headers["digest"].to_str().unwrap().split_once('=').unwrap().1.to_owned();
        request = request.set("digest", digest);
        request.sign_as(&self.signer, "digest x-request-id", "SHA256withRSA", "")
    }

    /// The digest header is there and empty, and is signed so.
    fn with_empty_digest(&self, request: Request) -> Request {
        request.set("digest", "").sign_as(&self.signer, "digest x-request-id", "SHA256withRSA", "")
    }

    fn read(&mut self, target: &str, token: &str, consent: &str) -> Request {
        self.request("GET", target, "")
            .set("Authorization", format!("Bearer {token}"))
            .set("Consent-ID", consent)
    }
}

#[tokio::test]
async fn the_second_client() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = text(&customer["iban"]);
    // The client id is computed from the certificate, never read from the registration.
    let client_id = tpp.signer.id();
    let basic = tpp.basic();
    let mut client = Second { signer: tpp.signer, ids: Ids(0) };
    let account = json!([{"iban": iban}]);
    let body = json!({
        "access": {"accounts": account, "balances": account, "transactions": account},
        "recurringIndicator": true, "validUntil": "2099-12-31", "frequencyPerDay": "4",
        "combinedServiceIndicator": "false",
    });
    let asked =
        client.request("POST", "/nl/v1/consents", &body.to_string()).set("PSU-IP-ADDRESS", "192.0.2.7");
    let asked = ok(&server, &asked, 201).await;
    let (id, authorisation) = (text(&asked["consentId"]), text(&asked["authorisationId"]));
    assert!(text(&asked["validUntil"]).as_str() < "2099-12-31", "the bank shortens");

    // It builds the URL itself. Its verifier is 58 characters of standard base64.
    let verifier = STANDARD.encode([0xfb_u8; 43])[..58].to_owned();
    let url = format!(
        "{}/auth/nl/v1/auth?response_type=code&client_id={client_id}&scope={}&redirect_uri={}&state=abc\
         &code_challenge={}&code_challenge_method=S256",
        server.url(),
        encode(&format!("openid offline_access AIS:{id}")),
        encode(CALLBACK),
        challenge(&verifier)
    );
    let location = server.decide(&url, &iban, "approve").await;
    let form = format!(
        "grant_type=client_credentials&code={}&redirect_uri={}&code_verifier={}",
        parameter(&location, "code").unwrap(),
        encode(CALLBACK),
        encode(&verifier)
    );
    let token_request =
        |form: &str| Request::new("POST", "/auth/nl/v1/token").set("authorization", &basic).form(form);
    let tokens = ok(&server, &token_request(&form), 200).await;
    let access = text(&tokens["access_token"]);
    let confirm = format!("/nl/v1/consents/{id}/authorisations/{authorisation}");
    let confirm = client.request("PUT", &confirm, "");
    let confirm = client.with_empty_digest(confirm);
    let confirm = confirm.set("Authorization", format!("Bearer {access}")).set("Consent-ID", &id);
    assert_eq!(server.send(&confirm).await.status, 200);

    let accounts = client.read("/nl/v1/accounts", &access, &id);
    let accounts = ok(&server, &accounts, 200).await;
    let links = accounts["accounts"][0]["_links"].clone();
    assert!(text(&links["balances"]).starts_with("/nl/"), "links are put behind the base and /xs2a-bg");
    let balances = client.read(&text(&links["balances"]), &access, &id);
    assert!(ok(&server, &balances, 200).await["balances"][0]["balanceAmount"]["amount"].is_string());
    let first = format!("{}?dateFrom=2000-10-10&bookingStatus=both", text(&links["transactions"]));
    let page = client.read(&first, &access, &id);
    let page = ok(&server, &page, 200).await;
    for transaction in page["transactions"]["booked"].as_array().unwrap() {
        let incoming = transaction.get("debtorAccount").is_some();
        assert_ne!(
            incoming,
            transaction.get("creditorAccount").is_some(),
            "one side is named: {transaction}"
        );
        assert!(!text(&transaction["transactionAmount"]["amount"]).starts_with('-'));
    }
    // The criteria are appended to the next link once more.
    let next = text(&page["transactions"]["_links"]["next"]);
    let next = client.read(&format!("{next}&bookingStatus=both&dateFrom=2000-10-10"), &access, &id);
    assert_eq!(ok(&server, &next, 200).await["transactions"]["booked"].as_array().unwrap().len(), 100);

    // Before each later run: the status, with a token that has expired.
    server.advance("nl", "PT11M").await;
    let status = client.read(&format!("/nl/v1/consents/{id}/status"), &access, &id);
    let status = client.with_empty_digest(status);
    assert_eq!(ok(&server, &status, 200).await["consentStatus"], "valid");
    let refresh = text(&tokens["refresh_token"]);
    let refresh = token_request(&format!("grant_type=refresh_token&refresh_token={refresh}"));
    assert_eq!(server.send(&refresh).await.status, 200);

    // What it recognises when the customer cancels, or when there is nothing to authorise.
    let asked =
        client.request("POST", "/nl/v1/consents", &body.to_string()).set("PSU-IP-ADDRESS", "192.0.2.7");
    let asked = ok(&server, &asked, 201).await;
    let url = url.replace(&id, &text(&asked["consentId"]));
    let cancelled = server.decide(&url, &iban, "reject").await;
    assert_eq!(parameter(&cancelled, "error").as_deref(), Some("consent_required"));
    assert!(parameter(&cancelled, "error_description").unwrap().to_lowercase().contains("cancelled"));
    let again = server.decide(&url, &iban, "approve").await;
    let said = parameter(&again, "error_description").unwrap().to_lowercase();
    assert!(said.contains("no pending authorisations found"), "{said}");
}

/// The second client pays: it builds the customer's URL itself, confirms and asks for the status with an empty digest, and
/// reads every refusal as JSON.
#[tokio::test]
async fn the_second_client_pays() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let (client_id, basic) = (tpp.signer.id(), tpp.basic());
    let mut client = Second { signer: tpp.signer, ids: Ids(0) };
    let body = json!({
        "instructedAmount": {"currency": "EUR", "amount": "3.00"}, "debtorAccount": {"iban": iban},
        "creditorAccount": {"iban": creditor}, "creditorName": "A. Payee",
    });
    let products = "/nl/v1/payments/sepa-credit-transfers";
    let ask = |client: &mut Second| {
        client.request("POST", products, &body.to_string()).set("PSU-IP-ADDRESS", "192.0.2.7")
    };
    let asked = ok(&server, &ask(&mut client), 201).await;
    let (id, authorisation) = (text(&asked["paymentId"]), text(&asked["authorisationId"]));
    let payment = format!("{products}/{id}");
    let status_of = async |client: &mut Second, token: &str| {
        let status = client.request("GET", &format!("{payment}/status"), "");
        let status = client.with_empty_digest(status).set("Authorization", format!("Bearer {token}"));
        text(&ok(&server, &status, 200).await["transactionStatus"])
    };
    let url_of = |id: &str| {
        format!(
            "{}/auth/nl/v1/auth?response_type=code&client_id={client_id}&scope={}&redirect_uri={}&state=abc\
             &code_challenge={}&code_challenge_method=S256",
            server.url(),
            encode(&format!("openid PIS:{id}")),
            encode(CALLBACK),
            challenge(VERIFIER)
        )
    };
    let location = server.decide(&url_of(&id), &iban, "approve").await;
    let form = format!(
        "grant_type=client_credentials&code={}&redirect_uri={}&code_verifier={VERIFIER}",
        parameter(&location, "code").unwrap(),
        encode(CALLBACK)
    );
    let tokens = Request::new("POST", "/auth/nl/v1/token").set("authorization", &basic).form(&form);
    let access = text(&ok(&server, &tokens, 200).await["access_token"]);
    assert_eq!(status_of(&mut client, &access).await, "RCVD", "pending, in its terms");
    let confirm = client.request("PUT", &format!("{payment}/authorisations/{authorisation}"), "");
    let confirm = client.with_empty_digest(confirm).set("Authorization", format!("Bearer {access}"));
    assert_eq!(server.send(&confirm).await.status, 200);
    assert_eq!(status_of(&mut client, &access).await, "ACCC", "paid, in its terms");
    // The token is over long before the last look.
    server.advance("nl", "PT11M").await;
    assert_eq!(status_of(&mut client, &access).await, "ACCC");
    let sca = client.request("GET", &format!("{payment}/authorisations/{authorisation}"), "");
    assert_eq!(ok(&server, &client.with_empty_digest(sca), 200).await["scaStatus"], "finalised");

    // What it recognises when the customer cancels, or when there is nothing to authorise.
    let cancelled = text(&ok(&server, &ask(&mut client), 201).await["paymentId"]);
    let location = server.decide(&url_of(&cancelled), &iban, "reject").await;
    assert_eq!(parameter(&location, "error").as_deref(), Some("consent_required"));
    assert!(parameter(&location, "error_description").unwrap().to_lowercase().contains("cancelled"));
    for done in [&id, &cancelled] {
        let location = server.decide(&url_of(done), &iban, "approve").await;
        assert_eq!(parameter(&location, "error").as_deref(), Some("invalid_request"));
        let said = parameter(&location, "error_description").unwrap().to_lowercase();
        assert!(said.contains("no pending authorisations found"), "{said}");
    }
    let rejected = client.request("GET", &format!("{products}/{cancelled}/status"), "");
    let rejected = ok(&server, &client.with_empty_digest(rejected), 200).await;
    assert_eq!(rejected["transactionStatus"], "RJCT");
    let wrong = client.request("POST", products, "{}").set("PSU-IP-ADDRESS", "192.0.2.7");
    let refused = ok(&server, &wrong, 400).await;
    assert_eq!(refused["tppMessages"][0]["code"], "FORMAT_ERROR");
}

/// The third client: signs every call, to the authorization server too, with the digest of a fixed word where
/// there is no body, and sends its certificate twice.
fn third(signer: &Signer, ids: &mut Ids, method: &str, target: &str) -> Request {
    let request = Request::new(method, target)
        .set("content-type", "application/json")
        .set("accept", "application/json")
        .set("x-request-id", ids.next())
        .set("digest", "SHA-256=uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=")
        .set("ssl-certificate", signer.header());
    request.certificate(signer).sign(signer, "digest x-request-id")
}

#[tokio::test]
async fn the_third_client() {
    let server = TestServer::start().await;
    let signer = server.tpp(ID).await;
    let mut ids = Ids(0);
    let onboarding = third(&signer, &mut ids, "GET", "/xs2a-bg/nl/onboarding/v1");
    let token = text(&ok(&server, &onboarding, 200).await["access_token"]);
    let registration = third(&signer, &mut ids, "POST", "/auth/nl/v1/registration")
        .set("authorization", format!("Bearer {token}"))
        .form(&format!(
            "redirect_uris={}&redirect_uris={}&sector_identifier_uri=",
            encode(CALLBACK),
            encode("http://example.com")
        ));
    let registered = ok(&server, &registration, 201).await;
    let configuration = third(&signer, &mut ids, "GET", "/auth/nl/.well-known/openid-configuration");
    assert!(ok(&server, &configuration, 200).await["issuer"].is_string());

    let body = json!({
        "access": {"accounts": [], "balances": [], "transactions": []}, "recurringIndicator": true,
        "validUntil": "9999-12-31", "frequencyPerDay": 4, "combinedServiceIndicator": false,
    });
    let asked = third(&signer, &mut ids, "POST", "/xs2a-bg/nl/v1/consents")
        .set("psu-ip-address", "192.0.2.7")
        .set("tpp-redirect-uri", CALLBACK)
        .body("application/json", body.to_string())
        .signed(&signer);
    let asked = ok(&server, &asked, 201).await;
    assert_eq!(asked["consentStatus"], "received");
    let id = text(&asked["consentId"]);

    // The challenge is padded standard base64.
    let padded = challenge(VERIFIER).replace('-', "+").replace('_', "/") + "=";
    let redirect = text(&asked["_links"]["scaRedirect"]);
    let url = format!("{redirect}&code_challenge={}&code_challenge_method=S256&state=x", encode(&padded));
    let target = url.strip_prefix(server.url()).unwrap();
    let page = server.send(&third(&signer, &mut ids, "GET", target)).await;
    assert_eq!(page.status, 302, "{}", page.body);
    assert!(page.header("location").contains("authorise.html"));

    let customer = server.customer("nl", "student").await;
    let location = server.decide(&url, &text(&customer["iban"]), "approve").await;
    let basic = STANDARD.encode(format!("{ID}:{}", text(&registered["client_secret"])));
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={VERIFIER}",
        parameter(&location, "code").unwrap(),
        encode(CALLBACK)
    );
    let tokens = third(&signer, &mut ids, "POST", "/auth/nl/v1/token")
        .set("authorization", format!("Basic {basic}"))
        .form(&form);
    let access = text(&ok(&server, &tokens, 200).await["access_token"]);
    let link = format!("/xs2a-bg{}", text(&asked["_links"]["confirmation"]));
    let confirm = third(&signer, &mut ids, "PUT", &link).set("authorization", format!("Bearer {access}"));
    assert_eq!(ok(&server, &confirm, 200).await["scaStatus"], "finalised");
    let status = third(&signer, &mut ids, "GET", &format!("/xs2a-bg/nl/v1/consents/{id}/status"));
    assert_eq!(ok(&server, &status, 200).await["consentStatus"], "valid");
    let mut read = |target: &str| {
        third(&signer, &mut ids, "GET", target)
            .set("authorization", format!("Bearer {access}"))
            .set("consent-id", &id)
    };
    let accounts = ok(&server, &read("/xs2a-bg/nl/v1/accounts"), 200).await;
    let resource = text(&accounts["accounts"][0]["resourceId"]);
    let balances = read(&format!("/xs2a-bg/nl/v1/accounts/{resource}/balances"));
    assert_eq!(ok(&server, &balances, 200).await["balances"].as_array().unwrap().len(), 2);
    let nowhere = server.send(&read("/xs2a-bg/nl/v1/nothing")).await;
    assert_eq!((nowhere.status, &nowhere.json()["tppMessages"][0]["text"]), (404, &json!("Not Found")));
    let iban = json!([{"iban": "NL00TRIO0320564487"}]);
    let wrong = json!({
        "access": {"accounts": iban, "balances": iban}, "recurringIndicator": true,
        "validUntil": "9999-12-31", "frequencyPerDay": 4, "combinedServiceIndicator": false,
    });
    let wrong = third(&signer, &mut ids, "POST", "/xs2a-bg/nl/v1/consents")
        .set("psu-ip-address", "192.0.2.7")
        .set("tpp-redirect-uri", CALLBACK)
        .body("application/json", wrong.to_string())
        .signed(&signer);
    let refused = server.send(&wrong).await;
    let (code, text) = refused.error();
    assert!(code == "FORMAT_ERROR" && text.starts_with("Invalid iban: NL00TRIO0320564487"), "{code} {text}");
}

/// The third client pays: initiates, reads details, status and the authorisation's status, confirms, and tries a payment
/// across borders. It signs a digest that is of no body.
#[tokio::test]
async fn the_third_client_pays() {
    let server = TestServer::start().await;
    let tpp = server.registered("nl", ID).await;
    let (payer, payee) = (server.customer("nl", "household").await, server.customer("nl", "student").await);
    let (iban, creditor) = (text(&payer["iban"]), text(&payee["iban"]));
    let basic = tpp.basic();
    let (signer, mut ids) = (tpp.signer, Ids(0));
    let mut initiate = |product: &str, body: &Value| {
        third(&signer, &mut ids, "POST", &format!("/xs2a-bg/nl/v1/payments/{product}"))
            .set("psu-ip-address", "192.0.2.7")
            .set("tpp-redirect-uri", CALLBACK)
            .body("application/json", body.to_string())
            .signed(&signer)
    };
    let body = json!({
        "instructedAmount": {"currency": "EUR", "amount": "2.10"}, "debtorAccount": {"iban": iban},
        "creditorAccount": {"iban": creditor}, "creditorName": "A. Payee", "requestedExecutionDate": testkit::day(0),
    });
    let asked = ok(&server, &initiate("sepa-credit-transfers", &body), 201).await;
    assert_eq!(asked["transactionStatus"], "RCVD");
    for member in ["paymentId", "authorisationId"] {
        assert!(!text(&asked[member]).is_empty(), "{member}");
    }
    let mut across = body.clone();
    across["instructedAmount"]["currency"] = "USD".into();
    let across = ok(&server, &initiate("cross-border-credit-transfers", &across), 501).await;
    assert!(text(&across["tppMessages"][0]["text"]).contains("not supported"), "{across}");
    let mut wrong = body.clone();
    wrong["creditorAccount"]["iban"] = "NL00TRIO0320564487".into();
    let refused = server.send(&initiate("sepa-credit-transfers", &wrong)).await;
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "FORMAT_ERROR"), "{}", refused.body);
    assert!(refused.error().1.contains("Invalid iban: NL00TRIO0320564487"), "{}", refused.body);

    let link = |name: &str| format!("/xs2a-bg{}", text(&asked["_links"][name]));
    let get = |ids: &mut Ids, name: &str| third(&signer, ids, "GET", &link(name));
    assert_eq!(ok(&server, &get(&mut ids, "self"), 200).await["paymentId"], asked["paymentId"]);
    assert_eq!(ok(&server, &get(&mut ids, "status"), 200).await["transactionStatus"], "RCVD");
    assert_eq!(ok(&server, &get(&mut ids, "scaStatus"), 200).await["scaStatus"], "received");
    // No id in the path.
    let nowhere = third(&signer, &mut ids, "GET", "/xs2a-bg/nl/v1/payments/sepa-credit-transfers//status");
    let nowhere = server.send(&nowhere).await;
    assert_eq!((nowhere.status, &nowhere.json()["tppMessages"][0]["text"]), (404, &json!("Not Found")));

    let padded = challenge(VERIFIER).replace('-', "+").replace('_', "/") + "=";
    let redirect = text(&asked["_links"]["scaRedirect"]);
    let url = format!("{redirect}&code_challenge={}&code_challenge_method=S256&state=x", encode(&padded));
    let page = third(&signer, &mut ids, "GET", url.strip_prefix(server.url()).unwrap());
    // Opened twice: the authorisation is still there for whoever opens it.
    for _ in 0..2 {
        let page = server.send(&page).await;
        assert_eq!(page.status, 302, "{}", page.body);
        assert!(page.header("location").contains("authorise.html"));
    }
    let location = server.decide(&url, &iban, "approve").await;
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={VERIFIER}",
        parameter(&location, "code").unwrap(),
        encode(CALLBACK)
    );
    let tokens =
        third(&signer, &mut ids, "POST", "/auth/nl/v1/token").set("authorization", &basic).form(&form);
    let access = text(&ok(&server, &tokens, 200).await["access_token"]);
    assert_eq!(ok(&server, &get(&mut ids, "scaStatus"), 200).await["scaStatus"], "unconfirmed");
    let confirm = third(&signer, &mut ids, "PUT", &link("confirmation"));
    let confirm = confirm.set("authorization", format!("Bearer {access}"));
    assert_eq!(ok(&server, &confirm, 200).await["scaStatus"], "finalised");
    assert_eq!(ok(&server, &get(&mut ids, "status"), 200).await["transactionStatus"], "ACCC");
    assert_eq!(ok(&server, &get(&mut ids, "self"), 200).await["debtorAccount"]["iban"], iban);
    // The redirect has been used.
    let again = server.decide(&url, &iban, "approve").await;
    assert_eq!(parameter(&again, "error").as_deref(), Some("invalid_request"));
}
