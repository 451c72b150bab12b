-- Who does what one process does for all that share the database, and until when: seconds since 1970.

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    ends_at BIGINT NOT NULL
);
