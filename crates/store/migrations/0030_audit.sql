-- The audit trail: groups of entries, each a line with its hash and its text, under the number of its first entry in sixteen digits. Every
-- group moves the one head on, so that any number of processes write one chain.

CREATE TABLE audit (
    first_number TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('calls', 'acts')),
    written_at BIGINT NOT NULL,
    previous_hash TEXT NOT NULL,
    entries TEXT NOT NULL
);

CREATE INDEX audit_by_time ON audit (written_at, first_number);

CREATE INDEX audit_of_acts ON audit (first_number) WHERE kind = 'acts';

CREATE TABLE audit_head (
    name TEXT PRIMARY KEY,
    number BIGINT NOT NULL,
    hash TEXT NOT NULL,
    written_at BIGINT NOT NULL
);

INSERT INTO audit_head (name, number, hash, written_at)
VALUES ('audit', 0, '0000000000000000000000000000000000000000000000000000000000000000', 0);
