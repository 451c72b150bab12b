//! The server that the binary runs, inside the test's process.

use gateway::Store;
use serde_json::{Value, json};
use vestibule::{DataLocation, Running, SandboxConfig, start};

use crate::served::{self, InFront};
use crate::{Request, Signer};

/// A sandbox on free ports with everything in memory, unless a test wants it otherwise.
#[derive(Debug)]
pub struct TestServer {
    /// The running server.
    pub running: Running,
    /// Sends requests without following redirects.
    pub http: reqwest::Client,
    /// What is called in its place, where tests are of a gateway in front of it.
    in_front: Option<InFront>,
}

impl TestServer {
    /// Starts a server.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts a server in the real time, for clients of other hands, which know no other.
    pub async fn in_real_time() -> Self {
        Self::with(|config| config.begin = None).await
    }

    /// Starts a server with another configuration.
    pub async fn with(change: impl FnOnce(&mut SandboxConfig)) -> Self {
        crate::keys::draw();
        let mut config = SandboxConfig {
            listen: "127.0.0.1:0".to_owned(),
            tls_listen: Some("127.0.0.1:0".to_owned()),
            management_listen: "127.0.0.1:0".to_owned(),
            data: DataLocation::Memory,
            begin: Some(crate::now()),
            ..SandboxConfig::default()
        };
        change(&mut config);
        if served::is_served() {
            let asked = config.clone();
            config.data = served::books(&config.data);
            let running = start(config).await.unwrap();
            let in_front = Some(InFront::of(&running, &asked).await);
            return Self { running, http: client(), in_front };
        }
        if config.data == DataLocation::Memory && crate::database::is_wanted() {
            config.data = DataLocation::Database(crate::database::make().await.into());
        }
        Self { running: start(config).await.unwrap(), http: client(), in_front: None }
    }

    /// Stops it in order.
    pub async fn stop(self) {
        if let Some(in_front) = self.in_front {
            in_front.stop().await;
        }
        self.running.stop().await;
    }

    /// Where whoever is called keeps its own.
    pub fn store(&self) -> Store {
        let own = || Store::clone(&self.running.sandbox.store);
        self.in_front.as_ref().map_or_else(own, |front| front.store.clone())
    }

    /// Address of the bank, without a trailing slash.
    pub fn url(&self) -> &str {
        self.in_front.as_ref().map_or(&self.running.addresses.public, |front| &front.pages)
    }

    /// Address at which third parties reach the bank: that of its links to itself.
    pub fn interface_url(&self) -> &str {
        self.in_front.as_ref().map_or(self.url(), |front| &front.interface)
    }

