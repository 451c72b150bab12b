-- Payments that third parties ask for, and postings that are known to the second.

CREATE TABLE payments (
    id TEXT PRIMARY KEY,
    tpp TEXT,
    tenant TEXT NOT NULL,
    debtor TEXT,
    transfers TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decision TEXT NOT NULL,
    customer TEXT,
    account TEXT,
    last_action_at BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX payments_by_tpp ON payments (tpp, tenant, decision, created_at);

ALTER TABLE postings ADD COLUMN entered_at BIGINT;

CREATE INDEX postings_by_time ON postings (account, booking_date) WHERE entered_at IS NOT NULL;

CREATE INDEX consents_by_customer ON consents (customer, tpp);

CREATE INDEX consents_without_customer ON consents (tenant, created_at) WHERE customer IS NULL;
