// The registration at bunq's interface, call by call, up to a session, and on to a customer's accounts.

const call = (name, title, method, path, rest = {}) => {
  const { token, json, ...others } = rest;
  const headers = {
    ...(json && { "content-type": "application/json" }),
    ...(token && { "x-bunq-client-authentication": `{{${token}}}` }),
  };
  const body = json && { json };
  return {
    name,
    title,
    status: 200,
    call: { sign: "bunq", method, path: `/bunq/v1${path}`, headers, ...body },
    ...others,
  };
};

const registering = "tpp register --dialect bunq --redirect-uri {{redirectUri}}";
const CLIENT = "/user/{{userId}}/oauth-client";

export const bunq = (tenant) => ({
  id: "bunq",
  dialect: "bunq",
  title: "bunq, call by call",
  only: "nl",
  about:
    tenant === "nl"
      ? "Installation, certificate, device, session; then a customer and their accounts."
      : "This interface serves the customers of the Dutch tenant alone.",
  steps: [
    call("installation", "Register a key", "POST", "/installation", {
      about: "The one call without a token. What comes back opens the next three doors.",
      json: { client_public_key: "{{publicKey}}" },
      keep: { installationToken: "Response.1.Token.token" },
      cli: registering,
    }),
    call("credential", "Trade the certificate for an API key", "POST", "/payment-service-provider-credential", {
      about: "The certificate’s key signs the public key and the installation’s token, so that both are yours.",
      token: "installationToken",
      json: {
        client_payment_service_provider_certificate: "{{certificate}}",
        client_payment_service_provider_certificate_chain: "{{chain}}",
        client_public_key_signature: "{{publicKeySignature}}",
      },
      keep: { apiKey: "Response.0.CredentialPasswordIp.token_value" },
      cli: registering,
    }),
    call("device", "Register a device", "POST", "/device-server", {
      about: "The first use of the API key, which would be lost after an hour.",
      token: "installationToken",
      json: { description: "Portal", secret: "{{apiKey}}", permitted_ips: ["*"] },
      cli: registering,
    }),
    call("session", "Open a session", "POST", "/session-server", {
      about: "The one call of these that has to be signed.",
      token: "installationToken",
      json: { secret: "{{apiKey}}" },
      keep: { sessionToken: "Response.1.Token.token", userId: "Response.2.UserPaymentServiceProvider.id" },
      cli: registering,
    }),
    call("client", "Make an OAuth client", "POST", CLIENT, {
      about: "One for each service provider.",
      token: "sessionToken",
      json: { status: "ACTIVE" },
      already: "one active OAuth Client",
      cli: "tpp oauth-client --dialect bunq",
    }),
    call("secret", "Read its id and secret", "GET", CLIENT, {
      token: "sessionToken",
      keep: {
        oauthClient: "Response.0.OauthClient.id",
        clientId: "Response.0.OauthClient.client_id",
        clientSecret: "Response.0.OauthClient.secret",
      },
      cli: "tpp oauth-client --dialect bunq --secrets",
    }),
    call("callback", "Add your redirect URI", "POST", `${CLIENT}/{{oauthClient}}/callback-url`, {
      token: "sessionToken",
      json: { url: "{{redirectUri}}" },
      already: "already been registered",
      cli: "tpp oauth-client --dialect bunq --redirect-uri {{redirectUri}}",
    }),
    {
      name: "approve",
      title: "The customer decides at the bank",
      about: "Decide on the phone at the side, or open the bank’s own page in another tab.",
      approval: {
        url: "{{bank}}/bunq/auth?response_type=code&client_id={{clientId}}&redirect_uri={{redirectUri:encoded}}&state={{state}}",
        decision: "approve",
      },
      keep: { code: "code" },
      cli: "tpp authorise --dialect bunq --headless approve --customer-iban {{iban}}",
    },
    {
      name: "token",
      title: "Trade the code for an access token",
      about: "Everything stands in the query here, as this bank has it.",
      call: {
        sign: "none",
        method: "POST",
        path:
          "/bunq/v1/token?grant_type=authorization_code&code={{code}}&redirect_uri={{redirectUri:encoded}}" +
          "&client_id={{clientId}}&client_secret={{clientSecret}}",
        headers: {},
      },
      keep: { accessToken: "access_token" },
      status: 200,
    },
    call("connect", "Open a session for the customer", "POST", "/session-server", {
      about: "The access token takes the place of the API key.",
      token: "installationToken",
      json: { secret: "{{accessToken}}" },
      keep: { customerToken: "Response.1.Token.token", customerId: "Response.2.UserApiKey.id" },
    }),
    call("accounts", "Read the accounts", "GET", "/user/{{customerId}}/monetary-account", {
      token: "customerToken",
      members: ["Response.0.MonetaryAccountBank.balance.value"],
      cli: "tpp accounts --dialect bunq",
    }),
  ],
});
