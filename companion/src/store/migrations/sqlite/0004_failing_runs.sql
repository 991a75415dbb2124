-- A run that was asked to end as errored: the event of a failed run is what alerts are tried with.
ALTER TABLE run ADD COLUMN fails INTEGER NOT NULL DEFAULT 0;
