WITH page AS (
SELECT t.seq AS seq, p.start_ms AS key0, t.trace_id AS key1
FROM posting AS p CROSS JOIN trace AS t ON t.seq = p.trace
WHERE p.term = ? AND p.experiment = ?
  AND p.start_ms >= ?
  AND p.start_ms <= ?
  AND (t.start_ms >= ? AND t.start_ms <= ?)
ORDER BY key0 DESC, key1 ASC
LIMIT ?)
SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.assessments, t.start_ms, t.trace_id, t.seq
FROM page CROSS JOIN trace AS t ON t.seq = page.seq
ORDER BY t.start_ms DESC, t.trace_id ASC

-- parameters: 4324071472995704518, 0, 5, 9, 5, 9, 101
-- plan:
-- CO-ROUTINE
--   SEARCH p USING PRIMARY KEY (term=? AND experiment=? AND start_ms>? AND start_ms<?)
--   SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
--   USE TEMP B-TREE FOR RIGHT PART OF ORDER BY
-- SCAN
-- SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
-- USE TEMP B-TREE FOR ORDER BY
