"""Goes through OpenID Connect at a bank with a client library that shares no code with the bank.

Reads one JSON object from standard input:

    issuer, clientId, clientSecret, redirectUri   a tenant of the bank and a registration there
    scope, secondScope                            each `openid offline_access` and one open consent
    approvals, iban                               approves authorization URLs in a customer's place
    resourceServer                                `id` and `secret` for introspection
    algorithm                                     of ID tokens: `RS256` or `ES256`

Everything else comes from discovery. Prints a JSON object with `checked`, the steps in order. The
first step that fails ends the program with a message and status 1.
"""

import json
import os
import sys
from urllib.parse import parse_qsl, urlencode, urlsplit

# Tests have no TLS between two programs on one machine.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2 import rfc9207
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.jwk import KeySet

REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
TIMEOUT = 30


class Metadata(OpenIDProviderMetadata):
    """The library's own checks but one: a bank that signs with ES256 alone may say so."""

    def validate_id_token_signing_alg_values_supported(self):
        """Discovery 1.0 demands RS256 of every issuer, which FAPI 2.0 forbids."""


def expect(condition, text):
    if not condition:
        sys.exit(text)


def expect_status(response, status, what):
    text = f"{what}: status {response.status_code} instead of {status}: {response.text}"
    expect(response.status_code == status, text)


