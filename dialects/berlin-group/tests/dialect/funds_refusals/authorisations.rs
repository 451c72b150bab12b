//! Of consents that there are, and of their authorisations.

use serde_json::json;
use testkit::{CALLBACK, FUNDS_CONSENTS, Request, detailed};

use super::{Scene, UNKNOWN, bearer};
use crate::refusals::check;

#[tokio::test]
async fn consents_and_their_authorisations() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, consent, .. } = &scene;
    let stranger = server.registered("nl", "PSDNL-DNB-R999999").await;
    let access = tpp.valid(server, &detailed(iban, true), iban).await;
    let other = tpp.valid_funds(server, iban).await;
    let waiting = tpp.funds_consent(server, iban).await;
    let own = format!("{FUNDS_CONSENTS}/{}", consent.id);
    let unknown = format!("{FUNDS_CONSENTS}/{UNKNOWN}");
    let for_access = format!("{FUNDS_CONSENTS}/{}", access.id);
    let get = |path: &str| scene.signed("GET", path);
    let foreign = |method: &str, path: &str| stranger.request(method, path).signed(&stranger.signer);
    let authorisation = format!("{own}/authorisations/{}", consent.authorisation);
    let confirm = |path: &str| scene.signed("PUT", path);
    let of_waiting = format!(
        "{FUNDS_CONSENTS}/{}/authorisations/{}",
        waiting["consentId"].as_str().unwrap(),
        waiting["authorisationId"].as_str().unwrap()
    );
    let begin = |path: &str| scene.signed("POST", &format!("{path}/authorisations"));
    let (format, foreigner) = ("FORMAT_ERROR", "CONSENT_UNKNOWN");
    check(
        server,
        vec![
            (
                "an id that is none",
                get(&format!("{FUNDS_CONSENTS}/1")),
                400,
                format,
                "the consent id in the path is no UUID",
            ),
            ("its status", get(&format!("{FUNDS_CONSENTS}/1/status")), 400, format, "no UUID"),
            (
                "its authorisations",
                get(&format!("{FUNDS_CONSENTS}/1/authorisations")),
                400,
                format,
                "no UUID",
            ),
            ("deleting it", scene.signed("DELETE", &format!("{FUNDS_CONSENTS}/1")), 400, format, "no UUID"),
            ("an unknown one", get(&unknown), 403, foreigner, "not known here"),
            (
                "the status of an unknown one",
                get(&format!("{unknown}/status")),
                403,
                foreigner,
                "not known here",
            ),
            (
                "authorisations of an unknown one",
                get(&format!("{unknown}/authorisations")),
                403,
                foreigner,
                "",
            ),
            ("deleting an unknown one", scene.signed("DELETE", &unknown), 403, foreigner, ""),
            (
                "authorising an unknown one",
                begin(&unknown).set("tpp-redirect-uri", CALLBACK),
                403,
                foreigner,
                "",
            ),
            ("another third party's", foreign("GET", &own), 403, foreigner, "this third party"),
            ("its status for another", foreign("GET", &format!("{own}/status")), 403, foreigner, ""),
            ("its authorisation for another", foreign("GET", &authorisation), 403, foreigner, ""),
            ("deleting another's", foreign("DELETE", &own), 403, foreigner, ""),
            (
                "at another tenant",
                Request::new("GET", &format!("/xs2a-bg/uk{own}"))
                    .set("x-request-id", "id")
                    .signed(&tpp.signer),
                403,
                foreigner,
                "",
            ),
            ("a consent to access", get(&for_access), 403, foreigner, ""),
            ("the status of a consent to access", get(&format!("{for_access}/status")), 403, foreigner, ""),
            ("deleting a consent to access", scene.signed("DELETE", &for_access), 403, foreigner, ""),
            (
                "confirming a consent to access",
                bearer(
                    confirm(&format!("{for_access}/authorisations/{}", access.authorisation)),
                    &access.access_token,
                ),
                403,
                foreigner,
                "",
            ),
            ("as a consent to access", get(&format!("/v1/consents/{}", consent.id)), 403, foreigner, ""),
            (
                "deleting it as such",
                scene.signed("DELETE", &format!("/v1/consents/{}", consent.id)),
                403,
                foreigner,
                "",
            ),
            (
                "confirming it as such",
                bearer(
                    confirm(&format!("/v1/consents/{}/authorisations/{}", consent.id, consent.authorisation)),
                    &consent.access_token,
                ),
                403,
                foreigner,
                "",
            ),
            ("accounts with it", tpp.read("/v1/accounts", consent), 403, foreigner, ""),
            (
                "accounts with its token",
                bearer(tpp.read("/v1/accounts", &access), &consent.access_token),
                401,
                "CONSENT_INVALID",
                "was not issued for consent",
            ),
            (
                "deleting with the token of another",
                bearer(scene.signed("DELETE", &own), &other.access_token),
                401,
                "CONSENT_INVALID",
                "was not issued for consent",
            ),
            (
                "authorising without a redirect URI",
                begin(&own),
                400,
                format,
                "TPP-Redirect-URI header is missing",
            ),
            (
                "authorising with another redirect URI",
                begin(&own).set("tpp-redirect-uri", "https://evil.example/"),
                400,
                format,
                "not registered",
            ),
            (
                "authorising what is valid",
                begin(&own).set("tpp-redirect-uri", CALLBACK),
                400,
                "STATUS_INVALID",
                "has status valid",
            ),
            (
                "an authorisation that is none",
                get(&format!("{own}/authorisations/x")),
                400,
                format,
                "no UUID",
            ),
            (
                "an unknown authorisation",
                get(&format!("{own}/authorisations/{UNKNOWN}")),
                403,
                "RESOURCE_UNKNOWN",
                "belongs to another consent",
            ),
            (
                "an authorisation of another consent",
                get(&format!("{own}/authorisations/{}", other.authorisation)),
                403,
                "RESOURCE_UNKNOWN",
                "belongs to another consent",
            ),
            (
                "confirming without a token",
                confirm(&authorisation),
                401,
                "TOKEN_UNKNOWN",
                "Authorization: Bearer",
            ),
            (
                "confirming with an unknown token",
                bearer(confirm(&authorisation), "0123456789"),
                401,
                "TOKEN_INVALID",
                "Access token 01234567… is invalid or expired",
            ),
            (
                "confirming with the token of another consent",
                bearer(confirm(&authorisation), &other.access_token),
                401,
                "CONSENT_INVALID",
                "was not issued for consent",
            ),
            (
                "confirming with the token of a consent to access",
                bearer(confirm(&authorisation), &access.access_token),
                401,
                "CONSENT_INVALID",
                "was not issued for consent",
            ),
            (
                "confirming what nobody approved",
                bearer(confirm(&of_waiting), &other.access_token),
                401,
                "CONSENT_INVALID",
                "was not issued for consent",
            ),
        ],
    )
    .await;
}

