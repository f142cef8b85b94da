-- Statistics read the index of times, to which a new trace is added at its end. In one by name and duration each went to
-- a page of its own, which had to be written with it.
DROP INDEX trace_by_latency;
DROP INDEX trace_by_start;
CREATE INDEX trace_by_start ON trace (experiment, start_ms DESC, trace_id, name, state, duration_bucket, duration_ms);

-- The index rows of all traces are written again: there are terms of durations now (`query.terms`).
DELETE FROM posting;
