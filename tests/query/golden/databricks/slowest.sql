-- attributes.execution_time_ms > 5000: exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND coalesce(t.duration_ms > :p1, FALSE)
ORDER BY t.duration_ms DESC, t.start_ms DESC, t.trace_id ASC
LIMIT :p2
-- p0 = 0
-- p1 = 5000
-- p2 = 101
