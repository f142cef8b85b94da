-- What was said of a trace from outside of it, laid over what its parts say: the latest edit of each thing (`model.edit`).
-- It is of a trace id and not of a row of `trace`, for it may wait for its trace.
CREATE TABLE edit (
    trace_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    written_ns INTEGER NOT NULL,
    is_waiting INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (trace_id, kind, key)
) WITHOUT ROWID;
CREATE INDEX edit_that_waits ON edit (written_ns) WHERE is_waiting;

-- Traces that were deleted: what arrives of them later changes nothing.
CREATE TABLE tombstone (
    trace_id TEXT PRIMARY KEY,
    deleted_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tombstone_by_time ON tombstone (deleted_ns);
