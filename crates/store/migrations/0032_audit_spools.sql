-- Calls stand in files of the processes before they are written. Where a group stood is part of it, so that it is written once however
-- often it is taken, and nobody has to note anything beside.

ALTER TABLE audit ADD COLUMN spool TEXT;

ALTER TABLE audit ADD COLUMN spool_from BIGINT;

ALTER TABLE audit ADD COLUMN spool_until BIGINT;

CREATE UNIQUE INDEX audit_of_spools ON audit (spool, spool_from) WHERE spool IS NOT NULL;