class Flow:
    """One client at one tenant, step by step."""

    def __init__(self, settings):
        self.settings = settings
        self.issuer = settings["issuer"]
        self.session = OAuth2Session(
            settings["clientId"],
            settings["clientSecret"],
            scope=settings["scope"],
            redirect_uri=settings["redirectUri"],
            code_challenge_method="S256",
            default_timeout=TIMEOUT,
        )
        # Neither proxies nor a .netrc of the user.
        self.session.trust_env = False
        self.metadata = None
        self.keys = None

    def get_json(self, url):
        response = self.session.get(url, withhold_token=True)
        expect_status(response, 200, url)
        return response.json()

    def discover(self):
        found = self.get_json(get_well_known_url(self.issuer, external=True))
        self.metadata = Metadata(found)
        self.metadata.validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
        for member, value in [
            ("issuer", self.issuer),
            ("authorization_response_iss_parameter_supported", True),
            ("id_token_signing_alg_values_supported", [self.settings["algorithm"]]),
        ]:
            expect(self.metadata[member] == value, f"{member}: {self.metadata[member]}")
        for member, value in [
            ("code_challenge_methods_supported", "S256"),
            ("grant_types_supported", "authorization_code"),
            ("grant_types_supported", "refresh_token"),
            ("token_endpoint_auth_methods_supported", "client_secret_basic"),
        ]:
            expect(value in self.metadata[member], f"{member}: {self.metadata[member]}")
        self.keys = KeySet.import_key_set(self.get_json(self.metadata["jwks_uri"]))

    def begin(self, scope):
        """An authorization URL with fresh secrets, which come along."""
        secrets = {"code_verifier": generate_token(64), "nonce": generate_token(20)}
        url, state = self.session.create_authorization_url(
            self.metadata["authorization_endpoint"], scope=scope, **secrets
        )
        return url, {**secrets, "state": state}

    def push(self, url):
        """Leaves the parameters of an authorization URL at the bank and makes the short URL."""
        response = self.session.post(
            self.metadata["pushed_authorization_request_endpoint"],
            data=dict(parse_qsl(urlsplit(url).query)),
            auth=self.session.client_auth("client_secret_basic"),
        )
        expect_status(response, 201, "pushed authorization request")
        pushed = response.json()
        expect(pushed["request_uri"].startswith(REQUEST_URI), f"request_uri: {pushed}")
        expect(type(pushed["expires_in"]) is int and pushed["expires_in"] > 0, f"{pushed}")
        query = {"client_id": self.session.client_id, "request_uri": pushed["request_uri"]}
        return f"{self.metadata['authorization_endpoint']}?{urlencode(query)}"

    def approve(self, url):
        """Where the customer's browser would go after approval."""
        approval = {"url": url, "iban": self.settings["iban"], "decision": "approve"}
        url = self.settings["approvals"]
        response = self.session.post(url, json=approval, withhold_token=True)
        expect_status(response, 200, "approval")
        location = response.json()["location"]
        wanted = self.settings["redirectUri"]
        expect(location.startswith(wanted), f"the browser goes to {location}, not to {wanted}")
        return location

    def redeem(self, location, secrets):
        """Tokens for the code of a redirect whose issuer and state fit."""
        answer = dict(parse_qsl(urlsplit(location).query))
        expect("code" in answer, f"the authorization response is {answer}")
        expect(answer.get("iss") == self.issuer, f"iss is {answer.get('iss')}")
        token = self.session.fetch_token(
            self.metadata["token_endpoint"],
            authorization_response=location,
            state=secrets["state"],
            code_verifier=secrets["code_verifier"],
        )
        expect(token["token_type"].lower() == "bearer", f"token_type is {token['token_type']}")
        expect(token["expires_in"] > 0, f"expires_in is {token['expires_in']}")
        return token

    def id_token(self, token, nonce=None):
        """The claims of an ID token that is good."""
        decoded = jwt.decode(token["id_token"], self.keys, [self.settings["algorithm"]])
        options = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.session.client_id},
        }
        parameters = {
            "nonce": nonce,
            "client_id": self.session.client_id,
            "access_token": token["access_token"],
        }
        claims = CodeIDToken(decoded.claims, decoded.header, options, parameters)
        claims.validate()
        return claims

    def refresh(self, token, claims):
        """New tokens for the same customer (OpenID Connect Core 1.0, 12.2)."""
        refreshed = self.session.refresh_token(
            self.metadata["token_endpoint"], refresh_token=token["refresh_token"]
        )
        for member in ["access_token", "refresh_token"]:
            expect(refreshed[member] != token[member], f"{member} is the same after a refresh")
        again = self.id_token(refreshed)
        for claim in ["iss", "sub", "aud", "auth_time"]:
            expect(again[claim] == claims[claim], f"{claim} is another one after a refresh")
        return refreshed

    def check_user_info(self, claims):
        response = self.session.get(self.metadata["userinfo_endpoint"])
        expect_status(response, 200, "userinfo")
        expect(response.json()["sub"] == claims["sub"], f"userinfo: {response.json()}")

    def introspect(self, token):
        server = self.settings["resourceServer"]
        response = self.session.introspect_token(
            self.metadata["introspection_endpoint"],
            token=token,
            auth=(server["id"], server["secret"]),
        )
        expect_status(response, 200, "introspection")
        return response.json()

    def check_introspection(self, token, claims):
        answer = self.introspect(token["access_token"])
        for member, value in [
            ("active", True),
            ("client_id", self.session.client_id),
            ("sub", claims["sub"]),
            ("iss", self.issuer),
        ]:
            expect(answer.get(member) == value, f"introspection: {member} is wrong in {answer}")
        expect(set(answer["scope"].split()) == set(self.settings["scope"].split()), f"{answer}")

    def revoke(self, token):
        """Ends the refresh token, and with it all that came from it (RFC 7009, 2.1)."""
        response = self.session.revoke_token(
            self.metadata["revocation_endpoint"],
            token=token["refresh_token"],
            token_type_hint="refresh_token",
        )
        expect_status(response, 200, "revocation")
        try:
            self.session.refresh_token(
                self.metadata["token_endpoint"], refresh_token=token["refresh_token"]
            )
        except OAuthError:
            pass
        else:
            sys.exit("a refresh token works after its revocation")
        for member in ["access_token", "refresh_token"]:
            answer = self.introspect(token[member])
            expect(answer == {"active": False}, f"{member} after the revocation: {answer}")


def run(settings):
    """Yields the name of each step after it."""
    flow = Flow(settings)
    flow.discover()
    yield "discovery"
    url, secrets = flow.begin(settings["scope"])
    location = flow.approve(url)
    yield "authorization"
    token = flow.redeem(location, secrets)
    yield "code"
    claims = flow.id_token(token, secrets["nonce"])
    yield "ID token"
    token = flow.refresh(token, claims)
    yield "refresh"
    flow.check_user_info(claims)
    yield "userinfo"
    flow.check_introspection(token, claims)
    yield "introspection"
    flow.revoke(token)
    yield "revocation"
    url, secrets = flow.begin(settings["secondScope"])
    token = flow.redeem(flow.approve(flow.push(url)), secrets)
    again = flow.id_token(token, secrets["nonce"])
    expect(again["sub"] == claims["sub"], "the same customer has another subject")
    yield "pushed authorization request"


print(json.dumps({"checked": list(run(json.load(sys.stdin)))}))
