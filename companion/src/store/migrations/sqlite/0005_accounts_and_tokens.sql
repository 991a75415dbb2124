-- Any number of accounts, and tokens that open them. Of a token its SHA-256 is stored, and the characters at its end that audit
-- logs show. A token without an account is an operator's. The token of `dev` has a row here as well; its text stays in
-- `installation`, since `dev` prints it at each start.
ALTER TABLE account ADD COLUMN created_at_ms INTEGER;
ALTER TABLE account ADD COLUMN disabled_at_ms INTEGER;
CREATE UNIQUE INDEX account_name ON account (name);

CREATE TABLE token (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    account_id TEXT REFERENCES account (id),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    ends_in TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    last_used_at_ms INTEGER,
    revoked_at_ms INTEGER
) STRICT;
CREATE INDEX token_of ON token (account_id);
