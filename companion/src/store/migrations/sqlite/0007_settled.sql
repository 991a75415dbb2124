-- Deliveries that are over, with their events: delivered ones for as long as the history goes back, failed ones until they are sent
-- again or purged by a person.
CREATE TABLE settled (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    connection_id TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('delivered', 'failed')),
    event_id TEXT NOT NULL,
    lane TEXT NOT NULL,
    version INTEGER NOT NULL,
    detail_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT,
    settled_at_ms INTEGER NOT NULL,
    -- Last: what is read of many rows lies before it.
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX settled_of ON settled (connection_id, state, seq, time_ms, bytes);
CREATE INDEX settled_event ON settled (connection_id, event_id);

-- When AWS first did not take this event, though it took the call.
ALTER TABLE outbox ADD COLUMN refused_since_ms INTEGER;

-- made = held + delivered + failed + purged + the three dropped_*: each delivery is in one state. What is sent again from the history
-- is a delivery of its own.
ALTER TABLE delivery ADD COLUMN made INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN purged INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET made = held + delivered + dropped_too_old + dropped_too_many + dropped_refused;

DROP TRIGGER outbox_in;
CREATE TRIGGER outbox_in AFTER INSERT ON outbox BEGIN
    UPDATE delivery SET held = held + 1, held_bytes = held_bytes + NEW.bytes, made = made + 1
    WHERE connection_id = NEW.connection_id;
END;
CREATE TRIGGER failed_in AFTER INSERT ON settled WHEN NEW.state = 'failed' BEGIN
    UPDATE delivery SET failed = failed + 1 WHERE connection_id = NEW.connection_id;
END;
CREATE TRIGGER failed_out AFTER DELETE ON settled WHEN OLD.state = 'failed' BEGIN
    UPDATE delivery SET failed = failed - 1 WHERE connection_id = OLD.connection_id;
END;
