-- tags.env IN ('prod', 'dev') OR attributes.latency IS NULL: exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (t.duration_ms IS NULL OR coalesce(array_contains(from_json(:p1, 'ARRAY<STRING>'), try_element_at(t.tags, :p2)), FALSE))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p3
-- p0 = 0
-- p1 = '["prod", "dev"]'
-- p2 = 'env'
-- p3 = 101
