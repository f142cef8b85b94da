WITH page AS (
SELECT t.seq AS seq
FROM trace AS t INDEXED BY trace_by_duration
WHERE t.experiment = ?
  AND t.duration_ms >= ?
ORDER BY t.duration_ms DESC, t.start_ms DESC, t.trace_id ASC
LIMIT ?)
SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.assessments, t.duration_ms, t.start_ms, t.trace_id, t.seq
FROM page CROSS JOIN trace AS t ON t.seq = page.seq
ORDER BY t.duration_ms DESC, t.start_ms DESC, t.trace_id ASC

-- parameters: 0, 5001, 101
-- plan:
-- CO-ROUTINE
--   SEARCH t USING COVERING INDEX trace_by_duration (experiment=? AND duration_ms>?)
-- SCAN
-- SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
-- USE TEMP B-TREE FOR ORDER BY
