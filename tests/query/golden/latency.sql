SELECT t.name, t.state, t.duration_bucket, count(*), sum(t.duration_ms), min(t.duration_ms), max(t.duration_ms)
FROM trace AS t
WHERE t.experiment = ?
GROUP BY t.name, t.state, t.duration_bucket

-- parameters: 0
-- plan:
-- SEARCH t USING COVERING INDEX trace_by_start (experiment=?)
-- USE TEMP B-TREE FOR GROUP BY
