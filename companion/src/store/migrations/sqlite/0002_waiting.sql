-- Of events that were sent at least once: when they may be sent again.
CREATE INDEX outbox_waiting ON outbox (due_at_ms, leased_until_ms, connection_id) WHERE due_at_ms > 0 OR leased_until_ms > 0;
