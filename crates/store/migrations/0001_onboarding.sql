-- Third parties, their certificates and the tokens they register with.
-- The text is the same for every database: times are seconds since 1970, hashes and lists are text.

CREATE TABLE tpps (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    certificate TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    sector_identifier_uri TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    registered_at BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE TABLE certificates (
    fingerprint TEXT PRIMARY KEY,
    serial TEXT NOT NULL,
    tpp TEXT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('test-client', 'qwac', 'qseal', 'external')),
    recorded_at BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'revoked', 'blocked')),
    status_since BIGINT,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX certificates_by_tpp ON certificates (tpp, kind, status);
CREATE INDEX certificates_by_status ON certificates (status);

CREATE TABLE initial_access_tokens (
    hash TEXT PRIMARY KEY,
    certificate TEXT NOT NULL,
    tenant TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX initial_access_tokens_by_expiry ON initial_access_tokens (tenant, expires_at);

-- What only one dialect or one bank understands, so that a new one needs no migration.
CREATE TABLE private_state (
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    PRIMARY KEY (owner, kind, key)
);
