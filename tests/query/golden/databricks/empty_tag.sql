-- tags.env = '': exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND coalesce(try_element_at(t.tags, :p1) = :p2, FALSE)
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p3
-- p0 = 0
-- p1 = 'env'
-- p2 = ''
-- p3 = 101
