WITH page AS (
SELECT t.seq AS seq
FROM (SELECT DISTINCT p.trace FROM posting AS p WHERE p.term IN (?, ?) AND p.experiment = ? AND p.start_ms >= ? AND p.start_ms <= ? AND p.mask & (coalesce((SELECT q.mask FROM posting AS q WHERE q.term = ? AND q.experiment = p.experiment AND q.start_ms = p.start_ms AND q.trace = p.trace), 0)) != 0) AS found CROSS JOIN trace AS t ON t.seq = found.trace
WHERE t.experiment = ?
  AND ((coalesce((SELECT q.mask FROM posting AS q WHERE q.term = ? AND q.experiment = t.experiment AND q.start_ms = t.start_ms AND q.trace = t.seq), 0) & tracehound_durations_mask(t.span_ms, ?, ?)) != 0 AND ((coalesce((SELECT q.mask FROM posting AS q WHERE q.term = ? AND q.experiment = t.experiment AND q.start_ms = t.start_ms AND q.trace = t.seq), 0) & tracehound_durations_mask(t.span_ms, ?, ?)) & 4611686018427387903 != 0 OR (SELECT tracehound_has_spans(s.payload, s.has_ended, ?) FROM part AS s WHERE s.trace = t.seq)))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT ?)
SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.assessments, t.start_ms, t.trace_id, t.seq
FROM page CROSS JOIN trace AS t ON t.seq = page.seq
ORDER BY t.start_ms DESC, t.trace_id ASC

-- parameters: 4711, 4712, 0, 5, 9, 5558463075824712536, 0, 5558463075824712536, '>', 3000.0, 5558463075824712536, '>', 3000.0, "span(type = 'TOOL' AND duration_ms > 3000)", 101
-- plan:
-- CO-ROUTINE
--   CO-ROUTINE
--     SEARCH p USING PRIMARY KEY (term=? AND experiment=? AND start_ms>? AND start_ms<?)
--     SEARCH q USING PRIMARY KEY (term=? AND experiment=? AND start_ms=? AND trace=?)
--     USE TEMP B-TREE FOR DISTINCT
--   SCAN
--   SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
--   SEARCH q USING PRIMARY KEY (term=? AND experiment=? AND start_ms=? AND trace=?)
--   SEARCH q USING PRIMARY KEY (term=? AND experiment=? AND start_ms=? AND trace=?)
--   SEARCH s USING INDEX sqlite_autoindex_part_1 (trace=?)
--   USE TEMP B-TREE FOR ORDER BY
-- SCAN
-- SEARCH t USING INTEGER PRIMARY KEY (rowid=?)
-- USE TEMP B-TREE FOR ORDER BY
