//! The pages of a gateway in headless Chromium, under the bank's own looks and texts: what holds of every page of a sandbox holds of
//! them.

use serde_json::{Value, json};
use testkit::{CALLBACK, TestServer, TestTpp, challenge, detailed, euro_payment, parameter};

use crate::portal::look;
use crate::serve::{Scene, registered};
use crate::serve_provider::{PAGES, Provided};

/// A bank's own looks and texts.
pub(crate) const OWN: &str = "[looks]\nlogo_file = \"logo.svg\"\naccent = \"#7a1fa2\"\naccent_dark = \"#d9a7f0\"\nbackground = \"#faf5ff\"\n\
                   background_dark = \"#140a1a\"\n[texts]\nlanguages = [\"nl\", \"en\"]\nhelp = { nl = \"Vragen? Bel 020 123 4567.\", en = \
                   \"Questions? Call 020 123 4567.\" }\nhelp_url = \"https://www.bank.example.com/help\"\ncontact_url = \
                   \"https://www.bank.example.com/contact\"\nlegal_notice_url = \"https://www.bank.example.com/legal\"\nprivacy_url = \
                   \"https://www.bank.example.com/privacy\"\n";

/// Where a browser goes for something that was asked for.
fn url(asked: &Value) -> String {
    let link = asked["_links"]["scaRedirect"].as_str().unwrap();
    let challenge = challenge(testkit::VERIFIER);
    let url = format!("{link}&code_challenge={challenge}&code_challenge_method=S256&state=x&ui_locales=en");
    url.strip_prefix(PAGES).unwrap().to_owned()
}

async fn asked<S>(scene: &Scene<S>, (tpp, client): (&TestTpp, &reqwest::Client), iban: &str) -> String {
    let asked = tpp.consent_request(&detailed(iban, true)).exchange(client, &scene.interface()).await;
    assert_eq!(asked.status, 201, "{}", asked.body);
    url(&asked.json())
}

/// What a script needs to know of a gateway: browsers find its pages under the bank's name.
fn of<S>(scene: &Scene<S>, customer: &Value, more: &Value) -> Value {
    let mut input = json!({
        "url": PAGES,
        "map": {"bank.example.com:443": scene.listeners.pages},
        "iban": customer["iban"],
        "device_number": customer["digipassNumber"],
        "callback": CALLBACK,
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_consents_and_pays_under_the_banks_own_looks() {
    let core = TestServer::start().await;
    core.at_ten("nl").await;
    let scene = Scene::behind(core, crate::configuration::Files::new(), OWN).await;
    let customer = scene.core.customer("nl", "student").await;
    let client = scene.client(Some(&scene.certificate("qwac").await));
    let tpp = registered(&scene, &client).await;
    let iban = customer["iban"].as_str().unwrap();
    let mut body = euro_payment("12.50", "NL91ABNA0417164300");
    body["debtorAccount"] = json!({"iban": iban});
    let payment = tpp.payment_request("payments/sepa-credit-transfers", &body);
    let payment = payment.exchange(&client, &scene.interface()).await;
    assert_eq!(payment.status, 201, "{}", payment.body);
    let who = (&tpp, &client);
    let more = json!({
        "consent": asked(&scene, who, iban).await,
        "keyboard": asked(&scene, who, iban).await,
        "payment": url(&payment.json()),
    });
    let more = of(&scene, &customer, &more);
    let Some(found) = look("serve_pages.py", &scene.core, more).await else { return };
    let text = |name: &str| found[name].as_str().unwrap().replace('\u{a0}', " ");
    assert!(text("consent").contains("PSDNL-DNB-R654321"), "{found}");
    assert!(text("payment").contains("€12.50"), "{found}");
    for part in ["Questions? Call 020 123 4567.", "Help", "Contact", "Legal notice", "Privacy"] {
        assert!(text("foot").contains(part), "{part}: {found}");
    }
    for back in ["consent_back", "payment_back", "keyboard_back"] {
        assert!(parameter(&text(back), "code").is_some(), "{back}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_to_the_banks_provider_and_back_looks_like_the_bank() {
    let it = Provided::with(OWN).await;
    it.provider.behave(|it| it.error = Some("access_denied".to_owned()));
    let iban = it.customer["iban"].as_str().unwrap();
    let more = json!({"refused": asked(&it.scene, (&it.tpp, &it.client), iban).await});
    let more = of(&it.scene, &it.customer, &more);
    let Some(found) = look("serve_pages.py", &it.scene.core, more).await else { return };
    assert!(found["refused"].as_str().unwrap().starts_with("You did not finish logging in"), "{found}");
    let back = found["refused_back"].as_str().unwrap();
    assert_eq!(parameter(back, "error").as_deref(), Some("consent_required"), "{found}");
}
