-- A trace as searches see it: its fields, and its tags and metadata as JSON objects of texts.
CREATE TABLE trace (
    seq INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL UNIQUE,
    experiment INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    duration_ms INTEGER,
    duration_bucket INTEGER,
    state TEXT NOT NULL,
    name TEXT NOT NULL,
    request_preview TEXT,
    response_preview TEXT,
    client_request_id TEXT,
    metadata TEXT NOT NULL,
    tags TEXT NOT NULL
);
-- Newest first, the order of every search that asks for no other.
CREATE INDEX trace_by_start ON trace (experiment, start_ms DESC, trace_id);
-- Slowest first.
CREATE INDEX trace_by_duration ON trace (experiment, duration_ms DESC, start_ms DESC, trace_id);
-- Everything that latency statistics group and add up, so that they never read a row.
CREATE INDEX trace_by_latency ON trace (experiment, name, state, duration_bucket, duration_ms);

-- The inverted index: which traces have a term (`query.terms`), in the order of their start.
CREATE TABLE posting (
    term INTEGER NOT NULL,
    experiment INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    trace INTEGER NOT NULL,
    PRIMARY KEY (term, experiment, start_ms, trace)
) WITHOUT ROWID;

-- What arrived, unchanged (`wire.payload`). The key tells a part that arrives again from another one.
CREATE TABLE part (
    trace INTEGER NOT NULL,
    written_ns INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (trace, written_ns, checksum)
);

CREATE TABLE experiment (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
);

-- How far each segment of the spool has been applied; changed in the transaction that applies it.
CREATE TABLE segment (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;
