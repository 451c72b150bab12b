//! How a gateway's pages look and what they say: the bank's logo, colours, languages and texts, as its configuration says.

use std::fs;

use testkit::{Answer, Request, challenge, detailed};

use crate::configuration::LOGO;
use crate::serve::{NO_CORE, PAGE, Scene, configuration, consented, registered};
use crate::serve_provider::PAGES;

async fn get(scene: &Scene, path: &str) -> Answer {
    let request = Request::new("GET", path).set("accept", "text/html");
    request.exchange(&scene.client(None), &scene.pages()).await
}

/// The address of the logo on a page.
fn logo(page: &Answer) -> &str {
    let shown =
        page.body.split_once("<img class=\"logo\" src=\"").unwrap_or_else(|| panic!("{}", page.body)).1;
    shown.split('"').next().unwrap()
}

#[tokio::test]
async fn pages_show_the_banks_logo_and_colours() {
    let looks = "[looks]\nlogo_file = \"logo.svg\"\naccent = \"#7a1fa2\"\naccent_dark = \"#d9a7f0\"\n";
    let scene = Scene::with(looks).await;
    let page = get(&scene, "/auth/nl/customer").await;
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    assert_eq!((page.status, page.header("content-security-policy")), (200, policy), "{}", page.body);
    let path = logo(&page).to_owned();
    assert!(page.body.contains(&format!("<link rel=\"icon\" href=\"{path}\">")), "{}", page.body);
    assert!(
        page.body.contains(&format!("> {}", scene.bank)) && !page.body.contains("icon.svg"),
        "{}",
        page.body
    );
    for other in ["/nothing", "/auth/nl/customer/access", "/auth/internalonly/authorise.html"] {
        assert_eq!(logo(&get(&scene, other).await), path, "{other}");
    }

    let picture = get(&scene, &path).await;
    assert_eq!((picture.status, picture.body.as_str()), (200, LOGO));
    for (name, value) in [
        ("content-type", "image/svg+xml"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
    ] {
        assert_eq!(picture.header(name), value);
    }
    let style = get(&scene, "/assets/style.css").await.body;
    assert!(style.ends_with(
        ":root { --accent: #7a1fa2; }\n@media (prefers-color-scheme: dark) { :root { --accent: #d9a7f0; } }\n"
    ));

    // The pages on which customers decide are those, too.
    let customer = scene.core.customer("nl", "saver").await;
    let client = scene.client(Some(&scene.certificate("qwac").await));
    let tpp = registered(&scene, &client).await;
    consented(&scene, &tpp, &client, &customer).await;
}

#[tokio::test]
async fn a_logo_that_says_the_name_stands_alone() {
    let scene = Scene::with("[looks]\nlogo_file = \"logo.svg\"\nlogo_says_name = true\n").await;
    let page = get(&scene, "/auth/nl/customer").await;
    let named = format!("alt=\"{}", scene.bank);
    assert!(page.body.contains(&named) && page.body.contains("height=\"40\"> </p>"), "{}", page.body);
    let style = get(&scene, "/assets/style.css").await.body;
    assert!(!style.contains(":root { --accent"), "no colour was chosen");
    // What changes takes effect at the next start.
    fs::write(scene.files.path("logo.svg"), LOGO.replace("#7a1fa2", "#004488")).unwrap();
    let mut scene = scene;
    let new =
        configuration(&scene.files, NO_CORE, "[looks]\nlogo_file = \"logo.svg\"\nlogo_says_name = true\n");
    assert_eq!(scene.served.reload(new).unwrap(), ["looks"]);
    assert_eq!(get(&scene, logo(&page)).await.body, LOGO);
}

/// A page as a browser gets it that likes these languages.
async fn liked(scene: &Scene, path: &str, languages: &str) -> Answer {
    let request = Request::new("GET", path).set("accept", "text/html").set("accept-language", languages);
    request.exchange(&scene.client(None), &scene.pages()).await
}

/// The language that a page says it is in.
fn language(page: &Answer) -> &str {
    let rest = page.body.split_once("<html lang=\"").unwrap_or_else(|| panic!("{}", page.body)).1;
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn pages_speak_the_languages_that_the_bank_offers() {
    let mut scene = Scene::with("[texts]\nlanguages = [\"de\", \"nl\"]\n").await;
    for (path, languages, spoken) in [
        ("/auth/nl/customer", "fr, de;q=0.5", "de"),
        // That of the branch, or the first.
        ("/auth/nl/customer", "fr", "nl"),
        ("/auth/uk/customer", "fr", "de"),
        ("/auth/uk/customer", "en", "de"),
        ("/auth/uk/customer?lang=nl", "en", "nl"),
        ("/auth/nl/customer?lang=fr", "en", "nl"),
        ("/auth/nl/customer/access", "en", "nl"),
        ("/auth/nl/v1/auth", "en", "nl"),
        ("/nothing", "en, nl;q=0.1", "nl"),
        ("/nothing", "en", "de"),
        (PAGE, "en", "de"),
        ("/auth/nothing", "fr", "de"),
    ] {
        let page = liked(&scene, path, languages).await;
        assert_eq!(language(&page), spoken, "{path} {languages}: {}", page.body);
        for link in page.body.split("href=\"?lang=").skip(1) {
            assert!(link.starts_with("de\"") || link.starts_with("nl\""), "{path}: {}", page.body);
        }
    }
    let page = liked(&scene, "/auth/nl/customer", "nl").await;
    assert_eq!(page.body.matches("href=\"?lang=").count(), 1, "the other one: {}", page.body);

    // The same of what a third party asks for in its link.
    let client = scene.client(Some(&scene.certificate("qwac").await));
    let tpp = registered(&scene, &client).await;
    let customer = scene.core.customer("nl", "saver").await;
    let asked = tpp.consent_request(&detailed(customer["iban"].as_str().unwrap(), true));
    let asked = asked.exchange(&client, &scene.interface()).await.json();
    let link = asked["_links"]["scaRedirect"].as_str().unwrap().strip_prefix(PAGES).unwrap();
    let challenge = challenge(testkit::VERIFIER);
    for (locales, spoken) in [("fr en de", "de"), ("fr en", "nl")] {
        let locales = locales.replace(' ', "+");
        let url = format!(
            "{link}&code_challenge={challenge}&code_challenge_method=S256&state=x&ui_locales={locales}"
        );
        let opened = get(&scene, &url).await;
        let cookie = opened.header("set-cookie").split(';').next().unwrap();
        for path in [PAGE.to_owned(), format!("{PAGE}?lang=en")] {
            let page = Request::new("GET", &path).set("accept", "text/html").set("cookie", cookie);
            let page = page.exchange(&scene.client(None), &scene.pages()).await;
            assert_eq!((page.status, language(&page)), (200, spoken), "{path}: {}", page.body);
        }
    }

    // One alone is no choice. What changes takes effect at the next start.
    let new = configuration(&scene.files, NO_CORE, "[texts]\nlanguages = [\"fr\"]\n");
    assert_eq!(scene.served.reload(new).unwrap(), ["texts"]);
    let scene = Scene::with("[texts]\nlanguages = [\"fr\"]\n").await;
    let page = liked(&scene, "/auth/nl/customer", "nl").await;
    assert_eq!((language(&page), page.body.contains("?lang=")), ("fr", false), "{}", page.body);
}

/// What stands at the foot of a page; nothing if it has none.
fn foot(page: &Answer) -> &str {
    page.body.split_once("<footer>").map_or("", |(_, rest)| rest.split_once("</footer>").unwrap().0)
}

#[tokio::test]
async fn what_the_bank_adds_is_text_on_every_page_and_never_markup() {
    let texts = "[texts]\nlanguages = [\"en\", \"nl\"]\nhelp = { en = \"<b>Call</b> \\\"us\\\" & ask\", nl = \"Bel ons\" }\n\
                 contact_url = \"https://www.bank.example.com/contact?a=1&b=\\\"><script>\"\n\
                 privacy_url = { en = \"https://www.bank.example.com/privacy\", nl = \"https://www.bank.example.com/nl/privacy\" }\n";
    let scene = Scene::with(texts).await;
    for path in ["/auth/nl/customer", "/auth/nl/customer/access", "/nothing", PAGE, "/auth/nl/v1/auth"] {
        let page = liked(&scene, path, "en").await;
        let foot = foot(&page);
        assert!(foot.contains("Call") && foot.contains("ask"), "{path}: {}", page.body);
        for markup in ["<b>", "<script", "\"us\"", "& ask"] {
            assert!(!page.body.contains(markup), "{path}: {markup}: {foot}");
        }
        let addresses: Vec<_> =
            foot.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(addresses.len(), 2, "{path}: {foot}");
        assert!(addresses[0].starts_with("https://www.bank.example.com/contact?a=1&#38;b="), "{foot}");
        assert_eq!(addresses[1], "https://www.bank.example.com/privacy");
        let page = liked(&scene, path, "nl").await;
        let foot = self::foot(&page);
        assert!(foot.contains("Bel ons") && foot.contains("/nl/privacy\""), "{path}: {foot}");
    }
    let plain = Scene::with("").await;
    assert_eq!(foot(&get(&plain, "/auth/nl/customer").await), "");
}
