//! Accounts, balances, payments page by page, events, statements: what an AISP reads.

use serde_json::{Value, json};
use testkit::TestServer;
use testkit::bunq::{BunqClient, cents};

async fn connected(server: &TestServer, persona: &str, name: &str) -> (BunqClient, Value) {
    let customer = server.customer("nl", persona).await;
    let provider = BunqClient::provider(server, name).await;
    (provider.connect(server, &customer).await, customer)
}

fn ids(payments: &[Value]) -> Vec<i64> {
    payments.iter().map(|payment| payment["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_third_party_sees_less_than_the_customer() {
    let server = TestServer::start().await;
    let (client, customer) = connected(&server, "household", "Reader AISP").await;
    let own = BunqClient::customer(&server, &customer).await;
    let account = own.account().await;
    let seen = client.list(&format!("/user/{}/monetary-account-bank", client.user)).await.remove(0);
    let full = own.list(&format!("/user/{}/monetary-account-bank", own.user)).await.remove(0);
    assert_eq!(
        (&seen["id"], &seen["balance"], &seen["alias"]),
        (&full["id"], &full["balance"], &full["alias"])
    );
    assert_eq!(full["alias"][0]["value"], customer["iban"]);
    for hidden in ["country", "display_name", "public_uuid", "timezone", "user_id"] {
        assert!(seen[hidden].is_null() && !full[hidden].is_null(), "{hidden}");
    }
    for amount in ["daily_limit", "overdraft_limit"] {
        assert_eq!(seen[amount], json!({"value": null, "currency": null}), "{amount}");
        assert!(full[amount]["value"].is_string(), "{amount}");
    }
    let payment = client.list(&client.below(account, "/payment?count=1")).await.remove(0);
    let in_full = own.list(&own.below(account, "/payment?count=1")).await.remove(0);
    assert!(payment["balance_after_mutation"]["value"].is_null());
    assert_eq!(in_full["balance_after_mutation"], full["balance"], "the newest payment left what there is");
    for never in ["payment_suspended_outgoing", "payment_fee"] {
        assert!(payment.get(never).is_none(), "{never} breaks clients even if it is null");
    }
    assert!(payment["alias"].is_object() && payment["counterparty_alias"].is_object());
}

#[tokio::test]
async fn a_role_without_account_information_sees_numbers_and_names_alone() {
    let server = TestServer::start().await;
    let (client, customer) = connected(&server, "household", "Payer PISP").await;
    let account = client.list(&format!("/user/{}/monetary-account-bank", client.user)).await.remove(0);
    assert_eq!(account["alias"][0]["value"], customer["iban"]);
    assert_eq!(account["balance"], json!({"value": null, "currency": null}));
    let id = account["id"].as_i64().unwrap();
    for path in ["/payment", "/payment/1", "/customer-statement"] {
        let answer = client.get(&client.below(id, path)).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.body.contains("AISP"), "{}", answer.body);
    }
}

#[tokio::test]
async fn accounts_have_types_with_lists_of_their_own() {
    let server = TestServer::start().await;
    let joint = server.customer("nl", "joint").await;
    let own = BunqClient::customer(&server, &joint).await;
    let user = own.user;
    let all = own.get(&format!("/user/{user}/monetary-account")).await.json();
    let kinds: Vec<_> = all["Response"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_object().unwrap().keys().next().unwrap().clone())
        .collect();
    assert_eq!(kinds, ["MonetaryAccountJoint", "MonetaryAccountSavings"]);
    assert_eq!(all["Pagination"], json!({"future_url": null, "newer_url": null, "older_url": null}));
    let account = own.list(&format!("/user/{user}/monetary-account-joint")).await.remove(0);
    let owners = account["all_co_owner"].as_array().unwrap();
    let mut names: Vec<_> =
        owners.iter().map(|owner| owner["alias"]["display_name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["M. Bakker", "P. Visser"]);
    for (kind, count) in [("bank", 0), ("savings", 1), ("external", 0), ("external-savings", 0), ("card", 0)]
    {
        let listed = own.list(&format!("/user/{user}/monetary-account-{kind}")).await;
        assert_eq!(listed.len(), count, "{kind}");
    }
    let wrong = format!("/user/{user}/monetary-account-savings/{}", account["id"]);
    assert_eq!(own.get(&wrong).await.status, 404);
    // The other holder comes in with a key of their own and sees the same.
    let listed = server.manage("GET", "/test-accounts", json!(null)).await.1;
    let other = listed["testAccounts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "P. Visser")
        .unwrap()
        .clone();
    let other = BunqClient::customer(&server, &other).await;
    assert_ne!(other.user, user);
    assert_eq!(
        other.list(&format!("/user/{}/monetary-account-joint", other.user)).await[0]["id"],
        account["id"]
    );
}

#[tokio::test]
async fn payments_come_page_by_page_in_three_directions() {
    let server = TestServer::start().await;
    let (client, _) = connected(&server, "busy", "Pages AISP").await;
    let account = client.account().await;
    let path = client.below(account, "/payment");
    // All of them, following the links as clients do.
    let mut all: Vec<Value> = Vec::new();
    let mut next = Some(format!("{path}?count=200"));
    let mut pages = 0;
    while let Some(url) = next {
        let answer = client.get(&url).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let json = answer.json();
        let page: Vec<_> =
            json["Response"].as_array().unwrap().iter().map(|one| one["Payment"].clone()).collect();
        all.extend(page);
        let links = &json["Pagination"];
        assert_eq!(links["future_url"].is_null(), pages > 0);
        assert_eq!(links["newer_url"].is_null(), pages == 0);
        next = links["older_url"].as_str().map(|url| url.strip_prefix("/v1").unwrap().to_owned());
        pages += 1;
    }
    assert!(all.len() >= 1200 && pages >= 6, "{} in {pages}", all.len());
    let numbers = ids(&all);
    assert!(numbers.windows(2).all(|pair| pair[0] > pair[1]), "newest first, each once");
    assert!(all.windows(2).all(|pair| pair[0]["created"].as_str() >= pair[1]["created"].as_str()));
    // Older, then newer, reproduces the first page; and newer means immediately newer.
    let first = client.list(&format!("{path}?count=3")).await;
    let older = client.list(&format!("{path}?count=3&older_id={}", numbers[2])).await;
    assert_eq!(ids(&older), numbers[3..6]);
    let again = client.list(&format!("{path}?count=3&newer_id={}", numbers[3])).await;
    assert_eq!(ids(&again), ids(&first));
    let middle = client.list(&format!("{path}?count=3&newer_id={}", numbers[600])).await;
    assert_eq!(ids(&middle), numbers[597..600]);
    assert!(client.list(&format!("{path}?newer_id={}", numbers[0])).await.is_empty());
    assert!(client.list(&format!("{path}?older_id={}", numbers[numbers.len() - 1])).await.is_empty());
    assert_eq!(client.list(&path).await.len(), 10, "ten unless asked otherwise");
    // One by one.
    let one = client.list(&format!("{path}/{}", numbers[700])).await;
    assert_eq!(one[0], all[700]);
}

#[tokio::test]
async fn the_balance_is_the_sum_of_all_payments() {
    let server = TestServer::start().await;
    for persona in ["household", "student", "overdrawn"] {
        let customer = server.customer("nl", persona).await;
        let own = BunqClient::customer(&server, &customer).await;
        let account = own.account().await;
        let (mut sum, mut older) = (0, String::new());
        loop {
            let page = own.list(&own.below(account, &format!("/payment?count=200{older}"))).await;
            let Some(last) = page.last() else { break };
            older = format!("&older_id={}", last["id"]);
            sum += page.iter().map(|one| cents(one["amount"]["value"].as_str().unwrap())).sum::<i64>();
        }
        assert_eq!(own.balance(account).await, sum, "{persona}");
    }
}

#[tokio::test]
async fn time_goes_on_and_numbers_stay() {
    let server = TestServer::start().await;
    let (client, _) = connected(&server, "household", "Time AISP").await;
    let account = client.account().await;
    let path = client.below(account, "/payment?count=200");
    let before = ids(&client.list(&path).await);
    server.advance("nl", "P30D").await;
    let after = ids(&client.list(&path).await);
    let new = after.iter().position(|id| *id == before[0]).unwrap();
    assert!(new > 5, "a month has payments: {new}");
    assert_eq!(after[new..], before[..before.len() - new]);
}

#[tokio::test]
async fn events_are_payments_of_all_accounts() {
    let server = TestServer::start().await;
    let (client, _) = connected(&server, "household", "Events AISP").await;
    let account = client.account().await;
    let path = format!("/user/{}/event", client.user);
    let events = client.list(&format!("{path}?count=200")).await;
    assert_eq!(events.len(), 200);
    assert!(events.windows(2).all(|pair| pair[0]["created"].as_str() >= pair[1]["created"].as_str()));
    let text = account.to_string();
    assert!(events.iter().any(|event| event["monetary_account_id"] != text.as_str()));
    assert!(events.iter().all(|event| event["object"]["Payment"].is_object()));
    let filtered = client.list(&format!("{path}?count=50&monetary_account_id={account}")).await;
    assert!(filtered.iter().all(|event| event["monetary_account_id"] == text.as_str()));
    let older = client.list(&format!("{path}?count=5&older_id={}", events[4]["id"])).await;
    assert_eq!(ids(&older), ids(&events[5..10]));
    let newer = client.list(&format!("{path}?count=5&newer_id={}", events[5]["id"])).await;
    assert_eq!(ids(&newer), ids(&events[..5]));
    assert_eq!(client.list(&format!("{path}/{}", events[3]["id"])).await[0], events[3]);
    assert!(client.list(&format!("/user/{}/card", client.user)).await.is_empty());
}

#[tokio::test]
async fn statements_are_files_in_three_formats() {
    let server = TestServer::start().await;
    let (client, customer) = connected(&server, "household", "Files AISP").await;
    let account = client.account().await;
    let path = client.below(account, "/customer-statement");
    let payments = client.list(&client.below(account, "/payment?count=100")).await;
    let newest = &payments[0];
    let day = |payment: &Value| payment["created"].as_str().unwrap()[..10].to_owned();
    let today = &day(newest);
    // What was made late today in this time is of tomorrow in the bank's.
    let before = payments.iter().find(|payment| day(payment) < *today).unwrap();
    // Five years at most.
    let refused = client.post(&path, &json!({"statement_format": "CSV", "regional_format": "UK_US", "date_start": "2000-01-01", "date_end": today})).await;
    assert_eq!(refused.status, 400);
    for (format, regional, kind, beginning) in [
        ("CSV", Some("EUROPEAN"), "text/csv", "\"Date\";\"Interest Date\";"),
        ("CSV", Some("UK_US"), "text/csv", "\"Date\",\"Interest Date\","),
        ("MT940", None, "text/plain", ":20:"),
        ("PDF", None, "application/pdf", "%PDF-1.4"),
    ] {
        let body = json!({"statement_format": format, "regional_format": regional,
            "date_start": format!("{}-{}", today[..4].parse::<i32>().unwrap() - 1, &today[5..]), "date_end": today});
        let id = client.make(&path, &body).await;
        let answer = client.get(&format!("{path}/{id}/content")).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind));
        assert!(answer.body.starts_with(beginning), "{}", &answer.body[..40]);
        let iban = customer["iban"].as_str().unwrap();
        if format != "PDF" {
            assert!(answer.body.contains(iban));
            let name = before["counterparty_alias"]["display_name"].as_str().unwrap();
            let first = name.split(' ').next().unwrap();
            assert!(answer.body.contains(first), "{first}: {}", answer.body);
        }
        let deleted = client.send(&client.request("DELETE", &format!("{path}/{id}"), None)).await;
        assert_eq!(deleted.status, 200);
        assert_eq!(client.get(&format!("{path}/{id}")).await.status, 404);
    }
    let event = client.below(account, &format!("/event/{}/statement", newest["id"]));
    let id = client.make(&event, &json!({})).await;
    assert_eq!(client.list(&format!("{event}/{id}")).await[0]["status"], "COMPLETED");
    let file = client.get(&format!("{event}/{id}/content")).await;
    assert!(file.body.starts_with("%PDF-1.4") && file.body.ends_with("%%EOF\n"));
}

/// The rows of a statement in CSV, without the headings, fields without their quotes.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let fields = |line: &str| line[1..line.len() - 1].split("\",\"").map(str::to_owned).collect();
    csv.split("\r\n").skip(1).map(fields).collect()
}

#[tokio::test]
async fn every_file_has_the_names_that_the_list_of_payments_shows() {
    let server = TestServer::start().await;
    let provider = BunqClient::provider(&server, "Names AISP").await;
    // On the 26th money is put aside: for two days that is what happened last.
    for now in
        ["2027-01-26T09:00:00Z", "2027-01-27T09:00:00Z", "2027-12-31T22:58:00Z", "2028-02-29T12:00:00Z"]
    {
        let (status, _) = server.manage("PUT", "/clock", json!({"tenant": "nl", "now": now})).await;
        assert_eq!(status, 200);
        let customer = server.customer("nl", "household").await;
        let provider = provider.clone().session(&provider.key).await;
        let client = provider.connect(&server, &customer).await;
        let account = client.account().await;
        let payments = client.list(&client.below(account, "/payment?count=60")).await;
        // Moments are in UTC, days begin up to two hours earlier here.
        let day = |payment: &Value| {
            let moment: jiff::civil::DateTime = payment["created"].as_str().unwrap().parse().unwrap();
            moment.checked_add(jiff::SignedDuration::from_hours(2)).unwrap().date().to_string()
        };
        let (from, to) = (day(&payments[50]), day(&payments[0]));
        let names: Vec<_> = payments
            .iter()
            .rev()
            .filter(|payment| day(payment) >= from)
            .map(|payment| payment["counterparty_alias"]["display_name"].as_str().unwrap().to_owned())
            .collect();
        assert!(names.len() > 50 && !names.contains(&"Unknown".to_owned()), "{now}: {names:?}");
        let path = client.below(account, "/customer-statement");
        let mut files = Vec::new();
        for format in ["CSV", "MT940", "PDF"] {
            let body = json!({"statement_format": format, "regional_format": "UK_US", "date_start": from, "date_end": to});
            let id = client.make(&path, &body).await;
            files.push(client.get(&format!("{path}/{id}/content")).await.body);
        }
        let rows = rows(&files[0]);
        let in_file: Vec<_> = rows.iter().map(|row| row[5].clone()).collect();
        assert_eq!(in_file, names, "{now}");
        let blocks: Vec<_> = files[1].split(":61:").skip(1).collect();
        assert_eq!(blocks.len(), names.len());
        for (block, name) in blocks.iter().zip(&names) {
            assert!(block.contains(name.as_str()), "{now} {name}: {block}");
        }
        for name in names.iter().filter(|name| name.is_ascii()) {
            assert!(files[2].contains(name.as_str()), "{now} {name}");
        }
        // What was there before and after, and what moved in between, add up.
        let moved: i64 = rows.iter().map(|row| cents(&row[2])).sum();
        let balance = |tag: &str| {
            let line = files[1].split("\r\n").find_map(|line| line.strip_prefix(tag)).unwrap();
            let amount: i64 = line[10..].replace(',', "").parse().unwrap();
            if line.starts_with('D') { -amount } else { amount }
        };
        assert_eq!(balance(":60F:") + moved, balance(":62F:"), "{now}");
    }
}

#[tokio::test]
async fn lists_come_page_by_page_without_what_is_not_seen() {
    let server = TestServer::start().await;
    let customer = server.customer("nl", "household").await;
    let mut third_parties = Vec::new();
    for name in ["One AISP PISP", "Two AISP PISP"] {
        third_parties.push(BunqClient::provider(&server, name).await.connect(&server, &customer).await);
    }
    let account = third_parties[0].account().await;
    let body = json!({"number_of_required_accepts": 1, "entries": [
        {"amount": testkit::bunq::euro("1.00"), "counterparty_alias": testkit::bunq::shop(), "description": "x"}]});
    let mut made = Vec::new();
    for _ in 0..5 {
        for client in &third_parties {
            made.push(client.make(&client.below(account, "/draft-payment"), &body).await);
        }
    }
    let client = &third_parties[0];
    let own: Vec<i64> = made.iter().step_by(2).rev().copied().collect();
    let list = client.below(account, "/draft-payment");
    let read = |answer: &testkit::Answer| {
        let json = answer.json();
        let elements = json["Response"].as_array().unwrap();
        let ids: Vec<i64> = elements.iter().map(|one| one["DraftPayment"]["id"].as_i64().unwrap()).collect();
        (ids, json["Pagination"].clone())
    };
    let (first, links) = read(&client.get(&format!("{list}?count=2")).await);
    assert_eq!(first, own[..2]);
    let older = links["older_url"].as_str().unwrap().strip_prefix("/v1").unwrap().to_owned();
    let (second, links) = read(&client.get(&older).await);
    assert_eq!(second, own[2..4]);
    let newer = links["newer_url"].as_str().unwrap().strip_prefix("/v1").unwrap().to_owned();
    assert_eq!(read(&client.get(&newer).await).0, own[..2]);
    let older = links["older_url"].as_str().unwrap().strip_prefix("/v1").unwrap().to_owned();
    let (last, links) = read(&client.get(&older).await);
    assert_eq!((last, links["older_url"].as_str()), (own[4..].to_vec(), None));
    let (oldest, _) = read(&client.get(&format!("{list}?count=2&newer_id={}", own[4])).await);
    assert_eq!(oldest, own[2..4]);
}
