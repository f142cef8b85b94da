SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.start_ms, t.trace_id
FROM trace AS t
WHERE t.experiment = ?
  AND EXISTS (SELECT 1 FROM json_each(t.tags) AS e WHERE e.key = ? AND e.value != ?)
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT ?

-- parameters: 0, 'env', 'prod', 101
-- plan:
-- SEARCH t USING INDEX trace_by_start (experiment=?)
-- CORRELATED SCALAR SUBQUERY 1
--   SCAN e VIRTUAL INDEX 1:
