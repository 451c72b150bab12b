// The flows of the Berlin Group dialect: what is called, in which order, and which values go from step to step. They are
// data: the page sends them, "Save as test" writes them down, and `vestibule tpp replay` does the same with the file.
//
// A step is a call, or what the customer does. `{{name}}` stands for a value: of the third party, of the customer, or of
// what `keep` took from an answer before, by path. `status` is what a good answer has, `stable` are members that are the
// same in every run, `members` some that are always there, and `already` is what the bank says when an earlier run did it.

const JSON_BODY = { "content-type": "application/json" };
const BEARER = { authorization: "Bearer {{accessToken}}" };
const ASKING = { ...JSON_BODY, "psu-ip-address": "127.0.0.1", "tpp-redirect-uri": "{{redirectUri}}" };

const call = (name, title, call, rest) => ({
  name,
  title,
  call: { sign: "berlin-group", headers: {}, ...call },
  ...rest,
});

/** What every third party does once. Safe to repeat: the secret and the redirect URIs are replaced. */
const enrol = [
  call(
    "onboard",
    "Ask for an initial access token",
    { method: "GET", path: "/xs2a-bg/{{tenant}}/onboarding/v1" },
    {
      about: "The signature says who you are. The answer is a token that registers you once.",
      keep: { initialAccessToken: "access_token" },
      status: 200,
      cli: "tpp register --tenant {{tenant}} --redirect-uri {{redirectUri}}",
    },
  ),
  call(
    "register",
    "Register, with your redirect URI",
    {
      method: "POST",
      path: "/auth/{{tenant}}/v1/registration",
      headers: { authorization: "Bearer {{initialAccessToken}}" },
      form: { initial_access_token: "{{initialAccessToken}}", redirect_uris: "{{redirectUri}}" },
    },
    {
      about: "Registering again replaces your redirect URIs and your secret.",
      keep: { clientId: "client_id", clientSecret: "client_secret" },
      status: 201,
      cli: "tpp register --tenant {{tenant}} --redirect-uri {{redirectUri}}",
    },
  ),
];

const approve = (cli) => ({
  name: "approve",
  title: "The customer decides at the bank",
  about: "Decide on the phone at the side, or open the bank’s own page in another tab.",
  approval: {
    url: "{{scaRedirect}}&code_challenge={{challenge}}&code_challenge_method=S256&state={{state}}",
    decision: "approve",
  },
  keep: { code: "code" },
  cli,
});

const token = call(
  "token",
  "Trade the code for tokens",
  {
    sign: "none",
    method: "POST",
    path: "/auth/{{tenant}}/v1/token",
    headers: { authorization: "Basic {{basic}}" },
    form: {
      grant_type: "authorization_code",
      code: "{{code}}",
      redirect_uri: "{{redirectUri}}",
      code_verifier: "{{verifier}}",
    },
  },
  {
    about: "Client id and secret say who asks; the verifier proves that you are who sent the customer.",
    keep: { accessToken: "access_token" },
    status: 200,
  },
);

const confirm = (path, rest) =>
  call(
    "confirm",
    "Confirm the authorisation",
    {
      method: "PUT",
      path: `/xs2a-bg/{{tenant}}${path}/authorisations/{{authorisationId}}`,
      headers: { ...JSON_BODY, ...BEARER },
    },
    { status: 200, stable: ["scaStatus"], ...rest },
  );

const asked = { authorisationId: "authorisationId", scaRedirect: "_links.scaRedirect" };
const read = (name, title, path, rest) =>
  call(
    name,
    title,
    {
      method: "GET",
      path: `/xs2a-bg/{{tenant}}/v1/accounts${path}`,
      headers: { "consent-id": "{{consentId}}", ...BEARER },
    },
    { status: 200, ...rest },
  );

