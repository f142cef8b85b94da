-- tags.team CONTAINS 'blue' AND NOT tags.team CONTAINS 'dark': exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (coalesce(contains(try_element_at(t.tags, :p1), :p2), FALSE) AND NOT (coalesce(contains(try_element_at(t.tags, :p1), :p3), FALSE)))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p4
-- p0 = 0
-- p1 = 'team'
-- p2 = 'blue'
-- p3 = 'dark'
-- p4 = 101
