SELECT tracehound_value(t.metadata, ?), count(DISTINCT tracehound_value(t.metadata, ?)), count(DISTINCT tracehound_value(t.metadata, ?))
FROM (SELECT DISTINCT p.trace FROM posting AS p WHERE p.term = ? AND p.experiment = ?) AS found CROSS JOIN trace AS t ON t.seq = found.trace
WHERE t.experiment = ?
GROUP BY 1

-- parameters: 'mlflow.trace.user', 'mlflow.trace.user', 'mlflow.trace.session', 4324071472995704518, 0, 0
-- plan:
-- CO-ROUTINE
--   SEARCH p USING PRIMARY KEY (term=? AND experiment=?)
--   USE TEMP B-TREE FOR DISTINCT
-- SCAN
-- SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
-- USE TEMP B-TREE FOR GROUP BY
-- USE TEMP B-TREE FOR count(DISTINCT)
-- USE TEMP B-TREE FOR count(DISTINCT)
