-- attributes.total_tokens >= 100: exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND coalesce(t.total_tokens >= :p1, FALSE)
ORDER BY t.cost DESC, t.start_ms DESC, t.trace_id ASC
LIMIT :p2
-- p0 = 0
-- p1 = 100
-- p2 = 101
