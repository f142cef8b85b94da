-- Statistics read the index of times, to which a new trace is added at its end. In one by name and duration each went to
-- a page of its own, which had to be written with it.
DROP INDEX trace_by_latency;
DROP INDEX trace_by_start;
CREATE INDEX trace_by_start ON trace (experiment, start_ms DESC, trace_id, name, state, duration_bucket, duration_ms);

-- Which spans of the trace have the term, a bit for each (`query.span_terms`); 0 for a term of the whole trace. The rows
-- of all traces are written again: there are terms of spans and of durations now.
DELETE FROM posting;
ALTER TABLE posting ADD COLUMN mask INTEGER NOT NULL DEFAULT 0;
