-- What every call wrote and few need: keys with each initial access token instead of once with the certificate, and
-- consents that nobody decided about among those of customers.

ALTER TABLE certificates ADD COLUMN signing_key TEXT;

UPDATE certificates SET signing_key = known.signing_key
FROM (SELECT certificate, MAX(signing_key) AS signing_key FROM initial_access_tokens GROUP BY certificate) AS known
WHERE certificates.fingerprint = known.certificate;

ALTER TABLE initial_access_tokens DROP COLUMN signing_key;

DROP INDEX consents_by_customer;

CREATE INDEX consents_by_customer ON consents (customer, tpp) WHERE customer IS NOT NULL;

-- What customers decided about, for a third party that registers anew or is blocked.
CREATE INDEX consents_by_tpp ON consents (tpp, interface) WHERE customer IS NOT NULL;
