-- tags.env NOT IN ('prod', 'dev') AND tags.a != 'x': exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (coalesce(try_element_at(t.tags, :p1) != :p2, FALSE) AND coalesce(NOT (array_contains(from_json(:p3, 'ARRAY<STRING>'), try_element_at(t.tags, :p4))), FALSE))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p5
-- p0 = 0
-- p1 = 'a'
-- p2 = 'x'
-- p3 = '["prod", "dev"]'
-- p4 = 'env'
-- p5 = 101
