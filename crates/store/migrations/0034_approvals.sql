-- When a customer approved what a third party asked for. The third party confirms it later, and what the customer withdraws at the bank in
-- between is withdrawn. Of rows that were approved before it is not known.

ALTER TABLE consents ADD COLUMN approved_at BIGINT;

ALTER TABLE funds_consents ADD COLUMN approved_at BIGINT;
