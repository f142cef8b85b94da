SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.start_ms, t.trace_id
FROM trace AS t
WHERE t.experiment = ?
  AND (coalesce(tracehound_value(t.tags, ?) NOT IN (?, ?), 0) AND coalesce(tracehound_value(t.tags, ?) NOT IN (?), 0))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT ?

-- parameters: 0, 'env', 'prod', 'dev', 'a', 'x', 101
-- plan:
-- SEARCH t USING INDEX trace_by_start (experiment=?)
