SELECT key0 FROM (
SELECT t.seq AS seq, t.cost AS key0, t.start_ms AS key1, t.trace_id AS key2
FROM trace AS t INDEXED BY trace_by_cost
WHERE t.experiment = ? AND t.seq / 32768 = ?
  AND t.cost IS NOT NULL
  AND coalesce(tracehound_value(t.tags, ?) != ?, 0)
UNION ALL
SELECT t.seq AS seq, t.cost AS key0, t.start_ms AS key1, t.trace_id AS key2
FROM trace AS t INDEXED BY trace_by_cost
WHERE t.experiment = ? AND t.seq / 32768 = ?
  AND t.cost IS NOT NULL
  AND coalesce(tracehound_value(t.tags, ?) != ?, 0)
ORDER BY key0 LIMIT 1 OFFSET ?) AS found

-- parameters: 0, 0, 'env', 'prod', 7, 0, 'env', 'prod', 100
-- plan:
-- CO-ROUTINE
--   MERGE (UNION ALL)
--     LEFT
--       SEARCH t USING INDEX trace_by_cost (experiment=? AND <expr>=? AND cost>?)
--     RIGHT
--       SEARCH t USING INDEX trace_by_cost (experiment=? AND <expr>=? AND cost>?)
-- SCAN
