//! Refresh tokens: for whom they are good, and what comes again when an answer was lost.

use serde_json::json;
use testkit::{Answer, Request, TestServer, ValidConsent, detailed, free_folder, parameter};
use vestibule::DataLocation;

use crate::ID;
use crate::grants::{Scene, assert_refused, join_all, tls_client};

/// The tokens of an answer.
fn pair(answer: &Answer) -> (String, String) {
    let text =
        |name: &str| answer.json()[name].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned();
    (text("access_token"), text("refresh_token"))
}

#[tokio::test]
async fn a_lost_answer_to_a_refresh_comes_again_until_it_was_used() {
    let scene = Scene::new().await;
    let first = scene.valid().await;
    let lost = scene.tpp.refresh(&scene.server, &first.refresh_token).await;
    let wider = scene.tpp.token_request(&format!(
        "grant_type=refresh_token&refresh_token={}&scope=openid+x",
        first.refresh_token
    ));
    assert_refused(&scene.server.send(&wider).await, "invalid_scope", "ask for that or leave scope out");
    scene.server.advance("nl", "PT4M").await;
    let second = scene.tpp.refreshed(&scene.server, &first).await;
    assert_eq!(
        pair(&lost),
        (second.access_token.clone(), second.refresh_token.clone()),
        "the same tokens again"
    );
    let again = scene.tpp.refresh(&scene.server, &first.refresh_token).await;
    let left = again.json()["expires_in"].as_i64().unwrap();
    assert!((1..=360).contains(&left), "what is left of them: {left}");
    assert!(again.json()["id_token"].is_string());
    assert!(scene.can_read(&first).await && scene.can_read(&second).await);
    // The answer arrived: whoever comes with the old token now has stolen it.
    let reused = scene.tpp.refresh(&scene.server, &first.refresh_token).await;
    assert_refused(&reused, "invalid_grant", "Unknown refresh token");
    assert_eq!(reused.error().1, "Unknown refresh token", "words that clients know");
    for consent in [&first, &second] {
        assert!(!scene.can_read(consent).await);
        let refused = scene.tpp.refresh(&scene.server, &consent.refresh_token).await;
        assert_refused(&refused, "invalid_request", "Unknown refresh token");
    }
}

#[tokio::test]
async fn every_use_of_the_new_tokens_ends_the_old_one_and_so_do_five_minutes() {
    let scene = Scene::new().await;
    for use_of_new in ["read", "userinfo", "introspection", "refresh", "revocation", "time"] {
        if use_of_new == "introspection" && testkit::is_served() {
            continue;
        }
        let first = scene.valid().await;
        let second = scene.tpp.refreshed(&scene.server, &first).await;
        match use_of_new {
            "read" => assert!(scene.can_read(&second).await),
            "userinfo" => assert_eq!(scene.userinfo(&second.access_token).await.status, 200),
            "introspection" => assert_eq!(scene.introspect(&second.access_token).await["active"], true),
            "refresh" => drop(scene.tpp.refreshed(&scene.server, &second).await),
            "revocation" => {
                let request = Request::new("POST", "/auth/nl/v1/token/revoke")
                    .set("authorization", scene.tpp.basic())
                    .form(&format!("token={}", second.access_token));
                assert_eq!(scene.server.send(&request).await.status, 200);
            }
            _ => scene.server.advance("nl", "PT5M").await,
        }
        let reused = scene.tpp.refresh(&scene.server, &first.refresh_token).await;
        assert_refused(&reused, "invalid_grant", "Unknown refresh token");
        let ended = scene.tpp.refresh(&scene.server, &second.refresh_token).await;
        assert_refused(&ended, "invalid_request", "Unknown refresh token");
    }
}

#[tokio::test]
async fn many_refreshes_at_once_get_one_answer() {
    let scene = Scene::new().await;
    let first = scene.valid().await;
    let refreshed = (0..16).map(|_| scene.tpp.refresh(&scene.server, &first.refresh_token));
    let answers = join_all(refreshed.collect()).await;
    let one = pair(&answers[0]);
    assert!(answers.iter().all(|answer| answer.status == 200 && pair(answer) == one));
    let consent = ValidConsent { access_token: one.0, refresh_token: one.1, ..first.clone() };
    let reads = (0..16).map(|_| scene.userinfo(&consent.access_token));
    assert!(join_all(reads.collect()).await.iter().all(|answer| answer.status == 200));
    let next = scene.tpp.refreshed(&scene.server, &consent).await;
    assert!(scene.can_read(&next).await);
}

