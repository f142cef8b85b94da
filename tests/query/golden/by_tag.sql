WITH page AS (
SELECT t.seq AS seq
FROM (SELECT DISTINCT p.trace FROM posting AS p WHERE p.term = ? AND p.experiment = ?) AS found CROSS JOIN trace AS t ON t.seq = found.trace
WHERE t.experiment = ?
ORDER BY tracehound_number_in(tracehound_value(t.tags, ?)) DESC, CASE WHEN tracehound_number_in(tracehound_value(t.tags, ?)) IS NULL THEN tracehound_value(t.tags, ?) END DESC, t.start_ms DESC, t.trace_id ASC
LIMIT ?)
SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.assessments, tracehound_value(t.tags, ?), t.start_ms, t.trace_id, t.seq
FROM page CROSS JOIN trace AS t ON t.seq = page.seq
ORDER BY tracehound_number_in(tracehound_value(t.tags, ?)) DESC, CASE WHEN tracehound_number_in(tracehound_value(t.tags, ?)) IS NULL THEN tracehound_value(t.tags, ?) END DESC, t.start_ms DESC, t.trace_id ASC

-- parameters: 4324071472995704518, 0, 0, 'score', 'score', 'score', 101, 'score', 'score', 'score', 'score'
-- plan:
-- CO-ROUTINE
--   CO-ROUTINE
--     SEARCH p USING PRIMARY KEY (term=? AND experiment=?)
--     USE TEMP B-TREE FOR DISTINCT
--   SCAN
--   SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
--   USE TEMP B-TREE FOR ORDER BY
-- SCAN
-- SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
-- USE TEMP B-TREE FOR ORDER BY
