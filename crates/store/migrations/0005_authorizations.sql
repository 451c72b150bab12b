-- Consents that the third party has to confirm, and those that were made when a browser arrived (Access in the domain),
-- told apart without reading what they say; and what is waiting, by the account that pays.

ALTER TABLE consents ADD COLUMN needs_confirmation BIGINT NOT NULL DEFAULT 1;

UPDATE consents SET needs_confirmation = 0 WHERE access LIKE '{"Chosen"%' OR access = '"Payment"';

CREATE INDEX IF NOT EXISTS grants_by_client ON grants (client) WHERE ended_at IS NULL;

DROP INDEX IF EXISTS payments_by_tpp;

CREATE INDEX IF NOT EXISTS payments_by_debtor ON payments (debtor, tpp, expires_at) WHERE decision = 'pending';
