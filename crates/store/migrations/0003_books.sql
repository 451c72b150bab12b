-- The books of a sandbox bank: double entry, amounts in minor units.

CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    digipass_number TEXT NOT NULL,
    persona TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX customers_by_persona ON customers (tenant, persona);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    iban TEXT NOT NULL,
    currency TEXT NOT NULL,
    product TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    credit_limit BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE UNIQUE INDEX accounts_by_iban ON accounts (tenant, iban, currency);

CREATE TABLE account_holders (
    customer TEXT NOT NULL,
    account TEXT NOT NULL,
    PRIMARY KEY (customer, account)
);

CREATE INDEX account_holders_by_account ON account_holders (account);

-- One leg of an entry. The legs of an entry add up to nothing.
CREATE TABLE postings (
    entry TEXT NOT NULL,
    account TEXT NOT NULL,
    entered_on TEXT NOT NULL,
    booking_date TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    value_date TEXT NOT NULL,
    amount BIGINT NOT NULL,
    balance_after BIGINT,
    counterparty_name TEXT,
    counterparty_iban TEXT,
    remittance TEXT,
    code TEXT,
    end_to_end_id TEXT,
    PRIMARY KEY (entry, account)
);

CREATE INDEX postings_by_account ON postings (account, booking_date, sequence);
