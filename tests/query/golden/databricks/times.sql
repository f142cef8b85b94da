-- attributes.timestamp_ms >= 5 AND attributes.end_time_ms IN (7, 8.5): exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (t.start_ms >= :p1 AND coalesce(array_contains(from_json(:p2, 'ARRAY<DOUBLE>'), CAST((t.start_ms + t.duration_ms) AS DOUBLE)), FALSE))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p3
-- p0 = 0
-- p1 = 5
-- p2 = '[7.0, 8.5]'
-- p3 = 101
