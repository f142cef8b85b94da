-- tags.a RLIKE '^v[0-9]|x$' AND tags.b NOT RLIKE 'a.b': exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (coalesce(try_element_at(t.tags, :p1) RLIKE :p2, FALSE) AND coalesce(NOT try_element_at(t.tags, :p3) RLIKE :p4, FALSE))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p5
-- p0 = 0
-- p1 = 'a'
-- p2 = '\\Av[0-9]|x\\z'
-- p3 = 'b'
-- p4 = 'a[^\\n]b'
-- p5 = 101
