-- A refresh or a registration whose answer was lost can be repeated.

-- Tokens of a refresh that nobody has used yet.
ALTER TABLE tokens ADD COLUMN fresh BIGINT NOT NULL DEFAULT 0;

-- Which request an initial access token was used by.
ALTER TABLE initial_access_tokens ADD COLUMN used_by TEXT;