#[tokio::test]
async fn a_lost_answer_comes_again_for_nobody_else() {
    let scene = Scene::new().await;
    let consent = scene.valid().await;
    let own = tls_client(&scene.server, ID).await;
    let origin = scene.server.tls_url();
    let form = format!("grant_type=refresh_token&refresh_token={}", consent.refresh_token);
    let request = scene.tpp.token_request(&form);
    let lost = request.send(&own, origin).await;
    assert_eq!(lost.status, 200, "{}", lost.body);
    let other = scene.server.registered("nl", "PSDNL-DNB-R999999").await;
    let foreign = other.refresh(&scene.server, &consent.refresh_token).await;
    assert_refused(&foreign, "invalid_request", "Unknown refresh token");
    assert_refused(&scene.server.send(&request).await, "invalid_grant", "the same one to repeat a refresh");
    let renewed = scene.server.certificate(json!({"organizationIdentifier": ID, "profile": "qseal"})).await;
    let another = scene.server.presenting(&renewed);
    assert_refused(
        &request.send(&another, origin).await,
        "invalid_grant",
        "the same one to repeat a refresh",
    );
    let again = request.send(&own, origin).await;
    assert_eq!((again.status, pair(&again)), (200, pair(&lost)), "none of that ended it: {}", again.body);
}

#[tokio::test]
async fn a_lost_answer_comes_again_after_a_restart() {
    let (_guard, folder) = free_folder();
    let start = || {
        let data = DataLocation::Folder(folder.clone());
        TestServer::with(|config| config.data = data)
    };
    let server = start().await;
    let tpp = server.registered("nl", ID).await;
    let customer = server.customer("nl", "household").await;
    let iban = customer["iban"].as_str().unwrap();
    let (unused, used) = (
        tpp.valid(&server, &detailed(iban, true), iban).await,
        tpp.valid(&server, &detailed(iban, true), iban).await,
    );
    let lost = tpp.refresh(&server, &unused.refresh_token).await;
    let read = tpp.refreshed(&server, &used).await;
    assert_eq!(server.send(&tpp.read("/v1/accounts", &read)).await.status, 200);
    server.stop().await;

    let server = start().await;
    let again = tpp.refresh(&server, &unused.refresh_token).await;
    assert_eq!((again.status, pair(&again)), (200, pair(&lost)));
    assert_refused(
        &tpp.refresh(&server, &used.refresh_token).await,
        "invalid_grant",
        "Unknown refresh token",
    );
}

#[tokio::test]
async fn a_refresh_token_belongs_to_its_client_tenant_and_scope() {
    let scene = Scene::new().await;
    let consent = scene.valid().await;
    let other = scene.server.registered("nl", "PSDNL-DNB-R999999").await;
    let foreign = other.refresh(&scene.server, &consent.refresh_token).await;
    assert_refused(&foreign, "invalid_request", "Unknown refresh token");
    let form = format!("grant_type=refresh_token&refresh_token={}", consent.refresh_token);
    let elsewhere = Request { target: "/auth/uk/v1/token".into(), ..scene.tpp.token_request(&form) };
    assert_refused(&scene.server.send(&elsewhere).await, "invalid_request", "Unknown refresh token");
    let access = scene.tpp.refresh(&scene.server, &consent.access_token).await;
    assert_refused(&access, "invalid_request", "Unknown refresh token");
    let wider = scene.tpp.token_request(&format!("{form}&scope=openid+PIS%3Ax"));
    assert_refused(&scene.server.send(&wider).await, "invalid_scope", "the scope of this authorisation is");
}

#[tokio::test]
async fn a_consent_for_one_time_is_not_refreshed_whatever_the_scope_says() {
    let scene = Scene::new().await;
    let asked = scene.tpp.consent(&scene.server, &detailed(&scene.iban, false)).await;
    let url = scene.tpp.authorization_url(&asked).replace("scope=openid", "scope=openid+offline_access");
    let code = parameter(&scene.server.decide(&url, &scene.iban, "approve").await, "code").unwrap();
    let tokens = scene.tpp.redeem(&scene.server, &code).await.json();
    assert!(tokens.get("refresh_token").is_none(), "{tokens}");
    assert_eq!(tokens["scope"], format!("openid AIS:{}", asked["consentId"].as_str().unwrap()));
}

#[tokio::test]
async fn a_wider_scope_does_not_use_a_refresh_token_up() {
    let scene = Scene::new().await;
    let consent = scene.valid().await;
    let form = format!("grant_type=refresh_token&refresh_token={}", consent.refresh_token);
    let wider = scene.tpp.token_request(&format!("{form}&scope=openid+accounts"));
    assert_refused(&scene.server.send(&wider).await, "invalid_scope", "ask for that or leave scope out");
    let narrower = scene.tpp.token_request(&format!("{form}&scope=openid"));
    assert_eq!(scene.server.send(&narrower).await.status, 200);
}