/// A scope of the other kind finds nothing to authorise, and a consent is authorised once.
#[tokio::test]
async fn authorization_requests() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, .. } = &scene;
    let asked = tpp.funds_consent(server, iban).await;
    let access = tpp.consent(server, &detailed(iban, true)).await;
    let id = asked["consentId"].as_str().unwrap();
    let with_scope = |scope: String| {
        let mut spoiled = asked.clone();
        let link = asked["_links"]["scaRedirect"].as_str().unwrap();
        spoiled["_links"]["scaRedirect"] = json!(link.replace(&format!("openid+PIIS%3A{id}"), &scope));
        tpp.authorization_url(&spoiled)
    };
    for scope in [
        format!("openid+AIS%3A{id}"),
        format!("openid+PIS%3A{id}"),
        format!("openid+PIIS%3A{UNKNOWN}"),
        format!("openid+PIIS%3A{}", access["consentId"].as_str().unwrap()),
    ] {
        let location = server.decide(&with_scope(scope.clone()), iban, "approve").await;
        let words = testkit::parameter(&location, "error_description").unwrap();
        assert!(words.starts_with("No pending authorisations found for"), "{scope}: {location}");
    }
    let url = tpp.authorization_url(&asked);
    let location = server.decide(&url, iban, "approve").await;
    assert!(testkit::parameter(&location, "code").is_some(), "{location}");
    let again = server.decide(&url, iban, "approve").await;
    assert_eq!(
        testkit::parameter(&again, "error_description"),
        Some(format!("No pending authorisations found for consent with uuid {id}"))
    );
}
