-- Runs that bring what an inbox had before its bridge into Chatwoot: of which bridge, and what was asked for, as JSON.
ALTER TABLE sync_runs ADD COLUMN bridge_id BIGINT;
ALTER TABLE sync_runs ADD COLUMN options TEXT;
