-- What was accepted from outside, by its key, with the SHA-256 of its body: the same key with another body is refused.
CREATE TABLE intake (
    account_id TEXT NOT NULL REFERENCES account (id),
    event_type TEXT NOT NULL,
    event_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    deliveries INTEGER NOT NULL,
    accepted_at_ms INTEGER NOT NULL,
    UNIQUE (account_id, event_type, event_id)
) STRICT;
CREATE INDEX intake_age ON intake (accepted_at_ms);
