-- Browsers of customers in the bank's own pages, where no third party sent them.

CREATE TABLE customer_sessions (
    hash TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    challenge TEXT NOT NULL,
    named TEXT,
    wrong_answers BIGINT NOT NULL,
    language TEXT NOT NULL,
    customer TEXT,
    authenticated_at BIGINT,
    seen_at BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX customer_sessions_by_time ON customer_sessions (tenant, seen_at);

CREATE INDEX customer_sessions_by_named ON customer_sessions (named, seen_at) WHERE named IS NOT NULL;

-- What customers see of their payments: by the account that pays, and those that were decided without one.

CREATE INDEX payments_by_account ON payments (account, last_action_at) WHERE account IS NOT NULL;

CREATE INDEX payments_decided ON payments (debtor, last_action_at) WHERE debtor IS NOT NULL AND decision <> 'pending';

-- When a third party last used what a customer gave it; written down now and then.

ALTER TABLE consents ADD COLUMN last_used_at BIGINT;

ALTER TABLE funds_consents ADD COLUMN last_used_at BIGINT;
