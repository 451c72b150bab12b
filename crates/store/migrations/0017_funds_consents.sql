-- Consents for confirmation of funds. They have no last day: while one is good, nothing says when it may be forgotten.

CREATE TABLE funds_consents (
    id TEXT PRIMARY KEY,
    tpp TEXT NOT NULL,
    tenant TEXT NOT NULL,
    interface TEXT NOT NULL,
    account TEXT NOT NULL,
    card TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    customer TEXT,
    decision TEXT NOT NULL,
    last_action_at BIGINT NOT NULL,
    forget_at BIGINT,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX funds_consents_by_customer ON funds_consents (customer) WHERE customer IS NOT NULL;

CREATE INDEX funds_consents_by_tpp ON funds_consents (tpp, interface) WHERE customer IS NOT NULL;

CREATE INDEX funds_consents_by_end ON funds_consents (tenant, forget_at) WHERE forget_at IS NOT NULL;
