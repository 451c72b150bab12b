-- When a row may be forgotten, where that does not follow from one of its other columns. Times are seconds since 1970, by
-- the clock of the tenant. Each index is the whole condition of a clean-up, which so reads no row that it does not delete.

ALTER TABLE consents ADD COLUMN forget_at BIGINT;

UPDATE consents SET forget_at = last_action_at + 2678400 WHERE decision IN ('pending', 'rejected');

UPDATE consents SET forget_at = last_action_at + 50198400 WHERE forget_at IS NULL;

DROP INDEX consents_without_customer;

CREATE INDEX consents_by_end ON consents (tenant, forget_at);

ALTER TABLE payments ADD COLUMN forget_at BIGINT;

UPDATE payments SET forget_at = expires_at + 34560000 WHERE decision <> 'executed';

CREATE INDEX payments_by_end ON payments (tenant, forget_at) WHERE forget_at IS NOT NULL;

CREATE INDEX log_in_failures_by_time ON log_in_failures (tenant, last_at);

ALTER TABLE private_state ADD COLUMN tenant TEXT;

ALTER TABLE private_state ADD COLUMN forget_at BIGINT;

CREATE INDEX private_state_by_end ON private_state (tenant, forget_at) WHERE forget_at IS NOT NULL;
