SELECT key0 FROM (
SELECT t.seq AS seq, t.cost AS key0, t.start_ms AS key1, t.trace_id AS key2
FROM trace AS t INDEXED BY trace_by_cost
WHERE t.experiment = ?
  AND t.cost IS NOT NULL
  AND EXISTS (SELECT 1 FROM posting AS q WHERE q.term = ? AND q.experiment = t.experiment AND q.start_ms = t.start_ms AND q.trace = t.seq)
UNION ALL
SELECT t.seq AS seq, t.cost AS key0, t.start_ms AS key1, t.trace_id AS key2
FROM trace AS t INDEXED BY trace_by_cost
WHERE t.experiment = ?
  AND t.cost IS NOT NULL
  AND EXISTS (SELECT 1 FROM posting AS q WHERE q.term = ? AND q.experiment = t.experiment AND q.start_ms = t.start_ms AND q.trace = t.seq)
ORDER BY key0 LIMIT 1 OFFSET ?) AS found

-- parameters: 0, 4324071472995704518, 7, 4324071472995704518, 100
-- plan:
-- CO-ROUTINE
--   MERGE (UNION ALL)
--     LEFT
--       SEARCH t USING INDEX trace_by_cost (experiment=? AND cost>?)
--       SEARCH q USING PRIMARY KEY (term=? AND experiment=? AND start_ms=? AND trace=?)
--     RIGHT
--       SEARCH t USING INDEX trace_by_cost (experiment=? AND cost>?)
--       SEARCH q USING PRIMARY KEY (term=? AND experiment=? AND start_ms=? AND trace=?)
-- SCAN
