-- What an authorisation is about, and the grant that comes of it, is a kind and an id. What was about one payment had a
-- consent that was made for it: such authorisations are about the payment, and those consents go.

CREATE TABLE attempts_at_payments (authorisation TEXT PRIMARY KEY, payment TEXT NOT NULL);

-- The browser knew the payment.
INSERT INTO attempts_at_payments (authorisation, payment)
SELECT s.authorisation, MIN(p.id)
FROM sessions s JOIN payments p ON s.request LIKE '%"payment":"' || p.id || '"%'
WHERE s.request LIKE '%"payment":"%' AND p.debtor IS NULL AND p.tenant = s.tenant
GROUP BY s.authorisation;

-- Browsers are forgotten; what was approved was approved in the batch that made the payment.
INSERT INTO attempts_at_payments (authorisation, payment)
SELECT a.id, MIN(p.id)
FROM consents c JOIN authorisations a ON a.consent = c.id
JOIN payments p ON p.customer = c.customer AND p.last_action_at = c.last_action_at AND p.tpp = c.tpp
    AND p.tenant = c.tenant
WHERE c.access = '"Payment"' AND a.progress = 'confirmed' AND p.decision = 'executed' AND p.debtor IS NULL
    AND a.id NOT IN (SELECT authorisation FROM attempts_at_payments)
GROUP BY a.id;

-- Of what came to nothing, and whose browser is forgotten, nobody can ask any more.
DELETE FROM authorisations
WHERE consent IN (SELECT id FROM consents WHERE access = '"Payment"')
    AND id NOT IN (SELECT authorisation FROM attempts_at_payments);

DELETE FROM consents WHERE access = '"Payment"';

DROP INDEX IF EXISTS authorisations_by_consent;

ALTER TABLE authorisations RENAME COLUMN consent TO subject_id;

ALTER TABLE authorisations ADD COLUMN subject_kind TEXT NOT NULL DEFAULT 'consent';

UPDATE authorisations SET subject_kind = 'payment', subject_id = attempts.payment, number = attempts.number
FROM (
    SELECT t.authorisation, t.payment, ROW_NUMBER() OVER (PARTITION BY t.payment ORDER BY a.created_at, a.id) AS number
    FROM attempts_at_payments t JOIN authorisations a ON a.id = t.authorisation
) AS attempts
WHERE authorisations.id = attempts.authorisation;

CREATE UNIQUE INDEX authorisations_by_subject ON authorisations (subject_id, subject_kind, number);

DROP TABLE attempts_at_payments;

DROP INDEX IF EXISTS grants_by_consent;

ALTER TABLE grants RENAME COLUMN consent TO subject_id;

ALTER TABLE grants ADD COLUMN subject_kind TEXT NOT NULL DEFAULT 'consent';

CREATE INDEX grants_by_subject ON grants (subject_id);

-- Requests of sessions and codes are JSON of the program itself: within a text each quotation mark has a backslash before
-- it, so that only names of members can be found. The rules by which a request is answered are those of its interface.

UPDATE sessions SET request = REPLACE(
    REPLACE(request, '"consent":"', '"made_for_it":"'), '"payment":"', '"subject_kind":"payment","subject_id":"')
WHERE request LIKE '%"payment":"%';

UPDATE sessions SET request = REPLACE(request, '"consent":"', '"subject_kind":"consent","subject_id":"');

UPDATE sessions SET request = REPLACE(
    REPLACE(request, '"profile":"Plain"', '"interface":"bunq"'), '"profile":"OpenId"', '"interface":"berlin-group"');

UPDATE sessions SET request = REPLACE(request, '"client":"', '"interface":"berlin-group","client":"')
WHERE request NOT LIKE '%"interface":"%';

UPDATE authorization_codes SET request = REPLACE(request, '"consent":"', '"subject_kind":"consent","subject_id":"');

UPDATE authorization_codes SET request = REPLACE(
    REPLACE(request, '"profile":"Plain"', '"interface":"bunq"'), '"profile":"OpenId"', '"interface":"berlin-group"');

UPDATE authorization_codes SET request = REPLACE(request, '"client":"', '"interface":"berlin-group","client":"')
WHERE request NOT LIKE '%"interface":"%';
