-- One row: who the companion is. Kept so that a restart with the same data directory is the same Scalr.
CREATE TABLE installation (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    token TEXT NOT NULL
) STRICT;

CREATE TABLE account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

CREATE TABLE environment (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    UNIQUE (account_id, name)
) STRICT;

CREATE TABLE workspace (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environment (id),
    name TEXT NOT NULL,
    UNIQUE (environment_id, name)
) STRICT;

-- source_made tells whether AWS is known to have the partner source. A row with 0 is taken up by the reconciler.
CREATE TABLE connection (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    aws_account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    source TEXT NOT NULL,
    source_made INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'disabled', 'failed')),
    error_message TEXT,
    -- Counts what decided on the status: a look at AWS that took long must not undo what was decided meanwhile.
    decision INTEGER NOT NULL DEFAULT 0,
    created_at_ms INTEGER NOT NULL,
    UNIQUE (account_id, aws_account_id, region),
    UNIQUE (source, region)
) STRICT;

-- Partner sources whose connection is gone and which AWS may still have. One that AWS does not delete is kept, with
-- what AWS said and when it is asked again.
CREATE TABLE source_removal (
    source TEXT NOT NULL,
    region TEXT NOT NULL,
    aws_account_id TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    retry_at_ms INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    PRIMARY KEY (source, region, aws_account_id)
) STRICT;

CREATE TABLE audit_log_setting (
    account_id TEXT PRIMARY KEY REFERENCES account (id),
    connection_id TEXT REFERENCES connection (id) ON DELETE SET NULL
) STRICT;

CREATE TABLE run (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    status TEXT NOT NULL,
    is_dry INTEGER NOT NULL,
    is_destroy INTEGER NOT NULL,
    message TEXT,
    source TEXT NOT NULL,
    user_email TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    -- When the next step is taken; null once the run is over.
    step_at_ms INTEGER
) STRICT;
CREATE INDEX run_step ON run (step_at_ms) WHERE step_at_ms IS NOT NULL;

-- Accepted events that AWS has not taken yet. A lane is what order is kept in. version is that of detail's form.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    connection_id TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    event_id TEXT NOT NULL,
    lane TEXT NOT NULL,
    version INTEGER NOT NULL,
    detail_type TEXT NOT NULL,
    detail TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    accepted_at_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at_ms INTEGER NOT NULL,
    lease TEXT,
    leased_until_ms INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
) STRICT;
CREATE INDEX outbox_lane ON outbox (connection_id, lane, seq);
CREATE INDEX outbox_age ON outbox (accepted_at_ms);

-- How delivery goes, one row a connection. held and held_bytes are kept by the triggers below.
CREATE TABLE delivery (
    connection_id TEXT PRIMARY KEY REFERENCES connection (id) ON DELETE CASCADE,
    held INTEGER NOT NULL DEFAULT 0,
    held_bytes INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    dropped_too_old INTEGER NOT NULL DEFAULT 0,
    dropped_too_many INTEGER NOT NULL DEFAULT 0,
    dropped_refused INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    retry_at_ms INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    last_delivered_at_ms INTEGER
) STRICT;

CREATE TRIGGER connection_made AFTER INSERT ON connection BEGIN
    INSERT INTO delivery (connection_id) VALUES (NEW.id);
END;
CREATE TRIGGER outbox_in AFTER INSERT ON outbox BEGIN
    UPDATE delivery SET held = held + 1, held_bytes = held_bytes + NEW.bytes WHERE connection_id = NEW.connection_id;
END;
CREATE TRIGGER outbox_out AFTER DELETE ON outbox BEGIN
    UPDATE delivery SET held = held - 1, held_bytes = held_bytes - OLD.bytes WHERE connection_id = OLD.connection_id;
END;

-- The last few events that were given up, and why.
CREATE TABLE dropped (
    seq INTEGER PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    event_id TEXT NOT NULL,
    detail_type TEXT NOT NULL,
    reason TEXT NOT NULL,
    explanation TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX dropped_of ON dropped (connection_id, seq);
