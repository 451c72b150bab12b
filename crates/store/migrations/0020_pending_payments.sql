-- Payments that wait are found by the account that was named, for its customers as for a third party: what is over is left
-- out by the index.

DROP INDEX payments_by_debtor;

CREATE INDEX payments_by_debtor ON payments (debtor, expires_at) WHERE decision = 'pending';
