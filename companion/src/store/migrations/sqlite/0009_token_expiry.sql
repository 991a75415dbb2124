-- When a token ends by itself; NULL for never.
ALTER TABLE token ADD COLUMN expires_at_ms INTEGER;