    /// What the bank is called at a branch, whose name is this at a bank for tests. In front of a core bank it has one name.
    pub fn name_of<'n>(&self, branch: &'n str) -> &'n str {
        if self.in_front.is_some() { served::BANK } else { branch }
    }

    /// Address of the bank with TLS.
    pub fn tls_url(&self) -> &str {
        let own = || self.running.addresses.tls.as_deref().unwrap();
        self.in_front.as_ref().map_or_else(own, |front| &front.interface)
    }

    /// Where tests call the management API. Accounts are the bank's own, whatever is in front of it.
    fn management_of(&self, path: &str) -> &str {
        match &self.in_front {
            Some(front) if !path.starts_with("/test-accounts/") => &front.management,
            _ => &self.running.addresses.management,
        }
    }

    /// Calls the bank with TLS and presents a certificate, with its chain below the root.
    pub fn presenting(&self, signer: &Signer) -> reqwest::Client {
        if self.in_front.is_some() {
            return presenting_by_proxy(signer);
        }
        let mut pem = signer.key_pem.clone() + &eidas::certificate::to_pem(&signer.certificate.der);
        pem += &signer.chain[..signer.chain.len().saturating_sub(1)].concat();
        let ca = self.running.sandbox.authorities.root_pem();
        reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(ca.as_bytes()).unwrap()])
            .identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap()
    }

    /// Sends a request to the bank.
    pub async fn send(&self, request: &Request) -> crate::Answer {
        request.send(&self.http, self.url()).await
    }

    /// Calls the management API and returns status and JSON.
    pub async fn manage(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.management_of(path));
        let mut request = self.http.request(method.parse().unwrap(), url);
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
        if let (Some(_), "/signing-keys", Some(key)) = (&self.in_front, path, answer.get("keyId")) {
            self.await_key(key).await;
        }
        (status, answer)
    }

    /// Waits until the gateway has a key of ID tokens that another node made: it looks each second.
    async fn await_key(&self, key: &Value) {
        let keys = Request::new("GET", "/auth/nl/v1/jwks");
        for _ in 0..200 {
            if self.send(&keys).await.json()["keys"][0]["kid"] == *key {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the key {key} is not published: {}", self.send(&keys).await.body);
    }

    /// A third party with a certificate as the compatible bank's test client hands it out.
    pub async fn tpp(&self, organization_identifier: &str) -> Signer {
        self.certificate(json!({"organizationIdentifier": organization_identifier})).await
    }

    /// A third party with a certificate as asked.
    pub async fn certificate(&self, request: Value) -> Signer {
        let (status, body) = self.manage("POST", "/test-certificates", request).await;
        assert_eq!(status, 201, "{body}");
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        let chain = body["chain"].as_array().unwrap();
        Signer::from_pem(&text("certificate"), &text("privateKey"), Some(text("keyId")))
            .with_chain(chain.iter().map(|pem| pem.as_str().unwrap().to_owned()).collect())
    }

    /// Every operation of an interface as its description has it, which its router is made of: method and path.
    pub async fn operations(&self, prefix: &str) -> Vec<String> {
        let answer = self.send(&Request::new("GET", &format!("{prefix}/openapi.json"))).await;
        let paths = answer.json()["paths"].as_object().unwrap().clone();
        let all = paths.iter().flat_map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_ascii_uppercase()))
        });
        all.collect()
    }

    /// Moves a tenant's clock.
    pub async fn advance(&self, tenant: &str, by: &str) {
        let (status, body) = self.manage("PUT", "/clock", json!({"tenant": tenant, "advance": by})).await;
        assert_eq!(status, 200, "{body}");
    }

    /// Sets a tenant's clock to ten o'clock of tomorrow, for tests in which no day may end within some hours: books move at
    /// midnight.
    pub async fn at_ten(&self, tenant: &str) {
        let day = crate::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date().tomorrow().unwrap();
        let body = json!({"tenant": tenant, "now": format!("{day}T10:00:00Z")});
        let (status, body) = self.manage("PUT", "/clock", body).await;
        assert_eq!(status, 200, "{body}");
    }

    /// Onboards at a tenant and returns the initial access token.
    pub async fn initial_access_token(&self, tenant: &str, signer: &Signer) -> String {
        let answer = self.send(&Request::onboarding(tenant).signed(signer)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Onboards and registers at a tenant and returns the registration.
    pub async fn register(&self, tenant: &str, signer: &Signer, redirect_uris: &[&str]) -> Value {
        let token = self.initial_access_token(tenant, signer).await;
        let answer =
            self.send(&Request::registration(tenant, &token, redirect_uris).certificate(signer)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }
}

/// A client that shows every answer as it is.
pub(crate) fn client() -> reqwest::Client {
    builder().build().unwrap()
}

/// A client whose connections present a certificate to the proxy that ends TLS.
fn presenting_by_proxy(signer: &Signer) -> reqwest::Client {
    let mut headers = http::HeaderMap::new();
    headers.insert("client-cert", served::presented(&signer.certificate.der).parse().unwrap());
    builder().default_headers(headers).build().unwrap()
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(60))
        .no_proxy()
}
