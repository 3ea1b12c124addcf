-- Which span of a trace a piece of work belongs below, where spans are exported (W3C Trace Context).
ALTER TABLE outbox ADD COLUMN trace_parent TEXT;
