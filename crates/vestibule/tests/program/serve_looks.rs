//! How a gateway's pages look: the bank's logo and colours, as its configuration says.

use std::fs;

use testkit::{Answer, Request};

use crate::configuration::LOGO;
use crate::serve::{Scene, configuration, consented, registered};

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
    let new = configuration(
        &scene.files,
        "https://core.bank.example.com",
        "[looks]\nlogo_file = \"logo.svg\"\nlogo_says_name = true\n",
    );
    assert_eq!(scene.served.reload(new).unwrap(), ["looks"]);
    assert_eq!(get(&scene, logo(&page)).await.body, LOGO);
}
