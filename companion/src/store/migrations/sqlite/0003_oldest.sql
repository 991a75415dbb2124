-- Of each connection: its events from the oldest on, to make room and for their age, and those with an error.
CREATE INDEX outbox_oldest ON outbox (connection_id, seq);
CREATE INDEX outbox_errors ON outbox (connection_id, seq) WHERE last_error IS NOT NULL;
