-- Wrong answers are counted for each customer and third party. Counts of the older kind, which ended within minutes, are
-- dropped with their table.

DROP TABLE log_in_failures;

CREATE TABLE log_in_failures (
    tenant TEXT NOT NULL,
    psu TEXT NOT NULL,
    tpp TEXT NOT NULL,
    count BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    PRIMARY KEY (tenant, psu, tpp)
);

-- In whose name a challenge was answered wrongly.
ALTER TABLE sessions ADD COLUMN named TEXT;

CREATE INDEX sessions_by_named ON sessions (named, seen_at) WHERE named IS NOT NULL;
