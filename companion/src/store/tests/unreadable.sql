-- Has the details of what the connection BAD holds fail to be read, as from a damaged page, for tests of the whole program.
ALTER TABLE outbox RENAME TO outbox_rows;
-- STABLE: a view with a function that may do anything would be read whole.
CREATE FUNCTION unreadable(detail text) RETURNS text LANGUAGE plpgsql STABLE AS
$$ BEGIN RAISE 'unreadable' USING ERRCODE = 'XX001'; END $$;
DO $$ BEGIN EXECUTE (
    SELECT 'CREATE VIEW outbox AS SELECT ' || string_agg(CASE column_name::text
        WHEN 'detail' THEN 'CASE connection_id WHEN ''BAD'' THEN unreadable(detail) ELSE detail END AS detail'
        ELSE column_name::text END, ', ') || ' FROM outbox_rows'
    FROM information_schema.columns WHERE table_name = 'outbox_rows');
END $$;
