SELECT tracehound_value(t.metadata, ?), count(*), sum(t.state = 'ERROR'), count(t.duration_ms), sum(t.duration_ms), min(t.duration_ms), max(t.duration_ms), group_concat(t.duration_bucket), total(t.input_tokens), count(t.input_tokens), total(t.output_tokens), count(t.output_tokens), total(t.total_tokens), count(t.total_tokens), total(t.cost), count(t.cost)
FROM (SELECT DISTINCT p.trace FROM posting AS p WHERE p.term = ? AND p.experiment = ?) AS found CROSS JOIN trace AS t ON t.seq = found.trace
WHERE t.experiment = ?
GROUP BY 1

-- parameters: 'mlflow.trace.user', 4324071472995704518, 0, 0
-- plan:
-- CO-ROUTINE
--   SEARCH p USING PRIMARY KEY (term=? AND experiment=?)
--   USE TEMP B-TREE FOR DISTINCT
-- SCAN
-- SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
-- USE TEMP B-TREE FOR GROUP BY
