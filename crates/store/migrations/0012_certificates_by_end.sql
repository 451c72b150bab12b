-- Certificates that nobody can use any more are forgotten 500 days after their last second, unless a third party is known
-- by them.

ALTER TABLE certificates ADD COLUMN forget_at BIGINT;

UPDATE certificates SET forget_at = not_after + 43200000;

CREATE INDEX certificates_by_end ON certificates (forget_at);
