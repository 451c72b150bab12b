//! Every link in an answer of the Berlin Group dialect can be followed: whatever a test asks for, its links are tried.

use serde_json::Value;

use crate::{Answer, Request, Signer};

/// Where the dialect is.
const PREFIX: &str = "/xs2a-bg";

/// Whose links they are: what a request needs to be signed once more.
#[derive(Debug, Clone)]
pub struct SignedBy {
    certificate: String,
    key: String,
    key_id: String,
}

impl SignedBy {
    pub(crate) fn new(signer: &Signer) -> Self {
        Self {
            certificate: eidas::certificate::to_pem(&signer.certificate.der),
            key: signer.key_pem.clone(),
            key_id: signer.key_id.clone(),
        }
    }

    fn signer(&self) -> Signer {
        Signer::from_pem(&self.certificate, &self.key, Some(self.key_id.clone()))
    }
}

/// Follows the links of an answer. Nothing is counted by that and no history begins: reads say that the customer takes
/// part, and a link to transactions is followed only where transactions were read.
pub(crate) async fn follow(request: &Request, answer: &Answer, client: &reqwest::Client, origin: &str) {
    let Some(signed_by) = &request.signed_by else { return };
    if !request.target.starts_with(PREFIX) || !(200..300).contains(&answer.status) {
        return;
    }
    let mut links = Vec::new();
    collect(&answer.json(), &mut links);
    if let Some((_, path)) = answer.header("location").split_once(PREFIX) {
        links.push(("location".to_owned(), path.to_owned()));
    }
    links.sort();
    links.dedup();
    let signer = signed_by.signer();
    for (name, link) in links {
        let wrong = problem(request, &signer, (&name, &link), client, origin).await;
        // Somebody else may have ended meanwhile what the answer is about.
        if let Some(wrong) = wrong
            && (request.method != http::Method::GET || request.send_once(client, origin).await.status == 200)
        {
            panic!("{} {}: link {name} \"{link}\" leads to {wrong}", request.method, request.target);
        }
    }
}

/// Where a link leads to, if that is wrong.
async fn problem(
    request: &Request,
    signer: &Signer,
    (name, link): (&str, &str),
    client: &reqwest::Client,
    origin: &str,
) -> Option<String> {
    let told = |answer: Answer| format!("{} {}", answer.status, answer.body);
    if let Some((origin, path)) = absolute(link) {
        let answer = Request::new("GET", path).send_once(client, origin).await;
        let is_right = match name {
            // Complete but for the challenge, which is for the client to add; with it, a session would begin.
            "scaRedirect" => answer.status == 400 && answer.body.contains("code_challenge is missing"),
            "registration" => answer.header("allow").contains("POST"),
            _ => answer.status == 200,
        };
        return (!is_right).then(|| told(answer));
    }
    if name == "transactions" {
        let answer = Request::new("OPTIONS", &format!("{PREFIX}{link}")).send_once(client, origin).await;
        return (!answer.header("allow").contains("GET")).then(|| told(answer));
    }
    let mut followed = Request::new("GET", &format!("{PREFIX}{link}"))
        .set("x-request-id", "f0110000-0000-4000-8000-000000000000")
        .set("psu-ip-address", "192.0.2.1");
    for name in ["consent-id", "authorization", "ssl-certificate"] {
        if let Some(value) = request.headers.get(name) {
            followed = followed.set(name, value.as_bytes());
        }
    }
    let answer = followed.signed(signer).send_once(client, origin).await;
    (answer.status != 200).then(|| told(answer))
}

/// Origin and path of an absolute link.
fn absolute(link: &str) -> Option<(&str, &str)> {
    let after_scheme = link.find("://")? + 3;
    Some(link.split_at(after_scheme + link[after_scheme..].find('/')?))
}

fn collect(json: &Value, links: &mut Vec<(String, String)>) {
    match json {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, links)),
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_object().filter(|_| name == "_links") {
                    Some(of_one) => links.extend(of_one.iter().map(|(name, link)| {
                        (
                            name.clone(),
                            link.as_str().unwrap_or_else(|| panic!("link {name}: {link}")).to_owned(),
                        )
                    })),
                    None => collect(value, links),
                }
            }
        }
        _ => {}
    }
}
