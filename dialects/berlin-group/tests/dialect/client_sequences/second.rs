//! The second client.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use testkit::{Request, Signer, TestServer, VERIFIER, challenge, parameter};

use super::{CALLBACK, Ids, encode, ok, text};
use crate::ID;

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
    assert_eq!(status_of(&mut client, &access).await, "ACSC", "paid, in its terms");
    // The token is over long before the last look.
    server.advance("nl", "PT11M").await;
    assert_eq!(status_of(&mut client, &access).await, "ACSC");
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
