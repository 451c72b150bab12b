-- What happened at the bank by itself, in order, for gateways that are told so (core bank interface). Moments are seconds since 1970.

CREATE TABLE bank_events (
    number BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    told TEXT NOT NULL
);
