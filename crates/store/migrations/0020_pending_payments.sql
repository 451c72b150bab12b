-- Only the interface without authorisations of payments looks for those that wait; payments elsewhere are written without
-- a row of this index.

DROP INDEX payments_by_debtor;

CREATE INDEX payments_by_debtor ON payments (debtor, tpp, expires_at) WHERE decision = 'pending' AND interface = 'bunq';
