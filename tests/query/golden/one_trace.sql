WITH page AS (
SELECT t.seq AS seq
FROM trace AS t
WHERE t.experiment = ?
  AND t.trace_id = ?
  AND EXISTS (SELECT 1 FROM posting AS q WHERE q.term = ? AND q.experiment = t.experiment AND q.start_ms = t.start_ms AND q.trace = t.seq)
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT ?)
SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.assessments, t.start_ms, t.trace_id, t.seq
FROM page CROSS JOIN trace AS t ON t.seq = page.seq
ORDER BY t.start_ms DESC, t.trace_id ASC

-- parameters: 0, 'tr-1', 4324071472995704518, 101
-- plan:
-- CO-ROUTINE
--   SEARCH t USING INDEX sqlite_autoindex_trace_1 (trace_id=?)
--   SEARCH q USING PRIMARY KEY (term=? AND experiment=? AND start_ms=? AND trace=?)
-- SCAN
-- SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
-- USE TEMP B-TREE FOR ORDER BY
