-- Which request asked for a piece of work: it stands on the lines of the log about the send, on whatever node.
ALTER TABLE outbox ADD COLUMN request_id TEXT;
