SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.start_ms, t.trace_id
FROM trace AS t
WHERE t.experiment = ?
  AND (t.duration_ms IS NULL OR EXISTS (SELECT 1 FROM posting AS p WHERE p.term IN (?, ?) AND p.experiment = t.experiment AND p.start_ms = t.start_ms AND p.trace = t.seq))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT ?

-- parameters: 0, 4324071472995704518, 3485205580580494112, 101
-- plan:
-- SEARCH t USING INDEX trace_by_start (experiment=?)
-- CORRELATED SCALAR SUBQUERY 1
--   SEARCH p USING PRIMARY KEY (term=? AND experiment=? AND start_ms=? AND trace=?)
