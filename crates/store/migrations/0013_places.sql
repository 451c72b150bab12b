-- Places that are stored instead of counted: that of a transaction in the history of its account, and that of an
-- account among those of its holder, oldest first.

ALTER TABLE postings ADD COLUMN place BIGINT;

UPDATE postings SET place = numbered.place
FROM (
    SELECT entry, account, ROW_NUMBER() OVER (PARTITION BY account ORDER BY booking_date, sequence) AS place
    FROM postings WHERE balance_after IS NOT NULL
) AS numbered
WHERE postings.entry = numbered.entry AND postings.account = numbered.account;

CREATE INDEX postings_by_place ON postings (account, place) WHERE place IS NOT NULL;

ALTER TABLE account_holders ADD COLUMN place BIGINT NOT NULL DEFAULT 0;

-- Which of them was opened first was not kept; they stay in the order in which they were listed.
UPDATE account_holders SET place = numbered.place
FROM (
    SELECT h.customer, h.account, ROW_NUMBER() OVER (PARTITION BY h.customer ORDER BY a.product, a.id) AS place
    FROM account_holders h JOIN accounts a ON a.id = h.account
) AS numbered
WHERE account_holders.customer = numbered.customer AND account_holders.account = numbered.account;

CREATE UNIQUE INDEX account_holders_by_place ON account_holders (customer, place);
