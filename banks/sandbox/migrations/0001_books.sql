-- The books: double entry, amounts in minor units, dates as text in ISO 8601, times as seconds since 1970. Databases of
-- earlier versions have these tables already, made by migrations of the gateway.

CREATE TABLE IF NOT EXISTS customers (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    digipass_number TEXT NOT NULL,
    persona TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX IF NOT EXISTS customers_by_persona ON customers (tenant, persona);

-- What of an account is set aside for orders is in minor units, too.
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    iban TEXT NOT NULL,
    currency TEXT NOT NULL,
    product TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    credit_limit BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    reserved BIGINT NOT NULL DEFAULT 0
);

CREATE UNIQUE INDEX IF NOT EXISTS accounts_by_iban ON accounts (tenant, iban, currency);

-- The place is that of an account among those of its holder, oldest first.
CREATE TABLE IF NOT EXISTS account_holders (
    customer TEXT NOT NULL,
    account TEXT NOT NULL,
    place BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (customer, account)
);

CREATE INDEX IF NOT EXISTS account_holders_by_account ON account_holders (account);

CREATE UNIQUE INDEX IF NOT EXISTS account_holders_by_place ON account_holders (customer, place);

-- One leg of an entry. The legs of an entry add up to nothing. The place is that in the history of its account.
CREATE TABLE IF NOT EXISTS postings (
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
    entered_at BIGINT,
    place BIGINT,
    PRIMARY KEY (entry, account)
);

CREATE INDEX IF NOT EXISTS postings_by_account ON postings (account, booking_date, sequence);

CREATE INDEX IF NOT EXISTS postings_by_time ON postings (account, booking_date) WHERE entered_at IS NOT NULL;

CREATE INDEX IF NOT EXISTS postings_by_place ON postings (account, place) WHERE place IS NOT NULL;

-- What the bank took to make: payments that do not end when they are taken, or of which more is told than that they were
-- made.
CREATE TABLE IF NOT EXISTS orders (
    payment TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    account TEXT NOT NULL,
    terms TEXT NOT NULL,
    transfers TEXT NOT NULL,
    step TEXT NOT NULL,
    due_at BIGINT,
    status TEXT NOT NULL,
    reason TEXT,
    since BIGINT NOT NULL,
    refused TEXT NOT NULL,
    reserved BIGINT NOT NULL,
    executions BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX IF NOT EXISTS orders_by_due ON orders (tenant, due_at) WHERE due_at IS NOT NULL;

CREATE INDEX IF NOT EXISTS orders_by_account ON orders (account) WHERE reserved > 0;
