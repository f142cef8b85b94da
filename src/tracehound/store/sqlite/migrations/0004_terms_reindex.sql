-- What each term of the index stands for (`query.terms`), so that the values of a key can be looked through. The value
-- is NULL for the term of all values that are too long to have one of their own.
CREATE TABLE term (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    number INTEGER NOT NULL,
    value TEXT,
    PRIMARY KEY (kind, key, number)
) WITHOUT ROWID;

-- The index rows of all traces are written again: there are terms of status, of request ids and of long values now.
DELETE FROM posting;
