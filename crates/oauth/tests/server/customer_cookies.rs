//! Several banks and branches in one browser, whose cookies know no ports: none of them ends what is open at another.

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::{Answer, Request, TestServer, detailed};

use crate::ID;
use crate::pages::value;

const PAGE: &str = "/auth/internalonly/authorise.html";

/// A browser whose banks are all on one host: cookies are kept by name and path, and sent to every port of it.
#[derive(Default)]
struct Jar(BTreeMap<(String, String), String>);

impl Jar {
    fn keep(&mut self, answer: &Answer) {
        let set = answer.header("set-cookie");
        let Some((name, rest)) = set.split_once('=') else { return };
        let value = rest.split(';').next().unwrap();
        let path = rest.split_once("Path=").unwrap().1.split(';').next().unwrap();
        let place = (name.to_owned(), path.to_owned());
        if set.contains("Max-Age=0") {
            self.0.remove(&place);
        } else {
            self.0.insert(place, value.to_owned());
        }
    }

    fn sent(&self, path: &str) -> String {
        let fits = |known: &str| {
            path.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        };
        let sent = self.0.iter().filter(|((_, known), _)| fits(known) || known == "/");
        sent.map(|((name, _), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    async fn send(&mut self, server: &TestServer, request: Request, path: &str) -> Answer {
        let request = request.set("accept", "text/html").set("cookie", self.sent(path));
        let answer = server.send(&request).await;
        self.keep(&answer);
        answer
    }

    async fn get(&mut self, server: &TestServer, path: &str) -> Answer {
        self.send(server, Request::new("GET", path), path).await
    }

    async fn post(&mut self, server: &TestServer, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(server, path).await.body;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", &value(&page, "csrf")).extend_pairs(fields);
        if page.contains("name=\"challenge\"") {
            form.append_pair("challenge", &value(&page, "challenge"));
        }
        self.send(server, Request::new("POST", path).form(&form.finish()), path).await
    }
}

fn own(tenant: &str) -> String {
    format!("/auth/{tenant}/customer")
}

#[tokio::test]
async fn customers_of_several_branches_and_ports_stay_logged_in_side_by_side() {
    let servers = [TestServer::start().await, TestServer::start().await];
    let mut jar = Jar::default();
    let mut inside: Vec<(&TestServer, &str)> = Vec::new();
    for server in &servers {
        for tenant in ["nl", "be_fr"] {
            let customer: Value = server.customer(tenant, "household").await;
            let text = |name: &str| customer[name].as_str().unwrap().to_owned();
            let (iban, answer) = (text("iban"), text("digipassNumber"));
            let fields = [("action", "log-in"), ("iban", &*iban), ("answer", &*answer)];
            let entered = jar.post(server, &own(tenant), &fields).await;
            assert_eq!(entered.status, 303, "{}", entered.body);
            inside.push((server, tenant));
        }
    }
    for (server, tenant) in &inside {
        let page = jar.get(server, &own(tenant)).await.body;
        assert!(page.contains("value=\"log-out\""), "{tenant}: {page}");
    }
    // Who leaves one of them leaves that alone.
    let (server, tenant) = inside.remove(0);
    assert_eq!(jar.post(server, &own(tenant), &[("action", "log-out")]).await.status, 303);
    assert!(jar.get(server, &own(tenant)).await.body.contains("name=\"answer\""));
    for (server, tenant) in inside {
        let page = jar.get(server, &own(tenant)).await.body;
        assert!(page.contains("value=\"log-out\""), "{tenant}: {page}");
    }
}

#[tokio::test]
async fn requests_at_banks_on_several_ports_wait_side_by_side() {
    let servers = [TestServer::start().await, TestServer::start().await];
    let mut jar = Jar::default();
    let mut waiting = Vec::new();
    for server in &servers {
        let tpp = server.registered("nl", ID).await;
        let customer = server.customer("nl", "student").await;
        let iban = customer["iban"].as_str().unwrap().to_owned();
        let asked = tpp.consent(server, &detailed(&iban, true)).await;
        let url = tpp.authorization_url(&asked);
        let target = url.strip_prefix(server.url()).unwrap().to_owned();
        let arrived = jar.get(server, &target).await;
        assert_eq!(arrived.status, 302, "{}", arrived.body);
        waiting.push((server, iban, customer["digipassNumber"].as_str().unwrap().to_owned()));
    }
    for (server, iban, answer) in waiting {
        let fields = [("action", "log-in"), ("iban", &*iban), ("answer", &*answer)];
        assert_eq!(jar.post(server, PAGE, &fields).await.status, 303);
        let left = jar.post(server, PAGE, &[("action", "approve")]).await;
        assert!(left.header("location").contains("code="), "{} {}", left.status, left.body);
    }
}
