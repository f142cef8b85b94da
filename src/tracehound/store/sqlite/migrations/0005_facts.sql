-- What was said of a trace from outside beside its tags: assessments, as a JSON array of `Assessment.to_dict`; NULL for
-- none.
ALTER TABLE trace ADD COLUMN assessments TEXT;

-- What is known of experiments, runs and models: the latest value of each key (`model.edit.Facts`), NULL for what is not
-- so any more.
CREATE TABLE fact (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    written_ns INTEGER NOT NULL,
    PRIMARY KEY (kind, subject, key)
) WITHOUT ROWID;
