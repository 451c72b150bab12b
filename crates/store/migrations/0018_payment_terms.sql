-- Payments have a kind, a product and a time, belong to an interface, and can need several customers. What was executed is
-- with the bank: it was made at once.

ALTER TABLE payments ADD COLUMN interface TEXT NOT NULL DEFAULT 'bunq';

ALTER TABLE payments ADD COLUMN terms TEXT NOT NULL
    DEFAULT '{"service":"single","product":"sepa-credit-transfers","execution":"at-once"}';

ALTER TABLE payments ADD COLUMN reason TEXT;

ALTER TABLE payments ADD COLUMN approved_by TEXT;

UPDATE payments SET approved_by = '["' || customer || '"]' WHERE customer IS NOT NULL;

ALTER TABLE payments DROP COLUMN customer;

UPDATE payments SET decision = 'submitted' WHERE decision = 'executed';

-- An authorisation is for the approval of its subject, or for the cancellation of a payment that was approved.

ALTER TABLE authorisations ADD COLUMN purpose TEXT NOT NULL DEFAULT 'approval';
