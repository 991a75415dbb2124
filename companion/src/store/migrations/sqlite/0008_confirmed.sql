-- AWS answers success also for what it drops because the event source is not ACTIVE. So a delivered event is kept until a look at its
-- source was good: confirmed_seq is the last one of a connection (by its number in `settled`) that such a look has covered, and
-- acknowledged_seq the last one that there is. Those up to doubted_seq are in doubt: they go back to the outbox under their old
-- numbers, so before newer events of their lanes, as unconfirmed.
ALTER TABLE settled ADD COLUMN outbox_seq INTEGER;
ALTER TABLE settled ADD COLUMN accepted_at_ms INTEGER;
ALTER TABLE outbox ADD COLUMN unconfirmed_at_ms INTEGER;
CREATE INDEX outbox_unconfirmed ON outbox (connection_id, seq) WHERE unconfirmed_at_ms IS NOT NULL;
-- They have the lowest numbers: whoever looks for the oldest event that is held reads none of them.
DROP INDEX outbox_oldest;
CREATE INDEX outbox_oldest ON outbox (connection_id, seq) WHERE unconfirmed_at_ms IS NULL;

-- made = held + delivered + unconfirmed + failed + purged + the three dropped_*.
ALTER TABLE delivery ADD COLUMN unconfirmed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN acknowledged_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN confirmed_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN doubted_seq INTEGER NOT NULL DEFAULT 0;
CREATE INDEX delivery_not_confirmed ON delivery (connection_id) WHERE acknowledged_seq > confirmed_seq;
CREATE INDEX delivery_doubted ON delivery (connection_id) WHERE doubted_seq > confirmed_seq;
-- Versions before this one looked at the source before they counted an event as delivered.
UPDATE delivery SET acknowledged_seq = (SELECT COALESCE(MAX(seq), 0) FROM settled),
                    confirmed_seq = (SELECT COALESCE(MAX(seq), 0) FROM settled);

DROP TRIGGER outbox_in;
DROP TRIGGER outbox_out;
CREATE TRIGGER outbox_in AFTER INSERT ON outbox WHEN NEW.unconfirmed_at_ms IS NULL BEGIN
    UPDATE delivery SET held = held + 1, held_bytes = held_bytes + NEW.bytes, made = made + 1
    WHERE connection_id = NEW.connection_id;
END;
CREATE TRIGGER outbox_out AFTER DELETE ON outbox WHEN OLD.unconfirmed_at_ms IS NULL BEGIN
    UPDATE delivery SET held = held - 1, held_bytes = held_bytes - OLD.bytes WHERE connection_id = OLD.connection_id;
END;
CREATE TRIGGER unconfirmed_in AFTER INSERT ON outbox WHEN NEW.unconfirmed_at_ms IS NOT NULL BEGIN
    UPDATE delivery SET unconfirmed = unconfirmed + 1 WHERE connection_id = NEW.connection_id;
END;
CREATE TRIGGER unconfirmed_out AFTER DELETE ON outbox WHEN OLD.unconfirmed_at_ms IS NOT NULL BEGIN
    UPDATE delivery SET unconfirmed = unconfirmed - 1 WHERE connection_id = OLD.connection_id;
END;

-- The history of delivered events: how many bytes a connection has, and all of them by their time.
ALTER TABLE delivery ADD COLUMN history_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET history_bytes = COALESCE(
    (SELECT SUM(bytes) FROM settled s WHERE s.connection_id = delivery.connection_id AND s.state = 'delivered'), 0);
CREATE INDEX settled_age ON settled (settled_at_ms) WHERE state = 'delivered';
CREATE TRIGGER delivered_in AFTER INSERT ON settled WHEN NEW.state = 'delivered' BEGIN
    UPDATE delivery SET history_bytes = history_bytes + NEW.bytes WHERE connection_id = NEW.connection_id;
END;
CREATE TRIGGER delivered_out AFTER DELETE ON settled WHEN OLD.state = 'delivered' BEGIN
    UPDATE delivery SET history_bytes = history_bytes - OLD.bytes WHERE connection_id = OLD.connection_id;
END;
