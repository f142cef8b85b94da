-- The text index (`store.sqlite.words`): blocks of traces with their words, small ones of one batch each, which are put
-- together as they become many. `least` and `greatest` are of the numbers of the traces. What is read of all blocks
-- comes first, what is read of some last: SQLite reads a long row only as far as it has to.
CREATE TABLE block (
    number INTEGER PRIMARY KEY,
    tier INTEGER NOT NULL,
    least INTEGER NOT NULL,
    greatest INTEGER NOT NULL,
    unknown BLOB NOT NULL,
    words BLOB NOT NULL,
    ends BLOB NOT NULL,
    rows BLOB NOT NULL,
    seqs BLOB NOT NULL
);
CREATE INDEX block_by_greatest ON block (greatest);
CREATE INDEX block_by_tier ON block (tier);

-- How long each span took, in ms, as JSON: what is asked of the durations of spans is not read out of the parts.
ALTER TABLE trace ADD COLUMN span_ms TEXT NOT NULL DEFAULT '[]';

-- What statistics of all traces are made of (`model.summary`): of each hour, counted from the epoch, and name how many
-- there were, what they add up to, and how many durations lie in each bucket: bytes of numbers, side by side.
CREATE TABLE hour (
    number INTEGER PRIMARY KEY,
    experiment INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    name TEXT NOT NULL,
    sums TEXT NOT NULL,
    buckets BLOB NOT NULL,
    counts BLOB NOT NULL,
    UNIQUE (experiment, hour, name)
);

-- The index rows of all traces are written again: durations of spans have terms with the name of the span now.
DELETE FROM posting;
DELETE FROM term;
