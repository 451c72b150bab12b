-- Who may still act, and where: third parties that the bank blocks, how long certificates are valid, and the interface
-- that consents and grants belong to. Of certificates that were recorded before, no end is known: the first and the last
-- second that there is.

ALTER TABLE tpps ADD COLUMN recognised_certificate TEXT;

ALTER TABLE tpps ADD COLUMN blocked_at BIGINT;

-- Who has no redirect URIs was recognised by a certificate and has not registered.
UPDATE tpps SET recognised_certificate = certificate WHERE redirect_uris = '[]';

ALTER TABLE certificates ADD COLUMN not_before BIGINT NOT NULL DEFAULT -377705023201;

ALTER TABLE certificates ADD COLUMN not_after BIGINT NOT NULL DEFAULT 253402207200;

ALTER TABLE consents ADD COLUMN interface TEXT NOT NULL DEFAULT 'berlin-group';

UPDATE consents SET interface = 'bunq' WHERE needs_confirmation = 0;

ALTER TABLE grants ADD COLUMN interface TEXT NOT NULL DEFAULT 'berlin-group';

UPDATE grants SET interface = 'bunq'
WHERE EXISTS (SELECT 1 FROM consents WHERE id = grants.consent AND interface = 'bunq');
