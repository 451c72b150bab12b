-- What the bank's staff does and looks for. Blocks of third parties can end by themselves, and have a reason. Third parties are found by
-- the beginning of their names and by their authorisation numbers, which stand behind country and authority in the id.

-- Consents of a third party are listed by these indexes, too: they take the place of two that were written as often.

CREATE INDEX consents_of_tpp ON consents (tpp, id) WHERE customer IS NOT NULL;

CREATE INDEX funds_consents_of_tpp ON funds_consents (tpp, id) WHERE customer IS NOT NULL;

CREATE INDEX payments_of_tpp ON payments (tpp, id) WHERE decision <> 'pending';

-- Sessions of a customer whose data are erased.

CREATE INDEX sessions_of_customer ON sessions (customer) WHERE customer IS NOT NULL;

CREATE INDEX customer_sessions_of_customer ON customer_sessions (customer) WHERE customer IS NOT NULL;

CREATE INDEX tpps_by_name ON tpps (lower(name), id);

CREATE INDEX tpps_by_number ON tpps (substr(ltrim(substr(id, 7), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'), 2));

CREATE INDEX tpps_blocked ON tpps (blocked_at, id) WHERE blocked_at IS NOT NULL;

-- From here on nobody reads these tables until all of it is done.

ALTER TABLE tpps ADD COLUMN blocked_until BIGINT;

ALTER TABLE tpps ADD COLUMN blocked_reason TEXT;

DROP INDEX consents_by_tpp;

DROP INDEX funds_consents_by_tpp;
