//! Of consents that there are, and of their authorisations.

use testkit::{CALLBACK, Request, ValidConsent, detailed};

use super::{Scene, UNKNOWN};
use crate::refusals::check;

#[tokio::test]
async fn consents_and_authorisations() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, consent, .. } = &scene;
    let other = server.registered("nl", "PSDNL-DNB-R999999").await;
    let mine = |path: &str| scene.signed("GET", path);
    let foreign = |method: &str, path: &str| other.request(method, path).signed(&other.signer);
    let own = format!("/v1/consents/{}", consent.id);
    let unknown = format!("/v1/consents/{UNKNOWN}");
    let authorisation = format!("{own}/authorisations/{}", consent.authorisation);
    let british = Request { target: format!("/xs2a-bg/uk{own}"), ..mine(&own) };
    let second = tpp.approved(server, &detailed(iban, true), iban).await;
    let waiting = tpp.consent(server, &detailed(iban, true)).await;
    let waiting = format!(
        "/v1/consents/{}/authorisations/{}",
        waiting["consentId"].as_str().unwrap(),
        waiting["authorisationId"].as_str().unwrap()
    );
    let bearer = |request: Request, token: &str| request.set("authorization", format!("Bearer {token}"));
    let confirm = |path: &str| scene.signed("PUT", path);
    let again = scene.signed("POST", &format!("{own}/authorisations"));
    let unknown_consent =
        (403, "CONSENT_UNKNOWN", "not known here, or was not requested by this third party");
    let rows = vec![
        ("an id that is none", mine("/v1/consents/7"), 400, "FORMAT_ERROR", "no UUID"),
        (
            "an id without dashes",
            mine(&format!("/v1/consents/{}", UNKNOWN.replace('-', ""))),
            400,
            "FORMAT_ERROR",
            "no UUID",
        ),
        ("an unknown consent", mine(&unknown), unknown_consent.0, unknown_consent.1, unknown_consent.2),
        (
            "its status",
            mine(&format!("{unknown}/status")),
            unknown_consent.0,
            unknown_consent.1,
            unknown_consent.2,
        ),
        (
            "its authorisations",
            mine(&format!("{unknown}/authorisations")),
            unknown_consent.0,
            unknown_consent.1,
            unknown_consent.2,
        ),
        (
            "deleting it",
            scene.signed("DELETE", &unknown),
            unknown_consent.0,
            unknown_consent.1,
            unknown_consent.2,
        ),
        ("another third party's consent", foreign("GET", &own), 403, "CONSENT_UNKNOWN", "this third party"),
        ("its status for another", foreign("GET", &format!("{own}/status")), 403, "CONSENT_UNKNOWN", ""),
        ("deleting another's", foreign("DELETE", &own), 403, "CONSENT_UNKNOWN", ""),
        (
            "authorising another's",
            foreign("POST", &format!("{own}/authorisations")).set("tpp-redirect-uri", CALLBACK),
            403,
            "CONSENT_UNKNOWN",
            "",
        ),
        ("at another tenant", british, 403, "CONSENT_UNKNOWN", ""),
        (
            "deleting with the token of another consent",
            bearer(scene.signed("DELETE", &own), &second.access_token),
            401,
            "CONSENT_INVALID",
            "was not issued for consent",
        ),
        (
            "authorising what is valid",
            again.clone().set("tpp-redirect-uri", CALLBACK),
            400,
            "STATUS_INVALID",
            "has status valid",
        ),
        (
            "authorising without a redirect URI",
            again.clone(),
            400,
            "FORMAT_ERROR",
            "TPP-Redirect-URI header is missing",
        ),
        (
            "authorising with another redirect URI",
            again.set("tpp-redirect-uri", "https://evil.example/"),
            400,
            "FORMAT_ERROR",
            "not registered",
        ),
        (
            "an authorisation that is none",
            mine(&format!("{own}/authorisations/x")),
            400,
            "FORMAT_ERROR",
            "no UUID",
        ),
        (
            "an unknown authorisation",
            mine(&format!("{own}/authorisations/{UNKNOWN}")),
            403,
            "RESOURCE_UNKNOWN",
            "belongs to another consent",
        ),
        (
            "an authorisation of another consent",
            mine(&format!("/v1/consents/{}/authorisations/{}", second.id, consent.authorisation)),
            403,
            "RESOURCE_UNKNOWN",
            "belongs to another consent",
        ),
        (
            "confirming without a token",
            confirm(&authorisation),
            401,
            "TOKEN_UNKNOWN",
            "send it as Authorization: Bearer",
        ),
        (
            "confirming with Basic",
            confirm(&authorisation).set("authorization", tpp.basic()),
            401,
            "TOKEN_INVALID",
            "not Bearer and a token",
        ),
        (
            "confirming with an unknown token",
            bearer(confirm(&authorisation), "0123456789"),
            401,
            "TOKEN_INVALID",
            "Access token 01234567… is invalid or expired",
        ),
        (
            "confirming with a refresh token",
            bearer(confirm(&authorisation), &consent.refresh_token),
            401,
            "TOKEN_INVALID",
            "invalid or expired",
        ),
        (
            "confirming with the token of another consent",
            bearer(confirm(&authorisation), &second.access_token),
            401,
            "CONSENT_INVALID",
            "was not issued for consent",
        ),
        (
            "confirming what nobody approved",
            bearer(confirm(&waiting), &second.access_token),
            401,
            "CONSENT_INVALID",
            "",
        ),
    ];
    check(server, rows).await;
}

#[tokio::test]
async fn a_failed_attempt_is_followed_by_another() {
    let scene = Scene::new().await;
    let Scene { server, tpp, iban, .. } = &scene;
    let asked = tpp.consent(server, &detailed(iban, true)).await;
    let location = server.decide(&tpp.authorization_url(&asked), iban, "wrong-answer").await;
    assert!(location.contains("error=access_denied"), "{location}");
    let status = |id: &str, aid: &str| tpp.get(&format!("/v1/consents/{id}/authorisations/{aid}"));
    let (id, first) = (asked["consentId"].as_str().unwrap(), asked["authorisationId"].as_str().unwrap());
    assert_eq!(server.send(&status(id, first)).await.json()["scaStatus"], "failed");
    let path = format!("/v1/consents/{id}/authorisations");
    let begun = tpp.request("POST", &path).set("tpp-redirect-uri", CALLBACK).signed(&tpp.signer);
    let begun = server.send(&begun).await.json();
    let location = server.decide(&tpp.authorization_url(&begun), iban, "approve").await;
    let code = testkit::parameter(&location, "code").unwrap();
    let tokens = tpp.redeem(server, &code).await.json();
    let consent = ValidConsent {
        id: id.to_owned(),
        authorisation: begun["authorisationId"].as_str().unwrap().to_owned(),
        access_token: tokens["access_token"].as_str().unwrap().to_owned(),
        refresh_token: String::new(),
    };
    assert_eq!(tpp.confirm(server, &consent).await.status, 200);
    // An authorisation that nobody finishes in a day has failed, and its consent with it.
    let asked = tpp.consent(server, &detailed(iban, true)).await;
    server.advance("nl", "P1D").await;
    let (id, aid) = (asked["consentId"].as_str().unwrap(), asked["authorisationId"].as_str().unwrap());
    assert_eq!(server.send(&status(id, aid)).await.json()["scaStatus"], "failed");
    let read = server.send(&tpp.get(&format!("/v1/consents/{id}/status"))).await;
    assert_eq!(read.json()["consentStatus"], "rejected");
}
