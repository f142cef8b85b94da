WITH page AS (
SELECT t.seq AS seq, t.total_tokens AS key0, t.start_ms AS key1, t.trace_id AS key2
FROM trace AS t INDEXED BY trace_by_tokens
WHERE t.experiment = ? AND t.seq / 32768 = ?
  AND t.total_tokens IS NOT NULL
UNION ALL
SELECT t.seq AS seq, t.total_tokens AS key0, t.start_ms AS key1, t.trace_id AS key2
FROM trace AS t INDEXED BY trace_by_tokens
WHERE t.experiment = ? AND t.seq / 32768 = ?
  AND t.total_tokens IS NOT NULL
UNION ALL
SELECT t.seq AS seq, t.total_tokens AS key0, t.start_ms AS key1, t.trace_id AS key2
FROM trace AS t INDEXED BY trace_by_tokens
WHERE t.experiment = ? AND t.seq / 32768 = ?
  AND t.total_tokens IS NOT NULL
UNION ALL
SELECT t.seq AS seq, t.total_tokens AS key0, t.start_ms AS key1, t.trace_id AS key2
FROM trace AS t INDEXED BY trace_by_tokens
WHERE t.experiment = ? AND t.seq / 32768 = ?
  AND t.total_tokens IS NOT NULL
ORDER BY key0 DESC, key1 DESC, key2 ASC
LIMIT ?)
SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.assessments, t.total_tokens, t.start_ms, t.trace_id, t.seq
FROM page CROSS JOIN trace AS t ON t.seq = page.seq
ORDER BY t.total_tokens DESC, t.start_ms DESC, t.trace_id ASC

-- parameters: 0, 0, 7, 0, 0, 1, 7, 1, 101
-- plan:
-- CO-ROUTINE
--   MERGE (UNION ALL)
--     LEFT
--       MERGE (UNION ALL)
--         LEFT
--           SEARCH t USING INDEX trace_by_tokens (experiment=? AND <expr>=? AND total_tokens>?)
--           USE TEMP B-TREE FOR RIGHT PART OF ORDER BY
--         RIGHT
--           SEARCH t USING INDEX trace_by_tokens (experiment=? AND <expr>=? AND total_tokens>?)
--           USE TEMP B-TREE FOR RIGHT PART OF ORDER BY
--     RIGHT
--       MERGE (UNION ALL)
--         LEFT
--           SEARCH t USING INDEX trace_by_tokens (experiment=? AND <expr>=? AND total_tokens>?)
--           USE TEMP B-TREE FOR RIGHT PART OF ORDER BY
--         RIGHT
--           SEARCH t USING INDEX trace_by_tokens (experiment=? AND <expr>=? AND total_tokens>?)
--           USE TEMP B-TREE FOR RIGHT PART OF ORDER BY
-- SCAN
-- SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
-- USE TEMP B-TREE FOR ORDER BY
