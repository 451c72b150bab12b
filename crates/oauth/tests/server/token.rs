//! Client authentication and what the token, revocation and userinfo endpoints refuse.

use testkit::{Request, TestServer};

use crate::{ID, basic, token_request};

const CODE: &str =
    "grant_type=authorization_code&code=x&redirect_uri=https%3A%2F%2Ftpp.example%2Fcb&code_verifier=v";

#[tokio::test]
async fn the_token_endpoint() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let secret = server.register("nl", &tpp, &["https://tpp.example/cb"]).await["client_secret"].clone();
    let secret = secret.as_str().unwrap();
    let good = |form: &str| token_request("nl", ID, secret, form);
    let bare = |form: &str| Request::new("POST", "/auth/nl/v1/token").form(form);
    let credentials = format!("client_id={ID}&client_secret={secret}");
    for (name, request, status, code, text) in [
        ("no credentials", bare(CODE), 401, "invalid_client", "Authorization: Basic"),
        (
            "wrong secret",
            token_request("nl", ID, "wrong", CODE),
            401,
            "invalid_client",
            "client id or client secret is wrong",
        ),
        (
            "unknown client",
            token_request("nl", "PSDNL-DNB-X", secret, CODE),
            401,
            "invalid_client",
            "client id or client secret is wrong",
        ),
        ("empty secret", token_request("nl", ID, "", CODE), 401, "invalid_client", "wrong"),
        (
            "Bearer",
            bare(CODE).set("authorization", "Bearer x"),
            401,
            "invalid_client",
            "Authorization: Basic",
        ),
        (
            "Basic of nothing",
            bare(CODE).set("authorization", "Basic"),
            401,
            "invalid_client",
            "Authorization: Basic",
        ),
        (
            "credentials twice",
            good(&format!("{CODE}&{credentials}")),
            400,
            "invalid_request",
            "such as in the header and in the form",
        ),
        (
            "another client id in the form",
            good(&format!("{CODE}&client_id=PSDNL-DNB-X")),
            401,
            "invalid_client",
            "another one than in Authorization",
        ),
        ("no grant type", good("code=x"), 400, "invalid_request", "grant_type is missing"),
        (
            "password grant",
            good("grant_type=password&username=a&password=b"),
            400,
            "unsupported_grant_type",
            "password is not supported",
        ),
        (
            "client credentials",
            good("grant_type=client_credentials"),
            400,
            "unsupported_grant_type",
            "client_credentials",
        ),
        ("no code", good("grant_type=authorization_code"), 400, "invalid_request", "code is missing"),
        (
            "no redirect URI",
            good("grant_type=authorization_code&code=x"),
            400,
            "invalid_request",
            "redirect_uri is missing",
        ),
        (
            "unknown code without verifier",
            good("grant_type=authorization_code&code=x&redirect_uri=y"),
            400,
            "invalid_grant",
            "Unknown authorization code",
        ),
        ("unknown code", good(CODE), 400, "invalid_grant", "Unknown authorization code"),
        (
            "the other name of the code grant",
            good(&CODE.replace("authorization_code", "client_credentials")),
            400,
            "invalid_grant",
            "Unknown authorization code",
        ),
        (
            "no refresh token",
            good("grant_type=refresh_token"),
            400,
            "invalid_request",
            "refresh_token is missing",
        ),
        (
            "unknown refresh token",
            good("grant_type=refresh_token&refresh_token=x"),
            400,
            "invalid_request",
            "Unknown refresh token",
        ),
        (
            "a parameter twice",
            good("grant_type=refresh_token&grant_type=refresh_token"),
            400,
            "invalid_request",
            "grant_type occurs more than once",
        ),
        (
            "JSON",
            good("{}").set("content-type", "application/json"),
            415,
            "invalid_request",
            "application/x-www-form-urlencoded",
        ),
        ("GET", Request::new("GET", "/auth/nl/v1/token"), 405, "invalid_request", "method GET"),
        (
            "credentials in the form",
            bare(&format!("{CODE}&{credentials}")),
            400,
            "invalid_grant",
            "Unknown authorization code",
        ),
        (
            "form-encoded inside Basic",
            token_request("nl", &ID.replace('-', "%2D"), secret, CODE),
            400,
            "invalid_grant",
            "Unknown",
        ),
        ("at another tenant", token_request("uk", ID, secret, CODE), 400, "invalid_grant", "Unknown"),
    ] {
        let answer = server.send(&request).await;
        let (got, said) = answer.error();
        assert_eq!((answer.status, got.as_str()), (status, code), "{name}: {}", answer.body);
        assert!(said.contains(text), "{name}: {said}");
        assert_eq!(answer.header("cache-control"), "no-store", "{name}");
        if status == 401 {
            assert!(answer.header("www-authenticate").starts_with("Basic"), "{name}");
        }
    }
}

#[tokio::test]
async fn revocation_and_userinfo() {
    let server = TestServer::start().await;
    let tpp = server.tpp(ID).await;
    let secret = server.register("nl", &tpp, &["https://tpp.example/cb"]).await["client_secret"].clone();
    let secret = secret.as_str().unwrap();
    let revoke = |form: &str| Request::new("POST", "/auth/nl/v1/token/revoke").form(form);
    let answer = server.send(&revoke("token=x").set("authorization", basic(ID, secret))).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""), "an unknown token is as good as ended");
    let answer = server.send(&revoke("token=x").set("authorization", basic(ID, "wrong"))).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (401, "invalid_client"));
    let answer = server.send(&revoke("").set("authorization", basic(ID, secret))).await;
    assert_eq!((answer.status, answer.error().1.as_str()), (400, "parameter token is missing"));

    for method in ["GET", "POST"] {
        let request = Request::new(method, "/auth/nl/v1/userinfo");
        for request in [request.clone(), request.set("authorization", "Bearer x")] {
            let answer = server.send(&request).await;
            assert_eq!((answer.status, answer.error().0.as_str()), (400, "invalid_token"), "{}", answer.body);
        }
    }
}