export const ais = () => ({
  id: "ais",
  dialect: "berlin-group",
  title: "Read accounts",
  about: "From nothing to the first balance.",
  steps: [
    ...enrol,
    call(
      "consent",
      "Ask for a consent",
      {
        method: "POST",
        path: "/xs2a-bg/{{tenant}}/v1/consents",
        headers: ASKING,
        json: {
          access: { accounts: [], balances: [], transactions: [] },
          recurringIndicator: true,
          validUntil: "9999-12-31",
          frequencyPerDay: 4,
          combinedServiceIndicator: false,
        },
      },
      {
        about: "Empty lists let the customer choose an account at the bank; 9999-12-31 is as long as the bank allows.",
        keep: { consentId: "consentId", ...asked },
        status: 201,
        stable: ["consentStatus"],
        cli: "tpp consent --tenant {{tenant}}",
      },
    ),
    approve("tpp authorise --headless approve --customer-iban {{iban}}"),
    { ...token, cli: "tpp refresh" },
    confirm("/v1/consents/{{consentId}}", { about: "This makes the consent valid.", cli: "tpp status consent" }),
    read("accounts", "Read the accounts", "", {
      keep: { resourceId: "accounts.0.resourceId" },
      cli: "tpp accounts",
    }),
    read("balances", "Read the balances", "/{{resourceId}}/balances", {
      members: ["balances.0.balanceAmount.amount"],
      cli: "tpp balances",
    }),
    read("transactions", "Read the transactions", "/{{resourceId}}/transactions?bookingStatus=both", {
      members: ["transactions"],
      cli: "tpp transactions",
    }),
  ],
});

/** What is paid with: in pounds to a British account, or in euros to an IBAN. */
const POUNDS = {
  product: "uk-domestic-transfers",
  currency: "GBP",
  creditorAccount: { ukSortCode: "200000", ukAccountNumber: "55779911" },
  cli: "tpp pay --to 20-00-00/55779911",
};
const EUROS = {
  product: "sepa-credit-transfers",
  currency: "EUR",
  creditorAccount: { iban: "NL91ABNA0417164300" },
  cli: "tpp pay --to NL91ABNA0417164300",
};

const moneyOf = (tenant) => (tenant.startsWith("uk") ? POUNDS : EUROS);

export function pis(tenant) {
  const { product, currency, creditorAccount, cli } = moneyOf(tenant);
  const payment = `/v1/payments/${product}/{{paymentId}}`;
  return {
    id: "pis",
    dialect: "berlin-group",
    title: "Pay",
    about: "From nothing to a payment that the bank has made.",
    steps: [
      ...enrol,
      call(
        "payment",
        "Ask for a payment",
        {
          method: "POST",
          path: `/xs2a-bg/{{tenant}}/v1/payments/${product}`,
          headers: ASKING,
          json: {
            instructedAmount: { currency, amount: "1.50" },
            creditorAccount,
            creditorName: "Example Shop",
            remittanceInformationUnstructured: "Order 7",
          },
        },
        {
          about: "Nobody is named who pays: the customer chooses the account at the bank.",
          keep: { paymentId: "paymentId", ...asked },
          status: 201,
          stable: ["transactionStatus"],
          cli: `${cli} --name "Example Shop" --amount 1.50 --reference "Order 7"`,
        },
      ),
      approve("tpp authorise --payment --headless approve --customer-iban {{iban}}"),
      token,
      confirm(payment, { about: "This hands the payment to the bank." }),
      call(
        "status",
        "Ask what became of it",
        { method: "GET", path: `/xs2a-bg/{{tenant}}${payment}/status` },
        {
          status: 200,
          stable: ["transactionStatus"],
          cli: "tpp payment status",
        },
      ),
    ],
  };
}

const FUNDS = "/v2/consents/confirmation-of-funds";

export const funds = (tenant) => ({
  id: "funds",
  dialect: "berlin-group",
  title: "Check funds",
  about: "From nothing to the answer whether an account holds an amount.",
  steps: [
    ...enrol,
    call(
      "consent",
      "Ask for a consent about one account",
      {
        method: "POST",
        path: `/xs2a-bg/{{tenant}}${FUNDS}`,
        headers: ASKING,
        json: { account: { iban: "{{iban}}" } },
      },
      {
        keep: { consentId: "consentId", ...asked },
        status: 201,
        stable: ["consentStatus"],
        cli: "tpp funds consent --iban {{iban}}",
      },
    ),
    approve("tpp authorise --funds --headless approve --customer-iban {{iban}}"),
    token,
    confirm(`${FUNDS}/{{consentId}}`, { about: "This makes the consent valid.", cli: "tpp funds status" }),
    call(
      "funds",
      "Ask whether there is enough",
      {
        method: "POST",
        path: "/xs2a-bg/{{tenant}}/v1/funds-confirmations",
        headers: { ...JSON_BODY, "consent-id": "{{consentId}}", ...BEARER },
        json: {
          account: { iban: "{{iban}}" },
          instructedAmount: { currency: moneyOf(tenant).currency, amount: "1.00" },
        },
      },
      { status: 200, stable: ["fundsAvailable"], cli: "tpp funds --iban {{iban}} --amount 1.00" },
    ),
  ],
});
