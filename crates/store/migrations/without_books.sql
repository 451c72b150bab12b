-- What a new database runs after all other migrations. The tables of a sandbox's books were made by some of them, and have
-- migrations of their own since (banks/sandbox/migrations): a bank that keeps none has no tables for them.

DROP TABLE postings;

DROP TABLE orders;

DROP TABLE account_holders;

DROP TABLE accounts;

DROP TABLE customers;
