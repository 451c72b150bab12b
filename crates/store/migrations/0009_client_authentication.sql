-- How clients prove themselves beside the secret, and with which key: SubjectPublicKeyInfo in PEM.

ALTER TABLE tpps ADD COLUMN authentication TEXT;

ALTER TABLE tpps ADD COLUMN signing_key TEXT;

ALTER TABLE initial_access_tokens ADD COLUMN signing_key TEXT;

-- Assertions are taken once. Each is of no interest any more when it has expired.
CREATE TABLE client_assertions (
    hash TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX client_assertions_by_expiry ON client_assertions (tenant, expires_at);
