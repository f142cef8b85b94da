WITH page AS (
SELECT t.seq AS seq, t.start_ms AS key0, t.trace_id AS key1
FROM trace AS t INDEXED BY trace_by_start
WHERE t.experiment = ?
ORDER BY key0 DESC, key1 ASC
LIMIT ?)
SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.assessments, t.start_ms, t.trace_id, t.seq
FROM page CROSS JOIN trace AS t ON t.seq = page.seq
ORDER BY t.start_ms DESC, t.trace_id ASC

-- parameters: 0, 101
-- plan:
-- CO-ROUTINE
--   SEARCH t USING COVERING INDEX trace_by_start (experiment=?)
-- SCAN
-- SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
-- USE TEMP B-TREE FOR ORDER BY
