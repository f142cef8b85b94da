WITH page AS (
SELECT t.seq AS seq, t.duration_ms AS key0, t.start_ms AS key1, t.trace_id AS key2
FROM trace AS t INDEXED BY trace_by_duration
WHERE t.experiment = ?
  AND t.duration_ms IS NOT NULL
ORDER BY key0 ASC, key1 DESC, key2 ASC
LIMIT ?)
SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.assessments, t.duration_ms, t.start_ms, t.trace_id, t.seq
FROM page CROSS JOIN trace AS t ON t.seq = page.seq
ORDER BY t.duration_ms ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC

-- parameters: 0, 101
-- plan:
-- CO-ROUTINE
--   SEARCH t USING COVERING INDEX trace_by_duration (experiment=? AND duration_ms>?)
--   USE TEMP B-TREE FOR RIGHT PART OF ORDER BY
-- SCAN
-- SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
-- USE TEMP B-TREE FOR ORDER BY
