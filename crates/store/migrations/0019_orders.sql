-- What a sandbox bank took to make: payments that do not end when they are taken, or of which more is told than that they
-- were made.

CREATE TABLE orders (
    payment TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    account TEXT NOT NULL,
    terms TEXT NOT NULL,
    transfers TEXT NOT NULL,
    step TEXT NOT NULL,
    due_at BIGINT,
    status TEXT NOT NULL,
    reason TEXT,
    since BIGINT NOT NULL,
    refused TEXT NOT NULL,
    reserved BIGINT NOT NULL,
    executions BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX orders_by_due ON orders (tenant, due_at) WHERE due_at IS NOT NULL;

CREATE INDEX orders_by_account ON orders (account) WHERE reserved > 0;

-- What of an account is set aside for orders, in minor units.

ALTER TABLE accounts ADD COLUMN reserved BIGINT NOT NULL DEFAULT 0;
