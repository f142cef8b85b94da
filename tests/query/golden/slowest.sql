SELECT t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview, t.client_request_id, t.metadata, t.tags, t.duration_ms, t.start_ms, t.trace_id
FROM trace AS t
WHERE t.experiment = ?
  AND (t.duration_ms IS NOT NULL AND t.duration_ms > ?)
ORDER BY t.duration_ms DESC, t.start_ms DESC, t.trace_id ASC
LIMIT ?

-- parameters: 0, 5000, 101
-- plan:
-- SEARCH t USING INDEX trace_by_duration (experiment=? AND duration_ms>?)
