-- Consents, their authorisation, and the tokens that come from it.
-- Dates are text in ISO 8601, which sorts as they do; times are seconds since 1970; truth values are 0 and 1.

CREATE TABLE consents (
    id TEXT PRIMARY KEY,
    tpp TEXT NOT NULL,
    tenant TEXT NOT NULL,
    access TEXT NOT NULL,
    granted TEXT NOT NULL,
    recurring BIGINT NOT NULL,
    valid_until TEXT NOT NULL,
    frequency_per_day BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    customer TEXT,
    decision TEXT NOT NULL,
    last_action_at BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE TABLE authorisations (
    id TEXT PRIMARY KEY,
    consent TEXT NOT NULL,
    number BIGINT NOT NULL,
    redirect_uri TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    progress TEXT NOT NULL,
    customer TEXT,
    wrong_answers BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE UNIQUE INDEX authorisations_by_consent ON authorisations (consent, number);

-- What a request with this id made, so that the same request again makes nothing new.
CREATE TABLE requests (
    key TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    made TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX requests_by_expiry ON requests (tenant, expires_at);

-- Browsers at the bank's pages.
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    authorisation TEXT NOT NULL,
    request TEXT NOT NULL,
    challenge TEXT NOT NULL,
    language TEXT NOT NULL,
    customer TEXT,
    authenticated_at BIGINT,
    seen_at BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX sessions_by_time ON sessions (tenant, seen_at);

CREATE TABLE log_in_failures (
    tenant TEXT NOT NULL,
    psu TEXT NOT NULL,
    count BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    PRIMARY KEY (tenant, psu)
);

CREATE TABLE authorization_codes (
    hash TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    authorisation TEXT NOT NULL,
    request TEXT NOT NULL,
    customer TEXT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    grant_id TEXT,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX authorization_codes_by_expiry ON authorization_codes (tenant, expires_at);

CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    tenant TEXT NOT NULL,
    consent TEXT NOT NULL,
    authorisation TEXT NOT NULL,
    customer TEXT NOT NULL,
    offline_access BIGINT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    ended_at BIGINT,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX grants_by_consent ON grants (consent);

CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('access', 'refresh')),
    certificate TEXT,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX tokens_by_expiry ON tokens (tenant, expires_at);

CREATE TABLE pushed_requests (
    hash TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    client TEXT NOT NULL,
    parameters TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX pushed_requests_by_expiry ON pushed_requests (tenant, expires_at);

-- Unattended reads of one day, and the first read of history, for each consent and account.
CREATE TABLE read_counts (
    consent TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    day TEXT NOT NULL,
    count BIGINT NOT NULL CHECK (count > 0),
    PRIMARY KEY (consent, account, kind)
);

CREATE TABLE first_reads (
    consent TEXT NOT NULL,
    account TEXT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (consent, account)
);
