-- A payment is executed in the batch that says so. What was approved before and not yet executed is decided by the books:
-- its money has moved, or it waits for the customer as before.

UPDATE payments SET decision = 'executed'
WHERE decision = 'approved' AND EXISTS (SELECT 1 FROM postings WHERE postings.entry = payments.id || '-0');

UPDATE payments SET decision = 'pending', customer = NULL, account = NULL WHERE decision = 'approved';

UPDATE payments SET decision = 'rejected' WHERE decision = 'failed';
