-- tags.env = 'prod' AND (attributes.status = 'ERROR' OR metadata.ver = '2'): exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (coalesce(try_element_at(t.tags, :p1) = :p2, FALSE) AND (t.state = :p3 OR coalesce(try_element_at(t.metadata, :p4) = :p5, FALSE)))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p6
-- p0 = 0
-- p1 = 'env'
-- p2 = 'prod'
-- p3 = 'ERROR'
-- p4 = 'ver'
-- p5 = '2'
-- p6 = 101
