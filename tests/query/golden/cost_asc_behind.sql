WITH page AS (
SELECT t.seq AS seq, t.cost AS key0, t.start_ms AS key1, t.trace_id AS key2
FROM trace AS t INDEXED BY trace_by_cost
WHERE t.experiment = ? AND t.seq / 32768 = ?
  AND t.cost IS NOT NULL
  AND t.cost < ?
  AND (t.cost >= ? AND (t.cost > ? OR (t.cost = ? AND (t.start_ms <= ? AND (t.start_ms < ? OR (t.start_ms = ? AND t.trace_id > ?))))))
UNION ALL
SELECT t.seq AS seq, t.cost AS key0, t.start_ms AS key1, t.trace_id AS key2
FROM trace AS t INDEXED BY trace_by_cost
WHERE t.experiment = ? AND t.seq / 32768 = ?
  AND t.cost = ?
  AND (t.start_ms <= ? AND (t.start_ms < ? OR (t.start_ms = ? AND t.trace_id > ?)))
ORDER BY key0 ASC, key1 DESC, key2 ASC
LIMIT ?)
SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.assessments, t.cost, t.start_ms, t.trace_id, t.seq
FROM page CROSS JOIN trace AS t ON t.seq = page.seq
ORDER BY t.cost ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC

-- parameters: 0, 0, 0, 0.0, 0.0, 0.0, 1735689600000, 1735689600000, 1735689600000, 'tr-1', 0, 0, 0, 1735689600000, 1735689600000, 1735689600000, 'tr-1', 101
-- plan:
-- CO-ROUTINE
--   MERGE (UNION ALL)
--     LEFT
--       SEARCH t USING INDEX trace_by_cost (experiment=? AND <expr>=? AND cost>? AND cost<?)
--       USE TEMP B-TREE FOR RIGHT PART OF ORDER BY
--     RIGHT
--       SEARCH t USING INDEX trace_by_cost (experiment=? AND <expr>=? AND cost=? AND start_ms<?)
--       USE TEMP B-TREE FOR RIGHT PART OF ORDER BY
-- SCAN
-- SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
-- USE TEMP B-TREE FOR ORDER BY
